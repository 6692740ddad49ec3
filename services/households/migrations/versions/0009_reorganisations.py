"""Reorganisations of communes: what was decided, where each household went, which villages ended."""

from alembic import op

from benvung import reorganised

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CODE_OF_COMMUNE = "code ~ ('^' || commune || '[.][0-9]{{{}}}$')"
STAYS = ("reorganisations", "reorganisation_parts", "area_types")
TABLES = (
    """
    create table reorganisations (
      id uuid constraint pk_reorganisations primary key, sequence bigint not null,
      holds_from date not null, document_number text not null, document_date date not null,
      recorded_by text not null, recorded_at timestamptz not null default clock_timestamp(),
      constraint uq_reorganisations_sequence unique (sequence))
    """,
    """
    create table reorganisation_parts (
      reorganisation_id uuid not null, predecessor text not null, holds_from date not null,
      name text not null, kind text not null, successors text[] not null, waiting text,
      constraint pk_reorganisation_parts primary key (reorganisation_id, predecessor),
      constraint uq_reorganisation_parts_predecessor_holds_from unique (predecessor, holds_from),
      constraint fk_reorganisation_parts_reorganisation_id_reorganisations
        foreign key (reorganisation_id) references reorganisations (id),
      constraint ck_reorganisation_parts_kind_known
        check (kind in ('MERGED', 'DIVIDED', 'RENAMED', 'MOVED_TO_PROVINCE', 'KEPT')),
      constraint ck_reorganisation_parts_divided_waits check ((kind = 'DIVIDED') = (waiting is not null)))
    """,
    "create index ix_reorganisation_parts_waiting on reorganisation_parts (waiting)",
    """
    create table placements (
      reorganisation_id uuid not null, household_id uuid not null, holds_from date not null,
      predecessor text not null, village text not null, successor text not null,
      state text not null default 'PENDING', fact bigint, refused text, chosen_by text, moved_at timestamptz,
      constraint pk_placements primary key (reorganisation_id, household_id),
      constraint fk_placements_reorganisation_id_reorganisations
        foreign key (reorganisation_id) references reorganisations (id),
      constraint fk_placements_household_id_households foreign key (household_id) references households (id),
      constraint ck_placements_state_known
        check (state in ('PENDING', 'FOLLOWED', 'WAITING', 'CHOSEN', 'REFUSED')),
      constraint ck_placements_refused_says_why check ((state = 'REFUSED') = (refused is not null)),
      constraint ck_placements_moved_by_a_fact check ((state in ('PENDING', 'REFUSED')) = (fact is null)))
    """,
    "create index ix_placements_household on placements (household_id, holds_from)",
    "create index ix_placements_pending on placements (holds_from, household_id) where state = 'PENDING'",
    (
        "create index ix_placements_waiting on placements (successor, village, household_id)"
        " where state = 'WAITING'"
    ),
    """
    create table village_places (
      reorganisation_id uuid not null, old_village text not null, commune text not null, village text not null,
      constraint pk_village_places primary key (reorganisation_id, old_village, commune),
      constraint fk_village_places_reorganisation_id_reorganisations
        foreign key (reorganisation_id) references reorganisations (id))
    """,
    """
    create table area_types (
      id uuid constraint pk_area_types primary key, sequence bigint not null, commune text not null,
      area_type text not null, valid_from date not null, valid_to date, document_number text not null,
      document_date date not null, recorded_by text not null,
      recorded_at timestamptz not null default clock_timestamp(),
      constraint uq_area_types_sequence unique (sequence),
      constraint ck_area_types_area_type_known check (area_type in ('URBAN', 'RURAL')),
      constraint ck_area_types_validity check (valid_to > valid_from))
    """,
    "create index ix_area_types_commune on area_types (commune)",
)


def upgrade() -> None:
    """Create the tables; a commune made of several may have more than 99 villages."""
    op.execute("alter table villages add column ended_on date")
    op.execute("alter table villages drop constraint uq_villages_commune_name_key")
    op.execute(
        "create unique index uq_villages_commune_name_key on villages (commune, name_key)"
        " where ended_on is null"
    )
    op.execute("alter table villages drop constraint ck_villages_code_of_commune")
    op.execute(
        "alter table villages add constraint ck_villages_code_of_commune"
        f" check ({CODE_OF_COMMUNE.format('2,3')})"
    )
    for statement in TABLES:
        op.execute(statement)
    for table in STAYS:
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )
    reorganised.create(op)


def downgrade() -> None:
    """Drop them."""
    reorganised.drop(op)
    for table in ("area_types", "village_places", "placements", "reorganisation_parts", "reorganisations"):
        op.execute(f"drop table {table}")
    op.execute("alter table villages drop constraint ck_villages_code_of_commune")
    op.execute(
        f"alter table villages add constraint ck_villages_code_of_commune check ({CODE_OF_COMMUNE.format('2')})"
    )
    op.execute("drop index uq_villages_commune_name_key")
    op.execute("alter table villages add constraint uq_villages_commune_name_key unique (commune, name_key)")
    op.execute("alter table villages drop column ended_on")
