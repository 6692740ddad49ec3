"""Combinations of deprived indicators, each kept once, and simulations of rule sets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

PARTS = ("simulation_counts", "simulation_indicators", "simulation_changes")
CLASSES = "('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')"

# A decision says which combination its flags are; for what was decided before, this is found out once, later.
DECISIONS_STAY = """
create function decisions_stay_as_written() returns trigger language plpgsql as $$
begin
  if old.combination_id is null and new.combination_id is not null
     and to_jsonb(new) - 'combination_id' = to_jsonb(old) - 'combination_id' then
    return new;
  end if;
  raise exception 'a fact is never changed or removed: correct it by a new one'
    using errcode = 'insufficient_privilege';
end $$
"""
SIMULATIONS_STAY = """
create function simulations_stay_as_completed() returns trigger language plpgsql as $$
begin
  if old.state in ('DONE', 'FAILED') then
    raise exception 'a simulation that is done is never changed' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$
"""
PARTS_STAY = """
create function simulation_takes_no_more() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct simulation_id from added) a
             left join simulations s on s.id = a.simulation_id where s.state is distinct from 'RUNNING') then
    raise exception 'results are kept for a running simulation only' using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "combinations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("flags", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_combinations")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_combinations_fingerprint")),
        comment="each combination of deprived indicators that ever occurred: rules are evaluated once for each",
    )
    op.add_column("import_rows", sa.Column("combination_key", sa.LargeBinary(), nullable=True))
    op.add_column("decisions", sa.Column("combination_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_decisions_combination_id_combinations"),
        "decisions",
        "combinations",
        ["combination_id"],
        ["id"],
    )
    op.create_index(
        "ix_decisions_uncombined",
        "decisions",
        ["decision_id"],
        postgresql_where=sa.text("flags is not null and combination_id is null"),
    )
    op.execute(DECISIONS_STAY)
    op.execute("drop trigger facts_stay_as_written on decisions")
    op.execute(
        "create trigger facts_stay_as_written before delete or truncate on decisions"
        " for each statement execute function facts_stay_as_written()"
    )
    op.execute(
        "create trigger decisions_stay_as_written before update on decisions"
        " for each row execute function decisions_stay_as_written()"
    )
    _simulations()
    _parts()
    _triggers()


def _simulations() -> None:
    op.create_table(
        "simulations",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("communes", pg.ARRAY(sa.Text()), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("rules", pg.JSONB(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default="WAITING", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('WAITING', 'RUNNING', 'DONE', 'FAILED')", name=op.f("ck_simulations_state_known")
        ),
        sa.CheckConstraint(
            "(state in ('DONE', 'FAILED')) = (finished_at is not null)",
            name=op.f("ck_simulations_finished_has_moment"),
        ),
        sa.CheckConstraint(
            "(state = 'FAILED') = (failure is not null)", name=op.f("ck_simulations_failed_says_why")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulations")),
    )
    op.create_index(
        "ix_simulations_waiting",
        "simulations",
        ["id"],
        postgresql_where=sa.text("state in ('WAITING', 'RUNNING')"),
    )


def _parts() -> None:
    op.create_table(
        "simulation_counts",
        sa.Column("simulation_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("area_type", sa.Text(), nullable=True),
        sa.Column("class_before", sa.Text(), nullable=True),
        sa.Column("class_after", sa.Text(), nullable=True),
        sa.Column("undecided", sa.Text(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.Column("with_indicators", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(class_after is null) <> (undecided is null)", name=op.f("ck_simulation_counts_decided_or_not")
        ),
        sa.CheckConstraint("households > 0", name=op.f("ck_simulation_counts_households_positive")),
        *_known("simulation_counts", "area_type", "('URBAN', 'RURAL')"),
        *_known("simulation_counts", "class_before", CLASSES),
        *_known("simulation_counts", "class_after", CLASSES),
        *_known("simulation_counts", "undecided", "('NO_DECISION', 'OTHER_STANDARD', 'TOTALS_GIVEN')"),
        sa.ForeignKeyConstraint(
            ["simulation_id"],
            ["simulations.id"],
            name=op.f("fk_simulation_counts_simulation_id_simulations"),
        ),
    )
    op.create_index(
        "uq_simulation_counts",
        "simulation_counts",
        ["simulation_id", "commune", "area_type", "class_before", "class_after", "undecided"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "simulation_indicators",
        sa.Column("simulation_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("class_before", sa.Text(), nullable=False),
        sa.Column("class_after", sa.Text(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.CheckConstraint("households > 0", name=op.f("ck_simulation_indicators_households_positive")),
        *_known("simulation_indicators", "class_before", CLASSES),
        *_known("simulation_indicators", "class_after", CLASSES),
        sa.ForeignKeyConstraint(
            ["simulation_id"],
            ["simulations.id"],
            name=op.f("fk_simulation_indicators_simulation_id_simulations"),
        ),
        sa.PrimaryKeyConstraint(
            "simulation_id",
            "commune",
            "indicator",
            "class_before",
            "class_after",
            name=op.f("pk_simulation_indicators"),
        ),
    )
    op.create_table(
        "simulation_changes",
        sa.Column("simulation_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("area_type", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("class_before", sa.Text(), nullable=False),
        sa.Column("class_after", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        *_known("simulation_changes", "area_type", "('URBAN', 'RURAL')"),
        *_known("simulation_changes", "class_before", CLASSES),
        *_known("simulation_changes", "class_after", CLASSES),
        *_known("simulation_changes", "change", "('ENTERS', 'LEAVES', 'BETWEEN_LISTS')"),
        sa.PrimaryKeyConstraint(
            "simulation_id", "commune", "household_id", name=op.f("pk_simulation_changes")
        ),
    )


def _known(table: str, column: str, values: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"{column} in {values}", name=op.f(f"ck_{table}_{column}_known"))]


def _triggers() -> None:
    op.execute(SIMULATIONS_STAY)
    op.execute(PARTS_STAY)
    op.execute(
        "create trigger simulations_stay_as_completed before update on simulations"
        " for each row execute function simulations_stay_as_completed()"
    )
    op.execute(
        "create trigger facts_stay_as_written before delete or truncate on simulations"
        " for each statement execute function facts_stay_as_written()"
    )
    for table in PARTS:
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )
        op.execute(
            f"create trigger simulation_takes_no_more after insert on {table} referencing new table as added"
            " for each statement execute function simulation_takes_no_more()"
        )


def downgrade() -> None:
    for table in (*PARTS, "simulations"):
        op.execute(f"drop trigger facts_stay_as_written on {table}")
        op.drop_table(table)
    op.execute("drop function simulation_takes_no_more()")
    op.execute("drop function simulations_stay_as_completed()")
    op.execute("drop trigger decisions_stay_as_written on decisions")
    op.execute("drop function decisions_stay_as_written()")
    op.execute("drop trigger facts_stay_as_written on decisions")
    op.execute(
        "create trigger facts_stay_as_written before update or delete or truncate on decisions"
        " for each statement execute function facts_stay_as_written()"
    )
    op.drop_index("ix_decisions_uncombined", "decisions")
    op.drop_column("decisions", "combination_id")
    op.drop_column("import_rows", "combination_key")
    op.drop_table("combinations")
