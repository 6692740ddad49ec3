"""Alembic's entry: the kit runs the migrations against training's tables."""

from benvung.db import run_migrations
from training.tables import metadata

run_migrations(metadata)
