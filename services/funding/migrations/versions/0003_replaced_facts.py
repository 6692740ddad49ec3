"""Facts of the register in whose place others stand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "replaced_facts",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", "sequence", name=op.f("pk_replaced_facts")),
        comment="facts of the register in whose place others stand; nothing is answered from them",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("replaced_facts")
