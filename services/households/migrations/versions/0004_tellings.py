"""Facts told late or again, and where households come from.

What was told so far is worked out from decisions and changes: until now each came in the order of its day.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CLASSES = "in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')"
MOVEMENTS = (
    "movement in ('ESCAPED_TO_NEAR_POOR', 'ESCAPED_ABOVE_NEAR_POOR', 'NEAR_POOR_TO_POOR', 'RELAPSE_POOR',"
    " 'NEW_POOR', 'OTHER_DECREASE_POOR', 'OTHER_INCREASE_POOR', 'ESCAPED_NEAR_POOR', 'RELAPSE_NEAR_POOR',"
    " 'NEW_NEAR_POOR', 'OTHER_DECREASE_NEAR_POOR', 'OTHER_INCREASE_NEAR_POOR')"
)
KINDS = "kind in ('LEFT', 'ARRIVED', 'CLOSED'{})"
NEW_KINDS = ", 'REGISTERED', 'RESIZED', 'ANNULLED'"

VILLAGES = """
update decisions d set village = coalesce(
  (select i.raw->>'village' from import_rows i where i.import_id = d.import_id and i.row_no = d.import_row),
  (select c.village from changes c where c.household_id = d.household_id and c.sequence > d.sequence
     and c.kind = 'LEFT' and c.commune = d.commune order by c.sequence limit 1),
  (select h.village from households h where h.id = d.household_id))
"""
CHANGED = """
update changes c set members = c.previous_members, standard = case when c.class is not null then coalesce(
  (select d.previous_standard from decisions d where d.household_id = c.household_id
     and d.sequence > c.sequence and d.previous_standard is not null order by d.sequence limit 1),
  (select n.previous_standard from changes n where n.household_id = c.household_id
     and n.sequence >= c.sequence and n.previous_standard is not null order by n.sequence limit 1),
  (select h.standard from households h where h.id = c.household_id)) end
"""
# A registration had no row of its own. Its number lies before all that were ever told.
REGISTERED = """
insert into changes (household_id, sequence, kind, changed_on, commune, village, previous_members, members,
  reason)
select h.id, -row_number() over (order by h.id), 'REGISTERED',
  (h.created_at at time zone 'Asia/Ho_Chi_Minh')::date, coalesce(f.commune, h.commune),
  coalesce(f.village, h.village), coalesce(f.members, h.members), coalesce(f.members, h.members), 'REGISTERED'
from households h
left join lateral (
  select commune, village, members from (
    select sequence, commune, village, coalesce(previous_members, members) as members
    from decisions where household_id = h.id
    union all
    select sequence, commune, village, previous_members from changes where household_id = h.id
  ) each order by sequence limit 1
) f on true
where not exists (
  select from changes c where c.household_id = h.id and c.kind = 'ARRIVED' and c.reason = 'ARRIVED'
) and not exists (
  select from decisions d join import_rows i on i.import_id = d.import_id and i.row_no = d.import_row
  where d.household_id = h.id and i.matched_by = 'NEW'
)
"""
TOLD = """
insert into tellings (sequence, fact, leg, household_id, kind, stage, holds_from, province, commune, village,
  members, status, class, standard, class_since, left_list_on, left_list_from, preliminary_class,
  previous_class, previous_standard, previous_members, movement, recorded_at)
