"""Writes .env for docker compose: random passwords and keys, drawn once and kept."""

import base64
import os
import secrets
import sys
from pathlib import Path

SERVICES = ("HOUSEHOLDS", "FUNDING", "TRAINING", "REPORTING")


def drawn() -> dict[str, str]:
    """A new value for everything that must be secret. Passwords begin with a letter, as nats.conf needs."""
    names = ["POSTGRES_PASSWORD"]
    names += [f"{service}_{kind}_PASSWORD" for service in SERVICES for kind in ("DB", "NATS")]
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {name: "p" + secrets.token_hex(16) for name in names} | {"DATA_KEY": key}


def write(path: Path) -> None:
    """Write them where only the owner can read them. Raises `FileExistsError` rather than replace any."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in drawn().items())


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[1] / ".env"
    try:
        write(target)
    except FileExistsError:
        print(f"{target} is there already and was left as it is.")
    else:
        print(f"{target} written. Keep DATA_KEY safe: without it personal data cannot be read.")
