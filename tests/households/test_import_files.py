"""Files that cannot be taken as they are, and imports that are interrupted."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from tests.households.officer import Commune, row

from benvung.testing import Engine
from benvung.testing.tokens import Tokens
from households import actions
from households.actions import imports
from households.importer import Importer

XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


async def test_a_broken_xlsx_is_refused_as_a_whole(commune: Commune) -> None:
    review = await commune.open_review()

    refused = await commune.ask(
        "POST", f"/v1/reviews/{review}/imports", 422, content=b"PK\x03\x04 this is no sheet", headers=XLSX
    )

    assert refused["rule"] == "file-unreadable"
    assert await commune.households() == []


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "file-empty"),
        (b"a,b,c\n1,2,3\n", "header-not-found"),
        ("Thôn,Họ và tên chủ hộ,Mã hộ,Số nhân khẩu\nA,B,C,1\n".encode(), "columns-missing"),
    ],
)
async def test_a_file_with_a_wrong_header_is_refused_by_name(
    commune: Commune, content: bytes, rule: str
) -> None:
    review = await commune.open_review()

    assert (await commune.send(review, content, 422))["rule"] == rule


async def test_a_thirteenth_indicator_is_refused_by_name(commune: Commune) -> None:
    content = commune.csv([row(1, "Đinh Một")]).decode("utf-8-sig").splitlines()
    content[0] = content[0].replace(",Mã hệ thống", ",13. Chỉ số thứ mười ba,Mã hệ thống")

    refused = await commune.send(await commune.open_review(), "\n".join(content).encode(), 422)

    assert refused["rule"] == "too-many-indicators"


async def test_the_same_file_twice_is_answered_with_the_first_import(commune: Commune) -> None:
    review = await commune.open_review()
    content = commune.csv([row(1, "Đinh Một")])
    first = await commune.send(review, content)
    await commune.run_imports()

    answer = await commune.client.post(
        f"/v1/reviews/{review}/imports", content=content, headers={"Content-Type": "text/csv"}
    )

    assert (answer.status_code, answer.json()["rule"]) == (409, "same-file-twice")
    assert answer.headers["location"] == f"/v1/imports/{first['import_id']}"
    assert len(await commune.households()) == 1


async def test_two_officers_sending_the_same_file_at_once_import_it_once(commune: Commune) -> None:
    review = await commune.open_review()
    content = commune.csv([row(number, f"Đinh {number}") for number in range(1, 40)])
    send = commune.client.post
    path = f"/v1/reviews/{review}/imports"

    answers = await asyncio.gather(
        *(send(path, content=content, headers={"Content-Type": "text/csv"}) for _ in range(4))
    )
    await commune.run_imports()

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(await commune.households()) == 39


async def test_a_file_over_the_limit_is_refused_while_it_arrives(
    commune: Commune, application: tuple[FastAPI, Tokens]
) -> None:
    review = await commune.open_review()
    app = application[0]
    app.state.settings = app.state.settings.model_copy(update={"max_upload_mb": 1})

    refused = await commune.send(review, b"x" * (1024 * 1024 + 1), 413)

    assert refused["rule"] == "upload-too-large"


async def test_a_form_with_the_file_in_it_is_taken_too(commune: Commune) -> None:
    review = await commune.open_review()
    path = f"/v1/reviews/{review}/imports"

    sent = await commune.ask(
        "POST", path, 202, files={"file": ("ket-qua.csv", commune.csv([row(1, "Đinh Một")]), "text/csv")}
    )
    assert sent["total"] == 1
    assert (await commune.ask("POST", path, 422, files={"other": b"x"}))["rule"] == "file-missing"
    assert (await commune.ask("POST", path, 415, json={}))["rule"] == "media-unsupported"


async def test_a_json_body_over_one_megabyte_is_refused(commune: Commune) -> None:
    refused = await commune.ask(
        "POST",
        "/v1/reviews",
        413,
        content=b'{"x": "' + b"y" * 1_000_001 + b'"}',
        headers={"Content-Type": "application/json"},
    )

    assert refused["rule"] == "body-too-large"


async def applied_rows(engine: Engine) -> list[tuple[int, int]]:
    """(row, how often it was decided on)."""
    async with engine("households").connect() as conn:
        found = await conn.execute(
            sa.text("select import_row, count(*) from decisions group by 1 order by 1")
        )
        return [(each[0], each[1]) for each in found]


async def test_an_import_interrupted_between_chunks_goes_on_and_applies_each_row_once(
    commune: Commune, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 10)
    review = await commune.open_review()
    sent = await commune.send(review, commune.csv([row(n, f"Đinh {n}") for n in range(1, 56)]))
    assert sent["state"] == "ANSWERED"
    database = engine("households")
    vault = commune.app.state.vault

    async with database.begin() as conn:
        assert await actions.imports.apply_chunk(conn, vault, sent["import_id"])
    halfway = await commune.ask("GET", f"/v1/imports/{sent['import_id']}")
    assert (halfway["state"], halfway["applied"]) == ("APPLYING", 10)
    async with database.connect() as conn:
        # This chunk is lost: its process ends before the commit.
        assert await actions.imports.apply_chunk(conn, vault, sent["import_id"])
        await conn.rollback()
    assert len(await commune.households()) == 10

    runners = [Importer(commune.app.state.settings) for _ in range(3)]
    while any(await asyncio.gather(*(runner.round(database) for runner in runners))):
        pass

    done = await commune.ask("GET", f"/v1/imports/{sent['import_id']}")
    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 55, 0)
    counted = await applied_rows(engine)
    assert len(counted) == 55
    assert {times for _, times in counted} == {1}
    assert len(await commune.households()) == 55


async def test_an_import_cancelled_in_the_middle_of_a_chunk_leaves_no_half_written_household(
    commune: Commune, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 20)
    review = await commune.open_review()
    sent = await commune.send(review, commune.csv([row(n, f"Đinh {n}") for n in range(1, 201)]))
    database = engine("households")
    for patience in (0.005, 0.02, 0.05, 0.1):
        running = asyncio.create_task(Importer(commune.app.state.settings)(database))
        await asyncio.sleep(patience)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        async with database.connect() as conn:
            wrong: Any = await conn.execute(
                sa.text(
                    "select count(*) from households h full join decisions d on d.household_id = h.id"
                    " full join import_rows r on r.household_id = h.id"
                    " where (h.id is null) <> (d.decision_id is null) or (h.id is null) <> (r.state <> 'APPLIED')"
                    " or h.poverty_class is distinct from d.class"
                )
            )
            assert wrong.scalar_one() == 0

    await commune.run_imports()

    assert len(await applied_rows(engine)) == 200
    outbox = (
        "select count(*), count(distinct payload) from outbox where event_type like 'households.household.%'"
    )
    async with database.connect() as conn:
        assert (await conn.execute(sa.text(outbox))).one() == (200, 200)
    assert (await commune.ask("GET", f"/v1/imports/{sent['import_id']}"))["state"] == "DONE"


async def test_a_row_that_no_longer_holds_when_it_is_applied_is_refused_alone(commune: Commune) -> None:
    await commune.import_rows(await commune.open_review(2022), row(1, "Đinh Một"), row(2, "Đinh Hai"))
    found = {each["head_name"]: each["id"] for each in await commune.households()}
    sent = await commune.send(
        await commune.open_review(2023), commune.csv([row(1, "Đinh Một"), row(2, "Đinh Hai")])
    )
    await commune.ask(
        "POST",
        f"/v1/households/{found['Đinh Hai']}/closure",
        201,
        json={"reason": "DEATH", "on": "2023-05-01"},
    )

    await commune.run_imports()

    done = await commune.ask("GET", f"/v1/imports/{sent['import_id']}")
    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 1, 1)
    [refused] = (await commune.answers(sent["import_id"], only="errors")).values()
    assert [answer["rule"] for answer in refused["answers"]] == ["household-not-active"]


async def test_a_review_cannot_be_closed_while_a_file_waits(commune: Commune) -> None:
    review = await commune.open_review()
    await commune.send(review, commune.csv([row(1, "Đinh Một")]))

    refused = await commune.ask("POST", f"/v1/reviews/{review}/closure", 409)

    assert refused["rule"] == "imports-unfinished"
