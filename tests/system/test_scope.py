"""Area scope: who is responsible for a commune sees and changes that commune and nothing of another one.

Every address that the services publish is asked, so that a new one is under test from its first day.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from benvung_local.client import Officer
from benvung_local.reclassify import ABOVE, decide

from .recorded import allocate, ask_to_erase, count_all, fill_form, list_member, plan_class, try_out
from .world import COMMUNE, COMMUNES, DISTRICT, OTHER, YEAR_ENDS, World

SERVICES = ("households", "funding", "training", "reporting")
AREAS = (COMMUNE, OTHER, DISTRICT, "64", "VN")
VARYING = re.compile(
    r'"(request_id|recorded_at|finished_at)": ?"[^"]*"'
    # When a PDF was made, and its own number.
    r"|/ID\[[^\]]*\]|/(Creation|Mod)Date ?\([^)]*\)|<xmp\w*:\w+>[^<]*</xmp"
)
REFUSED = frozenset({403, 404})
CALLED = ("Nhất", "Nhị", "Tam", "Tứ", "Ngũ", "Lục")
NOTHING = "00000000-0000-4000-8000-000000000000"
OFFICERS = {"xa-chu-krey": COMMUNE, "xa-an-trung": OTHER}


@dataclass(frozen=True)
class Things:
    """Identifiers of what belongs to each commune, by the name of the parameter that takes them."""

    of: Mapping[str, Mapping[str, str]]
    households: Mapping[str, str]

    def foreign(self, commune: str) -> set[str]:
        """Every identifier that belongs to another commune than this one."""
        others = {value for code, ids in self.of.items() if code != commune for value in ids.values()}
        return others | {each for each, code in self.households.items() if code != commune}


@pytest.fixture(scope="module")
def things(world: World) -> Things:
    """A household, a decision, a population, a review, an import, a class and an allocation of each commune."""
    found: dict[str, dict[str, str]] = {}
    for code in COMMUNES:
        officer = world.officer()
        [review, *_] = officer.get("households", "/v1/reviews", area=code, year=2023)["items"]
        household = world.households(code, **{"class": "POOR"})[0]["id"]
        decided = officer.get("households", f"/v1/households/{household}/decisions")["decisions"]
        recorded = officer.get("households", f"/v1/areas/{code}/population")["items"]
        found[code] = {
            "household_id": household,
            "decision_id": decided[0]["decision_id"],
            "population_id": recorded[0]["population_id"],
            "review_id": review["id"],
            "import_id": world.entered[2023].imports[COMMUNES.index(code)],
            "class_id": plan_class(world, code),
            "allocation_id": allocate(world, code, "02/2024/QĐ-UBND"),
            "village": f"{code}.01",
            "member_id": list_member(officer, household, CALLED[COMMUNES.index(code)]),
            "simulation_id": try_out(officer, code),
            "total_id": count_all(officer, code),
            "form_id": fill_form(officer, review["id"], household),
            "request_id": ask_to_erase(officer, household),
            # Nobody was recognised by steps, and nothing posted, in the world of these tests.
            "recognition_id": NOTHING,
            "notice_id": NOTHING,
            # These belong to nobody's area: they are the whole country's, or for who operates the service.
            "reorganisation_id": NOTHING,
            "area_type_id": NOTHING,
            "load_id": NOTHING,
            "period_id": NOTHING,
            "table_id": NOTHING,
            "standard": "STD_2022_2025",
            "code": "POOR",
            "template": "members",
            "letter_id": "1",
            "rebuild_id": "1",
        }
    world.settle()
    return Things(found, {each["id"]: each["commune"] for each in world.households(DISTRICT)})


def questions(world: World, service: str, things: Things) -> Iterator[tuple[str, dict[str, str]]]:
    """Every address one may read, with every area and with the things of every commune."""
    document = world.officer().get(service, "/openapi.json")
    for path, operations in document["paths"].items():
        # Looked up by number, people of the same province are seen masked (tests/households/test_masking.py).
        if "get" not in operations or path.startswith(("/health/", "/v1/lookups")):
            continue
        yield from asked(path, operations["get"].get("parameters", []), things)
    if service == "reporting":
        for path in ("/", "/movements", *(f"/fragments/{part}" for part in ("figures", "areas", "given"))):
            yield from ((path, {"area": area}) for area in AREAS)


def asked(path: str, parameters: list[Any], things: Things) -> Iterator[tuple[str, dict[str, str]]]:
    """One address with the values its parameters may take."""
    names = {each["name"] for each in parameters}
    usual = {"year": "2023", "on": YEAR_ENDS[2023], "since": YEAR_ENDS[2022], "limit": "200"}
    query = {name: value for name, value in usual.items() if name in names}
    in_path = set(re.findall(r"{(\w+)}", path))
    if in_path & {"area", "commune"}:
        yield from ((re.sub(r"{\w+}", area, path), query) for area in AREAS)
    elif in_path:
        for ids in things.of.values():
            yield path.format(**ids), query
    elif path.endswith("/stream"):
        # Each answer reads the whole stream.
        yield from ((path, {"area": area}) for area in (OTHER, DISTRICT))
    elif "area" in names:
        yield from ((path, {**query, "area": area}) for area in AREAS)
        yield path, query
        if "household_id" in names:
            for ids in things.of.values():
                yield path, {**query, "household_id": ids["household_id"]}
    else:
        yield path, query


def answer(officer: Officer, service: str, path: str, query: dict[str, str]) -> tuple[int, str]:
    """Status and text of an answer, without what differs from one request to the next."""
    found = officer.ask("GET", service, path, params=query, headers={"Accept": "text/html,*/*"})
    assert found.status_code < 500, found.text
    text = found.text
    if found.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(found.content)) as book:
            text = "".join(book.read(name).decode() for name in book.namelist() if name.startswith("xl/"))
    return found.status_code, VARYING.sub("", text)


Answers = dict[tuple[str, str, tuple[str, ...]], tuple[int, str]]


def all_answers(world: World, officer: str, things: Things, *, only: tuple[str, ...] = ()) -> Answers:
    """What an officer is answered everywhere, by service, path and the values asked for."""
    return {
        (service, path, tuple(query.values())): answer(world.officer(officer), service, path, query)
        for service in SERVICES
        for path, query in questions(world, service, things)
        if not only or query.get("area") in only
    }


@pytest.fixture(scope="module")
def read(world: World, things: Things) -> dict[str, Answers]:
    """What each commune's officer is answered everywhere."""
    return {officer: all_answers(world, officer, things) for officer in OFFICERS}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("officer", OFFICERS)
