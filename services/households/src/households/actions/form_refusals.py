"""The named refusals about filled forms, the tables that score them, and standards."""

from collections.abc import Sequence

from benvung.problems import FieldError, NotFound, Problem


class FormNotFound(NotFound):
    """There is no such filled form of this household and review, or it belongs to another area."""

    rule = "form-not-found"
    title_vi, title_en = "Không tìm thấy phiếu", "There is no such form"


class StandardNotFound(NotFound):
    """No such poverty standard came with the service or was loaded."""

    rule = "standard-not-found"
    title_vi, title_en = "Không có chuẩn nghèo mang mã này", "There is no such poverty standard"


class ScoreTableNotFound(NotFound):
    """No such score table was loaded."""

    rule = "score-table-not-found"
    title_vi, title_en = "Không tìm thấy bảng điểm", "There is no such score table"


class ScoreTableRefused(Problem):
    """A score table has faults; each is named with its place. Nothing of it was loaded."""

    rule = "score-table-refused"
    title_vi, title_en = "Bảng điểm có lỗi", "The score table has faults"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(
            f"Bảng điểm có {len(errors)} lỗi; chưa nạp gì.",
            f"The score table has {len(errors)} faults; nothing was loaded.",
            errors=errors,
        )
