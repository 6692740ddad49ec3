"""The tables of training. No other file names a column."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung import db, kit, reorganised

metadata = db.metadata()
kit.tables(metadata)

classes = sa.Table(
    "classes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("organiser_name", sa.Text, nullable=False),
    sa.Column("organiser_level", sa.Text, nullable=False),
    sa.Column("organiser_area", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    # With its code it says which unit is meant: nearly all codes were given again.
    sa.Column("area_begins", sa.Date, nullable=False),
    # The unit it was planned for: what that became by the day of the class may be learnt later.
    sa.Column("planned_area", sa.Text, nullable=False),
    sa.Column("planned_area_begins", sa.Date, nullable=False),
    sa.Column("province", sa.Text),
    sa.Column("commune", sa.Text),
    # The area and every unit above it as they were on the day of the class.
    sa.Column("path", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("component", sa.Text, nullable=False),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("venue", sa.Text),
    sa.Column("plan_number", sa.Text),
    sa.Column("plan_issued_on", sa.Date),
    sa.Column("plan_issuer", sa.Text),
    sa.Column("plan_title", sa.Text),
    sa.Column("planned_from", sa.Date, nullable=False),
    sa.Column("planned_to", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("held_on", sa.Date),
    sa.Column("ended_on", sa.Date),
    sa.Column("participants", sa.Integer),
    sa.Column("count_qualifier", sa.Text),
    # Where the world was last told that it was held.
    sa.Column("told_area", sa.Text),
    sa.Column("told_province", sa.Text),
    sa.Column("told_commune", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.CheckConstraint("planned_from <= planned_to", name="planned_in_order"),
    sa.CheckConstraint("held_on <= ended_on", name="held_in_order"),
    sa.CheckConstraint("held_on >= planned_from", name="held_after_planned"),
    sa.CheckConstraint("participants >= 1", name="somebody_came"),
    sa.CheckConstraint("num_nonnulls(plan_number, plan_issued_on) in (0, 2)", name="plan_is_dated"),
    sa.CheckConstraint(
        "num_nonnulls(held_on, ended_on, participants, count_qualifier)"
        " = case state when 'COMPLETED' then 4 when 'PLANNED' then 0 end",
        name="completed_has_result",
    ),
    sa.CheckConstraint("(told_area is null) = (state = 'PLANNED')", name="completed_is_told"),
    sa.CheckConstraint("area = any (path)", name="area_in_path"),
    sa.Index("ix_classes_path", "path", postgresql_using="gin"),
    sa.Index(None, "area", "area_begins"),
    sa.Index("ix_classes_planned_from_id", "planned_from", "id"),
)

topics = sa.Table(
    "topics",
    metadata,
    sa.Column("class_id", sa.Uuid, sa.ForeignKey("classes.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("issued_on", sa.Date, nullable=False),
    sa.Column("issuer", sa.Text),
    sa.Column("title", sa.Text),
    sa.UniqueConstraint("class_id", "number", "issued_on"),
)

# Written by the projection of the register alone, and may be made anew; everything else is training's own.
FROM_HOUSEHOLDS = reorganised.tables(metadata)
