"""The tables of simulations: what was asked, and what was found, which is never changed once it is there."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from households.columns import CLASSES, MOMENT, one_of, recorded_at

UNDECIDED = ("NO_DECISION", "OTHER_STANDARD", "TOTALS_GIVEN")


def simulation_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table, sa.Table]:
    """`simulations`, `simulation_counts`, `simulation_indicators` and `simulation_changes`."""
    simulations = sa.Table(
        "simulations",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("communes", pg.ARRAY(sa.Text)),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("rule_version", sa.Text, nullable=False),
        sa.Column("rules", pg.JSONB, nullable=False),
        sa.Column("restricted", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="WAITING"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failure", sa.Text),
        recorded_at(),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        one_of("state", ("WAITING", "RUNNING", "DONE", "FAILED")),
        sa.CheckConstraint(
            "(state in ('DONE', 'FAILED')) = (finished_at is not null)", name="finished_hasMOMENT"
        ),
        sa.CheckConstraint("(state = 'FAILED') = (failure is not null)", name="failed_says_why"),
        sa.Index("ix_simulations_waiting", "id", postgresql_where=sa.text("state in ('WAITING', 'RUNNING')")),
    )

    simulation_counts = sa.Table(
        "simulation_counts",
        metadata,
        sa.Column("simulation_id", sa.ForeignKey("simulations.id"), nullable=False),
        sa.Column("commune", sa.Text, nullable=False),
        sa.Column("area_type", sa.Text),
        sa.Column("class_before", sa.Text),
        sa.Column("class_after", sa.Text),
        sa.Column("undecided", sa.Text),
        sa.Column("households", sa.Integer, nullable=False),
        sa.Column("persons", sa.BigInteger, nullable=False),
        sa.Column("with_indicators", sa.Integer, nullable=False),
        sa.CheckConstraint("(class_after is null) <> (undecided is null)", name="decided_or_not"),
        sa.CheckConstraint("households > 0", name="households_positive"),
        one_of("area_type", ("URBAN", "RURAL")),
        one_of("class_before", CLASSES),
        one_of("class_after", CLASSES),
        one_of("undecided", UNDECIDED),
        sa.Index(
            "uq_simulation_counts",
            *("simulation_id", "commune", "area_type", "class_before", "class_after", "undecided"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    simulation_indicators = sa.Table(
        "simulation_indicators",
        metadata,
        sa.Column("simulation_id", sa.ForeignKey("simulations.id"), primary_key=True),
        sa.Column("commune", sa.Text, primary_key=True),
        sa.Column("indicator", sa.Text, primary_key=True),
        sa.Column("class_before", sa.Text, primary_key=True),
        sa.Column("class_after", sa.Text, primary_key=True),
        sa.Column("households", sa.Integer, nullable=False),
        sa.CheckConstraint("households > 0", name="households_positive"),
        one_of("class_before", CLASSES),
        one_of("class_after", CLASSES),
    )

    # Up to a million rows at once: whether its simulation is there is checked once a statement, by a trigger.
    simulation_changes = sa.Table(
        "simulation_changes",
        metadata,
        sa.Column("simulation_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("commune", sa.Text, primary_key=True),
        sa.Column("household_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("village", sa.Text, nullable=False),
        sa.Column("area_type", sa.Text, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("class_before", sa.Text, nullable=False),
        sa.Column("class_after", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        one_of("area_type", ("URBAN", "RURAL")),
        one_of("class_before", CLASSES),
        one_of("class_after", CLASSES),
        one_of("change", ("ENTERS", "LEAVES", "BETWEEN_LISTS")),
    )
    return simulations, simulation_counts, simulation_indicators, simulation_changes
