"""Alembic's entry: the kit runs the migrations against the tables of households."""

from benvung.db import run_migrations
from households.tables import metadata

run_migrations(metadata)
