"""Tables in which each combination that ever occurred stands once, sealed: of deprived indicators, of causes of poverty."""

import sqlalchemy as sa


def dictionary_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """`combinations` and `cause_sets`."""
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
    return combinations, cause_sets
