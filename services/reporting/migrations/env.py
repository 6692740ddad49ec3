"""Alembic's entry: the kit runs the migrations of this service's tables."""

from benvung.db import run_migrations
from reporting.tables import metadata

run_migrations(metadata)
