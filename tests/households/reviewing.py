"""A village in a review, moved over HTTP by those who may: the commune's officer, and the level above."""

import datetime as dt
from typing import Any

import httpx2
from tests.households.officer import Commune
from tests.households.people import enter, person
from tests.households.village import CHAIRED, PAPERS

from benvung import clock
from households.domain.procedure_terms import Action, Role

VILLAGE = "23827.01"
POSTED, OVER = "2024-10-21", "2024-10-25"
ROUTE_CHANGED = dt.date(2025, 7, 1)


def role(action: Action, on: str) -> Role:
    if action is Action.GIVE_OPINION:
        changed = dt.date.fromisoformat(on) >= ROUTE_CHANGED
        return Role.PROVINCE_CHAIR if changed else Role.DISTRICT_CHAIR
    if action is Action.COMPLAIN:
        return Role.RESIDENT
    if action in CHAIRED:
        return Role.COMMUNE_CHAIR
    return Role.VILLAGE_HEAD if action is Action.HOLD_MEETING else Role.STEERING_COMMITTEE


class Review:
    """One village in one review."""

    def __init__(self, commune: Commune, review: str, village: int = 1) -> None:
        self.village = f"{commune.code}.{village:02d}"
        self.commune, self.id = commune, review
        self.path, self.on = f"/v1/reviews/{review}/villages", clock.today().isoformat()

    @property
    def here(self) -> str:
        return f"{self.path}/{self.village}"

    def at(self, day: str) -> "Review":
        self.on = day
        clock.fix(dt.date.fromisoformat(day))
        return self

    def act(self, action: Action, **said: Any) -> dict[str, Any]:
        kind, number = PAPERS.get(action), said.pop("number", f"1/{action}")
        paper = kind and {"kind": kind, "number": number, "dated": self.on}
        return {"role": role(action, self.on), "on": self.on, "paper": paper} | said

    async def open(self, status: int = 201, **said: Any) -> Any:
        given = self.act(Action.OPEN, village=self.village, **said)
        return await self.commune.ask("POST", self.path, status, json=given)

    async def do(self, action: Action, status: int = 201, *, headers: Any = None, **said: Any) -> Any:
        """One act, by whoever may record it."""
        given, path = self.act(action, **said), f"{self.here}/opinions"
        client: httpx2.AsyncClient | None = self.commune.higher
        if action is not Action.GIVE_OPINION:
            given, path, client = {"action": action, **given}, f"{self.here}/entries", self.commune.client
        assert client is not None
        answer = await client.post(path, json=given, headers=headers or {})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def request(self, *cases: str, kind: str = "REQUEST_REVIEW", **said: Any) -> Any:
        """List whoever filed a request."""
        paper = {"kind": kind, "number": "3/GDN", "dated": self.on}
        return await self.do(Action.LIST, cases=list(cases), paper=paper, **said)

    async def score(self, household: str, b1: int = 120, b2: int = 40, action: Action = Action.SCORE) -> Any:
        return await self.do(action, cases=[household], members=4, b1_points=b1, b2_points=b2)

    async def earns(self, case: str, income: int, action: Action = Action.SCORE, **said: Any) -> Any:
        return await self.do(action, cases=[case], members=4, income_dong=income, **said)

    async def meet(self, agreeing: int = 30, **said: Any) -> Any:
        signed = ["CHAIR", "MINUTE_TAKER", "HOUSEHOLDS"]
        return await self.do(
            Action.HOLD_MEETING, present=40, agreeing=agreeing, copies=2, signed_by=signed, **said
        )

    async def state(self) -> str:
        return str((await self.commune.ask("GET", self.here))["state"])

    async def cases(self) -> dict[str, Any]:
        page = await self.commune.ask("GET", f"{self.here}/cases", params={"limit": 500})
        return {each["case_id"]: each for each in page["items"]}

    async def log(self) -> list[Any]:
        page = await self.commune.ask("GET", f"{self.here}/entries", params={"limit": 500})
        return list(page["items"])

    async def deadlines(self, **query: Any) -> dict[str, str]:
        page = await self.commune.ask("GET", "/v1/deadlines", params={"limit": 500, **query})
        return {each["rule"]: each["state"] for each in page["items"]}


async def begun(commune: Commune, households: int = 1) -> tuple[Review, list[str]]:
    """An annual review of 2024 in a village whose poor households are listed and surveyed."""
    clock.fix(dt.date(2024, 10, 1))
    earlier = await commune.open_review(2023)
    known = [await commune.register(code=f"H{number}") for number in range(households)]
    for each in known:
        await commune.decide(earlier, each, 120, 40)
    review = Review(commune, await commune.open_review(2024))
    await review.open()
    await review.do(Action.LIST, cases=known)
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.SURVEY, cases=known)
    return review, known


async def posted(commune: Commune) -> tuple[Review, list[str]]:
    """Two results hang out: one poor, one not poor any more."""
    review, known = await begun(commune, 2)
    await review.score(known[0])
    await review.score(known[1], 200, 10)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    await review.at(POSTED).do(Action.POST)
    return review, known


