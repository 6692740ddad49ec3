"""The first schema: eligibility by household, and append-only allocations whose sums the database checks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from benvung import audit

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ALLOCATION_TABLES = ("allocations", "allocation_totals", "allocation_lines")
APPEND_ONLY = """
create function allocations_stay_as_written() returns trigger language plpgsql as $$
begin
  raise exception 'allocations are never changed or removed' using errcode = 'insufficient_privilege';
end $$
"""
HISTORY_STAYS = """
create function eligibility_history_stays_as_written() returns trigger language plpgsql as $$
begin
  raise exception 'what an event opened is never changed' using errcode = 'insufficient_privilege';
end $$
"""
# Checked at commit, when the allocation, its totals and its lines are all there.
SUMS = """
create function allocation_adds_up() returns trigger language plpgsql as $$
declare
  declared bigint;
  by_type numeric;
  off record;
begin
  select total_dong into declared from allocations where allocation_id = new.allocation_id;
  select coalesce(sum(amount_dong), 0) into by_type
    from allocation_totals where allocation_id = new.allocation_id;
  if by_type <> declared then
    raise exception 'allocation %: kinds of capital sum to %, total is %', new.allocation_id, by_type, declared
      using errcode = 'check_violation', constraint = 'allocation_adds_up';
  end if;
  select t.capital_type, t.amount_dong as stated, coalesce(sum(l.amount_dong), 0) as found into off
    from allocation_totals t
    left join allocation_lines l using (allocation_id, capital_type)
    where t.allocation_id = new.allocation_id
    group by t.capital_type, t.amount_dong
    having t.amount_dong <> coalesce(sum(l.amount_dong), 0)
    limit 1;
  if found then
    raise exception 'allocation %: lines of % sum to %, stated %',
      new.allocation_id, off.capital_type, off.found, off.stated
      using errcode = 'check_violation', constraint = 'allocation_adds_up';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.execute("create sequence outbox_id_seq cache 1")
    op.create_table(
        "allocations",
        sa.Column("allocation_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("commune", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("communes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("origin_year", sa.SmallInteger(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("total_dong", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("origin_year <= year", name=op.f("ck_allocations_origin_year")),
        sa.CheckConstraint("total_dong > 0", name=op.f("ck_allocations_total")),
        sa.PrimaryKeyConstraint("allocation_id", name=op.f("pk_allocations")),
        sa.UniqueConstraint("number", name=op.f("uq_allocations_number")),
        sa.UniqueConstraint(
            "programme",
            "area",
            "year",
            "origin_year",
            "decision_number",
            "decided_on",
            name="uq_allocations_decision",
        ),
        comment="money given to an area by one decision, in đồng; append-only",
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_entity_id"), "audit", ["entity_id"], unique=False)
    op.create_table(
        "checkpoints",
        sa.Column("projector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_created", sa.Text(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("projector", "stream", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("projector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_created", sa.Text(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("buried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint(
            "projector",
            "stream",
            "stream_created",
            "stream_seq",
            name=op.f("uq_dead_letters_projector_stream_stream_created_stream_seq"),
        ),
    )
    op.create_table(
        "eligibility",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("limit_dong", sa.BigInteger(), nullable=True),
        sa.Column("rate_percent", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("poverty_class", sa.Text(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "product in ('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')", name=op.f("ck_eligibility_product")
        ),
        sa.CheckConstraint("status in ('ELIGIBLE', 'NOT_ELIGIBLE')", name=op.f("ck_eligibility_status")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_eligibility_window")),
        sa.PrimaryKeyConstraint("household_id", "product", name=op.f("pk_eligibility")),
        postgresql_with={"fillfactor": 80},
        comment="newest answer for each product a household was ever entitled to; revision counts announcements",
    )
    op.create_table(
        "eligibility_history",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("poverty_class", sa.Text(), nullable=True),
        sa.Column("class_since", sa.Date(), nullable=True),
        sa.Column("left_list_on", sa.Date(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("limit_dong", sa.BigInteger(), nullable=True),
        sa.Column("rate_percent", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "poverty_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_eligibility_history_poverty_class"),
        ),
        sa.CheckConstraint(
            "product in ('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')", name=op.f("ck_eligibility_history_product")
        ),
        sa.CheckConstraint(
            "status in ('ACTIVE', 'LEFT', 'CLOSED')", name=op.f("ck_eligibility_history_status")
        ),
        sa.CheckConstraint(
            "(product is null) = (valid_from is null)", name=op.f("ck_eligibility_history_entitled")
        ),
        sa.PrimaryKeyConstraint("household_id", "sequence", name=op.f("pk_eligibility_history")),
        comment="one fact per event that is not preliminary: what it rested on, and the one product it opened, if any",
    )
    op.create_index(
        op.f("ix_eligibility_history_commune_household_id"),
        "eligibility_history",
        ["commune", "household_id"],
        unique=False,
    )
    op.create_table(
        "household_states",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("poverty_class", sa.Text(), nullable=True),
        sa.Column("class_since", sa.Date(), nullable=True),
        sa.Column("left_list_on", sa.Date(), nullable=True),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "poverty_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_household_states_poverty_class"),
        ),
        sa.CheckConstraint("status in ('ACTIVE', 'LEFT', 'CLOSED')", name=op.f("ck_household_states_status")),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_household_states")),
        postgresql_with={"fillfactor": 80},
        comment="newest public state of each household, by the sequence of its event",
    )
    op.create_index(op.f("ix_household_states_commune"), "household_states", ["commune"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
        postgresql_with={"autovacuum_vacuum_threshold": 2000, "autovacuum_vacuum_scale_factor": 0},
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("claims", postgresql.JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "allocation_totals",
        sa.Column("allocation_id", sa.UUID(), nullable=False),
        sa.Column("capital_type", sa.Text(), nullable=False),
        sa.Column("amount_dong", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_dong >= 0", name=op.f("ck_allocation_totals_amount")),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["allocations.allocation_id"],
            name=op.f("fk_allocation_totals_allocation_id_allocations"),
        ),
        sa.PrimaryKeyConstraint("allocation_id", "capital_type", name=op.f("pk_allocation_totals")),
        comment="an allocation's declared total by kind of capital",
    )
    op.create_table(
        "allocation_lines",
        sa.Column("allocation_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("capital_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("amount_dong", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_dong > 0", name=op.f("ck_allocation_lines_amount")),
        sa.ForeignKeyConstraint(
            ["allocation_id", "capital_type"],
            ["allocation_totals.allocation_id", "allocation_totals.capital_type"],
            name="fk_allocation_lines_capital_type",
        ),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["allocations.allocation_id"],
            name=op.f("fk_allocation_lines_allocation_id_allocations"),
        ),
        sa.PrimaryKeyConstraint("allocation_id", "line", name=op.f("pk_allocation_lines")),
        sa.UniqueConstraint(
            "allocation_id", "project", "capital_type", "source", name="uq_allocation_lines_part"
        ),
        comment="an allocation's lines; their sums are checked at commit by a deferred trigger",
    )
    audit.install(op)
    op.execute(APPEND_ONLY)
    op.execute(HISTORY_STAYS)
    op.execute(SUMS)
    for table in ALLOCATION_TABLES:
        op.execute(
            f"create trigger {table}_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function allocations_stay_as_written()"
        )
        op.execute(
            f"create constraint trigger {table}_add_up after insert on {table}"
            " deferrable initially deferred for each row execute function allocation_adds_up()"
        )
    op.execute(
        "create trigger eligibility_history_stays_as_written before update on eligibility_history"
        " for each statement execute function eligibility_history_stays_as_written()"
    )


def downgrade() -> None:
    audit.uninstall(op)
    for table in (
        "allocation_lines",
        "allocation_totals",
        "allocations",
        "eligibility_history",
        "eligibility",
        "household_states",
        "sessions",
        "outbox",
        "dead_letters",
        "checkpoints",
        "audit",
    ):
        op.drop_table(table)
    op.execute("drop sequence outbox_id_seq")
    op.execute("drop function allocation_adds_up()")
    op.execute("drop function allocations_stay_as_written()")
    op.execute("drop function eligibility_history_stays_as_written()")
