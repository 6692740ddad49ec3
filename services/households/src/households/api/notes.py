"""What an answer does not know, said by name in the answer itself."""

import datetime as dt

from pydantic import Field

from benvung import areas
from households.api.fields import Shown


class Note(Shown):
    """Something an answer rests on that is not known."""

    rule: str = Field(examples=["earlier-area-changes-unknown"])
    vi: str
    en: str


EARLIER_CHANGES = Note(
    rule="earlier-area-changes-unknown",
    vi="Chưa có nguồn cho các thay đổi địa giới cấp xã trước ngày 01/07/2025: địa bàn trước ngày này là địa"
    " bàn của ngày 30/06/2025, các lần sáp nhập, đổi tên trước đó không có trong dữ liệu.",
    en="There is no source for changes of communes before 2025-07-01: units before that day are those of"
    " 2025-06-30; earlier mergers and renamings are absent.",
)


def notes_of(on: dt.date | None) -> list[Note]:
    """What is not known of the units of a day."""
    return [EARLIER_CHANGES] if on is not None and on < areas.FIRST_KNOWN else []
