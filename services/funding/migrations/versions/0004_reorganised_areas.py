"""Administrative units that changed since the data file was made."""

from alembic import op

from benvung import reorganised

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No reorganisation was told before."""
    reorganised.create(op)


def downgrade() -> None:
    """Forget it; it is read from the stream again."""
    reorganised.drop(op)
