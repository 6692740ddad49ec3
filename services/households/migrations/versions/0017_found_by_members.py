"""A household is found by the names of its people in one place: its own row."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the present members' names to their households, in one pass over the members."""
    op.execute("alter table households add column member_name_keys bigint[] not null default '{}'")
    op.execute(
        """update households h set member_name_keys = p.keys
           from (select household_id, array_agg(distinct key order by key) as keys
                 from members cross join lateral unnest(name_keys) as key
                 where left_on is null group by household_id) p
           where h.id = p.household_id"""
    )
    op.execute("create index ix_households_member_name_keys on households using gin (member_name_keys)")
    op.execute("drop index ix_members_name_keys")
    # A name that one in ten thousand has must not be taken for one that one in a thousand has.
    op.execute("alter table households alter member_name_keys set statistics 1000")
    op.execute("alter table members alter name_keys set statistics -1")
    op.execute("analyze households")


def downgrade() -> None:
    """Look among the members again."""
    op.execute("alter table members alter name_keys set statistics 1000")
    op.execute("create index ix_members_name_keys on members using gin (name_keys)")
    op.execute("alter table households drop column member_name_keys")
