"""From points to class: a pure function of a standard, an area type and the totals of forms B1 and B2."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from households.domain.standards import Standard
from households.domain.terms import AreaType, Basis, HouseholdClass, Refused

B1_LIMIT = 1000
"""No form B1 adds up to this; a larger number is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A class with the reason in words, its legal source and the version of the rule that gave it."""

    household_class: HouseholdClass
    reason: str
    reason_vi: str
    legal: str
    rule_version: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The inputs that a decision stores: B1 total, B2 total, and what they rest on.

    `form` is the form that was filled, where its answers are kept.
    """

    b1_points: int
    b2_points: int
    deprivations: tuple[str, ...] | None
    basis: Basis
    form: UUID | None = None


def scores(
    standard: Standard,
    b1_points: int | None,
    b2_points: int | None,
    deprivations: Sequence[str] | None,
    *,
    b1_from_items: bool = False,
    form: UUID | None = None,
) -> Scores:
    """Check the inputs of one result. B2 comes from the flags, from a total, or from both if they agree.

    B1 is the reviewer's own total, unless an approved table has scored it item by item.
    """
    standard.check_complete()
    b1 = _check_b1(b1_points)
    if deprivations is None:
        if b2_points is None:
            raise Refused(
                "b2-missing",
                "Thiếu điểm B2: cần tổng điểm hoặc các chỉ số thiếu hụt.",
                "B2 is missing: give its total or the deprived indicators.",
                "b2_points",
                standard.legal,
            )
        return Scores(b1, _check_b2(standard, b2_points), None, Basis.TOTALS_GIVEN)
    points = deprivation_points(standard, deprivations)
    if b2_points is not None and b2_points != points:
        raise Refused(
            "b2-contradicts-flags",
            f"Điểm B2 ghi {b2_points} nhưng {len(deprivations)} chỉ số thiếu hụt là {points} điểm.",
            f"B2 says {b2_points}, but {len(deprivations)} deprived indicators make {points} points.",
            "b2_points",
            standard.legal,
        )
    ordered = tuple(code for code in standard.indicator_codes if code in deprivations)
    return Scores(b1, points, ordered, Basis.ITEMS if b1_from_items else Basis.FLAGS, form)


def deprivation_points(standard: Standard, flags: Collection[str]) -> int:
    """B2 points of the deprived indicators; refuses unknown, repeated or too many of them."""
    standard.check_complete()
    known = standard.indicator_codes
    if len(flags) > len(known):
        raise Refused(
            "too-many-indicators",
            f"Có {len(flags)} chỉ số, trong khi chuẩn {standard.code} chỉ có {len(known)}.",
            f"{len(flags)} indicators given; standard {standard.code} has {len(known)}.",
            "deprivations",
            standard.legal,
        )
    unknown = sorted(set(flags) - set(known))
    if unknown:
        raise Refused(
            "indicator-unknown",
            f"Chuẩn {standard.code} không có chỉ số {', '.join(unknown)}.",
            f"Standard {standard.code} has no indicator {', '.join(unknown)}.",
            "deprivations",
            standard.legal,
        )
    if len(set(flags)) != len(flags):
        raise Refused(
            "indicator-twice",
            "Một chỉ số thiếu hụt được ghi hai lần.",
            "A deprived indicator is given twice.",
            "deprivations",
            standard.legal,
        )
    return len(flags) * (standard.points_per_indicator or 0)


def classify(
    standard: Standard, area_type: AreaType, b1_points: int | None, b2_points: int | None
) -> Classification:
    """POOR, NEAR_POOR or NOT_POOR. AVERAGE_LIVING rests on declared income and never comes from points."""
    standard.check_complete()
    b1 = _check_b1(b1_points)
    b2 = _check_b2(standard, b2_points)
    line, threshold = standard.b1_thresholds[area_type], standard.b2_threshold or 0
    if b1 > line:
        household_class = HouseholdClass.NOT_POOR
        facts = f"B1 {b1} > {line}"
    elif b2 >= threshold:
        household_class = HouseholdClass.POOR
        facts = f"B1 {b1} ≤ {line}, B2 {b2} ≥ {threshold}"
    else:
        household_class = HouseholdClass.NEAR_POOR
        facts = f"B1 {b1} ≤ {line}, B2 {b2} < {threshold}"
    area_vi = "thành thị" if area_type is AreaType.URBAN else "nông thôn"
    area_en = "urban" if area_type is AreaType.URBAN else "rural"
    return Classification(
        household_class,
        f"{facts} ({area_en}, {standard.code})",
        f"{facts} (khu vực {area_vi}, {standard.code})",
        standard.legal,
        standard.rule_version,
    )


def _check_b1(points: int | None) -> int:
    if points is None:
        raise Refused(
            "b1-missing",
            "Thiếu điểm B1: phải ghi tổng điểm, hoặc chấm Phiếu B1 từng mục theo bảng điểm được phê duyệt.",
            "B1 is missing: give its total, or fill form B1 item by item, scored by an approved table.",
            "b1_points",
        )
    if not 0 <= points <= B1_LIMIT:
        raise Refused(
            "b1-out-of-range",
            f"Điểm B1 phải từ 0 đến {B1_LIMIT}, không thể là {points}.",
            f"B1 lies between 0 and {B1_LIMIT}, not {points}.",
            "b1_points",
        )
    return points


def _check_b2(standard: Standard, points: int | None) -> int:
    step = standard.points_per_indicator or 1
    most = step * len(standard.indicators)
    if points is None:
        raise Refused("b2-missing", "Thiếu điểm B2.", "B2 is missing.", "b2_points", standard.legal)
    if not 0 <= points <= most or points % step:
        raise Refused(
            "b2-out-of-range",
            f"Điểm B2 phải là bội số của {step} từ 0 đến {most}, không thể là {points}.",
            f"B2 is a multiple of {step} between 0 and {most}, not {points}.",
            "b2_points",
            standard.legal,
        )
    return points
