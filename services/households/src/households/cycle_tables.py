"""The tables of the review's steps: each village's state and log, its cases, time limits, results by income, holidays."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.columns import one_of, recorded_at


def cycle_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table, sa.Table]:
    """`review_villages`, `review_entries`, `review_cases` and `deadlines`. A case is a household or a member."""
    review_villages = sa.Table(
        "review_villages",
        metadata,
        sa.Column("review_id", sa.ForeignKey("reviews.id"), primary_key=True),
        sa.Column("village", sa.Text, primary_key=True),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("month", sa.SmallInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("cases", sa.Integer, nullable=False),
        sa.Column("last_on", sa.Date, nullable=False),
        sa.Column("posted_until", sa.Date),
        sa.ForeignKeyConstraint(["commune", "village"], ["villages.commune", "villages.code"]),
    )

    review_entries = sa.Table(
        "review_entries",
        metadata,
        sa.Column("review_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("village", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("on_day", sa.Date, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("paper_kind", sa.Text),
        sa.Column("paper_number", sa.Text),
        sa.Column("paper_dated", sa.Date),
        sa.Column("given", pg.JSONB, nullable=False),
        # What the rules made of it, so that the log can be read without them.
        sa.Column("step_before", sa.Text),
        sa.Column("step_after", sa.Text, nullable=False),
        sa.Column("cases", pg.ARRAY(pg.UUID(as_uuid=True)), nullable=False),
        sa.Column("facts", pg.JSONB, nullable=False),
        # The newest load of holidays known then: by it working days are counted whenever the log is read.
        sa.Column("calendar", sa.BigInteger, nullable=False),
        # Reasons are free text and deprived indicators tell of health.
        sa.Column("sealed", sa.LargeBinary),
        recorded_at(),
        sa.ForeignKeyConstraint(
            ["review_id", "village"], ["review_villages.review_id", "review_villages.village"]
        ),
        sa.CheckConstraint("number > 0", name="number_positive"),
        sa.Index("ix_review_entries_cases", "cases", postgresql_using="gin"),
    )

    review_cases = sa.Table(
        "review_cases",
        metadata,
        sa.Column("review_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("village", sa.Text, primary_key=True),
        sa.Column("case_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
        sa.Column("member_id", sa.ForeignKey("members.id")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("finding", sa.Text),
        sa.Column("sent_back", sa.Integer, nullable=False),
        sa.Column("complaints", sa.Integer, nullable=False),
        sa.Column("decision_number", sa.Text),
        sa.Column("certificate", sa.Text),
        sa.Column("certificate_on", sa.Date),
        sa.Column("certificate_revoked_on", sa.Date),
        sa.ForeignKeyConstraint(
            ["review_id", "village"], ["review_villages.review_id", "review_villages.village"]
        ),
        sa.CheckConstraint("case_id = coalesce(member_id, household_id)", name="case_is_its_subject"),
        sa.Index("ix_review_cases_household_id", "household_id"),
    )

    deadlines = sa.Table(
        "deadlines",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column("review_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("village", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("case_id", pg.UUID(as_uuid=True)),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("responsible", sa.Text, nullable=False),
        sa.Column("legal", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("done_on", sa.Date),
        sa.Column("told_on", sa.Date),
        sa.ForeignKeyConstraint(
            ["review_id", "village"], ["review_villages.review_id", "review_villages.village"]
        ),
        sa.UniqueConstraint("review_id", "village", "number"),
        sa.CheckConstraint("(state = 'MISSED') = (told_on is not null)", name="missed_is_told"),
        sa.CheckConstraint("state <> 'OPEN' or done_on is null", name="open_is_not_done"),
        one_of("state", ("OPEN", "MET", "MISSED")),
        sa.Index("ix_deadlines_open", "due_on", "id", postgresql_where=sa.text("state = 'OPEN'")),
    )
    return review_villages, review_entries, review_cases, deadlines


def recognition_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """`recognitions`: results by income, of households or of members; `holiday_years`: holidays as loaded."""
    recognitions = sa.Table(
        "recognitions",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("review_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("village", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False, index=True),
        sa.Column("member_id", sa.ForeignKey("members.id")),
        sa.Column("recognised", sa.Boolean, nullable=False),
        sa.Column("decision_number", sa.Text, nullable=False),
        sa.Column("decided_on", sa.Date, nullable=False),
        # What the result rests on is as private as a reason is.
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("legal", sa.Text, nullable=False),
        sa.Column("corrects", sa.ForeignKey("recognitions.id"), unique=True),
        recorded_at(),
        sa.ForeignKeyConstraint(
            ["review_id", "village"], ["review_villages.review_id", "review_villages.village"]
        ),
        sa.CheckConstraint(
            "(kind = 'LOW_INCOME_WORKER') = (member_id is not null)", name="worker_is_a_person"
        ),
        one_of("kind", ("AVERAGE_LIVING", "LOW_INCOME_WORKER")),
        sa.Index("ix_recognitions_commune_id", "commune", "id"),
    )
    holiday_years = sa.Table(
        "holiday_years",
        metadata,
        sa.Column("sequence", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", pg.UUID(as_uuid=True), nullable=False, unique=True),
        sa.Column("year", sa.SmallInteger, nullable=False),
        sa.Column("days", pg.JSONB, nullable=False),
        sa.Column("document_number", sa.Text, nullable=False),
        sa.Column("document_dated", sa.Date, nullable=False),
        sa.Column("document_issuer", sa.Text, nullable=False),
        sa.Column("loaded_by", sa.Text, nullable=False),
        recorded_at(),
    )
    return recognitions, holiday_years
