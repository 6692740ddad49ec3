"""A household's own story: it is registered, arrives, moves, and ends."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock, outbox
from benvung.auth import Principal, Scope
from benvung.etags import Believed
from benvung.vault import Vault
from households import domain, store
from households.actions import histories, reorganisations, tell
from households.actions.areas import place_on
from households.actions.book import Taking
from households.actions.histories import Evidence
from households.actions.refusals import HouseholdChanged, HouseholdNotFound, VillageUnknown
from households.domain import ClosureReason, HouseholdClass, HouseholdState, Place, Status
from households.domain.history import Closed, Moved
from households.domain.reorganisation import check_assigned
from households.domain.retention import check_not_erased
from households.store.households import Person
from households.store.tellings import Change, Told


@dataclass(frozen=True, slots=True)
class Household:
    """A household as a person enters it."""

    commune: str
    village: str
    code: str | None
    head_name: str
    head_sex: str | None
    indigenous: bool | None
    members: int


async def _place(
    conn: AsyncConnection, scope: Scope, commune: str, village: str, on: dt.date, *, prefix: str = ""
) -> Place:
    place = place_on(commune, village, on, f"body.{prefix}commune")
    scope.check(commune)
    await check_village(conn, commune, village, on, f"body.{prefix}village")
    return place


async def check_village(conn: AsyncConnection, commune: str, village: str, on: dt.date, field: str) -> None:
    """Raise `VillageUnknown` unless the commune has this village on that day."""
    if not await store.places.village_exists(conn, commune, village, on):
        raise VillageUnknown(village, field)


def person(vault: Vault, household: Household) -> Person:
    """The sealed side of a household as it is entered."""
    return Person(
        vault.seal(household.head_name),
        vault.fingerprint(household.head_name),
        store.search.keys_of_name(vault, household.head_name),
        household.head_sex,
        None if household.indigenous is None else vault.seal(str(household.indigenous)),
    )


async def _write(conn: AsyncConnection, recorded: Sequence[Change]) -> None:
    """Store a fact that came in time, told by one event or, a move, by two."""
    await store.tellings.add_changes(conn, recorded)
    await store.tellings.add(
        conn,
        [
            Told(
                each.sequence,
                recorded[0].sequence,
                leg,
                each.kind,
                None,
                # A registration has no day in law: it holds before whatever is decided.
                dt.date.min if each.kind == "REGISTERED" else each.on,
                each.state,
                each.outcome,
            )
            for leg, each in enumerate(recorded)
        ],
    )


async def register(
    conn: AsyncConnection, principal: Principal, vault: Vault, household: Household
) -> uuid.UUID:
    """Enter a household that no review has seen yet; it has no class.

    Raises `CommuneUnknown`, `OutsideArea`, `VillageUnknown`, and the domain's `Refused`.
    """
    place = await _place(conn, principal.scope(), household.commune, household.village, clock.today())
    household_id = uuid.uuid4()
    outcome = domain.register(household_id, place, household.members)
    await store.households.enter(conn, outcome.state, household.code, person(vault, household))
    [sequence] = await outbox.publish(conn, [tell.registered(outcome.state)])
    registered = Change(sequence, "REGISTERED", clock.today(), outcome.state, outcome, "REGISTERED")
    await _write(conn, [registered])
    await audit.record(conn, principal, "household.registered", "household", str(household_id))
    return household_id


async def arrive(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    household: Household,
    *,
    household_class: HouseholdClass,
    standard: str,
    on: dt.date,
    certificate: str | None,
    from_commune: str | None,
) -> uuid.UUID:
    """Enter a household that comes from outside the register, with the class it was given there.

    Raises as `register`.
    """
    place = await _place(conn, principal.scope(), household.commune, household.village, on)
    household_id = uuid.uuid4()
    outcome = domain.arrive(
        household_id,
        place,
        household.members,
        household_class=household_class,
        standard=domain.get_standard(standard),
        on=on,
        certificate=certificate,
    )
    await store.households.enter(conn, outcome.state, household.code, person(vault, household))
    [sequence] = await outbox.publish(conn, [tell.arrived(outcome, "ARRIVED", from_commune)])
    await _write(
        conn, [Change(sequence, "ARRIVED", on, outcome.state, outcome, "ARRIVED", from_commune, certificate)]
    )
    await reorganisations.follow_on(conn, household_id, [(household.commune, on)])
    await audit.record(conn, principal, "household.arrived", "household", str(household_id))
    return household_id


async def held(
    conn: AsyncConnection, scope: Scope, household_id: uuid.UUID, believed: Believed
) -> store.households.Held:
    """The household, locked with all that come from it.

    Raises `HouseholdNotFound`, `OutsideArea`, `HouseholdChanged`, and the domain's `Refused` while it waits
    for its commune.
    """
    found = (await store.households.hold(conn, [household_id])).get(household_id)
    if found is None:
        raise HouseholdNotFound
    scope.check(found.commune)
    check_assigned(found.commune)
    check_not_erased(erased=found.erased)
    believed.check(found.version, HouseholdChanged)
    return found


async def _held(
    conn: AsyncConnection, scope: Scope, household_id: uuid.UUID, on: dt.date, believed: Believed
) -> HouseholdState:
    found = await held(conn, scope, household_id, believed)
    return found.state(place_on(found.commune, "", on, "body.on").area_type)


async def _record_late(conn: AsyncConnection, scope: Scope, taking: Taking) -> HouseholdState:
    """Take a change that others follow into the household's history; returns the state of today."""
    book = await histories.hold(conn, [taking.household_id])
    scope.check(book.on(taking.household_id, taking.on).commune)
    _, outcome = await histories.record(conn, book, taking, Evidence())
    return outcome.state


