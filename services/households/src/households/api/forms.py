"""Forms A and B filled item by item in a review: what each answer came to, and the points they make."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, paging, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import actions, store
from households.actions.causes import recorded
from households.actions.form_refusals import FormNotFound
from households.actions.forms import FormA, FormB, Items
from households.actions.refusals import HouseholdNotFound, ReviewNotFound
from households.api.cause_models import WithCauses, causes_shown
from households.api.fields import (
    CauseCodes,
    CauseText,
    Day,
    Given,
    Keys,
    Lang,
    Name,
    Points,
    Reader,
    Recorder,
    ShortText,
    Shown,
)
from households.domain import Basis, label
from households.domain.causes import causes_given
from households.tables import filled_forms

router = APIRouter(prefix="/v1", tags=["forms"])

ReviewId = Annotated[uuid.UUID, Path(description="the review")]
Text = Annotated[str, Field(max_length=50)]
Answer = bool | int | Text | Annotated[list[Text], Field(max_length=50)]
Answers = Annotated[dict[ShortText, Answer], Field(max_length=200)]


class ItemsGiven(Given):
    """A form that a table scores: an option's code, the codes that apply, or an exact number as text."""

    column: ShortText = Field(description="the table's column for this commune", examples=["RURAL_CH"])
    answers: Answers = Field(examples=[{"SIZE": "MANY", "AREA": "35.5", "ASSETS": ["BIKE"]}])
    skipped: dict[ShortText, Name] = Field(
        default={}, max_length=50, description="items that the form leaves out for this household, and why"
    )

    def items(self) -> Items:
        """The same for the action."""
        return Items(self.column, self.answers, self.skipped)


class FormAGiven(Given):
    """A filled form A."""

    household_id: uuid.UUID
    filled_on: Day = Field(examples=["2023-10-05"])
    items: ItemsGiven


class FormBGiven(Given):
    """A filled form B: B1 by its items, or as the reviewer's own total; B2 always by its answers.

    What form B2 asks of persons is taken from the household's members as the register has them on that day.
    """

    household_id: uuid.UUID
    filled_on: Day = Field(examples=["2023-10-05"])
    b1: ItemsGiven | None = None
    b1_points: Points | None = Field(default=None, description="the total; beside items it must agree")
    causes: CauseCodes | None = None
    cause_text: CauseText | None = None
    b2: Answers = Field(examples=[{"WATER_SOURCE": "RIVER", "FLOOR_AREA": "35.5", "INTERNET": True}])


class LineShown(Shown):
    """One item of a form that a table scored."""

    item: str = Field(examples=["SIZE"])
    options: list[str] = Field(examples=[["MANY"]])
    points: int = Field(examples=[10])
    reason: str = Field(examples=["Số nhân khẩu trong hộ: Hộ có 4 người → 10 điểm"])


class FlagShown(Shown):
    """One indicator, whether the household is deprived in it, and by what."""

    indicator: str = Field(examples=["HOUSING_AREA"])
    deprived: bool
    because: list[str] = Field(examples=[["Tổng diện tích nhà ở (m²): 15,9, 2 nhân khẩu, bình quân 7,95 m²"]])
    assumed: bool = Field(description="an age rests on a convention: only the year of birth is known")


class FormListed(Shown):
    """A filled form without its answers."""

    id: uuid.UUID
    form: str = Field(examples=["FORM_B"])
    review_id: uuid.UUID
    household_id: uuid.UUID
    village: str = Field(examples=["23827.01"])
    filled_on: dt.date
    members: int = Field(examples=[4])
    score_table: uuid.UUID | None
    b1_points: int | None = Field(description="total of form B1, or of form A", examples=[120])
    b2_points: int | None = Field(examples=[30])
    basis: str = Field(examples=["ITEMS"])
    basis_label: str = Field(examples=["Theo từng mục của phiếu"])
    to_review: bool | None = Field(description="form A: whether the household goes on to the review")
    filled_by: str = Field(examples=["officer"])
    recorded_at: dt.datetime


