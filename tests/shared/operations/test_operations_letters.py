"""Dead letters by HTTP: a retry has its effect exactly once, a discard its reason, and nobody both."""

import asyncio
import uuid
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from tests.shared.operations.tallying import READER, STREAM, Counted, Site, payload

from benvung import clock, projector
from benvung.envelope import encode


async def retry(site: Site, number: int) -> httpx2.Response:
    return await site.client.post(f"/v1/dead-letters/{number}/retry")


async def discard(site: Site, number: int, reason: str = "Sai nguồn") -> httpx2.Response:
    return await site.client.post(f"/v1/dead-letters/{number}/discard", json={"reason": reason})


async def test_a_retry_has_its_effect_once_announces_it_once_and_says_who_did_it(site: Site) -> None:
    number = await site.bury(payload(13))
    await site.open_gate()

    answer = await retry(site, number)

    assert (answer.status_code, answer.json()["state"], answer.json()["attempts"]) == (200, "RETRIED", 2)
    assert await site.numbers() == [13]
    assert await site.announced() == 1
    letter = await site.letter(number)
    assert (letter.settled_by, letter.note) == ("officer", None)
    assert letter.settled_at is not None
    assert await site.audited("dead_letter.retried") == [("officer", str(number))]
    [(position,)] = await site.run("select stream_seq from checkpoints")
    assert position == 100


async def test_what_still_cannot_be_digested_waits_on_and_leaves_nothing_behind(site: Site) -> None:
    number = await site.bury(payload(13), reason="an older reason")

    answer = await retry(site, number)

    assert (answer.status_code, answer.json()["state"], answer.json()["attempts"]) == (200, "WAITING", 2)
    assert answer.json()["reason"] == "ValueError: thirteen"
    assert answer.json()["settled_by"] is None
    assert await site.numbers() == []
    assert await site.announced() == 0
    assert await site.audited("dead_letter.retried") == [("officer", str(number))]


async def test_what_is_judged_at_the_commit_is_a_reason_too(site: Site) -> None:
    number = await site.bury(payload(7))
    await site.run("insert into tallied values (1, 7)")

    answer = await retry(site, number)

    assert (answer.status_code, answer.json()["state"]) == (200, "WAITING")
    assert "IntegrityError" in answer.json()["reason"]
    assert await site.numbers() == [7]
    assert await site.announced() == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\x00 no text", "not JSON"),
        (payload(1).replace(b"counted.v1", b"counted.v9"), "unknown version"),
        (payload(1).replace(b'"number":1', b'"number":"one"'), "data: number"),
        (payload(1).replace(b'"/training"', b'"/funding"'), "does not own"),
    ],
    ids=["bytes", "version", "data", "source"],
)
async def test_what_still_cannot_be_read_waits_on_with_the_reason(
    site: Site, content: bytes, reason: str
) -> None:
    number = await site.bury(content)

    answer = await retry(site, number)

    assert (answer.json()["state"], answer.json()["attempts"]) == ("WAITING", 2)
    assert reason in answer.json()["reason"]


class Painted(Counted):
    """A kind of event that nobody reads."""

    event_type = "training.village.painted.v1"


async def test_a_letter_of_a_kind_nobody_reads_any_more_is_settled_without_effect(site: Site) -> None:
    event = Painted(province="64", commune="23827", revision=1, number=5)
    content = encode(event, event_id=str(uuid.uuid4()), sequence=5, time=clock.now(), traceparent=None)
    number = await site.bury(content)

    answer = await retry(site, number)

    assert (answer.json()["state"], answer.json()["note"]) == ("RETRIED", "NOT_READ")
    assert await site.numbers() == []


async def test_an_event_its_owner_has_taken_back_has_no_effect(site: Site) -> None:
    content = payload(5)
    number = await site.bury(content)
    event_id = uuid.uuid5(uuid.NAMESPACE_URL, "5")
    await site.run("insert into withdrawn values (:stream, :event)", stream=STREAM, event=event_id)

    answer = await retry(site, number)

    assert (answer.json()["state"], answer.json()["note"]) == ("RETRIED", "WITHDRAWN")
    assert await site.numbers() == []


