"""Members of households: their facts, their newest state, and what of it is sealed."""

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from benvung.vault import Vault
from households.domain.ages import Birth
from households.domain.duplicates import Person, Why, duplicate_keys
from households.domain.identity import Sex
from households.domain.persons import Member
from households.domain.rosters import MemberFact, MemberFactKind, NewFact
from households.store.search import index_members, keys_of, keys_of_name
from households.tables import households, member_facts, members

SEALED = (
    "name",
    "number",
    "legacy_number",
    "ethnicity",
    "disability",
    "allowance",
    "nutrition",
    "labour_capacity",
    "number_missing_text",
)
OPEN = (
    "relation",
    "residence",
    "works_on_job_training",
    "study",
    "qualification",
    "work",
    "insurance",
    "merit",
    "number_missing",
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact with who recorded it and when."""

    fact: MemberFact
    recorded_at: dt.datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest state of a member: what all its facts together say."""

    member: Member
    left_on: dt.date | None
    left_reason: str | None
    version: int


def opened(row: sa.Row[Any], member_id: uuid.UUID, vault: Vault) -> Member:
    """The person that a row of `members` or `member_facts` describes."""
    values = row._asdict()
    return Member(
        id=member_id,
        birth=Birth(values["birth_year"], values["birth_date"]),
        sex=Sex(values["sex"]),
        **{name: values[name] for name in OPEN},
        **json.loads(vault.open(values["details"])),
    )


async def facts_of(
    conn: AsyncConnection, vault: Vault, household_id: uuid.UUID, known_at: dt.datetime | None = None
) -> list[Recorded]:
    """Every fact about a household's members that was recorded until then, in the order of recording."""
    query = (
        sa.select(member_facts)
        .where(member_facts.c.household_id == household_id)
        .order_by(member_facts.c.sequence)
    )
    if known_at is not None:
        query = query.where(member_facts.c.recorded_at <= known_at)
    return [
        Recorded(_fact(row, vault), row.recorded_at, row.recorded_by) for row in await conn.execute(query)
    ]


async def facts_of_many(
    conn: AsyncConnection, vault: Vault, household_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[MemberFact]]:
    """Every fact about the members of these households, in the order of recording."""
    query = (
        sa.select(member_facts)
        .where(member_facts.c.household_id.in_(set(household_ids)))
        .order_by(member_facts.c.sequence)
    )
    found: dict[uuid.UUID, list[MemberFact]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.household_id, []).append(_fact(row, vault))
    return found


def _fact(row: sa.Row[Any], vault: Vault) -> MemberFact:
    member = opened(row, row.member_id, vault)
    return MemberFact(
        row.sequence, MemberFactKind(row.kind), row.valid_from, member, row.left_reason, row.corrects
    )


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be recorded of the members of one household."""

    household_id: uuid.UUID
    newest: Sequence[Newest]
    facts: Sequence[NewFact]


async def write(conn: AsyncConnection, vault: Vault, written: Sequence[Written], *, by: str) -> None:
    """Record facts and the states they lead to. The caller holds the households locked.

    What one request records is known from one moment on, later than whatever was recorded before.
    """
    if not written:
        return
    last = sa.select(sa.func.max(member_facts.c.recorded_at) + sa.text("interval '1 microsecond'")).where(
        member_facts.c.household_id.in_([each.household_id for each in written])
    )
    homes = {each.household_id for each in written} | await _homes_of(conn, written)
    moment = await conn.scalar(sa.select(sa.func.greatest(sa.func.clock_timestamp(), last.scalar_subquery())))
    insert = pg.insert(members)

    def states() -> list[dict[str, Any]]:
        return [_state(vault, home.household_id, each) for home in written for each in home.newest]

    def recorded() -> list[dict[str, Any]]:
        return [
            {
                "member_id": fact.member.id,
                "household_id": home.household_id,
                "kind": fact.kind.value,
                "valid_from": fact.valid_from,
                "recorded_at": moment,
                "recorded_by": by,
                "corrects": fact.corrects,
                "left_reason": fact.left_reason,
                **_described(vault, fact.member),
            }
            for home in written
            for fact in home.facts
        ]

    # Sealing many would hold up every other request.
    await conn.execute(
        insert.on_conflict_do_update(
            index_elements=["id"],
            set_={column.name: insert.excluded[column.name] for column in members.c if column.name != "id"},
        ),
        await asyncio.to_thread(states) if len(written) > 1 else states(),
    )
    await conn.execute(
        member_facts.insert(), await asyncio.to_thread(recorded) if len(written) > 1 else recorded()
    )
    await index_members(conn, homes)


async def _homes_of(conn: AsyncConnection, written: Sequence[Written]) -> set[uuid.UUID]:
    """Where these members have been until now."""
    ids = [each.member.id for home in written for each in home.newest]
    return set(await conn.scalars(sa.select(members.c.household_id).where(members.c.id.in_(ids)).distinct()))


def _state(vault: Vault, household_id: uuid.UUID, newest: Newest) -> dict[str, Any]:
    member = newest.member
    return {
        "id": member.id,
        "household_id": household_id,
        **_described(vault, member),
        **search_keys(vault, household_id, member),
        "left_on": newest.left_on,
        "left_reason": newest.left_reason,
        "version": newest.version,
    }


def search_keys(vault: Vault, household_id: uuid.UUID, member: Member) -> dict[str, Any]:
    """What a member is found by.

    Records are compared with each other by these, so while a key is being replaced they stand under both.
    """
    before, alike = vault.previous, _alike(household_id, member)
    return {
        "number_key": None if member.number is None else vault.fingerprint(member.number),
        "number_key_before": before and member.number and before.fingerprint(member.number),
        "alike_keys": [key for each in vault.searched for key in keys_of(each, alike)],
        "also_keyed": before and before.key_id,
        "name_keys": keys_of_name(vault, member.name),
    }


def _described(vault: Vault, member: Member) -> dict[str, Any]:
    return {
        "birth_date": member.birth.day,
        "birth_year": member.birth.year,
        "sex": member.sex.value,
        **{name: getattr(member, name) for name in OPEN},
        "details": vault.seal(json.dumps({name: getattr(member, name) for name in SEALED})),
    }


def _alike(household_id: uuid.UUID, member: Member) -> list[str]:
    """The texts that records of one person share, without the place: a household may move, and takes it along."""
    person = Person(member.id, household_id, member.name, member.birth, "")
    return [f"{why} {key}" for why, key in duplicate_keys(person) if why is not Why.NUMBER]


_a, _b = members.alias("a"), members.alias("b")
_home_a, _home_b = households.alias("home_a"), households.alias("home_b")


def alike_in(vault: Vault, scope: Scope) -> sa.Select[Any]:
    """Pairs of members who may be one person: `one` lives within the scope, `other` maybe elsewhere."""
    inside = scope.where(households.c.commune)
    keyed = (
        sa.select(members.c.id, households.c.commune, sa.func.unnest(members.c.alike_keys).label("key"))
        .join(households, households.c.id == members.c.household_id)
        .where(inside, _lives(members, households))
        .cte("keyed")
    )
    again = keyed.alias("again")
    same_name = (again.c.key == keyed.c.key, again.c.commune == keyed.c.commune, again.c.id > keyed.c.id)
    names = (
        sa.select(keyed.c.id.label("one"), again.c.id.label("other"))
        .join(again, sa.and_(*same_name))
        .join(_a, _a.c.id == keyed.c.id)
        .join(_b, _b.c.id == again.c.id)
        .where(_births_agree(_a, _b))
    )
    numbers = [
        sa.select(members.c.id.label("one"), _b.c.id.label("other"))
        .join(households, households.c.id == members.c.household_id)
        .join(_b, sa.and_(same, _b.c.id != members.c.id))
        .join(_home_b, _home_b.c.id == _b.c.household_id)
        .where(
            inside,
            _lives(members, households),
            _lives(_b, _home_b),
            sa.or_(sa.not_(scope.where(_home_b.c.commune)), _b.c.id > members.c.id),
        )
        for same in _numbers_agree(vault, members, _b)
    ]
    return sa.select(sa.union(names, *numbers).subquery("pairs"))


async def alike_to(conn: AsyncConnection, vault: Vault, ids: Sequence[uuid.UUID]) -> Sequence[sa.Row[Any]]:
    """Pairs of one of these members and somebody else who may be the same person, at most 200."""
    same_name = sa.and_(
        _b.c.alike_keys.overlap(_a.c.alike_keys),
        _home_b.c.commune == _home_a.c.commune,
        _births_agree(_a, _b),
    )
    found = [
        sa.select(_a.c.id.label("one"), _b.c.id.label("other"))
        .select_from(_a)
        .join(_home_a, _home_a.c.id == _a.c.household_id)
        .join(_b, sa.true())
        .join(_home_b, _home_b.c.id == _b.c.household_id)
        .where(
            _a.c.id.in_(ids),
            alike,
            sa.or_(_b.c.id.not_in(ids), _b.c.id > _a.c.id),
            _lives(_a, _home_a),
            _lives(_b, _home_b),
        )
        for alike in (*_numbers_agree(vault, _a, _b), same_name)
    ]
    pairs = sa.union(*found).subquery("pairs")
    return (await conn.execute(sa.select(pairs).order_by(pairs.c.one, pairs.c.other).limit(200))).all()


async def persons(
    conn: AsyncConnection, vault: Vault, ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, tuple[Person, Member]]:
    """Members by id, as duplicates are judged by and as they are recorded."""
    query = (
        sa.select(members, households.c.commune)
        .join(households, households.c.id == members.c.household_id)
        .where(members.c.id.in_(set(ids)))
    )
    found = {}
    for row in await conn.execute(query):
        member = opened(row, row.id, vault)
        person = Person(row.id, row.household_id, member.name, member.birth, row.commune, member.number)
        found[row.id] = (person, member)
    return found


def _lives(member: sa.FromClause, home: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(member.c.left_on.is_(None), home.c.status == "ACTIVE")


def _numbers_agree(vault: Vault, one: sa.FromClause, other: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """Ways in which two numbers agree, apart, so that each has its index: by the key of now, or of before."""
    now, before = "number_key", "number_key_before"
    ways = [(now, now)] if vault.previous is None else [(now, now), (before, now), (now, before)]
    return [one.c[a] == other.c[b] for a, b in ways]


def _births_agree(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.or_(
        one.c.birth_date.is_(None), other.c.birth_date.is_(None), one.c.birth_date == other.c.birth_date
    )
