"""What the law calls sensitive is never said in public, whatever the data files come to hold."""

import datetime as dt
import uuid
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.testing import Transaction, deliver, emitted
from funding import domain
from funding.consumers import PROJECTORS
from funding.domain import law, products
from funding.events import EligibilityChanged

END_2022, END_2023 = dt.date(2022, 12, 31), dt.date(2023, 12, 31)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`planted(product=…)` or `planted(reason=…)`: the data file calls that one, and no other, restricted."""
    changed = deepcopy(law.table("products.toml"))
    table = law.table

    def plant(*, product: str = "", reason: str = "") -> None:
        for row in changed["product"]:
            row["restricted"] = row["code"] == product
        for code, row in changed["reason"].items():
            row["restricted"] = code == reason
        monkeypatch.setattr(law, "table", lambda name: changed if name == "products.toml" else table(name))
        _forget()

    yield plant
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for each in (products.catalogue, products.sentences, products.is_public):
        each.cache_clear()


async def escaped(conn: AsyncConnection, register: Any) -> tuple[uuid.UUID, list[EligibilityChanged]]:
    """A household that was poor and no longer is, and what was announced of it."""
    household, registered = register.register()
    poor, risen = (
        register.classify(household, "POOR", END_2022),
        register.classify(household, "NOT_POOR", END_2023),
    )
    await deliver(conn, PROJECTORS[0], [registered, poor, risen])
    return household, await emitted(conn, EligibilityChanged)


async def test_answers_about_a_restricted_product_are_kept_and_not_announced(
    transaction: Transaction, register: Any, planted: Any
) -> None:
    planted(product="POOR")
    conn = await transaction("funding")
    household, announced = await escaped(conn, register)
    assert {each.product for each in announced} == {"NEWLY_ESCAPED"}
    query = sa.text("select product, revision from eligibility where household_id = :id order by product")
    rows = [tuple(row) for row in await conn.execute(query, {"id": household})]
    assert rows == [("NEWLY_ESCAPED", 1), ("POOR", 0)]


async def test_a_restricted_reason_is_withheld(transaction: Transaction, register: Any, planted: Any) -> None:
    planted(reason="NOT_ON_POOR_LIST")
    conn = await transaction("funding")
    household, announced = await escaped(conn, register)
    said = [(each.product, each.status, each.reason) for each in announced]
    assert said == [
        ("POOR", "ELIGIBLE", "ON_POOR_LIST"),
        ("POOR", "NOT_ELIGIBLE", "WITHHELD"),
        ("NEWLY_ESCAPED", "ELIGIBLE", "LEFT_LIST_WITHIN_WINDOW"),
    ]
    query = sa.text("select reason from eligibility where household_id = :id and product = 'POOR'")
    assert (await conn.execute(query, {"id": household})).scalar_one() == "NOT_ON_POOR_LIST"


@pytest.mark.parametrize("secret", [{"product": "POOR"}, {"reason": "ON_POOR_LIST"}])
async def test_a_public_event_cannot_be_made_of_what_is_restricted(
    transaction: Transaction, register: Any, planted: Any, secret: dict[str, str]
) -> None:
    _, announced = await escaped(await transaction("funding"), register)
    said = announced[0].model_dump()
    assert (said["product"], said["reason"]) == ("POOR", "ON_POOR_LIST")
    planted(**secret)
    with pytest.raises(ValidationError, match="is restricted"):
        EligibilityChanged.model_validate(said)


def test_every_product_and_every_reason_says_whether_it_is_restricted() -> None:
    data = law.table("products.toml")
    rows = [*data["product"], *data["reason"].values()]
    assert len(rows) == len(domain.Product) + len(domain.Reason)
    assert all(isinstance(row["restricted"], bool) for row in rows)


@pytest.mark.parametrize("place", ["product", "reason"])
def test_data_that_do_not_say_it_are_refused(planted: Any, place: str) -> None:
    planted()
    rows = law.table("products.toml")[place]
    del (rows[0] if place == "product" else rows["ON_POOR_LIST"])["restricted"]
    _forget()
    with pytest.raises((KeyError, TypeError), match="restricted"):
        domain.catalogue() if place == "product" else domain.sentences()