async def test_a_buried_withdrawal_takes_its_events_back_and_has_the_projection_made_anew(site: Site) -> None:
    gone = uuid.uuid4()
    body = payload(5).replace(b"test.counted.v1", b"events.withdrawn.v1")
    number = await site.bury(body.replace(b'"number":5', f'"events":["{gone}"]'.encode()))

    answer = await retry(site, number)

    assert (answer.json()["state"], answer.json()["note"]) == ("RETRIED", None), answer.text
    assert await site.run("select stream, event_id from withdrawn") == [(STREAM, gone)]
    assert await site.run("select state from rebuilds") == [("REQUESTED",)]


@pytest.mark.parametrize("gone", ["projector", "checkpoint"])
async def test_a_letter_whose_projection_is_gone_can_only_be_discarded(site: Site, gone: str) -> None:
    number = await site.bury(payload(1), projector="formerly" if gone == "projector" else READER)
    if gone == "checkpoint":
        await site.run("delete from checkpoints")

    refused = await retry(site, number)
    given_up = await discard(site, number)

    assert (refused.status_code, refused.json()["rule"]) == (409, "projection-gone")
    assert (given_up.status_code, given_up.json()["state"]) == (200, "DISCARDED")


async def test_a_discard_keeps_its_reason_who_gave_it_and_when(site: Site) -> None:
    number = await site.bury(b"{}")

    answer = await discard(site, number, "  Thử nghiệm của nhà cung cấp ")

    assert (answer.status_code, answer.json()["state"], answer.json()["attempts"]) == (200, "DISCARDED", 1)
    letter = await site.letter(number)
    assert (letter.note, letter.settled_by) == ("Thử nghiệm của nhà cung cấp", "officer")
    assert letter.settled_at is not None
    assert letter.payload == b"{}"
    assert await site.audited("dead_letter.discarded") == [("officer", str(number))]


async def test_a_discard_needs_a_reason(site: Site) -> None:
    number = await site.bury(b"{}")

    for reason in ("", "   ", "x" * 501, "a\x00b", "a\x1bb", None):
        answer = await site.client.post(f"/v1/dead-letters/{number}/discard", json={"reason": reason})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "body.reason"
    assert (await site.letter(number)).state == "WAITING"


@pytest.mark.parametrize("first", [retry, discard])
async def test_a_settled_letter_stays_as_it_is(site: Site, first: Any) -> None:
    number = await site.bury(payload(5))
    settled = await first(site, number)
    before = await site.letter(number)
    assert settled.status_code == 200

    for second in (retry, discard):
        answer = await second(site, number)
        assert (answer.status_code, answer.json()["rule"]) == (409, "dead-letter-settled")

    assert await site.letter(number) == before
    assert await site.announced() == (1 if first is retry else 0)


