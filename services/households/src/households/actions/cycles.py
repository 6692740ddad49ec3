"""The steps of a review in a village: each is one or more lines of the log, written with all that follows from it."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock
from benvung.auth import Principal
from benvung.etags import Believed
from benvung.vault import Vault
from households import store
from households.actions import deadlines, forms, outcomes, papers
from households.actions.holidays import Calendars, calendars
from households.actions.refusals import (
    CapacityNotHeld,
    CycleChanged,
    CycleExists,
    CycleNotFound,
    HouseholdNotFound,
    ImportsUnfinished,
    MemberNotFound,
    ReviewClosed,
    ReviewNotFound,
    VillageUnknown,
)
from households.domain import Refused, Stage
from households.domain.capacities import capacity
from households.domain.cycle import Act, Cycle, Moved, open_cycle
from households.domain.cycle.acts import perform
from households.domain.procedure_terms import Action, ProcedureKind, Subject
from households.domain.procedures import get_procedure, procedure_of
from households.store.cycles import Logged
from households.store.reviews import Review

SCORED = frozenset({Action.SCORE, Action.RECHECK, Action.CORRECT})
PRIVATE = frozenset({"reason", "deprivations", "refusals", "income_dong", "form_b", "causes", "cause_text"})
LEGAL = "Quyết định 24/2021/QĐ-TTg, Điều 4"
Subjects = dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]]


@dataclass(frozen=True, slots=True)
class Told:
    """A village as its log tells it, with the last result of each case."""

    cycle: Cycle
    results: Mapping[uuid.UUID, Mapping[str, Any]]


async def open_village(
    conn: AsyncConnection,
    principal: Principal,
    review_id: uuid.UUID,
    *,
    village: str,
    act: Act,
    month: int | None,
) -> None:
    """Open a review in one village. From then on its results come from recognition alone.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `CapacityNotHeld`, `VillageUnknown`, `CycleExists`,
    `ImportsUnfinished`, and the domain's `Refused`.
    """
    review = _open(await store.reviews.lock(conn, review_id), principal)
    _check_capacity(principal, review, act)
    _check_day(act)
    if not await store.cycles.has_village(conn, review.commune, village):
        raise VillageUnknown(village, "village")
    if await store.cycles.lock(conn, review_id, village) is not None:
        raise CycleExists
    await _check_steps_alone(conn, review)
    procedure = get_procedure(review.procedure, act.on)
    known = await calendars(conn)
    moved = open_cycle(
        procedure, act, known.now, review_id=review_id, place=village, year=review.year, month=month
    )
    if await store.cycles.months(conn, review_id) - {month}:
        raise Refused(
            "review-month-contradicted",
            "Các thôn của một kỳ rà soát phải cùng một tháng.",
            "The villages of one review are of one month.",
            "month",
            procedure.legal,
        )
    await store.reviews.run_by_cycle(conn, review_id)
    given = {"procedure": procedure.version, "year": review.year, "month": month}
    line = Logged(Action.OPEN, act, given, None, known.newest, moved.entry)
    missed = await store.cycles.write(conn, review.commune, None, moved.cycle, [line], subjects={})
    await deadlines.tell(conn, missed)
    detail = {"village": village, "entry": 1}
    await audit.record(conn, principal, "cycle.opened", "review", str(review_id), detail)


async def _check_steps_alone(conn: AsyncConnection, review: Review) -> None:
    if await store.imports.unfinished(conn, review.id):
        raise ImportsUnfinished
    if review.stage is not Stage.OFFICIAL:
        raise Refused(
            "cycle-of-preliminary-review",
            "Các bước được ghi trong kỳ rà soát chính thức.",
            "The steps are recorded in the official review.",
            "review_id",
            LEGAL,
        )
    if not review.by_cycle and await store.reviews.has_decisions(conn, review.id):
        raise Refused(
            "review-decided-without-steps",
            "Kỳ rà soát đã có kết quả ghi trực tiếp nên không ghi từng bước được nữa.",
            "Results were recorded directly in this review, so its steps cannot be recorded any more.",
            "review_id",
            LEGAL,
        )


async def record(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    believed: Believed,
    *,
    review_id: uuid.UUID,
    village: str,
    action: Action,
    act: Act,
    given: Sequence[Mapping[str, Any]],
) -> None:
    """Record one act of a village, or the same act for several cases; recognition decides on everybody.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `CapacityNotHeld`, `CycleNotFound`, `CycleChanged`,
    `HouseholdNotFound`, `MemberNotFound`, `FormNotFound`, and the domain's `Refused`.
    """
    review = _open(await store.reviews.hold(conn, review_id), principal)
    _check_capacity(principal, review, act)
    row = await store.cycles.lock(conn, review_id, village)
    if row is None:
        raise CycleNotFound
    believed.check(row.version, CycleChanged)
    _check_day(act)
    known = await calendars(conn)
    before = await read(conn, vault, review_id, village, known)
    subjects: Subjects = await store.cycles.subjects(conn, review_id, village)
    if action is Action.LIST:
        given = await _screened(conn, vault, review, given)
        given = await _listed(conn, review, village, given, subjects)
    if action in SCORED:
        given = [await outcomes.from_form(conn, vault, review, _home(subjects, one), one) for one in given]
        given = [{**one, "finding": outcomes.finding(review, act.on, one).value} for one in given]
    cycle, results, lines = before.cycle, dict(before.results), []
    for one in given:
        moved = perform(cycle, action, act, one, known.now)
        cycle = moved.cycle
        lines.append(_line(vault, act, one, known, moved))
        if action in SCORED:
            results[uuid.UUID(one["case"])] = one
    found = outcomes.Outcomes(review, village, results, subjects)
    await outcomes.decide(conn, vault, found, moved)
    missed = await store.cycles.write(conn, review.commune, before.cycle, cycle, lines, subjects=subjects)
    await deadlines.tell(conn, missed)
    if action is Action.POST:
        await papers.keep_notice(conn, principal, review, moved, subjects)
    touched = {subjects[one][0] for one, case in cycle.cases.items() if before.cycle.cases.get(one) != case}
    await audit.record(
        conn,
        principal,
        "cycle.step_recorded",
        "review",
        str(review_id),
        {"village": village, "action": action, "entry": cycle.entries},
        about=audit.About("household", sorted(touched)),
    )


async def read(
    conn: AsyncConnection, vault: Vault, review_id: uuid.UUID, village: str, known: Calendars
) -> Told:
    """The village as its log tells it: every line goes through the rules again, by the calendar of its time."""
    lines = await store.cycles.log(conn, review_id, village)
    told = await store.cycles.told(conn, review_id, village)
    opened = lines[0]
    cycle = open_cycle(
        procedure_of(opened.given["procedure"]),
        opened.act,
        known.known_at(opened.calendar),
        review_id=review_id,
        place=village,
        year=opened.given["year"],
        month=opened.given["month"],
    ).cycle
    results = {}
    for line in lines[1:]:
        given = {**line.given, **(json.loads(vault.open(line.sealed)) if line.sealed else {})}
        cycle = perform(cycle, line.action, line.act, given, known.known_at(line.calendar)).cycle
        if line.action in SCORED:
            results[uuid.UUID(given["case"])] = given
    limits = tuple(
        replace(one, told_on=told.get(number)) for number, one in enumerate(cycle.deadlines, start=1)
    )
    return Told(replace(cycle, deadlines=limits), results)


def _open(review: Review | None, principal: Principal) -> Review:
    if review is None:
        raise ReviewNotFound
    principal.scope().check(review.commune)
    if not review.is_open:
        raise ReviewClosed
    return review


def _check_capacity(principal: Principal, review: Review, act: Act) -> None:
    """Whoever records an act holds its permission, in all of the area that the capacity is for.

    The law's districts ended: what their chairs did is recorded by whoever is responsible for the province.
    """
    needed = capacity(act.role, act.on)
    if not principal.may(needed.permission):
        raise CapacityNotHeld(
            f"Việc này cần quyền {needed.permission}.", f"This needs the permission {needed.permission}."
        )
    today = areas.path(review.commune, clock.today())
    of_level = next((unit.code for unit in today if unit.level == needed.level.value), review.province)
    if needed.level != "COMMUNE":
        principal.scope().check_area(of_level)


def _check_day(act: Act) -> None:
    if act.on > clock.today():
        raise Refused(
            "act-in-future",
            f"Ngày {act.on:%d/%m/%Y} chưa đến nên chưa thể ghi việc này.",
            f"{act.on.isoformat()} has not come yet.",
            "on",
            LEGAL,
        )


def _line(vault: Vault, act: Act, given: Mapping[str, Any], known: Calendars, moved: Moved) -> Logged:
    private = {name: value for name, value in given.items() if name in PRIVATE and value is not None}
    public = {name: value for name, value in given.items() if name not in PRIVATE}
    sealed = vault.seal(json.dumps(private)) if private else None
    return Logged(moved.entry.action, act, public, sealed, known.newest, moved.entry)


def _home(subjects: Subjects, given: Mapping[str, Any]) -> uuid.UUID:
    case = uuid.UUID(given["case"])
    return subjects.get(case, (case, None))[0]


async def _screened(
    conn: AsyncConnection, vault: Vault, review: Review, given: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """How form A came out, from the form itself where one is named: it is the household's, or there is none."""
    found = []
    for one in given:
        if one.get("form_id") is None:
            found.append(one)
        else:
            case, form = uuid.UUID(one["case"]), uuid.UUID(one["form_id"])
            answer = await forms.screened(conn, vault, review, case, form)
            found.append({**one, "screened_in": answer})
    return found


