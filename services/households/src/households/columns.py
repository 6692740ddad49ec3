"""What the register's tables have in common: classes, movements, and columns that many of them have."""

import sqlalchemy as sa

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

MOMENT = sa.DateTime(timezone=True)


def one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """`column` holds one of `values`, or null where the column allows it."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


def recorded_at() -> "sa.Column[object]":
    """When the row was written."""
    return sa.Column("recorded_at", MOMENT, nullable=False, server_default=sa.func.clock_timestamp())
