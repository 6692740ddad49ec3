"""The tables of reporting. Only this module names columns; nothing here is owned, all can be rebuilt.

Each stream has its own tables, and no row of one refers to a row of another. For each there are facts
(one row per event, inserted once), states (the newest public state) and deltas (changes of counts, so
that the count on a day is the sum of the deltas up to it).
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung import db, kit, reorganised

metadata = db.metadata()
kit.tables(metadata)

CLASSES = "('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')"
PRODUCTS = "('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')"


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _date(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date, nullable=nullable)


def _int(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _sequence() -> sa.Column[int]:
    return sa.Column("sequence", sa.BigInteger, nullable=False)


# ---- from HOUSEHOLDS

household_facts = sa.Table(
    "household_facts",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("kind"),
    sa.Column("household_id", pg.UUID, nullable=False),
    _text("commune"),
    _text("village"),
    _text("stage"),
    _text("review_kind", nullable=True),
    _text("standard", nullable=True),
    _text("class", nullable=True),
    _int("members"),
    _text("previous_standard", nullable=True),
    _text("previous_class", nullable=True),
    _int("previous_members", nullable=True),
    _text("movement", nullable=True),
    _date("valid_from"),
    _date("decided_on"),
    _text("decision_number", nullable=True),
    sa.Column("year", sa.SmallInteger, nullable=False),
    # The sequence of the telling in whose place this one stands; one that was replaced counts nothing.
    sa.Column("replaces", sa.BigInteger),
    sa.Column("counts", sa.Boolean, nullable=False, server_default=sa.true()),
    # Of an arrival with its own commune: the code of the commune that became this one.
    _text("origin", nullable=True),
    sa.CheckConstraint(
        "kind in ('CLASSIFIED', 'LEFT', 'ARRIVED', 'CLOSED', 'RESIZED', 'ANNULLED')", name="kind"
    ),
    sa.CheckConstraint("stage in ('PRELIMINARY', 'OFFICIAL')", name="stage"),
    sa.CheckConstraint(f"class in {CLASSES}", name="class"),
    sa.CheckConstraint(f"previous_class in {CLASSES}", name="previous_class"),
    sa.CheckConstraint("members >= 0 and previous_members >= 0", name="members"),
    sa.CheckConstraint("class is null or standard is not null", name="standard"),
    sa.CheckConstraint(
        "previous_class is null or (previous_standard is not null and previous_members is not null)",
        name="previous",
    ),
    sa.Index(None, "commune", "valid_from"),
    sa.Index(None, "replaces", postgresql_where=sa.text("replaces is not null")),
    sa.Index(None, "household_id", "year", postgresql_where=sa.text("stage = 'PRELIMINARY'")),
    sa.Index(None, "household_id", postgresql_where=sa.text("origin is not null")),
)

household_states = sa.Table(
    "household_states",
    metadata,
    sa.Column("household_id", pg.UUID, primary_key=True),
    _sequence(),
    _int("revision"),
    _text("commune"),
    _text("village"),
    _text("area_type"),
    _int("members"),
    _text("status"),
    # Between `left` and `arrived` of one move the household is nowhere.
    sa.Column("present", sa.Boolean, nullable=False),
    _text("class", nullable=True),
    _text("standard", nullable=True),
    _date("class_since", nullable=True),
    _text("preliminary_class", nullable=True),
    sa.CheckConstraint(f"class in {CLASSES}", name="class"),
    sa.Index(None, "commune"),
)

official_deltas = sa.Table(
    "official_deltas",
    metadata,
    sa.Column("commune", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("standard", sa.Text, primary_key=True),
    sa.Column("class", sa.Text, primary_key=True),
    _int("households"),
    _int("persons"),
    sa.CheckConstraint(f"class in {CLASSES}", name="class"),
)

preliminary_results = sa.Table(
    "preliminary_results",
    metadata,
    sa.Column("household_id", pg.UUID, primary_key=True),
    sa.Column("year", sa.SmallInteger, primary_key=True),
    _sequence(),
    _text("commune"),
    _text("standard"),
    _text("class"),
    _int("members"),
    _date("valid_from"),
    _date("decided_on"),
    sa.CheckConstraint(f"class in {CLASSES}", name="class"),
    sa.Index(None, "commune", "year"),
)

approved_lists = sa.Table(
    "approved_lists",
    metadata,
    sa.Column("commune", sa.Text, primary_key=True),
    sa.Column("year", sa.SmallInteger, primary_key=True),
    sa.Column("review_kind", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("standard", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("decided_on", sa.Date, primary_key=True),
    sa.Column("decision_number", sa.Text, primary_key=True),
)

populations = sa.Table(
    "populations",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("area"),
    _int("households"),
    # Where the number of households is a range: its end; `households` is its beginning.
    sa.Column("most", sa.Integer),
    # Not everybody who says how many households there are says how many persons.
    sa.Column("persons", sa.Integer),
    _date("as_of"),
    _text("source"),
    sa.CheckConstraint("households >= 0 and persons >= 0 and most >= households", name="counts"),
    sa.Index(None, "area", "as_of"),
)

# What became of each commune; the units themselves are in the kit's tables.
area_parts = sa.Table(
    "area_parts",
    metadata,
    sa.Column("predecessor", sa.Text, primary_key=True),
    sa.Column("holds_from", sa.Date, primary_key=True),
    _sequence(),
    sa.Column("successors", pg.ARRAY(sa.Text), nullable=False),
    _text("waiting", nullable=True),
)
reorganised_areas, stated_area_types = reorganised.tables(metadata)

# ---- from FUNDING

eligibility_facts = sa.Table(
    "eligibility_facts",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("household_id", pg.UUID, nullable=False),
    _text("product"),
    _text("commune"),
    _text("status"),
    _date("valid_from"),
    _date("valid_to", nullable=True),
    _text("reason"),
    _text("article"),
    _text("previous_status", nullable=True),
    _text("previous_commune", nullable=True),
    _date("previous_valid_from", nullable=True),
    _date("previous_valid_to", nullable=True),
    sa.CheckConstraint(f"product in {PRODUCTS}", name="product"),
    sa.CheckConstraint("status in ('ELIGIBLE', 'NOT_ELIGIBLE')", name="status"),
)

eligibility_states = sa.Table(
    "eligibility_states",
    metadata,
    sa.Column("household_id", pg.UUID, primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    _sequence(),
    _int("revision"),
    _text("commune"),
    _text("status"),
    _date("valid_from"),
    _date("valid_to", nullable=True),
    sa.CheckConstraint(f"product in {PRODUCTS}", name="product"),
    sa.CheckConstraint("status in ('ELIGIBLE', 'NOT_ELIGIBLE')", name="status"),
    sa.Index(None, "commune", "product"),
)

eligibility_deltas = sa.Table(
    "eligibility_deltas",
    metadata,
    sa.Column("commune", sa.Text, primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("on_date", sa.Date, primary_key=True),
    _int("entries"),
    _int("exits"),
    sa.CheckConstraint(f"product in {PRODUCTS}", name="product"),
)

budget_lines = sa.Table(
    "budget_lines",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("allocation_id", pg.UUID, nullable=False),
    _text("area"),
    sa.Column("year", sa.SmallInteger, nullable=False),
    sa.Column("origin_year", sa.SmallInteger, nullable=False),
    _text("programme"),
    _text("project"),
    _text("capital_type"),
    _text("source"),
    sa.Column("amount_dong", sa.BigInteger, nullable=False),
    _text("decision_number"),
    _date("decided_on"),
    sa.Index(None, "area", "year"),
)

# ---- from TRAINING

training_classes = sa.Table(
    "training_classes",
    metadata,
    sa.Column("class_id", pg.UUID, primary_key=True),
    _sequence(),
    _text("area"),
    _text("project"),
    _text("form"),
    _date("held_on"),
    _date("ended_on"),
    _int("participants"),
    _text("count_qualifier"),
    sa.Column("topics", pg.ARRAY(sa.Text), nullable=False),
    _text("organiser_level"),
    sa.CheckConstraint(
        "count_qualifier in ('EXACT', 'GREATER', 'ABOUT', 'AT_LEAST', 'AT_MOST')", name="count_qualifier"
    ),
    sa.Index(None, "area", "held_on"),
)

# What each projection writes, and may make anew from its stream.
FROM_HOUSEHOLDS = (
    household_facts,
    household_states,
    official_deltas,
    preliminary_results,
    approved_lists,
    populations,
    area_parts,
    reorganised_areas,
    stated_area_types,
)
FROM_FUNDING = (eligibility_facts, eligibility_states, eligibility_deltas, budget_lines)
FROM_TRAINING = (training_classes,)
