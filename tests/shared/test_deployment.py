"""What compose, the passwords' file and the NATS configuration must agree on."""

import re
import stat
import subprocess
import sys
from pathlib import Path

from benvung import agencies
from benvung_local.servers import AGENCIES_TOML, DEPLOY, NATS_CONF

COMPOSE = (DEPLOY.parent / "docker-compose.yml").read_text()


def make_env(path: Path) -> dict[str, str]:
    """Run what `make env` runs; returns the file's values."""
    subprocess.run([sys.executable, str(DEPLOY / "make_env.py"), str(path)], check=True, capture_output=True)
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_every_password_that_nats_asks_for_is_drawn_and_handed_on(tmp_path: Path) -> None:
    users = set(re.findall(r"\$NATS_(\w+)_PASSWORD", NATS_CONF.read_text()))
    values = make_env(tmp_path / "env")
    assert {name.upper() for name in agencies.read(AGENCIES_TOML)} < users
    for user in users:
        assert f"NATS_{user}_PASSWORD: ${{{user}_NATS_PASSWORD:?" in COMPOSE
        assert re.fullmatch(r"p[0-9a-f]{32}", values[f"{user}_NATS_PASSWORD"])
    for variable in re.findall(r"\$\{(\w+):\?", COMPOSE):
        assert values[variable]


def test_passwords_are_drawn_once_and_what_is_new_is_added(tmp_path: Path) -> None:
    path = tmp_path / "env"
    first = make_env(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("".join(f"{name}={value}\n" for name, value in first.items() if "BANK" not in name))
    second = make_env(path)
    assert second.keys() == first.keys()
    assert {name for name in first if first[name] != second[name]} == {"BANK_NATS_PASSWORD"}
    assert make_env(path) == second


def test_each_agency_has_an_account_that_imports_its_durables_and_nothing_else() -> None:
    conf = NATS_CONF.read_text()
    for name, agency in agencies.read(AGENCIES_TOML).items():
        account = conf.partition(f"\n  {name.upper()}: {{\n")[2].partition("\n  }")[0]
        expected = {
            subject
            for stream in agency.streams
            for held in (stream, f"{stream}_ADVISORIES")
            for subject in (
                f"$JS.API.CONSUMER.MSG.NEXT.{held}.{name}",
                f"$JS.API.CONSUMER.INFO.{held}.{name}",
                f"$JS.API.CONSUMER.RESET.{held}.{name}",
                f"$JS.ACK.{held}.{name}.>",
            )
        }
        assert set(re.findall(r'subject: "([^"]+)"', account)) == expected
        assert "jetstream" not in account
