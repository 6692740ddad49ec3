"""The tables of this service: the only place that names columns.

`household_states`, `eligibility` and `eligibility_history` are projections of the register's events and can
be built again from them. Allocations are this service's own and are never changed once written.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung import kit, reorganised
from benvung.db import metadata

META = metadata()

_CLASSES = "poverty_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')"
_STATUSES = "status in ('ACTIVE', 'LEFT', 'CLOSED')"
_PRODUCTS = "product in ('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')"
# These rows are rewritten all the time; room on the page keeps that from touching their indexes.
ROOM = {"fillfactor": 80}
_PERCENT = sa.Numeric(9, 6)

household_states = sa.Table(
    "household_states",
    META,
    sa.Column("household_id", pg.UUID, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("poverty_class", sa.Text),
    sa.Column("class_since", sa.Date),
    sa.Column("left_list_on", sa.Date),
    sa.Column("holds_from", sa.Date, nullable=False),
    sa.CheckConstraint(_STATUSES, "status"),
    sa.CheckConstraint(_CLASSES, "poverty_class"),
    sa.Index(None, "commune"),
    postgresql_with=ROOM,
    comment="newest public state of each household, by the sequence of its event",
)

eligibility = sa.Table(
    "eligibility",
    META,
    sa.Column("household_id", pg.UUID, primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_to", sa.Date),
    sa.Column("limit_dong", sa.BigInteger),
    sa.Column("rate_percent", _PERCENT),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("article", sa.Text, nullable=False),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("poverty_class", sa.Text),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.CheckConstraint(_PRODUCTS, "product"),
    sa.CheckConstraint("status in ('ELIGIBLE', 'NOT_ELIGIBLE')", "status"),
    sa.CheckConstraint("valid_to > valid_from", "window"),
    postgresql_with=ROOM,
    comment="newest answer for each product a household was ever entitled to; revision counts announcements",
)

eligibility_history = sa.Table(
    "eligibility_history",
    META,
    sa.Column("household_id", pg.UUID, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    sa.Column("holds_from", sa.Date, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("poverty_class", sa.Text),
    sa.Column("class_since", sa.Date),
    sa.Column("left_list_on", sa.Date),
    sa.Column("product", sa.Text),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_to", sa.Date),
    sa.Column("limit_dong", sa.BigInteger),
    sa.Column("rate_percent", _PERCENT),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("article", sa.Text, nullable=False),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.CheckConstraint(_STATUSES, "status"),
    sa.CheckConstraint(_CLASSES, "poverty_class"),
    sa.CheckConstraint(_PRODUCTS, "product"),
    sa.CheckConstraint("(product is null) = (valid_from is null)", "entitled"),
    sa.Index(None, "commune", "household_id"),
    comment="one fact per event that is not preliminary: what it rested on, and the one product it opened, if any",
)

replaced_facts = sa.Table(
    "replaced_facts",
    META,
    sa.Column("household_id", pg.UUID, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    comment="facts of the register in whose place others stand; nothing is answered from them",
)

# Written by the projection of the register alone, and may be made anew; everything else is funding's own.
reorganised_areas, stated_area_types = reorganised.tables(META)
FROM_HOUSEHOLDS = (
    household_states,
    eligibility,
    eligibility_history,
    replaced_facts,
    reorganised_areas,
    stated_area_types,
)

allocations = sa.Table(
    "allocations",
    META,
    sa.Column("allocation_id", pg.UUID, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("programme", sa.Text, nullable=False),
    sa.Column("province", sa.Text),
    sa.Column("commune", sa.Text),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("communes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("year", sa.SmallInteger, nullable=False),
    sa.Column("origin_year", sa.SmallInteger, nullable=False),
    sa.Column("decision_number", sa.Text, nullable=False),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("total_dong", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("total_dong > 0", "total"),
    sa.CheckConstraint("origin_year <= year", "origin_year"),
    sa.UniqueConstraint(
        "programme",
        "area",
        "year",
        "origin_year",
        "decision_number",
        "decided_on",
        name="uq_allocations_decision",
    ),
    comment="money given to an area by one decision, in đồng; append-only",
)

allocation_totals = sa.Table(
    "allocation_totals",
    META,
    sa.Column("allocation_id", sa.ForeignKey(allocations.c.allocation_id), primary_key=True),
    sa.Column("capital_type", sa.Text, primary_key=True),
    sa.Column("amount_dong", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount_dong >= 0", "amount"),
    comment="an allocation's declared total by kind of capital",
)

allocation_lines = sa.Table(
    "allocation_lines",
    META,
    sa.Column("allocation_id", sa.ForeignKey(allocations.c.allocation_id), primary_key=True),
    sa.Column("line", sa.SmallInteger, primary_key=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("capital_type", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("amount_dong", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount_dong > 0", "amount"),
    sa.UniqueConstraint(
        "allocation_id", "project", "capital_type", "source", name="uq_allocation_lines_part"
    ),
    sa.ForeignKeyConstraint(
        ["allocation_id", "capital_type"],
        [allocation_totals.c.allocation_id, allocation_totals.c.capital_type],
        name="fk_allocation_lines_capital_type",
    ),
    comment="an allocation's lines; their sums are checked at commit by a deferred trigger",
)

kit.tables(META)
