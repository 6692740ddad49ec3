"""Communes that became others: the units, what became of each, and from where a household came with its own."""

from alembic import op

from benvung import reorganised

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No reorganisation was told before."""
    reorganised.create(op)
    op.execute(
        "create table area_parts (predecessor text not null, holds_from date not null, sequence bigint not null,"
        " successors text[] not null, waiting text,"
        " constraint pk_area_parts primary key (predecessor, holds_from))"
    )
    op.execute("alter table household_facts add column origin text")
    op.execute(
        "create index ix_household_facts_household_id on household_facts (household_id)"
        " where origin is not null"
    )


def downgrade() -> None:
    """Forget it; it is read from the stream again."""
    op.execute("drop index ix_household_facts_household_id")
    op.execute("alter table household_facts drop column origin")
    op.execute("drop table area_parts")
    reorganised.drop(op)
