"""A generated district, entered through the public API as its communes would enter it."""

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benvung_local.client import Officer, until

DISTRICT = "630"
Progress = Callable[[str, int, int], None]
IMPORT_SECONDS = 300.0


@dataclass
class Entered:
    """What entering the files came to."""

    rows: int = 0
    refused: int = 0
    warnings: int = 0
    missing: int = 0
    seconds: float = 0.0
    imports: list[str] = field(default_factory=list)


def generate(folder: Path, year: int, register: Path | None = None) -> None:
    """Let the product invent a year of the district; it is deterministic."""
    command = [sys.executable, "-m", "households", "generate", "--year", str(year), "--out", str(folder)]
    command += ["--register", str(register)] if register else []
    subprocess.run(command, check=True, capture_output=True)


def table(path: Path) -> list[dict[str, str]]:
    """A generated CSV file as rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def enter_villages(officer: Officer, folder: Path) -> None:
    """Record the villages of each commune."""
    villages: dict[str, list[dict[str, str]]] = {}
    for row in table(folder / "villages.csv"):
        villages.setdefault(row["commune"], []).append({"code": row["code"], "name": row["name"]})
    for commune, listed in villages.items():
        officer.send("PUT", "households", f"/v1/communes/{commune}/villages", {"villages": listed})


def enter_population(officer: Officer, folder: Path, year: int) -> None:
    """Record how many households and persons each area has, without which there is no rate."""
    for row in table(folder / f"population-{year}.csv"):
        officer.send(
            "POST",
            "households",
            f"/v1/areas/{row['area']}/population",
            {
                "households": int(row["households"]),
                "persons": int(row["persons"]),
                "as_of": row["as_of"],
                "source": row["source"],
            },
        )


def enter_changes(officer: Officer, folder: Path, year: int, progress: Progress) -> None:
    """Post the year's moves, closures and arrivals."""
    changes = table(folder / f"changes-{year}.csv")
    for number, row in enumerate(changes, start=1):
        officer.send("POST", "households", *_change(row))
        progress(f"Biến động trong năm {year}", number, len(changes))


def _change(row: dict[str, str]) -> tuple[str, dict[str, Any]]:
    household = f"/v1/households/{row['household_id']}"
    if row["kind"] == "MOVE":
        return f"{household}/moves", {
            "to_commune": row["to_commune"],
            "to_village": row["to_village"],
            "on": row["on"],
        }
    if row["kind"] == "CLOSURE":
        return f"{household}/closure", {"reason": row["reason"], "on": row["on"]}
    return "/v1/arrivals", {
        "commune": row["commune"],
        "village": row["village"],
        "code": row["code"] or None,
        "head_name": row["head_name"],
        "head_sex": row["head_gender"] or None,
        "indigenous": bool(row["indigenous"]),
        "members": int(row["members"]),
        "class": row["class"],
        "standard": row["standard"],
        "on": row["on"],
        "certificate": row["certificate"] or None,
    }


def enter_reviews(officer: Officer, folder: Path, year: int, progress: Progress) -> Entered:
    """Open each review of the year and upload its file; returns when every row is applied."""
    entered = Entered()
    reviews = table(folder / f"reviews-{year}.csv")
    started = time.monotonic()
    for number, row in enumerate(reviews, start=1):
        review = open_review(officer, row)
        given = officer.upload(f"/v1/reviews/{review}/imports", folder / row["file"])
        done = until(IMPORT_SECONDS, lambda given=given: finished(officer, given["import_id"]))
        entered.rows += done["applied"]
        entered.refused += done["refused"]
        entered.warnings += done["warnings"]
        entered.missing += done["missing_from_file"]
        entered.imports.append(done["import_id"])
        progress(f"Nhập kết quả rà soát năm {year}", number, len(reviews))
    entered.seconds = time.monotonic() - started
    return entered


def open_review(officer: Officer, row: dict[str, str]) -> str:
    """Open one review; returns its id."""
    body: dict[str, Any] = {
        key: row[key] for key in ("commune", "kind", "stage", "standard", "decided_on", "valid_from")
    }
    body |= {"decision_number": row["decision_number"], "year": int(row["year"])}
    return str(officer.send("POST", "households", "/v1/reviews", body)["id"])


def finished(officer: Officer, import_id: str) -> Any:
    """The import once all its rows are applied, else nothing. Raises when it failed."""
    found = officer.get("households", f"/v1/imports/{import_id}")
    if found["state"] == "FAILED":
        raise RuntimeError(f"import {import_id}: {found['failure']}")
    return found if found["state"] == "DONE" else None


def export_register(officer: Officer, folder: Path, communes: list[str]) -> Path:
    """Download each commune's list with the register's identifiers."""
    folder.mkdir(parents=True, exist_ok=True)
    for commune in communes:
        officer.download(
            "households", "/v1/households.csv", folder / f"{commune}.csv", area=commune, purpose="NEXT_REVIEW"
        )
    return folder


def communes_of(folder: Path) -> list[str]:
    """The communes of the generated district."""
    return sorted({row["commune"] for row in table(folder / "villages.csv")})
