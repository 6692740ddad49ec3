"""A household's people can be told who saw their data, who changed them, when and what for."""

import ast
from pathlib import Path
from typing import Any

import pytest
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn, row

import benvung
import households
from benvung.audit.sealer import Sealer
from households import store
from households.domain.accesses import access, known_actions

NEIGHBOUR = "Đinh Văn Hàng Xóm"


async def accesses(commune: Commune, household: str, **query: Any) -> list[Any]:
    """Everything recorded of the household before this question, newest first."""
    page = await commune.ask("GET", f"/v1/households/{household}/accesses", params={"limit": 500, **query})
    assert page["items"][0]["action"] == "household.accesses_read"
    return list(page["items"])[1:]


def actions(found: list[Any]) -> list[str]:
    return [each["action"] for each in found]


async def test_whatever_touches_a_household_is_told_newest_first(commune: Commune) -> None:
    household = await commune.register()
    review = await commune.open_review(2023)
    await commune.decide(review, household, 120, 40)
    await commune.household(household)
    await commune.ask("GET", f"/v1/households/{household}/decisions")

    found = await accesses(commune, household)

    assert actions(found) == [
        "household.history_read",
        "household.read",
        "household.classified",
        "household.registered",
    ]
    assert [each["kind"] for each in found] == ["READ", "READ", "WRITE", "WRITE"]
    assert found[1] | {"id": 0, "recorded_at": ""} == {
        "id": 0,
        "recorded_at": "",
        "principal": "officer",
        "action": "household.read",
        "action_label": "Xem thông tin của hộ",
        "kind": "READ",
        "kind_label": "Xem",
        "purpose": "Quản lý danh sách hộ nghèo, hộ cận nghèo",
        "legal": "Quyết định 24/2021/QĐ-TTg",
        "seal": None,
    }


async def test_a_list_and_a_file_tell_of_those_who_were_in_them_and_of_nobody_else(
    commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.registry, "EXPORT_BATCH", 2)
    ids = sorted([await commune.register(code=f"H{number}") for number in range(5)])
    page = await commune.ask("GET", "/v1/households", params={"limit": 2})
    assert [each["id"] for each in page["items"]] == ids[:2]

    await commune.client.get("/v1/households.csv?purpose=POLICY")
    await commune.client.get("/v1/households.csv", params={"area": OTHER, "purpose": "POLICY"})

    for household in ids:
        seen = ["households.exported", *(["households.listed"] if household in ids[:2] else [])]
        assert actions(await accesses(commune, household)) == [*seen, "household.registered"]


async def test_a_file_of_results_tells_of_the_households_it_decided_on(commune: Commune) -> None:
    await commune.register(code="H001", head_name="Đinh Văn Ví Dụ")
    stranger = await commune.register(code="H777", head_name=NEIGHBOUR)
    review = await commune.open_review(2023)
    done = await commune.import_rows(review, row(1, "Đinh Văn Ví Dụ"), row(2, "Đinh Thị Mới", code="H002"))
    answers = await commune.answers(done["import_id"])
    await commune.client.get(f"/v1/imports/{done['import_id']}/rows.csv?purpose=CORRECTING_FILE")

    for answer in answers.values():
        told = actions(await accesses(commune, answer["household_id"]))
        assert told[:3] == ["import.rows_read", "import.rows_read", "import.applied"]
    assert actions(await accesses(commune, stranger)) == ["household.registered"]


async def test_asking_is_told_as_well_and_pages_follow_each_other(commune: Commune) -> None:
    household = await commune.register()
    path = f"/v1/households/{household}/accesses"

    first = await commune.ask("GET", path, params={"limit": 1})
    second = await commune.ask("GET", path, params={"limit": 1, "after": first["next"]})

    assert actions(first["items"]) == ["household.accesses_read"]
    assert (actions(second["items"]), second["next"]) == (["household.registered"], None)
    assert actions(await accesses(commune, household)) == [
        "household.accesses_read",
        "household.accesses_read",
        "household.registered",
    ]


async def test_an_entry_says_by_which_seal_it_is_protected(commune: Commune) -> None:
    household = await commune.register()
    sealer = Sealer(commune.app.state.settings)
    while await sealer.round(commune.app.state.engine):
        pass

    [registered] = await accesses(commune, household)

    assert isinstance(registered["seal"], int)


async def test_what_happened_at_the_old_place_is_told_at_the_new_one(
    commune: Commune, signed_in: SignIn
) -> None:
    other = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await other.list_villages("Làng Xa")
    district = Commune(commune.app, signed_in("630"), commune.folder)
    household = await commune.register()
    moved = {"to_commune": OTHER, "to_village": f"{OTHER}.01", "on": "2024-01-10"}
    await district.ask("POST", f"/v1/households/{household}/moves", 201, json=moved)

    assert actions(await accesses(other, household)) == ["household.moved", "household.registered"]
    assert (await commune.client.get(f"/v1/households/{household}/accesses")).status_code == 404


async def test_only_who_may_read_the_audit_of_that_place_is_told(commune: Commune, signed_in: SignIn) -> None:
    household = await commune.register()
    path = f"/v1/households/{household}/accesses"
    officer = ("households.read", "households.write")

    assert (await signed_in(COMMUNE, permissions=officer).get(path)).status_code == 403
    assert (await signed_in(OTHER, permissions=("audit.read",)).get(path)).status_code == 404
    assert (await signed_in(COMMUNE, permissions=("audit.read",)).get(path)).status_code == 200
    found = await accesses(commune, household)
    assert actions(found) == ["household.accesses_read", "household.registered"], "refusals show nothing"


async def test_the_words_are_english_for_who_asks_in_english(commune: Commune) -> None:
    household = await commune.register()
    commune.client.headers["Accept-Language"] = "en"

    [registered] = await accesses(commune, household)

    assert registered["action_label"] == "Entered the household into the register"
    assert registered["kind_label"] == "Recorded or changed"


def recorded_of_households() -> set[str]:
    """The actions that the code records of a household, or of households among others."""
    found = set()
    for package in (households, benvung):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                    _, _, action, entity, *_ = node.args
                    about = any(keyword.arg == "about" for keyword in node.keywords)
                    whole = not isinstance(entity, ast.Constant)
                    if about or whole or ast.literal_eval(entity) == "household":
                        found.add(str(ast.literal_eval(action)))
    return found


def test_every_action_on_a_household_has_words_and_no_words_are_left_over() -> None:
    assert recorded_of_households() == known_actions()


def test_an_action_of_an_older_release_has_the_words_for_any_other() -> None:
    assert access("household.blessed").label("vi") == "Hoạt động khác"
