"""Services are renewed one at a time: for a while an older reader follows a newer teller, and the reverse."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from tests.alone.conftest import DATA_KEY, SignIn
from tests.alone.houses import ROOT, eventually, kept

from benvung.testing import Database, NatsServer
from benvung_local.processes import LOOPBACK, Process, free_port

COMMUNE, DAY = "23827", "2024-01-20"
TOMORROW = "field_of_tomorrow"
# (file, what stands there today, what stands there tomorrow)
TELLS_MORE = (
    "src/households/events.py",
    "    preliminary_class: PovertyClass | None\n\n    @property\n",
    f'    preliminary_class: PovertyClass | None\n    {TOMORROW}: str = "told"\n\n    @property\n',
)
READS_MORE = (
    "src/funding/consumers.py",
    "    left_list_on: dt.date | None\n\n\nclass After(",
    f'    left_list_on: dt.date | None\n    {TOMORROW}: str = "not told"\n\n\nclass After(',
)


def changed(service: str, change: tuple[str, str, str], folder: Path) -> Path:
    """A copy of a service's project as it may be tomorrow."""
    copy = folder / service
    shutil.copytree(
        ROOT / "services" / service, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    file, today, tomorrow = copy / change[0], change[1], change[2]
    text = file.read_text("utf-8")
    assert text.count(today) == 1
    file.write_text(text.replace(today, tomorrow), "utf-8")
    return copy


@pytest.fixture
def environment(database: Database, nats_server: NatsServer, issuer: str) -> Callable[[str], dict[str, str]]:
    """What a service is told by its environment."""

    def of(service: str) -> dict[str, str]:
        user, password = nats_server.user(service)
        return {
            **kept(),
            "DATABASE_URL": database(service),
            "NATS_URL": nats_server.url,
            "NATS_USER": user,
            "NATS_PASSWORD": password,
            "NATS_SHARED_ACCOUNT": str(nats_server.shared_account),
            "ISSUER_URL": issuer,
            "DATA_KEY": DATA_KEY,
            "BUSINESS_DATE": "2024-01-24",
            "PORT": str(free_port()),
        }

    return of


@contextmanager
def running(service: str, project: Path, environment: dict[str, str], log: Path) -> Iterator[httpx2.Client]:
    """A service from the sources of a project; a client of it."""
    command = [sys.executable, "-m", service, "serve"]
    process = Process(service, command, log, {**environment, "PYTHONPATH": str(project / "src")})
    process.start()
    with httpx2.Client(base_url=f"http://{LOOPBACK}:{environment['PORT']}", trust_env=False) as client:
        try:
            process.wait_until(lambda: answers(client), 60)
            yield client
        finally:
            process.stop()


def answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/health/live").is_success
    except httpx2.TransportError:
        return False


@pytest.mark.slow
def test_an_older_reader_follows_a_newer_teller_and_the_reverse(
    environment: Callable[[str], dict[str, str]],
    database: Database,
    sign_in: SignIn,
    tmp_path: Path,
) -> None:
    today = ROOT / "services"
    newer_teller = changed("households", TELLS_MORE, tmp_path)
    newer_reader = changed("funding", READS_MORE, tmp_path)
    headers = sign_in("huyen-kong-chro")
    household = ""

    for teller, reader, points, product, told in (
        (newer_teller, today / "funding", (120, 50), "POOR", True),
        (today / "households", newer_reader, (190, 0), "NEWLY_ESCAPED", False),
    ):
        with ExitStack() as stack:
            register = stack.enter_context(
                running("households", teller, environment("households"), tmp_path / "log")
            )
            funding = stack.enter_context(
                running("funding", reader, environment("funding"), tmp_path / "log")
            )
            register.headers.update(headers)
            funding.headers.update(headers)
            household = household or registered(register)
            decide(register, household, *points)
            eventually(lambda: eligible(funding, household) == [product])  # noqa: B023 -- asked at once
        assert (TOMORROW in newest(database("households"))) is told

    with psycopg.connect(database("funding")) as conn:
        assert conn.execute("select count(*) from dead_letters").fetchone() == (0,)


def ask(client: httpx2.Client, method: str, path: str, **body: Any) -> Any:
    answer = client.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def registered(register: httpx2.Client) -> str:
    ask(register, "PUT", f"/v1/communes/{COMMUNE}/villages", villages=[{"name": "Làng Một"}])
    given = {"village": f"{COMMUNE}.01", "code": "H001", "head_name": "Đinh Văn Ví Dụ", "head_sex": "MALE"}
    return str(ask(register, "POST", "/v1/households", commune=COMMUNE, members=4, **given)["id"])


def decide(register: httpx2.Client, household: str, b1_points: int, b2_points: int) -> None:
    review = ask(
        register,
        "POST",
        "/v1/reviews",
        commune=COMMUNE,
        year=2024,
        kind="REGULAR",
        stage="OFFICIAL",
        standard="STD_2022_2025",
        decided_on=DAY,
        valid_from=DAY,
        decision_number=f"{b1_points}",
    )
    path = f"/v1/reviews/{review['id']}/results"
    ask(register, "POST", path, household_id=household, members=4, b1_points=b1_points, b2_points=b2_points)


def eligible(funding: httpx2.Client, household: str) -> list[str]:
    answer = funding.get(f"/v1/households/{household}/eligibility")
    found = answer.json().get("answers", []) if answer.is_success else []
    return [each["product"] for each in found if each["status"] == "ELIGIBLE"]


def newest(register: str) -> dict[str, Any]:
    """What the register told last of a household."""
    query = "select payload from journal where event_type like '%classified%' order by id desc limit 1"
    with psycopg.connect(register) as conn:
        [(payload,)] = conn.execute(query).fetchall()
    data: dict[str, Any] = json.loads(payload)["data"]
    return data
