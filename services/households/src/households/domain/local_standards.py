"""A province's own higher standard beside the national one: a second result that never replaces the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from households.domain.classification import Classification, Scores, classify, deprivation_points
from households.domain.standards import (
    Indicator,
    Standard,
    StandardFileInvalid,
    get_standard,
    parse_standard,
)
from households.domain.terms import AreaType, Refused

NATIONAL = "NATIONAL"


@dataclass(frozen=True, slots=True)
class Results:
    """A household's results: on the national standard, and on the province's own where there is one.

    Either may be a refusal while its standard is incomplete; the other holds all the same.
    """

    national: Classification | Refused
    local: Classification | Refused | None


def parse_local(raw: Mapping[str, Any], base: Standard | None = None) -> Standard:
    """A province's standard from its file. What the file leaves out it has from the national one it names.

    The points of form B1 that stand for its line are never derived from the line: without them the standard is
    incomplete and refuses to classify. Raises StandardFileInvalid for a file that contradicts itself, Refused for
    one that is not allowed.
    """
    national = base or get_standard(str(raw.get("base", "")))
    filled = {
        "rule_version": f"{raw.get('code')}/1",
        "rules": {},
        "indicators": [_indicator(item) for item in national.indicators],
        **{key: value for key, value in raw.items() if key != "base"},
    }
    filled["rules"] = {
        "b2_threshold": national.b2_threshold,
        "points_per_indicator": national.points_per_indicator,
        **filled["rules"],
    }
    if not national.complete:
        filled["incomplete"] = {"reason_vi": national.incomplete_vi, "reason_en": national.incomplete_en}
    elif not raw.get("b1_thresholds"):
        filled["incomplete"] = {
            "reason_vi": "chưa nạp ngưỡng điểm B1 tương ứng với mức thu nhập của tỉnh.",
            "reason_en": "the B1 points that stand for the province's line are not loaded.",
        }
    if not str(raw.get("legal", "")).strip():
        raise _refused("local-standard-without-document", "Chuẩn của tỉnh phải ghi văn bản quy định.",
                       "A province's standard names its legal document.", "legal")  # fmt: skip
    local = parse_standard(filled)
    check_local(local, national)
    return local


def check_local(local: Standard, national: Standard) -> None:
    """Refuse a local standard of no province, outside the national one's time, or lower than it anywhere."""
    if national.scope != NATIONAL:
        raise StandardFileInvalid(f"{local.code}: its base {national.code} is not national")
    if not re.fullmatch(r"[0-9]{2}", local.scope):
        raise _refused("local-standard-scope", f"“{local.scope}” không phải là mã tỉnh (2 chữ số).",
                       f"“{local.scope}” is no code of a province (2 digits).", "scope", local)  # fmt: skip
    if not national.valid_from <= local.valid_from <= local.valid_to <= national.valid_to:
        raise _refused("local-standard-outside-national",
                       f"Thời gian hiệu lực phải nằm trong thời gian của chuẩn {national.code}.",
                       f"Its validity must lie within that of {national.code}.", "valid_from", local)  # fmt: skip
    for area in AreaType:
        line, least = local.income_lines[area], national.income_lines[area]
        points, fewest = local.b1_thresholds.get(area), national.b1_thresholds.get(area)
        if line < least or (points is not None and fewest is not None and points < fewest):
            raise _refused("local-standard-lower",
                           f"Chuẩn của tỉnh không được thấp hơn chuẩn quốc gia {national.code} ({area}: {line} < {least}"
                           f" đồng hoặc điểm B1 {points} < {fewest}).",
                           f"A province's standard is not lower than {national.code} ({area}: {line} < {least} đồng"
                           f" or B1 {points} < {fewest}).", "income_lines_dong", local)  # fmt: skip
    if _stricter(local, national):
        raise _refused("local-standard-lower",
                       f"Ngưỡng thiếu hụt của tỉnh cao hơn chuẩn quốc gia {national.code}: sẽ bỏ sót hộ nghèo.",
                       f"Its B2 threshold is above that of {national.code}: poor households would be left out.",
                       "rules.b2_threshold", local)  # fmt: skip


