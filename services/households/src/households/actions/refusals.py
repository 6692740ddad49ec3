"""The named refusals of this service that are more than a broken rule of the domain."""

import datetime as dt
import uuid
from collections.abc import Sequence

from benvung.etags import Changed
from benvung.problems import Conflict, FieldError, Forbidden, NotFound, NotReady, Problem


class ReviewNotFound(NotFound):
    """There is no such review, or it belongs to another area."""

    rule = "review-not-found"
    title_vi, title_en = "Không tìm thấy kỳ rà soát", "There is no such review"


class HouseholdNotFound(NotFound):
    """There is no such household, or it belongs to another area."""

    rule = "household-not-found"
    title_vi, title_en = "Không tìm thấy hộ", "There is no such household"


class MemberNotFound(NotFound):
    """The household has no such member, or it belongs to another area."""

    rule = "member-not-found"
    title_vi, title_en = "Không tìm thấy thành viên", "There is no such member"


class DecisionNotFound(NotFound):
    """There is no such decision, or it belongs to another area."""

    rule = "decision-not-found"
    title_vi, title_en = "Không tìm thấy quyết định", "There is no such decision"


class ChangeNotFound(NotFound):
    """There is no such change of a household, or it belongs to another area."""

    rule = "change-not-found"
    title_vi, title_en = "Không tìm thấy biến động của hộ", "There is no such change of a household"


class PopulationNotFound(NotFound):
    """There is no such record of a population, or it belongs to another area."""

    rule = "population-not-found"
    title_vi, title_en = "Không tìm thấy số liệu dân số", "There is no such record of a population"


class ImportNotFound(NotFound):
    """There is no such import, or it belongs to another area."""

    rule = "import-not-found"
    title_vi, title_en = "Không tìm thấy lần nhập tệp", "There is no such import"


class AreaNotFound(NotFound):
    """No administrative unit had this code on that day, or it is outside the asker's area."""

    rule = "area-not-found"
    title_vi, title_en = "Không có đơn vị hành chính mang mã này", "There is no such administrative unit"


class ReviewClosed(Conflict):
    """The review is closed and takes no more results."""

    rule = "review-closed"
    title_vi, title_en = "Kỳ rà soát đã đóng", "The review is closed"


class ReviewExists(Conflict):
    """The commune already has an annual review of this year, stage and standard."""

    rule = "review-exists"
    title_vi, title_en = "Kỳ rà soát này đã được mở", "This review has been opened before"

    def __init__(self, review_id: uuid.UUID) -> None:
        super().__init__(
            f"Xã đã có kỳ rà soát định kỳ của năm này: /v1/reviews/{review_id}.",
            f"The commune already has this annual review: /v1/reviews/{review_id}.",
            headers={"Location": f"/v1/reviews/{review_id}"},
        )


class SameFileTwice(Conflict):
    """This very file was imported into this review before."""

    rule = "same-file-twice"
    title_vi, title_en = "Tệp này đã được nhập", "This file has been imported before"

    def __init__(self, first: uuid.UUID) -> None:
        super().__init__(
            f"Kỳ rà soát đã nhận đúng tệp này: /v1/imports/{first}. Không có gì được ghi thêm.",
            f"The review already took this very file: /v1/imports/{first}. Nothing was recorded.",
            headers={"Location": f"/v1/imports/{first}"},
        )


class SameListTwice(Conflict):
    """This very list was imported into this commune before."""

    rule = "same-file-twice"
    title_vi, title_en = "Tệp này đã được nhập", "This file has been imported before"

    def __init__(self, first: uuid.UUID) -> None:
        super().__init__(
            f"Xã đã nhận đúng tệp này: /v1/list-imports/{first}. Không có gì được ghi thêm.",
            f"The commune already took this very file: /v1/list-imports/{first}. Nothing was recorded.",
            headers={"Location": f"/v1/list-imports/{first}"},
        )


class ImportNotMatchable(Conflict):
    """A trial changes nothing, and a failed import takes nothing more: their rows cannot be matched."""

    rule = "import-not-matchable"
    title_vi, title_en = "Lần nhập này không khớp được", "This import cannot be matched"

    def __init__(self) -> None:
        super().__init__(
            "Lần nhập thử hoặc đã dừng vì lỗi không nhận kết quả khớp; hãy gửi lại tệp.",
            "A trial or an import that failed takes no matches; send the file again.",
        )


