"""The tables of the register: the only place that names columns.

Personal data stands in sealed columns (`bytea`): the head's name, the reviewer's name, what is known of
the head's ethnicity, the list of deprived indicators. A sealed name has a fingerprint beside it, by which it can be found and compared.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung import db, kit, reorganised
from households.columns import CLASSES, MOMENT, MOVEMENTS, one_of, recorded_at
from households.cycle_tables import cycle_tables, recognition_tables
from households.dictionary_tables import dictionary_tables
from households.file_tables import import_tables, notice_table
from households.form_tables import BASES, form_tables, local_tables
from households.member_tables import member_tables
from households.privacy_tables import privacy_tables
from households.reorganisation_tables import reorganisation_tables
from households.simulation_tables import simulation_tables

metadata = db.metadata()
kit.tables(metadata)

villages = sa.Table(
    "villages",
    metadata,
    sa.Column("commune", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    # A commune's code may go to another place: what was a village of the old one is none of the new one's.
    sa.Column("ended_on", sa.Date),
    sa.Index(
        "uq_villages_commune_name_key",
        "commune",
        "name_key",
        unique=True,
        postgresql_where=sa.text("ended_on is null"),
    ),
    sa.CheckConstraint("code ~ ('^' || commune || '[.][0-9]{2,3}$')", name="code_of_commune"),
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
    sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.clock_timestamp()),
    # Whose names, numbers and answers were erased; what is counted stays.
    sa.Column("erased_on", sa.Date),
    sa.ForeignKeyConstraint(["commune", "village"], ["villages.commune", "villages.code"]),
    sa.CheckConstraint("members > 0", name="members_positive"),
    sa.CheckConstraint("revision > 0", name="revision_positive"),
    sa.CheckConstraint("status = 'ACTIVE' or poverty_class is null", name="no_class_when_gone"),
    sa.CheckConstraint("poverty_class is null or standard is not null", name="class_has_standard"),
    sa.CheckConstraint("(left_list_on is null) = (left_list_from is null)", name="left_list_whole"),
    one_of("head_sex", ("MALE", "FEMALE")),
    one_of("status", ("ACTIVE", "LEFT", "CLOSED")),
    one_of("poverty_class", CLASSES),
    one_of("preliminary_class", CLASSES),
    one_of("left_list_from", ("POOR", "NEAR_POOR")),
    sa.Index("ix_households_commune_id", "commune", "id"),
    # A list of a whole province by what few of it are.
    sa.Index(
        "ix_households_class",
        "poverty_class",
        "commune",
        "id",
        postgresql_where=sa.text("poverty_class is not null"),
    ),
    sa.Index("ix_households_no_class", "commune", "id", postgresql_where=sa.text("poverty_class is null")),
    sa.Index("ix_households_gone", "status", "commune", "id", postgresql_where=sa.text("status <> 'ACTIVE'")),
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
    # Whether the steps of the law are recorded here: then results come from recognition alone.
    sa.Column("by_cycle", sa.Boolean, nullable=False, server_default=sa.false()),
    recorded_at(),
    sa.CheckConstraint("(state = 'CLOSED') = (closed_on is not null)", name="closed_has_day"),
    one_of("area_type", ("URBAN", "RURAL")),
    one_of("kind", ("ANNUAL", "REGULAR", "AVERAGE_LIVING", "LOW_INCOME_WORKER")),
    one_of("stage", ("PRELIMINARY", "OFFICIAL")),
    one_of("state", ("OPEN", "CLOSED")),
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

combinations, cause_sets, household_combinations = dictionary_tables(metadata)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("decision_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("review_id", sa.ForeignKey("reviews.id"), nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("village", sa.Text, nullable=False),
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
    sa.Column("combination_id", sa.ForeignKey("combinations.id")),
    sa.Column("cause_set_id", sa.ForeignKey("cause_sets.id")),
    sa.Column("cause_text", sa.LargeBinary),
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
    # The sequence of the fact in whose place this one stands.
    sa.Column("corrects", sa.BigInteger),
    recorded_at(),
    sa.ForeignKeyConstraint(["import_id", "import_row"], ["import_rows.import_id", "import_rows.row_no"]),
    # Each row of a file is applied once, whatever happened in between.
    sa.UniqueConstraint("import_id", "import_row"),
    sa.CheckConstraint("members > 0", name="members_positive"),
    sa.CheckConstraint("cause_text is null or cause_set_id is not null", name="text_with_causes"),
    one_of("kind", ("ANNUAL", "REGULAR")),
    one_of("stage", ("PRELIMINARY", "OFFICIAL")),
    one_of("class", CLASSES),
    one_of("previous_class", CLASSES),
    one_of("declared_class", CLASSES),
    one_of("movement", MOVEMENTS),
    one_of("basis", BASES),
    sa.Index("ix_decisions_household_sequence", "household_id", "sequence"),
    sa.Index("ix_decisions_review", "review_id", "household_id", "sequence"),
    # What was corrected already is corrected by correcting what stands in its place.
    sa.Index(
        "uq_decisions_corrects", "corrects", unique=True, postgresql_where=sa.text("corrects is not null")
    ),
    sa.Index(
        "ix_decisions_cause_set_id", "cause_set_id", postgresql_where=sa.text("cause_set_id is not null")
    ),
    # What was decided before combinations were kept, until its own is found.
    sa.Index(
        "ix_decisions_uncombined",
        "decision_id",
        postgresql_where=sa.text("flags is not null and combination_id is null"),
    ),
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
    sa.Column("standard", sa.Text),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("movement", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("certificate", sa.Text),
    # What comes over from another household by a split or merger: its class then, and what it once was.
    sa.Column("inherited", pg.JSONB),
    sa.Column("corrects", sa.BigInteger),
    recorded_at(),
    one_of("kind", ("LEFT", "ARRIVED", "CLOSED", "REGISTERED", "RESIZED", "ANNULLED")),
    one_of("previous_class", CLASSES),
    one_of("class", CLASSES),
    one_of("movement", MOVEMENTS),
    sa.Index("ix_changes_household_sequence", "household_id", "sequence"),
    sa.Index("ix_changes_corrects", "corrects", postgresql_where=sa.text("corrects is not null")),
)

# What the world was told of each fact, one row for each event. A fact told again is told by a new row that
# names the one it replaces. The state is the one that the fact left behind.
tellings = sa.Table(
    "tellings",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    # The sequence of the fact, which is that of the first event that told it; of a move, of its departure.
    sa.Column("fact", sa.BigInteger, nullable=False),
    sa.Column("leg", sa.SmallInteger, nullable=False),
    sa.Column("household_id", pg.UUID(as_uuid=True), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),
    sa.Column("holds_from", sa.Date, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("village", sa.Text, nullable=False),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("class", sa.Text),
    sa.Column("standard", sa.Text),
    sa.Column("class_since", sa.Date),
    sa.Column("left_list_on", sa.Date),
    sa.Column("left_list_from", sa.Text),
    sa.Column("preliminary_class", sa.Text),
    sa.Column("previous_class", sa.Text),
    sa.Column("previous_standard", sa.Text),
    sa.Column("previous_members", sa.Integer),
    sa.Column("movement", sa.Text),
    sa.Column("replaces", sa.BigInteger),
    # One moment for all that one fact makes anew, so that no half of it can be asked for.
    sa.Column("recorded_at", MOMENT, nullable=False, server_default=sa.func.statement_timestamp()),
    sa.CheckConstraint("leg in (0, 1)", name="leg_known"),
    one_of("kind", ("REGISTERED", "CLASSIFIED", "LEFT", "ARRIVED", "CLOSED", "RESIZED", "ANNULLED")),
    one_of("status", ("ACTIVE", "LEFT", "CLOSED")),
    one_of("class", CLASSES),
    one_of("movement", MOVEMENTS),
    sa.Index("ix_tellings_household", "household_id", "holds_from", "sequence"),
    # The order of a list of an earlier day.
    sa.Index("ix_tellings_place", "commune", "household_id"),
    sa.Index(
        "ix_tellings_movement",
        "movement",
        "holds_from",
        postgresql_where=sa.text("movement is not null"),
    ),
    sa.Index(
        "uq_tellings_replaces", "replaces", unique=True, postgresql_where=sa.text("replaces is not null")
    ),
)

lineage = sa.Table(
    "lineage",
    metadata,
    sa.Column("fact", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("household_id", sa.ForeignKey("households.id"), nullable=False, index=True),
    sa.Column("predecessor_id", sa.ForeignKey("households.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("predecessor_fact", sa.BigInteger, nullable=False),
    sa.Column("holds_from", sa.Date, nullable=False),
    recorded_at(),
    one_of("kind", ("SPLIT_FROM", "MERGED_FROM", "RETURN_OF")),
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
    recorded_at(),
    sa.CheckConstraint("households >= 0 and persons >= households", name="plausible"),
    one_of("level", ("PROVINCE", "DISTRICT", "COMMUNE")),
    sa.Index("ix_populations_area_as_of", "area", "as_of"),
)

# How many households alone, where persons are not known, or where the source says no more than a range.
household_totals = sa.Table(
    "household_totals",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("province", sa.Text),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("least", sa.Integer, nullable=False),
    sa.Column("most", sa.Integer, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    recorded_at(),
    sa.CheckConstraint("least >= 0 and most >= least", name="a_range"),
    one_of("level", ("PROVINCE", "DISTRICT", "COMMUNE")),
    sa.Index("ix_household_totals_area_as_of", "area", "as_of"),
)

imports, import_rows = import_tables(metadata)
notices = notice_table(metadata)
members, member_facts = member_tables(metadata)
simulations, simulation_counts, simulation_indicators, simulation_changes = simulation_tables(metadata)
review_villages, review_entries, review_cases, deadlines = cycle_tables(metadata)
recognitions, holiday_years = recognition_tables(metadata)
score_tables, filled_forms = form_tables(metadata)
local_standards, local_results, local_classes = local_tables(metadata)
data_keys, retention_periods, erasure_requests = privacy_tables(metadata)

reorganised_areas, stated_area_types = reorganised.tables(metadata)
reorganisations, reorganisation_parts, placements, village_places, area_types = reorganisation_tables(
    metadata
)

# Facts are never edited: a correction is a new fact. What of them is sealed may come under another key or be erased.
APPEND_ONLY = (
    decisions,
    changes,
    tellings,
    lineage,
    populations,
    household_totals,
    member_facts,
    reorganisations,
    reorganisation_parts,
    area_types,
    review_entries,
    recognitions,
    holiday_years,
    score_tables,
    filled_forms,
    local_standards,
    local_results,
    retention_periods,
)