@pytest.mark.parametrize("act", ["retry", "discard"])
async def test_an_answer_that_was_not_heard_is_given_again_to_the_same_key(site: Site, act: str) -> None:
    number = await site.bury(payload(5))
    key = {"Idempotency-Key": str(uuid.uuid4())}

    answers = [
        await site.client.post(f"/v1/dead-letters/{number}/{act}", json={"reason": "x"}, headers=key)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert await site.announced() == (1 if act == "retry" else 0)


async def test_many_retries_at_once_have_one_effect(site: Site) -> None:
    number = await site.bury(payload(5))

    answers = await asyncio.gather(*(retry(site, number) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert await site.numbers() == [5]
    assert await site.announced() == 1
    assert len(await site.audited("dead_letter.retried")) == 1


async def test_of_a_retry_and_a_discard_at_once_one_is_refused(site: Site) -> None:
    for value in range(20, 30):
        number = await site.bury(payload(value))

        retried, discarded = await asyncio.gather(retry(site, number), discard(site, number))

        assert sorted((retried.status_code, discarded.status_code)) == [200, 409]
        letter = await site.letter(number)
        effect = value in await site.numbers()
        assert (letter.state, effect) == (("RETRIED", True) if retried.is_success else ("DISCARDED", False))


async def test_a_retry_waits_for_whoever_writes_the_projection(site: Site) -> None:
    number = await site.bury(payload(5))
    async with site.engine.begin() as live:
        await live.execute(sa.text("update checkpoints set stream_seq = 101"))
        waiting = asyncio.create_task(retry(site, number))
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert not done
    assert (await waiting).json()["state"] == "RETRIED"


async def test_the_projector_waits_for_a_retry_under_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await site.bury(payload(5))
    begun, go_on = asyncio.Event(), asyncio.Event()
    handle = projector.project

    async def slowly(*given: Any) -> None:
        await handle(*given)
        begun.set()
        await go_on.wait()

    monkeypatch.setattr(projector, "project", slowly)
    retrying = asyncio.create_task(retry(site, number))
    await begun.wait()
    live = asyncio.create_task(site.run("update checkpoints set stream_seq = 101"))
    done, _ = await asyncio.wait({live}, timeout=0.5)
    assert not done
    go_on.set()
    await asyncio.gather(retrying, live)
    assert (await site.letter(number)).state == "RETRIED"


async def test_a_round_answers_for_each_letter_and_one_that_fails_holds_up_nobody(site: Site) -> None:
    good = await site.bury(payload(1))
    poison = await site.bury(b"{}")
    stubborn = await site.bury(payload(13))
    gone = await site.bury(payload(2), projector="formerly")
    discarded = await site.bury(payload(3))
    await discard(site, discarded)
    other = await site.bury(payload(4))

    answer = await site.client.post("/v1/dead-letters/retry")

    assert answer.status_code == 200
    found = {each["id"]: (each["state"], each["rule"]) for each in answer.json()["answers"]}
    assert found == {
        good: ("RETRIED", None),
        poison: ("WAITING", None),
        stubborn: ("WAITING", None),
        gone: ("WAITING", "projection-gone"),
        other: ("RETRIED", None),
    }
    assert (answer.json()["retried"], answer.json()["waiting"], answer.json()["next"]) == (2, 3, None)
    assert await site.numbers() == [1, 4]


async def test_a_round_is_bounded_and_the_next_goes_on_where_it_ended(site: Site) -> None:
    numbers = [await site.bury(b"{}" if value == 2 else payload(value)) for value in range(1, 6)]
    asked: dict[str, Any] = {"limit": 2}
    rounds = []
    while True:
        answer = (await site.client.post("/v1/dead-letters/retry", params=asked)).json()
        rounds.append([each["id"] for each in answer["answers"]])
        if answer["next"] is None:
            break
        asked["after"] = answer["next"]

    assert rounds == [numbers[:2], numbers[2:4], numbers[4:]]
    assert await site.numbers() == [1, 3, 4, 5]
    too_many = await site.client.post("/v1/dead-letters/retry", params={"limit": 101})
    assert too_many.status_code == 422


async def test_two_rounds_at_once_share_the_letters_between_them(site: Site) -> None:
    numbers = [await site.bury(payload(value)) for value in range(20, 32)]

    rounds = await asyncio.gather(*(site.client.post("/v1/dead-letters/retry") for _ in range(2)))

    assert [each.status_code for each in rounds] == [200, 200]
    assert sum(each.json()["retried"] for each in rounds) == len(numbers)
    answers = [answer for each in rounds for answer in each.json()["answers"]]
    assert {answer["state"] for answer in answers} == {"RETRIED"}
    assert {answer["rule"] for answer in answers} == {None, "dead-letter-settled"}
    assert await site.announced() == len(numbers)
