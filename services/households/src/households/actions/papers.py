"""What stands on the papers that a commune gives out: the certificate of a household, the notice that is posted."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock
from benvung.auth import Principal
from benvung.vault import Vault
from households import store
from households.actions.decisions import hold_review
from households.actions.households import check_village
from households.actions.refusals import HouseholdNotFound, NoticeNotFound, NoticeOver
from households.domain import HouseholdClass, Refused, label
from households.domain.cycle import Moved
from households.domain.identity import Sex
from households.domain.income import BY_INCOME
from households.domain.lists import code_list
from households.domain.procedure_terms import ProcedureKind
from households.domain.procedures import get_procedure
from households.domain.rosters import roster
from households.domain.terms import ReviewKind, Stage
from households.domain.workdays import work_calendar
from households.papers import certificate_form, notice_form
from households.store.reviews import Review

AHEAD = dt.timedelta(days=30)
"""How long before its first day a notice may be made."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper to be typeset: its template, and what is filled in."""

    template: str
    given: dict[str, Any]


async def certificate(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    household_id: uuid.UUID,
    *,
    number: str | None,
    issued_on: dt.date | None,
    purpose: str,
) -> Paper:
    """The certificate of a household that is poor or near-poor now. What is not given is left to be filled in by hand.

    Raises `HouseholdNotFound`, and the domain's `Refused` for a class that has no certificate.
    """
    row = await store.households.find(conn, household_id, principal.scope())
    if row is None:
        raise HouseholdNotFound
    on = issued_on or clock.today()
    found = row.poverty_class and HouseholdClass(row.poverty_class)
    form = certificate_form(found if row.status == "ACTIVE" else None, on)
    decision = _decision(await store.decisions.of_household(conn, household_id))
    facts = (await store.members.facts_of_many(conn, vault, [household_id])).get(household_id, [])
    members = sorted(roster(facts, on), key=lambda member: not member.is_head)
    head = next((member for member in members if member.is_head), None)
    ethnicity, relation = code_list("ethnicity"), code_list("relation")
    villages = {each.code: each.name for each in await store.places.villages_of(conn, row.commune)}
    place = _place(row.commune, on)
    year = decision.year if decision is not None else on.year
    given = {
        **place,
        "title": form.titles[HouseholdClass(row.poverty_class)],
        "number": f"{number or '……'}/{form.mark}",
        "day": _day(issued_on, on.year),
        "grounds": list(form.grounds),
        "review": f"{'hằng năm' if decision is None or decision.kind == 'ANNUAL' else 'thường xuyên'} {year}",
        "decision": _decision_words(decision),
        "head": vault.open(row.head_name),
        "ethnicity": ethnicity.label(head.ethnicity) if head and head.ethnicity else "",
        "head_number": (head.number or "") if head else "",
        "address": ", ".join([villages.get(row.village, row.village), *_above(row.commune, on)]),
        "class_words": label(HouseholdClass(row.poverty_class)).lower(),
        "year": str(year),
        "since": f"{row.class_since:%d/%m/%Y}" if row.class_since else "……",
        "members": [
            {
                "name": member.name,
                "ethnicity": ethnicity.label(member.ethnicity) if member.ethnicity else "",
                "relation": relation.label(member.relation),
                "male": str(member.birth.year) if member.sex is Sex.MALE else "",
                "female": str(member.birth.year) if member.sex is Sex.FEMALE else "",
            }
            for member in members
        ],
    }
    detail = {"class": row.poverty_class, "numbered": number is not None, "purpose": purpose}
    await audit.record(conn, principal, "certificate.printed", "household", str(household_id), detail)
    return Paper(form.template, given)


def _decision(found: Sequence[sa.Row[Any]]) -> sa.Row[Any] | None:
    standing = [each for each in found if each.stands and each.stage == "OFFICIAL"]
    return max(standing, key=lambda each: (each.valid_from, each.sequence), default=None)


def _decision_words(decision: sa.Row[Any] | None) -> str:
    if decision is None or not decision.decision_number:
        return ""
    return f"{decision.decision_number} ngày {decision.decided_on:%d/%m/%Y}"


async def post_notice(
    conn: AsyncConnection,
    principal: Principal,
    review_id: uuid.UUID,
    *,
    village: str,
    posted_on: dt.date,
    number: str | None,
) -> uuid.UUID:
    """Make the notice of what a review found in a village, for the working days that the procedure says.

    Raises `ReviewNotFound`, `OutsideArea`, `ReviewClosed`, `VillageUnknown`, and the domain's `Refused`.
    """
    review = await hold_review(conn, principal, review_id)
    await check_village(conn, review.commune, village, posted_on, "body.village")
    if posted_on > clock.today() + AHEAD:
        raise Refused(
            "posting-too-far-ahead",
            f"Ngày niêm yết không thể sau hôm nay quá {AHEAD.days} ngày.",
            f"A notice is not made more than {AHEAD.days} days ahead.",
            "posted_on",
        )
    procedure = get_procedure(ProcedureKind(review.kind), posted_on)
    found = await store.notices.found_in(conn, review_id, village)
    if not found:
        raise Refused(
            "nothing-to-post",
            "Kỳ rà soát chưa có kết quả nào của thôn này để niêm yết.",
            "The review has no result of this village to be posted.",
            "village",
            procedure.posting.legal,
        )
    listed = [
        {"household": str(row.household_id), "class": row._asdict()["class"], "before": row.previous_class}
        for row in found
    ]
    notice_id = await store.notices.add(
        conn,
        {
            "review_id": review_id,
            "commune": review.commune,
            "village": village,
            "number": number,
            "posted_on": posted_on,
            "posted_until": procedure.posted_until(posted_on, work_calendar()),
            "working_days": procedure.posting.days,
            "procedure": procedure.version,
            "listed": listed,
            "posted_by": principal.subject,
        },
    )
    detail = {"review": str(review_id), "village": village, "households": len(listed)}
    about = audit.About("household", (row.household_id for row in found))
    await audit.record(conn, principal, "notice.posted", "notice", str(notice_id), detail, about=about)
    return notice_id


