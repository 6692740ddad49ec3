"""The tables of the register: the only place that names columns.

Personal data stands in sealed columns (`bytea`): the head's name, the reviewer's name, what is known of
the head's ethnicity, the list of deprived indicators. A sealed name has a fingerprint beside it, by which it can be found and compared.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung import db, kit
from households.member_tables import member_tables

metadata = db.metadata()
kit.tables(metadata)

CLASSES = ("POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR")
MOVEMENTS = (
    "ESCAPED_TO_NEAR_POOR",
    "ESCAPED_ABOVE_NEAR_POOR",
    "NEAR_POOR_TO_POOR",
    "RELAPSE_POOR",
    "NEW_POOR",
    "OTHER_DECREASE_POOR",
    "OTHER_INCREASE_POOR",
    "ESCAPED_NEAR_POOR",
    "RELAPSE_NEAR_POOR",
    "NEW_NEAR_POOR",
    "OTHER_DECREASE_NEAR_POOR",
    "OTHER_INCREASE_NEAR_POOR",
)

_moment = sa.DateTime(timezone=True)


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """`column` holds one of `values`, or null where the column allows it."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


def _recorded_at() -> "sa.Column[object]":
    return sa.Column("recorded_at", _moment, nullable=False, server_default=sa.func.clock_timestamp())