async def move(
    conn: AsyncConnection,
    principal: Principal,
    household_id: uuid.UUID,
    *,
    to_commune: str,
    to_village: str,
    to_code: str | None,
    on: dt.date,
    believed: Believed,
) -> None:
    """Move a household to another commune of the register; both places are told, the old one first.

    The officer of the commune it leaves records it. A code counts in one village's list only, so the old
    one is not taken along. Raises `HouseholdNotFound`, `OutsideArea`,
    `HouseholdChanged`, `CommuneUnknown`, `VillageUnknown`, and the domain's `Refused`.
    """
    state = await _held(conn, principal.scope(), household_id, on, believed)
    to = place_on(to_commune, to_village, on, "body.to_commune")
    await check_village(conn, to_commune, to_village, on, "body.to_village")
    if domain.comes_late(state, on):
        today = await _record_late(conn, principal.scope(), Taking(household_id, on, Moved(to)))
    else:
        today = await _move_in_time(conn, state, to, on)
    if today.village == to_village:
        await store.households.give_code(conn, household_id, to_code)
    await audit.record(conn, principal, "household.moved", "household", str(household_id), {"to": to_commune})


async def _move_in_time(
    conn: AsyncConnection, state: HouseholdState, to: Place, on: dt.date
) -> HouseholdState:
    moved = domain.move(state, to, on)
    left, arrived = moved.left, moved.arrived
    sequences = await outbox.publish(
        conn, [tell.left(left, "MOVED", to.commune), tell.arrived(arrived, "MOVED", state.commune)]
    )
    await store.households.update(conn, [arrived.state])
    await _write(
        conn,
        [
            Change(sequences[0], "LEFT", on, left.state, left, "MOVED", to.commune),
            Change(sequences[1], "ARRIVED", on, arrived.state, arrived, "MOVED", state.commune),
        ],
    )
    await reorganisations.follow_on(conn, state.household_id, [(to.commune, on)])
    return arrived.state


async def close(
    conn: AsyncConnection,
    principal: Principal,
    household_id: uuid.UUID,
    *,
    reason: ClosureReason,
    on: dt.date,
    believed: Believed,
) -> None:
    """End a household, or note that it left the register; it gives up its class.

    Raises `HouseholdNotFound`, `OutsideArea`, `HouseholdChanged`, and the domain's `Refused`.
    """
    state = await _held(conn, principal.scope(), household_id, on, believed)
    if domain.comes_late(state, on):
        await _record_late(conn, principal.scope(), Taking(household_id, on, Closed(reason)))
    else:
        await _close_in_time(conn, state, reason, on)
    await audit.record(
        conn, principal, "household.closed", "household", str(household_id), {"reason": reason.value}
    )


async def _close_in_time(
    conn: AsyncConnection, state: HouseholdState, reason: ClosureReason, on: dt.date
) -> None:
    outcome = domain.close(state, reason, on)
    gone = outcome.state.status is Status.LEFT
    event = tell.left(outcome, reason.value, None) if gone else tell.closed(outcome, reason.value)
    [sequence] = await outbox.publish(conn, [event])
    await store.households.update(conn, [outcome.state])
    kind = "LEFT" if gone else "CLOSED"
    await _write(conn, [Change(sequence, kind, on, outcome.state, outcome, reason.value)])
