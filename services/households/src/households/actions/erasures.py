"""Periods of retention, requests to erase, and erasing: each on record with who, when, why and by which paper."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock
from benvung.auth import Principal
from benvung.vault import Vault
from households import store
from households.actions.erasure_refusals import ErasureSettled, ErasureSubjectNotFound, RequestNotFound
from households.domain import Refused
from households.domain.retention import (
    LEGAL,
    Period,
    Subject,
    check_ground,
    check_over,
    in_use,
    period_on,
)
from households.store.erasing import Traces
from households.store.holidays import Document
from households.store.retention import Held


@dataclass(frozen=True, slots=True)
class About:
    """What is to be erased: a household, one of its members, or the rows of a file."""

    subject: Subject
    household_id: uuid.UUID | None = None
    member_id: uuid.UUID | None = None
    import_id: uuid.UUID | None = None

    def columns(self) -> dict[str, object]:
        """As a request keeps it."""
        return {
            "subject": self.subject.value,
            "household_id": self.household_id,
            "member_id": self.member_id,
            "import_id": self.import_id,
        }


async def load_period(
    conn: AsyncConnection,
    principal: Principal,
    *,
    subject: Subject,
    months: int,
    valid_from: dt.date,
    document: Document,
) -> uuid.UUID:
    """Load how long something is kept, from its document. It holds in the whole country, so does who loads it."""
    principal.scope().check_area(areas.COUNTRY)
    period_id = uuid.uuid4()
    values = {
        "subject": subject.value,
        "months": months,
        "valid_from": valid_from,
        "loaded_by": principal.subject,
    }
    await store.retention.load(conn, period_id, values, document)
    detail = {"subject": subject.value, "months": months, "document": document.number}
    await audit.record(conn, principal, "retention.loaded", "retention_period", str(period_id), detail)
    return period_id


async def ask(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    about: About,
    *,
    cause: str,
    received_on: dt.date,
    paper_number: str,
    paper_dated: dt.date,
    words: str | None,
) -> uuid.UUID:
    """Record that somebody asked for erasure, or that an office's own time is over.

    Asked twice while the first one waits, it is the same request. Raises `ErasureSubjectNotFound`.
    """
    held = await _held(conn, principal, about)
    if held.erased_on is not None:
        raise _erased_already(held.erased_on)
    waiting = await store.retention.open_request(conn, about.columns())
    if waiting is not None:
        return waiting
    request_id = uuid.uuid4()
    await store.retention.add(
        conn,
        {
            "id": request_id,
            "cause": cause,
            **about.columns(),
            "commune": held.commune,
            "received_on": received_on,
            "paper_number": paper_number,
            "paper_dated": paper_dated,
            "sealed": None if words is None else vault.seal(words),
            "recorded_by": principal.subject,
        },
    )
    detail = {"subject": about.subject.value, "cause": cause, "paper": paper_number}
    await audit.record(
        conn, principal, "erasure.asked", "erasure_request", str(request_id), detail, about=_touched(about)
    )
    return request_id


async def erase(
    conn: AsyncConnection, principal: Principal, vault: Vault, request_id: uuid.UUID, *, decision_number: str
) -> None:
    """Erase what a request is about, for good.

    Raises `RequestNotFound`, `ErasureSettled`, and the domain's `Refused` while no period is loaded, the subject is
    in the register, or its time is not over.
    """
    request = await _waiting(conn, principal, request_id)
    about = about_of(request)
    held = await _held(conn, principal, about)
    if held.erased_on is not None:
        raise _erased_already(held.erased_on)
    today = clock.today()
    period = period_on(await store.retention.periods(conn), about.subject, today)
    check_over(period, held.ended_on, today)
    await store.sealed.open_the_way(conn, "erased")
    if about.subject is Subject.IMPORT:
        assert about.import_id is not None, "the table says so"
        await store.erasing.erase_file(conn, about.import_id, today)
    else:
        await _erase_people(conn, vault, about, today)
    await _settle(conn, principal, request_id, period, today, decision_number)
    detail = {
        "subject": about.subject.value,
        "cause": request.cause,
        "paper": request.paper_number,
        "decision": decision_number,
        "period": period.document,
    }
    await audit.record(
        conn, principal, "erasure.done", "erasure_request", str(request_id), detail, about=_touched(about)
    )


async def _erase_people(conn: AsyncConnection, vault: Vault, about: About, today: dt.date) -> None:
    household_id, whole = about.household_id, about.subject is Subject.HOUSEHOLD
    assert household_id is not None, "the table says so"
    if await store.erasing.at_work(conn, household_id):
        raise in_use()
    member_ids = (
        await store.erasing.members_of(conn, household_id) if about.member_id is None else [about.member_id]
    )
    traces = await store.erasing.traces_of(conn, vault, household_id, member_ids, head=whole)
    if not whole:
        await _check_not_head(conn, vault, household_id, traces)
    await store.erasing.erase_rows_of(conn, vault, household_id, None if whole else member_ids, traces)
    await store.erasing.erase_log(conn, vault, [household_id, *member_ids] if whole else member_ids, traces)
    await store.erasing.erase_cause_texts(conn, vault, household_id, traces)
    await store.erasing.erase_members(conn, vault, member_ids, today)
    if whole:
        await store.erasing.erase_head(conn, vault, household_id, today)


async def _check_not_head(
    conn: AsyncConnection, vault: Vault, household_id: uuid.UUID, traces: Traces
) -> None:
    heads = await store.notices.heads(conn, [household_id])
    if any(traces.in_(vault.open(each)) for each in heads.values()):
        raise Refused(
            "member-still-head",
            "Sổ còn ghi người này là chủ hộ: hãy ghi chủ hộ mới trước khi xoá.",
            "The register still has this person as the household's head: record the new one first.",
            "member_id",
            LEGAL,
        )


async def refuse(
    conn: AsyncConnection, principal: Principal, request_id: uuid.UUID, *, ground: str, decision_number: str
) -> None:
    """Answer a request with no, on a ground of the list. Raises `RequestNotFound`, `ErasureSettled`, `Refused`."""
    request = await _waiting(conn, principal, request_id)
    check_ground(ground)
    await store.retention.settle(
        conn,
        request_id,
        {
            "state": "REFUSED",
            "ground": ground,
            "decided_on": clock.today(),
            "decided_by": principal.subject,
            "decision_number": decision_number,
        },
    )
    about = about_of(request)
    detail = {"subject": about.subject.value, "ground": ground, "decision": decision_number}
    await audit.record(
        conn, principal, "erasure.refused", "erasure_request", str(request_id), detail, about=_touched(about)
    )


def about_of(request: sa.Row[tuple[object, ...]]) -> About:
    """What a stored request is about."""
    values = request._asdict()
    return About(Subject(values["subject"]), values["household_id"], values["member_id"], values["import_id"])


async def _held(conn: AsyncConnection, principal: Principal, about: About) -> Held:
    held = await store.retention.hold(
        conn,
        about.subject,
        household_id=about.household_id,
        member_id=about.member_id,
        import_id=about.import_id,
    )
    if held is None or not principal.scope().covers(held.commune):
        raise ErasureSubjectNotFound
    return held


async def _waiting(
    conn: AsyncConnection, principal: Principal, request_id: uuid.UUID
) -> sa.Row[tuple[object, ...]]:
    request = await store.retention.request(conn, request_id, principal.scope(), lock=True)
    if request is None:
        raise RequestNotFound
    if request.state != "ASKED":
        raise ErasureSettled
    return request


async def _settle(  # noqa: PLR0917 -- who, what, by which period, when, by which paper
    conn: AsyncConnection,
    principal: Principal,
    request_id: uuid.UUID,
    period: Period,
    today: dt.date,
    decision_number: str,
) -> None:
    values = {
        "state": "ERASED",
        "period": period.sequence,
        "decided_on": today,
        "decided_by": principal.subject,
        "decision_number": decision_number,
        # What was asked, in words, may name whom it was about.
        "sealed": None,
    }
    await store.retention.settle(conn, request_id, values)


def _touched(about: About) -> audit.About:
    return audit.About("household", [about.household_id] if about.household_id else [])


def _erased_already(on: dt.date) -> Refused:
    return Refused(
        "erased-already",
        f"Dữ liệu này đã được xoá ngày {on:%d/%m/%Y}.",
        f"This was erased on {on.isoformat()}.",
        "subject",
        LEGAL,
    )
