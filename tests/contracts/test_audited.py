"""Whoever reads personal data or writes anything is on record: every route is tried, none is left out."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.architecture.test_routes import models, service
from tests.contracts.test_http import COMMUNE, FILLED, PERSON, VILLAGE, in_kong_chro
from tests.households import dividing, forms, people, reviewing
from tests.households.dividing import for_path
from tests.households.test_local_results import LOCAL

from benvung import web
from benvung.testing import App, Engine

SERVICES = ("households", "funding", "training", "reporting")
PERSONAL = {
    "head_name", "full_name", "citizen_id", "birth_date", "phone", "address", "ethnicity", "ethnic_minority",
    "merit", "reviewer", "deprivations",
}  # fmt: skip
# Answers to the rows of a file quote its cells.
QUOTING = {"AnswerShown"}
# Files that hold counts and sums alone.
FIGURES = {"/v1/causes.csv", "/v1/causes.xlsx", "/v1/situation.csv", "/v1/situation.xlsx",
           "/v1/movements.csv", "/v1/movements.xlsx", "/v1/simulations/{simulation_id}/counts.csv",
           "/v1/templates/{template}.xlsx", "/v1/templates/{template}.csv"}  # fmt: skip
READS = {
    "households": {
        "/v1/decisions/{decision_id}",
        "/v1/duplicates",
        "/v1/forms/{form_id}",
        "/v1/households",
        "/v1/households.csv",
        "/v1/households/search",
        "/v1/households/{household_id}",
        "/v1/households/{household_id}/cohorts",
        "/v1/households/{household_id}/certificate.pdf",
        "/v1/households/{household_id}/decisions",
        "/v1/households/{household_id}/members",
        "/v1/households/{household_id}/members/{member_id}",
        "/v1/households/{household_id}/members/{member_id}/facts",
        "/v1/imports/{import_id}/rows",
        "/v1/imports/{import_id}/rows.csv",
        "/v1/imports/{import_id}/rows.xlsx",
        "/v1/imports/{import_id}/unmatched",
        "/v1/imports/{import_id}/unmatched.xlsx",
        "/v1/lists/{code}.csv",
        "/v1/lists/{code}.xlsx",
        "/v1/local-results",
        "/v1/local-results.csv",
        "/v1/lookups/{household_id}",
        "/v1/notices/{notice_id}.pdf",
        "/v1/simulations/{simulation_id}/changes",
        "/v1/simulations/{simulation_id}/changes.csv",
        "/v1/simulations/{simulation_id}/results.xlsx",
        "/v1/waiting-areas/{code}/households",
    }
}
# What has to be asked, where the path alone is no question.
ASKED = {
    "/v1/households/search": {"name": "dinh"},
    "/v1/lists/{code}.csv": {"area": COMMUNE},
    "/v1/lists/{code}.xlsx": {"area": COMMUNE},
}
FOR = {"purpose": "POLICY"}
"""What every file is taken away for here."""
SAFE = {"GET", "HEAD"}
OTHER = "23830"
__all__ = ["in_kong_chro"]


def own_routes(name: str, app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    """(method, path, answer) of the routes that the service itself brings."""
    for path, route, _ in web.routes(app):
        if str(route.endpoint.__module__).split(".")[0] == name and path.startswith("/v1"):
            for method in route.methods or ():
                yield method, path, getattr(route, "response_model", None)


def is_personal(path: str, answer: Any) -> bool:
    """Whether an answer names a person, opens what is sealed, or is a file of more than figures."""
    if "." in path.rpartition("/")[2]:
        return path not in FIGURES
    return any(
        model.__name__ in QUOTING or PERSONAL.intersection(model.model_fields) for model in models(answer)
    )


def personal_reads(name: str) -> set[str]:
    app = web.create_app(service(name), worker=False)
    return {
        path for method, path, answer in own_routes(name, app) if method in SAFE and is_personal(path, answer)
    }


async def on_record(engine: AsyncEngine, request_id: str) -> list[str]:
    async with engine.connect() as conn:
        query = sa.text("select action from audit where request_id = :id")
        return list((await conn.execute(query, {"id": request_id})).scalars())


@pytest.mark.parametrize("name", SERVICES)
def test_we_know_which_routes_tell_of_persons(name: str) -> None:
    assert personal_reads(name) == READS.get(name, set())


@pytest.mark.usefixtures("in_kong_chro")
@pytest.mark.parametrize("name", sorted(READS))
async def test_reading_of_persons_is_on_record(app: App, engine: Engine, name: str) -> None:
    client = await app(name)
    real = await FILLED[name](client, engine)

    for path in sorted(READS[name]):
        request_id = str(uuid.uuid4())
        headers = {"X-Request-Id": request_id}
        answer = await client.get(
            path.format(**for_path(path, real)),
            params=ASKED.get(path, {}) | (FOR if "." in path else {}),
            headers=headers,
        )
        assert (answer.status_code, len(await on_record(engine(name), request_id))) == (200, 1), path


@dataclass
class Writer:
    """Sends writes, and sees to it that each is on record."""

    client: httpx2.AsyncClient
    engine: AsyncEngine
    done: set[tuple[str, str]] = field(default_factory=set)

    async def __call__(self, method: str, path: str, *of: str, query: str = "", **given: Any) -> Any:
        """The answer to a right request; `of` fills the places in the path's braces."""
        request_id = str(uuid.uuid4())
        headers = {"X-Request-Id": request_id, "If-Match": "*", "Idempotency-Key": request_id}
        given["headers"] = {**headers, **given.get("headers", {})}
        filled = re.sub(r"{\w+}", "{}", path).format(*of) + query
        answer = await self.client.request(method, filled, **given)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        assert await on_record(self.engine, request_id), f"{method} {path} left no record"
        self.done.add((method, path))
        return answer.json()