class ImportsUnfinished(Conflict):
    """A file of this review is still being applied."""

    rule = "imports-unfinished"
    title_vi, title_en = "Còn tệp đang được xử lý", "A file is still being applied"


class CycleNotFound(NotFound):
    """The review was not opened in this village, or it belongs to another area."""

    rule = "cycle-not-found"
    title_vi, title_en = "Kỳ rà soát chưa mở ở thôn này", "The review was not opened in this village"


class HolidaysNotFound(NotFound):
    """There is no such load of holidays."""

    rule = "holidays-not-found"
    title_vi, title_en = "Không tìm thấy lần nạp ngày nghỉ lễ, tết", "There is no such load of holidays"


class RecognitionNotFound(NotFound):
    """There is no such recognition, or it belongs to another area."""

    rule = "recognition-not-found"
    title_vi, title_en = "Không tìm thấy kết quả công nhận", "There is no such recognition"


class CapacityNotHeld(Forbidden):
    """Whoever records an act has another part in reviews than the one in which it is done."""

    rule = "capacity-not-held"
    title_vi, title_en = "Không được ghi thay thẩm quyền này", "This part is not yours to record"


class CycleExists(Conflict):
    """The review was opened in this village before."""

    rule = "cycle-exists"
    title_vi, title_en = "Kỳ rà soát đã mở ở thôn này", "The review is open in this village already"


class CycleChanged(Changed):
    """Another step was recorded in the village since it was read."""

    rule = "cycle-changed"
    title_vi, title_en = "Thôn đã có bước mới từ lần đọc trước", "The village has moved since it was read"


class CyclesUnfinished(Conflict):
    """A village of the review has not come to its last step."""

    rule = "cycles-unfinished"
    title_vi, title_en = "Còn thôn chưa báo cáo kết quả", "A village has not reported its results yet"


class VillageInhabited(Conflict):
    """A village in which households are or were registered cannot leave the list."""

    rule = "village-inhabited"
    title_vi, title_en = "Thôn còn hộ trong sổ", "Households are registered in the village"


class VillagesContradict(Problem):
    """Two villages of the list have the same code or name, or a code belongs to another commune."""

    rule = "villages-contradict"
    title_vi, title_en = "Danh sách thôn mâu thuẫn", "The list of villages contradicts itself"


class HouseholdChanged(Changed):
    """The household was changed since it was read."""

    rule = "household-changed"
    title_vi, title_en = "Hộ đã thay đổi từ lần đọc trước", "The household has changed since it was read"


class MemberChanged(Changed):
    """The member was changed since it was read."""

    rule = "member-changed"
    title_vi, title_en = "Thành viên đã thay đổi từ lần đọc trước", "The member has changed since it was read"


class MembersChanged(Changed):
    """The household's list of members was changed since it was read."""

    rule = "members-changed"
    title_vi = "Danh sách thành viên đã thay đổi từ lần đọc trước"
    title_en = "The list of members has changed since it was read"


class MembersRefused(Problem):
    """A whole list of members has faults; each is named with its place. Nothing of the list was recorded."""

    rule = "members-refused"
    title_vi, title_en = "Danh sách thành viên có lỗi", "The list of members has faults"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(
            f"Danh sách có {len(errors)} lỗi; chưa ghi gì.",
            f"The list has {len(errors)} faults; nothing was recorded.",
            errors=errors,
        )


class HouseholdElsewhere(Conflict):
    """What is asked for again was done, and the household lives outside the asker's area since."""

    rule = "household-elsewhere"
    title_vi, title_en = "Hộ nay ở ngoài địa bàn phụ trách", "The household is outside your area by now"

    def __init__(self, location: str) -> None:
        super().__init__(
            "Yêu cầu này đã được ghi ở lần gửi trước; hộ nay thuộc địa bàn khác.",
            "This was recorded when it was sent before; the household is in another area by now.",
            headers={"Location": location},
        )


class CommuneUnknown(Problem):
    """No commune had this code on that day."""

    rule = "commune-unknown"
    title_vi, title_en = "Không có xã mang mã này", "There is no such commune"

    def __init__(self, commune: str, field: str) -> None:
        message_vi = f"Không có xã, phường, thị trấn mang mã {commune} vào ngày này."
        message_en = f"No commune had the code {commune} on that day."
        super().__init__(
            message_vi, message_en, errors=[FieldError(field, self.rule, message_vi, message_en)]
        )


