"""An officer who did not hear the answer asks again: every change of the register happens once."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from tests.households.officer import CSV, OTHER, STANDARD, Commune, SignIn, row
from tests.households.people import ON, enter, person

from benvung.testing import Engine

Request = tuple[str, dict[str, Any]]
COUNTED = (
    *("households", "reviews", "decisions", "changes", "tellings", "lineage"),
    *("populations", "household_totals", "member_facts", "imports", "outbox"),
)


async def counts(engine: Engine) -> dict[str, int]:
    """How much of everything there is, the events that wait among it."""
    async with engine("households").connect() as conn:
        return {
            table: (await conn.execute(sa.text(f"select count(*) from {table}"))).scalar_one()
            for table in COUNTED
        }


async def a_household(_: Commune) -> Request:
    given = {"commune": "23827", "village": "23827.01", "head_name": "Đinh Một", "members": 3}
    return "/v1/households", {"json": given}


async def an_arrival(_: Commune) -> Request:
    given = {"commune": "23827", "village": "23827.01", "head_name": "Siu Đến", "members": 3}
    held = {"class": "NEAR_POOR", "standard": STANDARD, "on": "2023-03-01", "certificate": "12/GCN"}
    return "/v1/arrivals", {"json": given | held}


async def a_move(commune: Commune) -> Request:
    household = await commune.register()
    await Commune(commune.app, commune.client, commune.folder, OTHER).list_villages("Làng Xa")
    given = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2023-06-01"}
    read = await commune.client.get(f"/v1/households/{household}")
    # After the move this is an old version: whoever asks again is not told so.
    believed = {"If-Match": read.headers["etag"]}
    return f"/v1/households/{household}/moves", {"json": given, "headers": believed}


async def a_closure(commune: Commune) -> Request:
    household = await commune.register()
    return f"/v1/households/{household}/closure", {"json": {"reason": "DEATH", "on": "2023-05-01"}}


async def a_review(_: Commune) -> Request:
    given = {"commune": "23827", "year": 2022, "kind": "REGULAR", "stage": "OFFICIAL"}
    return "/v1/reviews", {"json": given | {"standard": STANDARD, "decided_on": "2022-12-10"}}


async def the_end_of_a_review(commune: Commune) -> Request:
    return f"/v1/reviews/{await commune.open_review()}/closure", {}


async def a_decision(commune: Commune) -> Request:
    review, household = await commune.open_review(), await commune.register()
    given = {"household_id": household, "members": 4, "b1_points": 120, "b2_points": 40}
    return f"/v1/reviews/{review}/results", {"json": given | {"declared_class": "NEAR_POOR"}}


async def a_file(commune: Commune) -> Request:
    content = commune.csv([row(1, "Đinh Một"), row(2, "Đinh Hai")])
    return f"/v1/reviews/{await commune.open_review()}/imports", {"content": content, "headers": CSV}


async def a_dry_run(commune: Commune) -> Request:
    path, request = await a_file(commune)
    return f"{path}?dry_run=true", request


async def a_population(_: Commune) -> Request:
    given = {"households": 1032, "persons": 4521, "as_of": "2022-12-31", "source": "12/BC-UBND"}
    return "/v1/areas/23827/population", {"json": given}


async def a_total(_: Commune) -> Request:
    given = {"least": 1030, "most": 1040, "as_of": "2022-12-31", "source": "12/BC-UBND"}
    return "/v1/areas/23827/household-totals", {"json": given}


async def a_decided_household(commune: Commune) -> tuple[str, str]:
    household = await commune.register()
    taken = await commune.decide(await commune.open_review(), household, 120, 40)
    return household, taken["decision_id"]


async def a_correction(commune: Commune) -> Request:
    _, decision = await a_decided_household(commune)
    given = {"members": 3, "b1_points": 120, "b2_points": 10, "decided_on": "2023-02-01", "reason": "Nhầm"}
    return f"/v1/decisions/{decision}/corrections", {"json": given}


async def an_annulment(commune: Commune) -> Request:
    _, decision = await a_decided_household(commune)
    return f"/v1/decisions/{decision}/annulment", {"json": {"reason": "Nhầm"}}


async def a_size(commune: Commune) -> Request:
    household, _ = await a_decided_household(commune)
    return f"/v1/households/{household}/sizes", {
        "json": {"members": 5, "reason": "BIRTH", "on": "2023-02-01"}
    }


async def an_annulled_size(commune: Commune) -> Request:
    path, request = await a_size(commune)
    await commune.ask("POST", path, 201, **request)
    told = await commune.ask("GET", f"{path.removesuffix('/sizes')}/decisions")
    [resized] = [each for each in told["changes"] if each["kind"] == "RESIZED"]
    return f"/v1/changes/{resized['change_id']}/annulment", {"json": {"reason": "Nhầm"}}


async def a_split(commune: Commune) -> Request:
    household, _ = await a_decided_household(commune)
    given = {"village": "23827.01", "head_name": "Siu Tách", "members": 1, "on": "2023-02-01"}
    return f"/v1/households/{household}/splits", {"json": given}


async def a_merger(commune: Commune) -> Request:
    household, _ = await a_decided_household(commune)
    given = {"merged_id": await commune.register(), "on": "2023-02-01"}
    return f"/v1/households/{household}/mergers", {"json": given}


async def a_return(commune: Commune) -> Request:
    path, closure = await a_closure(commune)
    await commune.ask("POST", path, 201, **closure)
    given = {"commune": "23827", "village": "23827.01", "members": 3, "class": "NOT_POOR"}
    held = {"standard": STANDARD, "on": "2023-06-01"}
    return path.replace("closure", "returns"), {"json": given | held}


async def a_member(commune: Commune) -> Request:
    return f"/v1/households/{await commune.register()}/members", {"json": {"on": ON} | person()}


async def a_leaving(commune: Commune) -> Request:
    household = await commune.register()
    member = (await enter(commune, household, **person()))["member"]["id"]
    given = {"on": "2023-09-01", "reason": "MARRIED_AWAY"}
    return f"/v1/households/{household}/members/{member}/leaving", {"json": given}


CHANGES = (
    a_correction,
    an_annulment,
    a_size,
    an_annulled_size,
    a_split,
    a_merger,
    a_return,
    a_member,
    a_leaving,
    a_household,
    an_arrival,
    a_move,
    a_closure,
    a_review,
    the_end_of_a_review,
    a_decision,
    a_file,
    a_dry_run,
    a_population,
    a_total,
)


def with_key(request: dict[str, Any], key: str) -> dict[str, Any]:
    return {**request, "headers": {**request.get("headers", {}), "Idempotency-Key": key}}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_a_change_asked_for_twice_happens_once(
    commune: Commune, signed_in: SignIn, engine: Engine, change: Callable[[Commune], Awaitable[Request]]
) -> None:
    commune.client = signed_in("630")
    path, request = await change(commune)
    keyed = with_key(request, str(uuid.uuid4()))

    first = await commune.client.post(path, **keyed)
    after_one = await counts(engine)
    again = await commune.client.post(path, **keyed)

    assert first.is_success, first.text
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert await counts(engine) == after_one
    shown = await commune.client.get(first.headers["location"])
    assert shown.is_success, shown.text


@pytest.mark.parametrize("change", [a_decision, a_population, a_file], ids=lambda change: change.__name__)
async def test_a_change_asked_for_by_several_at_once_happens_once(
    commune: Commune, engine: Engine, change: Callable[[Commune], Awaitable[Request]]
) -> None:
    path, request = await change(commune)
    before = await counts(engine)
    keyed = with_key(request, str(uuid.uuid4()))

    answers = await asyncio.gather(*(commune.client.post(path, **keyed) for _ in range(5)))

    assert {each.is_success for each in answers} == {True}
    assert len({each.text for each in answers}) == 1
    grown = {table: number - before[table] for table, number in (await counts(engine)).items()}
    assert max(grown.values()) == 1


async def test_the_same_file_in_another_envelope_is_the_same_request(commune: Commune) -> None:
    path, request = await a_file(commune)
    key = str(uuid.uuid4())
    first = await commune.client.post(path, **with_key(request, key))

    form = {"file": ("ket-qua.csv", request["content"], "text/csv")}
    again = await commune.client.post(path, files=form, headers={"Idempotency-Key": key})

    assert (again.status_code, again.headers.get("idempotency-replayed")) == (202, "true")
    assert again.json()["import_id"] == first.json()["import_id"]


async def test_a_decision_asked_for_again_is_the_one_taken_with_what_holds_now(commune: Commune) -> None:
    path, request = await a_decision(commune)
    key = str(uuid.uuid4())
    first = await commune.client.post(path, **with_key(request, key))
    household = first.json()["household_id"]
    later = await commune.open_review(2023)
    await commune.decide(later, household, 190, 0)

    again = await commune.client.post(
        path, **with_key({**request, "headers": {"Accept-Language": "en"}}, key)
    )

    assert again.json()["decision_id"] == first.json()["decision_id"]
    assert (again.json()["class"], again.json()["contradicted"]) == ("POOR", True)
    assert again.json()["class_label"] != first.json()["class_label"]
    assert (again.json()["poverty_class"], again.json()["revision"]) == ("NOT_POOR", 3)
    shown = await commune.ask("GET", first.headers["location"])
    assert (shown["class"], shown["household_id"]) == ("POOR", household)


async def test_what_happened_elsewhere_since_is_not_shown_to_who_asks_again(
    commune: Commune, signed_in: SignIn
) -> None:
    neighbour = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await neighbour.list_villages("Làng Xa")
    path, request = await a_decision(commune)
    decision = with_key(request, str(uuid.uuid4()))
    household = (await commune.client.post(path, **decision)).json()["household_id"]
    away = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2023-06-01"}
    move = with_key({"json": away}, str(uuid.uuid4()))
    moved = await commune.client.post(f"/v1/households/{household}/moves", **move)
    assert moved.json()["commune"] == OTHER
    await neighbour.decide(await neighbour.open_review(2023), household, 190, 0)

    for again in (
        await commune.client.post(f"/v1/households/{household}/moves", **move),
        await commune.client.post(path, **decision),
    ):
        assert (again.status_code, again.json()["rule"]) == (409, "household-elsewhere")
        assert "NOT_POOR" not in again.text
    assert len(await actions_on(neighbour, household)) == 4


async def test_whom_a_repeated_answer_shows_is_recorded(commune: Commune) -> None:
    path, request = await a_decision(commune)
    keyed = with_key(request, str(uuid.uuid4()))
    household = (await commune.client.post(path, **keyed)).json()["household_id"]
    closing = with_key({"json": {"reason": "DEATH", "on": "2023-05-01"}}, str(uuid.uuid4()))
    await commune.client.post(f"/v1/households/{household}/closure", **closing)

    await commune.client.post(f"/v1/households/{household}/closure", **closing)
    await commune.client.post(path, **keyed)

    assert (await actions_on(commune, household))[:2] == ["household.decision_read", "household.read"]


async def actions_on(commune: Commune, household: str) -> list[str]:
    """What was done with a household's data, newest first, without this question."""
    page = await commune.ask("GET", f"/v1/households/{household}/accesses")
    return [each["action"] for each in page["items"]][1:]