async def keep_notice(
    conn: AsyncConnection,
    principal: Principal,
    review: Review,
    moved: Moved,
    subjects: Mapping[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]],
) -> None:
    """Keep the notice of results that were just hung out in a village, until its last day. By income there is none."""
    cycle, entry = moved.cycle, moved.entry
    if review.procedure in BY_INCOME or not entry.case_ids:
        return
    found = [(subjects[each][0], cycle.cases[each]) for each in entry.case_ids]
    listed = [
        {"household": str(household), "class": case.finding, "before": case.listed_class}
        for household, case in found
    ]
    values = {
        "review_id": review.id,
        "commune": review.commune,
        "village": cycle.place,
        # The form of the notice itself ends the number with who issued it.
        "number": entry.paper and entry.paper.number.partition("/")[0].strip(),
        "posted_on": entry.on,
        "posted_until": cycle.posted_until,
        "working_days": cycle.procedure.posting.days,
        "procedure": cycle.procedure.version,
        "listed": listed,
        "posted_by": principal.subject,
    }
    notice_id = await store.notices.add(conn, values)
    detail = {"review": str(review.id), "village": cycle.place, "households": len(listed)}
    about = audit.About("household", (household for household, _ in found))
    await audit.record(conn, principal, "notice.posted", "notice", str(notice_id), detail, about=about)


async def notice(
    conn: AsyncConnection, principal: Principal, vault: Vault, notice_id: uuid.UUID, purpose: str
) -> Paper:
    """The notice: heads' names and village by list, and nothing else that is known of them.

    Raises `NoticeNotFound`, and `NoticeOver` once its days have passed.
    """
    row = await store.notices.find(conn, notice_id, principal.scope())
    if row is None:
        raise NoticeNotFound
    if clock.today() > row.posted_until:
        raise NoticeOver(row.posted_until)
    form = notice_form()
    lists = [(title, [uuid.UUID(each["household"]) for each in row.listed if _stands(each, classes, before)])
             for title, classes, before in _LISTS]  # fmt: skip
    ids = sorted({each for _, listed in lists for each in listed})
    heads = await store.notices.heads(conn, ids)
    names = {each: vault.open(sealed) for each, sealed in heads.items()}
    villages = {each.code: each.name for each in await store.places.villages_of(conn, row.commune)}
    kind, stage = label(ReviewKind(row.kind)).lower(), label(Stage(row.stage)).lower()
    given = {
        **_place(row.commune, row.posted_on),
        "title": form.title,
        "subject": f"Niêm yết công khai kết quả rà soát hộ nghèo, hộ cận nghèo năm {row.year}",
        "number": f"{row.number or '……'}/TB-UBND",
        "day": _day(row.posted_on, row.posted_on.year),
        "grounds": list(form.grounds),
        "review": f"{kind} năm {row.year} ({stage})",
        "village": villages.get(row.village, row.village),
        "days": row.working_days,
        "from": f"{row.posted_on:%d/%m/%Y}",
        "until": f"{row.posted_until:%d/%m/%Y}",
        "lists": [
            {"title": title, "rows": sorted(names[each] for each in listed if each in names)}
            for title, listed in lists
        ],
    }
    about = audit.About("household", ids)
    detail = {"households": len(ids), "purpose": purpose}
    await audit.record(conn, principal, "notice.printed", "notice", str(notice_id), detail, about=about)
    return Paper(form.template, given)


_LISTS = (
    ("I. Hộ nghèo", ("POOR",), None),
    ("II. Hộ cận nghèo", ("NEAR_POOR",), None),
    ("III. Hộ thoát nghèo", ("NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"), "POOR"),
    ("IV. Hộ thoát cận nghèo", ("AVERAGE_LIVING", "NOT_POOR"), "NEAR_POOR"),
)


def _stands(listed: dict[str, Any], classes: tuple[str, ...], before: str | None) -> bool:
    return listed["class"] in classes and (before is None or listed["before"] == before)


def _place(commune: str, on: dt.date) -> dict[str, str]:
    """The authority as the head of a paper names it, and the place before the day: the name without its kind."""
    unit = areas.find(commune, on)
    name = unit.name if unit else commune
    kinds = ("xã ", "phường ", "thị trấn ")
    lowered = name[:1].lower() + name[1:]
    kind = next((each for each in kinds if lowered.startswith(each)), "")
    bare = lowered[len(kind) :] if kind else name
    return {"authority": f"{kind}{bare}" if kind else name, "place": bare}


def _above(commune: str, on: dt.date) -> list[str]:
    """The commune and what lies above it, up to the province."""
    return [unit.name for unit in reversed(areas.path(commune, on)) if unit.level is not areas.Level.COUNTRY]


def _day(day: dt.date | None, year: int) -> str:
    """The day as papers write it: two digits for days below 10 and for January and February."""
    if day is None:
        return f"ngày …… tháng …… năm {year}"
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"
