"""Invented members as they are sent; nobody here exists, and no number was ever issued to anybody."""

from typing import Any

import sqlalchemy as sa
from tests.households.officer import Commune

ON = "2023-06-01"
NUMBER = "004185000999"
"""A woman of 1985 by its digits."""


def person(**changes: Any) -> dict[str, Any]:
    """The head of an invented household, a woman who lacks nothing."""
    return {
        "name": "Đỗ Thị Hường Mẫu",
        "birth_date": "1985-03-02",
        "sex": "FEMALE",
        "relation": "HEAD",
        "residence": "PERMANENT",
        "number": NUMBER,
        "ethnicity": "TAY",
        "disability": "NONE",
        "allowance": "NONE",
        "study": "NONE",
        "qualification": "UPPER_SECONDARY",
        "work": "SELF_EMPLOYED",
        "labour_capacity": "ABLE",
        "insurance": "STATE_PAID",
        "nutrition": "NORMAL",
        "merit": "NONE",
    } | changes


def child(**changes: Any) -> dict[str, Any]:
    """A pupil of the same household."""
    return (
        person(
            name="Lường Văn Mẫu Con",
            birth_date="2014-05-06",
            sex="MALE",
            relation="CHILD",
            number=None,
            number_missing="CHILD_NOT_ISSUED",
            study="PRIMARY",
            qualification="NONE",
            work="CHILD",
        )
        | changes
    )


async def enter(commune: Commune, household: str, status: int = 201, **given: Any) -> Any:
    """The answer to entering somebody."""
    body = {"on": ON} | given
    return await commune.ask("POST", f"/v1/households/{household}/members", status, json=body)


async def members(commune: Commune, household: str, **query: str) -> list[Any]:
    """The members of a household as they are answered."""
    found = await commune.ask("GET", f"/v1/households/{household}/members", params=query)
    return list(found["members"])


async def change(
    commune: Commune, household: str, member: str, status: int = 200, *, tag: str = "*", **given: Any
) -> Any:
    """The answer to a changed record."""
    path = f"/v1/households/{household}/members/{member}"
    return await commune.ask("PUT", path, status, json={"on": ON} | given, headers={"If-Match": tag})


async def leave(commune: Commune, household: str, member: str, status: int = 201, **given: Any) -> Any:
    """The answer to somebody's leaving."""
    path = f"/v1/households/{household}/members/{member}/leaving"
    body = {"on": "2023-09-01", "reason": "MOVED"} | given
    return await commune.ask("POST", path, status, json=body)


async def put(commune: Commune, household: str, status: int, rows: list[Any], **given: Any) -> Any:
    """The answer to a whole list; `tag` is what one believes to be there."""
    headers = {"If-Match": given.pop("tag")} if "tag" in given else {}
    body = {"on": given.pop("on", ON), "members": rows}
    return await commune.ask("PUT", f"/v1/households/{household}/members", status, json=body, headers=headers)


def rules(refused: Any) -> list[tuple[str, str]]:
    """Where a refusal finds fault, and by which rule."""
    return [(each["field"], each["rule"]) for each in refused["errors"]]


async def wrongly_found(commune: Commune) -> list[Any]:
    """The households that are not found by the names of just those who are present in them."""
    async with commune.app.state.engine.connect() as conn:
        found = await conn.execute(
            sa.text(
                "select h.id from households h where member_name_keys <> array(select distinct key"
                " from members m cross join lateral unnest(m.name_keys) as key"
                " where m.household_id = h.id and m.left_on is null order by key)"
            )
        )
        return list(found.scalars())