async def write_households(send: Writer) -> None:
    village = {"villages": [{"name": "Làng Một"}]}
    await send("PUT", "/v1/communes/{commune}/villages", COMMUNE, json=village)
    population = {"households": 10, "persons": 40, "as_of": "2023-12-31", "source": "12/BC-UBND"}
    await send("POST", "/v1/areas/{area}/population", COMMUNE, json=population)
    ranged = {"least": 10, "most": 12, "as_of": "2022-12-31", "source": "12/BC-UBND"}
    await send("POST", "/v1/areas/{area}/household-totals", COMMUNE, json=ranged)
    household = {"commune": COMMUNE, "village": VILLAGE, "head_name": "Đinh Ba", "members": 4}
    entered = await send("POST", "/v1/households", json=household)
    arrival = {"class": "POOR", "standard": "STD_2022_2025", "on": "2024-01-05", "certificate": "7/GCN"}
    arrived = await send("POST", "/v1/arrivals", json=household | arrival)
    review = {"commune": COMMUNE, "year": 2023, "kind": "ANNUAL", "stage": "OFFICIAL"}
    decided = {"standard": "STD_2022_2025", "decided_on": "2023-12-10"}
    opened = await send("POST", "/v1/reviews", json=review | decided)
    result = {"household_id": entered["id"], "members": 4, "b1_points": 120, "b2_points": 40}
    taken = await send("POST", "/v1/reviews/{review_id}/results", opened["id"], json=result)
    csv = "Thôn,Họ và tên chủ hộ,Mã hộ,Số nhân khẩu,Điểm B1,Điểm B2\nLàng Một,Đinh Tư,H4,3,120,40\n"
    await send(
        "POST",
        "/v1/reviews/{review_id}/imports",
        opened["id"],
        query="?dry_run=true",
        content=csv.encode(),
        headers={"Content-Type": "text/csv"},
    )
    form_b = "Thôn,Mã hộ,Họ và tên chủ hộ,Ngày rà soát,Điểm B1\nLàng Một,H4,Đinh Tư,05/12/2023,120\n"
    sent: dict[str, Any] = {
        "content": form_b.encode(),
        "headers": {"Content-Type": "text/csv"},
        "query": "?dry_run=true",
    }
    await send("POST", "/v1/reviews/{review_id}/form-b-imports", opened["id"], **sent)
    households = "Thôn,Mã hộ,Họ và tên chủ hộ,Số nhân khẩu\nLàng Một,H5,Đinh Năm,3\n"
    sent |= {"content": households.encode(), "query": "?kind=HOUSEHOLDS&on=2024-01-10"}
    listed = await send("POST", "/v1/communes/{commune}/imports", COMMUNE, **sent)
    skipped = {"rows": [{"row_no": 2, "choice": "SKIP"}]}
    await send("POST", "/v1/imports/{import_id}/resolutions", listed["import_id"], json=skipped)
    sent |= {"content": "Dòng,Chọn\n2,BỎ QUA\n".encode(), "query": ""}
    await send("POST", "/v1/imports/{import_id}/resolution-files", listed["import_id"], **sent)
    await send("POST", "/v1/reviews/{review_id}/closure", opened["id"])
    neighbour = {"villages": [{"name": "Làng Xa"}]}
    await send("PUT", "/v1/communes/{commune}/villages", OTHER, json=neighbour)
    move = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2024-01-10"}
    await send("POST", "/v1/households/{household_id}/moves", arrived["id"], json=move)
    tried = {"title": "Thử", "area": COMMUNE, "rules": {"standard": "STD_2022_2025"}}
    await send("POST", "/v1/simulations", json=tried)
    end = {"reason": "DISSOLVED", "on": "2024-01-20"}
    await send("POST", "/v1/households/{household_id}/closure", entered["id"], json=end)
    left = await send("POST", "/v1/households", json=household)
    await send("POST", "/v1/households/{household_id}/closure", left["id"], json=end)
    await write_privacy(send, left["id"])
    await write_members(send, arrived["id"])
    await write_law(send)
    await write_families(send, entered["id"])
    await write_corrections(send, entered["id"], taken["decision_id"])
    await write_steps(send)
    day = {"from": "2027-01-01", "to": "2027-01-01", "vi": "Tết Dương lịch", "en": "New Year"}
    document = {"number": "1/TB-BNV", "dated": "2024-01-20", "issuer": "Bộ Nội vụ"}
    await send("POST", "/v1/holidays", json={"year": 2027, "document": document, "days_off": [day]})
    await write_divisions(send)


