"""Why a list is not narrowed by something."""

from benvung.problems import Forbidden


class IndicatorRestricted(Forbidden):
    """Lists by an indicator that the standard marks as sensitive tell of children's health."""

    rule = "indicator-restricted"
    title_vi, title_en = "Chỉ số thuộc dữ liệu nhạy cảm", "The indicator is restricted"

    def __init__(self) -> None:
        super().__init__(
            "Lọc theo chỉ số này làm lộ tình trạng sức khỏe trẻ em của cả danh sách; cần quyền indicators.read.",
            "A list by this indicator tells of children's health; the permission indicators.read is needed.",
        )


class CauseRestricted(Forbidden):
    """Lists by a cause of poverty that tells of somebody's health."""

    rule = "cause-restricted"
    title_vi, title_en = "Nguyên nhân thuộc dữ liệu nhạy cảm", "The cause is restricted"

    def __init__(self) -> None:
        super().__init__(
            "Lọc theo nguyên nhân này làm lộ tình trạng sức khỏe của người trong hộ; cần quyền indicators.read.",
            "A list by this cause tells of people's health; the permission indicators.read is needed.",
        )


BY_FILTERS = (IndicatorRestricted, CauseRestricted)
"""What every list that is narrowed as officers ask may be refused with."""
