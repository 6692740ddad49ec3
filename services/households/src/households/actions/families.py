"""Households that split, merge, come back, or have more or fewer members: what each once was goes with it.

All of these may come late, so each is taken into the whole history of the households concerned.
"""

import datetime as dt
import uuid

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit
from benvung.auth import Principal
from benvung.etags import Believed
from benvung.vault import Vault
from households import domain, store
from households.actions import histories
from households.actions.areas import place_on
from households.actions.book import Book, Taking
from households.actions.histories import Evidence
from households.actions.households import Household, check_village, held, person
from households.actions.refusals import HouseholdNotFound
from households.domain import ClosureReason, HouseholdClass, HouseholdState, SizeReason, lineage
from households.domain.history import Arrived, Closed, Resized, SplitOff


async def change_members(
    conn: AsyncConnection,
    principal: Principal,
    household_id: uuid.UUID,
    *,
    members: int,
    reason: SizeReason,
    on: dt.date,
    believed: Believed,
) -> None:
    """Note that a household has more or fewer members without a decision.

    Raises `HouseholdNotFound`, `OutsideArea`, `HouseholdChanged`, and the domain's `Refused`.
    """
    await held(conn, principal.scope(), household_id, believed)
    book = await histories.hold(conn, [household_id])
    before = _then(principal, book, household_id, on)
    lineage.check_resize(before.members, members, reason)
    await histories.record(conn, book, Taking(household_id, on, Resized(members, reason)), Evidence())
    detail = {"reason": reason.value, "members": members}
    await audit.record(conn, principal, "household.resized", "household", str(household_id), detail)


async def split(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    household_id: uuid.UUID,
    part: Household,
    *,
    on: dt.date,
    believed: Believed,
) -> uuid.UUID:
    """Make a part of a household one of its own, in the same commune; it keeps the class and the past.

    Raises as `change_members`, and `VillageUnknown`.
    """
    await held(conn, principal.scope(), household_id, believed)
    book = await histories.hold(conn, [household_id])
    before = _then(principal, book, household_id, on)
    stay = lineage.remaining(before.members, part.members)
    place = place_on(before.commune, part.village, on, "body.village")
    await check_village(conn, before.commune, part.village, on, "body.village")
    cause, _ = await histories.record(
        conn, book, Taking(household_id, on, Resized(stay, SizeReason.SPLIT)), Evidence()
    )
    past = _before(book, household_id, cause)
    new = uuid.uuid4()
    fact, _ = await histories.record(
        conn,
        book,
        Taking(new, on, SplitOff(place, part.members, lineage.heritage(past)), elsewhere=before.commune),
        Evidence(enters=(part.code, person(vault, part))),
    )
    await store.tellings.link(conn, [(new, household_id, "SPLIT_FROM", fact, cause)], on)
    about, detail = audit.About("household", [new]), {"with": str(new)}
    await audit.record(
        conn, principal, "household.split", "household", str(household_id), detail, about=about
    )
    return new


async def merge(
    conn: AsyncConnection,
    principal: Principal,
    household_id: uuid.UUID,
    merged_id: uuid.UUID,
    *,
    on: dt.date,
    believed: Believed,
) -> None:
    """Make another household of the commune a part of this one; the other ends.

    Raises as `change_members`.
    """
    both = await store.households.hold(conn, [household_id, merged_id])
    if merged_id not in both:
        raise HouseholdNotFound
    await held(conn, principal.scope(), household_id, believed)
    principal.scope().check(both[merged_id].commune)
    book = await histories.hold(conn, [household_id, merged_id])
    into = _then(principal, book, household_id, on)
    members = lineage.joined(into, _then(principal, book, merged_id, on))
    cause, _ = await histories.record(
        conn, book, Taking(merged_id, on, Closed(ClosureReason.MERGED)), Evidence()
    )
    past = _before(book, merged_id, cause)
    grown = Resized(members, SizeReason.MERGED, past.ever_poor, past.ever_near_poor)
    fact, _ = await histories.record(conn, book, Taking(household_id, on, grown), Evidence())
    await store.tellings.link(conn, [(household_id, merged_id, "MERGED_FROM", fact, cause)], on)
    about, detail = audit.About("household", [merged_id]), {"with": str(merged_id)}
    await audit.record(
        conn, principal, "household.merged", "household", str(household_id), detail, about=about
    )


async def come_back(
    conn: AsyncConnection,
    principal: Principal,
    household_id: uuid.UUID,
    *,
    commune: str,
    village: str,
    code: str | None,
    members: int,
    household_class: HouseholdClass,
    standard: str,
    certificate: str | None,
    from_commune: str | None,
    on: dt.date,
    believed: Believed,
) -> None:
    """Take a household that had left or ended into the register again; what it once was is not forgotten.

    Recorded by whoever is responsible both for the place that it left and for the one to which it comes.
    Raises as `change_members`, `CommuneUnknown` and `VillageUnknown`.
    """
    place = place_on(commune, village, on, "body.commune")
    principal.scope().check(commune)
    await check_village(conn, commune, village, on, "body.village")
    await held(conn, principal.scope(), household_id, believed)
    book = await histories.hold(conn, [household_id])
    departure = _departure(book, household_id, on)
    fact = Arrived(place, members, household_class, domain.get_standard(standard), certificate, again=True)
    sequence, outcome = await histories.record(
        conn,
        book,
        Taking(household_id, on, fact, elsewhere=from_commune),
        Evidence(certificate=certificate),
    )
    if departure is not None:
        link = (household_id, household_id, "RETURN_OF", sequence, departure)
        await store.tellings.link(conn, [link], on)
    if outcome.state.village == village:
        await store.households.give_code(conn, household_id, code)
    await audit.record(conn, principal, "household.returned", "household", str(household_id))


def _then(principal: Principal, book: Book, household_id: uuid.UUID, on: dt.date) -> HouseholdState:
    """The household on the day, of which the principal has to be responsible for that day's commune too."""
    then = book.on(household_id, on)
    principal.scope().check(then.commune)
    return then


def _before(book: Book, household_id: uuid.UUID, fact: int) -> HouseholdState:
    past = book.histories[household_id].before(fact)
    if past is None:
        raise LookupError(f"fact {fact} came into no household")
    return past


def _departure(book: Book, household_id: uuid.UUID, on: dt.date) -> int | None:
    """The fact by which the household was gone on that day."""
    gone = [
        each.sequence
        for each in book.histories[household_id].in_force()
        if each.on <= on and isinstance(each.fact, Closed)
    ]
    return gone[-1] if gone else None