def test_an_officer_of_a_commune_reads_no_code_and_no_identifier_of_another(
    things: Things, read: dict[str, Answers], officer: str, service: str
) -> None:
    own = OFFICERS[officer]
    foreign = things.foreign(own)
    seen_own = 0
    for (asked_of, path, values), (status, text) in read[officer].items():
        if asked_of != service:
            continue
        asked_for = {*values, *re.split(r"[/.]", path)}
        named = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)) & foreign
        assert named <= asked_for, (path, values)
        if status not in REFUSED:
            # An answer may repeat the code that was asked about; that it holds nothing else is tested below.
            # What a commune was before, and of which units, is the whole country's to read.
            codes = set() if path.endswith("/past") else set(COMMUNES) - {own} - asked_for
            assert not {code for code in codes if re.search(rf"\b{code}\b", text)}, (path, values)
            seen_own += own in text
    assert seen_own > 2


def test_nothing_that_an_officer_reads_depends_on_what_happens_in_another_commune(
    world: World, things: Things, read: dict[str, Answers]
) -> None:
    above = all_answers(world, "huyen-kong-chro", things, only=(OTHER, DISTRICT))

    change_another_commune(world)
    world.settle()

    assert all_answers(world, "xa-chu-krey", things) == read["xa-chu-krey"]
    # Who is responsible for both does see the change: otherwise this test would prove nothing.
    after = all_answers(world, "huyen-kong-chro", things, only=(OTHER, DISTRICT))
    changed = {
        (service, *values)
        for (service, path, values), said in above.items()
        if after[service, path, values] != said
    }
    for service in SERVICES:
        assert {area for (of, *values) in changed if of == service for area in values} >= {OTHER, DISTRICT}


