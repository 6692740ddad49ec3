"""Things of one commune that somebody records through the services: each function returns its id."""

from tests.households import forms
from tests.households.people import person

from benvung_local.client import Officer

from .world import World


def list_member(officer: Officer, household: str, called: str) -> str:
    """Somebody who is like nobody in another commune is listed as a member; returns the member's id."""
    listed = {
        "on": "2024-01-11",
        "members": [person(name=f"Đinh {called}", number=None, number_missing="NO_PAPERS")],
    }
    path = f"/v1/households/{household}/members"
    return str(officer.send("PUT", "households", path, listed)["members"][0]["id"])


def try_out(officer: Officer, area: str) -> str:
    """A simulation of a commune; returns its id."""
    body = {"title": "Thử", "area": area, "rules": {"standard": "STD_2022_2025"}}
    return str(officer.send("POST", "households", "/v1/simulations", body)["id"])


def count_all(officer: Officer, area: str) -> str:
    """How many households live in a commune, known as a range; returns the record's id."""
    ranged = {"least": 1030, "most": 1040, "as_of": "2023-12-30", "source": "12/BC-UBND"}
    return str(officer.send("POST", "households", f"/v1/areas/{area}/household-totals", ranged)["total_id"])


def fill_form(officer: Officer, review: str, household: str) -> str:
    """Form B of a household; returns its id."""
    filled = {"household_id": household, "filled_on": "2024-01-12", "b1_points": 120, "b2": forms.B2}
    return str(officer.send("POST", "households", f"/v1/reviews/{review}/forms-b", filled)["id"])


def ask_to_erase(officer: Officer, household: str) -> str:
    """A household's people ask that their data be erased; returns the request's id."""
    paper = {"received_on": "2024-01-15", "paper_number": "02/ĐYC", "paper_dated": "2024-01-15"}
    asked = {"cause": "SUBJECT_REQUEST", "subject": "HOUSEHOLD", "household_id": household, **paper}
    return str(officer.send("POST", "households", "/v1/erasure-requests", asked)["id"])


def plan_class(world: World, area: str) -> str:
    """A class for a commune; returns its id."""
    body = {
        "area": area,
        "component": "DA7.1",
        "form": "CLASS",
        "title": f"Lớp của xã {area}",
        "organiser": {"name": "UBND xã", "level": "COMMUNE", "area": area},
        "topics": [{"number": "90/QĐ-TTg"}],
        "planned_from": "2024-01-10",
    }
    officer = world.officer("tap-huan")
    planned = officer.send("POST", "training", "/v1/classes", body)
    held = {"held_on": "2024-01-10", "participants": 31, "count_qualifier": "EXACT"}
    officer.send("POST", "training", f"/v1/classes/{planned['id']}/completion", held)
    return str(planned["id"])


def allocate(world: World, area: str, number: str) -> str:
    """Money for a commune; returns the allocation's id."""
    share = {"capital_type": "RECURRENT", "amount_dong": 7_000_000}
    body = {
        "area": area,
        "year": 2024,
        "decision_number": number,
        "decided_on": "2024-01-10",
        "total_dong": share["amount_dong"],
        "by_capital_type": [share],
        "lines": [{**share, "project": "DA2", "source": "CENTRAL_BUDGET"}],
    }
    return str(world.officer("ngan-sach").send("POST", "funding", "/v1/allocations", body)["id"])
