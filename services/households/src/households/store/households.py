"""Households between rows and domain: read, lock, enter, keep up to date."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from benvung.auth import Scope
from benvung.vault import PREFIX_BYTES, Vault
from households.domain import AreaType, HouseholdClass, HouseholdState, KnownHousehold, Status
from households.tables import households

_STATE = (
    "id, revision, province, commune, village, members, status, poverty_class, standard, class_since,"
    " left_list_on, left_list_from, preliminary_class, ever_poor, ever_near_poor, last_fact_on,"
    " official_annual_year"
)

_SUCCESSORS = """array(with recursive s(id) as (
 select household_id from lineage where predecessor_id = any(%b::uuid[])
 union select l.household_id from lineage l join s on l.predecessor_id = s.id) select id from s)"""

# Every column of a state that a transition may change, with its type: the set-based update reads these.
_CHANGING = {
    "province": "text",
    "commune": "text",
    "village": "text",
    "members": "int",
    "status": "text",
    "poverty_class": "text",
    "standard": "text",
    "class_since": "date",
    "left_list_on": "date",
    "left_list_from": "text",
    "preliminary_class": "text",
    "ever_poor": "boolean",
    "ever_near_poor": "boolean",
    "last_fact_on": "date",
    "official_annual_year": "smallint",
    "revision": "int",
}
RECORD = ", ".join(f"{name} {kind}" for name, kind in _CHANGING.items())
SET = ", ".join(f"{name} = r.{name}" for name in _CHANGING)


@dataclass(frozen=True, slots=True)
class Person:
    """The sealed side of a household: its head and what is sensitive about it."""

    head_name: bytes
    head_key: bytes
    head_name_keys: list[int]
    head_sex: str | None
    indigenous_ethnicity: bytes | None


def state_of(row: Sequence[Any], area_type: AreaType) -> HouseholdState:
    """The domain's state from the `_STATE` columns and the type of the commune on the day asked for."""
    return HouseholdState(
        household_id=row[0],
        revision=row[1],
        province=row[2],
        commune=row[3],
        village=row[4],
        area_type=area_type,
        members=row[5],
        status=Status(row[6]),
        poverty_class=row[7] and HouseholdClass(row[7]),
        standard=row[8],
        class_since=row[9],
        left_list_on=row[10],
        left_list_from=row[11] and HouseholdClass(row[11]),
        preliminary_class=row[12] and HouseholdClass(row[12]),
        ever_poor=row[13],
        ever_near_poor=row[14],
        last_fact_on=row[15],
        official_annual_year=row[16],
    )


def record_of(state: HouseholdState) -> dict[str, Any]:
    """The state as one JSON record for a set-based statement."""
    return {
        "household_id": state.household_id,
        "province": state.province,
        "commune": state.commune,
        "village": state.village,
        "members": state.members,
        "status": state.status,
        "poverty_class": state.poverty_class,
        "standard": state.standard,
        "class_since": state.class_since,
        "left_list_on": state.left_list_on,
        "left_list_from": state.left_list_from,
        "preliminary_class": state.preliminary_class,
        "ever_poor": state.ever_poor,
        "ever_near_poor": state.ever_near_poor,
        "last_fact_on": state.last_fact_on,
        "official_annual_year": state.official_annual_year,
        "revision": state.revision,
    }


async def lock(
    conn: AsyncConnection, ids: Iterable[uuid.UUID], area_type: AreaType
) -> dict[uuid.UUID, HouseholdState]:
    """Lock households in the order of their ids, whoever else locks them, and return their states.

    Locked and returned are also those that split off from them or that they merged into: if the past of the
    one turns out otherwise, so does that of the other.
    """
    return {each: held.state(area_type) for each, held in (await hold(conn, ids)).items()}


@dataclass(frozen=True, slots=True)
class Held:
    """A locked household, before it is known on which day its commune's type is wanted."""

    commune: str
    version: int
    revision: int
    row: Sequence[Any]
    erased: bool

    @property
    def status(self) -> Status:
        """Whether it is in the register now."""
        return Status(self.row[6])

    def state(self, area_type: AreaType) -> HouseholdState:
        """Its state in a commune of that type."""
        return state_of(self.row, area_type)


