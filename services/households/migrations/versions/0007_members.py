"""Members of households with every fact recorded of them; heads' names become searchable."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _described() -> list["sa.Column[object]"]:
    return [
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birth_year", sa.SmallInteger(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("residence", sa.Text(), nullable=False),
        sa.Column("works_on_job_training", sa.Boolean(), nullable=False),
        sa.Column("study", sa.Text(), nullable=True),
        sa.Column("qualification", sa.Text(), nullable=True),
        sa.Column("work", sa.Text(), nullable=True),
        sa.Column("insurance", sa.Text(), nullable=True),
        sa.Column("merit", sa.Text(), nullable=True),
        sa.Column("number_missing", sa.Text(), nullable=True),
        sa.Column("left_reason", sa.Text(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=False),
    ]


def upgrade() -> None:
    """Create the tables. The service itself indexes the heads that are there: a migration has no key."""
    op.add_column("households", sa.Column("head_name_keys", postgresql.ARRAY(sa.BigInteger()), nullable=True))
    op.create_index("ix_households_head_name_keys", "households", ["head_name_keys"], postgresql_using="gin")
    op.create_index(
        "ix_households_unindexed", "households", ["id"], postgresql_where=sa.text("head_name_keys is null")
    )
    op.create_table(
        "members",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        *_described(),
        sa.Column("number_key", sa.LargeBinary(), nullable=True),
        sa.Column("alike_keys", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("name_keys", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("sex in ('MALE', 'FEMALE')", name=op.f("ck_members_sex_known")),
        sa.CheckConstraint("(left_on is null) = (left_reason is null)", name=op.f("ck_members_left_whole")),
        sa.CheckConstraint("version > 0", name=op.f("ck_members_version_positive")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_members_household_id_households")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
    )
    op.create_index("ix_members_household", "members", ["household_id", "id"])
    op.create_index(
        "ix_members_number_key",
        "members",
        ["number_key"],
        postgresql_where=sa.text("number_key is not null and left_on is null"),
    )
    op.create_index("ix_members_alike_keys", "members", ["alike_keys"], postgresql_using="gin")
    op.create_index("ix_members_name_keys", "members", ["name_keys"], postgresql_using="gin")
    op.create_table(
        "member_facts",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        *_described(),
        sa.CheckConstraint("sex in ('MALE', 'FEMALE')", name=op.f("ck_member_facts_sex_known")),
        sa.CheckConstraint("kind in ('ENTERED', 'CHANGED', 'LEFT')", name=op.f("ck_member_facts_kind_known")),
        sa.CheckConstraint(
            "(kind = 'LEFT') = (left_reason is not null)", name=op.f("ck_member_facts_left_has_reason")
        ),
        sa.CheckConstraint("corrects < sequence", name=op.f("ck_member_facts_corrects_an_earlier_one")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_facts_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_member_facts_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            ["corrects"], ["member_facts.sequence"], name=op.f("fk_member_facts_corrects_member_facts")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_member_facts")),
        sa.UniqueConstraint("corrects", name=op.f("uq_member_facts_corrects")),
    )
    op.create_index("ix_member_facts_household_sequence", "member_facts", ["household_id", "sequence"])
    op.create_index("ix_member_facts_member_sequence", "member_facts", ["member_id", "sequence"])
    op.execute(
        "create trigger facts_stay_as_written before update or delete or truncate on member_facts"
        " for each statement execute function facts_stay_as_written()"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("member_facts")
    op.drop_table("members")
    op.drop_index("ix_households_unindexed", "households")
    op.drop_index("ix_households_head_name_keys", "households")
    op.drop_column("households", "head_name_keys")
