"""The quick reader and the careful one say the same of every message."""

import json
import uuid
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nats.aio import client as nats_client
from tests.shared.pipeline import PROJECTOR, noted

from benvung import clock
from benvung.bus import Stored
from benvung.bus.client import Client
from benvung.envelope import Unreadable, encode
from benvung.projector import Received, sort

GOOD = json.loads(
    encode(noted("n", 1), event_id=str(uuid.uuid4()), sequence=7, time=clock.now(), traceparent="00-a-b-01")
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**65),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(
        [
            "1.0",
            "/training",
            "/funding",
            "training.test.noted.v2",
            "training.other.v1",
            "0" * 19,
            "9" * 19,
            "2024-01-24T08:00:00+07:00",
            "2024-01-24",
            {},
            [],
            {"note_id": "x", "number": "3"},
            {"note_id": "x", "number": 3.0},
            {"note_id": 3, "number": 3},
        ]
    ),
)


def said(payload: bytes, *, slowly: bool) -> Received | str | None:
    try:
        return PROJECTOR._read_slowly(payload) if slowly else PROJECTOR.read(payload)
    except Unreadable as unreadable:
        return str(unreadable)


@given(
    st.dictionaries(st.sampled_from([*GOOD, "surplus"]), ODD, max_size=3),
    st.sets(st.sampled_from(list(GOOD)), max_size=2),
)
def test_both_readers_agree(changed: dict[str, Any], missing: set[str]) -> None:
    body = {key: value for key, value in (GOOD | changed).items() if key not in missing}
    payload = json.dumps(body).encode()
    assert said(payload, slowly=False) == said(payload, slowly=True)


@given(st.binary(max_size=200))
def test_both_readers_agree_on_anything(payload: bytes) -> None:
    assert said(payload, slowly=False) == said(payload, slowly=True)


def test_what_cannot_be_prepared_is_put_aside_alone_and_says_why() -> None:
    """The handler would never see the rest of its batch if such an event ended the reading."""

    def halved(event: Received) -> int:
        if event.data.number % 2:
            raise ValueError("odd")
        return int(event.data.number) // 2

    messages = [
        Stored(place, "", json.dumps(GOOD | {"data": GOOD["data"] | {"number": number}}).encode())
        for place, number in enumerate((4, 5, 6), start=1)
    ]
    found = sort(replace(PROJECTOR, prepare=halved), messages, (), None)
    assert [event.data for event in found.received] == [2, 3]
    assert found.dead == [(messages[1], "ValueError: odd")]


def test_what_takes_events_back_is_not_prepared() -> None:
    def never(event: Received) -> None:
        raise AssertionError(event)

    event, taken_back = str(uuid.uuid4()), {"events": [str(uuid.uuid4())]}
    body = GOOD | {"id": event, "type": PROJECTOR.withdrawn_type, "data": taken_back}
    found = sort(replace(PROJECTOR, prepare=never), [Stored(1, "", json.dumps(body).encode())], (), None)
    assert [str(each) for each in found.withdrawn] == taken_back["events"]
    assert not found.dead


def test_the_quick_reader_reads_what_is_usual() -> None:
    assert PROJECTOR._whole.validate_json(json.dumps(GOOD)).sequence == "0" * 18 + "7"


@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ABCdef-123"), min_size=1),
            st.text(st.characters(exclude_characters="\r\n")),
        ),
        max_size=5,
    )
)
def test_headers_are_read_as_nats_py_reads_them(pairs: list[tuple[str, str]]) -> None:
    raw = "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("utf-8", "replace") + b"\r\n"
    assert Client._parse_header_lines(raw) == nats_client.Client._parse_header_lines(raw)
