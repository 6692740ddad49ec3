"""A report by the units of its day and by those of today: the same households, nobody's business but theirs."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.reporting.conftest import Client, Tell
from tests.reporting.histories import decided, living_in

from benvung import areas, clock
from benvung.areas import AreaType, Level, Unit
from benvung.envelope import EventData
from benvung.reorganised import as_data
from households import domain, events
from households.actions import tell as telling
from households.domain.reorganisation import reassign

REFORM, TODAY = dt.date(2025, 7, 1), dt.date(2026, 3, 1)
END_2023, END_2024 = dt.date(2023, 12, 31), dt.date(2024, 12, 31)
DIVIDED, HALVES, WAITING = "21634", ("21622", "21628"), "21634W"
OTHERS = {"21622": "21622", "21628": "21628", "21631": "21628"}


@pytest.fixture(autouse=True)
def after_the_reform(business_date: dt.date) -> Iterator[None]:
    """Eight months after the reform; the process knows what does not belong to a commune yet."""
    assert business_date
    clock.fix(TODAY)
    areas.learn([waiting_unit()])
    yield
    areas.learn(())


def waiting_unit() -> Unit:
    name = "Chưa phân địa bàn (Xã An Nghĩa cũ)"
    return Unit(WAITING, name, Level.COMMUNE, "52", AreaType.RURAL, REFORM, None, (DIVIDED,))


def reorganised() -> EventData:
    parts: list[dict[str, Any]] = [
        {"predecessor": old, "kind": "MERGED", "successors": (new,), "waiting": None}
        for old, new in OTHERS.items()
    ]
    parts.append({"predecessor": DIVIDED, "kind": "DIVIDED", "successors": HALVES, "waiting": WAITING})
    return events.AreaReorganised(
        province="52", commune=None, revision=1, reorganisation_id=uuid.uuid4(), on=REFORM,
        document_number="1/NQ", document_date=REFORM,
        parts=tuple(events.AreaPart(**part) for part in parts),
        units=(events.AreaUnit(**as_data(waiting_unit())),),
    )  # fmt: skip


def followed(state: domain.HouseholdState, to: str) -> list[EventData]:
    place = domain.Place("52", to, f"{to}.01", domain.AreaType.RURAL)
    move = reassign(state, place, REFORM)
    old = state.commune
    return [
        telling.left(move.left, "REORGANISED", to),
        telling.arrived(move.arrived, "REORGANISED", old),
    ]


@pytest.fixture
async def told(tell: Tell) -> None:
    """In each of four old communes one poor household since 2023, of the divided one three; one has chosen."""
    made: list[EventData] = []
    moves: list[EventData] = []
    for code, to in (*OTHERS.items(), (DIVIDED, HALVES[1]), (DIVIDED, WAITING), (DIVIDED, WAITING)):
        state, event = decided(living_in(code), "POOR", END_2023)
        made.append(event)
        moves += followed(state, to)
    await tell([*made, reorganised(), *moves])


async def ask(client: Any, path: str, **asked: str) -> Any:
    answer = await client.get(f"/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def poor(answer: Any) -> int:
    return int(answer["classes"]["POOR"]["households"])


@pytest.mark.usefixtures("told")
async def test_sums_are_the_same_before_and_after_in_both_geographies(officer: Client) -> None:
    client = await officer("VN")

    for asked in (
        {"on": "2024-12-31"}, {"on": "2024-12-31", "geography": "now"},
        {"on": "2025-06-30", "geography": "now"}, {"on": "2025-07-01"}, {},
    ):  # fmt: skip
        assert poor(await ask(client, "situation", area="52", **asked)) == 6, asked


@pytest.mark.usefixtures("told")
async def test_who_waits_is_a_line_of_the_new_province(officer: Client) -> None:
    client = await officer("52")

    for asked in ({}, {"on": "2024-12-31", "geography": "now"}):
        listed = await ask(client, "situation/communes", area="52", **asked)
        lines = {one["area"]["code"]: poor(one) for one in listed["communes"] if poor(one)}
        assert lines == {HALVES[0]: 1, HALVES[1]: 3, WAITING: 2}
    names = {one["area"]["code"]: one["area"]["name"] for one in listed["communes"]}
    assert names[WAITING] == "Chưa phân địa bàn (Xã An Nghĩa cũ)"


@pytest.mark.usefixtures("told")
async def test_the_new_communes_officer_reads_what_was_before(officer: Client) -> None:
    client, half = await officer(HALVES[1]), await officer(HALVES[0])

    assert poor(await ask(client, "situation", area=HALVES[1], on="2024-12-31", geography="now")) == 3
    assert poor(await ask(client, "situation", area="21631", on="2024-12-31")) == 1
    # Of the divided commune only a part is theirs: the figure of the whole is not.
    for one in (client, half):
        refused = await one.get("/v1/situation", params={"area": DIVIDED, "on": "2024-12-31"})
        assert refused.status_code == 403


@pytest.mark.usefixtures("told")
async def test_the_movement_forms_of_the_year_of_the_reform_close_without_any_movement(
    officer: Client,
) -> None:
    client = await officer("52")

    for year, geography in (("2025", "then"), ("2025", "now"), ("2024", "now")):
        forms = await ask(client, "movements", area="52", year=year, geography=geography)
        assert forms["closes"], (year, geography, forms["faults"])
        [start, *between, end] = [cell["households"] for cell in forms["forms"][0]["total"]]
        assert (start, set(between), end) == (6, {0}, 6), (year, geography)
    [note] = (await ask(client, "movements", area="52", year="2024", geography="now"))["notes"]
    assert note["rule"] == "earlier-area-changes-unknown"


@pytest.mark.usefixtures("told")
async def test_a_new_commune_is_compared_with_what_it_was_made_from(officer: Client) -> None:
    client = await officer(HALVES[1])

    points = (await ask(client, "trend", area=HALVES[1], years="3"))["points"]

    assert [point["classes"]["POOR"]["households"] for point in points] == [3, 3, 3, 3]
