"""How the lists changed in a period, by area, in households and persons; and whether given figures close."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from benvung import audit, clock
from benvung.auth import Principal
from benvung.db import Conn
from households import store
from households.api.fields import Area, Geography, Given, KnownAt, Lang, Reader, ShortText, Shown, Year, asked
from households.api.notes import Note, notes_of
from households.domain import Refused, label
from households.domain.given_forms import GivenFault, GivenRow, check_given, form_columns
from households.domain.ledger import FLOW_LABELS, IN, OUT, Account, Count, Flow, form_rows
from households.domain.movements import Measure, Row
from households.store.movements import Level, Period

router = APIRouter(prefix="/v1", tags=["movements"])

By = tuple[Level, Literal["then", "now"]]
Figure = Annotated[int, Field(ge=-(10**12), le=10**12)]


class CountedShown(Shown):
    """Households and their persons."""

    households: int = Field(examples=[12])
    persons: int = Field(examples=[48])


class FlowShown(CountedShown):
    """Households that came onto a list or left it in one way."""

    flow: Flow
    flow_label: str = Field(examples=["Phát sinh mới"])


class AccountShown(Shown):
    """One list of one area: beginning, what came, what went, end."""

    area: str = Field(description="code, or TOTAL", examples=["23827"])
    of_list: str = Field(alias="list", examples=["POOR"])
    list_label: str = Field(examples=["Hộ nghèo"])
    start: CountedShown
    came: list[FlowShown]
    went: list[FlowShown]
    end: CountedShown
    closes: bool = Field(description="beginning + came − went = end, in households and in persons")
    open_by: CountedShown = Field(description="end less what it should be; zero when it closes")


class FormRowShown(Shown):
    """A row of form 7.2 or 7.3, columns 1 to 9."""

    form: str = Field(examples=["7.2"])
    area: str = Field(examples=["23827"])
    measure: Measure
    columns: list[int | None] = Field(examples=[[10, 2, 1, 0, 1, 0, 3, 0, 11]])


class FaultShown(Shown):
    """A fault of figures: where, by which rule, expected and given."""

    rule: str = Field(examples=["row-does-not-close"])
    form: str = Field(examples=["7.2"])
    area: str = Field(examples=["23827"])
    measure: Measure | None
    column: int = Field(examples=[9])
    column_label: str = Field(examples=["Tổng số hộ nghèo cuối năm (theo Quyết định phê duyệt)"])
    expected: int | None = Field(examples=[11])
    given: int | None = Field(examples=[12])
    difference: int | None = Field(examples=[1])
    message: str


class MovementsShown(Shown):
    """The movements of a period."""

    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="to")
    level: str = Field(examples=["COMMUNE"])
    geography: str = Field(examples=["then"])
    accounts: list[AccountShown]
    rows: list[FormRowShown] = Field(description="the same as rows of forms 7.2 and 7.3")
    faults: list[FaultShown] = Field(description="empty while everything closes and the forms agree")
    notes: list[Note] = Field(description="what is not known of the communes of those days")


InYear = Annotated[Year | None, Query(description="a whole year; or give `from` and `to`")]
OfLevel = Annotated[Level, Query(description="by which areas")]


@router.get("/movements")
async def movements(
    *,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    area: Area = None,
    year: InYear = None,
    first: Annotated[dt.date | None, Query(alias="from", examples=["2023-01-01"])] = None,
    last: Annotated[dt.date | None, Query(alias="to", examples=["2023-12-31"])] = None,
    level: OfLevel = "COMMUNE",
    geography: Geography = "then",
    known_at: KnownAt = None,
) -> MovementsShown:
    """Beginning, movements and end of both lists, by area, as decided, in households and persons.

    `geography=then` counts by the units of each day, so a reorganisation is a movement of its own; `now` counts
    by the units of today, and it is none.
    """
    period = _period(year, first, last, known_at)
    found = await _accounts(conn, principal, area, period, by=(level, geography))
    rows = form_rows(found)
    return MovementsShown(
        first=period.first,
        last=period.last,
        level=level,
        geography=geography,
        accounts=[_account(each, lang) for each in found],
        rows=[_row(each) for each in rows],
        faults=[_fault(each, lang) for each in check_given([_as_given(each) for each in rows])],
        notes=notes_of(period.first),
    )


async def _accounts(
    conn: Conn, principal: Principal, area: str | None, period: Period, *, by: By
) -> list[Account]:
    level, geography = by
    if level == "VILLAGE" and geography == "now":
        raise Refused(
            "villages-of-then-only",
            "Biến động theo thôn chỉ tính theo địa bàn của từng ngày.",
            "Movements by village are counted by the units of each day alone.",
            "query.geography",
        )
    where = asked(principal, area, period.last, geography)
    return await store.movements.accounts(conn, where, period, level)


def _period(
    year: int | None, first: dt.date | None, last: dt.date | None, known_at: dt.datetime | None
) -> Period:
    if year is not None and first is None and last is None:
        return Period(dt.date(year, 1, 1), dt.date(year, 12, 31), known_at)
    if year is None and first is not None:
        until = last or clock.today()
        if dt.date(2015, 1, 1) < first <= until <= dt.date(2100, 12, 31):
            return Period(first, until, known_at)
    raise Refused(
        "period-invalid",
        "Hãy nêu năm, hoặc ngày đầu và ngày cuối của kỳ (từ sau 01/01/2015, ngày đầu không sau ngày cuối).",
        "Give a year, or the first and last day of a period after 2015-01-01, in that order.",
        "query.from",
    )


class ColumnShown(Shown):
    """A column of a form as the circular has it."""

    form: str = Field(examples=["7.2"])
    column: int = Field(examples=[9])
    label: str = Field(examples=["Tổng số hộ nghèo cuối năm (theo Quyết định phê duyệt)"])
    formula: str = Field(examples=["1-2-3-4+5+6+7+8"])
    source: str
    confidence: str = Field(examples=["high"])


class ColumnsShown(Shown):
    """The columns of forms 7.1, 7.2 and 7.3."""

    items: list[ColumnShown]


@router.get("/movements/columns")
async def columns(*, principal: Reader) -> ColumnsShown:
    """The columns and formulas by which movements are counted and checked, with their sources."""
    del principal
    return ColumnsShown(
        items=[
            ColumnShown(
                form=each.form,
                column=each.number,
                label=each.vi,
                formula=each.formula,
                source=each.source,
                confidence=each.confidence,
            )
            for each in form_columns().values()
        ]
    )


class FiguresGiven(Given):
    """A row of a form that somebody filled in."""

    form: Literal["7.1", "7.2", "7.3"]
    area: ShortText = Field(examples=["23827"])
    measure: Measure | None = Field(default=None, description="empty for form 7.1, which has both in one row")
    columns: dict[Annotated[int, Field(ge=1, le=20)], Figure | None] = Field(
        max_length=20, examples=[{"1": 10, "2": 2, "3": 1, "4": 0, "5": 1, "6": 0, "7": 3, "8": 0, "9": 11}]
    )

    def row(self) -> GivenRow:
        """The same for the rules."""
        return GivenRow(self.form, self.area, self.measure, dict(self.columns))


Figures = Annotated[list[FiguresGiven], Field(max_length=5000)]


class CheckAsked(Given):
    """Figures of one year, and what they are held against."""

    year: Year
    rows: Figures
    previous: Figures = Field(default=[], description="the year before: its end is this year's beginning")
    area: ShortText | None = Field(
        default=None,
        description="held against the register's own figures of this area; empty = not",
        examples=[None],
    )
    level: Level = Field(default="COMMUNE", description="of the areas of the rows")
    geography: Literal["then", "now"] = Field(
        default="then",
        description="`then` = held against the units of each day, a reorganisation counts as a movement;"
        " `now` = against those of today, as units fill the form that began in the year",
    )


class FaultsShown(Shown):
    """Every fault of the figures; none means that they close."""

    checked: int = Field(description="rows", examples=[4])
    faults: list[FaultShown]


@router.post("/movements/check")
async def check(*, given: CheckAsked, principal: Reader, conn: Conn, lang: Lang) -> FaultsShown:
    """Check figures of forms 7.1, 7.2 and 7.3: each fault with its area, column, expected, given, difference.

    Nothing of them is kept and nothing is mended; that they were checked is on record.
    """
    register: list[Row] = []
    if given.area is not None:
        period = _period(given.year, None, None, None)
        by = (given.level, given.geography)
        register = form_rows(await _accounts(conn, principal, given.area, period, by=by))
    rows = [each.row() for each in given.rows]
    faults = check_given(rows, [each.row() for each in given.previous], register)
    detail = {"rows": len(rows), "faults": len(faults), "year": given.year}
    await audit.record(conn, principal, "movements.checked", "area", given.area or "*", detail)
    return FaultsShown(checked=len(rows), faults=[_fault(each, lang) for each in faults])


def _as_given(row: Row) -> GivenRow:
    return GivenRow(row.form.value, row.area, row.measure, dict(enumerate(row.columns, start=1)))


def _row(row: Row) -> FormRowShown:
    return FormRowShown(form=row.form.value, area=row.area, measure=row.measure, columns=list(row.columns))


def _fault(fault: GivenFault, lang: Lang) -> FaultShown:
    return FaultShown(
        rule=fault.rule,
        form=fault.form,
        area=fault.area,
        measure=fault.measure,
        column=fault.column,
        column_label=form_columns()[fault.form, fault.column].vi,
        expected=fault.expected,
        given=fault.given,
        difference=fault.difference,
        message=fault.message_vi if lang == "vi" else fault.message_en,
    )


def _account(account: Account, lang: Lang) -> AccountShown:
    open_by = account.open_by
    return AccountShown(
        area=account.area,
        of_list=account.list,
        list_label=label(account.list, lang),
        start=_counted(account.start),
        came=[_flow(flow, account.flows[flow], lang) for flow in IN if account.flows[flow] != Count()],
        went=[_flow(flow, account.flows[flow], lang) for flow in OUT if account.flows[flow] != Count()],
        end=_counted(account.end),
        closes=open_by == Count(),
        open_by=_counted(open_by),
    )


def _counted(count: Count) -> CountedShown:
    return CountedShown(households=count.households, persons=count.persons)


def _flow(flow: Flow, count: Count, lang: Lang) -> FlowShown:
    return FlowShown(
        flow=flow,
        flow_label=FLOW_LABELS[flow][lang != "vi"],
        households=count.households,
        persons=count.persons,
    )
