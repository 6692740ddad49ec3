"""A rule set that is tried out: a loaded standard, or one with other thresholds, indicators or points.

It judges facts that were gathered under its standard, and no others: the points and flags of another standard
rest on other tables and definitions. What the facts do not decide is never guessed, it has a reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from households.domain.classification import B1_LIMIT
from households.domain.local_standards import parse_local
from households.domain.standards import Standard, get_standard
from households.domain.terms import LISTED, AreaType, HouseholdClass, Refused

POINTS_LIMIT = 1000
"""No indicator weighs more; a larger number is a slip of the pen."""


class Undecided(StrEnum):
    """Why a rule set says nothing about a household."""

    NO_DECISION = "NO_DECISION"
    OTHER_STANDARD = "OTHER_STANDARD"
    TOTALS_GIVEN = "TOTALS_GIVEN"


class ListChange(StrEnum):
    """What a simulation would do to a household's place on the two lists."""

    ENTERS = "ENTERS"
    LEAVES = "LEAVES"
    BETWEEN_LISTS = "BETWEEN_LISTS"


Verdict = HouseholdClass | Undecided


@dataclass(frozen=True, slots=True)
class LocalLine:
    """A province's own higher line: đồng per person and month, and the document that would set it."""

    province: str
    income_lines: Mapping[AreaType, int]
    document: str


@dataclass(frozen=True, slots=True)
class RuleSetGiven:
    """What is tried out: the standard whose facts are judged, and what shall differ from it (None = nothing)."""

    standard: str
    b1_thresholds: Mapping[AreaType, int] | None = None
    b2_threshold: int | None = None
    points_per_indicator: int | None = None
    indicators: Sequence[tuple[str, int | None]] | None = None
    local: LocalLine | None = None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that are whole and checked. `points` has every chosen indicator, in the standard's order."""

    standard: Standard
    b1_thresholds: Mapping[AreaType, int]
    b2_threshold: int
    points: Mapping[str, int]
    province: str | None

    @property
    def needs_flags(self) -> bool:
        """Whether a total is not enough: indicators are left out, or do not all weigh the same."""
        return set(self.points) != set(self.standard.indicator_codes) or len(set(self.points.values())) > 1

    @property
    def restricted(self) -> bool:
        """Whether its results, beside the totals everybody reads, would give away a restricted indicator."""
        return self.needs_flags and any(each.restricted for each in self.standard.indicators)

    def points_of(self, flags: Collection[str]) -> int:
        """The points of a combination of deprived indicators; one that is not chosen has none."""
        return sum(self.points.get(code, 0) for code in flags)

    def points_of_total(self, b2_points: int) -> int:
        """The points that stand for a total of form B2, where every indicator weighs the same."""
        return b2_points // (self.standard.points_per_indicator or 1) * next(iter(self.points.values()))

    def verdict(self, area_type: AreaType, b1_points: int, points: int | None) -> Verdict:
        """The class; `points` is None where only a total is known and the rules ask for indicators.

        Above the line of form B1 no indicator is asked for, so a total is enough there.
        """
        if b1_points > self.b1_thresholds[area_type]:
            return HouseholdClass.NOT_POOR
        if points is None:
            return Undecided.TOTALS_GIVEN
        return HouseholdClass.POOR if points >= self.b2_threshold else HouseholdClass.NEAR_POOR

    def judge(
        self,
        standard: str | None,
        area_type: AreaType | None,
        b1_points: int,
        b2_points: int,
        flags: Collection[str] | None,
    ) -> Verdict:
        """One household's verdict from the facts of its newest official decision; None = it has no decision."""
        if standard is None or area_type is None:
            return Undecided.NO_DECISION
        if standard != self.standard.code:
            return Undecided.OTHER_STANDARD
        if not self.needs_flags:
            return self.verdict(area_type, b1_points, self.points_of_total(b2_points))
        return self.verdict(area_type, b1_points, None if flags is None else self.points_of(flags))


def list_change(before: HouseholdClass | None, after: HouseholdClass) -> ListChange | None:
    """What happens on the lists; None when the household stays where it is."""
    if before is after or not LISTED & {before, after}:
        return None
    if before not in LISTED:
        return ListChange.ENTERS
    return ListChange.BETWEEN_LISTS if after in LISTED else ListChange.LEAVES


def rule_set(given: RuleSetGiven) -> RuleSet:
    """The whole rule set, or the named refusal of what cannot be tried out.

    A province's line is held to what domain.local_standards asks of a province's standard.
    """
    standard = get_standard(given.standard)
    standard.check_complete()
    points = _points(standard, given)
    rules = RuleSet(
        standard=standard,
        b1_thresholds=_b1_thresholds(standard, given),
        b2_threshold=_b2_threshold(standard, given, sum(points.values())),
        points=points,
        province=given.local.province if given.local else None,
    )
    if given.local is not None:
        _check_local(rules, given.local, given)
    return rules


