"""Imports with their answered rows, and the facts that are written once: decisions and changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


APPEND_ONLY = ("decisions", "changes", "populations")
STAYS = """
create function facts_stay_as_written() returns trigger language plpgsql as $$
begin
  raise exception 'a fact is never changed or removed: correct it by a new one'
    using errcode = 'insufficient_privilege';
end $$
"""


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("applied", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("warnings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("missing_from_file", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('ANSWERED', 'APPLYING', 'DONE', 'FAILED')", name=op.f("ck_imports_state_known")
        ),
        sa.CheckConstraint("applied + refused <= total", name=op.f("ck_imports_counts_within_total")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_imports_review_id_reviews")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(
        "ix_imports_waiting",
        "imports",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state in ('ANSWERED', 'APPLYING')"),
    )
    op.create_index(
        "uq_imports_file",
        "imports",
        ["review_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("not dry_run and state <> 'FAILED'"),
    )
    op.create_table(
        "changes",
        sa.Column("change_id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("other_commune", sa.Text(), nullable=True),
        sa.Column("previous_class", sa.Text(), nullable=True),
        sa.Column("previous_standard", sa.Text(), nullable=True),
        sa.Column("previous_members", sa.Integer(), nullable=False),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("movement", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_changes_class_known"),
        ),
        sa.CheckConstraint("kind in ('LEFT', 'ARRIVED', 'CLOSED')", name=op.f("ck_changes_kind_known")),
        sa.CheckConstraint(
            "movement in ('ESCAPED_TO_NEAR_POOR', 'ESCAPED_ABOVE_NEAR_POOR', 'NEAR_POOR_TO_POOR', 'RELAPSE_POOR', 'NEW_POOR', 'OTHER_DECREASE_POOR', 'OTHER_INCREASE_POOR', 'ESCAPED_NEAR_POOR', 'RELAPSE_NEAR_POOR', 'NEW_NEAR_POOR', 'OTHER_DECREASE_NEAR_POOR', 'OTHER_INCREASE_NEAR_POOR')",
            name=op.f("ck_changes_movement_known"),
        ),
        sa.CheckConstraint(
            "previous_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_changes_previous_class_known"),
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_changes_household_id_households")
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_changes")),
        sa.UniqueConstraint("sequence", name=op.f("uq_changes_sequence")),
    )
    op.create_index("ix_changes_household_sequence", "changes", ["household_id", "sequence"], unique=False)
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("raw", postgresql.JSONB(), nullable=False),
        sa.Column("head_name", sa.LargeBinary(), nullable=True),
        sa.Column("head_key", sa.LargeBinary(), nullable=True),
        sa.Column("indigenous_ethnicity", sa.LargeBinary(), nullable=True),
        sa.Column("reviewer", sa.LargeBinary(), nullable=True),
        sa.Column("flags", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("household_id", sa.UUID(), nullable=True),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("applied_sequence", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'APPLIED') = (applied_sequence is not null)", name=op.f("ck_import_rows_applied_once")
        ),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_import_rows_class_known"),
        ),
        sa.CheckConstraint(
            "state in ('ACCEPTED', 'REFUSED', 'APPLIED')", name=op.f("ck_import_rows_state_known")
        ),
        sa.CheckConstraint("row_no > 0", name=op.f("ck_import_rows_row_no_positive")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_rows_import_id_imports")),
        sa.PrimaryKeyConstraint("import_id", "row_no", name=op.f("pk_import_rows")),
    )
    op.create_index(
        "ix_import_rows_waiting",
        "import_rows",
        ["import_id", "household_id"],
        unique=False,
        postgresql_where=sa.text("state = 'ACCEPTED'"),
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("previous_class", sa.Text(), nullable=True),
        sa.Column("previous_standard", sa.Text(), nullable=True),
        sa.Column("previous_members", sa.Integer(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("movement", sa.Text(), nullable=True),
        sa.Column("b1_points", sa.Integer(), nullable=False),
        sa.Column("b2_points", sa.Integer(), nullable=False),
        sa.Column("flags", sa.LargeBinary(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("declared_class", sa.Text(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("reviewer", sa.LargeBinary(), nullable=True),
        sa.Column("import_id", sa.UUID(), nullable=True),
        sa.Column("import_row", sa.Integer(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("basis in ('TOTALS_GIVEN', 'FLAGS')", name=op.f("ck_decisions_basis_known")),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_decisions_class_known"),
        ),
        sa.CheckConstraint(
            "declared_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_decisions_declared_class_known"),
        ),
        sa.CheckConstraint("kind in ('ANNUAL', 'REGULAR')", name=op.f("ck_decisions_kind_known")),
        sa.CheckConstraint(
            "movement in ('ESCAPED_TO_NEAR_POOR', 'ESCAPED_ABOVE_NEAR_POOR', 'NEAR_POOR_TO_POOR', 'RELAPSE_POOR', 'NEW_POOR', 'OTHER_DECREASE_POOR', 'OTHER_INCREASE_POOR', 'ESCAPED_NEAR_POOR', 'RELAPSE_NEAR_POOR', 'NEW_NEAR_POOR', 'OTHER_DECREASE_NEAR_POOR', 'OTHER_INCREASE_NEAR_POOR')",
            name=op.f("ck_decisions_movement_known"),
        ),
        sa.CheckConstraint(
            "previous_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_decisions_previous_class_known"),
        ),
        sa.CheckConstraint("stage in ('PRELIMINARY', 'OFFICIAL')", name=op.f("ck_decisions_stage_known")),
        sa.CheckConstraint("members > 0", name=op.f("ck_decisions_members_positive")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_decisions_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "import_row"],
            ["import_rows.import_id", "import_rows.row_no"],
            name=op.f("fk_decisions_import_id_import_row_import_rows"),
        ),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_decisions_review_id_reviews")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("import_id", "import_row", name=op.f("uq_decisions_import_id_import_row")),
        sa.UniqueConstraint("sequence", name=op.f("uq_decisions_sequence")),
    )
    op.create_index(
        "ix_decisions_household_sequence", "decisions", ["household_id", "sequence"], unique=False
    )
    op.create_index(
        "ix_decisions_review", "decisions", ["review_id", "household_id", "sequence"], unique=False
    )
    op.execute(STAYS)
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )


def downgrade() -> None:
    op.execute("drop trigger facts_stay_as_written on populations")
    for table in (
        "decisions",
        "import_rows",
        "changes",
        "imports",
    ):
        op.drop_table(table)
    op.execute("drop function facts_stay_as_written()")
