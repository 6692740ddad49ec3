"""A province before and after the reform of 2025: its communes' officers, and who records the reform."""

import datetime as dt
from typing import Any

from fastapi import FastAPI
from tests.households.officer import Commune, SignIn

from benvung import clock
from households.follower import Follower

# Of the reform of 2025-07-01: Chư Krey and An Trung became Chư Krey; in Bình Định one commune was divided.
MERGED = ("23827", "23830")
MERGED_INTO = "23830"
REFORM = dt.date(2025, 7, 1)
BEFORE = dt.date(2025, 6, 1)
AFTER = dt.date(2026, 3, 1)
DOCUMENT = {"document_number": "1664/NQ-UBTVQH15", "document_date": "2025-06-16"}


class Province:
    """Somebody responsible for the whole country, with the communes' officers' work before the reform."""

    def __init__(self, app: FastAPI, signed_in: SignIn, folder: Any) -> None:
        self.app, self.signed_in, self.folder = app, signed_in, folder
        self.all = Commune(app, signed_in("VN"), folder, "VN")

    def officer(self, code: str) -> Commune:
        return Commune(self.app, self.signed_in(code), self.folder, code)

    async def settle(self, code: str, households: int, *villages: str) -> list[str]:
        """A commune with its villages and some poor households of December 2023."""
        officer = self.officer(code)
        await officer.list_villages(*villages)
        review = await officer.open_review(2023)
        made = []
        for number in range(households):
            village = f"{code}.{number % len(villages) + 1:02d}"
            made.append(await officer.register(commune=code, village=village, code=f"H{number}"))
            await officer.decide(review, made[-1], 120, 40)
        return made

    async def reorganise(self, area: str, status: int = 201, **changes: Any) -> Any:
        """The reform as the published list has it for an area, recorded after it."""
        clock.fix(AFTER)
        proposal = await self.all.ask("GET", "/v1/reorganisations/proposal", params={"area": area})
        given = {"on": "2025-07-01", **DOCUMENT, "parts": proposal["parts"], **changes}
        made = await self.all.ask("POST", "/v1/reorganisations", status, json=given)
        await self.follow()
        return made

    async def follow(self) -> None:
        while await Follower().round(self.app.state.engine):
            pass

    async def count(self, **query: Any) -> int:
        found = await self.all.ask("GET", "/v1/households/count", params=query)
        return int(found["households"])
