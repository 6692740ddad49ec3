"""Administrative units that changed since the data file was made, and which unit a class is for."""

from alembic import op

from benvung import reorganised

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# These provinces went on through the reform of 2025-07-01 with a recorded beginning as little as before it.
_WENT_ON = ("VN", "01", "04", "11", "12", "14", "20", "22", "38", "40", "42", "46")


def upgrade() -> None:
    """No reorganisation was told before, so that a class's planned day and code say which unit is meant."""
    reorganised.create(op)
    op.execute("alter table classes add area_begins date")
    op.execute(
        "update classes set area_begins = case when planned_from >= date '2025-07-01'"
        f" and area not in ({', '.join(repr(code) for code in _WENT_ON)})"
        " then date '2025-07-01' else date '1900-01-01' end"
    )
    op.execute("alter table classes alter area_begins set not null")
    op.create_index("ix_classes_area_area_begins", "classes", ["area", "area_begins"])


def downgrade() -> None:
    """Forget it; what was told is read from the stream again."""
    op.drop_index("ix_classes_area_area_begins", table_name="classes")
    op.execute("alter table classes drop area_begins")
    reorganised.drop(op)