def _b1_thresholds(standard: Standard, given: RuleSetGiven) -> Mapping[AreaType, int]:
    thresholds = standard.b1_thresholds if given.b1_thresholds is None else given.b1_thresholds
    for area in AreaType:
        if area not in thresholds:
            raise _refused(standard, "b1-threshold-missing", "b1_thresholds",
                           f"Thiếu ngưỡng điểm B1 của khu vực {area}.",
                           f"The B1 threshold of {area} areas is missing.")  # fmt: skip
        if not 0 <= thresholds[area] <= B1_LIMIT:
            raise _refused(standard, "b1-threshold-out-of-range", "b1_thresholds",
                           f"Ngưỡng điểm B1 phải từ 0 đến {B1_LIMIT}, không thể là {thresholds[area]}.",
                           f"A B1 threshold lies between 0 and {B1_LIMIT}, not {thresholds[area]}.")  # fmt: skip
    return {area: thresholds[area] for area in AreaType}


def _points(standard: Standard, given: RuleSetGiven) -> Mapping[str, int]:
    usual = given.points_per_indicator
    if usual is None:
        usual = standard.points_per_indicator or 0
    chosen = given.indicators
    if chosen is None:
        chosen = [(code, None) for code in standard.indicator_codes]
    if not chosen:
        raise _refused(standard, "indicators-missing", "indicators",
                       "Phải chọn ít nhất một chỉ số thiếu hụt.",
                       "At least one indicator must be chosen.")  # fmt: skip
    found: dict[str, int] = {}
    for code, own in chosen:
        weight = usual if own is None else own
        if code not in standard.indicator_codes:
            raise _refused(standard, "indicator-unknown", "indicators",
                           f"Chuẩn {standard.code} không có chỉ số {code}.",
                           f"Standard {standard.code} has no indicator {code}.")  # fmt: skip
        if code in found:
            raise _refused(standard, "indicator-twice", "indicators",
                           f"Chỉ số {code} được ghi hai lần.",
                           f"Indicator {code} is given twice.")  # fmt: skip
        if not 1 <= weight <= POINTS_LIMIT:
            raise _refused(standard, "indicator-points-out-of-range", "indicators",
                           f"Điểm của một chỉ số phải từ 1 đến {POINTS_LIMIT}, không thể là {weight}.",
                           f"An indicator has 1 to {POINTS_LIMIT} points, not {weight}.")  # fmt: skip
        found[code] = weight
    return {code: found[code] for code in standard.indicator_codes if code in found}


def _b2_threshold(standard: Standard, given: RuleSetGiven, most: int) -> int:
    threshold = standard.b2_threshold or 0 if given.b2_threshold is None else given.b2_threshold
    if not 1 <= threshold <= most:
        raise _refused(standard, "b2-threshold-out-of-range", "b2_threshold",
                       f"Ngưỡng điểm B2 phải từ 1 đến {most} (tổng điểm các chỉ số được chọn), không thể là {threshold}.",
                       f"The B2 threshold lies between 1 and {most}, the points of all chosen indicators, not"
                       f" {threshold}.")  # fmt: skip
    return threshold


def _check_local(rules: RuleSet, local: LocalLine, given: RuleSetGiven) -> None:
    national = rules.standard
    raw = {
        "code": f"{national.code}/{local.province}",
        "scope": local.province,
        "title_vi": local.document,
        "title_en": local.document,
        "valid_from": national.valid_from,
        "valid_to": national.valid_to,
        "legal": local.document,
        "sources": [local.document],
        "income_lines_dong": {str(area): line for area, line in local.income_lines.items()},
    }
    if set(local.income_lines) != set(AreaType):
        raise _refused(national, "local-income-lines-missing", "local.income_lines",
                       "Phải ghi mức thu nhập của cả hai khu vực.",
                       "The income lines of both area types are needed.")  # fmt: skip
    if given.b1_thresholds is not None:
        raw["b1_thresholds"] = {str(area): points for area, points in rules.b1_thresholds.items()}
    parse_local(raw, national).check_complete()
    fewest = -(-(national.b2_threshold or 0) // (national.points_per_indicator or 1))
    lightest = sorted(rules.points.get(code, 0) for code in national.indicator_codes)[:fewest]
    if sum(lightest) < rules.b2_threshold:
        raise _refused(national, "local-standard-lower", "b2_threshold",
                       f"Bộ chỉ số và ngưỡng này sẽ bỏ sót hộ nghèo theo chuẩn {national.code}.",
                       f"Some household that is poor by {national.code} would not be poor by this.")  # fmt: skip


def _refused(standard: Standard, rule: str, field: str, vi: str, en: str) -> Refused:
    return Refused(rule, vi, en, field, standard.legal)