class FormShown(FormListed, WithCauses):
    """A filled form with every line, so that it can be read out to the household and scored again."""

    deprivations: list[str] | None = Field(examples=[["HOUSING_AREA", "WATER_SOURCE", "HYGIENIC_TOILET"]])
    lines: list[LineShown]
    flags: list[FlagShown]
    answers: dict[str, Any] = Field(examples=[{"WATER_SOURCE": "RIVER"}])
    items: dict[str, Any] = Field(examples=[{"SIZE": "MANY"}])
    skipped: dict[str, str] = Field(examples=[{}])


FILLING = problems.responses(ReviewNotFound, HouseholdNotFound, OutsideArea)


@router.post("/reviews/{review_id}/forms-a", status_code=201, responses=FILLING)
async def fill_a(
    *,
    review_id: ReviewId,
    given: FormAGiven,
    principal: Recorder,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> FormShown:
    """Screen a household by form A: its answer follows from the cut-off of the approved table."""
    form = FormA(given.household_id, given.filled_on, given.items.items())
    form_id = once.made or await actions.forms.fill_a(conn, principal, vault, review_id, form)
    response.headers["Location"] = f"/v1/forms/{form_id}"
    return await _found(conn, principal, vault, form_id, lang)


@router.post("/reviews/{review_id}/forms-b", status_code=201, responses=FILLING)
async def fill_b(
    *,
    review_id: ReviewId,
    given: FormBGiven,
    principal: Recorder,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> FormShown:
    """Fill form B: points and flags are worked out and kept. A result or a step then names the form."""
    b1 = given.b1.items() if given.b1 else None
    causes = causes_given(given.filled_on, given.causes, given.cause_text)
    form = FormB(given.household_id, given.filled_on, b1, given.b1_points, given.b2, causes)
    form_id = once.made or await actions.forms.fill_b(conn, principal, vault, review_id, form)
    response.headers["Location"] = f"/v1/forms/{form_id}"
    return await _found(conn, principal, vault, form_id, lang)


@router.get("/forms/{form_id}", responses=problems.responses(FormNotFound))
async def one(
    *, form_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn, vault: Keys, lang: Lang
) -> FormShown:
    """One filled form with its answers. Reading it is recorded."""
    return await _found(conn, principal, vault, form_id, lang)


@router.get("/reviews/{review_id}/forms", responses=problems.responses(CursorUnknown))
async def of_review(
    *,
    review_id: ReviewId,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    household: Annotated[uuid.UUID | None, Query(description="one household alone")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[FormListed]:
    """The forms that were filled in a review, without their answers."""
    columns = (filled_forms.c.id,)
    asked = store.forms.of_review(principal.scope(), review_id, household)
    query = paging.keyset(asked, columns, after, limit)
    rows, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    return Page(items=[FormListed(**_listed(row, lang)) for row in rows], next=following)


async def _found(conn: Conn, principal: Principal, vault: Vault, form_id: uuid.UUID, lang: Lang) -> FormShown:
    kept = await store.forms.one(conn, vault, form_id, principal.scope())
    if kept is None:
        raise FormNotFound
    row, content = kept
    detail = {"form": row.form, "id": str(form_id)}
    await audit.record(conn, principal, "household.form_read", "household", str(row.household_id), detail)
    items: Mapping[str, Any] = content["items"] or {}
    return FormShown(
        **_listed(row, lang),
        deprivations=content.get("deprivations"),
        **causes_shown(principal, recorded(content), lang),
        lines=[LineShown(**each) for each in content["lines"]],
        flags=[
            FlagShown(**{**each, "because": [one[lang] for one in each["because"]]})
            for each in content.get("flags", ())
        ],
        answers=content.get("answers", {}),
        items=items.get("answers", {}),
        skipped=items.get("skipped", {}),
    )


def _listed(row: Row[Any], lang: Lang) -> dict[str, Any]:
    values = row._asdict()
    found = {name: values[name] for name in FormListed.model_fields if name in values}
    return found | {"basis_label": label(Basis(row.basis), lang)}
