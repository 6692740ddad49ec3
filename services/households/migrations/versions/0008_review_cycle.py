"""The steps of reviews: each village's state and log, its cases, the time limits, results by income, holidays."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

VILLAGE = ["review_id", "village"]
KINDS = "kind in ({})"
POVERTY, ALL = ("'ANNUAL', 'REGULAR'", "'ANNUAL', 'REGULAR', 'AVERAGE_LIVING', 'LOW_INCOME_WORKER'")
OF_VILLAGE = ["review_villages.review_id", "review_villages.village"]


def upgrade() -> None:
    op.add_column(
        "reviews", sa.Column("by_cycle", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.drop_constraint(op.f("ck_reviews_kind_known"), "reviews", type_="check")
    op.create_check_constraint(op.f("ck_reviews_kind_known"), "reviews", KINDS.format(ALL))
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
        sa.Column("step_before", sa.Text(), nullable=True),
        sa.Column("step_after", sa.Text(), nullable=False),
        sa.Column("cases", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("calendar", sa.BigInteger(), nullable=False),
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
    op.create_index("ix_review_entries_cases", "review_entries", ["cases"], postgresql_using="gin")
    op.create_table(
        "review_cases",
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("sent_back", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certificate_on", sa.Date(), nullable=True),
        sa.Column("certificate_revoked_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "case_id = coalesce(member_id, household_id)", name=op.f("ck_review_cases_case_is_its_subject")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_review_cases_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_review_cases_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            VILLAGE, OF_VILLAGE, name=op.f("fk_review_cases_review_id_village_review_villages")
        ),
        sa.PrimaryKeyConstraint("review_id", "village", "case_id", name=op.f("pk_review_cases")),
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
        sa.Column("case_id", sa.UUID(), nullable=True),
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
    _results_by_income()
    _holidays()
    for table in ("review_entries", "recognitions", "holiday_years"):
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )


def _results_by_income() -> None:
    op.create_table(
        "recognitions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("recognised", sa.Boolean(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("legal", sa.Text(), nullable=False),
        sa.Column("corrects", sa.UUID(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(kind = 'LOW_INCOME_WORKER') = (member_id is not null)",
            name=op.f("ck_recognitions_worker_is_a_person"),
        ),
        sa.CheckConstraint(
            "kind in ('AVERAGE_LIVING', 'LOW_INCOME_WORKER')", name=op.f("ck_recognitions_kind_known")
        ),
        sa.ForeignKeyConstraint(
            VILLAGE, OF_VILLAGE, name=op.f("fk_recognitions_review_id_village_review_villages")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_recognitions_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_recognitions_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["corrects"], ["recognitions.id"], name=op.f("fk_recognitions_corrects_recognitions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recognitions")),
        sa.UniqueConstraint("corrects", name=op.f("uq_recognitions_corrects")),
    )
    op.create_index("ix_recognitions_commune_id", "recognitions", ["commune", "id"])
    op.create_index(op.f("ix_recognitions_household_id"), "recognitions", ["household_id"])


def _holidays() -> None:
    op.create_table(
        "holiday_years",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("days", postgresql.JSONB(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("document_dated", sa.Date(), nullable=False),
        sa.Column("document_issuer", sa.Text(), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_holiday_years")),
        sa.UniqueConstraint("id", name=op.f("uq_holiday_years_id")),
    )


def downgrade() -> None:
    for table in ("holiday_years", "recognitions"):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_reviews_kind_known"), "reviews", type_="check")
    op.create_check_constraint(op.f("ck_reviews_kind_known"), "reviews", KINDS.format(POVERTY))
    for table in ("deadlines", "review_cases", "review_entries", "review_villages"):
        op.drop_table(table)
    op.drop_column("reviews", "by_cycle")
