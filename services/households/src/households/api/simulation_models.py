"""What is sent and shown of simulations."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from households.api.fields import AreaCode, Day, Given, Name, Points, ShortText, Shown, Total
from households.domain import AreaType, LocalLine, RuleSetGiven

Kind = Literal["RURAL", "URBAN"]


class IndicatorGiven(Given):
    """A chosen indicator of the standard."""

    code: ShortText = Field(examples=["WATER_SOURCE"])
    points: Points | None = Field(default=None, description="empty = points_per_indicator", examples=[10])


class LocalLineGiven(Given):
    """A province's own higher line."""

    province: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] = Field(examples=["64"])
    income_lines: dict[Kind, Total] = Field(
        description="đồng per person and month", examples=[{"RURAL": 1_800_000, "URBAN": 2_400_000}]
    )
    document: Name = Field(description="the document that would set it", examples=["Dự thảo nghị quyết"])


class RulesGiven(Given):
    """A rule set: a loaded standard, and what shall differ from it. What is empty is as in the standard."""

    standard: ShortText = Field(
        description="the standard whose decisions are judged anew", examples=["STD_2022_2025"]
    )
    b1_thresholds: dict[Kind, Points] | None = Field(
        default=None,
        description="points of form B1 that stand for the income line",
        examples=[{"RURAL": 150, "URBAN": 185}],
    )
    b2_threshold: Points | None = Field(default=None, description="points of form B2", examples=[30])
    points_per_indicator: Points | None = Field(default=None, examples=[10])
    indicators: list[IndicatorGiven] | None = Field(
        default=None, max_length=100, description="empty = all of the standard"
    )
    local: LocalLineGiven | None = None

    def rules(self) -> RuleSetGiven:
        """The same for the domain."""
        lines, local = self.b1_thresholds, self.local
        return RuleSetGiven(
            standard=self.standard,
            b1_thresholds=None if lines is None else {AreaType(a): p for a, p in lines.items()},
            b2_threshold=self.b2_threshold,
            points_per_indicator=self.points_per_indicator,
            indicators=None
            if self.indicators is None
            else [(each.code, each.points) for each in self.indicators],
            local=None
            if local is None
            else LocalLine(
                local.province, {AreaType(a): p for a, p in local.income_lines.items()}, local.document
            ),
        )


class SimulationGiven(Given):
    """What is to be tried out, where, and as of which day."""

    title: Name = Field(examples=["Nâng chuẩn khu vực nông thôn"])
    area: AreaCode
    day: Day | None = Field(default=None, description="facts that held on this day; empty = today")
    rules: RulesGiven


class WeightShown(Shown):
    """A chosen indicator and its points."""

    indicator: str
    indicator_label: str
    points: int


class RuleSetShown(Shown):
    """The whole rule set, with all that the standard said when it was asked for."""

    standard: str
    rule_version: str
    b1_thresholds: dict[str, int]
    b2_threshold: int
    indicators: list[WeightShown]
    province: str | None
    given: dict[str, Any] = Field(description="the rule set as it was asked for")


class SimulationShown(Shown):
    """A simulation and how far it is."""

    id: uuid.UUID
    title: str
    asked_by: str
    area: str
    day: dt.date
    restricted: bool = Field(description="its results would give away restricted indicators")
    state: str = Field(description="WAITING, RUNNING, DONE or FAILED")
    failure: str | None = Field(description="why it failed")
    recorded_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    rules: RuleSetShown


class TotalsShown(Shown):
    """Households and persons judged, and what would happen to them."""

    households: int
    persons: int
    enters: int = Field(description="households that would enter the two lists")
    leaves: int = Field(description="households that would leave the two lists")
    between_lists: int = Field(description="households that would go from one list to the other")
    undecided: dict[str, int] = Field(description="households of which the rules can say nothing, by reason")


class OutcomeShown(Shown):
    """Households of one area type and class before, by what the rules say of them."""

    area_type: str | None
    class_before: str | None
    class_after: str | None
    undecided: str | None
    outcome_label: str
    households: int
    persons: int
    with_indicators: int = Field(description="households whose deprived indicators are known one by one")


class DeprivedShown(Shown):
    """Households that are deprived of an indicator, by class before and after."""

    indicator: str
    indicator_label: str
    class_before: str
    class_after: str
    households: int


class SimulationResult(SimulationShown):
    """A simulation with its results in the area of who asks; all zero and empty until it is done."""

    totals: TotalsShown
    outcomes: list[OutcomeShown]
    deprived: list[DeprivedShown]
    hidden_indicators: list[str] = Field(description="indicators whose counts are not for who asks")


class CommuneResult(Shown):
    """The results of a simulation in one commune."""

    commune: str
    totals: TotalsShown
    outcomes: list[OutcomeShown]


class ListChangeShown(Shown):
    """A household that would enter, leave, or go from list to list."""

    household_id: uuid.UUID
    commune: str
    village: str
    code: str | None
    head_name: str
    members: int
    area_type: str
    class_before: str
    class_before_label: str
    class_after: str
    class_after_label: str
    change: str
    change_label: str


class DifferenceShown(Shown):
    """Households with one class before and one outcome, in both simulations."""

    area_type: str | None
    class_before: str | None
    class_after: str | None
    undecided: str | None
    outcome_label: str
    first: int
    second: int
    difference: int = Field(description="second minus first")


class SharedShown(Shown):
    """Households whose lists would change: by one simulation only, by both alike, by both differently."""

    only_first: int
    only_second: int
    alike: int
    different: int


class ComparisonShown(Shown):
    """Two simulations side by side."""

    first: uuid.UUID
    second: uuid.UUID
    first_totals: TotalsShown
    second_totals: TotalsShown
    differences: list[DifferenceShown]
    changes: SharedShown