async def write_divisions(send: Writer) -> None:
    await send("POST", "/v1/communes/{commune}/area-types", OTHER, json=dividing.AREA_TYPE)
    with dividing.afterwards():
        await send("PUT", "/v1/communes/{commune}/villages", dividing.DIVIDED, json=dividing.VILLAGES)
        await send("POST", "/v1/arrivals", json=dividing.household())
        await send("POST", "/v1/reorganisations", json=dividing.division())
        await dividing.follow(send.engine)
        path = "/v1/waiting-areas/{code}/choices"
        chosen = await send("POST", path, dividing.WAITING, json=dividing.CHOICE)
    assert (chosen["assigned"], chosen["waiting"]) == (1, 0)


async def write_steps(send: Writer) -> None:
    household = {"commune": COMMUNE, "village": VILLAGE, "head_name": "Đinh Năm", "members": 4}
    listed = (await send("POST", "/v1/households", json=household))["id"]
    review = {"commune": COMMUNE, "year": 2024, "kind": "REGULAR", "stage": "OFFICIAL"}
    decided = {"standard": "STD_2022_2025", "decided_on": "2024-01-24"}
    opened = (await send("POST", "/v1/reviews", json=review | decided))["id"]
    done = {"role": "STEERING_COMMITTEE", "on": "2024-01-24"}
    plan = {"paper": {"kind": "PLAN", "number": "1/KH", "dated": "2024-01-02"}}
    begun = done | plan | {"village": VILLAGE, "month": 1}
    await send("POST", "/v1/reviews/{review_id}/villages", opened, json=begun)
    request = {"paper": {"kind": "REQUEST_REVIEW", "number": "3/GDN", "dated": "2024-01-16"}}
    listing = done | request | {"action": "LIST", "cases": [listed]}
    path = "/v1/reviews/{review_id}/villages/{village}"
    await send("POST", path + "/entries", opened, VILLAGE, json=listing)
    annual = review | decided | {"year": 2022, "kind": "ANNUAL", "decided_on": "2022-12-20"}
    asked = (await send("POST", "/v1/reviews", json=annual))["id"]
    for act in reviewing.up_to_the_opinion(VILLAGE):
        of = (asked, VILLAGE) if "action" in act else (asked,)
        await send(
            "POST",
            path + "/entries" if "action" in act else "/v1/reviews/{review_id}/villages",
            *of,
            json=act,
        )
    await send("POST", path + "/opinions", asked, VILLAGE, json=reviewing.opinion())


