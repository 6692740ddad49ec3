"""Each service alone: built, installed where the others are absent, it starts, says what it waits for, serves
what it can, and is ready by itself when what was missing appears."""

import asyncio
import importlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.alone.conftest import DATA_KEY, Empty, SignIn
from tests.alone.houses import KIT, ROOT, UV, House, build, eventually, run
from typer.testing import CliRunner

from benvung.bus import Bus
from benvung.settings import ServiceSettings
from benvung.testing import NatsServer

SERVICES = ("households", "funding", "training", "reporting")
STOP_SECONDS = 5.0
NOT_MADE = "dịch vụ sở hữu luồng này chưa tạo luồng và chỗ đọc"
Databases = Callable[[], Empty]


@dataclass(frozen=True)
class Way:
    """What a service can be asked to do without the others."""

    officer: str
    reads: str
    writes: tuple[str, str, dict[str, Any]] | None
    listens_to: dict[str, str]
    tells: str


POPULATION = {"households": 800, "persons": 3300, "as_of": "2023-12-31", "source": "Niên giám thống kê"}
MONEY = {"capital_type": "RECURRENT", "amount_dong": 28_269_000_000}
ALLOCATION = {
    "area": "630",
    "year": 2023,
    "decision_number": "01/2023/QĐ-UBND",
    "decided_on": "2023-01-10",
    "total_dong": MONEY["amount_dong"],
    "by_capital_type": [MONEY],
    "lines": [{"project": "DA2", "source": "CENTRAL_BUDGET", **MONEY}],
}
CLASS = {
    "area": "23827",
    "component": "DA7.1",
    "form": "CONFERENCE",
    "title": "Hội nghị tập huấn",
    "organiser": {"name": "UBND xã Chư Krey", "level": "COMMUNE", "area": "23827"},
    "topics": [{"number": "90/QĐ-TTg"}],
    "planned_from": "2023-10-12",
}
HELD = {"held_on": "2023-10-12", "participants": 200, "count_qualifier": "GREATER"}
WAYS = {
    "households": Way(
        "huyen-kong-chro",
        "/v1/households?area=630",
        ("POST", "/v1/areas/23827/population", POPULATION),
        {},
        "HOUSEHOLDS",
    ),
    "funding": Way(
        "ngan-sach",
        "/v1/allocations",
        ("POST", "/v1/allocations", ALLOCATION),
        {"HOUSEHOLDS": "funding"},
        "FUNDING",
    ),
    "training": Way(
        "tap-huan",
        "/v1/classes",
        ("POST", "/v1/classes", CLASS),
        {"HOUSEHOLDS": "training"},
        "TRAINING",
    ),
    "reporting": Way(
        "huyen-kong-chro",
        "/v1/situation?area=630",
        None,
        {"HOUSEHOLDS": "reporting", "FUNDING": "reporting", "TRAINING": "reporting"},
        "",
    ),
}


@pytest.fixture
def database(databases_to_be: Databases) -> Empty:
    """The service's database, which is not there yet."""
    return databases_to_be()


@pytest.fixture
def house(
    request: pytest.FixtureRequest, tmp_path: Path, database: Empty, nats_server: NatsServer, issuer: str
) -> Iterator[House]:
    """The service, installed and not running."""
    service = request.param
    user, password = nats_server.user(service)
    environment = {
        "DATABASE_URL": database.url,
        "NATS_URL": nats_server.url,
        "NATS_USER": user,
        "NATS_PASSWORD": password,
        "NATS_SHARED_ACCOUNT": str(nats_server.shared_account),
        "ISSUER_URL": issuer,
        "BUSINESS_DATE": "2024-01-24",
        "HOME": str(tmp_path),
        **({"DATA_KEY": DATA_KEY} if service == "households" else {}),
    }
    made = House(service, tmp_path / "house", environment)
    yield made
    made.stop()


@pytest.mark.slow
@pytest.mark.parametrize("house", SERVICES, indirect=True)
def test_a_service_lives_alone_and_is_ready_when_what_it_needs_appears(
    house: House, database: Empty, nats_server: NatsServer, sign_in: SignIn
) -> None:
    way = WAYS[house.service]
    nobody_else_is_here(house)
    headers = sign_in(way.officer)
    nats_server.kill()

    house.start()
    without_a_database(house, way, headers)

    database.create()
    eventually(lambda: house.waits_for()["database"] == "cơ sở dữ liệu: hãy chạy lệnh migrate")
    house.command("migrate")
    without_nats(house, way, headers, database)

    nats_server.start()
    without_the_others(house, way, headers, database)

    for stream, reader in way.listens_to.items():
        others_appear(nats_server, stream, reader)
    house.wait_ready()

    assert house.stop() < STOP_SECONDS
    assert house.process.exit_code == 0
    assert list(house.home.iterdir()) == []


def nobody_else_is_here(house: House) -> None:
    run(UV, "pip", "check", "-q", f"--python={house.python}")
    others = [f"'{name}'" for name in (*SERVICES, "benvung_local", "pytest") if name != house.service]
    program = (
        "import importlib.util as i, importlib.metadata as m, json;"
        f"print(json.dumps([[n for n in [{', '.join(others)}] if i.find_spec(n)],"
        " sorted(d.name for d in m.distributions() if d.name.startswith('benvung'))]))"
    )
    found, ours = json.loads(run(house.python, "-c", program, folder=house.home, environment={}))
    assert found == []
    assert ours == sorted([f"benvung-{house.service}", "benvung-shared"])


