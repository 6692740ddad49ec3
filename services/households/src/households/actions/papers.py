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
from households.actions.paper_refusals import NoticeNotFound, NoticeOver, NoticeReplaced
from households.actions.refusals import HouseholdNotFound
from households.domain import HouseholdClass, label
from households.domain.cycle import Moved
from households.domain.identity import Sex
from households.domain.income import BY_INCOME
from households.domain.lists import code_list
from households.domain.procedure_terms import CaseState
from households.domain.rosters import roster
from households.domain.terms import ReviewKind, Stage
from households.papers import certificate_form, notice_form
from households.store.reviews import Review


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
    # Posted again, it takes the place of a notice whose other results may still have days to hang.
    found = [
        (subjects[each][0], case, case.posted_until)
        for each, case in cycle.cases.items()
        if case.state is CaseState.POSTED and case.posted_until is not None and case.posted_until >= entry.on
    ]
    listed = [
        {
            "household": str(household),
            "class": case.finding,
            "before": case.listed_class,
            "until": until.isoformat(),
        }
        for household, case, until in found
    ]
    values = {
        "review_id": review.id,
        "commune": review.commune,
        "village": cycle.place,
        "entry": cycle.entries,
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
    about = audit.About("household", (household for household, *_ in found))
    await audit.record(conn, principal, "notice.posted", "notice", str(notice_id), detail, about=about)


async def notice(
    conn: AsyncConnection, principal: Principal, vault: Vault, notice_id: uuid.UUID, purpose: str
) -> Paper:
    """The notice: heads' names and village by list, and nothing else that is known of them.

    Raises `NoticeNotFound`; `NoticeOver` once its days have passed, and `NoticeReplaced` once another one hangs.
    """
    row = await store.notices.find(conn, notice_id, principal.scope())
    if row is None:
        raise NoticeNotFound
    if clock.today() > row.posted_until:
        raise NoticeOver(row.posted_until)
    if row.replaced:
        raise NoticeReplaced
    form, today = notice_form(), clock.today().isoformat()
    hanging = [each for each in row.listed if each.get("until", today) >= today]
    lists = [(title, [uuid.UUID(each["household"]) for each in hanging if _stands(each, classes, before)])
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
