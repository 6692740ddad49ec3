"""Who may be meant by rows that could not be matched, found by codes and keyed hashes."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from benvung.vault import Vault
from households.domain.ages import Birth
from households.domain.candidates import Hint, by_weight
from households.domain.duplicates import Person, Why, duplicate_keys
from households.domain.persons import plain_name
from households.store.search import keys_of
from households.tables import households, members, villages

MOST = 8
"""Candidates of one row; with more than these a row says too little to be decided on."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a row says of a household and of a person. What it does not say is None."""

    number: int
    village: str | None = None
    code: str | None = None
    head_name: str | None = None
    person_name: str | None = None
    person_birth: Birth | None = None
    person_number: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A household, or a person in it, that a row may mean, and why."""

    household_id: uuid.UUID
    member_id: uuid.UUID | None
    hints: tuple[Hint, ...]


_FIND = """with s as materialized (select * from jsonb_to_recordset(%(sought)s) as s(number int, village text,
 code text, head_key text, plain_key bigint, number_key text, alike bigint[]))
 select s.number, h.id, null::uuid, 'CODE' from s join households h on h.village = s.village
  and h.code = s.code and h.commune = %(commune)s and h.status = 'ACTIVE'
 union all select s.number, h.id, null, 'HEAD' from s join households h on h.head_key = decode(s.head_key, 'hex')
  and h.commune = %(commune)s and h.status = 'ACTIVE'
 union all select s.number, h.id, null, 'PLAIN_HEAD' from s join households h
  on h.head_name_keys @> array[s.plain_key] and h.commune = %(commune)s and h.status = 'ACTIVE'
 union all select s.number, h.id, m.id, 'NUMBER' from s join members m on m.number_key = decode(s.number_key, 'hex')
  and m.left_on is null join households h on h.id = m.household_id and h.status = 'ACTIVE'
 union all select s.number, h.id, m.id, 'NAME_BIRTH_AREA' from s join members m on m.alike_keys && s.alike
  and m.left_on is null join households h on h.id = m.household_id and h.status = 'ACTIVE'
  and h.commune = %(commune)s"""


async def find(
    conn: AsyncConnection, vault: Vault, commune: str, sought: Sequence[Sought]
) -> dict[int, list[Found]]:
    """The candidates of each row, the most alike first. A number is looked for in the whole register."""
    if not sought:
        return {}
    pg = await db.driver(conn)
    given = db.as_json([_keys(key, each) for key in vault.searched for each in sought])
    cursor = await pg.execute(_FIND, {"sought": given, "commune": commune})
    hints: dict[int, dict[tuple[uuid.UUID, uuid.UUID | None], set[Hint]]] = {}
    for number, household_id, member_id, hint in await cursor.fetchall():
        hints.setdefault(number, {}).setdefault((household_id, member_id), set()).add(Hint(hint))
    return {number: _ranked(found) for number, found in hints.items()}


def _ranked(found: dict[tuple[uuid.UUID, uuid.UUID | None], set[Hint]]) -> list[Found]:
    homes = {household for household, member in found if member is not None}
    listed = []
    for (household, member), hints in found.items():
        if member is None and household in homes:
            continue
        own = hints | (found.get((household, None), set()) if member is not None else set())
        listed.append(Found(household, member, by_weight(own)))
    weight = {hint: place for place, hint in enumerate(Hint)}
    listed.sort(key=lambda each: (weight[each.hints[0]], -len(each.hints), str(each.household_id)))
    return listed[:MOST]


def _keys(vault: Vault, sought: Sought) -> dict[str, Any]:
    person = None
    if sought.person_name is not None and sought.person_birth is not None:
        nobody = uuid.UUID(int=0)
        person = Person(nobody, nobody, sought.person_name, sought.person_birth, "")
    alike = [f"{why} {key}" for why, key in duplicate_keys(person) if why is not Why.NUMBER] if person else []
    head, number = sought.head_name, sought.person_number
    plain = " ".join(plain_name(head).split()) if head else ""
    return {
        "number": sought.number,
        "village": sought.village,
        "code": sought.code,
        "head_key": vault.fingerprint(head).hex() if head else None,
        "plain_key": vault.short_fingerprint(plain) if plain else None,
        "number_key": vault.fingerprint(number).hex() if number else None,
        "alike": keys_of(vault, alike),
    }


async def homes(conn: AsyncConnection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, sa.Row[Any]]:
    """Households by id, with the names of their villages."""
    query = (
        sa.select(households, villages.c.name.label("village_name"))
        .join(
            villages,
            sa.and_(villages.c.commune == households.c.commune, villages.c.code == households.c.village),
        )
        .where(households.c.id.in_(set(ids)))
    )
    return {row.id: row for row in await conn.execute(query)}


async def people(conn: AsyncConnection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, sa.Row[Any]]:
    """Members by id."""
    query = sa.select(members).where(members.c.id.in_(set(ids)))
    return {row.id: row for row in await conn.execute(query)}
