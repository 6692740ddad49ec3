"""Facts told late or again: which telling each replaces, and whether it still counts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KINDS = "kind in ('CLASSIFIED', 'LEFT', 'ARRIVED', 'CLOSED'{})"


def upgrade() -> None:
    """Every fact known so far counts: nothing could be replaced before."""
    op.add_column("household_facts", sa.Column("replaces", sa.BigInteger(), nullable=True))
    op.add_column(
        "household_facts",
        sa.Column("counts", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.create_index(
        op.f("ix_household_facts_replaces"),
        "household_facts",
        ["replaces"],
        postgresql_where=sa.text("replaces is not null"),
    )
    op.create_index(
        op.f("ix_household_facts_household_id_year"),
        "household_facts",
        ["household_id", "year"],
        postgresql_where=sa.text("stage = 'PRELIMINARY'"),
    )
    op.drop_constraint(op.f("ck_household_facts_kind"), "household_facts", type_="check")
    op.create_check_constraint(
        op.f("ck_household_facts_kind"), "household_facts", KINDS.format(", 'RESIZED', 'ANNULLED'")
    )
    op.add_column("preliminary_results", sa.Column("valid_from", sa.Date(), nullable=True))
    op.execute(
        "update preliminary_results p set valid_from = coalesce("
        "(select f.valid_from from household_facts f where f.sequence = p.sequence), p.decided_on)"
    )
    op.alter_column("preliminary_results", "valid_from", nullable=False)


def downgrade() -> None:
    """Forget it; what was replaced must be read from the stream again."""
    op.drop_column("preliminary_results", "valid_from")
    op.execute("delete from household_facts where kind in ('RESIZED', 'ANNULLED')")
    op.drop_constraint(op.f("ck_household_facts_kind"), "household_facts", type_="check")
    op.create_check_constraint(op.f("ck_household_facts_kind"), "household_facts", KINDS.format(""))
    op.drop_index(op.f("ix_household_facts_household_id_year"), table_name="household_facts")
    op.drop_index(op.f("ix_household_facts_replaces"), table_name="household_facts")
    op.drop_column("household_facts", "counts")
    op.drop_column("household_facts", "replaces")
