"""The named refusals about certificates and notices."""

import datetime as dt

from benvung.problems import NotFound, NotReady, Problem


class NoticeNotFound(NotFound):
    """There is no such notice, or it belongs to another area."""

    rule = "notice-not-found"
    title_vi, title_en = "Không tìm thấy thông báo niêm yết", "There is no such notice"


class NoticeOver(Problem):
    """The days for which a notice may be posted are over: it is not printed any more."""

    status, rule = 410, "notice-over"
    title_vi, title_en = "Đã hết thời hạn niêm yết", "The days of posting are over"
    legal = "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 16"

    def __init__(self, until: dt.date) -> None:
        super().__init__(
            f"Thông báo được niêm yết đến hết ngày {until:%d/%m/%Y} và không còn được in hoặc xem.",
            f"The notice was posted until {until.isoformat()} and is neither printed nor shown any more.",
        )


class NoticeReplaced(Problem):
    """The results were posted again, and the notice of that posting hangs in this one's place."""

    status, rule = 410, "notice-replaced"
    title_vi, title_en = "Thông báo đã được thay", "The notice was replaced"
    legal = "Quyết định 24/2021/QĐ-TTg, Điều 4"

    def __init__(self) -> None:
        super().__init__(
            "Kết quả đã được niêm yết lại; thông báo này không còn được in hoặc xem.",
            "The results were posted again; this notice is neither printed nor shown any more.",
        )


class PaperUnavailable(NotReady):
    """The paper could not be typeset at this moment."""

    def __init__(self) -> None:
        super().__init__("Chưa in được giấy; hãy thử lại.", "The paper could not be made; try again.")