def check_higher(local: Standard, national: Standard) -> None:
    """Refuse a standard that is the national one over again: a province's own takes in more households."""
    lines = any(local.income_lines[area] > national.income_lines[area] for area in AreaType)
    points = any(
        local.b1_thresholds.get(area, 0) > national.b1_thresholds.get(area, 0)
        for area in (AreaType if local.b1_thresholds and national.b1_thresholds else ())
    )
    if not lines and not points and local.indicator_codes == national.indicator_codes:
        raise _refused("local-standard-not-higher",
                       f"Chuẩn của tỉnh phải cao hơn chuẩn quốc gia {national.code} ở ít nhất một khu vực.",
                       f"A province's standard is higher than {national.code} in at least one type of area.",
                       "income_lines", local)  # fmt: skip


def local_in_force(local: Iterable[Standard], province: str, on: date) -> Standard | None:
    """The province's own standard on the day; None where it has none. Two at once are refused."""
    found = [s for s in local if s.scope == province and s.valid_on(on)]
    if len(found) > 1:
        raise _refused("local-standards-overlap",
                       f"Tỉnh {province} có {len(found)} chuẩn cùng hiệu lực vào ngày {on:%d/%m/%Y}.",
                       f"Province {province} has {len(found)} standards on {on.isoformat()}.", "standard")  # fmt: skip
    return found[0] if found else None


def scores_by(local: Standard, national: Standard, scores: Scores) -> Scores:
    """The scores of a household by a province's standard, from those by the national one. Raises `Refused`.

    An indicator that the nation does not count was not asked for, so without an answer of its own there is no
    result; a total stands for other indicators than the province's wherever the two sets differ.
    """
    if local.indicator_codes == national.indicator_codes:
        deprived = scores.b2_points // (national.points_per_indicator or 1)
        points = deprived * (local.points_per_indicator or 0)
        return replace(scores, b2_points=points)
    unknown = set(local.indicator_codes) - set(national.indicator_codes)
    if scores.deprivations is None or unknown:
        raise _refused("local-scores-missing",
                       "Chuẩn của tỉnh có chỉ số riêng; phải có câu trả lời từng chỉ số để chấm điểm B2 theo chuẩn của tỉnh.",
                       "The province has indicators of its own; its B2 points need an answer to each.",
                       "b2_points", local)  # fmt: skip
    own = tuple(code for code in local.indicator_codes if code in scores.deprivations)
    return replace(scores, b2_points=deprivation_points(local, own), deprivations=own)


def local_result(
    local: Standard, national: Standard, area_type: AreaType, scores: Scores
) -> Classification | Refused:
    """What a decision on the national standard comes to by a province's own, or the rule by which it has none."""
    try:
        local.check_complete()
        own = scores_by(local, national, scores)
    except Refused as refused:
        return refused
    return _result(local, area_type, own)


def results_of(
    national: Standard,
    local: Standard | None,
    area_type: AreaType,
    scores: Scores,
    local_scores: Scores | None = None,
) -> Results:
    """Both results of a household. `local_scores` where the province counts other indicators than the nation."""
    if local is not None and local_scores is None and local.indicator_codes != national.indicator_codes:
        own: Classification | Refused | None = _refused(
            "local-scores-missing", "Chuẩn của tỉnh có chỉ số riêng; phải chấm điểm B2 theo chuẩn của tỉnh.",
            "The province has indicators of its own; its B2 points are needed.", "b2_points", local)  # fmt: skip
    else:
        own = _result(local, area_type, local_scores or scores) if local is not None else None
    return Results(_result(national, area_type, scores), own)


def _result(standard: Standard, area_type: AreaType, scores: Scores) -> Classification | Refused:
    try:
        return classify(standard, area_type, scores.b1_points, scores.b2_points)
    except Refused as refused:
        return refused


def _stricter(local: Standard, national: Standard) -> bool:
    """Whether the local standard asks for more deprivations of the same indicators than the national one."""
    if local.indicator_codes != national.indicator_codes or None in (
        local.b2_threshold,
        national.b2_threshold,
        local.points_per_indicator,
        national.points_per_indicator,
    ):
        return False
    here = (local.b2_threshold or 0) * (national.points_per_indicator or 1)
    there = (national.b2_threshold or 0) * (local.points_per_indicator or 1)
    return here > there


def _indicator(item: Indicator) -> dict[str, Any]:
    names = ("code", "dimension", "dimension_vi", "label_vi", "label_en", "restricted")
    return {name: getattr(item, name) for name in names}


def _refused(rule: str, vi: str, en: str, field: str, standard: Standard | None = None) -> Refused:
    return Refused(rule, vi, en, field, standard.legal if standard else None)
