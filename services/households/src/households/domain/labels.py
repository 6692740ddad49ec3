"""What people read for the codes of the register, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from households.domain import terms
from households.domain.movements import Form, Measure
from households.domain.rule_sets import ListChange, Undecided

Language = Literal["vi", "en"]

LABELS: Mapping[type[StrEnum], Mapping[StrEnum, tuple[str, str]]] = {
    terms.AreaType: {
        terms.AreaType.URBAN: ("Thành thị", "Urban"),
        terms.AreaType.RURAL: ("Nông thôn", "Rural"),
    },
    terms.HouseholdClass: {
        terms.HouseholdClass.POOR: ("Hộ nghèo", "Poor household"),
        terms.HouseholdClass.NEAR_POOR: ("Hộ cận nghèo", "Near-poor household"),
        terms.HouseholdClass.AVERAGE_LIVING: (
            "Hộ có mức sống trung bình",
            "Household with an average living standard",
        ),
        terms.HouseholdClass.NOT_POOR: ("Hộ không nghèo", "Household that is not poor"),
    },
    terms.ReviewKind: {
        terms.ReviewKind.ANNUAL: ("Rà soát định kỳ", "Annual review"),
        terms.ReviewKind.REGULAR: ("Rà soát thường xuyên", "Regular review"),
    },
    terms.Stage: {
        terms.Stage.PRELIMINARY: ("Sơ bộ", "Preliminary"),
        terms.Stage.OFFICIAL: ("Chính thức", "Official"),
    },
    terms.Status: {
        terms.Status.ACTIVE: ("Đang quản lý", "Active"),
        terms.Status.LEFT: ("Đã chuyển đi", "Left"),
        terms.Status.CLOSED: ("Đã kết thúc", "Closed"),
    },
    terms.Basis: {
        terms.Basis.TOTALS_GIVEN: ("Theo tổng điểm", "From given totals"),
        terms.Basis.FLAGS: ("Theo chỉ số thiếu hụt", "From deprived indicators"),
        terms.Basis.ITEMS: ("Theo từng mục của phiếu", "From the items of the forms"),
    },
    terms.ClosureReason: {
        terms.ClosureReason.DEATH: ("Hộ đơn thân qua đời", "Death of a single-person household"),
        terms.ClosureReason.DISSOLVED: ("Hộ giải thể", "Household dissolved"),
        terms.ClosureReason.MOVED_OUT: ("Chuyển đi nơi khác", "Moved away"),
        terms.ClosureReason.MERGED: ("Nhập với hộ khác", "Merged with another household"),
    },
    terms.SizeReason: {
        terms.SizeReason.BIRTH: ("Sinh con, nhận con nuôi", "Birth or adoption"),
        terms.SizeReason.DEATH: ("Thành viên qua đời", "Death of a member"),
        terms.SizeReason.JOINED: ("Có người nhập vào hộ", "Somebody joined the household"),
        terms.SizeReason.WENT_AWAY: ("Có người ra khỏi hộ", "Somebody went away"),
        terms.SizeReason.SPLIT: ("Tách hộ", "Part of it became another household"),
        terms.SizeReason.MERGED: ("Nhập hộ", "Another household became part of it"),
    },
    terms.ListStatus: {
        terms.ListStatus.LIST_NEW: ("Nghèo mới", "Newly listed"),
        terms.ListStatus.LIST_RELAPSE: ("Tái nghèo", "Relapsed"),
        terms.ListStatus.LIST_OLD: ("Nghèo cũ", "Listed before"),
    },
    terms.Movement: {
        terms.Movement.ESCAPED_TO_NEAR_POOR: (
            "Thoát nghèo, trở thành hộ cận nghèo",
            "Escaped poverty, became near-poor",
        ),
        terms.Movement.ESCAPED_ABOVE_NEAR_POOR: (
            "Thoát nghèo, vượt chuẩn cận nghèo",
            "Escaped poverty, above the near-poor line",
        ),
        terms.Movement.OTHER_DECREASE_POOR: (
            "Giảm hộ nghèo do nguyên nhân khác",
            "Fewer poor households, other cause",
        ),
        terms.Movement.NEAR_POOR_TO_POOR: ("Hộ cận nghèo trở thành hộ nghèo", "Near-poor became poor"),
        terms.Movement.RELAPSE_POOR: ("Tái nghèo", "Fell back into poverty"),
        terms.Movement.NEW_POOR: ("Phát sinh nghèo mới", "Newly poor"),
        terms.Movement.OTHER_INCREASE_POOR: (
            "Tăng hộ nghèo do nguyên nhân khác",
            "More poor households, other cause",
        ),
        terms.Movement.ESCAPED_NEAR_POOR: ("Thoát cận nghèo", "Escaped near-poverty"),
        terms.Movement.OTHER_DECREASE_NEAR_POOR: (
            "Giảm hộ cận nghèo do nguyên nhân khác",
            "Fewer near-poor households, other cause",
        ),
        terms.Movement.RELAPSE_NEAR_POOR: ("Tái cận nghèo", "Fell back into near-poverty"),
        terms.Movement.NEW_NEAR_POOR: ("Phát sinh cận nghèo mới", "Newly near-poor"),
        terms.Movement.OTHER_INCREASE_NEAR_POOR: (
            "Tăng hộ cận nghèo do nguyên nhân khác",
            "More near-poor households, other cause",
        ),
    },
    Form: {
        Form.F7_2: ("Tổng hợp diễn biến hộ nghèo trong năm", "Changes of poor households in the year"),
        Form.F7_3: (
            "Tổng hợp diễn biến hộ cận nghèo trong năm",
            "Changes of near-poor households in the year",
        ),
    },
    Undecided: {
        Undecided.NO_DECISION: (
            "Chưa có quyết định chính thức đến ngày này",
            "No official decision up to that day",
        ),
        Undecided.OTHER_STANDARD: (
            "Quyết định mới nhất theo chuẩn khác",
            "The newest decision rests on another standard",
        ),
        Undecided.TOTALS_GIVEN: (
            "Chỉ có tổng điểm B2, không có từng chỉ số",
            "Only the B2 total is known, not the indicators",
        ),
    },
    ListChange: {
        ListChange.ENTERS: ("Vào danh sách", "Enters the lists"),
        ListChange.LEAVES: ("Ra khỏi danh sách", "Leaves the lists"),
        ListChange.BETWEEN_LISTS: ("Chuyển giữa hai danh sách", "Moves between the lists"),
    },
    Measure: {
        Measure.HOUSEHOLDS: ("Hộ", "Households"),
        Measure.PERSONS: ("Nhân khẩu", "Persons"),
    },
}
"""By kind of code: two kinds may have a code of the same letters, which for a dictionary are the same key."""


def label(code: StrEnum, language: Language = "vi") -> str:
    """The words for a code of `terms` or of the movement forms."""
    vi, en = LABELS[type(code)][code]
    return vi if language == "vi" else en