async def write_law(send: Writer) -> None:
    """What administrators load, and forms that rest on it."""
    screening = {"form": "FORM_A", "cut_off": 100, "review_when": "AT_LEAST"}
    await send("POST", "/v1/score-tables", json=forms.table(**screening))
    await send("POST", "/v1/standards", json=LOCAL)
    household = {"commune": COMMUNE, "village": VILLAGE, "code": "H9", "head_name": "Đinh Chín", "members": 1}
    home = (await send("POST", "/v1/households", json=household))["id"]
    path = "/v1/households/{household_id}/members"
    await send("POST", path, home, json={"on": "2024-01-11"} | people.person())
    review = {"commune": COMMUNE, "year": 2024, "kind": "REGULAR", "stage": "OFFICIAL"}
    decided = {"standard": "STD_2022_2025", "decided_on": "2024-01-23"}
    opened = (await send("POST", "/v1/reviews", json=review | decided))["id"]
    form = {"household_id": home, "filled_on": "2024-01-12"}
    await send("POST", "/v1/reviews/{review_id}/forms-a", opened, json=form | {"items": forms.items()})
    given = form | {"b1_points": 120, "b2": forms.B2}
    await send("POST", "/v1/reviews/{review_id}/forms-b", opened, json=given)
    await send("POST", "/v1/movements/check", json={"year": 2023, "rows": []})


async def write_members(send: Writer, household: str) -> None:
    path = "/v1/households/{household_id}/members"
    listed = {"on": "2024-01-11", "members": [people.person()]}
    [member] = (await send("PUT", path, household, json=listed))["members"]
    child = await send("POST", path, household, json={"on": "2024-01-11"} | people.child())
    changed = PERSON | {"on": "2024-01-12", "work": "CASUAL"}
    await send("PUT", path + "/{member_id}", household, member["id"], json=changed)
    gone = {"on": "2024-01-12", "reason": "MOVED"}
    await send("POST", path + "/{member_id}/leaving", household, child["member"]["id"], json=gone)
    await send("POST", "/v1/households/search", json={"number": people.NUMBER})