async def hold(conn: AsyncConnection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Held]:
    """Lock households and their successors as `lock` does."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        f"select {_STATE}, version, erased_on is not null from households where id = any(%b::uuid[] || {_SUCCESSORS}) order by id"
        " for no key update",
        (wanted := list(ids), wanted),
    )
    return {row[0]: Held(row[3], row[-2], row[1], row[:-2], row[-1]) for row in await cursor.fetchall()}


async def states_of_commune(
    conn: AsyncConnection, commune: str, area_type: AreaType
) -> dict[uuid.UUID, HouseholdState]:
    """All active households of a commune, unlocked: what a file is checked against before it is applied."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        f"select {_STATE} from households where commune = %s and status = 'ACTIVE'", (commune,)
    )
    return {row[0]: state_of(row, area_type) for row in await cursor.fetchall()}


async def known_in_commune(conn: AsyncConnection, vault: Vault, commune: str) -> list[KnownHousehold]:
    """What identifies the active households of a commune, by the key that seals now."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        "select id, village, code, encode(head_key, 'hex'),"
        " case when %b and substr(head_name, 1, %b) <> %b then head_name end from households"
        " where commune = %b and status = 'ACTIVE' order by id",
        (vault.previous is not None, PREFIX_BYTES, vault.prefix, commune),
    )
    return [
        KnownHousehold(
            household_id,
            village,
            code,
            key if sealed is None else vault.fingerprint(vault.open(sealed)).hex(),
        )
        for household_id, village, code, key, sealed in await cursor.fetchall()
    ]


async def elsewhere(
    conn: AsyncConnection, ids: Sequence[uuid.UUID], commune: str
) -> Mapping[uuid.UUID, tuple[str, str]]:
    """Of these ids, the known households that are not active in `commune`: their commune and status."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        "select id, commune, status from households"
        " where id = any(%s::uuid[]) and not (commune = %s and status = 'ACTIVE')",
        (list(ids), commune),
    )
    return {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}


async def enter(conn: AsyncConnection, state: HouseholdState, code: str | None, person: Person) -> None:
    """Insert one household."""
    record = record_of(state)
    record["id"] = record.pop("household_id")
    await conn.execute(
        households.insert().values(
            **record,
            code=code,
            head_name=person.head_name,
            head_key=person.head_key,
            head_name_keys=person.head_name_keys,
            head_sex=person.head_sex,
            indigenous_ethnicity=person.indigenous_ethnicity,
        )
    )


async def update(conn: AsyncConnection, states: Sequence[HouseholdState]) -> None:
    """Write the states after a transition. The caller holds the rows locked."""
    pg = await db.driver(conn)
    await pg.execute(
        f"update households h set {SET}, version = h.version + 1"
        f" from jsonb_to_recordset(%s) as r(household_id uuid, {RECORD}) where h.id = r.household_id",
        (Jsonb([record_of(state) for state in states], to_json),),
    )


async def give_code(conn: AsyncConnection, household_id: uuid.UUID, code: str | None) -> None:
    """Give a locked household the code it has in its village's list."""
    await conn.execute(households.update().where(households.c.id == household_id).values(code=code))


async def update_from_file(conn: AsyncConnection, import_id: uuid.UUID, row_numbers: Sequence[int]) -> None:
    """Believe the file where it names another code or head for a household it surely means."""
    pg = await db.driver(conn)
    await pg.execute(
        "update households h set code = r.raw->>'code',"
        " head_name = coalesce(r.head_name, h.head_name), head_key = coalesce(r.head_key, h.head_key),"
        # Another name is indexed anew, behind the file.
        " head_name_keys = case when r.head_key <> h.head_key then null else h.head_name_keys end,"
        " head_sex = coalesce(r.raw->>'head_sex', h.head_sex),"
        " indigenous_ethnicity = coalesce(r.indigenous_ethnicity, h.indigenous_ethnicity)"
        " from import_rows r where r.import_id = %s and r.row_no = any(%s::int[]) and h.id = r.household_id",
        (import_id, list(row_numbers)),
    )


async def find(conn: AsyncConnection, household_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One household within the scope, or nothing."""
    query = sa.select(households).where(households.c.id == household_id, scope.where(households.c.commune))
    return (await conn.execute(query)).one_or_none()
