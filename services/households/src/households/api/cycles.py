"""A review in its villages: where each stands, who did what on which paper, and the next step."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, etags, paging, problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.etags import IfMatch
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from households import actions, store
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
from households.api.fields import (
    Day,
    Decider,
    Given,
    Keys,
    Lang,
    Name,
    Points,
    Reader,
    ShortText,
    Shown,
    VillageCode,
)
from households.domain import Refused
from households.domain.cycle import Act, Entry, Paper
from households.domain.procedure_terms import (
    Action,
    CaseState,
    PaperKind,
    Role,
    Signatory,
    Step,
    procedure_label,
)
from households.tables import review_cases, review_villages

router = APIRouter(prefix="/v1/reviews/{review_id}/villages", tags=["review steps"])

ReviewId = Annotated[uuid.UUID, Path(description="the review")]
Village = Annotated[VillageCode, Path()]
Voters = Annotated[int, Field(ge=0, le=100_000)]


class PaperGiven(Given):
    """The paper an act rests on."""

    kind: PaperKind
    number: ShortText = Field(examples=["12/BB"])
    dated: Day


class ActGiven(Given):
    """In which capacity somebody acted, when, and on which paper."""

    role: Role
    on: Day
    paper: PaperGiven | None = None

    def act(self, by: str) -> Act:
        """The same for the rules."""
        one = self.paper
        paper = None if one is None else Paper(one.kind, one.number, one.dated)
        return Act(by, self.role, self.on, paper)


class OpeningGiven(ActGiven):
    """A village in which the review begins."""

    village: VillageCode
    month: Annotated[int, Field(ge=1, le=12)] | None = Field(
        default=None, description="month of a regular review; empty for the annual one"
    )


class AnswerGiven(Given):
    """The written answer to a household that is not recognised."""

    household_id: uuid.UUID
    paper: PaperGiven
    reason: Name


class StepGiven(ActGiven):
    """One step. What a kind of step needs besides is asked for by its rule."""

    action: Action
    households: list[uuid.UUID] | None = Field(
        default=None, max_length=500, description="whom it concerns; each gets a line of its own"
    )
    screened_in: bool | None = Field(default=None, description="LIST: how form A came out")
    members: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="SCORE, RECHECK, CORRECT: with the points of the forms"
    )
    b1_points: Points | None = None
    b2_points: Points | None = None
    deprivations: list[ShortText] | None = Field(default=None, max_length=50)
    present: Voters | None = Field(default=None, description="HOLD_MEETING", examples=[40])
    agreeing: Voters | None = Field(default=None, description="HOLD_MEETING", examples=[31])
    agreeing_by_household: dict[uuid.UUID, Voters] | None = Field(
        default=None, description="HOLD_MEETING: results that had a vote of their own", examples=[{}]
    )
    copies: Annotated[int, Field(ge=0, le=100)] | None = Field(default=None, examples=[2])
    signed_by: list[Signatory] | None = Field(default=None, max_length=10)
    returned: list[uuid.UUID] | None = Field(
        default=None, max_length=500, description="GIVE_OPINION: whose results go back to the survey"
    )
    refusals: list[AnswerGiven] | None = Field(default=None, max_length=500, description="RECOGNISE")
    corrects: ShortText | None = Field(
        default=None, description="CORRECT: number of the decision in whose place the new one stands"
    )
    reason: Name | None = None

    def said(self) -> list[dict[str, Any]]:
        """What the act says, once, or once for each household."""
        values = self.model_dump(
            mode="json", exclude={"action", "role", "on", "paper", "households"}, exclude_none=True
        )
        if self.action in FOR_ONE:
            self._check_named()
            return [{**values, "household": str(each)} for each in self.households or ()]
        return [values]

    def _check_named(self) -> None:
        if not self.households or (self.action in SCORED and len(self.households) > 1):
            raise Refused(
                "households-not-named",
                "Phải nêu hộ; mỗi kết quả tính điểm, phúc tra, điều chỉnh chỉ cho một hộ.",
                "Name the households; a result of scoring, re-check or correction is one household's.",
                "households",
                "Quyết định 24/2021/QĐ-TTg, Điều 4",
            )
        if self.action in SCORED and (self.members is None or self.b1_points is None):
            raise Refused(
                "result-incomplete",
                "Thiếu số nhân khẩu hoặc điểm Phiếu B1.",
                "The number of members or the points of form B1 are missing.",
                "b1_points",
                "Quyết định 24/2021/QĐ-TTg, Điều 4 khoản 2",
            )


SCORED = frozenset({Action.SCORE, Action.RECHECK, Action.CORRECT})
FOR_ONE = SCORED | {
    Action.LIST, Action.SURVEY, Action.COMPLAIN, Action.WITHDRAW, Action.ISSUE_CERTIFICATE,
    Action.REVOKE_CERTIFICATE,
}  # fmt: skip


class ProgressShown(Shown):
    """Where a village stands."""

    review_id: uuid.UUID
    commune: str
    village: str
    procedure: str = Field(examples=["QD24-ANNUAL/1"])
    month: int | None
    state: Step
    state_label: str = Field(examples=["Họp dân để thống nhất kết quả rà soát"])
    round: int = Field(description="how often the survey was begun", examples=[1])
    version: int = Field(description="lines in the log", examples=[12])
    cases: int = Field(description="households on the list", examples=[38])
    last_on: dt.date
    posted_until: dt.date | None


def _progress(row: Row[Any], lang: Lang) -> ProgressShown:
    state = Step(row.state)
    return ProgressShown(**row._asdict() | {"state": state}, state_label=procedure_label(state, lang))


@router.post(
    "",
    status_code=201,
    responses=problems.responses(
        ReviewNotFound, ReviewClosed, VillageUnknown, CycleExists, ImportsUnfinished, OutsideArea
    ),
)
async def open_village(
    *,
    review_id: ReviewId,
    given: OpeningGiven,
    principal: Decider,
    conn: Conn,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> ProgressShown:
    """Begin the review in a village. From then on its results come from recognition alone."""
    if once.first:
        act = given.act(principal.subject)
        await actions.cycles.open_village(
            conn, principal, review_id, village=given.village, act=act, month=given.month
        )
    response.headers["Location"] = f"/v1/reviews/{review_id}/villages/{given.village}"
    return await _found(conn, principal, review_id, given.village, lang=lang, response=response)


@router.get("", responses=problems.responses(CursorUnknown))
async def progress(
    *,
    review_id: ReviewId,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[ProgressShown]:
    """Where each village of the review stands."""
    columns = (review_villages.c.village,)
    query = paging.keyset(store.cycles.villages_query(principal.scope(), review_id), columns, after, limit)
    rows, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    return Page(items=[_progress(row, lang) for row in rows], next=following)


@router.get("/{village}", responses=etags.responses(CycleNotFound))
async def village(
    *, review_id: ReviewId, village: Village, principal: Reader, conn: Conn, lang: Lang, response: Response
) -> ProgressShown:
    """Where one village stands. The ETag is what a step is recorded against."""
    return await _found(conn, principal, review_id, village, lang=lang, response=response)


@router.post(
    "/{village}/entries",
    status_code=201,
    responses=problems.responses(
        ReviewNotFound, ReviewClosed, CycleNotFound, CycleExists, CycleChanged, HouseholdNotFound, OutsideArea
    ),
)
async def step(
    *,
    review_id: ReviewId,
    village: Village,
    given: StepGiven,
    principal: Decider,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    believed: IfMatch,
    response: Response,
    once: OnlyOnce,
) -> ProgressShown:
    """Record the next step. What the law does not allow now is refused by name, with its article."""
    if once.first:
        if given.action is Action.OPEN:
            raise CycleExists
        act = given.act(principal.subject)
        await actions.cycles.record(
            conn,
            principal,
            vault,
            believed,
            review_id=review_id,
            village=village,
            action=given.action,
            act=act,
            given=given.said(),
        )
    response.headers["Location"] = f"/v1/reviews/{review_id}/villages/{village}"
    return await _found(conn, principal, review_id, village, lang=lang, response=response)


class EntryShown(Shown):
    """One line of the log: who did what, when, on which paper."""

    number: int = Field(examples=[7])
    action: Action
    action_label: str = Field(examples=["Họp dân"])
    on: dt.date
    actor: str = Field(description="who recorded it", examples=["officer-23827"])
    role: Role
    role_label: str = Field(examples=["Trưởng thôn"])
    paper_kind: PaperKind | None
    paper_number: str | None = Field(examples=["12/BB"])
    paper_dated: dt.date | None
    step_before: Step | None
    step_after: Step
    households: list[uuid.UUID]
    facts: dict[str, str | int] = Field(examples=[{"present": 40, "agreeing": 31, "sent_back": 0}])
    corrects: str | None = Field(examples=[None])


class LogShown(Shown):
    """The log of a village, the first line first."""

    review_id: uuid.UUID
    village: str
    entries: list[EntryShown]


@router.get("/{village}/entries", responses=problems.responses(CycleNotFound))
async def log(
    *, review_id: ReviewId, village: Village, principal: Reader, conn: Conn, vault: Keys, lang: Lang
) -> LogShown:
    """The village's log. Reading it is recorded, because it gives reasons."""
    if await store.cycles.find(conn, review_id, village, principal.scope()) is None:
        raise CycleNotFound
    await audit.record(conn, principal, "cycle.log_read", "review", str(review_id), {"village": village})
    told = await actions.cycles.read(conn, vault, review_id, village)
    return LogShown(
        review_id=review_id, village=village, entries=[_entry(each, lang) for each in told.entries]
    )


