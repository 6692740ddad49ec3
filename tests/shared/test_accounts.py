"""Who may read what: every service and an agency sign in to NATS and try to read what is not theirs."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg
from tests.shared.nats_users import (
    AGENCIES,
    READERS,
    SERVICES,
    USERS,
    House,
    User,
    readers_of,
    status,
    subject_in,
)

from benvung.bus import owner as owner_of
from benvung.testing.servers import start_nats

GIVEN = [(stream, agency) for stream, given in AGENCIES.items() for agency in given]
PAIRS = [(stream, reader) for stream, readers in READERS.items() for reader in readers]
HEARD_WITHIN = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house() -> AsyncIterator[House]:
    server = start_nats()
    if server.shared_account:
        server.stop()
        pytest.skip("a given server keeps nobody apart")
    made = House(server)
    try:
        await made.open()
        yield made
        for user in made.users.values():
            await user.client.close()
    finally:
        server.stop()


@pytest.mark.parametrize(("stream", "reader"), [*PAIRS, *GIVEN])
async def test_a_reader_pulls_acknowledges_and_goes_back(house: House, stream: str, reader: str) -> None:
    user, api = house.users[reader], f"{stream}.API"
    if reader in SERVICES:
        known = await user.ask(f"{api}.STREAM.INFO.{stream}")
        assert known is not None
        assert known["state"]["last_seq"] >= 1
    durables = [reader, f"{reader}-rebuild"] if reader in SERVICES else [reader]
    for durable in [*durables, *durables]:
        back = await user.ask(f"{api}.CONSUMER.RESET.{stream}.{durable}", {"seq": 1})
        assert back is not None
        assert "error" not in back
        message = await user.request(f"{api}.CONSUMER.MSG.NEXT.{stream}.{durable}", {"batch": 1})
        assert message is not None
        assert (message.subject, json.loads(message.data)) == (subject_in(stream), {"secret": stream})
        assert await user.request(message.reply) is not None
        info = await user.ask(f"{api}.CONSUMER.INFO.{stream}.{durable}")
        assert info is not None
        assert info["ack_floor"]["stream_seq"] == 1


def questions(stream: str, asking: str) -> list[tuple[str, object]]:
    """Everything that could be asked of a stream; its readers' names stand in what concerns durables."""
    held = subject_in(stream)
    spy = {"stream_name": stream, "config": {"name": "spy", "durable_name": "spy", "ack_policy": "none"}}
    push = {
        "stream_name": stream,
        "config": {"name": "spy", "ack_policy": "none", "deliver_subject": f"_INBOX.{asking}.spy"},
    }
    config = {"name": stream, "subjects": ["spy.>"]}
    verbs = ("INFO", "DELETE", "RESET", "MSG.NEXT", "PAUSE", "UNPIN", "LEADER.STEPDOWN")
    return [
        (f"STREAM.INFO.{stream}", {"subjects_filter": ">"}),
        (f"STREAM.MSG.GET.{stream}", {"seq": 1}),
        (f"STREAM.MSG.DELETE.{stream}", {"seq": 1}),
        (f"DIRECT.GET.{stream}", {"seq": 1}),
        (f"DIRECT.GET.{stream}", {"seq": 1, "batch": 10}),
        (f"DIRECT.GET.{stream}.{held}", None),
        (f"CONSUMER.CREATE.{stream}", {**spy, "config": {"ack_policy": "none"}}),
        (f"CONSUMER.CREATE.{stream}.spy", spy),
        (f"CONSUMER.CREATE.{stream}.spy.{held}", spy),
        (f"CONSUMER.CREATE.{stream}.spy", push),
        (f"CONSUMER.DURABLE.CREATE.{stream}.spy", spy),
        (f"CONSUMER.LIST.{stream}", None),
        (f"CONSUMER.NAMES.{stream}", None),
        *((f"STREAM.{verb}.{stream}", config) for verb in ("UPDATE", "PURGE", "DELETE", "RESTORE")),
        (f"STREAM.SNAPSHOT.{stream}", {"deliver_subject": f"_INBOX.{asking}.snapshot"}),
        *((f"CONSUMER.{verb}.{stream}.{each}", {"seq": 1}) for each in readers_of(stream) for verb in verbs),
    ]


def allowed(stream: str, asking: str) -> set[str]:
    """What of this the user may ask, under the stream's own name."""
    durables = [asking] if asking in AGENCIES[stream] else []
    if asking in READERS[stream]:
        durables = [asking, f"{asking}-rebuild"]
    verbs = ("INFO", "RESET", "MSG.NEXT")
    own = {f"CONSUMER.{verb}.{stream}.{each}" for each in durables for verb in verbs}
    return own | ({f"STREAM.INFO.{stream}"} if asking in READERS[stream] else set())