def change_another_commune(world: World) -> None:
    """Something of every kind happens in the other commune."""
    officer = world.officer()
    earlier = (
        "select household_id::text from household_facts group by 1 having max(valid_from) < '2023-12-28'"
    )
    untouched = {row[0] for row in world.rows("reporting", earlier)}
    poor = [each for each in world.households(OTHER, **{"class": "POOR"}) if each["id"] in untouched]
    review = world.open_review(OTHER)
    decide(officer, review, poor[0], ABOVE)
    world.open_review(OTHER, on="2023-12-20")
    late = world.open_review(OTHER, on="2023-12-28")
    decide(officer, late, poor[1], ABOVE)
    officer.send(
        "POST",
        "households",
        f"/v1/households/{poor[2]['id']}/closure",
        {"reason": "DISSOLVED", "on": "2024-01-20"},
    )
    entered = {
        "commune": OTHER,
        "village": poor[0]["village"],
        "head_name": "Đinh Thị Mới",
        "members": 3,
    }
    officer.send("POST", "households", "/v1/households", entered)
    recorded = {"households": 1190, "persons": 4950, "as_of": "2023-12-31", "source": "9/BC"}
    officer.send("POST", "households", f"/v1/areas/{OTHER}/population", recorded)
    plan_class(world, OTHER)
    allocate(world, OTHER, "03/2024/QĐ-UBND")


@pytest.mark.parametrize("officer", ["huyen-kong-chro", "tinh-gia-lai"])
def test_who_is_responsible_for_more_sees_all_of_it_counted_alike_everywhere(
    world: World, things: Things, officer: str
) -> None:
    world.settle()
    above = world.officer(officer)
    for code in COMMUNES:
        listed = list(above.pages("households", "/v1/households", area=code, status="ACTIVE"))
        classes = [each["poverty_class"] for each in listed]
        counted = above.get("households", "/v1/households/count", area=code, status="ACTIVE")
        exported = above.ask(
            "GET", "households", "/v1/households.csv", params={"area": code, "purpose": "POLICY"}
        ).text
        assert counted["households"] == len(listed)
        assert sorted(line.split(",")[0].strip('"') for line in exported.splitlines()[1:]) == sorted(
            each["id"] for each in listed
        )
        for name in ("POOR", "NEAR_POOR"):
            reported = above.get("reporting", "/v1/situation", area=code)["classes"][name]["households"]
            borrowing = above.get("reporting", "/v1/eligibility", area=code)["products"][name]["households"]
            assert reported == borrowing == classes.count(name), (code, name)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_officer_of_another_commune_changes_nothing(world: World, things: Things, method: str) -> None:
    world.settle()
    before = [world.stream_state(name).last_seq for name in ("HOUSEHOLDS", "FUNDING", "TRAINING")]
    for service, path, body, officer in writes(things):
        if (method == "PUT") is not path.endswith("/villages"):
            continue
        refused = world.officer(officer).ask(method, service, path, **body)
        assert refused.status_code in REFUSED, (path, refused.text)
        assert refused.json()["rule"] in {"outside-area", "household-not-found"}, (path, refused.text)
    world.settle()
    assert [world.stream_state(name).last_seq for name in ("HOUSEHOLDS", "FUNDING", "TRAINING")] == before


