"""Operations as an operator sees them: poison found, retried, given up; a projection made anew; on every screen."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr
from tests.browser.conftest import COMMUNE, Seen

from benvung.bus import Bus, Doubt, Outgoing, Refused
from benvung.settings import ServiceSettings
from benvung_local.client import Addresses, until
from benvung_local.stack import Stack

CLASSIFIED = "households.household.classified.v1"
SERVICES = ("funding", "reporting")
POISON = b'{"specversion": "1.0", "type": "households.household.classified.v9", "note": "<script>x</script>"}'


@pytest.fixture(scope="module")
def poisoned(stack: Stack, where: Addresses) -> Iterator[Stack]:
    """The running system with messages in the register's stream that nobody can read."""
    for payload in (POISON, b"\xff\x00\x01 no text at all", b"{}"):
        put(stack, payload)
    for service in SERVICES:
        until(20, lambda name=service: len(letters(stack, name)) >= 3)
    yield stack


def put(stack: Stack, payload: bytes) -> None:
    """Put a message into the stream as its owner, who alone may; its relay may be quicker."""
    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        until(20, lambda: beside.submit(asyncio.run, publish(stack, payload)).result())


async def publish(stack: Stack, payload: bytes) -> bool:
    settings = ServiceSettings(
        database_url=SecretStr(stack.database_url("households")),
        nats_url=stack.nats.url,
        nats_user="households",
        nats_password=SecretStr(stack.secrets.nats["households"]),
    )
    bus = await Bus.connect(settings, "households", "test")
    try:
        last = (await bus.stream_state("HOUSEHOLDS")).last_seq
        message = Outgoing(f"{CLASSIFIED}.64.{COMMUNE}", str(uuid.uuid4()), payload)
        await bus.publish("HOUSEHOLDS", message, last)
    except (Doubt, Refused):
        return False
    finally:
        await bus.close()
    return True


def rows(stack: Stack, service: str, query: str) -> list[Any]:
    with psycopg.connect(stack.database_url(service)) as conn:
        return conn.execute(query.encode()).fetchall()


def letters(stack: Stack, service: str) -> list[Any]:
    return rows(stack, service, "select id, state, note, settled_by from dead_letters order by id")


@pytest.fixture
def operator(
    context: BrowserContext, where: Addresses, poisoned: Stack, seen: Seen
) -> Iterator[Callable[[str], Page]]:
    """`operator("funding")`: that service's operations, signed in by clicking. Nothing may be said or fetched
    that should not be."""

    def of(service: str) -> Page:
        page = context.new_page()
        seen.watch(page)
        page.goto(f"{getattr(where, service)}/operations")
        button = page.get_by_role("button", name="Phạm Anh Tuấn")
        if button.count():
            button.click()
        page.wait_for_url(f"{getattr(where, service)}/operations")
        return page

    yield of
    assert seen.errors == []
    assert seen.elsewhere == []


@pytest.mark.parametrize("service", SERVICES)
def test_an_operator_sees_what_is_held_back_and_why(
    operator: Callable[[str], Page], poisoned: Stack, service: str
) -> None:
    page = operator(service)

    expect(page.get_by_role("heading", level=1)).to_have_text("Vận hành")
    expect(page.locator("[data-live-state=on]")).to_be_visible()
    held = sum(state == "WAITING" for _, state, *_ in letters(poisoned, service))
    expect(page.locator("[data-key=letters]")).to_have_text(str(held))
    expect(page.get_by_role("row").filter(has_text="Đọc sự kiện HOUSEHOLDS")).to_contain_text("đang làm việc")

    page.get_by_role("link", name="Sự kiện bị giữ số 1", exact=True).click()
    expect(page.locator(".payload")).to_contain_text('"note": "<script>x</script>"')
    expect(page.locator("main")).to_contain_text("attributes missing")


