"""A commune's officer at work: the calls that tests of the register make again and again."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa
from fastapi import FastAPI

from households.domain import get_standard
from households.files import ReviewRow, write_review_csv
from households.importer import Importer

COMMUNE = "23827"
OTHER = "23830"
PROVINCE = "64"
STANDARD = "STD_2022_2025"
CSV = {"Content-Type": "text/csv"}
SignIn = Callable[..., httpx2.AsyncClient]


def row(number: int, head: str, **changes: Any) -> ReviewRow:
    """A rural poor household of four in the first village of the list."""
    values: dict[str, Any] = {
        "village": "Làng Một",
        "code": f"H{number:03d}",
        "members": 4,
        "b1_points": 120,
        "b2_points": 40,
    }
    return ReviewRow(number=number, head_name=head, **{**values, **changes})


@dataclass
class Commune:
    """The officer of one commune."""

    app: FastAPI
    client: httpx2.AsyncClient
    folder: Path
    code: str = COMMUNE
    files: int = field(default=0)
    higher: httpx2.AsyncClient | None = None
    """Somebody of the level above, who is asked for opinions."""

    async def ask(self, method: str, path: str, status: int = 200, **given: Any) -> Any:
        """The JSON answer to a request that must be answered with `status`."""
        answer = await self.client.request(method, path, **given)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def moment(self) -> str:
        """This moment by the register's own clock, which says when things were recorded."""
        async with self.app.state.engine.connect() as conn:
            now: dt.datetime = (await conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        return now.isoformat()

    async def list_villages(self, *names: str) -> None:
        """Give the commune its list of villages."""
        await self.ask(
            "PUT",
            f"/v1/communes/{self.code}/villages",
            json={"villages": [{"name": name} for name in names]},
            headers={"If-Match": "*"},
        )

    async def register(self, **changes: Any) -> str:
        """A household of the first village, not classified yet; returns its id."""
        given = {
            "commune": self.code,
            "village": f"{self.code}.01",
            "code": "H001",
            "head_name": "Đinh Văn Ví Dụ",
            "head_sex": "MALE",
            "members": 4,
        }
        return str((await self.ask("POST", "/v1/households", 201, json=given | changes))["id"])

    async def open_review(self, year: int = 2022, stage: str = "OFFICIAL", **changes: Any) -> str:
        """An annual review of a year, decided in December; returns its id."""
        given = {
            "commune": self.code,
            "year": year,
            "kind": "ANNUAL",
            "stage": stage,
            "standard": STANDARD,
            "decided_on": f"{year}-12-10",
        }
        return str((await self.ask("POST", "/v1/reviews", 201, json=given | changes))["id"])

    async def decide(self, review: str, household: str, b1: int, b2: int, **changes: Any) -> Any:
        """The decision on one household."""
        given = {"household_id": household, "members": 4, "b1_points": b1, "b2_points": b2}
        return await self.ask("POST", f"/v1/reviews/{review}/results", 201, json=given | changes)

    def csv(self, rows: Sequence[ReviewRow]) -> bytes:
        """A file of results in the official layout."""
        self.files += 1
        path = self.folder / f"{self.files}.csv"
        write_review_csv(path, rows, get_standard(STANDARD))
        return path.read_bytes()

    async def send(self, review: str, content: bytes, status: int = 202, **query: Any) -> Any:
        """The answer to a file given to a review."""
        return await self.ask(
            "POST", f"/v1/reviews/{review}/imports", status, content=content, headers=CSV, params=query
        )

    async def run_imports(self) -> None:
        """Let the background work apply what waits."""
        importer = Importer(self.app.state.settings)
        while await importer.round(self.app.state.engine):
            pass

    async def finished(self, import_id: str) -> Any:
        """The import once a worker has applied it, or as it is after some seconds."""
        found = None
        for _ in range(200):
            found = await self.ask("GET", f"/v1/imports/{import_id}")
            if found["state"] in {"DONE", "FAILED"}:
                break
            await asyncio.sleep(0.05)
        return found

    async def import_rows(self, review: str, *rows: ReviewRow) -> Any:
        """Give a file to a review, have it applied, and return the import as it ended."""
        sent = await self.send(review, self.csv(rows))
        await self.run_imports()
        return await self.ask("GET", f"/v1/imports/{sent['import_id']}")

    async def answers(self, import_id: str, **query: Any) -> dict[int, Any]:
        """The answered rows of an import by their number in the file."""
        page = await self.ask("GET", f"/v1/imports/{import_id}/rows", params={"limit": 500, **query})
        return {each["row_no"]: each for each in page["items"]}

    async def household(self, household: str | uuid.UUID) -> Any:
        """One household as the register has it."""
        return await self.ask("GET", f"/v1/households/{household}")

    async def households(self, **query: Any) -> list[Any]:
        """The households of the commune, all on one page."""
        page = await self.ask("GET", "/v1/households", params={"limit": 500, **query})
        return list(page["items"])
