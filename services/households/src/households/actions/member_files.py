"""A file of members: its rows are answered and recorded household by household, each whole or not at all."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock
from benvung.vault import Vault
from households import domain, store
from households.actions import members as member_actions
from households.actions.answers import Answer, answer, refusal_answer, seal_answers
from households.actions.given import (
    Held,
    file_row,
    held,
    opened,
    read_rows,
    refused_row,
    sealed,
)
from households.domain import FileRow, Match, MatchKind, Member, Place, Refused
from households.domain.ages import Birth
from households.domain.identity import Sex
from households.domain.lists import code_list
from households.domain.member_rows import PersonRow, Planned, RowPlan, not_whole, plan_rows
from households.domain.persons import LISTS, member_notices
from households.domain.rosters import MemberFact
from households.files.packed import Packed, birth, packed
from households.files.tables import TableRow
from households.store.candidates import Sought
from households.store.imports import AnsweredRow, Running
from households.store.lists import Waiting
from households.store.members import Written

Reference = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: who is described, in which household, and what an officer said of it."""

    number: int
    values: Packed
    group: int
    member_id: uuid.UUID
    resolution: str | None = None


def sought(row: Row) -> Sought:
    """What a row says of the person it describes."""
    return Sought(
        row.number,
        person_name=row.values["name"],
        person_birth=birth(row.values["birth"]),
        person_number=row.values.get("number"),
    )


async def answered(
    conn: AsyncConnection, vault: Vault, place: Place, given: Sequence[TableRow], on: dt.date
) -> list[AnsweredRow]:
    """The answers to all rows of a file of members, which hold from the day on."""
    register = await held(conn, vault, place)
    rows, wrong = read_rows(given)
    written = rows | {row.number: packed(row.values) for row in given if row.errors}
    groups = _groups(written)
    located, refused = await asyncio.to_thread(_located, vault, register, written, groups)
    matches = await asyncio.to_thread(_matched, located, register)
    listed = [Row(n, values, groups[n], _id_of(values)) for n, values in rows.items()]
    homes = [match.household_id for match in matches.values() if match.household_id]
    facts = await store.members.facts_of_many(conn, vault, homes)
    elsewhere = await known_elsewhere(conn, vault, place.commune, listed, _homes(listed, matches))
    found = [
        replace(refused_row(vault, n, answers, given=sealed(vault, written[n])), group=groups[n])
        for n, answers in wrong.items()
    ]
    by_group = _by_group(listed)
    unreadable: dict[int, list[int]] = {}
    for number in wrong:
        unreadable.setdefault(groups[number], []).append(number)
    for group, members in by_group.items():
        match = refused.get(group) or not_whole(unreadable.get(group)) or matches[group]
        asked = _Asked(on, elsewhere)
        found += await asyncio.to_thread(_answer_group, vault, members, match, facts, asked)
    return sorted(found, key=lambda row: row.row_no)


@dataclass(frozen=True, slots=True)
class _Asked:
    on: dt.date
    elsewhere: frozenset[int]


def _answer_group(
    vault: Vault,
    rows: Sequence[Row],
    match: Match | Refused,
    facts: Mapping[uuid.UUID, Sequence[MemberFact]],
    asked: _Asked,
) -> list[AnsweredRow]:
    if isinstance(match, Refused):
        return [_kept(vault, row, [refusal_answer(match)], None) for row in rows]
    if match.household_id is None:
        why = unmatched_household(match)
        kind = MatchKind.AMBIGUOUS if match.kind is MatchKind.NEW else match.kind
        return [_kept(vault, row, [why], kind) for row in rows]
    own = facts.get(match.household_id, ())
    planned = answer_household(rows, own, asked.on, asked.elsewhere)
    return [
        answered_row(vault, row, each, match.household_id, match.kind, asked.on)
        for row, each in zip(rows, planned, strict=True)
    ]


def answer_household(
    rows: Sequence[Row], facts: Sequence[MemberFact], on: dt.date, elsewhere: frozenset[int]
) -> tuple[Planned, ...]:
    """The answers to the rows of one household; rows that were left out by an officer are no part of it."""
    left_out = {row.number for row in rows if row.resolution == "SKIP"}
    persons = [person_row(row, elsewhere) for row in rows if row.number not in left_out]
    planned, _ = plan_rows(facts, persons, on, clock.today())
    by_number = {each.number: each for each in planned}
    skipped = Refused("row-left-out", "Cán bộ đã bỏ qua dòng này.", "An officer left this row out.", "row")
    return tuple(
        by_number.get(row.number) or Planned(row.number, RowPlan.REFUSED, refused=skipped) for row in rows
    )


