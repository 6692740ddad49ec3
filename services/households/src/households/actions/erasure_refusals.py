"""What a request to erase is refused with, beside the domain's rules."""

from benvung.problems import Conflict, NotFound


class RequestNotFound(NotFound):
    """There is no such request, or it belongs to another area."""

    rule = "erasure-request-not-found"
    title_vi, title_en = "Không tìm thấy yêu cầu xoá dữ liệu", "There is no such request to erase"


class PeriodNotFound(NotFound):
    """There is no such load of a period."""

    rule = "retention-period-not-found"
    title_vi, title_en = "Không tìm thấy thời hạn lưu giữ", "There is no such period of retention"


class ErasureSubjectNotFound(NotFound):
    """What is to be erased is not there, or belongs to another area."""

    rule = "erasure-subject-not-found"
    title_vi, title_en = "Không tìm thấy dữ liệu cần xoá", "There is nothing of that kind to erase"


class ErasureSettled(Conflict):
    """The request was answered before."""

    rule = "erasure-settled"
    title_vi, title_en = "Yêu cầu đã được giải quyết", "The request was answered already"
