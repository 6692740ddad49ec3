"""Households follow their communes, by themselves or by a choice."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, outbox, reorganised
from benvung.auth import Principal
from households import domain, store
from households.actions import histories, reorganisations, tell
from households.actions.areas import place_on
from households.actions.book import Taking
from households.actions.histories import Evidence
from households.actions.refusals import AreaNotFound, NothingWaits
from households.domain import Place, Refused, Status
from households.domain.history import Moved
from households.domain.household import HouseholdState
from households.domain.reorganisation import awaits_choice, reassign
from households.store.reorganisations import Going, Gone
from households.store.tellings import Change, Told

CHUNK = 500


async def follow(conn: AsyncConnection, limit: int = CHUNK) -> int:
    """Move some of the households that are on their way; returns how many there were."""
    going = await store.reorganisations.pending(conn, limit)
    if not going:
        return 0
    await reorganised.refresh(conn)
    held = await store.households.hold(conn, [each.household_id for each in going])
    villages = await store.reorganisations.placed_villages(conn, {each.reorganisation_id for each in going})
    in_time: list[tuple[Going, HouseholdState, Place]] = []
    late: list[tuple[Going, Place]] = []
    # One that follows twice takes its steps one after the other.
    seen: set[uuid.UUID] = set()
    for each in going:
        if each.household_id in seen:
            continue
        seen.add(each.household_id)
        found = held[each.household_id]
        village = villages.get((each.reorganisation_id, each.village, each.successor))
        village = village or await reorganisations.village_for(conn, each, each.successor)
        to = place_on(each.successor, village, each.on)
        state = found.state(to.area_type)
        here = state.commune == each.predecessor and state.village == each.village
        if here and state.status is Status.ACTIVE and not domain.comes_late(state, each.on):
            in_time.append((each, state, to))
        else:
            late.append((each, to))
    gone = await _follow_in_time(conn, in_time)
    for each, to in late:
        gone.append(await _follow_late(conn, each, to))
    await store.reorganisations.moved(conn, gone)
    for done in gone:
        if done.fact is not None:
            further = [(done.going.successor, done.going.on)]
            await reorganisations.follow_on(conn, done.going.household_id, further)
    return len(going)


def _state(going: Going) -> str:
    return "WAITING" if awaits_choice(going.successor) else "FOLLOWED"


async def _follow_in_time(
    conn: AsyncConnection, going: Sequence[tuple[Going, HouseholdState, Place]]
) -> list[Gone]:
    if not going:
        return []
    moves = [reassign(state, to, each.on) for each, state, to in going]
    events = []
    for move in moves:
        events.append(tell.left(move.left, "REORGANISED", move.arrived.state.commune))
        events.append(tell.arrived(move.arrived, "REORGANISED", move.left.state.commune))
    sequences = await outbox.publish(conn, events)
    await store.households.update(conn, [move.arrived.state for move in moves])
    changes: list[Change] = []
    told: list[Told] = []
    gone: list[Gone] = []
    pairs = zip(sequences[::2], sequences[1::2], strict=True)
    for (each, _, _), move, (left, arrived) in zip(going, moves, pairs, strict=True):
        for leg, (sequence, kind, outcome, other) in enumerate(
            (
                (left, "LEFT", move.left, move.arrived.state.commune),
                (arrived, "ARRIVED", move.arrived, move.left.state.commune),
            )
        ):
            changes.append(Change(sequence, kind, each.on, outcome.state, outcome, "REORGANISED", other))
            told.append(Told(sequence, left, leg, kind, None, each.on, outcome.state, outcome))
        gone.append(Gone(each, _state(each), left))
    await store.tellings.add_changes(conn, changes)
    await store.tellings.add(conn, told)
    return gone


async def _follow_late(conn: AsyncConnection, going: Going, to: Place) -> Gone:
    """What is known of later days is told again, where it took place now."""
    book = await histories.hold(conn, [going.household_id])
    taking = Taking(going.household_id, going.on, Moved(to, going.predecessor))
    try:
        async with conn.begin_nested():
            fact, _ = await histories.record(conn, book, taking, Evidence())
    except Refused as refused:
        return Gone(going, "REFUSED", None, refused.rule)
    return Gone(going, _state(going), fact)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which households of a divided commune belong to which successor: these, or all of these villages."""

    waiting: str
    successor: str
    households: tuple[uuid.UUID, ...] | None
    villages: tuple[str, ...] | None


async def divided(conn: AsyncConnection, principal: Principal, waiting: str) -> tuple[str, ...]:
    """The successors of a divided commune. Raises `AreaNotFound` for whoever has none of them."""
    part = await store.reorganisations.part_waiting(conn, waiting)
    if part is None:
        raise AreaNotFound
    scope = principal.scope()
    if not any(scope.covers(code) for code in part.successors):
        raise AreaNotFound
    return tuple(part.successors)


async def check_settled(conn: AsyncConnection, commune: str, on: dt.date) -> None:
    """Refuse a file for a commune while households may belong to it that nobody has assigned.

    A file that does not name them by our identifier would enter each of them a second time.
    """
    number = await store.reorganisations.unsettled(conn, commune, on)
    if number:
        raise Refused(
            "area-choice-wanted",
            f"Còn {number} hộ của xã cũ chưa phân địa bàn có thể thuộc xã này; hãy phân địa bàn trước khi nhập"
            " tệp.",
            f"{number} households of a former commune are not assigned and may belong here; assign them before"
            " a file is imported.",
        )


async def choose(conn: AsyncConnection, principal: Principal, choice: Choice) -> int:
    """Assign waiting households to a successor of their commune, from the day of the division on.

    Who assigns is responsible for all successors: nobody takes for one what may be another one's. Raises
    `AreaNotFound`, `OutsideArea`, `NothingWaits`, and the domain's `Refused`.
    """
    successors = await divided(conn, principal, choice.waiting)
    if choice.successor not in successors:
        raise Refused(
            "successor-of-another",
            f"Xã {choice.successor} không được lập từ xã cũ này; chọn một trong {', '.join(successors)}.",
            f"{choice.successor} was not made from this commune; choose one of {', '.join(successors)}.",
            "body.successor",
        )
    await reorganised.refresh(conn)
    _check_all(principal, successors)
    found = await store.reorganisations.waiting(conn, choice.waiting, choice.households, choice.villages)
    wanted = set(choice.households or ())
    if not found or (wanted and wanted != {going.household_id for going, _ in found}):
        raise NothingWaits
    book_of = [going.household_id for going, _ in found]
    book = await histories.hold(conn, book_of)
    for going, fact in found:
        village = await reorganisations.village_for(conn, going, choice.successor)
        to = place_on(choice.successor, village, going.on)
        taking = Taking(going.household_id, going.on, Moved(to, going.predecessor), corrects=fact)
        told, _ = await histories.record(conn, book, taking, Evidence())
        await store.reorganisations.chosen(conn, going, choice.successor, told, principal.subject)
        await reorganisations.follow_on(conn, going.household_id, [(choice.successor, going.on)])
    about = audit.About("household", book_of)
    detail = {"successor": choice.successor, "households": len(found)}
    await audit.record(conn, principal, "areas.chosen", "area", choice.waiting, detail, about=about)
    return len(found)


def _check_all(principal: Principal, successors: Collection[str]) -> None:
    scope = principal.scope()
    for code in successors:
        scope.check(code)
