"""The tables of household members: the newest state of each, and every fact ever recorded of them.

What law calls sensitive stands sealed, whole, in `details`; so do name and numbers. The other columns are open to
those who count. `number_key`, `alike_keys` and `name_keys` are keyed hashes: without the key they say nothing.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

_moment = sa.DateTime(timezone=True)
_SEXES = "sex in ('MALE', 'FEMALE')"


def member_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """`members` and `member_facts`."""
    members = sa.Table(
        "members",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
        *_described(),
        sa.Column("number_key", sa.LargeBinary),
        # While a key is being replaced: the same by the other key, by which `alike_keys` stand too.
        sa.Column("number_key_before", sa.LargeBinary),
        sa.Column("also_keyed", sa.Text),
        sa.Column("alike_keys", pg.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("name_keys", pg.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("left_on", sa.Date),
        sa.Column("erased_on", sa.Date),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint(_SEXES, name="sex_known"),
        sa.CheckConstraint("(left_on is null) = (left_reason is null)", name="left_whole"),
        sa.CheckConstraint("version > 0", name="version_positive"),
        sa.Index("ix_members_household", "household_id", "id"),
        sa.Index(
            "ix_members_number_key",
            "number_key",
            postgresql_where=sa.text("number_key is not null and left_on is null"),
        ),
        sa.Index(
            "ix_members_number_key_before",
            "number_key_before",
            postgresql_where=sa.text("number_key_before is not null and left_on is null"),
        ),
        sa.Index(
            "ix_members_merit",
            "merit",
            postgresql_where=sa.text("merit <> 'NONE' and left_on is null"),
        ),
        sa.Index("ix_members_alike_keys", "alike_keys", postgresql_using="gin"),
    )
    member_facts = sa.Table(
        "member_facts",
        metadata,
        sa.Column("sequence", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("member_id", sa.ForeignKey("members.id"), nullable=False),
        sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        # Taken while the household is locked, so that it grows with the sequence.
        sa.Column("recorded_at", _moment, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("corrects", sa.ForeignKey("member_facts.sequence"), unique=True),
        *_described(),
        sa.CheckConstraint(_SEXES, name="sex_known"),
        sa.CheckConstraint("kind in ('ENTERED', 'CHANGED', 'LEFT')", name="kind_known"),
        sa.CheckConstraint("(kind = 'LEFT') = (left_reason is not null)", name="left_has_reason"),
        sa.CheckConstraint("corrects < sequence", name="corrects_an_earlier_one"),
        sa.Index("ix_member_facts_household_sequence", "household_id", "sequence"),
        sa.Index("ix_member_facts_member_sequence", "member_id", "sequence"),
    )
    return members, member_facts


def _described() -> "Iterator[sa.Column[object]]":
    """The columns that describe a person, the same in both tables."""
    yield sa.Column("birth_date", sa.Date)
    yield sa.Column("birth_year", sa.SmallInteger, nullable=False)
    for name in ("sex", "relation", "residence"):
        yield sa.Column(name, sa.Text, nullable=False)
    yield sa.Column("works_on_job_training", sa.Boolean, nullable=False)
    for name in ("study", "qualification", "work", "insurance", "merit", "number_missing", "left_reason"):
        yield sa.Column(name, sa.Text)
    yield sa.Column("details", sa.LargeBinary, nullable=False)
