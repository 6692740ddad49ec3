"""Causes of poverty beside decisions: each combination of them is kept once, sealed."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# What of a decision is sealed or free text: see 0011.
SEALS_BEFORE = "'flags', 'reviewer', 'inputs'"
SEALS = f"{SEALS_BEFORE}, 'cause_text'"

IN_FORCE_BEFORE = (
    "the combination of each household''s official decision in force; what it follows from is tellings"
)
IN_FORCE = (
    "the combinations of indicators and of causes of each household''s official decision in force;"
    " what they follow from is tellings"
)


def _stay_as_written(columns: str) -> None:
    op.execute("drop trigger decisions_stay_as_written on decisions")
    op.execute(
        "create trigger decisions_stay_as_written before update on decisions"
        f" for each row execute function decisions_stay_as_written({columns})"
    )


def upgrade() -> None:
    """Of what was decided before, no causes were recorded."""
    op.execute(
        """create table cause_sets (
            id bigint generated always as identity,
            fingerprint bytea not null,
            causes bytea not null,
            constraint pk_cause_sets primary key (id),
            constraint uq_cause_sets_fingerprint unique (fingerprint))"""
    )
    op.execute("comment on table cause_sets is 'each combination of causes of poverty that ever occurred'")
    op.execute("alter table decisions add column cause_set_id bigint, add column cause_text bytea")
    op.execute(
        "alter table decisions add constraint fk_decisions_cause_set_id_cause_sets"
        " foreign key (cause_set_id) references cause_sets (id)"
    )
    op.execute(
        "alter table decisions add constraint ck_decisions_text_with_causes"
        " check (cause_text is null or cause_set_id is not null)"
    )
    op.execute(
        "create index ix_decisions_cause_set_id on decisions (cause_set_id) where cause_set_id is not null"
    )
    op.execute(
        "alter table import_rows add column causes bytea, add column cause_key bytea,"
        " add column cause_text bytea"
    )
    # Of every household in force: a list by cause then is read in its own order, as one by indicator is (0013).
    op.execute("alter table household_combinations add column cause_set_id bigint")
    op.execute(
        "create index ix_household_combinations_causes on household_combinations (commune, household_id)"
        " include (cause_set_id, combination_id) where cause_set_id is not null"
    )
    # A rare cause is met by its few sets instead, once PostgreSQL knows how often each of them occurs.
    op.execute(
        "create index ix_household_combinations_cause_set on household_combinations (cause_set_id)"
        " where cause_set_id is not null"
    )
    op.execute("alter table household_combinations alter cause_set_id set statistics 1000")
    op.execute(f"comment on table household_combinations is '{IN_FORCE}'")
    _stay_as_written(SEALS)


def downgrade() -> None:
    """Forget the causes."""
    _stay_as_written(SEALS_BEFORE)
    op.execute(f"comment on table household_combinations is '{IN_FORCE_BEFORE}'")
    op.execute("alter table household_combinations drop column cause_set_id")
    op.execute("alter table import_rows drop column causes, drop column cause_key, drop column cause_text")
    op.execute("alter table decisions drop column cause_set_id, drop column cause_text")
    op.execute("drop table cause_sets")