def writes(things: Things) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Every way to change something of another's area, by somebody who may do the same in the own one."""
    ours, theirs = things.of[COMMUNE], things.of[OTHER]
    result = {"household_id": theirs["household_id"], "members": 4, "b1_points": 1, "b2_points": 0}
    moving = {"to_commune": COMMUNE, "to_village": f"{COMMUNE}.01", "on": "2024-01-20"}
    entered = {"commune": OTHER, "village": f"{OTHER}.01", "head_name": "X", "members": 1}
    arrival = {**entered, "class": "POOR", "standard": "STD_2022_2025", "on": "2024-01-20"}
    review = {
        "commune": OTHER,
        "year": 2024,
        "kind": "REGULAR",
        "stage": "OFFICIAL",
        "standard": "STD_2022_2025",
        "decided_on": "2024-01-20",
    }
    file = {"content": b"x", "headers": {"Content-Type": "text/csv"}}
    population = {"households": 1, "persons": 1, "as_of": "2023-12-31", "source": "x"}
    for path, body in (
        (f"/v1/reviews/{theirs['review_id']}/results", {"json": result}),
        (f"/v1/reviews/{ours['review_id']}/results", {"json": result}),
        (f"/v1/reviews/{theirs['review_id']}/imports", file),
        (f"/v1/reviews/{theirs['review_id']}/closure", {}),
        (f"/v1/households/{theirs['household_id']}/moves", {"json": moving}),
        (
            f"/v1/households/{theirs['household_id']}/closure",
            {"json": {"reason": "DEATH", "on": "2024-01-20"}},
        ),
        ("/v1/households", {"json": entered}),
        ("/v1/arrivals", {"json": arrival}),
        ("/v1/reviews", {"json": review}),
    ):
        yield "households", path, body, "xa-chu-krey"
    # Hà Nội's districts and communes are nobody's whom we can be.
    yield "households", "/v1/communes/00004/villages", {"json": {"villages": []}}, "huyen-kong-chro"
    yield "households", "/v1/areas/64/population", {"json": population}, "huyen-kong-chro"
    yield "households", "/v1/areas/00004/population", {"json": population}, "huyen-kong-chro"
    share = {"capital_type": "RECURRENT", "amount_dong": 1_000_000}
    money = {
        "area": "01",
        "year": 2024,
        "decision_number": "1/QĐ",
        "decided_on": "2024-01-10",
        "total_dong": 1_000_000,
        "by_capital_type": [share],
        "lines": [{**share, "project": "DA2", "source": "CENTRAL_BUDGET"}],
    }
    yield "funding", "/v1/allocations", {"json": money}, "ngan-sach"
    course = {
        "area": "01",
        "component": "DA7.1",
        "form": "CLASS",
        "title": "Lớp của nơi khác",
        "organiser": {"name": "UBND", "level": "PROVINCE", "area": "01"},
        "topics": [{"number": "90/QĐ-TTg"}],
        "planned_from": "2024-01-10",
    }
    yield "training", "/v1/classes", {"json": course}, "tap-huan"


@pytest.mark.parametrize("area", [OTHER, DISTRICT, "64", "VN"])
@pytest.mark.parametrize("path", ["/v1/situation", "/v1/eligibility", "/v1/verify", "/v1/situation.xlsx"])
def test_a_report_of_an_area_is_only_for_who_is_responsible_for_all_of_it(
    world: World, path: str, area: str
) -> None:
    refused = world.officer("xa-chu-krey").ask("GET", "reporting", path, params={"area": area})

    assert (refused.status_code, refused.json()["rule"]) == (403, "outside-area")


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("funding", "/v1/allocations"),
        ("training", "/v1/classes"),
        ("households", f"/v1/areas/{COMMUNE}/population"),
    ],
)
def test_what_one_has_no_permission_for_is_refused_by_name_in_the_own_area_too(
    world: World, service: str, path: str
) -> None:
    refused = world.officer("xa-chu-krey").ask("POST", service, path, json={})

    assert (refused.status_code, refused.json()["rule"]) == (403, "not-permitted")
