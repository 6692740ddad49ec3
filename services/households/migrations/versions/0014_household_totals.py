"""How many households areas have: a number or a range, without the persons."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No total was recorded so; populations stay what they are."""
    op.execute(
        """create table household_totals (
            id uuid not null,
            sequence bigint not null,
            province text,
            area text not null,
            level text not null,
            least integer not null,
            most integer not null,
            as_of date not null,
            source text not null,
            recorded_at timestamptz default clock_timestamp() not null,
            constraint pk_household_totals primary key (id),
            constraint uq_household_totals_sequence unique (sequence),
            constraint ck_household_totals_a_range check (least >= 0 and most >= least),
            constraint ck_household_totals_level_known check (level in ('PROVINCE', 'DISTRICT', 'COMMUNE')))"""
    )
    op.execute("create index ix_household_totals_area_as_of on household_totals (area, as_of)")
    op.execute(
        "create trigger facts_stay_as_written before update or delete or truncate on household_totals"
        " for each statement execute function facts_stay_as_written()"
    )


def downgrade() -> None:
    """Forget the totals."""
    op.execute("drop table household_totals")
