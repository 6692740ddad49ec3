"""Figures arranged for the page: charts with their sentences, tables with their sums."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from benvung.areas import Unit
from reporting import domain
from reporting.actions.movements import FilledForm, Movements
from reporting.actions.situation import Point
from reporting.actions.support import Budget, Trainings
from reporting.charts import Bar, bars
from reporting.domain import Line, Measure, Percent
from reporting.words import Words

CHARTED = ("POOR", "NEAR_POOR")
ROMAN = ("I", "II", "III", "IV")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: the sentence it shows, and its specification."""

    cls: str
    title: str
    spec: Mapping[str, Any]


def charts(points: Sequence[Point], say: Words) -> list[Chart]:
    """A chart of each listed class over the years: its share where every day has one, else its number."""
    if not points:
        return []
    # A bar has one end: where a share is a range, the numbers are drawn.
    shares = all((rate := _rate(point, cls)) and rate.one is not None for point in points for cls in CHARTED)
    drawn = {cls: [_bar(point, cls, say, shares=shares) for point in points] for cls in CHARTED}
    top = max((bar.value for shown in drawn.values() for bar in shown), default=Decimal(1)) or Decimal(1)
    return [_chart(cls, shown, top, say, shares=shares) for cls, shown in drawn.items()]


def _bar(point: Point, cls: str, say: Words, *, shares: bool) -> Bar:
    count = point.counts[cls].households
    rate = _rate(point, cls)
    if shares and rate is not None:
        return Bar(day_name(point, say), rate.least, say.rate(rate))
    return Bar(day_name(point, say), Decimal(count), say.formats.number(count))


def day_name(point: Point, say: Words) -> str:
    """A year-end by its year, any other day by its date."""
    if (point.on.month, point.on.day) == (12, 31):
        return say.t("chart.year_end", year=point.on.year)
    return say.formats.date(point.on)


def _rate(point: Point, cls: str) -> Percent | None:
    whole = point.population.households if point.population else None
    return domain.percents(domain.rate(point.counts[cls].households, whole))


def _chart(cls: str, shown: list[Bar], top: Decimal, say: Words, *, shares: bool) -> Chart:
    first, last = shown[0], shown[-1]
    if len(shown) == 1:
        key = "chart.one"
    elif first.value == last.value:
        key = "chart.same"
    else:
        key = "chart.down" if last.value < first.value else "chart.up"
    title = say.t(
        "chart.title.rate" if shares else "chart.title.count",
        what=say.t(f"chart.what.{cls}"),
        moved=say.t(key, first=first.written, last=last.written),
    )
    told = "; ".join(say.t("chart.point", day=bar.day, value=bar.written) for bar in shown)
    description = f"{title}. {say.t('chart.description', points=told)}"
    return Chart(cls, title, bars(cls, shown, top, description))


@dataclass(frozen=True, slots=True)
class Year:
    """One day of the table under the charts."""

    day: str
    sorts: str
    households: Mapping[str, int]
    rates: Mapping[str, Percent | None]
    persons: int


def years(points: Sequence[Point], say: Words) -> list[Year]:
    """The days of the charts as rows."""
    return [
        Year(
            day_name(point, say),
            point.on.isoformat(),
            {cls: point.counts[cls].households for cls in CHARTED},
            {cls: _rate(point, cls) for cls in CHARTED},
            point.counts["POOR"].persons,
        )
        for point in points
    ]


@dataclass(frozen=True, slots=True)
class Money:
    """The money of a year: a sentence, and a row per project with an amount per capital type."""

    year: int
    known: bool
    total: str
    parts: str
    basis: str
    kinds: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, int], int], ...]
    sums: Mapping[str, int]
    total_dong: int
    source: str


def budget(found: Budget, say: Words) -> Money:
    """The budget as the page shows it."""
    kinds = tuple(sorted(found.by_capital_type))
    projects: dict[str, dict[str, int]] = {}
    for line in found.lines:
        row = projects.setdefault(line.project, {})
        row[line.capital_type] = row.get(line.capital_type, 0) + line.amount_dong
    decisions = sorted({number for line in found.lines for number in line.decisions})
    return Money(
        found.year,
        bool(found.lines),
        say.formats.money(found.total_dong),
        " + ".join(
            f"{say.label('capital', kind).lower()} {say.formats.money(found.by_capital_type[kind])}"
            for kind in kinds
        ),
        say.basis(found.basis, by_now=found.place.drawn is not None),
        kinds,
        tuple((code, row, sum(row.values())) for code, row in sorted(projects.items())),
        found.by_capital_type,
        found.total_dong,
        ", ".join(decisions[:5]),
    )


@dataclass(frozen=True, slots=True)
class Trained:
    """The training of a year: a sentence, and a row per project."""

    year: int
    known: bool
    sentence: str
    inexact: str
    rows: tuple[tuple[str, int, str, int], ...]


def trained(found: Trainings, say: Words) -> Trained:
    """The training as the page shows it; what was estimated is said."""
    exact = say.formats.number(found.total.exact)
    return Trained(
        found.year,
        bool(found.classes),
        say.t(
            "training.total",
            people=say.people(found.total),
            classes=say.formats.number(found.classes),
        ),
        say.t("training.inexact", exact=exact) if found.total.inexact else "",
        tuple(
            (code, classes, say.people(total), total.participants)
            for code, (classes, total) in sorted(found.by_project.items())
        ),
    )


@dataclass(frozen=True, slots=True)
class FormRow:
    """A row of a movement form: households or persons of an area, or of a group."""

    number: str
    name: str
    unit: Unit | None
    measure: Measure
    cells: tuple[int, ...]
    group: bool


def form_lines(filled: FilledForm, say: Words) -> Iterator[FormRow]:
    """Groups I and II with their communes, then the total; two rows each."""
    for roman, group in zip(ROMAN, filled.groups, strict=False):
        yield from _pair(roman, say.label("group", group.kind), None, group.total)
        for number, (unit, line) in enumerate(group.lines, 1):
            yield from _pair(str(number), unit.name, unit, line)
    yield from _pair(ROMAN[len(filled.groups)], say.t("group.total"), None, filled.total)


def _pair(number: str, name: str, unit: Unit | None, line: Line) -> Iterator[FormRow]:
    for measure in Measure:
        cells = tuple(measure.of(count) for count in line)
        yield FormRow(number, name, unit, measure, cells, unit is None)


def faults(found: Movements, say: Words) -> list[str]:
    """The sentences of the faults."""
    names = {unit.code: unit.name for unit in found.place.communes}
    return [
        say.t(
            f"fault.{fault.rule}",
            area=names.get(fault.area, say.t("group.total")),
            form=fault.form,
            measure=say.label("measure", fault.measure.value),
            column=fault.column,
            difference=say.formats.number(fault.difference),
        )
        for fault in found.faults
    ]
