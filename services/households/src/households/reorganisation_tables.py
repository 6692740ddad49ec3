"""The tables of reorganisations: what a document says, and where each household went by it."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.columns import MOMENT, one_of, recorded_at

KINDS = ("MERGED", "DIVIDED", "RENAMED", "MOVED_TO_PROVINCE", "KEPT")


def reorganisation_tables(meta: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table, sa.Table, sa.Table]:
    """Declare reorganisations, their parts, the households' placements, the villages', and types of areas."""
    reorganisations = sa.Table(
        "reorganisations",
        meta,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
        sa.Column("holds_from", sa.Date, nullable=False),
        sa.Column("document_number", sa.Text, nullable=False),
        sa.Column("document_date", sa.Date, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        recorded_at(),
    )
    parts = sa.Table(
        "reorganisation_parts",
        meta,
        sa.Column("reorganisation_id", sa.ForeignKey("reorganisations.id"), primary_key=True),
        sa.Column("predecessor", sa.Text, primary_key=True),
        sa.Column("holds_from", sa.Date, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("successors", pg.ARRAY(sa.Text), nullable=False),
        # The code under which the households of a divided commune wait for a choice.
        sa.Column("waiting", sa.Text),
        one_of("kind", KINDS),
        sa.CheckConstraint("(kind = 'DIVIDED') = (waiting is not null)", name="divided_waits"),
        sa.UniqueConstraint("predecessor", "holds_from"),
        sa.Index("ix_reorganisation_parts_waiting", "waiting"),
    )
    placements = sa.Table(
        "placements",
        meta,
        sa.Column("reorganisation_id", sa.ForeignKey("reorganisations.id"), primary_key=True),
        sa.Column("household_id", sa.ForeignKey("households.id"), primary_key=True),
        sa.Column("holds_from", sa.Date, nullable=False),
        sa.Column("predecessor", sa.Text, nullable=False),
        sa.Column("village", sa.Text, nullable=False),
        # Where it belongs from that day on: a commune, or what waits for a choice.
        sa.Column("successor", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="PENDING"),
        # The sequence of the fact by which it went there.
        sa.Column("fact", sa.BigInteger),
        sa.Column("refused", sa.Text),
        sa.Column("chosen_by", sa.Text),
        sa.Column("moved_at", MOMENT),
        one_of("state", ("PENDING", "FOLLOWED", "WAITING", "CHOSEN", "REFUSED")),
        sa.CheckConstraint("(state = 'REFUSED') = (refused is not null)", name="refused_says_why"),
        sa.CheckConstraint("(state in ('PENDING', 'REFUSED')) = (fact is null)", name="moved_by_a_fact"),
        sa.Index("ix_placements_household", "household_id", "holds_from"),
        sa.Index(
            "ix_placements_pending",
            "holds_from",
            "household_id",
            postgresql_where=sa.text("state = 'PENDING'"),
        ),
        sa.Index(
            "ix_placements_waiting",
            "successor",
            "village",
            "household_id",
            postgresql_where=sa.text("state = 'WAITING'"),
        ),
    )
    villages = sa.Table(
        "village_places",
        meta,
        sa.Column("reorganisation_id", sa.ForeignKey("reorganisations.id"), primary_key=True),
        sa.Column("old_village", sa.Text, primary_key=True),
        sa.Column("commune", sa.Text, primary_key=True),
        sa.Column("village", sa.Text, nullable=False),
    )
    types = sa.Table(
        "area_types",
        meta,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
        sa.Column("commune", sa.Text, nullable=False, index=True),
        sa.Column("area_type", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("document_number", sa.Text, nullable=False),
        sa.Column("document_date", sa.Date, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        recorded_at(),
        one_of("area_type", ("URBAN", "RURAL")),
        sa.CheckConstraint("valid_to > valid_from", name="validity"),
    )
    return reorganisations, parts, placements, villages, types
