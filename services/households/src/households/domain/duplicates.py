"""Who might be recorded twice. Candidates are shown with the reason; nothing is ever merged by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from uuid import UUID

from households.domain.ages import Birth
from households.domain.matching import normalise_name
from households.domain.persons import plain_name


class Why(StrEnum):
    """What two records have in common, from the strongest to the weakest."""

    NUMBER = "NUMBER"
    NAME_BIRTH_AREA = "NAME_BIRTH_AREA"
    PLAIN_NAME_BIRTH_AREA = "PLAIN_NAME_BIRTH_AREA"


WHY_LABELS: dict[Why, tuple[str, str]] = {
    Why.NUMBER: ("Trùng số định danh cá nhân", "Same personal number"),
    Why.NAME_BIRTH_AREA: ("Trùng họ tên, ngày sinh và xã", "Same name, birth and commune"),
    Why.PLAIN_NAME_BIRTH_AREA: (
        "Trùng họ tên (không kể dấu), ngày sinh và xã",
        "Same name without diacritics, birth and commune",
    ),
}


@dataclass(frozen=True, slots=True)
class Person:
    """What a duplicate is found by. `area` is the code of the commune with the day it holds from."""

    member_id: UUID
    household_id: UUID
    name: str
    birth: Birth
    area: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two records that may be one person, and everything that says so."""

    first: UUID
    second: UUID
    same_household: bool
    why: tuple[Why, ...]


def duplicate_keys(person: Person) -> tuple[tuple[Why, str], ...]:
    """The texts that two records of one person share: what a store keeps as fingerprints and looks up.

    Births are compared by year here, since one record may know the day and the other the year alone; a pair
    found by a key is confirmed by `same_person`.
    """
    year = person.birth.year
    name, plain = normalise_name(person.name), plain_name(person.name)
    keys = [
        (Why.NAME_BIRTH_AREA, f"{person.area}|{year}|{name}"),
        (Why.PLAIN_NAME_BIRTH_AREA, f"{person.area}|{year}|{plain}"),
    ]
    return ((Why.NUMBER, person.number), *keys) if person.number is not None else tuple(keys)


def same_person(one: Person, other: Person) -> tuple[Why, ...]:
    """Why two records may be one person; nothing when they are not alike.

    Two different numbers do not clear the suspicion: one of them may have been typed wrongly. Two different
    days of birth in one year do: brothers and sisters of one name are told apart by them.
    """
    theirs = set(duplicate_keys(other))
    alike = tuple(why for why, key in duplicate_keys(one) if (why, key) in theirs)
    if not _births_agree(one.birth, other.birth):
        alike = tuple(why for why in alike if why is Why.NUMBER)
    if Why.NAME_BIRTH_AREA in alike:
        return tuple(why for why in alike if why is not Why.PLAIN_NAME_BIRTH_AREA)
    return alike


def duplicates(persons: Iterable[Person]) -> tuple[Candidate, ...]:
    """Every pair that may be one person, each once, strongest reason first within the pair."""
    groups: dict[tuple[Why, str], list[Person]] = defaultdict(list)
    for person in persons:
        for key in duplicate_keys(person):
            groups[key].append(person)
    found: dict[tuple[UUID, UUID], Candidate] = {}
    for group in groups.values():
        for a, b in combinations(group, 2):
            one, other = (a, b) if a.member_id.int <= b.member_id.int else (b, a)
            pair = (one.member_id, other.member_id)
            if one.member_id == other.member_id or pair in found:
                continue
            why = same_person(one, other)
            if why:
                same = one.household_id == other.household_id
                found[pair] = Candidate(one.member_id, other.member_id, same, why)
    return tuple(sorted(found.values(), key=lambda c: (c.first.int, c.second.int)))


def _births_agree(one: Birth, other: Birth) -> bool:
    if one.day is not None and other.day is not None:
        return one.day == other.day
    return one.year == other.year