def test_a_message_is_retried_in_vain_and_then_given_up_with_a_reason(
    operator: Callable[[str], Page], poisoned: Stack
) -> None:
    page = operator("funding")
    page.get_by_role("link", name="Sự kiện bị giữ số 2", exact=True).click()
    expect(page.locator(".payload")).to_contain_text("ff 00 01")

    page.get_by_role("button", name="Thử lại").click()
    expect(page.get_by_role("alert")).to_contain_text("Vẫn chưa xử lý được")
    page.get_by_label("Lý do bỏ").fill("Gửi nhầm khi thử máy")
    page.get_by_role("button", name="Bỏ sự kiện này").click()

    expect(page.get_by_role("status").first).to_contain_text("Đã bỏ sự kiện này")
    expect(page.locator(".facts")).to_contain_text("Gửi nhầm khi thử máy")
    expect(page.get_by_role("button", name="Thử lại")).to_have_count(0)
    assert ("DISCARDED", "Gửi nhầm khi thử máy", "van-hanh") in [
        one[1:] for one in letters(poisoned, "funding")
    ]


def test_a_rebuild_is_asked_for_and_seen_to_its_end_without_a_reload(
    operator: Callable[[str], Page], poisoned: Stack
) -> None:
    page = operator("reporting")
    rebuild = page.locator('form[action="/operations/rebuilds"]')
    rebuild.get_by_label("Luồng").select_option("HOUSEHOLDS")
    rebuild.get_by_label("Lý do").fill("Kiểm tra sau khi cập nhật")
    rebuild.get_by_role("button").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Dựng lại dữ liệu từ HOUSEHOLDS")
    expect(page.get_by_text("Đã thay thế")).to_be_visible(timeout=60_000)
    expect(page.locator("#differences tbody tr").first).to_be_visible()
    [(announced, by)] = rows(poisoned, "reporting", "select announced, requested_by from rebuilds")
    assert (announced, by) == (0, "van-hanh")


def test_what_happens_while_one_looks_is_seen(operator: Callable[[str], Page], poisoned: Stack) -> None:
    page = operator("reporting")
    expect(page.locator("[data-live-state=on]")).to_be_visible()
    before = int(page.locator("[data-key=letters]").inner_text())

    put(poisoned, b"{}")

    expect(page.locator("[data-key=letters]")).to_have_text(str(before + 1))


@pytest.mark.parametrize("width", [360, 1280])
def test_operations_fit_every_screen(operator: Callable[[str], Page], poisoned: Stack, width: int) -> None:
    page = operator("reporting")
    page.set_viewport_size({"width": width, "height": 844})
    base = page.url

    for path in ("", "/dead-letters/1", "/dead-letters/2", "?all=true", "?lang=en"):
        page.goto(base + path)
        expect(page.locator("h1")).to_have_count(1)
        wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1], f"{path}: {wide[0]} px of content on {wide[1]} px"
    page.goto(base + "?lang=vi")


def test_operations_work_without_scripts(browser: Browser, where: Addresses, poisoned: Stack) -> None:
    context = browser.new_context(java_script_enabled=False, locale="vi-VN")
    page = context.new_page()
    page.goto(f"{where.funding}/")
    page.get_by_role("button", name="Phạm Anh Tuấn").click()
    page.wait_for_url(f"{where.funding}/operations")

    page.get_by_role("button", name="Thử lại tất cả").click()

    expect(page.get_by_role("status").nth(1)).to_contain_text("vẫn chờ.")
    context.close()


def test_who_does_not_operate_is_refused_with_words_and_not_led_there(
    context: BrowserContext, where: Addresses
) -> None:
    page = context.new_page()
    page.goto(f"{where.reporting}/")
    page.get_by_role("button", name="Siu Thoan").click()
    page.wait_for_url(f"{where.reporting}/**")
    expect(page.get_by_role("link", name="Vận hành")).to_have_count(0)

    page.goto(f"{where.reporting}/operations")

    expect(page.get_by_role("heading", level=1)).to_have_text("Không có quyền thực hiện")