villages = sa.Table(
    "villages",
    metadata,
    sa.Column("commune", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.UniqueConstraint("commune", "name_key"),
    sa.CheckConstraint("code ~ ('^' || commune || '[.][0-9]{2}$')", name="code_of_commune"),
)

households = sa.Table(
    "households",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("village", sa.Text, nullable=False),
    # The code in a village's list ("mã hộ") is given by hand and repeats: it never identifies a household.
    sa.Column("code", sa.Text),
    sa.Column("head_name", sa.LargeBinary, nullable=False),
    sa.Column("head_key", sa.LargeBinary, nullable=False),
    # Keyed hashes of the parts of the head's name, for searching; null = still to be indexed.
    sa.Column("head_name_keys", pg.ARRAY(sa.BigInteger)),
    sa.Column("head_sex", sa.Text),
    sa.Column("indigenous_ethnicity", sa.LargeBinary),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="ACTIVE"),
    sa.Column("poverty_class", sa.Text),
    sa.Column("standard", sa.Text),
    sa.Column("class_since", sa.Date),
    sa.Column("left_list_on", sa.Date),
    sa.Column("left_list_from", sa.Text),
    sa.Column("preliminary_class", sa.Text),
    # Whether an official decision ever put this household on a list: tells a relapse from a new case.
    sa.Column("ever_poor", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("ever_near_poor", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("last_fact_on", sa.Date),
    sa.Column("official_annual_year", sa.SmallInteger),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _moment, nullable=False, server_default=sa.func.clock_timestamp()),
    sa.ForeignKeyConstraint(["commune", "village"], ["villages.commune", "villages.code"]),
    sa.CheckConstraint("members > 0", name="members_positive"),
    sa.CheckConstraint("revision > 0", name="revision_positive"),
    sa.CheckConstraint("status = 'ACTIVE' or poverty_class is null", name="no_class_when_gone"),
    sa.CheckConstraint("poverty_class is null or standard is not null", name="class_has_standard"),
    sa.CheckConstraint("(left_list_on is null) = (left_list_from is null)", name="left_list_whole"),
    _one_of("head_sex", ("MALE", "FEMALE")),
    _one_of("status", ("ACTIVE", "LEFT", "CLOSED")),
    _one_of("poverty_class", CLASSES),
    _one_of("preliminary_class", CLASSES),
    _one_of("left_list_from", ("POOR", "NEAR_POOR")),
    sa.Index("ix_households_commune_id", "commune", "id"),
    sa.Index("ix_households_village_code", "commune", "village", "code"),
    sa.Index("ix_households_head_name_keys", "head_name_keys", postgresql_using="gin"),
    sa.Index("ix_households_unindexed", "id", postgresql_where=sa.text("head_name_keys is null")),
    # Every decision rewrites the row; room on the page keeps such an update from touching the indexes.
    postgresql_with={"fillfactor": 80},
)

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("area_type", sa.Text, nullable=False),
    sa.Column("year", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("standard", sa.Text, nullable=False),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("decision_number", sa.Text),
    sa.Column("state", sa.Text, nullable=False, server_default="OPEN"),
    sa.Column("opened_on", sa.Date, nullable=False),
    sa.Column("closed_on", sa.Date),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    _recorded_at(),
    sa.CheckConstraint("(state = 'CLOSED') = (closed_on is not null)", name="closed_has_day"),
    _one_of("area_type", ("URBAN", "RURAL")),
    _one_of("kind", ("ANNUAL", "REGULAR")),
    _one_of("stage", ("PRELIMINARY", "OFFICIAL")),
    _one_of("state", ("OPEN", "CLOSED")),
    sa.Index(
        "uq_reviews_annual",
        "commune",
        "year",
        "stage",
        "standard",
        unique=True,
        postgresql_where=sa.text("kind = 'ANNUAL'"),
    ),
    sa.Index("ix_reviews_commune_id", "commune", "id"),
)

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
    sa.Column("review_id", sa.ForeignKey("reviews.id"), nullable=False),
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
    _recorded_at(),
    sa.Column("finished_at", _moment),
    _one_of("state", ("ANSWERED", "APPLYING", "DONE", "FAILED")),
    sa.CheckConstraint("applied + refused <= total", name="counts_within_total"),
    sa.Index(
        "uq_imports_file",
        "review_id",
        "sha256",
        unique=True,
        postgresql_where=sa.text("not dry_run and state <> 'FAILED'"),
    ),
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
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("matched_by", sa.Text),
    sa.Column("household_id", pg.UUID(as_uuid=True)),
    sa.Column("class", sa.Text),
    # What was answered quotes cells of the file, and a cell may hold anything: sealed; null = nothing to say.
    sa.Column("answers", sa.LargeBinary),
    sa.Column("applied_sequence", sa.BigInteger),
    sa.CheckConstraint("row_no > 0", name="row_no_positive"),
    sa.CheckConstraint("(state = 'APPLIED') = (applied_sequence is not null)", name="applied_once"),
    _one_of("state", ("ACCEPTED", "REFUSED", "APPLIED")),
    _one_of("class", CLASSES),
    sa.Index(
        "ix_import_rows_waiting",
        "import_id",
        "household_id",
        postgresql_where=sa.text("state = 'ACCEPTED'"),
    ),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("decision_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("review_id", sa.ForeignKey("reviews.id"), nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("year", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("standard", sa.Text, nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("previous_class", sa.Text),
    sa.Column("previous_standard", sa.Text),
    sa.Column("previous_members", sa.Integer),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("movement", sa.Text),
    sa.Column("b1_points", sa.Integer, nullable=False),
    sa.Column("b2_points", sa.Integer, nullable=False),
    # Which indicators are deprived tells of children's health, so the list is sealed whole.
    sa.Column("flags", sa.LargeBinary),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("inputs", pg.JSONB, nullable=False),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.Column("declared_class", sa.Text),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("decision_number", sa.Text),
    sa.Column("reviewer", sa.LargeBinary),
    sa.Column("import_id", pg.UUID(as_uuid=True)),
    sa.Column("import_row", sa.Integer),
    _recorded_at(),
    sa.ForeignKeyConstraint(["import_id", "import_row"], ["import_rows.import_id", "import_rows.row_no"]),
    # Each row of a file is applied once, whatever happened in between.
    sa.UniqueConstraint("import_id", "import_row"),
    sa.CheckConstraint("members > 0", name="members_positive"),
    _one_of("kind", ("ANNUAL", "REGULAR")),
    _one_of("stage", ("PRELIMINARY", "OFFICIAL")),
    _one_of("class", CLASSES),
    _one_of("previous_class", CLASSES),
    _one_of("declared_class", CLASSES),
    _one_of("movement", MOVEMENTS),
    _one_of("basis", ("TOTALS_GIVEN", "FLAGS")),
    sa.Index("ix_decisions_household_sequence", "household_id", "sequence"),
    sa.Index("ix_decisions_review", "review_id", "household_id", "sequence"),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("change_id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
    sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("changed_on", sa.Date, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("village", sa.Text, nullable=False),
    sa.Column("other_commune", sa.Text),
    sa.Column("previous_class", sa.Text),
    sa.Column("previous_standard", sa.Text),
    sa.Column("previous_members", sa.Integer, nullable=False),
    sa.Column("class", sa.Text),
    sa.Column("movement", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("certificate", sa.Text),
    _recorded_at(),
    _one_of("kind", ("LEFT", "ARRIVED", "CLOSED")),
    _one_of("previous_class", CLASSES),
    _one_of("class", CLASSES),
    _one_of("movement", MOVEMENTS),
    sa.Index("ix_changes_household_sequence", "household_id", "sequence"),
)

populations = sa.Table(
    "populations",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("province", sa.Text),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("households", sa.Integer, nullable=False),
    sa.Column("persons", sa.Integer, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    _recorded_at(),
    sa.CheckConstraint("households >= 0 and persons >= households", name="plausible"),
    _one_of("level", ("PROVINCE", "DISTRICT", "COMMUNE")),
    sa.Index("ix_populations_area_as_of", "area", "as_of"),
)

members, member_facts = member_tables(metadata)

# Facts are never edited: a correction is a new fact.
APPEND_ONLY = (decisions, changes, populations, member_facts)
