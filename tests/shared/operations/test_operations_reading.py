"""Who may look at dead letters and what they see of them: lists, contents, languages, refusals."""

from typing import Any

import httpx2
from tests.shared.operations.tallying import READER, Site, tallying

from benvung.issuer import Issuer
from benvung.testing import Bearer, SettingsFor, Tokens
from benvung.web import create_app


async def test_letters_are_listed_by_state_and_projector_page_after_page(site: Site) -> None:
    numbers = [await site.bury(b"{}") for _ in range(5)]
    other = await site.bury(b"{}", projector="other")
    await site.client.post(f"/v1/dead-letters/{numbers[1]}/discard", json={"reason": "x"})

    async def listed(**asked: Any) -> list[int]:
        found: list[int] = []
        while True:
            page = (await site.client.get("/v1/dead-letters", params={"limit": 2, **asked})).json()
            found += [each["id"] for each in page["items"]]
            if page["next"] is None:
                return found
            asked["after"] = page["next"]

    assert await listed() == [*numbers, other]
    assert await listed(state="WAITING") == [numbers[0], *numbers[2:], other]
    assert await listed(state="DISCARDED") == [numbers[1]]
    assert await listed(projector="other") == [other]
    assert (await site.client.get("/v1/dead-letters", params={"state": "LOST"})).status_code == 422
    wrong = await site.client.get("/v1/dead-letters", params={"after": "x"})
    assert wrong.json()["rule"] == "cursor-unknown"


CONTENTS = (
    (b'{"type": "a.v1", "id": "7"}', "json", '{\n  "type": "a.v1",\n  "id": "7"\n}', "a.v1"),
    ("không phải JSON".encode(), "text", "không phải JSON", None),
    (b'{"type": "\\ud800"}', "text", '{"type": "\\ud800"}', None),
    (b"[" * 5000, "text", "[" * 5000, None),
    (b"[1]", "json", "[\n  1\n]", None),
    (b"NaN", "json", "NaN", None),
    (b"\xff\x00", "binary", "ff 00", None),
    (b"", "text", "", None),
)


async def test_a_letter_shows_what_is_in_it_as_far_as_people_can_read_it(site: Site) -> None:
    for content, kind, text, event_type in CONTENTS:
        number = await site.bury(content)

        answer = await site.client.get(f"/v1/dead-letters/{number}")

        assert answer.status_code == 200
        found = answer.json()["payload"]
        assert (found["kind"], found["text"], found["event_type"]) == (kind, text, event_type)
        assert found["size"] == len(content)
    assert len(await site.audited("dead_letter.read")) == len(CONTENTS)


async def test_a_states_name_is_in_the_readers_language(site: Site) -> None:
    number = await site.bury(b"{}")
    labels = [
        (await site.client.get(f"/v1/dead-letters/{number}", headers=headers)).json()["state_label"]
        for headers in ({}, {"Accept-Language": "en"})
    ]
    assert labels == ["đang chờ", "waiting"]


ROUTES = (
    ("GET", "/v1/operations"),
    ("GET", "/v1/dead-letters"),
    ("GET", "/v1/dead-letters/1"),
    ("POST", "/v1/dead-letters/retry"),
    ("POST", "/v1/dead-letters/1/retry"),
    ("POST", "/v1/dead-letters/1/discard"),
    ("GET", "/v1/rebuilds"),
    ("POST", "/v1/rebuilds"),
    ("GET", "/v1/rebuilds/1"),
)


async def test_operating_takes_the_permission_and_the_whole_province(site: Site, bearer: Bearer) -> None:
    reader = bearer(["reports.read", "audit.read", "budget.write"], ["VN"])
    district = bearer(["operate"], ["630"])
    for method, path in ROUTES:
        nobody = await site.client.request(method, path, headers={"Authorization": ""})
        assert nobody.status_code == 401, path
        refused = [
            (await site.client.request(method, path, headers=each)).json() for each in (reader, district)
        ]
        assert [each["rule"] for each in refused] == ["not-permitted", "outside-area"], path
        country = await site.client.request(method, path, headers=bearer(["operate"], ["VN"]))
        assert country.status_code in {200, 404, 422}, path


async def test_what_is_not_there_is_named(site: Site) -> None:
    reason = {"reason": "x"}
    for method, path in ROUTES:
        if "/1" not in path:
            continue
        answer = await site.client.request(method, path, json=reason)
        rule = "rebuild-unknown" if "rebuilds" in path else "dead-letter-unknown"
        assert (answer.status_code, answer.json()["rule"]) == (404, rule), path
        beyond = await site.client.request(method, path.replace("/1", f"/{2**63}"), json=reason)
        assert beyond.status_code == 422, path


async def test_a_service_without_projections_only_says_how_it_stands(
    site: Site, settings: SettingsFor, tokens: Tokens, bearer: Bearer
) -> None:
    app = create_app(tallying(settings(READER), projectors=()), worker=False)
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://x.test", headers=bearer()
        ) as client,
    ):
        found = await client.get("/v1/operations")
        others = {path: (await client.request(method, path)).status_code for method, path in ROUTES[1:]}
        page = await client.get("/operations")

    assert found.status_code == 200
    assert (found.json()["projections"], found.json()["rebuilder"]) == ([], None)
    assert [each["stream"] for each in found.json()["streams"]] == ["REPORTING"]
    assert set(others.values()) == {404}
    assert page.status_code == 404