def _entry(entry: Entry, lang: Lang) -> EntryShown:
    paper = entry.paper
    return EntryShown(
        number=entry.sequence,
        action=entry.action,
        action_label=procedure_label(entry.action, lang),
        on=entry.on,
        actor=entry.by,
        role=entry.role,
        role_label=procedure_label(entry.role, lang),
        paper_kind=paper and paper.kind,
        paper_number=paper and paper.number,
        paper_dated=paper and paper.dated,
        step_before=entry.step_before,
        step_after=entry.step_after,
        households=list(entry.case_ids),
        facts=dict(entry.facts),
        corrects=entry.corrects,
    )


class CaseShown(Shown):
    """A household in the review."""

    household_id: uuid.UUID
    state: CaseState
    state_label: str = Field(examples=["Đang niêm yết công khai"])
    finding: str | None = Field(examples=["POOR"])
    sent_back: int = Field(examples=[0])
    complaints: int = Field(examples=[0])
    decision_number: str | None
    certificate: str | None
    certificate_on: dt.date | None
    certificate_revoked_on: dt.date | None = Field(examples=[None])


@router.get("/{village}/cases", responses=problems.responses(CycleNotFound, CursorUnknown))
async def cases(
    *,
    review_id: ReviewId,
    village: Village,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    state: CaseState | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[CaseShown]:
    """The village's households with their states. Nobody is named."""
    if await store.cycles.find(conn, review_id, village, principal.scope()) is None:
        raise CycleNotFound
    columns = (review_cases.c.household_id,)
    query = paging.keyset(store.cycles.cases_query(review_id, village, state), columns, after, limit)
    rows, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    return Page(items=[_case(row, lang) for row in rows], next=following)


def _case(row: Row[Any], lang: Lang) -> CaseShown:
    values = row._asdict() | {"state": CaseState(row.state)}
    return CaseShown(
        **{name: values[name] for name in CaseShown.model_fields if name in values},
        state_label=procedure_label(values["state"], lang),
    )


async def _found(
    conn: Conn, principal: Reader, review_id: uuid.UUID, village: str, *, lang: Lang, response: Response
) -> ProgressShown:
    row = await store.cycles.find(conn, review_id, village, principal.scope())
    if row is None:
        raise CycleNotFound
    etags.tag(response, row.version, lang)
    return _progress(row, lang)