with facts as (
  select sequence, household_id, 'CLASSIFIED' as kind, stage, null as reason, valid_from as day, commune,
    village, case when stage = 'OFFICIAL' then members end as members, stage = 'OFFICIAL' as sets, class,
    case when stage = 'OFFICIAL' then standard end as standard, previous_class, previous_standard,
    previous_members, movement, recorded_at
  from decisions
  union all
  -- A registration has no day in law: it holds before whatever is decided.
  select sequence, household_id, kind, null, reason,
    case when kind = 'REGISTERED' then date '0001-01-01' else changed_on end, commune, village, members,
    reason <> 'MOVED', case when kind = 'ARRIVED' then class end, standard, previous_class, previous_standard,
    case when reason not in ('REGISTERED', 'ARRIVED') then previous_members end, movement, recorded_at
  from changes
), marked as (
  select *, count(*) filter (where sets) over w as run, count(standard) over w as standards,
    count(members) over w as sizes,
    count(*) filter (where stage is not null or kind = 'CLOSED' or reason = 'MOVED_OUT') over w as guesses
  from facts window w as (partition by household_id order by sequence)
), settled as (
  select *, max(class) filter (where sets) over (partition by household_id, run) as held,
    max(standard) over (partition by household_id, standards) as by_standard,
    max(members) over (partition by household_id, sizes) as size,
    max(class) filter (where stage = 'PRELIMINARY') over (partition by household_id, guesses) as guess
  from marked
), compared as (
  select *, lag(held) over w as held_before, kind = 'CLOSED' or coalesce(reason = 'MOVED_OUT', false) as gone
  from settled
  window w as (partition by household_id order by sequence)
), counted as (
  select *, count(*) filter (where held is distinct from held_before or gone) over w as since,
    count(*) filter (where held in ('POOR', 'NEAR_POOR')
      or stage = 'OFFICIAL' and held_before in ('POOR', 'NEAR_POOR')) over w as lists
  from compared window w as (partition by household_id order by sequence)
)
select f.sequence,
  case when f.kind = 'ARRIVED' and f.reason = 'MOVED' then (select max(l.sequence) from changes l
    where l.household_id = f.household_id and l.kind = 'LEFT' and l.sequence < f.sequence)
    else f.sequence end,
  case when f.kind = 'ARRIVED' and f.reason = 'MOVED' then 1 else 0 end,
  f.household_id, f.kind, f.stage, f.day,
  coalesce((select r.province from reviews r where r.commune = f.commune limit 1), h.province),
  f.commune, f.village, coalesce(f.size, h.members),
  case when f.kind = 'CLOSED' then 'CLOSED' when f.reason = 'MOVED_OUT' then 'LEFT' else 'ACTIVE' end,
  f.held, f.by_standard,
  case when f.since > 0 then
    min(f.day) filter (where f.held is distinct from f.held_before or f.gone) over (partition by f.household_id, f.since)
  end,
  case when f.held is null or f.held not in ('POOR', 'NEAR_POOR') then max(f.day) filter (
    where f.stage = 'OFFICIAL' and f.held_before in ('POOR', 'NEAR_POOR')
      and f.held not in ('POOR', 'NEAR_POOR')) over (partition by f.household_id, f.lists) end,
  case when f.held is null or f.held not in ('POOR', 'NEAR_POOR') then max(f.held_before) filter (
    where f.stage = 'OFFICIAL' and f.held_before in ('POOR', 'NEAR_POOR')
      and f.held not in ('POOR', 'NEAR_POOR')) over (partition by f.household_id, f.lists) end,
  f.guess, f.previous_class, f.previous_standard, f.previous_members, f.movement, f.recorded_at