def without_a_database(house: House, way: Way, headers: dict[str, str]) -> None:
    waiting = house.waits_for()
    assert waiting["database"].startswith("cơ sở dữ liệu: ")
    assert "issuer" not in waiting
    refused = house.client.get(way.reads, headers=headers)
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"].startswith("Cơ sở dữ liệu chưa trả lời")
    assert refused.headers["retry-after"]


def without_nats(house: House, way: Way, headers: dict[str, str], database: Empty) -> None:
    runners = {f"relay {way.tells}"} if way.tells else set()
    runners |= {f"projector {reader} on {stream}" for stream, reader in way.listens_to.items()}
    eventually(lambda: all("NATS không trả lời" in house.waits_for().get(name, "") for name in runners))
    serves(house, way, headers)
    if way.tells:
        assert outbox(database) == 1


def without_the_others(house: House, way: Way, headers: dict[str, str], database: Empty) -> None:
    if way.tells:
        eventually(lambda: outbox(database) == 0)
    if not way.listens_to:
        house.wait_ready()
        return
    wanted = {
        f"projector {reader} on {stream}": f"đọc sự kiện {stream}: {NOT_MADE}"
        for stream, reader in way.listens_to.items()
    }
    eventually(lambda: house.waits_for() == wanted)
    assert house.client.get(way.reads, headers=headers).status_code == 200


def serves(house: House, way: Way, headers: dict[str, str]) -> None:
    """Everything that needs no other service: reads, writes, pages, the API's document."""
    client = house.client
    if way.writes is not None:
        method, path, body = way.writes
        written = client.request(method, path, json=body, headers=headers)
        assert written.status_code == 201, written.text
        if house.service == "training":
            path = f"/v1/classes/{written.json()['id']}/completion"
            assert client.post(path, json=HELD, headers=headers).status_code == 200
    assert client.get(way.reads, headers=headers).status_code == 200
    assert client.get("/openapi.json").json()["paths"]
    if house.service == "reporting":
        pages(house, headers)


def pages(house: House, headers: dict[str, str]) -> None:
    """A page in both languages with its stylesheets, and a workbook: templates, catalogues, fonts, libraries."""
    for language, words in (("vi", "Hộ nghèo"), ("en", "Poor")):
        page = house.client.get(f"/?area=630&lang={language}", headers=headers)
        assert page.status_code == 200
        assert words in page.text
    assets = re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js|svg)[^"]*)"', page.text)
    assert len(assets) >= 4
    for asset in assets:
        assert house.client.get(asset).status_code == 200, asset
    book = house.client.get("/v1/situation.xlsx?area=630", headers=headers)
    assert book.content.startswith(b"PK")


def outbox(database: Empty) -> int:
    with psycopg.connect(database.url) as conn:
        [(number,)] = conn.execute("select count(*) from outbox").fetchall()
    return int(number)


def others_appear(server: NatsServer, stream: str, reader: str) -> None:
    """What the owner of a stream does when it runs for the first time."""
    owner = stream.lower()
    user, password = server.user(owner)
    settings = ServiceSettings(
        database_url="postgresql:///none",
        nats_url=server.url,
        nats_user=user,
        nats_password=password,
        nats_shared_account=server.shared_account,
    )

    async def make() -> None:
        bus = await Bus.connect(settings, owner, "test")
        await bus.ensure_stream(stream)
        for name in (reader, f"{reader}-rebuild"):
            await bus.ensure_reader(stream, name)
        await bus.mark_stream(stream, whole=True)
        await bus.close()

    asyncio.run(make())


@pytest.mark.parametrize(
    "project", [KIT, *(ROOT / "services" / name for name in SERVICES)], ids=lambda each: each.name
)
def test_a_wheel_holds_every_file_that_the_package_has(project: Path, tmp_path: Path) -> None:
    [package] = (project / "src").iterdir()
    folders = {
        project / "src": "",
        **{project / part: f"{package.name}/" for part in ("migrations", "contracts")},
    }
    wanted = {
        f"{place}{file.relative_to(folder if not place else project).as_posix()}"
        for folder, place in folders.items()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and ".egg-info" not in str(file)
    }

    with zipfile.ZipFile(build(project, tmp_path)) as wheel:
        held = set(wheel.namelist())

    assert wanted - held == set()
    folders_held = {name.split("/")[0] for name in held if ".dist-info/" not in name}
    assert folders_held == {package.name}


@pytest.mark.parametrize("service", SERVICES)
def test_the_command_explains_itself_and_names_what_is_not_set(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    cli = importlib.import_module(f"{service}.main").cli

    listed = CliRunner().invoke(cli, ["--help"], env={"TERMINAL_WIDTH": "80"})
    refused = CliRunner().invoke(cli, ["serve"])

    for command in ("serve", "api", "worker", "migrate"):
        assert f" {command} " in listed.output
    assert max(len(line) for line in listed.output.splitlines()) <= 80
    assert (refused.exit_code, refused.output) == (2, "DATABASE_URL: Field required\n")
