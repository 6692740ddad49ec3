"""An import under way when the service is killed goes on by itself and is as if nothing had happened."""

import json
from collections import Counter
from collections.abc import Iterator

from households.domain import get_standard
from households.files import ReviewRow, write_review_csv

from .world import World, eventually, say

ROWS = 4_500  # more than two of the chunks in which an import is applied
IMPORTED, IMPORTED_ON = "23833", "2024-01-20"


def test_an_import_that_is_killed_goes_on_by_itself_and_takes_each_row_once(world: World) -> None:
    officer = world.officer()
    review = world.open_review(IMPORTED, on=IMPORTED_ON)
    after = world.stream_state("HOUSEHOLDS").last_seq
    before = {each["id"] for each in world.households(IMPORTED)}
    file = world.folder / "large.csv"
    write_review_csv(file, rows(world, IMPORTED), get_standard("STD_2022_2025"))
    given = officer.upload(f"/v1/reviews/{review}/imports", file)
    path = f"/v1/imports/{given['import_id']}"

    eventually(lambda: officer.get("households", path)["applied"])
    world.stack.kill("households")
    world.stack.start("households")
    at_restart = officer.get("households", path)
    done = eventually(lambda: (found := officer.get("households", path))["state"] == "DONE" and found, 60)

    say(f"killed after {at_restart['applied']} of {ROWS} rows")
    assert (done["total"], done["applied"], done["refused"]) == (ROWS, ROWS, 0)
    listed = [each for each in world.households(IMPORTED) if each["id"] not in before]
    assert sorted(each["code"] for each in listed) == sorted(f"L{number}" for number in range(1, ROWS + 1))
    assert {each["poverty_class"] for each in listed} == {"POOR"}
    world.settle()
    told = Counter(json.loads(stored.payload)["subject"] for stored in world.stream("HOUSEHOLDS", after))
    assert [told[each["id"]] for each in listed] == [each["revision"] for each in listed]
    facts = world.rows(
        "reporting",
        "select household_id::text from household_facts where commune = %s and valid_from = %s",
        IMPORTED,
        IMPORTED_ON,
    )
    assert sorted(row[0] for row in facts) == sorted(each["id"] for each in listed)
    assert world.compared().equal


def rows(world: World, commune: str) -> Iterator[ReviewRow]:
    """Poor households of a commune that no other test looks at."""
    village = world.officer().get("households", f"/v1/communes/{commune}/villages")["villages"][0]["name"]
    for number in range(1, ROWS + 1):
        yield ReviewRow(
            number=number,
            village=village,
            head_name=f"Đinh Văn {number}",
            code=f"L{number}",
            members=4,
            b1_points=120,
            b2_points=40,
        )