from counted f join households h on h.id = f.household_id
"""


def upgrade() -> None:
    """Add the tables and columns, and fill them."""
    for table in ("decisions", "changes"):
        op.execute(f"alter table {table} disable trigger facts_stay_as_written")
        op.add_column(table, sa.Column("corrects", sa.BigInteger(), nullable=True))
    op.add_column("decisions", sa.Column("village", sa.Text(), nullable=True))
    op.add_column("changes", sa.Column("members", sa.Integer(), nullable=True))
    op.add_column("changes", sa.Column("standard", sa.Text(), nullable=True))
    op.add_column("changes", sa.Column("inherited", postgresql.JSONB(), nullable=True))
    op.drop_constraint(op.f("ck_changes_kind_known"), "changes", type_="check")
    op.create_check_constraint(op.f("ck_changes_kind_known"), "changes", KINDS.format(NEW_KINDS))
    op.create_index(
        "uq_decisions_corrects",
        "decisions",
        ["corrects"],
        unique=True,
        postgresql_where=sa.text("corrects is not null"),
    )
    op.create_index(
        "ix_changes_corrects", "changes", ["corrects"], postgresql_where=sa.text("corrects is not null")
    )
    op.create_table(
        "tellings",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fact", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.Column("class_since", sa.Date(), nullable=True),
        sa.Column("left_list_on", sa.Date(), nullable=True),
        sa.Column("left_list_from", sa.Text(), nullable=True),
        sa.Column("preliminary_class", sa.Text(), nullable=True),
        sa.Column("previous_class", sa.Text(), nullable=True),
        sa.Column("previous_standard", sa.Text(), nullable=True),
        sa.Column("previous_members", sa.Integer(), nullable=True),
        sa.Column("movement", sa.Text(), nullable=True),
        sa.Column("replaces", sa.BigInteger(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind in ('REGISTERED', 'CLASSIFIED', 'LEFT', 'ARRIVED', 'CLOSED', 'RESIZED', 'ANNULLED')",
            name=op.f("ck_tellings_kind_known"),
        ),
        sa.CheckConstraint("status in ('ACTIVE', 'LEFT', 'CLOSED')", name=op.f("ck_tellings_status_known")),
        sa.CheckConstraint(f"class {CLASSES}", name=op.f("ck_tellings_class_known")),
        sa.CheckConstraint("leg in (0, 1)", name=op.f("ck_tellings_leg_known")),
        sa.CheckConstraint(MOVEMENTS, name=op.f("ck_tellings_movement_known")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_tellings")),
    )
    op.create_index("ix_tellings_household", "tellings", ["household_id", "holds_from", "sequence"])
    op.create_index(op.f("ix_tellings_commune"), "tellings", ["commune"])
    op.create_index(
        "uq_tellings_replaces",
        "tellings",
        ["replaces"],
        unique=True,
        postgresql_where=sa.text("replaces is not null"),
    )
    op.create_table(
        "lineage",
        sa.Column("fact", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("predecessor_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("predecessor_fact", sa.BigInteger(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind in ('SPLIT_FROM', 'MERGED_FROM', 'RETURN_OF')", name=op.f("ck_lineage_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_lineage_household_id_households")
        ),
        sa.ForeignKeyConstraint(
            ["predecessor_id"], ["households.id"], name=op.f("fk_lineage_predecessor_id_households")
        ),
        sa.PrimaryKeyConstraint("fact", name=op.f("pk_lineage")),
    )
    op.create_index(op.f("ix_lineage_predecessor_id"), "lineage", ["predecessor_id"])
    op.create_index(op.f("ix_lineage_household_id"), "lineage", ["household_id"])
    for statement in (VILLAGES, CHANGED, REGISTERED, TOLD):
        op.execute(statement)
    op.alter_column("decisions", "village", nullable=False)
    op.alter_column("changes", "members", nullable=False)
    for table in ("decisions", "changes"):
        op.execute(f"alter table {table} enable trigger facts_stay_as_written")
    for table in ("tellings", "lineage"):
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )


def downgrade() -> None:
    """Drop them. Corrections recorded meanwhile are no facts to the release before."""
    op.drop_table("lineage")
    op.drop_table("tellings")
    for table in ("decisions", "changes"):
        op.execute(f"alter table {table} disable trigger facts_stay_as_written")
    op.execute("delete from changes where kind not in ('LEFT', 'ARRIVED', 'CLOSED')")
    op.drop_constraint(op.f("ck_changes_kind_known"), "changes", type_="check")
    op.create_check_constraint(op.f("ck_changes_kind_known"), "changes", KINDS.format(""))
    for column in ("inherited", "standard", "members", "corrects"):
        op.drop_column("changes", column)
    for column in ("village", "corrects"):
        op.drop_column("decisions", column)
    for table in ("decisions", "changes"):
        op.execute(f"alter table {table} enable trigger facts_stay_as_written")
