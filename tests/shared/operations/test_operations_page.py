"""The page of operations: everything at a glance, forms that work without a script, words for every state."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape

import httpx2
import pytest_asyncio
from fastapi import APIRouter
from starlette.responses import HTMLResponse
from tests.shared.operations.tallying import READER, STREAM, Site, payload, tallying

from benvung import auth, sessions
from benvung.issuer import Issuer
from benvung.testing import SettingsFor, Tokens
from benvung.web import create_app

HTML = {"Accept": "text/html"}


@dataclass
class Browser:
    """A browser without scripts, signed in as an operator of the whole country."""

    site: Site
    client: httpx2.AsyncClient

    async def read(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path, headers=HTML)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, page: str, action: str, **fields: str) -> httpx2.Response:
        """Fill in the form with this action on a page and send it, with what the form itself carries."""
        html = await self.read(page)
        form = re.search(rf'<form[^>]* action="{re.escape(action)}">(.*?)</form>', html, re.DOTALL)
        assert form, f"{page} has no form {action}"
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[1]))
        return await self.client.post(action, data=hidden | fields, headers=HTML)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(site: Site) -> AsyncIterator[Browser]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(site.app), base_url="http://reporting.test"
    ) as client:
        await sign_in(site, client, ["operate"], ["VN"])
        yield Browser(site, client)


async def sign_in(site: Site, client: httpx2.AsyncClient, permissions: list[str], areas: list[str]) -> None:
    claims = {"sub": "van-hanh", "name": "Phạm Anh Tuấn", "permissions": permissions, "areas": areas}
    async with site.engine.begin() as conn:
        token = await sessions.open_session(conn, claims, dt.timedelta(hours=1))
    client.cookies.set("reporting_session", token)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


async def test_an_empty_situation_is_said_in_words(browser: Browser) -> None:
    text = words(await browser.read("/operations"))

    for said in (
        "Vận hành",
        "Phạm Anh Tuấn",
        "Không có sự kiện nào bị giữ lại",
        "Chưa dựng lại lần nào",
        "chưa từng chạy",
        f"Đọc sự kiện {STREAM}",
        "Gửi sự kiện REPORTING",
    ):
        assert said in text
    assert "Thử lại tất cả" not in text


async def test_every_state_of_letters_is_shown_and_says_when_it_is_empty(browser: Browser) -> None:
    for query, said in (
        ("state=RETRIED", "Chưa có sự kiện nào được xử lý lại"),
        ("state=DISCARDED", "Chưa có sự kiện nào bị bỏ"),
        ("all=true", "Chưa từng có sự kiện nào bị giữ lại"),
    ):
        assert said in words(await browser.read(f"/operations?{query}"))
    await browser.site.bury(b"{}")
    assert "Sự kiện bị giữ số 1" in await browser.read("/operations?all=true")
    assert (await browser.client.get("/operations?state=LOST", headers=HTML)).status_code == 422


async def test_a_letter_shows_its_content_and_its_reason_as_text(browser: Browser) -> None:
    number = await browser.site.bury(
        b'{"x": "<script>alert(1)</script>\\u202e\\u001b[2J"}', reason="<b>no</b>"
    )

    html = await browser.read(f"/operations/dead-letters/{number}")

    assert "<script>alert" not in html
    assert "<b>no</b>" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "\u202e" not in html
    assert await browser.site.audited("dead_letter.read") == [("van-hanh", str(number))]


async def test_a_retry_by_its_button_shows_what_came_of_it(browser: Browser) -> None:
    number = await browser.site.bury(payload(13))
    page = f"/operations/dead-letters/{number}"

    again = await browser.send(page, f"{page}/retry")
    assert (again.status_code, again.headers["location"]) == (303, f"{page}?done=again")
    text = words(await browser.read(again.headers["location"]))
    assert "Vẫn chưa xử lý được" in text
    assert "ValueError: thirteen" in text

    await browser.site.open_gate()
    done = await browser.send(page, f"{page}/retry")
    text = words(await browser.read(done.headers["location"]))
    assert "Đã xử lý lại" in text
    assert "van-hanh" in text
    assert "Bỏ sự kiện này" not in text
    assert await browser.site.numbers() == [13]


async def test_a_discard_without_a_reason_says_so_beside_the_field(browser: Browser) -> None:
    number = await browser.site.bury(b"{}")
    page = f"/operations/dead-letters/{number}"

    for reason in ("   ", "x" * 501):
        wrong = await browser.send(page, f"{page}/discard", reason=reason)
        assert wrong.status_code == 422
        assert "Hãy ghi lý do, không quá 500 ký tự." in words(wrong.text)
        assert 'aria-invalid="true"' in wrong.text
    assert (await browser.site.letter(number)).state == "WAITING"

    done = await browser.send(page, f"{page}/discard", reason="Gửi nhầm")
    text = words(await browser.read(done.headers["location"]))
    assert "Đã bỏ sự kiện này" in text
    assert "Gửi nhầm" in text


async def test_whoever_comes_second_is_told_who_was_first(browser: Browser) -> None:
    number = await browser.site.bury(payload(5))
    page = f"/operations/dead-letters/{number}"
    csrf = re.search(r'name="csrf" value="([^"]+)"', await browser.read(page))
    assert csrf
    await browser.site.client.post(f"/v1/dead-letters/{number}/discard", json={"reason": "x"})

    for act in ("retry", "discard"):
        late = await browser.client.post(f"{page}/{act}", data={"csrf": csrf[1], "reason": "y"}, headers=HTML)
        assert late.headers["location"] == f"{page}?done=settled"
    text = words(await browser.read(f"{page}?done=settled"))
    assert "officer đã giải quyết sự kiện này" in text


async def test_a_letter_without_a_projection_says_that_it_can_only_be_discarded(browser: Browser) -> None:
    number = await browser.site.bury(payload(5), projector="formerly")
    page = f"/operations/dead-letters/{number}"

    refused = await browser.send(page, f"{page}/retry")

    assert "chỉ có thể bỏ" in words(await browser.read(refused.headers["location"]))


async def test_all_are_retried_by_one_button(browser: Browser) -> None:
    await browser.site.bury(payload(1))
    await browser.site.bury(b"{}")

    done = await browser.send("/operations", "/operations/dead-letters/retry")

    assert done.headers["location"] == "/operations?done=round&retried=1&kept=1"
    text = words(await browser.read(done.headers["location"]))
    assert "1 đã xử lý lại, 1 vẫn chờ." in text


async def test_a_rebuild_is_asked_for_with_a_reason_and_followed(browser: Browser) -> None:
    for fields, said in (
        ({"stream": STREAM, "reason": " "}, "Hãy ghi lý do"),
        ({"stream": "ELSEWHERE", "reason": "x"}, "Hãy chọn luồng mà dịch vụ này đọc."),
    ):
        wrong = await browser.send("/operations", "/operations/rebuilds", **fields)
        assert wrong.status_code == 422
        assert said in words(wrong.text)
    asked = await browser.send("/operations", "/operations/rebuilds", stream=STREAM, reason="Sau khi sửa lỗi")
    assert asked.status_code == 303
    where = asked.headers["location"]

    text = words(await browser.read(where))
    assert "Đã yêu cầu" in text
    assert "Sau khi sửa lỗi" in text
    assert "van-hanh" in text

    await browser.site.run(
        "insert into runners values (:name, 'working', '', '', now(), now(), 'now', 200)",
        name=f"projector {READER} on {STREAM}",
    )
    await browser.site.run("update rebuilds set state = 'READING', stream_created = 'now', stream_seq = 50")
    assert "50 trên 200" in words(await browser.read(f"{where}/now"))
    assert "50 trên 200" in words(await browser.read("/operations/newest"))
    await browser.site.run(
        "update rebuilds set state = 'DONE', finished_at = now(), announced = 4,"
        """ differences = '{"tallied": {"live": 10, "only_live": 3, "only_new": 2}}'"""
    )
    text = words(await browser.read(f"{where}/now"))
    assert "tallied 10 3 2" in text
    assert "Sự kiện thông báo vì khác biệt 4" in text
    await browser.site.run("update rebuilds set state = 'CANCELLED'")
    assert "Đã hủy" in words(await browser.read(f"{where}/now"))


async def test_a_form_without_the_sessions_token_changes_nothing(browser: Browser) -> None:
    number = await browser.site.bury(payload(5))
    for path in (
        "/operations/dead-letters/retry",
        f"/operations/dead-letters/{number}/retry",
        f"/operations/dead-letters/{number}/discard",
        "/operations/rebuilds",
    ):
        for csrf in ({}, {"csrf": "x"}):
            data = {"reason": "x", "stream": STREAM, **csrf}
            refused = await browser.client.post(path, data=data, headers=HTML)
            assert refused.status_code == 403, path
            assert "Thiếu mã xác nhận" in words(refused.text)
    assert (await browser.site.letter(number)).state == "WAITING"
    assert await browser.site.run("select from rebuilds") == []


async def test_the_page_is_for_operators_and_only_they_are_led_there(browser: Browser) -> None:
    site = browser.site
    assert 'href="/operations"' in await browser.read("/operations")
    browser.client.cookies.clear()
    away = await browser.client.get("/operations?state=RETRIED", headers=HTML)
    assert away.headers["location"] == "/sign-in?next=%2Foperations%3Fstate%3DRETRIED"

    await sign_in(site, browser.client, ["reports.read"], ["VN"])
    refused = await browser.read("/operations", 403)
    assert "Không có quyền thực hiện" in words(refused)
    assert 'href="/operations"' not in refused

    browser.client.cookies.clear()
    await sign_in(site, browser.client, ["operate"], ["630"])
    assert "Ngoài địa bàn phụ trách" in words(await browser.read("/operations", 403))


async def test_the_page_speaks_english_too(browser: Browser) -> None:
    number = await browser.site.bury(payload(13))
    await browser.site.client.post("/v1/rebuilds", json={"stream": STREAM, "reason": "x"})
    for path in ("/operations", f"/operations/dead-letters/{number}", "/operations/rebuilds/1"):
        main = (await browser.read(f"{path}?lang=en")).partition("<main")[2].partition("</main>")[0]
        assert not set("ăâđêôơưạảấầậắặẹếềệịọốồộớợụứừự") & set(words(main)), words(main)


async def test_what_is_not_there_is_said_on_a_page(browser: Browser) -> None:
    assert "Không có sự kiện bị giữ lại nào" in words(await browser.read("/operations/dead-letters/77", 404))
    assert "Không có lần dựng lại nào" in words(await browser.read("/operations/rebuilds/77", 404))


async def test_a_service_without_other_pages_begins_here(
    browser: Browser, settings: SettingsFor, tokens: Tokens
) -> None:
    assert (await browser.client.get("/")).headers["location"] == "/operations"

    front = APIRouter(dependencies=[auth.PUBLIC])

    @front.get("/", response_class=HTMLResponse)
    async def first() -> str:
        return "its own"

    app = create_app(tallying(settings(READER), pages=[front]), worker=False)
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x.test") as client,
    ):
        assert (await client.get("/")).text == "its own"
        assert (await client.get("/operations", headers=HTML)).status_code == 303
