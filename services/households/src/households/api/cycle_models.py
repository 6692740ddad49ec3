"""What is said of steps of a review and what is answered: acts with their papers, villages, cases."""

import datetime as dt
import uuid
from typing import Annotated, Any

from pydantic import Field

from households.api.fields import (
    CauseCodes,
    CauseText,
    Day,
    Given,
    Name,
    Points,
    ShortText,
    Shown,
    VillageCode,
)
from households.domain import Refused, Stage
from households.domain.cycle import Act, Paper
from households.domain.procedure_terms import Action, CaseState, PaperKind, Role, Signatory, Step

Income = Annotated[int, Field(ge=0, le=10**15, examples=[96_000_000])]
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
        default=None, description="month of a monthly review; empty for the annual one", examples=[10]
    )


class AnswerGiven(Given):
    """The written answer to a household or a worker who is not recognised."""

    case: uuid.UUID
    paper: PaperGiven
    reason: Name


class StepGiven(ActGiven):
    """One step. What a kind of step needs besides is asked for by its rule."""

    action: Action
    cases: list[uuid.UUID] | None = Field(
        default=None,
        max_length=500,
        description="whom it concerns: households, or members in a review of low-income workers; each gets a"
        " line of its own",
    )
    screened_in: bool | None = Field(default=None, description="LIST: how form A came out")
    members: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="SCORE, RECHECK, CORRECT: with the points of the forms"
    )
    form_id: uuid.UUID | None = Field(
        default=None,
        description="a form that was filled item by item: LIST takes its answer from a form A, SCORE, RECHECK and"
        " CORRECT their points from a form B",
        examples=[None],
    )
    b1_points: Points | None = None
    b2_points: Points | None = None
    deprivations: list[ShortText] | None = Field(default=None, max_length=50)
    causes: CauseCodes | None = None
    cause_text: CauseText | None = None
    income_months: Annotated[int, Field(ge=1, le=60)] | None = Field(
        default=None, description="SURVEY by income: over how many months", examples=[12]
    )
    income_dong: Income | None = Field(
        default=None,
        description="SCORE, RECHECK, CORRECT by income: the household's in those months, without social"
        " allowances of the State",
    )
    present: Voters | None = Field(default=None, description="HOLD_MEETING", examples=[40])
    agreeing: Voters | None = Field(default=None, description="HOLD_MEETING", examples=[31])
    agreeing_by_case: dict[uuid.UUID, Voters] | None = Field(
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
        """What the act says, once, or once for each case."""
        values = self.model_dump(
            mode="json", exclude={"action", "role", "on", "paper", "cases"}, exclude_none=True
        )
        if self.action in FOR_ONE:
            self._check_named()
            return [{**values, "case": str(each)} for each in self.cases or ()]
        return [values]

    def _check_named(self) -> None:
        if not self.cases or (self.action in SCORED and len(self.cases) > 1):
            raise Refused(
                "cases-not-named",
                "Phải nêu hộ (hoặc người lao động); mỗi kết quả tính điểm, phúc tra, điều chỉnh chỉ cho một"
                " trường hợp.",
                "Name whom it concerns; a result of scoring, re-check or correction is one household's or"
                " worker's.",
                "cases",
                "Quyết định 24/2021/QĐ-TTg, Điều 4",
            )
        if self.action in SCORED and (
            self.members is None
            or (self.b1_points is None and self.income_dong is None and self.form_id is None)
        ):
            raise Refused(
                "result-incomplete",
                "Thiếu số nhân khẩu, hoặc điểm Phiếu B1 (xét theo thu nhập thì tổng thu nhập).",
                "The number of members is missing, or the points of form B1 (by income, the income).",
                "b1_points",
                "Quyết định 24/2021/QĐ-TTg, Điều 4 khoản 2",
            )


SCORED = frozenset({Action.SCORE, Action.RECHECK, Action.CORRECT})
FOR_ONE = SCORED | {
    Action.LIST, Action.SURVEY, Action.COMPLAIN, Action.WITHDRAW, Action.ISSUE_CERTIFICATE,
    Action.REVOKE_CERTIFICATE,
}  # fmt: skip


class OpinionGiven(ActGiven):
    """What the higher level answers to the commune's report."""

    returned: list[uuid.UUID] | None = Field(
        default=None, max_length=500, description="whose results go back to the survey; empty = it agrees"
    )
    reason: Name | None = None


class ProgressShown(Shown):
    """Where a village stands."""

    review_id: uuid.UUID
    commune: str
    village: str
    procedure: str = Field(examples=["QD24-ANNUAL/1"])
    month: int | None = Field(examples=[None])
    state: Step
    state_label: str = Field(examples=["Họp dân để thống nhất kết quả rà soát"])
    round: int = Field(description="how often the survey was begun", examples=[1])
    version: int = Field(description="lines in the log", examples=[12])
    cases: int = Field(description="households or workers on the list", examples=[38])
    last_on: dt.date
    posted_until: dt.date | None


class CaseShown(Shown):
    """A household, or a worker, in the review."""

    case_id: uuid.UUID = Field(description="the household's id, or the member's")
    household_id: uuid.UUID
    member_id: uuid.UUID | None
    state: CaseState
    state_label: str = Field(examples=["Đang niêm yết công khai"])
    finding: str | None = Field(examples=["POOR"])
    stage: Stage | None = Field(
        description="a finding is PRELIMINARY until the decision; the register has official ones alone",
        examples=["PRELIMINARY"],
    )
    sent_back: int = Field(examples=[0])
    complaints: int = Field(examples=[0])
    decision_number: str | None
    certificate: str | None
    certificate_on: dt.date | None
    certificate_revoked_on: dt.date | None = Field(examples=[None])
