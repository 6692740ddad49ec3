"""Sending a file without a script, and a province's own results: by a small phone and by keyboard."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from benvung_local.client import Addresses, Officer

PHONE: ViewportSize = {"width": 360, "height": 740}
HEAD = "Thôn,Mã hộ,Họ và tên chủ hộ,Giới tính chủ hộ,Ngày sinh chủ hộ,Số định danh chủ hộ,Số nhân khẩu"
# Invented: no province's real standard.
OF_THE_PROVINCE = {
    "code": "STD_64_THU", "province": "64", "base": "STD_2022_2025", "title_vi": "Chuẩn nghèo giả định của tỉnh",
    "title_en": "An invented standard of the province", "valid_from": "2022-01-01", "valid_to": "2025-06-30",
    "document": {"number": "1/NQ-GĐ", "issued_on": "2021-12-09", "issuer": "Hội đồng giả định"},
    "income_lines": {"RURAL": 2_000_000, "URBAN": 2_500_000}, "b1_thresholds": {"RURAL": 160, "URBAN": 195},
}  # fmt: skip


@pytest.fixture
def phone(browser: Browser, where: Addresses) -> Iterator[Page]:
    """The commune's officer on a small phone whose browser runs no scripts."""
    context = browser.new_context(java_script_enabled=False, locale="vi-VN", viewport=PHONE)
    page = context.new_page()
    page.goto(where.households)
    page.get_by_role("button", name="Đinh Văn Klơi").click()
    page.wait_for_url(f"{where.households}/**")
    yield page
    context.close()


def test_a_file_is_sent_and_a_wrong_one_is_told_at_its_field(
    phone: Page, where: Addresses, tmp_path: Path
) -> None:
    right, wrong = tmp_path / "households.csv", tmp_path / "wrong.csv"
    right.write_text(f"{HEAD}\nLàng Hrách,H98,Đinh Thị Mẫu,Nữ,02/03/1985,,3\n", "utf-8")
    wrong.write_text("a,b\n1,2\n", "utf-8")
    phone.goto(f"{where.households}/imports/new?of=list")

    for file in (wrong, right):
        phone.locator('[name="file"]').set_input_files(file)
        phone.locator('[name="dry_run"]').check()
        phone.get_by_role("button", name="Gửi tệp").click()
        if file is wrong:
            expect(phone.locator("#file-error")).to_contain_text("Không tìm thấy dòng tiêu đề")

    expect(phone.get_by_role("heading", level=1)).to_contain_text("Danh sách hộ (thử)")
    expect(phone.locator(".people > li")).to_contain_text("Dòng 2 · Đinh Thị Mẫu")


def test_the_provinces_own_results_are_linked_and_stand_beside_the_nations(
    phone: Page, where: Addresses
) -> None:
    with closing(Officer(where, "van-hanh")) as law:
        law.send("POST", "households", "/v1/standards", OF_THE_PROVINCE)
    phone.goto(where.households)
    phone.locator('a[href="/local-results"]').click()
    expect(phone.locator("main")).to_contain_text("Chuẩn nghèo giả định của tỉnh")
    phone.locator(".people .who a").first.click()

    own = phone.locator("section:has(#own-heading)")
    expect(own).to_contain_text("không thay đổi phân loại quốc gia")
    expect(own).to_contain_text("1/NQ-GĐ")
