"""The officer's desk in a real browser: a village from listing to recognition by keyboard, form B on a small phone."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from tests.browser.conftest import Seen

from benvung_local.client import Addresses, Officer

COMMUNE = "23830"
VILLAGES = ("Làng Đơng", "Làng Kiăng")
PHONE: ViewportSize = {"width": 360, "height": 740}
HEADS = ("Đinh Văn Hlưn", "Đinh Thị Byơi")


@dataclass(frozen=True)
class Prepared:
    """A review of a commune in whose first village two households are to be listed."""

    review: str
    households: tuple[str, ...]

    def at(self, rest: str = "", village: int = 1) -> str:
        return f"/reviews/{self.review}/villages/{COMMUNE}.{village:02d}{rest}"


@pytest.fixture(scope="module")
def prepared(where: Addresses) -> Prepared:
    """A commune with two poor households, whose review of 2023 is open and in which nothing was done yet."""
    with closing(Officer(where, "huyen-kong-chro")) as officer:
        named = {"villages": [{"name": name} for name in VILLAGES]}
        officer.send("PUT", "households", f"/v1/communes/{COMMUNE}/villages", named)
        earlier, review = (_review(officer, year) for year in (2022, 2023))
        households = tuple(
            _poor(officer, earlier, head, village, number)
            for number, (head, village) in enumerate([(HEADS[0], 1), (HEADS[1], 2)])
        )
        opened = {"village": f"{COMMUNE}.02", **_act("STEERING_COMMITTEE", "PLAN", "1/KH")}
        officer.send("POST", "households", f"/v1/reviews/{review}/villages", opened)
        for said in (
            {"action": "LIST", "role": "STEERING_COMMITTEE", "on": "2023-10-02", "cases": [households[1]]},
            {"action": "CLOSE_LIST", **_act("STEERING_COMMITTEE", "REVIEW_LIST", "2/DS")},
        ):
            officer.send("POST", "households", f"/v1/reviews/{review}/villages/{COMMUNE}.02/entries", said)
    return Prepared(review, households)


def _act(role: str, kind: str, number: str, on: str = "2023-10-02") -> dict[str, object]:
    return {"role": role, "on": on, "paper": {"kind": kind, "number": number, "dated": on}}


def _review(officer: Officer, year: int) -> str:
    given = {
        "commune": COMMUNE, "year": year, "kind": "ANNUAL", "stage": "OFFICIAL", "standard": "STD_2022_2025",
        "decided_on": f"{year}-12-10",
    }  # fmt: skip
    return str(officer.send("POST", "households", "/v1/reviews", given)["id"])


def _poor(officer: Officer, review: str, head: str, village: int, number: int) -> str:
    given = {
        "commune": COMMUNE, "village": f"{COMMUNE}.{village:02d}", "code": f"H{number}", "head_name": head,
        "head_sex": "MALE", "members": 1,
    }  # fmt: skip
    made = str(officer.send("POST", "households", "/v1/households", given)["id"])
    result = {"household_id": made, "members": 1, "b1_points": 120, "b2_points": 40}
    officer.send("POST", "households", f"/v1/reviews/{review}/results", result)
    member = {
        "on": "2023-06-01", "name": head, "birth_date": "1985-03-02", "sex": "MALE", "relation": "HEAD",
        "residence": "PERMANENT", "number_missing": "OTHER", "number_missing_text": "chưa cấp", "allowance": "NONE",
        "study": "NONE", "qualification": "PRIMARY", "insurance": "STATE_PAID", "nutrition": "NORMAL",
    }  # fmt: skip
    officer.send("POST", "households", f"/v1/households/{made}/members", member)
    return made


@pytest.fixture
def desk(browser: Browser, where: Addresses, seen: Seen) -> Iterator[Page]:
    """The commune's officer at the desk; the page was quiet and asked nobody else."""
    context = browser.new_context(locale="vi-VN", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    page = context.new_page()
    seen.watch(page)
    page.goto(where.households)
    page.get_by_role("button", name="Đinh Thị Byưm").click()
    page.wait_for_url(f"{where.households}/**")
    yield page
    context.close()
    assert seen.errors == []
    assert seen.elsewhere == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that has the focus, as somebody without a mouse does."""
    for _ in range(150):
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab on {page.url}")


def press(page: Page, selector: str) -> None:
    """Reach a link or button by Tab and press Enter."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_in(page: Page, name: str, text: str) -> None:
    """Reach a field by Tab and write into it."""
    tab_to(page, f'[name="{name}"]')
    if page.evaluate("document.activeElement.tagName") == "SELECT":
        page.keyboard.type(text)
    else:
        page.keyboard.press("Control+A")
        page.keyboard.type(text)


def choose(page: Page, name: str, value: str) -> None:
    """Reach a choice by Tab and go down to one of its answers."""
    tab_to(page, f'[name="{name}"]')
    for _ in range(50):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{name} does not offer {value} on {page.url}")


def act(page: Page, action: str, **typed: str) -> None:
    """One act from the village's page, by keyboard alone."""
    press(page, f'a.button[href$="/acts/{action}"]')
    for name, text in typed.items():
        type_in(page, name.replace("__", "."), text)
    press(page, "form.wide button.primary")


def test_a_village_goes_from_listing_to_recognition_by_keyboard_alone(
    desk: Page, where: Addresses, prepared: Prepared
) -> None:
    on = "02/10/2023"
    press(desk, f'a[href="/reviews/{prepared.review}"]')
    press(desk, 'a[href$="/opening"]')
    type_in(desk, "on", on)
    type_in(desk, "paper.number", "1/KH-UBND")
    type_in(desk, "paper.dated", on)
    press(desk, "form button.primary")
    press(desk, f'a[href="{prepared.at()}"]')
    act(desk, "LIST", on=on)
    act(desk, "CLOSE_LIST", on=on, paper__number="2/DS", paper__dated=on)
    press(desk, 'a[href*="/forms/"]')
    type_in(desk, "on", on)
    press(desk, 'a[href$="how=total"]')
    type_in(desk, "on", on)
    type_in(desk, "b1_points", "120")
    type_in(desk, "b2_points", "40")
    press(desk, 'button[value="look"]')
    expect(desk.locator(".outcome")).to_contain_text("Hộ nghèo")
    press(desk, 'button[value="confirm"]')
    act(desk, "CALL_MEETING", on=on)
    press(desk, 'a.button[href$="/acts/HOLD_MEETING"]')
    for name, text in (
        ("on", on),
        ("paper.number", "3/BB"),
        ("paper.dated", on),
        ("present", "40"),
        ("agreeing", "31"),
    ):
        type_in(desk, name, text)
    for value in ("CHAIR", "MINUTE_TAKER", "HOUSEHOLDS"):
        tab_to(desk, f'[name="signed_by"][value="{value}"]')
        desk.keyboard.press("Space")
    press(desk, "form.wide button.primary")
    act(desk, "POST", on=on, paper__number="21", paper__dated=on)
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Niêm yết công khai")
    later = "06/10/2023"
    act(desk, "END_POSTING", on=later)
    act(desk, "ASK_OPINION", on=later, paper__number="9/BC", paper__dated=later)
    with closing(Officer(where, "huyen-kong-chro")) as officer:
        opinion = _act("DISTRICT_CHAIR", "OPINION", "77/UBND", "2023-10-06")
        officer.send("POST", "households", f"/v1{prepared.at('/opinions')}", opinion)
    desk.goto(f"{where.households}{prepared.at()}")
    act(desk, "RECOGNISE", on=later, paper__number="145/QĐ-UBND", paper__dated=later)

    expect(desk.locator(".way [aria-current=step]")).to_contain_text("Đã quyết định công nhận")
    desk.goto(f"{where.households}/households/{prepared.households[0]}")
    expect(desk.locator("main")).to_contain_text("Vì vậy là hộ nghèo.")


def test_form_b_is_entered_on_a_small_phone(desk: Page, where: Addresses, prepared: Prepared) -> None:
    desk.set_viewport_size(PHONE)
    desk.goto(f"{where.households}{prepared.at('', 2)}")
    desk.get_by_role("link", name="Nhập Phiếu B").click()
    desk.locator('[name="on"]').fill("03/10/2023")
    desk.locator('[name="role"]').select_option("REVIEWER")
    for name, value in (
        ("wall", "NOT_DURABLE"),
        ("pillar", "NOT_DURABLE"),
        ("roof", "DURABLE"),
        ("internet", "no"),
    ):
        desk.locator(f'label.option:has([name="b2.{name}"][value="{value}"])').click()
    desk.locator('[name="b2.floor_area"]').fill("7,9")
    desk.locator('[name="b2.water"]').select_option("SURFACE")
    desk.locator('[name="b2.toilet"]').select_option("NONE")
    desk.locator('label.option:has([name="b2.devices.none"])').click()
    desk.locator('[name="b1_points"]').fill("120")
    desk.get_by_role("button", name="Xem kết quả").click()
    # What is missing is named beside its field, and nothing that was typed is gone.
    expect(desk.locator("#refused")).to_contain_text("chưa có thông tin")
    expect(desk.locator('[name="b2.floor_area"]')).to_have_value("7,9")
    desk.locator('select[name$=".work"]').select_option("SELF_EMPLOYED")
    expect(desk.locator(".outcome")).to_contain_text("Hộ nghèo")
    no_wider(desk)
    desk.get_by_role("button", name="Xác nhận và ghi").click()

    expect(desk.locator(".state.done")).to_contain_text("Tính điểm")
    expect(desk.locator(f"#case-{prepared.households[1]}")).to_contain_text("Đã tính điểm")


def no_wider(page: Page) -> None:
    """Nothing is scrolled sideways."""
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{page.url}: {wide[0]} px of content on {wide[1]} px"


def pages_of(prepared: Prepared) -> list[str]:
    first, second = prepared.households
    return [
        "/", "/deadlines", "/households?name=dinh", "/households?class=POOR&on=01/01/2024&group=MERIT", "/imports", "/imports/new?of=list", "/imports/new?of=results", "/reviews/new", f"/reviews/{prepared.review}",
        f"/reviews/{prepared.review}/opening", prepared.at("", 2), prepared.at("/posting", 2),
        prepared.at("/acts/WITHDRAW", 2), prepared.at(f"/forms/{second}?how=answers", 2),
        prepared.at(f"/forms/{second}?how=flags", 2), f"/households/{first}",
    ]  # fmt: skip


_NAMELESS = """[...document.querySelectorAll('input:not([type=hidden]), select, button, a')].filter(one => {
  const words = (one.labels && [...one.labels].map(label => label.textContent).join('')) || one.textContent
    || one.getAttribute('aria-label') || '';
  return !words.trim();
}).map(one => one.outerHTML)"""
_LEVELS = "[...document.querySelectorAll('h1, h2, h3')].map(one => Number(one.tagName[1]))"
_SMALL = """[...document.querySelectorAll('main button, main .button, main select, main input:not([type=hidden])')]
  .map(one => (one.closest('label.option') ?? one).getBoundingClientRect())
  .filter(box => box.height > 0 && box.height < 44).length"""
_SEEN = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = one => { for (let at = one; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor); if (colour[3] === 255) return colour; }
    return [255, 255, 255, 255]; };
  return [...document.querySelectorAll('main *')].filter(one => one.checkVisibility() && !one.disabled
    && [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
    && !one.closest('.visually-hidden'))
    .map(one => { const a = light(rgb(getComputedStyle(one).color)), b = light(ground(one));
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.outerHTML.slice(0, 120)]; })
    .filter(([ratio]) => ratio < 4.5);
})()"""


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_and_can_be_heard_seen_and_hit(
    desk: Page, where: Addresses, prepared: Prepared, width: int
) -> None:
    desk.set_viewport_size({"width": width, "height": 740})
    for path in pages_of(prepared):
        desk.goto(f"{where.households}{path}")
        no_wider(desk)
        levels = desk.evaluate(_LEVELS)
        assert levels.count(1) == 1, path
        assert all(after - before <= 1 for before, after in zip([1, *levels], levels, strict=False)), (
            path,
            levels,
        )
        assert desk.evaluate(_NAMELESS) == [], path
        assert desk.evaluate(_SEEN) == [], path
        assert desk.evaluate(_SMALL) == 0, path


def test_the_desk_works_without_scripts(browser: Browser, where: Addresses, prepared: Prepared) -> None:
    context: BrowserContext = browser.new_context(java_script_enabled=False, locale="vi-VN")
    page = context.new_page()
    page.goto(where.households)
    page.get_by_role("button", name="Đinh Thị Byưm").click()
    page.wait_for_url(f"{where.households}/**")
    page.goto(f"{where.households}{prepared.at(f'/forms/{prepared.households[1]}?how=flags', 2)}")
    page.locator('[name="b1_points"]').fill("300")
    page.get_by_role("button", name="Xem kết quả").click()

    expect(page.locator(".outcome")).to_contain_text("Hộ không nghèo")
    context.close()


def test_somebody_elses_village_is_refused_with_words(
    context: BrowserContext, where: Addresses, prepared: Prepared
) -> None:
    page = context.new_page()
    page.goto(f"{where.households}{prepared.at('', 2)}")
    page.get_by_role("button", name="Đinh Văn Klơi").click()
    page.wait_for_url(f"{where.households}/reviews/**")

    expect(page.get_by_role("heading", level=1)).to_have_text("Không tìm thấy kỳ rà soát")


NARROW = "form.narrow summary"


def test_the_list_is_narrowed_and_widened_by_keyboard_alone(
    desk: Page, where: Addresses, prepared: Prepared
) -> None:
    press(desk, 'a[href="/households"]')
    everybody = desk.locator(".people > li").count()
    tab_to(desk, NARROW)
    desk.keyboard.press("Enter")
    choose(desk, "village", f"{COMMUNE}.01")
    choose(desk, "class", "POOR")
    press(desk, "form.narrow details button.primary")

    expect(desk.locator(".chips strong")).to_have_text(["Làng Đơng", "Hộ nghèo"])
    expect(desk.locator("#found")).to_have_text("Tìm thấy 1 hộ")
    expect(desk.locator(NARROW)).to_contain_text("đang đặt 2")
    expect(desk.locator(".chips a")).to_have_count(2)
    press(desk, ".chips a")
    press(desk, ".chips a")
    expect(desk.locator(".chips a")).to_have_count(0)
    assert desk.locator(".people > li").count() == everybody >= len(prepared.households)


def test_the_list_fits_a_small_phone_with_its_filters_folded_and_open(desk: Page, where: Addresses) -> None:
    desk.set_viewport_size(PHONE)
    for asked in (
        "",
        "?class=POOR&movement=ESCAPED_ABOVE_NEAR_POOR&group=MERIT",
        "?name=dinh",
    ):
        desk.goto(f"{where.households}/households{asked}")
        no_wider(desk)
        expect(desk.locator("#movement")).to_be_hidden()
        desk.locator(NARROW).click()
        expect(desk.locator("#movement")).to_be_visible()
        no_wider(desk)


def test_without_scripts_the_list_is_narrowed_and_taken_away_with_its_purpose(
    browser: Browser, where: Addresses, prepared: Prepared
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="vi-VN")
    page = context.new_page()
    page.goto(f"{where.households}/households")
    page.get_by_role("button", name="Đinh Thị Byưm").click()
    page.wait_for_url(f"{where.households}/**")
    page.locator(NARROW).click()
    page.get_by_label("Phân loại").select_option("POOR")
    page.get_by_role("button", name="Lọc", exact=True).click()
    expect(page.locator(".chips a")).to_have_count(1)
    page.get_by_text("Tải danh sách này về").click()
    page.get_by_label("Mục đích lấy tệp").select_option("POLICY")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Tải CSV").click()

    lines = taken.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) - 1 == page.locator(".people > li").count()
    assert all(household in "\n".join(lines) for household in prepared.households)
    context.close()


def test_a_file_is_sent_and_its_rows_are_answered(
    desk: Page, where: Addresses, prepared: Prepared, tmp_path: Path
) -> None:
    file = tmp_path / "households.csv"
    head = "Thôn,Mã hộ,Họ và tên chủ hộ,Giới tính chủ hộ,Ngày sinh chủ hộ,Số định danh chủ hộ,Số nhân khẩu"
    file.write_text(f"{head}\nLàng Đơng,H99,Đinh Văn Mẫu,Nam,02/03/1985,,3\nLàng Không,,,,,,\n", "utf-8")
    press(desk, 'a[href="/imports"]')
    press(desk, 'a[href="/imports/new?of=list"]')
    desk.locator('[name="file"]').set_input_files(file)
    tab_to(desk, '[name="dry_run"]')
    desk.keyboard.press("Space")
    press(desk, "form[data-upload] button.primary")

    expect(desk.get_by_role("heading", level=1)).to_contain_text("Danh sách hộ")
    expect(desk.locator("main")).to_contain_text("Dòng 2")
    expect(desk.locator(".answer.error").first).to_be_visible()


def test_every_time_limit_is_one_click_from_the_desk(desk: Page, prepared: Prepared) -> None:
    desk.get_by_role("link", name="Xem mọi thời hạn").click()
    expect(desk.locator(f'.todo a[href="{prepared.at(village=2)}"]').first).to_be_visible()
    desk.set_viewport_size(PHONE)
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    desk.locator("#state").select_option(label="Đã làm đúng hạn")
    desk.get_by_role("button", name="Lọc").click()
    expect(desk.locator("#state")).to_have_value("MET")
    expect(desk.locator(".todo .due")).to_have_count(0)
