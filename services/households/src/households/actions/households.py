"""A household's own story: it is registered, arrives, moves, and ends."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock, outbox
from benvung.auth import Principal, Scope
from benvung.etags import Believed
from benvung.vault import Vault
from households import domain, store
from households.actions import tell
from households.actions.areas import place_on
from households.actions.refusals import HouseholdChanged, HouseholdNotFound, VillageUnknown
from households.domain import ClosureReason, HouseholdClass, HouseholdState, Place, Status
from households.store.households import Person


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
    await _check_village(conn, commune, village, f"body.{prefix}village")
    return place


async def _check_village(conn: AsyncConnection, commune: str, village: str, field: str) -> None:
    if not await store.places.village_exists(conn, commune, village):
        raise VillageUnknown(village, field)


def _person(vault: Vault, household: Household) -> Person:
    return Person(
        vault.seal(household.head_name),
        vault.fingerprint(household.head_name),
        store.search.keys_of_name(vault, household.head_name),
        household.head_sex,
        None if household.indigenous is None else vault.seal(str(household.indigenous)),
    )


async def register(
    conn: AsyncConnection, principal: Principal, vault: Vault, household: Household
) -> uuid.UUID:
    """Enter a household that no review has seen yet; it has no class.

    Raises `CommuneUnknown`, `OutsideArea`, `VillageUnknown`, and the domain's `Refused`.
    """
    place = await _place(conn, principal.scope(), household.commune, household.village, clock.today())
    household_id = uuid.uuid4()
    state = domain.register(household_id, place, household.members).state
    await store.households.enter(conn, state, household.code, _person(vault, household))
    await outbox.publish(conn, [tell.registered(state)])
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
    await store.households.enter(conn, outcome.state, household.code, _person(vault, household))
    [sequence] = await outbox.publish(conn, [tell.arrived(outcome, "ARRIVED", from_commune)])
    await store.decisions.write_change(
        conn,
        "ARRIVED",
        sequence,
        outcome,
        reason="ARRIVED",
        other_commune=from_commune,
        certificate=certificate,
    )
    await audit.record(conn, principal, "household.arrived", "household", str(household_id))
    return household_id


async def _held(
    conn: AsyncConnection,
    scope: Scope,
    household_id: uuid.UUID,
    on: dt.date,
    believed: Believed,
) -> HouseholdState:
    """The household, locked, with its commune's type on the day. Raises `HouseholdNotFound`, `OutsideArea`."""
    held = await store.households.lock_one(conn, household_id)
    if held is None:
        raise HouseholdNotFound
    scope.check(held.commune)
    believed.check(held.version, HouseholdChanged)
    return held.state(place_on(held.commune, "", on, "body.on").area_type)


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
    await _check_village(conn, to_commune, to_village, "body.to_village")
    moved = domain.move(state, to, on)
    left, arrived = moved.left, moved.arrived
    sequences = await outbox.publish(
        conn, [tell.left(left, "MOVED", to_commune), tell.arrived(arrived, "MOVED", state.commune)]
    )
    await store.households.update(conn, [arrived.state])
    await store.households.give_code(conn, household_id, to_code)
    await store.decisions.write_change(
        conn, "LEFT", sequences[0], left, reason="MOVED", other_commune=to_commune
    )
    await store.decisions.write_change(
        conn, "ARRIVED", sequences[1], arrived, reason="MOVED", other_commune=state.commune
    )
    await audit.record(conn, principal, "household.moved", "household", str(household_id), {"to": to_commune})


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
    outcome = domain.close(state, reason, on)
    gone = outcome.state.status is Status.LEFT
    event = tell.left(outcome, reason.value, None) if gone else tell.closed(outcome, reason.value)
    [sequence] = await outbox.publish(conn, [event])
    await store.households.update(conn, [outcome.state])
    await store.decisions.write_change(
        conn, "LEFT" if gone else "CLOSED", sequence, outcome, reason=reason.value
    )
    await audit.record(
        conn, principal, "household.closed", "household", str(household_id), {"reason": reason.value}
    )