def person_row(row: Row, elsewhere: frozenset[int] = frozenset()) -> PersonRow:
    """A row for the rules."""
    chosen = row.member_id if row.resolution == "MEMBER" or "member_id" in row.values else None
    is_new = row.resolution == "NEW"
    return PersonRow(row.number, person(row), chosen, is_new, row.number in elsewhere)


def person(row: Row) -> Member:
    """Who is described."""
    values = row.values
    coded = {name: values.get(name) for name in LISTS if name not in ("relation", "residence")}
    texts = ("number", "number_missing", "number_missing_text", "legacy_number")
    return Member(
        id=row.member_id,
        name=values["name"],
        birth=birth(values["birth"]) or Birth(0),
        sex=Sex(values["sex"]),
        relation=values["relation"],
        residence=values["residence"],
        works_on_job_training=bool(values.get("works_on_job_training")),
        **coded,
        **{name: values.get(name) for name in texts},
    )


def answered_row(  # noqa: PLR0917 -- a row, its plan, and where it belongs
    vault: Vault, row: Row, planned: Planned, household_id: uuid.UUID, kind: str, on: dt.date
) -> AnsweredRow:
    """A planned row as it is stored."""
    if not planned.taken:
        assert planned.refused is not None  # what is not taken has a reason
        matched = MatchKind.AMBIGUOUS if planned.plan is RowPlan.UNMATCHED else kind
        kept = _kept(vault, row, [refusal_answer(planned.refused)], matched)
        return replace(kept, household_id=household_id)
    assert planned.member is not None  # what is taken says whom it means
    said = [_SAME] if planned.plan is RowPlan.SAME else []
    said += [
        answer("WARNING", notice.rule, notice.field or "row", notice.message_vi, notice.message_en)
        for notice in member_notices(planned.member, on)
    ]
    return replace(
        _kept(vault, row, said, "NEW" if planned.plan is RowPlan.ENTER else kind),
        state="ACCEPTED",
        household_id=household_id,
        member_id=planned.member.id,
        answers=seal_answers(vault, said) if said else None,
    )


def _kept(vault: Vault, row: Row, answers: Sequence[Answer], matched_by: str | None) -> AnsweredRow:
    kept = refused_row(vault, row.number, answers, given=sealed(vault, row.values), matched_by=matched_by)
    return replace(kept, raw={}, group=row.group, member_id=row.member_id)


def unmatched_household(match: Match) -> Answer:
    """Why it is not known which household a row means."""
    if match.kind is MatchKind.NEW:
        return _UNKNOWN
    return answer(
        "ERROR", match.rule or "row-ambiguous", "code", match.message_vi or "", match.message_en or ""
    )


async def known_elsewhere(
    conn: AsyncConnection,
    vault: Vault,
    commune: str,
    rows: Sequence[Row],
    homes: Mapping[int, uuid.UUID],
) -> frozenset[int]:
    """The rows that describe somebody who may be recorded in another household than theirs."""
    asked = [sought(row) for row in rows if row.resolution is None and "member_id" not in row.values]
    found = await store.candidates.find(conn, vault, commune, asked)
    return frozenset(
        number
        for number, listed in found.items()
        if any(each.household_id != homes.get(number) for each in listed)
    )


def _homes(rows: Sequence[Row], matches: Mapping[int, Match]) -> dict[int, uuid.UUID]:
    found = {row.number: matches[row.group].household_id for row in rows if row.group in matches}
    return {number: home for number, home in found.items() if home is not None}


def _head(values: Packed) -> str:
    """The head whom a row names; empty where it names none."""
    return domain.normalise_name(values.get("head_name") or "")


def _groups(rows: Mapping[int, Packed]) -> dict[int, int]:
    """For each row the first row of its household, which the group is named after.

    A row without a head belongs to the only household of its village and code that the file has.
    """
    heads: dict[Reference, set[str]] = {}
    for values in rows.values():
        heads.setdefault(_reference(values), set()).add(_head(values))
    first: dict[tuple[Reference, str], int] = {}
    groups = {}
    for number, values in rows.items():
        named = heads[_reference(values)] - {""}
        head = _head(values) or (next(iter(named)) if len(named) == 1 else "")
        groups[number] = first.setdefault((_reference(values), head), number)
    return groups


def _reference(values: Packed) -> Reference:
    return values.get("household_id"), values.get("village"), values.get("code")


