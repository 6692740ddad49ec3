"""Keys that are replaced, how long data are kept, and requests to erase; seals of facts may be renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What of a fact is sealed or free text. It may come under another key, or be erased; nothing else ever changes.
SEALS = {
    "decisions": ("flags", "reviewer", "inputs"),
    "member_facts": ("details", "birth_date"),
    "review_entries": ("sealed", "given", "facts"),
    "recognitions": ("sealed",),
    "changes": ("reason", "certificate"),
}
SEALS_CHANGE = """
create function seals_alone_change() returns trigger language plpgsql as $$
begin
  if current_setting('benvung.seals', true) in ('renewed', 'erased')
     and to_jsonb(new) - tg_argv::text[] = to_jsonb(old) - tg_argv::text[] then
    return new;
  end if;
  raise exception 'a fact is never changed or removed: correct it by a new one'
    using errcode = 'insufficient_privilege';
end $$
"""
DECISIONS_STAY = """
create or replace function decisions_stay_as_written() returns trigger language plpgsql as $$
begin
  if old.combination_id is null and new.combination_id is not null
     and to_jsonb(new) - 'combination_id' = to_jsonb(old) - 'combination_id' then
    return new;
  end if;{door}
  raise exception 'a fact is never changed or removed: correct it by a new one'
    using errcode = 'insufficient_privilege';
end $$
"""
DOOR = """
  if current_setting('benvung.seals', true) in ('renewed', 'erased')
     and to_jsonb(new) - tg_argv::text[] = to_jsonb(old) - tg_argv::text[] then
    return new;
  end if;"""


def _columns(table: str) -> str:
    return ", ".join(f"'{each}'" for each in SEALS[table])


def upgrade() -> None:
    """Nothing is due yet: no period is loaded."""
    op.add_column("households", sa.Column("erased_on", sa.Date(), nullable=True))
    op.add_column("members", sa.Column("erased_on", sa.Date(), nullable=True))
    op.add_column("imports", sa.Column("erased_on", sa.Date(), nullable=True))
    op.add_column("members", sa.Column("number_key_before", sa.LargeBinary(), nullable=True))
    op.add_column("members", sa.Column("also_keyed", sa.Text(), nullable=True))
    op.create_index(
        "ix_members_number_key_before",
        "members",
        ["number_key_before"],
        postgresql_where=sa.text("number_key_before is not null and left_on is null"),
    )
    _tables()
    op.execute(SEALS_CHANGE)
    op.execute(DECISIONS_STAY.format(door=DOOR))
    op.execute("drop trigger decisions_stay_as_written on decisions")
    op.execute(
        "create trigger decisions_stay_as_written before update on decisions"
        f" for each row execute function decisions_stay_as_written({_columns('decisions')})"
    )
    for table in SEALS:
        if table == "decisions":
            continue
        op.execute(f"drop trigger facts_stay_as_written on {table}")
        op.execute(
            f"create trigger facts_stay_as_written before delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )
        op.execute(
            f"create trigger seals_alone_change before update on {table}"
            f" for each row execute function seals_alone_change({_columns(table)})"
        )
    op.execute(
        "create trigger facts_stay_as_written before update or delete or truncate on retention_periods"
        " for each statement execute function facts_stay_as_written()"
    )


def _tables() -> None:
    moment = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("used_since", moment, server_default=now, nullable=False),
        sa.Column("retired_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "retention_periods",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("months", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("document_dated", sa.Date(), nullable=False),
        sa.Column("document_issuer", sa.Text(), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", moment, server_default=now, nullable=False),
        sa.CheckConstraint(
            "subject in ('HOUSEHOLD', 'MEMBER', 'IMPORT')", name=op.f("ck_retention_periods_subject_known")
        ),
        sa.CheckConstraint("months between 0 and 1200", name=op.f("ck_retention_periods_months_plausible")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_retention_periods")),
        sa.UniqueConstraint("id", name=op.f("uq_retention_periods_id")),
    )
    op.create_table(
        "erasure_requests",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=True),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("import_id", sa.UUID(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("paper_number", sa.Text(), nullable=False),
        sa.Column("paper_dated", sa.Date(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", moment, server_default=now, nullable=False),
        sa.Column("state", sa.Text(), server_default="ASKED", nullable=False),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("period", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "cause in ('SUBJECT_REQUEST', 'RETENTION')", name=op.f("ck_erasure_requests_cause_known")
        ),
        sa.CheckConstraint(
            "subject in ('HOUSEHOLD', 'MEMBER', 'IMPORT')", name=op.f("ck_erasure_requests_subject_known")
        ),
        sa.CheckConstraint(
            "state in ('ASKED', 'ERASED', 'REFUSED')", name=op.f("ck_erasure_requests_state_known")
        ),
        sa.CheckConstraint(
            "case subject when 'IMPORT' then import_id is not null and household_id is null and member_id is null"
            " when 'MEMBER' then import_id is null and household_id is not null and member_id is not null"
            " else import_id is null and household_id is not null and member_id is null end",
            name=op.f("ck_erasure_requests_subject_whole"),
        ),
        sa.CheckConstraint(
            "(state = 'ASKED') = (decided_on is null) and (decided_on is null) = (decided_by is null)"
            " and (decided_on is null) = (decision_number is null)",
            name=op.f("ck_erasure_requests_decided_whole"),
        ),
        sa.CheckConstraint(
            "(state = 'REFUSED') = (ground is not null)", name=op.f("ck_erasure_requests_refused_says_why")
        ),
        sa.CheckConstraint(
            "(state = 'ERASED') = (period is not null)", name=op.f("ck_erasure_requests_erased_by_a_period")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_erasure_requests_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_erasure_requests_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_erasure_requests_import_id_imports")
        ),
        sa.ForeignKeyConstraint(
            ["period"],
            ["retention_periods.sequence"],
            name=op.f("fk_erasure_requests_period_retention_periods"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
    )
    op.create_index("ix_erasure_requests_household_id", "erasure_requests", ["household_id"])
    op.create_index("ix_erasure_requests_commune_id", "erasure_requests", ["commune", "id"])
    op.create_index(
        "uq_erasure_requests_open",
        "erasure_requests",
        ["subject", "household_id", "member_id", "import_id"],
        unique=True,
        postgresql_where=sa.text("state = 'ASKED'"),
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    """What was erased stays erased."""
    for table in SEALS:
        if table == "decisions":
            continue
        op.execute(f"drop trigger seals_alone_change on {table}")
        op.execute(f"drop trigger facts_stay_as_written on {table}")
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )
    op.execute("drop trigger decisions_stay_as_written on decisions")
    op.execute(DECISIONS_STAY.format(door=""))
    op.execute(
        "create trigger decisions_stay_as_written before update on decisions"
        " for each row execute function decisions_stay_as_written()"
    )
    op.execute("drop function seals_alone_change()")
    for table in ("erasure_requests", "retention_periods", "data_keys"):
        op.drop_table(table)
    op.drop_index("ix_members_number_key_before", "members")
    op.drop_column("members", "also_keyed")
    op.drop_column("members", "number_key_before")
    for table in ("imports", "members", "households"):
        op.drop_column(table, "erased_on")