async def _listed(
    conn: AsyncConnection,
    review: Review,
    village: str,
    given: Sequence[Mapping[str, Any]],
    subjects: Subjects,
) -> list[Mapping[str, Any]]:
    """What the register knows of whom is to be listed: the household's class and the certificate it holds."""
    ids = [uuid.UUID(one["case"]) for one in given]
    of_persons = review.procedure is ProcedureKind.LOW_INCOME_WORKER
    find = store.cycles.listed_members if of_persons else store.cycles.listed
    known = await find(conn, review.commune, ids)
    held = {} if of_persons else await store.cycles.certificates(conn, ids)
    found: list[Mapping[str, Any]] = []
    for one, case in zip(given, ids, strict=True):
        listed = known.get(case)
        if listed is None:
            raise MemberNotFound if of_persons else HouseholdNotFound
        if listed.village != village:
            raise Refused(
                "household-in-another-village",
                f"Hộ đang ở thôn {listed.village}.",
                f"The household lives in the village {listed.village}.",
                "cases",
                LEGAL,
            )
        subjects[case] = (listed.household_id, listed.member_id)
        certificate = held.get(case)
        found.append(
            {
                **one,
                "subject": Subject.PERSON if of_persons else Subject.HOUSEHOLD,
                "listed_class": listed.listed_class,
                "certificate": certificate
                and {"number": certificate[0], "issued_on": certificate[1].isoformat()},
            }
        )
    return found
