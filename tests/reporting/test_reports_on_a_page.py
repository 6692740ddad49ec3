"""The page: what it says, in both languages, and that it hears of every change."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import httpx2
import psycopg
import pytest
from tests.reporting.histories import END_2022, END_2023, decided, living_in, population
from tests.reporting.test_reports_of_support import held, line

from benvung.testing import Database
from reporting.charts import Drawing, bundle_name
from reporting.live import Changes

Tell = Callable[..., Awaitable[None]]
Client = Callable[..., Awaitable[httpx2.AsyncClient]]


async def text(client: httpx2.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return " ".join(answer.text.split())


async def district(tell: Tell) -> None:
    first, second = living_in("23827", 4), living_in("23827", 5)
    told = []
    for state, later in ((first, "POOR"), (second, "NEAR_POOR")):
        after, event = decided(state, "POOR", END_2022)
        told += [event, decided(after, later, END_2023)[1]]
    await tell(
        [
            *told,
            population("23827", 1234, 5000, END_2022),
            line("630", "DA2", "RECURRENT", 28_269),
            held("630", 200, "GREATER"),
        ]
    )


async def test_the_page_tells_the_situation_of_one_s_own_area(tell: Tell, officer: Client) -> None:
    await district(tell)

    page = await text(await officer("23827"), "/")

    assert "<h1>Xã Chư Krey</h1>" in page
    assert "0,08 %" in page
    assert "giảm 0,08 điểm phần trăm so với 31/12/2022" in page.replace("</span>", "")
    assert "Quyết định 12/QĐ-UBND ngày 31/12/2023" in page
    assert "1.234 hộ dân cư ngày 31/12/2022, Niên giám thống kê" in page
    assert "Tỷ lệ hộ nghèo giảm từ 0,16 % xuống 0,08 %" in page


async def test_a_district_has_its_communes_money_and_training(tell: Tell, officer: Client) -> None:
    await district(tell)

    page = await text(await officer("630"), "/")

    assert page.count('<th scope="row"><a href="/?area=238') == 14
    assert "28.269 triệu đồng" in page
    assert "ít nhất 200 lượt người, 1 lớp" in page
    assert "chưa có mẫu số" in page


async def test_the_page_speaks_english(tell: Tell, officer: Client) -> None:
    await district(tell)

    page = await text(await officer("630"), "/?lang=en")

    assert '<html lang="en">' in page
    assert "Poor households" in page
    assert "at least 200 participants" in page


async def test_nothing_recorded_is_said_in_words(officer: Client) -> None:
    page = await text(await officer("630"), "/")

    assert "Chưa có kết quả rà soát chính thức nào của Huyện Kông Chro" in page
    assert "Chưa có quyết định giao vốn." in page


@pytest.mark.parametrize("area", ["630", "23827"])
async def test_a_fragment_is_the_same_part_of_the_page(tell: Tell, officer: Client, area: str) -> None:
    # Of the commune it is known how many households it has, so that it has shares; of the district it is not.
    await district(tell)
    client = await officer("630")
    page = await text(client, f"/?area={area}")

    for part in ("figures", "areas", "years", "given"):
        assert await text(client, f"/fragments/{part}?area={area}") in page


async def test_the_movement_forms_are_shown_with_their_checks(tell: Tell, officer: Client) -> None:
    await district(tell)

    page = await text(await officer("630"), "/movements?area=630&year=2023")

    assert "Tổng hợp diễn biến hộ nghèo trong năm" in page
    assert "Hai biểu khớp" in page
    assert "II. Khu vực nông thôn" in page


@pytest.mark.parametrize("query", ["on=yesterday", "on=0001-01-01", "area=", "lang=fr"])
async def test_a_strange_address_still_answers(query: str, officer: Client) -> None:
    assert "Bền Vững" in await text(await officer("630"), f"/?{query}")


async def next_change(stream: AsyncGenerator[bytes, None]) -> None:
    async with asyncio.timeout(5):
        async for message in stream:
            if message.startswith(b"data: changed"):
                return


async def test_every_page_hears_of_a_projection_that_moved(database: Database) -> None:
    url = database("reporting")
    changes = Changes(url)
    async with aclosing(changes.stream()) as one, aclosing(changes.stream()) as other:
        await asyncio.gather(next_change(one), next_change(other))  # listening has begun

        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            await conn.execute("select pg_notify('projection', '{}')")
        await asyncio.gather(next_change(one), next_change(other))


async def test_a_lost_listening_connection_comes_back(
    database: Database, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.live.RETRY_SECONDS", 0.05)
    changes = Changes(database("reporting"))
    async with aclosing(changes.stream()) as stream:
        await next_change(stream)

        async with await psycopg.AsyncConnection.connect(postgres_server, autocommit=True) as conn:
            await conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen projection'"
            )

        await next_change(stream)


@pytest.mark.slow
async def test_the_drawing_library_is_made_once_and_served_compressed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    drawing = Drawing(str(folder))

    content = await drawing.compressed()

    assert [file.name for file in folder.iterdir()] == [f"{bundle_name()}.gz"]
    assert await Drawing(str(folder)).compressed() == content
    assert content.startswith(b"\x1f\x8b")


async def test_another_library_than_the_present_one_is_not_there(officer: Client) -> None:
    assert (await (await officer("630")).get("/drawing/drawing-0.js")).status_code == 404
