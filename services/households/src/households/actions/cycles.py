"""The steps of a review in a village: each is one or more lines of the log, written with all that follows from it."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock
from benvung.auth import Principal
from benvung.etags import Believed
from benvung.vault import Vault
from households import domain, store
from households.actions import deadlines
from households.actions.decisions import Result, combination_key, decide_many, seal_flags
from households.actions.refusals import (
    CycleChanged,
    CycleExists,
    CycleNotFound,
    HouseholdNotFound,
    ImportsUnfinished,
    ReviewClosed,
    ReviewNotFound,
    VillageUnknown,
)
from households.domain import Refused, Stage
from households.domain.cycle import Act, Cycle, Entry, Moved, open_cycle
from households.domain.cycle.acts import perform
from households.domain.procedure_terms import Action, ProcedureKind
from households.domain.procedures import get_procedure, procedures
from households.domain.workdays import work_calendar
from households.store.cycles import Logged
from households.store.reviews import Review

SCORED = frozenset({Action.SCORE, Action.RECHECK, Action.CORRECT})
PRIVATE = frozenset({"reason", "deprivations", "refusals"})
LEGAL = "Quyết định 24/2021/QĐ-TTg, Điều 4"


@dataclass(frozen=True, slots=True)
class Told:
    """A village as its log tells it, with the last result of each household."""

    cycle: Cycle
    entries: Sequence[Entry]
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

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `VillageUnknown`, `CycleExists`,
    `ImportsUnfinished`, and the domain's `Refused`.
    """
    review = _open(await store.reviews.lock(conn, review_id), principal)
    _check_day(act)
    if not await store.cycles.has_village(conn, review.commune, village):
        raise VillageUnknown(village, "village")
    if await store.cycles.lock(conn, review_id, village) is not None:
        raise CycleExists
    if await store.imports.unfinished(conn, review_id):
        raise ImportsUnfinished
    if review.stage is not Stage.OFFICIAL:
        raise Refused(
            "cycle-of-preliminary-review",
            "Các bước được ghi trong kỳ rà soát chính thức.",
            "The steps are recorded in the official review.",
            "review_id",
            LEGAL,
        )
    if not review.by_cycle and await store.reviews.has_decisions(conn, review_id):
        raise Refused(
            "review-decided-without-steps",
            "Kỳ rà soát đã có kết quả ghi trực tiếp nên không ghi từng bước được nữa.",
            "Results were recorded directly in this review, so its steps cannot be recorded any more.",
            "review_id",
            LEGAL,
        )
    kind = ProcedureKind(review.kind.value)
    procedure = get_procedure(kind, act.on)
    moved = open_cycle(
        procedure, act, work_calendar(), review_id=review_id, place=village, year=review.year, month=month
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
    await store.cycles.write(conn, review.commune, None, moved.cycle, [Logged(Action.OPEN, act, given, None)])
    detail = {"village": village, "entry": 1}
    await audit.record(conn, principal, "cycle.opened", "review", str(review_id), detail)


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
    """Record one act of a village, or the same act for several households; recognition decides on everybody.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `CycleNotFound`, `CycleChanged`,
    `HouseholdNotFound`, and the domain's `Refused`.
    """
    review = _open(await store.reviews.hold(conn, review_id), principal)
    row = await store.cycles.lock(conn, review_id, village)
    if row is None:
        raise CycleNotFound
    believed.check(row.version, CycleChanged)
    _check_day(act)
    before = await read(conn, vault, review_id, village)
    if action is Action.LIST:
        given = await _listed(conn, review, village, given)
    if action in SCORED:
        given = [{**one, "finding": _finding(review, one)} for one in given]
    cycle, results, lines = before.cycle, dict(before.results), []
    for one in given:
        moved = perform(cycle, action, act, one, work_calendar())
        cycle = moved.cycle
        lines.append(_line(vault, action, act, one))
        if action in SCORED:
            results[uuid.UUID(one["household"])] = one
    await _decide(conn, vault, review, action=action, act=act, results=results, moved=moved)
    missed = await store.cycles.write(conn, review.commune, before.cycle, cycle, lines)
    await deadlines.tell(conn, missed)
    touched = [case.case_id for case in cycle.cases.values() if before.cycle.cases.get(case.case_id) != case]
    await audit.record(
        conn,
        principal,
        "cycle.step_recorded",
        "review",
        str(review_id),
        {"village": village, "action": action, "entry": cycle.entries},
        about=audit.About("household", touched),
    )


async def read(conn: AsyncConnection, vault: Vault, review_id: uuid.UUID, village: str) -> Told:
    """The village as its log tells it: every line goes through the rules again."""
    lines = await store.cycles.log(conn, review_id, village)
    told = await store.cycles.told(conn, review_id, village)
    opened = lines[0]
    [procedure] = [one for one in procedures() if one.version == opened.given["procedure"]]
    moved = open_cycle(
        procedure,
        opened.act,
        work_calendar(),
        review_id=review_id,
        place=village,
        year=opened.given["year"],
        month=opened.given["month"],
    )
    cycle, entries, results = moved.cycle, [moved.entry], {}
    for line in lines[1:]:
        given = {**line.given, **(json.loads(vault.open(line.sealed)) if line.sealed else {})}
        moved = perform(cycle, line.action, line.act, given, work_calendar())
        cycle = moved.cycle
        entries.append(moved.entry)
        if line.action in SCORED:
            results[uuid.UUID(given["household"])] = given
    known = tuple(
        replace(one, told_on=told.get(number)) for number, one in enumerate(cycle.deadlines, start=1)
    )
    return Told(replace(cycle, deadlines=known), entries, results)


def _open(review: Review | None, principal: Principal) -> Review:
    if review is None:
        raise ReviewNotFound
    principal.scope().check(review.commune)
    if not review.is_open:
        raise ReviewClosed
    return review


def _check_day(act: Act) -> None:
    if act.on > clock.today():
        raise Refused(
            "act-in-future",
            f"Ngày {act.on:%d/%m/%Y} chưa đến nên chưa thể ghi việc này.",
            f"{act.on.isoformat()} has not come yet.",
            "on",
            LEGAL,
        )


def _line(vault: Vault, action: Action, act: Act, given: Mapping[str, Any]) -> Logged:
    private = {name: value for name, value in given.items() if name in PRIVATE and value}
    public = {name: value for name, value in given.items() if name not in PRIVATE}
    return Logged(action, act, public, vault.seal(json.dumps(private)) if private else None)


async def _listed(
    conn: AsyncConnection, review: Review, village: str, given: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """What the register knows of the households to be listed: their class and the certificate they hold."""
    ids = [uuid.UUID(one["household"]) for one in given]
    known = await store.cycles.listed(conn, review.commune, ids)
    held = await store.cycles.certificates(conn, ids)
    found: list[Mapping[str, Any]] = []
    for one, household in zip(given, ids, strict=True):
        if household not in known:
            raise HouseholdNotFound
        where, listed_class = known[household]
        if where != village:
            raise Refused(
                "household-in-another-village",
                f"Hộ đang ở thôn {where}.",
                f"The household lives in the village {where}.",
                "households",
                LEGAL,
            )
        certificate = held.get(household)
        paper = certificate and {"number": certificate[0], "issued_on": certificate[1].isoformat()}
        found.append({**one, "listed_class": listed_class, "certificate": paper})
    return found


def _scores(review: Review, given: Mapping[str, Any]) -> domain.Scores:
    return domain.scores(
        review.standard, given.get("b1_points"), given.get("b2_points"), given.get("deprivations")
    )


def _finding(review: Review, given: Mapping[str, Any]) -> str:
    """The class is computed from the forms, never typed."""
    domain.check_members(given["members"])
    scores = _scores(review, given)
    found = domain.classify(review.standard, review.area_type, scores.b1_points, scores.b2_points)
    return found.household_class.value


async def _decide(
    conn: AsyncConnection,
    vault: Vault,
    review: Review,
    *,
    action: Action,
    act: Act,
    results: Mapping[uuid.UUID, Mapping[str, Any]],
    moved: Moved,
) -> None:
    """Recognition and correction are decisions on households: taken and told by the one way there is."""
    if action not in {Action.RECOGNISE, Action.CORRECT} or not moved.entry.case_ids:
        return
    assert act.paper is not None, "a decision rests on a paper"
    from_then = act.on if review.valid_from == review.decided_on else review.valid_from
    domain.check_standard(review.standard, from_then)
    decided = replace(review, decided_on=act.on, valid_from=from_then, decision_number=act.paper.number)
    given: list[Result] = []
    for household in moved.entry.case_ids:
        scores = _scores(review, results[household])
        given.append(
            Result(
                household,
                results[household]["members"],
                scores,
                flags=seal_flags(vault, scores.deprivations),
                combination_key=combination_key(vault, review.standard.code, scores.deprivations),
            )
        )
    _, refused = await decide_many(conn, decided, given)
    if refused:
        raise refused[0].refused
