"""Score tables of forms A and B1: without one that is approved and in force, a form is not scored by items."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from benvung import problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from households import actions, store
from households.actions.form_refusals import ScoreTableNotFound, ScoreTableRefused
from households.api.fields import Day, Given, LawLoader, Name, Reader, ShortText, Shown
from households.domain.score_tables import Item, ItemKind, PointForm, ReviewWhen, area_columns
from households.store.score_tables import Loaded

router = APIRouter(prefix="/v1/score-tables", tags=["score tables"])

Bound = Annotated[str, Field(max_length=30, pattern=r"^[0-9]+([.][0-9]+)?$", examples=["8.0"])]


class DocumentGiven(Given):
    """The paper the table was taken from."""

    number: ShortText = Field(examples=["07/2021/TT-BLĐTBXH"])
    issued_on: Day = Field(examples=["2021-07-18"])
    issuer: Name = Field(examples=["Bộ Lao động - Thương binh và Xã hội"])


class ApprovalGiven(Given):
    """The paper by which the table was taken into use."""

    paper: ShortText = Field(examples=["12/QĐ-UBND"])
    approved_on: Day = Field(examples=["2021-12-01"])


class CellGiven(Given):
    """The points of one option of one item in one column."""

    item: ShortText = Field(examples=["SIZE"])
    item_vi: Name = Field(examples=["Số nhân khẩu trong hộ"])
    kind: ItemKind = Field(examples=["ONE"])
    option: ShortText = Field(examples=["ONE_PERSON"])
    option_vi: Name = Field(examples=["Hộ có 1 người"])
    column: ShortText = Field(description="area column", examples=["RURAL_CH"])
    points: Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)] = Field(examples=[10])
    from_: Bound | None = Field(default=None, alias="from", description="RANGE: from this number on")
    below: Bound | None = Field(default=None, description="RANGE: below this number; empty = no end")
    may_skip: bool = Field(default=False, description="the form's own rule leaves the item out for some")


class ScoreTableGiven(Given):
    """A whole table with its document. Without `approval` it is a draft and scores nothing."""

    form: PointForm = Field(examples=["FORM_B1"])
    standard: ShortText = Field(examples=["STD_2022_2025"])
    form_version: ShortText = Field(examples=["1"])
    valid_from: Day = Field(examples=["2022-01-01"])
    valid_to: Day = Field(examples=["2026-12-31"])
    document: DocumentGiven
    columns: list[ShortText] = Field(min_length=1, max_length=20, examples=[["RURAL_CH"]])
    approval: ApprovalGiven | None = None
    cut_off: Annotated[int, Field(strict=True, ge=-10_000, le=10_000)] | None = Field(
        default=None, description="form A alone", examples=[None]
    )
    review_when: ReviewWhen | None = Field(default=None, description="form A alone", examples=[None])
    cells: list[CellGiven] = Field(min_length=1, max_length=5000)

    def head(self) -> dict[str, Any]:
        """All but the cells, as JSON has it."""
        return self.model_dump(mode="json", exclude={"cells"})

    def rows(self) -> list[dict[str, Any]]:
        """The cells as the rules read them."""
        return [each.model_dump(mode="json") for each in self.cells]


class OptionShown(Shown):
    """An option of an item with its points by column."""

    code: str = Field(examples=["ONE_PERSON"])
    vi: str = Field(examples=["Hộ có 1 người"])
    points: dict[str, int] = Field(examples=[{"RURAL_CH": 10}])
    from_: str | None = Field(alias="from")
    below: str | None


class ItemShown(Shown):
    """One item as it is asked."""

    code: str = Field(examples=["SIZE"])
    vi: str = Field(examples=["Số nhân khẩu trong hộ"])
    kind: ItemKind
    may_skip: bool
    options: list[OptionShown]


class ColumnShown(Shown):
    """A column of points, and the type of area it is for."""

    code: str = Field(examples=["RURAL_CH"])
    area_type: str = Field(examples=["RURAL"])
    vi: str = Field(examples=["Nông thôn Tây Nguyên"])
    en: str = Field(examples=["Rural, Central Highlands"])


class ScoreTableShown(Shown):
    """A table as it scores, or as a draft that does not."""

    id: uuid.UUID
    form: PointForm
    standard: str
    form_version: str
    valid_from: dt.date
    valid_to: dt.date
    document: DocumentGiven
    approval: ApprovalGiven | None
    cut_off: int | None
    review_when: ReviewWhen | None
    counts: bool = Field(description="false = a draft, or its version was loaded again since")
    columns: list[ColumnShown]
    items: list[ItemShown]
    loaded_by: str = Field(examples=["officer-vn"])
    recorded_at: dt.datetime


class ScoreTablesShown(Shown):
    """All tables that were ever loaded, the first one first."""

    items: list[ScoreTableShown]


@router.get("")
async def tables(
    *,
    principal: Reader,
    conn: Conn,
    form: Annotated[Literal["FORM_A", "FORM_B1"] | None, Query(description="one form alone")] = None,
) -> ScoreTablesShown:
    """The tables that were loaded, with their items: what a filled form is asked and scored by."""
    del principal
    loaded = await store.score_tables.loads(conn)
    counting = _counting(loaded)
    shown = [_shown(each, each.id in counting) for each in loaded if form in {None, each.table.form.value}]
    return ScoreTablesShown(items=shown)


@router.post("", status_code=201, responses=problems.responses(OutsideArea, ScoreTableRefused))
async def load(
    *, given: ScoreTableGiven, principal: LawLoader, conn: Conn, response: Response, once: OnlyOnce
) -> ScoreTableShown:
    """Load a table from its document: all of it, or nothing with every fault named.

    A version that is loaded again counts from then on. What was scored stays as it was.
    """
    load_id = once.made or await actions.score_tables.load(
        conn, principal, head=given.head(), cells=given.rows()
    )
    response.headers["Location"] = f"/v1/score-tables/{load_id}"
    return await _found(conn, load_id)


@router.get("/{table_id}", responses=problems.responses(ScoreTableNotFound))
async def one(*, table_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn) -> ScoreTableShown:
    """One load, whether it still counts or not."""
    del principal
    return await _found(conn, table_id)


async def _found(conn: Conn, table_id: uuid.UUID) -> ScoreTableShown:
    loaded = await store.score_tables.one(conn, table_id)
    if loaded is None:
        raise ScoreTableNotFound
    known = await store.score_tables.that_count(conn, loaded.table.form, loaded.table.standard)
    return _shown(loaded, table_id in _counting(known))


def _counting(loaded: list[Loaded]) -> set[uuid.UUID]:
    newest = {each.table.version: each for each in loaded}
    return {each.id for each in newest.values() if each.table.approval is not None}


def _shown(loaded: Loaded, counts: bool) -> ScoreTableShown:
    table = loaded.table
    columns = [area_columns()[code] for code in table.columns]
    document, approval = table.document, table.approval
    return ScoreTableShown(
        id=loaded.id,
        form=table.form,
        standard=table.standard,
        form_version=table.form_version,
        valid_from=table.valid_from,
        valid_to=table.valid_to,
        document=DocumentGiven(number=document.number, issued_on=document.issued_on, issuer=document.issuer),
        approval=approval and ApprovalGiven(paper=approval.paper, approved_on=approval.approved_on),
        cut_off=table.cut_off,
        review_when=table.review_when,
        counts=counts,
        columns=[ColumnShown(code=c.code, area_type=c.area_type.value, vi=c.vi, en=c.en) for c in columns],
        items=[_item(each) for each in table.items],
        loaded_by=loaded.loaded_by,
        recorded_at=loaded.recorded_at,
    )


def _item(item: Item) -> ItemShown:
    options = [
        OptionShown(
            code=each.code,
            vi=each.vi,
            points=dict(each.points),
            from_=None if each.from_ is None else str(each.from_),
            below=None if each.below is None else str(each.below),
        )
        for each in item.options
    ]
    return ItemShown(code=item.code, vi=item.vi, kind=item.kind, may_skip=item.may_skip, options=options)
