"""The groups of policy a household belongs to, by its members."""

import datetime as dt
import uuid
from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import Field

from benvung import audit, clock, problems
from benvung.db import Conn
from households import store
from households.actions.refusals import HouseholdNotFound
from households.api.fields import Keys, Lang, Reader, Shown
from households.api.members import HouseholdId, On
from households.api.persons import NoticeShown
from households.domain import Cohort, Member, Refused
from households.domain.cohorts import COHORT_LABELS, Membership, memberships
from households.domain.persons import ethnic_minority, has_merit
from households.domain.rosters import roster

router = APIRouter(prefix="/v1", tags=["members"])


class CohortShown(Shown):
    """Whether a household belongs to a group of policy, or by name what is missing to say so."""

    cohort: str = Field(examples=["CHILDREN_UNDER_16"])
    label: str = Field(examples=["Trẻ em dưới 16 tuổi"])
    belongs: bool | None = Field(description="null = it cannot be said, see `refusal`", examples=[True])
    members: list[uuid.UUID] = Field(description="who makes it so")
    assumed: bool = Field(description="an age was assumed where only the year of birth is known")
    refusal: NoticeShown | None


class CohortsShown(Shown):
    """The groups of policy of a household on a day, by its members."""

    household_id: uuid.UUID
    on: dt.date
    ethnic_minority: bool | None = Field(description="by the head; null = not asked", examples=[True])
    merit: bool | None = Field(description="null = somebody was not asked", examples=[False])
    cohorts: list[CohortShown]


@router.get("/households/{household_id}/cohorts", responses=problems.responses(HouseholdNotFound))
async def cohorts(
    *, household_id: HouseholdId, principal: Reader, conn: Conn, vault: Keys, lang: Lang, on: On = None
) -> CohortsShown:
    """The groups of policy a household belongs to on a day. Reading them is recorded."""
    day = on or clock.today()
    if await store.households.find(conn, household_id, principal.scope()) is None:
        raise HouseholdNotFound
    known = [each.fact for each in await store.members.facts_of(conn, vault, household_id)]
    await audit.record(conn, principal, "household.cohorts_read", "household", str(household_id))
    people = roster(known, day)
    return CohortsShown(
        household_id=household_id,
        on=day,
        ethnic_minority=ethnic_minority(people),
        merit=has_merit(people) if people else None,
        cohorts=_cohorts(people, day, lang),
    )


def _cohorts(people: Sequence[Member], on: dt.date, lang: Lang) -> list[CohortShown]:
    nobody = Refused(
        "members-not-entered",
        "Hộ chưa có danh sách thành viên vào ngày này.",
        "The household has no list of members for this day.",
        "members",
    )
    return [
        _cohort(cohort, found if people else nobody, lang)
        for cohort, found in memberships(people, on).items()
    ]


def _cohort(cohort: Cohort, found: Membership | Refused, lang: Lang) -> CohortShown:
    words = COHORT_LABELS[cohort][0 if lang == "vi" else 1]
    if isinstance(found, Refused):
        message = found.message_vi if lang == "vi" else found.message_en
        missing = NoticeShown(rule=found.rule, message=message, field=found.field, member_id=None)
        return CohortShown(
            cohort=cohort, label=words, belongs=None, members=[], assumed=False, refusal=missing
        )
    return CohortShown(
        cohort=cohort,
        label=words,
        belongs=found.belongs,
        members=list(found.members),
        assumed=found.assumed,
        refusal=None,
    )