@pytest.mark.parametrize("name", USERS)
async def test_nobody_gets_an_answer_about_the_stream_of_another(house: House, name: str) -> None:
    user, before = house.users[name], await house.stand()
    asked = [
        (api, question, body, question in allowed(stream, name))
        for stream in READERS
        if owner_of(stream) != name
        for question, body in questions(stream, name)
        for api in ("$JS.API", f"{stream}.API")
    ]
    forbidden = [each for each in asked if each[0] == "$JS.API" or not each[3]]
    answers = await user.request_all([(f"{api}.{question}", body) for api, question, body, _ in forbidden])
    told = {
        f"{api}.{question}": answer.data
        for (api, question, _, _), answer in zip(forbidden, answers, strict=True)
        # In its own account a service may ask: there is nothing of the kind.
        if answer is not None and not (api == "$JS.API" and _says_no(answer))
    }
    assert told == {}
    assert await house.stand() == before


def _says_no(message: Msg) -> bool:
    return status(message) == "404" or b'"error"' in message.data


@pytest.mark.parametrize("name", USERS)
async def test_whoever_listens_to_everything_hears_nothing_of_others(house: House, name: str) -> None:
    spy = await User(house.server, name).open()
    words = [stream.lower() for stream in READERS]
    heard = await spy.listen(
        ">", "*", "$JS.>", "$SYS.>", "_INBOX.>", "_R_.>", "*.API.>", "restricted.>",
        *(f"{word}.>" for word in words if word != name), *(f"{word.upper()}.>" for word in words),
    )  # fmt: skip
    await house.tell()
    for stream, reader in PAIRS:
        if name not in {owner_of(stream), reader}:
            other = house.users[reader]
            await other.ask(f"{stream}.API.CONSUMER.RESET.{stream}.{reader}", {"seq": 1})
            pulled = await other.request(f"{stream}.API.CONSUMER.MSG.NEXT.{stream}.{reader}", {"batch": 1})
            assert pulled is not None
    await asyncio.sleep(HEARD_WITHIN)
    told = [message for message in heard if b"secret" in message.data]
    own = {f'{{"secret": "{stream}"}}'.encode() for stream in READERS if owner_of(stream) == name}
    assert {message.data for message in told} == own
    await spy.client.close()


async def test_a_stream_that_copies_another_s_stays_empty(house: House) -> None:
    async def count(user: User, stream: str) -> int:
        info = await user.ask(f"$JS.API.STREAM.INFO.{stream}")
        return int(info["state"]["messages"]) if info and "state" in info else -1

    def copies(stream: str) -> list[dict[str, Any]]:
        apis = ("$JS.API", f"{stream}.API", "HOUSEHOLDS.API")
        ways: list[dict[str, Any]] = [{"name": stream}]
        ways += [{"name": stream, "external": {"api": api, "deliver": "copied"}} for api in apis]
        return ways

    owner = house.users["households"]
    await owner.ask("$JS.API.STREAM.CREATE.MIRROR", {"name": "MIRROR", "mirror": {"name": "HOUSEHOLDS"}})
    for name in ("funding", "training", "reporting"):
        for stream in ("HOUSEHOLDS", "HOUSEHOLDS_RESTRICTED"):
            for number, way in enumerate(copies(stream)):
                for kind, value in (("mirror", way), ("sources", [way])):
                    copy = f"COPY-{kind}-{stream}-{number}"
                    body = {"name": copy, kind: value}
                    await house.users[name].ask(f"$JS.API.STREAM.CREATE.{copy}", body)
    async with asyncio.timeout(10):
        # The way works where it may: the owner's own mirror fills.
        while await count(owner, "MIRROR") < 1:  # noqa: ASYNC110 -- the truth is in the server
            await asyncio.sleep(0.02)
    await asyncio.sleep(HEARD_WITHIN)
    for name in ("funding", "training", "reporting"):
        listed = await house.users[name].ask("$JS.API.STREAM.LIST")
        assert listed is not None
        made = [each for each in listed["streams"] if each["config"]["name"].startswith("COPY")]
        assert made
        assert [each["config"]["name"] for each in made if each["state"]["messages"]] == []


