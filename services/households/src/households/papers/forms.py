"""Which papers there are, from data: for whom, by which form, from when to when. What is not there is refused."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from households.domain import HouseholdClass, Refused, label


@dataclass(frozen=True, slots=True)
class CertificateForm:
    """A certificate's form: its title for each class, and the grounds it names."""

    template: str
    titles: Mapping[HouseholdClass, str]
    mark: str
    legal: str
    grounds: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class NoticeForm:
    """The notice's form."""

    template: str
    title: str
    legal: str
    grounds: tuple[str, ...]


def certificate_form(household_class: HouseholdClass | None, on: dt.date) -> CertificateForm:
    """The certificate for a class on a day; refuses by name what no form is loaded for."""
    for form in _certificates():
        if household_class in form.titles and form.valid_from <= on <= form.valid_to:
            return form
    words = "hộ chưa được phân loại" if household_class is None else label(household_class).lower()
    raise Refused(
        "certificate-form-missing",
        f"Không có mẫu giấy chứng nhận cho {words} vào ngày {on:%d/%m/%Y}: Mẫu số 03 chỉ dùng cho hộ nghèo, hộ cận"
        " nghèo. Hộ thoát nghèo, thoát cận nghèo được công nhận trong danh sách kèm quyết định.",
        "No certificate is loaded for this class on that day; escaped households are recognised in the list.",
        "class",
        "Quyết định 24/2021/QĐ-TTg, Điều 4 khoản 6, Mẫu số 02, Mẫu số 03",
    )


@cache
def notice_form() -> NoticeForm:
    """The notice of what a review found, as it is posted."""
    raw = _data()["notice"]
    return NoticeForm(raw["template"], raw["title"], raw["legal"], tuple(raw["grounds"]))


@cache
def _certificates() -> tuple[CertificateForm, ...]:
    return tuple(
        CertificateForm(
            raw["template"],
            {HouseholdClass(code): title for code, title in raw["title"].items()},
            raw["mark"],
            raw["legal"],
            tuple(raw["grounds"]),
            raw["valid_from"],
            raw["valid_to"],
        )
        for raw in _data()["certificates"]
    )


@cache
def _data() -> Mapping[str, Any]:
    file = resources.files("households") / "data" / "papers" / "papers.toml"
    return tomllib.loads(file.read_text("utf-8"))
