"""The kit's tables for exact events: journal, rebuilds, withdrawn events, idempotency keys."""

from alembic import op

from benvung import kit

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    kit.exact(op)


def downgrade() -> None:
    """Drop them."""
    kit.not_exact(op)