async def write_privacy(send: Writer, household: str) -> None:
    document = {"number": "15/QĐ-MẪU", "dated": "2022-12-19", "issuer": "Cơ quan ban hành"}
    period = {"subject": "HOUSEHOLD", "months": 0, "valid_from": "2015-01-01", "document": document}
    await send("POST", "/v1/retention-periods", json=period)
    await send("POST", "/v1/lookups", json={"name": "dinh"})
    asked = {"cause": "SUBJECT_REQUEST", "subject": "HOUSEHOLD", "household_id": household}
    paper = {"received_on": "2024-01-22", "paper_number": "02/ĐYC", "paper_dated": "2024-01-22"}
    first = await send("POST", "/v1/erasure-requests", json=asked | paper)
    no = {"decision_number": "42/CV-UBND", "ground": "KEPT_BY_LAW"}
    await send("POST", "/v1/erasure-requests/{request_id}/refusal", first["id"], json=no)
    second = await send("POST", "/v1/erasure-requests", json=asked | paper)
    yes = {"decision_number": "43/QĐ-UBND"}
    await send("POST", "/v1/erasure-requests/{request_id}/erasure", second["id"], json=yes)


async def write_families(send: Writer, household: str) -> None:
    path = "/v1/households/{household_id}"
    back = {"commune": COMMUNE, "village": VILLAGE, "members": 4, "class": "NOT_POOR", "on": "2024-01-21"}
    await send("POST", path + "/returns", household, json=back | {"standard": "STD_2022_2025"})
    born = {"members": 5, "reason": "BIRTH", "on": "2024-01-22"}
    await send("POST", path + "/sizes", household, json=born)
    part = {"village": VILLAGE, "head_name": "Đinh Năm", "members": 2, "on": "2024-01-23"}
    split = await send("POST", path + "/splits", household, json=part)
    merged = {"merged_id": split["id"], "on": "2024-01-24"}
    await send("POST", path + "/mergers", household, json=merged)


async def write_corrections(send: Writer, household: str, decision: str) -> None:
    found = await send.client.get(f"/v1/households/{household}/decisions")
    born = next(each for each in found.json()["changes"] if each["reason"] == "BIRTH")
    why = {"reason": "Ghi nhầm hộ"}
    await send("POST", "/v1/changes/{change_id}/annulment", born["change_id"], json=why)
    right = {"members": 4, "b1_points": 200, "b2_points": 0, "decided_on": "2024-01-24"}
    other = await send("POST", "/v1/decisions/{decision_id}/corrections", decision, json=right | why)
    await send("POST", "/v1/decisions/{decision_id}/annulment", other["decision_id"], json=why)


async def write_funding(send: Writer) -> None:
    share = {"capital_type": "RECURRENT", "amount_dong": 1_000_000}
    allocation = {
        "area": "630",
        "year": 2023,
        "decision_number": "01/QĐ-UBND",
        "decided_on": "2023-01-10",
        "total_dong": share["amount_dong"],
        "by_capital_type": [share],
        "lines": [{**share, "project": "DA2", "source": "CENTRAL_BUDGET"}],
    }
    await send("POST", "/v1/allocations", json=allocation)


async def write_training(send: Writer) -> None:
    given = {
        "component": "DA7.1",
        "form": "CLASS",
        "title": "Lớp tập huấn",
        "organiser": {"name": "UBND huyện", "level": "DISTRICT", "area": "630"},
        "topics": [{"number": "90/QĐ-TTg"}],
        "planned_from": "2023-10-12",
    }
    planned = await send("POST", "/v1/classes", json=given)
    held = {"held_on": "2023-10-12", "participants": 200, "count_qualifier": "GREATER"}
    await send("POST", "/v1/classes/{class_id}/completion", planned["id"], json=held)


async def write_reporting(_send: Writer) -> None:
    """Nothing can be written there."""


WRITES = {
    "households": write_households,
    "funding": write_funding,
    "training": write_training,
    "reporting": write_reporting,
}


@pytest.mark.usefixtures("in_kong_chro")
@pytest.mark.parametrize("name", SERVICES)
async def test_every_write_is_on_record(app: App, engine: Engine, name: str) -> None:
    send = Writer(await app(name), engine(name))

    await WRITES[name](send)

    routes = own_routes(name, web.create_app(service(name), worker=False))
    assert send.done == {(method, path) for method, path, _ in routes if method not in SAFE}
