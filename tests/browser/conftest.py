"""A real browser in front of the running system, with a small commune in it."""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from benvung_local import demo
from benvung_local.client import Addresses, Officer, until
from benvung_local.district import finished, open_review
from benvung_local.stack import Ports, Stack

COMMUNE = "23827"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Two years of 24 households: all poor in the first, the last eight near-poor in the second.
HOUSEHOLDS = 24
NEAR_POOR_FROM = 17


@dataclass
class Seen:
    """What a page did that nobody should see: errors in its console, and requests to other hosts."""

    own: tuple[str, ...]
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Take note of what this page does from now on."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.type}: {message.text} {message.location}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((*self.own, "data:")):
            self.elsewhere.append(request.url)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests are asked for by name (make test-browser), and share one system."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or what stands for it."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        pytest.fail(f"no browser found ({', '.join(BROWSERS)}); on Debian: apt-get install -y chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The running system."""
    made = Stack(ports=Ports.free(), business_date=dt.date(2024, 1, 24))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def where(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Addresses:
    """Addresses of the system, with two years of a commune entered."""
    addresses = demo.addresses(stack)
    with closing(Officer(addresses, "huyen-kong-chro")) as officer:
        listed = {"villages": [{"name": "Làng Hrách"}]}
        officer.send("PUT", "households", f"/v1/communes/{COMMUNE}/villages", listed)
        for year in (2022, 2023):
            enter(officer, year, tmp_path_factory.mktemp("reviews") / f"{year}.csv")
    return addresses


def enter(officer: Officer, year: int, file: Path) -> None:
    """Enter the commune's population and its annual review."""
    population = {"households": 40, "persons": 160, "as_of": f"{year}-12-31", "source": "12/BC-UBND"}
    officer.send("POST", "households", f"/v1/areas/{COMMUNE}/population", population)
    file.write_text(results(year), encoding="utf-8")
    given = officer.upload(f"/v1/reviews/{open_review(officer, annual(year))}/imports", file)
    until(30, lambda: finished(officer, given["import_id"]))


def annual(year: int) -> dict[str, str]:
    """The commune's annual review."""
    return {
        "commune": COMMUNE,
        "year": str(year),
        "kind": "ANNUAL",
        "stage": "OFFICIAL",
        "standard": "STD_2022_2025",
        "decided_on": f"{year}-12-12",
        "valid_from": f"{year}-12-12",
        "decision_number": f"{COMMUNE}/12-{year}/QĐ-UBND",
    }


def results(year: int) -> str:
    """The results of a year as the commune's file has them."""
    lines = ["Thôn,Họ và tên chủ hộ,Mã hộ,Số nhân khẩu,Điểm B1,Điểm B2"]
    for number in range(1, HOUSEHOLDS + 1):
        b2 = 10 if year == 2023 and number >= NEAR_POOR_FROM else 40
        lines.append(f"Làng Hrách,Đinh Văn {number},H{number},4,120,{b2}")
    return "\n".join(lines)


@pytest.fixture
def seen(where: Addresses) -> Seen:
    """What the test's pages do that nobody should see."""
    return Seen((where.issuer, where.households, where.funding, where.training, where.reporting))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used, in Vietnamese."""
    made = browser.new_context(locale="vi-VN", viewport={"width": 1280, "height": 900})
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, where: Addresses, seen: Seen) -> Iterator[Page]:
    """Reporting's first page, signed in as the district's officer by clicking as a person does.

    At the end the page must have been quiet and asked nobody else.
    """
    made = context.new_page()
    seen.watch(made)
    made.goto(where.reporting)
    made.get_by_role("button", name="Siu Thoan").click()
    made.wait_for_url(f"{where.reporting}/**")
    yield made
    assert seen.errors == []
    assert seen.elsewhere == []
