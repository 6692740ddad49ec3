"""The tables of files that are sent in, row by row, and of notices that are posted."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.columns import CLASSES, MOMENT, one_of, recorded_at

# Rows of a file of which it is not known whom they mean, until somebody says so.
UNMATCHED = (
    "state = 'REFUSED' and matched_by in ('AMBIGUOUS', 'REFUSED') and resolution is distinct from 'SKIP'"
)


def import_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """`imports` and `import_rows`."""
    imports = sa.Table(
        "imports",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column("kind", sa.Text, nullable=False, server_default="RESULTS"),
        sa.Column("review_id", sa.ForeignKey("reviews.id")),
        # The day from which a list of households or members holds.
        sa.Column("holds_from", sa.Date),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("uploaded_by", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("answered", sa.Integer, nullable=False, server_default="0"),
        sa.Column("applied", sa.Integer, nullable=False, server_default="0"),
        sa.Column("refused", sa.Integer, nullable=False, server_default="0"),
        sa.Column("warnings", sa.Integer, nullable=False, server_default="0"),
        sa.Column("missing_from_file", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failure", sa.Text),
        recorded_at(),
        sa.Column("finished_at", MOMENT),
        sa.Column("erased_on", sa.Date),
        one_of("kind", ("RESULTS", "FORM_B", "HOUSEHOLDS", "MEMBERS")),
        one_of("state", ("ANSWERED", "APPLYING", "DONE", "FAILED")),
        sa.CheckConstraint("applied + refused <= total", name="counts_within_total"),
        sa.CheckConstraint(
            "(kind in ('RESULTS', 'FORM_B')) = (review_id is not null)"
            " and (review_id is null) = (holds_from is not null)",
            name="review_or_day",
        ),
        sa.Index(
            "uq_imports_file",
            "review_id",
            "sha256",
            unique=True,
            postgresql_where=sa.text("not dry_run and state <> 'FAILED'"),
        ),
        sa.Index(
            "uq_imports_list",
            "commune",
            "kind",
            "sha256",
            unique=True,
            postgresql_where=sa.text("review_id is null and not dry_run and state <> 'FAILED'"),
        ),
        sa.Index("ix_imports_commune", "commune", "id"),
        sa.Index("ix_imports_waiting", "id", postgresql_where=sa.text("state in ('ANSWERED', 'APPLYING')")),
    )

    import_rows = sa.Table(
        "import_rows",
        metadata,
        sa.Column("import_id", sa.ForeignKey("imports.id"), primary_key=True),
        sa.Column("row_no", sa.Integer, primary_key=True),
        sa.Column("raw", pg.JSONB, nullable=False),
        sa.Column("head_name", sa.LargeBinary),
        sa.Column("head_key", sa.LargeBinary),
        sa.Column("indigenous_ethnicity", sa.LargeBinary),
        sa.Column("reviewer", sa.LargeBinary),
        sa.Column("flags", sa.LargeBinary),
        sa.Column("combination_key", sa.LargeBinary),
        sa.Column("causes", sa.LargeBinary),
        sa.Column("cause_key", sa.LargeBinary),
        sa.Column("cause_text", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("matched_by", sa.Text),
        sa.Column("household_id", pg.UUID(as_uuid=True)),
        sa.Column("class", sa.Text),
        # What was answered quotes cells of the file, and a cell may hold anything: sealed; null = nothing to say.
        sa.Column("answers", sa.LargeBinary),
        # The row as it was read, sealed: what is needed to answer it again, and the raw answers of form B.
        sa.Column("given", sa.LargeBinary),
        # The rows that stand or fall together: of one household in a file of members.
        sa.Column("group_no", sa.Integer),
        sa.Column("member_id", pg.UUID(as_uuid=True)),
        # What an officer said of a row that could not be matched, and who said so.
        sa.Column("resolution", sa.Text),
        sa.Column("resolved_by", sa.Text),
        sa.Column("resolved_at", MOMENT),
        # The event that told of it, where it made one.
        sa.Column("applied_sequence", sa.BigInteger),
        sa.CheckConstraint("row_no > 0", name="row_no_positive"),
        sa.CheckConstraint("applied_sequence is null or state = 'APPLIED'", name="told_when_applied"),
        sa.CheckConstraint(
            "(resolution is null) = (resolved_by is null) and (resolution is null) = (resolved_at is null)",
            name="resolved_whole",
        ),
        one_of("resolution", ("HOUSEHOLD", "MEMBER", "NEW", "SKIP")),
        one_of("state", ("ACCEPTED", "REFUSED", "APPLIED")),
        one_of("class", CLASSES),
        sa.Index(
            "ix_import_rows_waiting",
            "import_id",
            "household_id",
            postgresql_where=sa.text("state = 'ACCEPTED'"),
        ),
        sa.Index(
            "ix_import_rows_unmatched",
            "import_id",
            "row_no",
            postgresql_where=sa.text(UNMATCHED),
        ),
    )
    return imports, import_rows


def notice_table(metadata: sa.MetaData) -> sa.Table:
    """`notices`."""
    # What a commune posts for everybody to read, and until when: made by the line `entry` of the village's log, the
    # newest one in the place of those before it. `listed` names households, what was found, and until when each
    # hangs; their heads' names are read when the notice is printed, and are not printed once its days are over.
    return sa.Table(
        "notices",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column("review_id", sa.ForeignKey("reviews.id"), nullable=False),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("village", sa.Text, nullable=False),
        sa.Column("entry", sa.Integer),
        sa.Column("number", sa.Text),
        sa.Column("posted_on", sa.Date, nullable=False),
        sa.Column("posted_until", sa.Date, nullable=False),
        sa.Column("working_days", sa.SmallInteger, nullable=False),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("listed", pg.JSONB, nullable=False),
        sa.Column("posted_by", sa.Text, nullable=False),
        recorded_at(),
        sa.ForeignKeyConstraint(["commune", "village"], ["villages.commune", "villages.code"]),
        sa.UniqueConstraint("review_id", "village", "entry"),
        sa.CheckConstraint("posted_until > posted_on", name="posted_for_days"),
    )