def _by_group(rows: Sequence[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found


def _located(
    vault: Vault, register: Held, rows: Mapping[int, Packed], groups: Mapping[int, int]
) -> tuple[dict[int, FileRow], dict[int, Refused]]:
    own = {
        groups[n]: values["name"]
        for n, values in rows.items()
        if code_list("relation").has(values.get("relation"), "head") and "name" in values
    }
    heads = own | {groups[n]: values["head_name"] for n, values in rows.items() if _head(values)}
    located: dict[int, FileRow] = {}
    refused: dict[int, Refused] = {}
    for group in dict.fromkeys(groups.values()):
        values = {**rows[group], "head_name": heads.get(group, "")}
        try:
            if "village" not in values and "household_id" not in values:
                raise _no_household()
            village = register.village(values["village"]) if "village" in values else ""
            located[group] = file_row(vault, group, values, village)
        except Refused as no:
            refused[group] = no
    return located, refused


def _matched(located: Mapping[int, FileRow], register: Held) -> dict[int, Match]:
    """Households by identifier may be meant beside the same ones by code; the rest are matched together."""
    by_id = [row for row in located.values() if row.household_id is not None]
    rest = [row for row in located.values() if row.household_id is None]
    found = [domain.match_rows([row], register.known).matches[0] for row in by_id]
    found += domain.match_rows(rest, register.known).matches
    return {match.number: match for match in found}


def _id_of(values: Packed) -> uuid.UUID:
    return uuid.UUID(values["member_id"]) if "member_id" in values else uuid.uuid4()


async def apply(conn: AsyncConnection, vault: Vault, running: Running) -> None:
    """Record the next households' rows. What no longer holds is refused, a household's rows together."""
    assert running.holds_from is not None  # a list has its day
    rows = await store.lists.next_whole_households(conn, running.id)
    homes = {row.household_id for row in rows}
    states = await store.households.hold(conn, homes)
    here = {
        each
        for each, state in states.items()
        if state.commune == running.commune and state.status is domain.Status.ACTIVE
    }
    facts = await store.members.facts_of_many(conn, vault, homes)
    found = await asyncio.to_thread(_recorded, vault, rows, here, facts, running.holds_from)
    await store.members.write(conn, vault, found.written, by=running.uploaded_by)
    await store.lists.mark_applied(conn, running.id, dict.fromkeys(found.applied))
    await store.imports.refuse_rows(conn, running.id, found.refused)
    counts = {"applied": len(found.applied), "refused": len(found.refused)}
    await store.imports.count(conn, running.id, **counts)
    actor, about = audit.Named(running.uploaded_by), audit.About("household", sorted(homes & here))
    detail: dict[str, Any] = {"kind": running.kind, **counts}
    await audit.record(conn, actor, "list.applied", "import", str(running.id), detail, about=about)


@dataclass(slots=True)
class _Recorded:
    """What comes of some rows: what is to be written, and which rows are applied or no longer hold."""

    written: list[Written] = field(default_factory=list)
    applied: list[int] = field(default_factory=list)
    refused: list[tuple[int, bytes]] = field(default_factory=list)


def _recorded(
    vault: Vault,
    rows: Sequence[Waiting],
    here: Collection[uuid.UUID],
    facts: Mapping[uuid.UUID, Sequence[MemberFact]],
    on: dt.date,
) -> _Recorded:
    """Runs in a thread: many rows are opened, and many rules asked."""
    grouped: dict[uuid.UUID, list[Row]] = {}
    for each in rows:
        meant = "NEW" if each.is_new else "MEMBER"
        row = Row(each.row_no, opened(vault, each.given or b""), 0, each.member_id or uuid.uuid4(), meant)
        grouped.setdefault(each.household_id, []).append(row)
    found = _Recorded()
    for household_id, own in grouped.items():
        known = facts.get(household_id, ())
        planned, new = plan_rows(known, [person_row(row) for row in own], on, clock.today())
        if household_id not in here or not all(each.taken for each in planned):
            found.refused += [
                (each.number, seal_answers(vault, [refusal_answer(each.refused or _gone())]))
                for each in planned
            ]
            continue
        if new:
            found.written.append(member_actions.written(household_id, known, new))
        found.applied += [row.number for row in own]
    return found


def _gone() -> Refused:
    return Refused(
        "household-not-active",
        "Hộ đã kết thúc hoặc đã chuyển đi khỏi địa bàn.",
        "The household is closed or has left.",
        "household_id",
    )


def _no_household() -> Refused:
    return Refused(
        "household-not-named",
        "Dòng không chỉ hộ nào: cần Mã hệ thống, hoặc thôn và mã hộ.",
        "The row names no household: give its identifier, or village and code.",
        "household_id",
    )


_UNKNOWN = answer(
    "ERROR",
    "household-unknown",
    "code",
    "Sổ chưa có hộ này ở thôn đó; hãy ghi hộ bằng tệp danh sách hộ trước, hoặc chọn đúng hộ.",
    "The register has no such household in the village; enter it with a list of households first, or choose it.",
)
_SAME = answer(
    "NOTE",
    "member-unchanged",
    "row",
    "Thành viên đã được ghi đúng như vậy; không ghi thêm.",
    "The member is recorded just so; nothing is added.",
)
