"""Writes .env for docker compose: random passwords and keys, drawn once and kept.

Run again, it adds what has become necessary since, such as the password of a new agency.
"""

import base64
import os
import secrets
import sys
import tomllib
from pathlib import Path

SERVICES = ("HOUSEHOLDS", "FUNDING", "TRAINING", "REPORTING")
AGENCIES = Path(__file__).with_name("agencies") / "agencies.toml"


def drawn() -> dict[str, str]:
    """A new value for everything that must be secret. Passwords begin with a letter, as nats.conf needs."""
    names = ["POSTGRES_PASSWORD"]
    names += [f"{service}_{kind}_PASSWORD" for service in SERVICES for kind in ("DB", "NATS")]
    names += [f"{agency.upper()}_NATS_PASSWORD" for agency in tomllib.loads(AGENCIES.read_text("utf-8"))]
    keys = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("DATA_KEY", "AUDIT_KEY")}
    return {name: "p" + secrets.token_hex(16) for name in names} | keys


def write(path: Path) -> list[str]:
    """Add what `path` lacks, readable by its owner alone; returns the names that were added."""
    kept = path.read_text().splitlines(keepends=True) if path.exists() else []
    known = {line.partition("=")[0].strip() for line in kept}
    added = {name: value for name, value in drawn().items() if name not in known}
    if added:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n" if kept and not kept[-1].endswith("\n") else "")
            file.writelines(f"{name}={value}\n" for name, value in added.items())
    return list(added)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[1] / ".env"
    if added := write(target):
        print(
            f"{target}: added {', '.join(added)}. Keep DATA_KEY safe: without it personal data cannot be"
            " read; and AUDIT_KEY away from the database, so that nobody there can seal the audit anew."
        )
    else:
        print(f"{target} has everything and was left as it is.")
