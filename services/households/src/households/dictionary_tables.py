"""Combinations of deprived indicators and of causes of poverty: each that ever occurred, sealed, and those in force."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def dictionary_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """`combinations`, `cause_sets`, and `household_combinations` that says which of each are in force."""
    combinations = sa.Table(
        "combinations",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("standard", sa.Text, nullable=False),
        # Keyed: who has the database alone cannot try out which combination it stands for.
        sa.Column("fingerprint", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("flags", sa.LargeBinary, nullable=False),
        comment="each combination of deprived indicators that ever occurred: rules are evaluated once for each",
    )
    cause_sets = sa.Table(
        "cause_sets",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False, unique=True),
        # Illness is one of the causes.
        sa.Column("causes", sa.LargeBinary, nullable=False),
        comment="each combination of causes of poverty that ever occurred",
    )
    household_combinations = sa.Table(
        "household_combinations",
        metadata,
        sa.Column("household_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("combination_id", sa.BigInteger),
        sa.Column("cause_set_id", sa.BigInteger),
        # A list by indicator, or by cause, is read off its index alone, in its own order, however few it has.
        sa.Index(
            "ix_household_combinations_place",
            "commune",
            "household_id",
            postgresql_include=["combination_id"],
            postgresql_where=sa.text("combination_id is not null"),
        ),
        sa.Index(
            "ix_household_combinations_causes",
            "commune",
            "household_id",
            postgresql_include=["cause_set_id", "combination_id"],
            postgresql_where=sa.text("cause_set_id is not null"),
        ),
        sa.Index(
            "ix_household_combinations_cause_set",
            "cause_set_id",
            postgresql_where=sa.text("cause_set_id is not null"),
        ),
        comment="the combinations of indicators and of causes of each household's official decision in force;"
        " what they follow from is tellings",
    )
    return combinations, cause_sets, household_combinations