class AreaTypeUnknown(Problem):
    """No source says whether the commune is urban or rural, so no threshold can be chosen."""

    rule = "area-type-unknown"
    title_vi, title_en = "Chưa rõ xã thuộc khu vực nào", "The commune's area type is not known"

    def __init__(self, commune: str, field: str) -> None:
        message_vi = f"Chưa có nguồn cho biết {commune} là thành thị hay nông thôn vào ngày này."
        message_en = f"No source says whether {commune} was urban or rural on that day."
        super().__init__(
            message_vi, message_en, errors=[FieldError(field, self.rule, message_vi, message_en)]
        )


class VillageUnknown(Problem):
    """The commune's list has no such village."""

    rule = "village-unknown"
    title_vi, title_en = "Thôn không có trong danh sách của xã", "The village is not in the commune's list"

    def __init__(self, village: str, field: str) -> None:
        message_vi = f"Danh sách của xã không có thôn mang mã {village}."
        message_en = f"The commune's list has no village with the code {village}."
        super().__init__(
            message_vi, message_en, errors=[FieldError(field, self.rule, message_vi, message_en)]
        )


class ReorganisationNotFound(NotFound):
    """There is no such reorganisation, or none of its communes is the asker's."""

    rule = "reorganisation-not-found"
    title_vi, title_en = "Không tìm thấy việc sắp xếp này", "There is no such reorganisation"


class NothingWaits(NotFound):
    """Of the households named, one does not wait for a choice in this commune."""

    rule = "nothing-waits"
    title_vi, title_en = "Không có hộ nào chờ phân địa bàn như đã nêu", "Not all of these households wait"


class SimulationNotFound(NotFound):
    """There is no such simulation, or it is not for the asker's eyes."""

    rule = "simulation-not-found"
    title_vi, title_en = "Không tìm thấy phương án thử", "There is no such simulation"


class SimulationUnfinished(Conflict):
    """The simulation is not done, so it has nothing to compare or take away."""

    rule = "simulation-unfinished"
    title_vi, title_en = "Phương án thử chưa có kết quả", "The simulation has no results"


class SimulationsDiffer(Problem):
    """Two simulations of other places, days or standards cannot be set side by side."""

    status, rule = 422, "simulations-not-comparable"
    title_vi, title_en = "Hai phương án không so sánh được", "The simulations cannot be compared"


class RestrictedIndicators(Forbidden):
    """Rules that leave out or weigh indicators give away children's health together with the B2 total."""

    rule = "restricted-indicators"
    title_vi, title_en = "Chỉ số thuộc dữ liệu nhạy cảm", "The indicators are restricted"

    def __init__(self) -> None:
        super().__init__(
            "Bộ quy tắc chọn riêng từng chỉ số làm lộ chỉ số về sức khỏe trẻ em; cần quyền indicators.read.",
            "Rules that treat indicators apart give away a child's health; the permission indicators.read is"
            " needed.",
        )


class LocalStandardElsewhere(Problem):
    """A province's line holds in that province only."""

    status, rule = 422, "local-standard-elsewhere"
    title_vi, title_en = "Chuẩn của tỉnh chỉ dùng trong tỉnh đó", "A province's line holds in that province"


class WorkbookTooLarge(Problem):
    """A sheet has no room for so many households; CSV has."""

    status, rule = 422, "workbook-too-large"
    title_vi, title_en = "Quá nhiều hộ cho một tệp XLSX", "Too many households for an XLSX file"


class ListTooLarge(Problem):
    """A file takes the list of a commune or a district; that of a larger area is taken part by part."""

    status, rule = 422, "list-too-large"
    title_vi, title_en = "Danh sách quá lớn cho một tệp", "The list is too large for one file"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Danh sách có hơn {most} hộ; hãy xuất theo xã.",
            f"The list has more than {most} households; take it commune by commune.",
        )


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


class PaperUnavailable(NotReady):
    """The paper could not be typeset at this moment."""

    def __init__(self) -> None:
        super().__init__("Chưa in được giấy; hãy thử lại.", "The paper could not be made; try again.")
