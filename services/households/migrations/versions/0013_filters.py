"""Lists by indicator, class, movement and group, of now and of an earlier day, each in the order of an index."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STANDING = "t.kind <> 'ANNULLED' and not exists (select from tellings r where r.replaces = t.sequence)"
STATEMENTS = (
    """create table household_combinations (
        household_id uuid not null,
        commune text not null,
        combination_id bigint,
        constraint pk_household_combinations primary key (household_id))""",
    """comment on table household_combinations is
        'the combination of each household''s official decision in force; what it follows from is tellings'""",
    f"""insert into household_combinations (household_id, commune, combination_id)
        with placed as (
          select distinct on (t.household_id) t.household_id, t.commune, t.status from tellings t
          where {STANDING} order by t.household_id, t.holds_from desc, t.sequence desc
        ), classed as (
          select distinct on (t.household_id) t.household_id, t.fact from tellings t
          where {STANDING} and (t.stage = 'OFFICIAL' or t.kind = 'ARRIVED' and t.leg = 0)
          order by t.household_id, t.holds_from desc, t.sequence desc
        )
        select p.household_id, p.commune, d.combination_id
        from placed p join classed c using (household_id) join decisions d on d.sequence = c.fact
        where p.status = 'ACTIVE' and d.combination_id is not null order by p.household_id""",
    """create index ix_household_combinations_place on household_combinations (commune, household_id)
        include (combination_id) where combination_id is not null""",
    """create index ix_households_class on households (poverty_class, commune, id)
        where poverty_class is not null""",
    "create index ix_households_no_class on households (commune, id) where poverty_class is null",
    "create index ix_households_gone on households (status, commune, id) where status <> 'ACTIVE'",
    "create index ix_tellings_place on tellings (commune, household_id)",
    "drop index ix_tellings_commune",
    "create index ix_tellings_movement on tellings (movement, holds_from) where movement is not null",
    # Most movements of a kind are of a few days: without this a year's are taken for few.
    "create statistics st_tellings_movement (mcv) on movement, holds_from from tellings",
    "create index ix_members_merit on members (merit) where merit <> 'NONE' and left_on is null",
    # A name that one in ten thousand has must not be taken for one that one in a thousand has.
    "alter table members alter name_keys set statistics 1000",
    "alter table households alter head_name_keys set statistics 1000",
    "analyze household_combinations, households, tellings, members",
)
BACK = (
    "alter table households alter head_name_keys set statistics -1",
    "alter table members alter name_keys set statistics -1",
    "drop index ix_members_merit",
    "drop statistics st_tellings_movement",
    "drop index ix_tellings_movement",
    "create index ix_tellings_commune on tellings (commune)",
    "drop index ix_tellings_place",
    "drop index ix_households_gone",
    "drop index ix_households_no_class",
    "drop index ix_households_class",
    "drop table household_combinations",
)


def upgrade() -> None:
    """Which combination counts for a household follows from all that was told."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Nothing is lost: it all follows from what stays."""
    for statement in BACK:
        op.execute(statement)
