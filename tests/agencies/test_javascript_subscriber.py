"""The subscriber that agencies are given in JavaScript, installed and run as they would, by npm and node."""

import asyncio
import re
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from tests.agencies import promises
from tests.agencies.register import STREAM, Register, registered

from benvung_local.servers import AGENCIES_TOML

pytestmark = pytest.mark.node
GIVEN = ("package.json", "package-lock.json", ".npmrc", "subscriber.mjs")
Command = tuple[str, str]
DENIED = re.compile(
    r".+ denied: (JetStream not enabled for account|jetstream is not enabled"
    r"|no responders: '.+'|Permissions Violation for (Publish|Subscription) to \".+\")"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what agencies are given, and its packages at the versions that are locked."""
    folder = tmp_path_factory.mktemp("agency")
    for name in GIVEN:
        shutil.copy(AGENCIES_TOML.with_name(name), folder)
    shutil.copy(Path(__file__).with_name("denied.mjs"), folder)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture
def command(installed: Path) -> Command:
    return ("node", str(installed / "subscriber.mjs"))


def test_the_lock_names_no_registry() -> None:
    lock = AGENCIES_TOML.with_name("package-lock.json").read_text()
    assert "integrity" in lock
    assert "resolved" not in lock
    assert "://" not in lock


async def test_it_hears_of_its_province_only(register: Register, command: Command) -> None:
    await promises.hears_of_its_province_only(register, command)


async def test_it_goes_on_where_it_was_and_back_where_it_wants(register: Register, command: Command) -> None:
    await promises.goes_on_where_it_was_and_back_where_it_wants(register, command)


async def test_it_notices_a_gap(register: Register, command: Command) -> None:
    await promises.notices_a_gap(register, command)


async def test_it_takes_back_what_was_withdrawn(register: Register, command: Command) -> None:
    await promises.takes_back_what_was_withdrawn(register, command)


async def test_its_client_is_denied_the_rest(register: Register, installed: Path) -> None:
    async with register.relaying(AGENCIES_TOML):
        await register.tell(registered(uuid.uuid4(), 1))
        process = await asyncio.create_subprocess_exec(
            "node",
            str(installed / "denied.mjs"),
            STREAM,
            env=register.environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
    lines = said.decode().splitlines()
    assert process.returncode == 0
    denied = [DENIED.fullmatch(line) is not None for line in lines[:-1]]
    assert denied == [True] * 21, lines
    assert lines[-1] == "own consumer 1"
