"""Alembic's entry: the schema of the funding service."""

from benvung.db import run_migrations
from funding.tables import META

run_migrations(META)