async def test_a_decision_and_a_population_of_another_commune_are_not_found(
    commune: Commune, signed_in: SignIn
) -> None:
    path, request = await a_decision(commune)
    decision = (await commune.client.post(path, **request)).headers["location"]
    path, request = await a_population(commune)
    population = (await commune.client.post(path, **request)).headers["location"]
    stranger = signed_in(OTHER)

    found = [await stranger.get(decision), await stranger.get(population)]

    assert [each.json()["rule"] for each in found] == ["decision-not-found", "population-not-found"]
    assert {each.status_code for each in found} == {404}


async def conditional(
    client: httpx2.AsyncClient, path: str, lang: str = "vi", **known: str
) -> httpx2.Response:
    return await client.get(path, headers={"Accept-Language": lang, **known})


async def test_what_is_read_again_unchanged_is_not_sent_again(commune: Commune) -> None:
    path, request = await a_file(commune)
    imported = (await commune.client.post(path, **request)).headers["location"]
    review = f"/v1/reviews/{await commune.open_review(2023)}"
    household = f"/v1/households/{await commune.register(code='H9')}"
    for place in (imported, review, household, "/v1/communes/23827/villages"):
        etag = (await conditional(commune.client, place)).headers["etag"]
        same = await conditional(commune.client, place, **{"If-None-Match": etag})
        assert (same.status_code, same.content) == (304, b""), place

    await commune.run_imports()
    await commune.ask("POST", f"{review}/closure", 201)
    for place, value in ((imported, "DONE"), (review, "CLOSED")):
        now = await conditional(commune.client, place, **{"If-None-Match": etag})
        assert (now.status_code, now.json()["state"]) == (200, value)


async def test_another_language_is_another_version_of_the_same_household(commune: Commune) -> None:
    path = f"/v1/households/{await commune.register()}"
    vietnamese = (await conditional(commune.client, path)).headers["etag"]

    english = await conditional(commune.client, path, "en", **{"If-None-Match": vietnamese})

    assert (english.status_code, english.json()["status_label"]) == (200, "Active")
    assert english.headers["vary"] == "Accept-Language"
    body = {"reason": "DEATH", "on": "2023-05-01"}
    await commune.ask(
        "POST", f"{path}/closure", 201, json=body, headers={"If-Match": english.headers["etag"]}
    )