async def consulted(commune: Commune) -> tuple[Review, list[str]]:
    """The level above is asked."""
    review, known = await posted(commune)
    await review.at(OVER).do(Action.END_POSTING)
    await review.do(Action.ASK_OPINION)
    return review, known


async def recognised(commune: Commune) -> tuple[Review, list[str]]:
    """The chair has decided."""
    review, known = await consulted(commune)
    await review.do(Action.GIVE_OPINION)
    await review.do(Action.RECOGNISE, number="145/QĐ-UBND")
    return review, known


async def by_income(commune: Commune, kind: str, on: str = "2025-05-15") -> tuple[Review, list[str]]:
    """A monthly review by income, opened, with two households (or a worker of each) to be listed."""
    clock.fix(dt.date.fromisoformat(on))
    opened = await commune.open_review(int(on[:4]), kind=kind, decided_on=on)
    review = Review(commune, opened)
    await review.open(month=int(on[5:7]))
    known = [await commune.register(code=f"H{number}") for number in range(2)]
    if kind == "LOW_INCOME_WORKER":
        known = [(await enter(commune, each, **person()))["member"]["id"] for each in known]
    return review, known


def written(kind: str, number: str, on: str, role: str = "STEERING_COMMITTEE") -> dict[str, Any]:
    return {"role": role, "on": on, "paper": {"kind": kind, "number": number, "dated": on}}


AGREED = {
    "present": 40,
    "agreeing": 30,
    "copies": 2,
    "signed_by": ["CHAIR", "MINUTE_TAKER", "HOUSEHOLDS"],
}


def up_to_the_opinion(village: str) -> list[dict[str, Any]]:
    """The acts of an annual review of 2022 in a village where nobody has to be reviewed, the opening first."""
    begun, posting, over = "2022-10-01", "2022-10-03", "2022-10-07"
    return [
        written("PLAN", "1/KH", begun) | {"village": village},
        written("REVIEW_LIST", "1/DS", begun) | {"action": "CLOSE_LIST"},
        {"role": "VILLAGE_HEAD", "on": begun, "action": "CALL_MEETING"},
        written("MINUTES", "1/BB", begun, "VILLAGE_HEAD") | {"action": "HOLD_MEETING"} | AGREED,
        written("NOTICE", "1/TB", posting) | {"action": "POST"},
        {"role": "STEERING_COMMITTEE", "on": over, "action": "END_POSTING"},
        written("REPORT_FOR_OPINION", "1/BC", over, "COMMUNE_CHAIR") | {"action": "ASK_OPINION"},
    ]


def opinion() -> dict[str, Any]:
    return written("OPINION", "9/UBND", "2022-10-10", "DISTRICT_CHAIR")


def up_to_posting(village: str, household: str) -> list[dict[str, Any]]:
    """The acts by which the result of one household hangs out from 2024-01-23, in that month's regular review."""
    begun, posting = "2024-01-16", "2024-01-23"
    committee = {"role": "STEERING_COMMITTEE", "on": begun, "cases": [household]}
    points = {"members": 4, "b1_points": 120, "b2_points": 40}
    return [
        written("PLAN", "1/KH", begun) | {"village": village, "month": 1},
        written("REQUEST_REVIEW", "3/GDN", begun) | {"action": "LIST", "cases": [household]},
        written("REVIEW_LIST", "1/DS", begun) | {"action": "CLOSE_LIST"},
        committee | {"action": "SURVEY"},
        committee | {"action": "SCORE"} | points,
        {"role": "VILLAGE_HEAD", "on": begun, "action": "CALL_MEETING"},
        written("MINUTES", "1/BB", begun, "VILLAGE_HEAD") | {"action": "HOLD_MEETING"} | AGREED,
        written("NOTICE", "1/TB", posting) | {"action": "POST"},
    ]


def up_to_recognition(village: str, household: str, year: int = 2024) -> list[dict[str, Any]]:
    """The acts by which a household is recognised in January as one with an average living standard."""
    begun, over = f"{year}-01-15", f"{year}-01-23"
    committee = {"role": "STEERING_COMMITTEE", "on": begun, "cases": [household]}
    return [
        written("PLAN", "1/KH", begun) | {"village": village, "month": 1},
        written("REQUEST_REVIEW", "3/GDN", begun) | {"action": "LIST", "cases": [household]},
        written("REVIEW_LIST", "1/DS", begun) | {"action": "CLOSE_LIST"},
        committee | {"action": "SURVEY", "income_months": 12},
        committee | {"action": "SCORE", "members": 4, "income_dong": 96_000_000},
        written("NOTICE", "1/TB", begun) | {"action": "POST"},
        {"role": "STEERING_COMMITTEE", "on": over, "action": "END_POSTING"},
        written("DECISION", "31/QĐ-UBND", over, "COMMUNE_CHAIR") | {"action": "RECOGNISE"},
    ]
