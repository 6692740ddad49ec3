"""Rows that could not be matched: who may be meant, and what follows once an officer has said so ("khớp hộ")."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock
from benvung.auth import Principal
from benvung.problems import Forbidden
from benvung.vault import Vault
from households import store
from households.actions import matched_lists, matched_results
from households.actions.answers import Answer, open_answers, refusal_answer
from households.actions.areas import place_on
from households.actions.decisions import hold_review
from households.actions.given import opened
from households.actions.household_files import sought as household_sought
from households.actions.matched_results import Choice, Resolved
from households.actions.member_files import Row as MemberRow
from households.actions.member_files import sought as member_sought
from households.actions.refusals import ImportNotFound, ImportNotMatchable
from households.domain import Refused
from households.domain.candidates import Hint
from households.domain.persons import plain_name
from households.files.columns import FileKind
from households.files.packed import Packed
from households.store.candidates import Found, Sought

AT_ONCE = 500
"""Rows that one request may decide on."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A household or person who may be meant. Of one outside the asker's area only the commune is told."""

    found: Found
    masked: bool
    may_choose: bool
    commune: str
    village: str | None = None
    code: str | None = None
    head_name: str | None = None
    members: int | None = None
    household_class: str | None = None
    person_name: str | None = None
    person_born: str | None = None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row, what it says, why it is left, and who may be meant."""

    row_no: int
    of_person: bool
    village: str | None
    code: str | None
    head_name: str | None
    person_name: str | None
    person_born: str | None
    answers: tuple[Answer, ...]
    candidates: tuple[Candidate, ...]


async def unmatched(
    conn: AsyncConnection, principal: Principal, vault: Vault, found: sa.Row[Any], rows: Sequence[sa.Row[Any]]
) -> list[Unmatched]:
    """These rows of an import with their candidates. Nothing is decided here."""
    values = {row.row_no: _values(vault, found.kind, row) for row in rows}
    asked = [_sought(found.kind, row, values[row.row_no]) for row in rows]
    listed = await store.candidates.find(conn, vault, found.commune, asked)
    every = [each for candidates in listed.values() for each in candidates]
    homes = await store.candidates.homes(conn, [each.household_id for each in every])
    people = await store.candidates.people(conn, [each.member_id for each in every if each.member_id])
    villages = {each.code: each.name for each in await store.places.villages_of(conn, found.commune)}
    scope = principal.scope()
    shown = []
    for row in rows:
        known = values[row.row_no]
        head = known.get("head_name")
        of_person = row.household_id is not None and found.kind == FileKind.MEMBERS
        candidates = []
        for each in listed.get(row.row_no, ()):
            home = homes[each.household_id]
            if not scope.covers(home.commune):
                candidates.append(Candidate(each, masked=True, may_choose=False, commune=home.commune))
                continue
            name = vault.open(home.head_name)
            if each.hints == (Hint.PLAIN_HEAD,) and plain_name(name) != plain_name(head or ""):
                continue
            person = people.get(each.member_id) if each.member_id else None
            candidates.append(
                Candidate(
                    each,
                    masked=False,
                    may_choose=_may_choose(found, row, each, home.commune),
                    commune=home.commune,
                    village=home.village_name,
                    code=home.code,
                    head_name=name,
                    members=home.members,
                    household_class=home.poverty_class,
                    person_name=_name(vault, person),
                    person_born=_born(person),
                )
            )
        shown.append(
            Unmatched(
                row.row_no,
                of_person,
                villages.get(known.get("village") or "", known.get("village")),
                known.get("code"),
                head,
                known.get("name"),
                str(known["birth"]) if "birth" in known else None,
                tuple(open_answers(vault, row.answers)),
                tuple(candidates),
            )
        )
    return shown


def _values(vault: Vault, kind: str, row: sa.Row[Any]) -> Packed:
    if kind != FileKind.RESULTS and row.given is not None:
        return opened(vault, row.given)
    head = vault.open(row.head_name) if row.head_name is not None else None
    return {**row.raw, "head_name": head}


def _sought(kind: str, row: sa.Row[Any], values: Packed) -> Sought:
    if kind == FileKind.MEMBERS:
        of_person = member_sought(MemberRow(row.row_no, values, 0, row.row_no))
        if row.household_id is not None:
            return of_person
        return replace(of_person, village=None, head_name=values.get("head_name"))
    return household_sought(row.row_no, values, row.raw.get("village"))


def _may_choose(found: sa.Row[Any], row: sa.Row[Any], candidate: Found, commune: str) -> bool:
    """A person can be chosen in the household that the row means; any household of the commune for the others."""
    if found.kind == FileKind.MEMBERS and row.household_id is not None:
        return candidate.member_id is not None and candidate.household_id == row.household_id
    return bool(commune == found.commune)


def _name(vault: Vault, person: sa.Row[Any] | None) -> str | None:
    return None if person is None else store.members.opened(person, person.id, vault).name


def _born(person: sa.Row[Any] | None) -> str | None:
    if person is None:
        return None
    return person.birth_date.isoformat() if person.birth_date else str(person.birth_year)


async def resolve(
    conn: AsyncConnection, principal: Principal, vault: Vault, import_id: uuid.UUID, choices: Sequence[Choice]
) -> list[Resolved]:
    """Take what an officer said of rows: each is answered by itself, and a file's rows are never merged unasked.

    Rows that are accepted by it are applied next. Raises `ImportNotFound`, `ImportNotMatchable`, `ReviewClosed`,
    `Forbidden`.
    """
    found = await store.lists.lock(conn, import_id, principal.scope())
    if found is None:
        raise ImportNotFound
    if found.dry_run or found.state == "FAILED":
        raise ImportNotMatchable
    asked = {choice.row_no: choice for choice in choices}
    rows = {row.row_no: row for row in await store.lists.rows_of(conn, import_id, list(asked))}
    answers: list[Resolved] = []
    open_choices: dict[int, Choice] = {}
    for number, choice in asked.items():
        row = rows.get(number)
        decided = None if row is None else _decided(row, choice, found.kind)
        if row is None:
            answers.append(Resolved(number, "REFUSED", [refusal_answer(_no_row())]))
        elif decided is not None:
            answers.append(Resolved(number, row.state, decided))
        else:
            open_choices[number] = choice
    if open_choices:
        answers += await _resolve(conn, principal, vault, found, rows, open_choices)
        await store.lists.recount(conn, import_id)
    touched = [each.household_id for each in open_choices.values() if each.household_id]
    detail = {
        "rows": len(asked),
        "accepted": sum(each.state == "ACCEPTED" for each in answers),
        "moment": clock.now().isoformat(timespec="seconds"),
    }
    about = audit.About("household", touched)
    await audit.record(conn, principal, "import.matched", "import", str(import_id), detail, about=about)
    return sorted(answers, key=lambda each: each.row_no)


async def _resolve(  # noqa: PLR0917 -- who says what of which rows
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    found: sa.Row[Any],
    rows: dict[int, sa.Row[Any]],
    choices: dict[int, Choice],
) -> list[Resolved]:
    if found.review_id is not None:
        if not principal.may("reviews.decide"):
            raise Forbidden("Việc này cần quyền reviews.decide.", "This needs the permission reviews.decide.")
        review = await hold_review(conn, principal, found.review_id)
        results = await matched_results.Matching.of(conn, vault, review, found, rows)
        answered = results.answer(choices)
    else:
        place = place_on(found.commune, "", found.holds_from, "commune")
        lists = matched_lists.Matching(conn, vault, found, rows, place)
        answered = await lists.answer(choices)
    moment = clock.now()
    await store.lists.answer_again(
        conn, found.id, [_written(each.row, choices, principal, moment) for each in answered if each.row]
    )
    return [each.resolved for each in answered]


def _written(
    row: Any, choices: dict[int, Choice], principal: Principal, moment: dt.datetime
) -> dict[str, Any]:
    """The columns of a row that is answered again."""
    values = asdict(row)
    kept = {
        name: values[name]
        for name in ("row_no", "raw", "head_key", "flags", "combination_key", "causes", "cause_key",
                     "cause_text", "state", "matched_by", "household_id", "member_id", "answers")
    }  # fmt: skip
    kept["class"] = values["computed_class"]
    choice = choices.get(row.row_no)
    if choice is not None:
        kept |= {"resolution": choice.kind, "resolved_by": principal.subject, "resolved_at": moment}
    return kept


def _decided(row: sa.Row[Any], choice: Choice, kind: str) -> list[Answer] | None:
    """What is answered to a choice for a row that waits for none; None when the row waits for one."""
    waits = row.state == "REFUSED" and row.matched_by in {"AMBIGUOUS", "REFUSED"} and row.resolution != "SKIP"
    may_be_left_out = kind == FileKind.MEMBERS and choice.kind == "SKIP" and row.state == "REFUSED"
    if waits or may_be_left_out or (row.resolution == "SKIP" and choice.kind != "SKIP"):
        return None
    same_household = choice.household_id in {None, row.household_id}
    if row.resolution == choice.kind and same_household:
        return []
    return [
        refusal_answer(
            Refused(
                "row-decided-already",
                "Dòng này không còn chờ khớp.",
                "This row does not wait to be matched.",
                "row",
            )
        )
    ]


def _no_row() -> Refused:
    return Refused(
        "row-unknown", "Tệp không có dòng mang số này.", "The file has no row of this number.", "row_no"
    )
