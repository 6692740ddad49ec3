"""The steps of reviews: each village's state and log, its households' states, and the time limits that run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

VILLAGE = ["review_id", "village"]
OF_VILLAGE = ["review_villages.review_id", "review_villages.village"]


def upgrade() -> None:
    op.add_column(
        "reviews", sa.Column("by_cycle", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "review_villages",
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("month", sa.SmallInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("posted_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_review_villages_review_id_reviews")
        ),
        sa.ForeignKeyConstraint(
            ["commune", "village"],
            ["villages.commune", "villages.code"],
            name=op.f("fk_review_villages_commune_village_villages"),
        ),
        sa.PrimaryKeyConstraint("review_id", "village", name=op.f("pk_review_villages")),
    )
    op.create_table(
        "review_entries",
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("paper_kind", sa.Text(), nullable=True),
        sa.Column("paper_number", sa.Text(), nullable=True),
        sa.Column("paper_dated", sa.Date(), nullable=True),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_review_entries_number_positive")),
        sa.ForeignKeyConstraint(
            VILLAGE, OF_VILLAGE, name=op.f("fk_review_entries_review_id_village_review_villages")
        ),
        sa.PrimaryKeyConstraint("review_id", "village", "number", name=op.f("pk_review_entries")),
    )
    op.create_table(
        "review_cases",
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("sent_back", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certificate_on", sa.Date(), nullable=True),
        sa.Column("certificate_revoked_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_review_cases_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            VILLAGE, OF_VILLAGE, name=op.f("fk_review_cases_review_id_village_review_villages")
        ),
        sa.PrimaryKeyConstraint("review_id", "village", "household_id", name=op.f("pk_review_cases")),
    )
    op.create_index("ix_review_cases_household_id", "review_cases", ["household_id"], unique=False)
    op.create_table(
        "deadlines",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("responsible", sa.Text(), nullable=False),
        sa.Column("legal", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.CheckConstraint("state in ('OPEN', 'MET', 'MISSED')", name=op.f("ck_deadlines_state_known")),
        sa.CheckConstraint(
            "(state = 'MISSED') = (told_on is not null)", name=op.f("ck_deadlines_missed_is_told")
        ),
        sa.CheckConstraint("state <> 'OPEN' or done_on is null", name=op.f("ck_deadlines_open_is_not_done")),
        sa.ForeignKeyConstraint(
            VILLAGE, OF_VILLAGE, name=op.f("fk_deadlines_review_id_village_review_villages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
        sa.UniqueConstraint(
            "review_id", "village", "number", name=op.f("uq_deadlines_review_id_village_number")
        ),
    )
    op.create_index(
        "ix_deadlines_open",
        "deadlines",
        ["due_on", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.execute(
        "create trigger facts_stay_as_written before update or delete or truncate on review_entries"
        " for each statement execute function facts_stay_as_written()"
    )


def downgrade() -> None:
    for table in ("deadlines", "review_cases", "review_entries", "review_villages"):
        op.drop_table(table)
    op.drop_column("reviews", "by_cycle")