@pytest.mark.parametrize("name", USERS)
async def test_nobody_speaks_under_another_s_name(house: House, name: str) -> None:
    user, before = house.users[name], await house.stand()
    others = [stream for stream in READERS if owner_of(stream) != name]
    heard = {stream: await house.users[owner_of(stream)].listen(subject_in(stream)) for stream in others}
    await _let_the_server_speak(user, [subject_in(stream) for stream in others])
    for stream in others:
        await user.say(subject_in(stream), {"forged": 1})
        for reader in readers_of(stream):
            if reader.removesuffix("-rebuild") != name:
                await user.say(f"$JS.ACK.{stream}.{reader}.1.1.1.1.0")
    await user.client.flush()
    await asyncio.sleep(HEARD_WITHIN)
    assert {stream: len(messages) for stream, messages in heard.items() if messages} == {}
    after = await house.stand()
    assert _of_others(name, after) == _of_others(name, before)


def _of_others(name: str, stand: dict[str, Any]) -> dict[str, Any]:
    """Streams of others, and the durables on them of still others."""
    own = {name, f"{name}-rebuild"}
    return {
        key: value
        for key, value in stand.items()
        if owner_of(key.split()[0]) != name and key.split()[-1] not in own
    }


async def _let_the_server_speak(user: User, targets: Sequence[str]) -> None:
    """Have the server itself send to others' subjects: by republishing, by pushing, by answering there."""
    loud = [(f"LOUD-{uuid.uuid4().hex[:8]}", target) for target in targets]
    made = await user.request_all(
        [
            (
                f"$JS.API.STREAM.CREATE.{name}",
                {"name": name, "subjects": [name], "republish": {"src": name, "dest": target}},
            )
            for name, target in loud
        ]
    )
    # Services may do so, in their own accounts; an agency has nothing of the kind.
    assert [answer is None or b'"error"' in answer.data for answer in made] == [
        user.name not in SERVICES
    ] * len(loud)
    for name, target in loud:
        push = {"name": "push", "ack_policy": "none", "deliver_subject": target}
        await user.say(
            f"$JS.API.CONSUMER.CREATE.{name}.push", {"stream_name": name, "config": push}, reply="_INBOX.x"
        )
        await user.say(name, {"forged": 2})
        await user.say(f"$JS.API.STREAM.MSG.GET.{name}", {"seq": 1}, reply=target)
        for stream in ("HOUSEHOLDS", "FUNDING", "TRAINING"):
            pull = f"{stream}.API.CONSUMER.MSG.NEXT.{stream}.{user.name}"
            await user.say(pull, {"batch": 1, "expires": 1_000_000}, reply=target)


async def test_an_answer_to_one_reader_is_no_acknowledgement_for_another(house: House) -> None:
    """The server would hand an answer at $JS.ACK.… on as it stands; it takes no such request."""
    before = (await house.stand())["HOUSEHOLDS reporting"]
    for name in ("funding", "bank"):
        await house.users[name].request(
            f"HOUSEHOLDS.API.CONSUMER.MSG.NEXT.HOUSEHOLDS.{name}",
            {"batch": 1, "expires": 1_000_000},
            at="$JS.ACK.HOUSEHOLDS.reporting.1.1.1.1.0",
        )
        assert any("with reply" in each.lower() for each in house.users[name].refused)
    assert (await house.stand())["HOUSEHOLDS reporting"] == before


FORGETTING: Sequence[tuple[str, object]] = (
    ("STREAM.DELETE.{stream}", None),
    ("STREAM.PURGE.{stream}", None),
    ("STREAM.MSG.DELETE.{stream}", {"seq": 1}),
    ("STREAM.SNAPSHOT.{stream}", {"deliver_subject": "snapshot"}),
    ("STREAM.RESTORE.{stream}", {"config": {"name": "{stream}"}, "state": {}}),
    ("CONSUMER.DELETE.{stream}.reporting", None),
)


@pytest.mark.parametrize("name", SERVICES)
async def test_an_owner_cannot_make_its_stream_forget(house: House, name: str) -> None:
    before = await house.stand()
    stream = name.upper()
    for question, body in FORGETTING:
        assert await house.users[name].request(f"$JS.API.{question.format(stream=stream)}", body) is None
    config = before[stream][0] | {"deny_purge": False, "deny_delete": False}
    answer = await house.users[name].ask(f"$JS.API.STREAM.UPDATE.{stream}", config)
    assert answer is not None
    assert "error" in answer
    assert await house.stand() == before


@pytest.mark.parametrize("password", ["guess", "", None])
async def test_without_its_password_nobody_gets_in(house: House, password: str | None) -> None:
    async def quiet(_: Exception) -> None: ...

    for name in USERS:
        client = Client()
        with pytest.raises(Exception, match=r"(?i)authorization"):
            await client.connect(
                house.server.url,
                user=None if password is None else name,
                password=password,
                allow_reconnect=False,
                connect_timeout=2,
                error_cb=quiet,
            )
        await client.close()
