"""An organiser who did not hear the answer asks again, and reads again only what changed."""

import uuid
from collections.abc import Callable

import httpx2
from tests.training.test_api import CONFERENCE, RESULT, planned

from benvung.testing import Engine, emitted
from training.events import ClassCompleted

SignIn = Callable[..., httpx2.AsyncClient]


async def test_a_class_is_planned_and_completed_once_however_often_it_is_asked(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("38")
    planning, completing = ({"Idempotency-Key": str(uuid.uuid4())} for _ in range(2))

    first, again = [await client.post("/v1/classes", json=CONFERENCE, headers=planning) for _ in range(2)]
    path = first.headers["location"]
    held, held_again = [
        await client.post(f"{path}/completion", json=RESULT, headers=completing) for _ in range(2)
    ]

    assert (first.status_code, again.status_code, held.status_code, held_again.status_code) == (
        (201, 201, 200, 200)
    )
    assert again.json() == first.json()
    assert held_again.json() == held.json()
    assert [each.headers.get("idempotency-replayed") for each in (first, again, held, held_again)] == (
        [None, "true", None, "true"]
    )
    assert len((await client.get("/v1/classes")).json()["items"]) == 1
    async with engine("training").connect() as conn:
        assert len(await emitted(conn, ClassCompleted)) == 1


async def test_a_class_that_is_known_is_sent_again_when_it_was_held(signed_in: SignIn) -> None:
    client = signed_in("38")
    path = f"/v1/classes/{(await planned(client))['id']}"
    known = {"If-None-Match": (await client.get(path)).headers["etag"]}
    assert (await client.get(path, headers=known)).status_code == 304

    await client.post(f"{path}/completion", json=RESULT)

    assert (await client.get(path, headers=known)).json()["state"] == "COMPLETED"
