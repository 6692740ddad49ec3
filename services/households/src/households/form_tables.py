"""Tables of filled forms and of what administrators load for them: score tables, standards of provinces."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.columns import CLASSES, one_of, recorded_at

BASES = ("TOTALS_GIVEN", "FLAGS", "ITEMS")


def form_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Score tables and filled forms."""
    score_tables = sa.Table(
        "score_tables",
        metadata,
        sa.Column("sequence", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", pg.UUID(as_uuid=True), nullable=False, unique=True),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("form_version", sa.Text, nullable=False),
        # Head and rows as they were given: they are read and checked anew by whoever scores with them.
        sa.Column("head", pg.JSONB, nullable=False),
        sa.Column("cells", pg.JSONB, nullable=False),
        sa.Column("loaded_by", sa.Text, nullable=False),
        recorded_at(),
        one_of("form", ("FORM_A", "FORM_B1")),
        sa.Index("ix_score_tables_form", "form", "standard", "form_version", "sequence"),
    )
    filled_forms = sa.Table(
        "filled_forms",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("review_id", sa.ForeignKey("reviews.id"), nullable=False),
        sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False, index=True),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("village", sa.Text, nullable=False),
        sa.Column("filled_on", sa.Date, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("score_table", sa.ForeignKey("score_tables.id")),
        sa.Column("b1_points", sa.Integer),
        sa.Column("b2_points", sa.Integer),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("to_review", sa.Boolean),
        # Answers, and what each of them came to: they tell of illness, of children's health, of income.
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("filled_by", sa.Text, nullable=False),
        recorded_at(),
        one_of("form", ("FORM_A", "FORM_B")),
        one_of("basis", BASES),
        sa.CheckConstraint("(form = 'FORM_A') = (to_review is not null)", name="screening_has_answer"),
        sa.CheckConstraint("(form = 'FORM_B') = (b2_points is not null)", name="form_b_has_points"),
        sa.CheckConstraint("members > 0", name="members_positive"),
        sa.Index("ix_filled_forms_review", "review_id", "household_id"),
    )
    return score_tables, filled_forms


def local_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """Standards of provinces, what each decision comes to by them, and the result in force of each household."""
    local_standards = sa.Table(
        "local_standards",
        metadata,
        sa.Column("sequence", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", pg.UUID(as_uuid=True), nullable=False, unique=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("province", sa.Text, nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("loaded_by", sa.Text, nullable=False),
        recorded_at(),
        sa.Index("ix_local_standards_province", "province", "sequence"),
    )
    local_results = sa.Table(
        "local_results",
        metadata,
        # The decision that it stands beside, by its sequence.
        sa.Column("decision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("local_standard", sa.ForeignKey("local_standards.id"), primary_key=True),
        sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("class", sa.Text),
        sa.Column("b2_points", sa.Integer),
        # Why there is a class, or by which rule there is none.
        sa.Column("why", pg.JSONB, nullable=False),
        recorded_at(),
        one_of("class", CLASSES),
        sa.Index("ix_local_results_household", "household_id", "decision"),
    )
    local_classes = sa.Table(
        "local_classes",
        metadata,
        sa.Column("household_id", sa.ForeignKey("households.id"), primary_key=True),
        sa.Column("province", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("class", sa.Text),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("decision", sa.BigInteger, nullable=False),
        one_of("class", CLASSES),
        sa.Index("ix_local_classes_class", "province", "class", "household_id"),
        comment="the newest standing local result of each household; what it follows from is local_results",
    )
    return local_standards, local_results, local_classes
