"""The tables of privacy: data keys, how long data are kept by which document, and requests to erase."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.columns import MOMENT, one_of, recorded_at

SUBJECTS = ("HOUSEHOLD", "MEMBER", "IMPORT")


def privacy_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """`data_keys`, `retention_periods` and `erasure_requests`."""
    data_keys = sa.Table(
        "data_keys",
        metadata,
        # Its name alone, which every value it sealed begins with; the key itself is in no database.
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("used_since", MOMENT, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("retired_at", MOMENT),
    )
    retention_periods = sa.Table(
        "retention_periods",
        metadata,
        sa.Column("sequence", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", pg.UUID(as_uuid=True), nullable=False, unique=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("months", sa.SmallInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("document_number", sa.Text, nullable=False),
        sa.Column("document_dated", sa.Date, nullable=False),
        sa.Column("document_issuer", sa.Text, nullable=False),
        sa.Column("loaded_by", sa.Text, nullable=False),
        recorded_at(),
        one_of("subject", SUBJECTS),
        sa.CheckConstraint("months between 0 and 1200", name="months_plausible"),
    )
    erasure_requests = sa.Table(
        "erasure_requests",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("household_id", sa.ForeignKey("households.id"), index=True),
        sa.Column("member_id", sa.ForeignKey("members.id")),
        sa.Column("import_id", sa.ForeignKey("imports.id")),
        sa.Column("received_on", sa.Date, nullable=False),
        sa.Column("paper_number", sa.Text, nullable=False),
        sa.Column("paper_dated", sa.Date, nullable=False),
        # What was asked, in words: it may name anybody.
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("recorded_by", sa.Text, nullable=False),
        recorded_at(),
        sa.Column("state", sa.Text, nullable=False, server_default="ASKED"),
        sa.Column("ground", sa.Text),
        sa.Column("decided_on", sa.Date),
        sa.Column("decided_by", sa.Text),
        sa.Column("decision_number", sa.Text),
        sa.Column("period", sa.ForeignKey("retention_periods.sequence")),
        one_of("cause", ("SUBJECT_REQUEST", "RETENTION")),
        one_of("subject", SUBJECTS),
        one_of("state", ("ASKED", "ERASED", "REFUSED")),
        sa.CheckConstraint(
            "case subject when 'IMPORT' then import_id is not null and household_id is null and member_id is null"
            " when 'MEMBER' then import_id is null and household_id is not null and member_id is not null"
            " else import_id is null and household_id is not null and member_id is null end",
            name="subject_whole",
        ),
        sa.CheckConstraint(
            "(state = 'ASKED') = (decided_on is null) and (decided_on is null) = (decided_by is null)"
            " and (decided_on is null) = (decision_number is null)",
            name="decided_whole",
        ),
        sa.CheckConstraint("(state = 'REFUSED') = (ground is not null)", name="refused_says_why"),
        sa.CheckConstraint("(state = 'ERASED') = (period is not null)", name="erased_by_a_period"),
        sa.Index("ix_erasure_requests_commune_id", "commune", "id"),
        sa.Index(
            "uq_erasure_requests_open",
            "subject",
            "household_id",
            "member_id",
            "import_id",
            unique=True,
            postgresql_where=sa.text("state = 'ASKED'"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    return data_keys, retention_periods, erasure_requests
