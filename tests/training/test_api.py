"""Training as its callers see it: the two reported conferences, refusals by name, scope, and bad input."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from benvung import clock
from benvung.testing import Engine, emitted
from training.events import ClassCompleted

SignIn = Callable[..., httpx2.AsyncClient]

DAY = "2022-12-20"
CONFERENCE: dict[str, Any] = {
    "title": "Tập huấn nâng cao năng lực giảm nghèo năm 2022",
    "organiser": {"name": "UBND huyện Mường Lát", "level": "DISTRICT", "area": "384"},
    "component": "DA7.1",
    "form": "CONFERENCE",
    "venue": "Trung tâm Hội nghị huyện",
    "topics": [
        {"number": "Quyết định số 90/QĐ-TTg", "issued_on": "2022-01-18"},
        {"number": "Thông tư số 46/2022/TT-BTC", "issued_on": "2022-07-28"},
        {"number": "Thông tư 09/2022/TT-BLĐTB&XH", "issued_on": "2022-05-25"},
        {"number": "Nghị định số 27/2022/NĐ-CP", "issued_on": "2022-04-19"},
    ],
    "plan": {"number": "216/KH-UBND", "issued_on": "2022-11-18", "issuer": "UBND huyện"},
    "planned_from": DAY,
}
RESULT: dict[str, Any] = {"held_on": DAY, "participants": 200, "count_qualifier": "GREATER"}


async def planned(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/classes", json=CONFERENCE | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def organised(level: str, area: str) -> dict[str, str]:
    return {"name": "Ban Chỉ đạo", "level": level, "area": area}


async def test_more_than_two_hundred_delegates_heard_of_four_documents(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("38")
    conference = await planned(client)

    answer = await client.post(f"/v1/classes/{conference['id']}/completion", json=RESULT)

    assert answer.status_code == 200
    assert answer.json()["count"] == {"participants": 200, "qualifier": "GREATER", "text": "hơn 200"}
    assert answer.json() == (await client.get(f"/v1/classes/{conference['id']}")).json()
    async with engine("training").connect() as conn:
        assert [event.model_dump(mode="json") for event in await emitted(conn, ClassCompleted)] == [
            {
                "province": "38",
                "commune": None,
                "revision": 1,
                "class_id": conference["id"],
                "area": "384",
                "project": "DA7.1",
                "form": "CONFERENCE",
                "held_on": DAY,
                "ended_on": DAY,
                "participants": 200,
                "count_qualifier": "GREATER",
                "topics": ["90/QĐ-TTg", "46/2022/TT-BTC", "09/2022/TT-BLĐTBXH", "27/2022/NĐ-CP"],
                "organiser_level": "DISTRICT",
            }
        ]


async def test_nearly_three_thousand_heads_of_villages_in_da_nang(signed_in: SignIn) -> None:
    client = signed_in("48")
    campaign = await planned(
        client,
        title="Tập huấn cho thôn trưởng, tổ trưởng tổ dân phố",
        organiser={"name": "Sở Lao động - Thương binh và Xã hội", "level": "PROVINCE", "area": "48"},
        form="CLASS",
        topics=[
            {"number": "Nghị quyết 75/2021/NQ-HĐND", "issued_on": "2021-12-17"},
            {"number": "Nghị quyết số 45/2022/NQ-HĐND", "issued_on": "2022-07-14"},
            {"number": "Kế hoạch số 126/KH-UBND", "issued_on": "2022-07-04"},
        ],
        plan=None,
        planned_from="2023-05-23",
        planned_to="2023-06-24",
    )

    answer = await client.post(
        f"/v1/classes/{campaign['id']}/completion",
        json={
            "held_on": "2023-05-23", "ended_on": "2023-06-24", "participants": 3000, "count_qualifier": "ABOUT",
        },
    )  # fmt: skip

    assert answer.json()["count"]["text"] == "gần 3.000"
    read = await client.get(f"/v1/classes/{campaign['id']}", headers={"Accept-Language": "en"})
    assert read.json()["count"]["text"] == "about 3,000"
    assert [topic["number"] for topic in read.json()["topics"]] == [
        "75/2021/NQ-HĐND", "45/2022/NQ-HĐND", "126/KH-UBND",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rule", "field"),
    [
        ({"topics": [{"number": "999/QĐ-UBND"}]}, "document-unknown", "topics.0.number"),
        ({"topics": [{"number": "Chính sách mới"}]}, "document-number-malformed", "topics.0.number"),
        ({"plan": {"number": "216/KH-UBND"}}, "document-unknown", "plan.number"),
        ({"component": "DA8"}, "component-unknown", "component"),
        ({"area": "99999"}, "area-unknown", "area"),
        ({"organiser": organised("PROVINCE", "384")}, "organiser-level-differs", "organiser.level"),
        ({"area": "38"}, "class-outside-organiser", "area"),
        ({"planned_to": "2022-12-19"}, "class-dates-reversed", "planned_to"),
        ({"planned_from": "2025-07-01"}, "area-unknown", "area"),
    ],
)
async def test_a_plan_is_refused_by_the_name_of_its_rule(
    signed_in: SignIn, changes: dict[str, Any], rule: str, field: str
) -> None:
    answer = await signed_in("VN").post("/v1/classes", json=CONFERENCE | changes)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["rule"], problem["errors"][0]["field"]) == (rule, field)
    assert (await signed_in("VN").get("/v1/classes")).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"held_on": "2022-12-19"}, "class-completed-before-start"),
        ({"ended_on": "2022-12-19"}, "class-dates-reversed"),
        ({"ended_on": "2999-01-01"}, "class-completed-in-future"),
        ({"participants": 0}, "input-invalid"),
        ({"count_qualifier": "MANY"}, "input-invalid"),
    ],
)
async def test_a_result_is_refused_by_the_name_of_its_rule(
    signed_in: SignIn, engine: Engine, changes: dict[str, Any], rule: str
) -> None:
    client = signed_in("38")
    conference = await planned(client)

    answer = await client.post(f"/v1/classes/{conference['id']}/completion", json=RESULT | changes)

    assert (answer.status_code, answer.json()["rule"]) == (422, rule)
    async with engine("training").connect() as conn:
        assert await emitted(conn, ClassCompleted) == []


async def test_a_class_is_completed_once_however_many_ask_at_the_same_time(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("38")
    conference = await planned(client)
    path = f"/v1/classes/{conference['id']}/completion"

    answers = await asyncio.gather(*(client.post(path, json=RESULT) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422]
    assert {answer.json().get("rule") for answer in answers} == {None, "class-already-completed"}
    async with engine("training").connect() as conn:
        assert len(await emitted(conn, ClassCompleted)) == 1


async def test_refusals_speak_vietnamese_unless_asked_otherwise(signed_in: SignIn) -> None:
    body = CONFERENCE | {"component": "DA8"}

    vi = await signed_in("38").post("/v1/classes", json=body)
    en = await signed_in("38").post("/v1/classes", json=body, headers={"Accept-Language": "en"})

    assert vi.json()["detail"] == "Không có dự án thành phần DA8."
    assert en.json()["detail"] == "There is no programme component DA8."


CLASSES = {
    "VN": ("CENTRAL", "VN"),
    "64": ("PROVINCE", "64"),
    "630": ("DISTRICT", "630"),
    "23827": ("COMMUNE", "23827"),
    "23830": ("COMMUNE", "23830"),
    "384": ("DISTRICT", "384"),
}
SEEN = {
    "VN": {"VN", "64", "630", "23827", "23830", "384"},
    "64": {"64", "630", "23827", "23830"},
    "630": {"630", "23827", "23830"},
    "23827": {"23827"},
    "38": {"384"},
    "384": {"384"},
    "48": set(),
    "99999": set(),
}


async def test_everyone_sees_and_changes_the_classes_of_their_own_area_only(signed_in: SignIn) -> None:
    clock.fix(dt.date(2024, 1, 24))
    everywhere = signed_in("VN")
    ids = {
        area: (await planned(everywhere, organiser=organised(*organiser)))["id"]
        for area, organiser in CLASSES.items()
    }

    for area, expected in SEEN.items():
        client = signed_in(area)
        listed = (await client.get("/v1/classes")).json()["items"]
        assert {each["area"] for each in listed} == expected
        for other, class_id in ids.items():
            read = await client.get(f"/v1/classes/{class_id}")
            held = await client.post(
                f"/v1/classes/{class_id}/completion", json=RESULT | {"held_on": "2022-01-01"}
            )
            new = await client.post(
                "/v1/classes", json=CONFERENCE | {"organiser": organised(*CLASSES[other])}
            )
            inside = other in expected
            assert read.status_code == (200 if inside else 404)
            assert held.json()["rule"] == ("class-completed-before-start" if inside else "not-found")
            assert new.status_code == (201 if inside else 403)
            assert inside or new.json()["rule"] == "outside-area"
            if inside:
                expected_after = await client.get("/v1/classes")
                assert {each["area"] for each in expected_after.json()["items"]} == expected


async def test_a_code_given_anew_does_not_open_the_classes_of_its_former_owner(signed_in: SignIn) -> None:
    clock.fix(dt.date(2024, 1, 24))
    await planned(signed_in("VN"), organiser=organised("DISTRICT", "630"))
    await planned(signed_in("VN"), organiser=organised("PROVINCE", "64"))
    clock.fix(dt.date(2026, 1, 1))

    async def areas(code: str) -> list[str]:
        return [each["area"] for each in (await signed_in(code).get("/v1/classes")).json()["items"]]

    assert await areas("64") == await areas("630") == []
    assert sorted(await areas("52")) == ["630", "64"], "Gia Lai of 2025 was made from Gia Lai and Bình Định"


async def test_a_list_is_narrowed(signed_in: SignIn) -> None:
    client = signed_in("38")
    conference = await planned(client)
    await client.post(f"/v1/classes/{conference['id']}/completion", json=RESULT)
    await planned(
        client,
        organiser=organised("PROVINCE", "38"),
        form="ONLINE",
        component="DA2",
        planned_from="2023-03-01",
        topics=[{"number": "10/2022/TT-BLĐTBXH"}],
    )

    async def found(**asked: str) -> list[str]:
        return [each["area"] for each in (await client.get("/v1/classes", params=asked)).json()["items"]]

    assert await found() == ["384", "38"]
    assert await found(area="384") == ["384"]
    assert await found(area="38") == ["384", "38"]
    assert await found(component="DA2") == ["38"]
    assert await found(form="CONFERENCE") == ["384"]
    assert await found(state="PLANNED") == ["38"]
    assert await found(topic="Thông tư 10/2022/TT-BLĐTB&XH") == ["38"]
    assert await found(topic="Chính sách") == []
    assert await found(first="2022-12-21") == ["38"]
    assert await found(last="2022-12-20") == ["384"]


async def test_a_list_has_pages(signed_in: SignIn) -> None:
    client = signed_in("38")
    made = [(await planned(client, planned_from=f"2023-0{month}-01"))["id"] for month in (2, 3, 1)]
    seen: list[str] = []
    after = None

    while True:
        page = (
            await client.get("/v1/classes", params={"limit": 1} | ({"after": after} if after else {}))
        ).json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert seen == [made[2], made[0], made[1]]


async def test_nobody_in_nobody_without_permission(signed_in: SignIn) -> None:
    stranger = signed_in("38", permissions=())
    reader = signed_in("38", permissions=("training.read",))

    assert (await stranger.get("/v1/classes")).status_code == 403
    assert (await reader.get("/v1/classes")).status_code == 200
    assert (await reader.post("/v1/classes", json=CONFERENCE)).status_code == 403
    reader.headers.pop("Authorization")
    assert (await reader.get("/v1/classes")).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "a\u0000b"},
        {"title": "\ud800"},
        {"title": "x" * 301},
        {"title": "  "},
        {"title": None},
        {"title": ["x"]},
        {"planned_from": "0001-01-01"},
        {"planned_from": "9999-12-31"},
        {"planned_from": "2022-02-30"},
        {"planned_from": 10**30},
        {"topics": []},
        {"topics": [{"number": "46/2022/TT-BTC"}] * 51},
        {"topics": [{"number": "46/2022/TT-BTC"}] * 2},
        {"topics": [{"number": "\u0000/KH-UBND", "issued_on": DAY}]},
        {"topics": [{"number": "1/" + "A" * 200, "issued_on": DAY}]},
        {"topics": {}},
        {"organiser": organised("VILLAGE", "384")},
        {"organiser": organised("DISTRICT", "384'--")},
        {"component": "DA7.1\n"},
        {"unknown": 1},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
async def test_bad_input_is_a_named_refusal(signed_in: SignIn, changes: dict[str, Any]) -> None:
    body = json.dumps(CONFERENCE | changes).encode()

    answer = await signed_in("VN").post(
        "/v1/classes", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["rule"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/classes?after=x",
        "/v1/classes?after=WyIyMDIyLTEyLTIwIl0",
        "/v1/classes?limit=0",
        "/v1/classes?first=yesterday",
        "/v1/classes?area=%00",
        "/v1/classes?topic=%00",
        "/v1/classes?unknown=1",
        "/v1/classes/not-a-uuid",
    ],
)
async def test_a_bad_question_is_a_named_refusal(signed_in: SignIn, path: str) -> None:
    answer = await signed_in("VN").get(path)

    assert answer.status_code == 422
    assert answer.json()["rule"]


async def test_what_was_done_is_in_the_audit(signed_in: SignIn, engine: Engine) -> None:
    client = signed_in("38")
    conference = await planned(client)
    await client.post(f"/v1/classes/{conference['id']}/completion", json=RESULT)

    async with engine("training").connect() as conn:
        rows = await conn.exec_driver_sql(
            "select principal, action, entity, entity_id from audit order by id"
        )
        assert [tuple(row) for row in rows] == [
            ("officer", "plan", "class", conference["id"]),
            ("officer", "complete", "class", conference["id"]),
        ]
