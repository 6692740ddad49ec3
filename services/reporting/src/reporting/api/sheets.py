"""The situation and the movement forms laid out as sheets."""

from collections.abc import Iterator

from reporting.actions.movements import FilledForm, Movements
from reporting.actions.places import Place, grouped
from reporting.actions.situation import Row, Situation
from reporting.domain import HouseholdClass, Line, Measure, Percent, Whole, percent, percents
from reporting.files import Cell, Sheet
from reporting.words import Words

ROMAN = ("I", "II", "III", "IV")


def situation_sheet(found: Situation, say: Words) -> Sheet:
    """The situation of an area: a row per commune and class, the total last."""
    above = [
        f"{say.t('file.situation')}: {found.place.unit.name}",
        say.t(
            "file.on",
            date=say.formats.date(found.place.on),
            stage=say.label("stage", found.stage.value),
        ),
    ]
    above += _drawn(found.place, say)
    if found.compared_with:
        above.append(say.t("file.compared", date=say.formats.date(found.compared_with)))
    if found.lists:
        above.append(say.t("file.source", source=say.decisions(found.lists)))
    head = (
        say.t("head.group"),
        say.t("head.code"),
        say.t("head.area"),
        say.t("head.all_households"),
        say.t("head.all_persons"),
        say.t("head.class"),
        say.t("head.households"),
        say.t("head.rate"),
        say.t("head.change"),
        say.t("head.persons"),
        say.t("head.person_rate"),
    )
    by_code = {row.unit.code: row for row in found.parts}
    rows = [
        line
        for kind, units in grouped(tuple(row.unit for row in found.parts))
        for unit in units
        for line in _situation_rows(by_code[unit.code], say.label("group", kind), say)
    ]
    total = list(_situation_rows(found.total, say.t("group.total"), say))
    bold = frozenset(range(len(rows), len(rows) + len(total)))
    return Sheet(say.t("file.situation")[:31], tuple(above), head, tuple(rows + total), bold)


def _drawn(place: Place, say: Words) -> list[str]:
    """By the units of which day the figures are, where that is not their own."""
    return [say.t("file.geography", date=say.formats.date(place.drawn))] if place.drawn else []


def _situation_rows(row: Row, group: str, say: Words) -> Iterator[tuple[Cell, ...]]:
    whole = row.population.households if row.population else None
    for code in HouseholdClass:
        figure = row.figures[str(code)]
        yield (
            group,
            row.unit.code,
            row.unit.name,
            _whole(whole, say),
            row.population.persons if row.population else None,
            say.label("class", str(code)),
            figure.count.households,
            _cell(percents(figure.household_rate), say),
            _cell(figure.change, say),
            figure.count.persons,
            percent(figure.person_rate),
        )


def _whole(whole: Whole | None, say: Words) -> Cell:
    """A number to go on counting with; a range in words."""
    if whole is None:
        return None
    return say.households(whole) if whole.exact is None else whole.exact


def _cell(found: Percent | None, say: Words) -> Cell:
    if found is None:
        return None
    return say.points(found) if found.one is None else found.one


def movement_sheets(found: Movements, say: Words) -> list[Sheet]:
    """Forms 7.2 and 7.3: groups I and II with their communes, then the total; two rows per area."""
    return [_movement_sheet(found, filled, say) for filled in found.forms]


def _movement_sheet(found: Movements, filled: FilledForm, say: Words) -> Sheet:
    form = filled.form
    rows: list[tuple[Cell, ...]] = []
    bold: set[int] = set()

    def add(number: str, code: str, name: str, line: Line, *, total: bool) -> None:
        for measure in Measure:
            if total:
                bold.add(len(rows))
            cells = [measure.of(count) for count in line]
            rows.append((form.code, number, code, name, say.label("measure", measure.value), *cells))

    for roman, group in zip(ROMAN, filled.groups, strict=False):
        add(roman, "", say.label("group", group.kind), group.total, total=True)
        for number, (unit, line) in enumerate(group.lines, 1):
            add(str(number), unit.code, unit.name, line, total=False)
    add(ROMAN[len(filled.groups)], "", say.t("group.total"), filled.total, total=True)
    title = f"{form.title[say.language]} {found.year}: {found.place.unit.name}"
    head = (
        say.t("head.form"),
        "TT",
        say.t("head.code"),
        say.t("head.area"),
        say.t("head.measure"),
        *(f"({column.code}) {column.label[say.language]}" for column in form.columns),
    )
    above = (title, form.legal, *_drawn(found.place, say))
    return Sheet(f"{form.code}", above, head, tuple(rows), frozenset(bold))
