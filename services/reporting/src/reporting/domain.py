"""The arithmetic of reports: rates, changes in percentage points, forms that must close, inexact totals.

Nothing here reads a database, a clock or a file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction


class HouseholdClass(StrEnum):
    """The class of a household by a review (Decree 07/2021/NĐ-CP, Article 3)."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    AVERAGE_LIVING = "AVERAGE_LIVING"
    NOT_POOR = "NOT_POOR"


class Stage(StrEnum):
    """A result is preliminary (sơ bộ) until the official decision (Decision 24/2021/QĐ-TTg, Article 7)."""

    PRELIMINARY = "PRELIMINARY"
    OFFICIAL = "OFFICIAL"


class Product(StrEnum):
    """Loan products for households that this service counts."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    NEWLY_ESCAPED = "NEWLY_ESCAPED"


class Qualifier(StrEnum):
    """How exact a count is, as the report that gave it said."""

    EXACT = "EXACT"
    GREATER = "GREATER"
    ABOUT = "ABOUT"
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


@dataclass(frozen=True, slots=True)
class Count:
    """Households and the persons in them."""

    households: int = 0
    persons: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.households + other.households, self.persons + other.persons)

    def __sub__(self, other: "Count") -> "Count":
        return Count(self.households - other.households, self.persons - other.persons)


Classes = Mapping[str, Count]


def added(tables: Iterable[Classes]) -> dict[str, Count]:
    """The sum of counts by class over several areas. Every class is present."""
    total = {str(cls): Count() for cls in HouseholdClass}
    for table in tables:
        for cls, count in table.items():
            total[cls] = total.get(cls, Count()) + count
    return total


@dataclass(frozen=True, slots=True)
class Whole:
    """A number that lies between two numbers, which are one where it is known exactly."""

    least: int
    most: int

    @property
    def exact(self) -> int | None:
        """The number itself, where it is known."""
        return self.least if self.least == self.most else None

    def __add__(self, other: "Whole") -> "Whole":
        return Whole(self.least + other.least, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Population:
    """All households and persons of an area on a day, as recorded, with the document that says so.

    `persons` is None where nobody said. `parts` is how many communes were added up; 0 when the number was
    recorded for the area itself.
    """

    households: Whole
    persons: int | None
    as_of: date
    source: str
    parts: int = 0


def population_of(own: Population | None, communes: Sequence[Population | None]) -> Population | None:
    """The denominator of an area: its own record, or the sum of its communes when all are recorded.

    When both exist the more recent holds; a sum is as recent as its oldest part.
    """
    known = [part for part in communes if part is not None]
    if not known or len(known) < len(communes):
        return own
    oldest = min(part.as_of for part in known)
    if own is not None and own.as_of >= oldest:
        return own
    sources = sorted({part.source for part in known if part.source})
    persons = [part.persons for part in known if part.persons is not None]
    return Population(
        sum((part.households for part in known), Whole(0, 0)),
        sum(persons) if len(persons) == len(known) else None,
        oldest,
        "; ".join(sources),
        len(known),
    )


def share(part: int, whole: int | None) -> Fraction | None:
    """`part` of `whole`, unrounded; None without a denominator (or with an empty one)."""
    return Fraction(part, whole) if whole else None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share, or the change of one: between two fractions, which are one where the whole is known exactly."""

    least: Fraction
    most: Fraction


@dataclass(frozen=True, slots=True)
class Percent:
    """A rate in percent, or its change in points, with two decimals; as far as they go its ends may be one."""

    least: Decimal
    most: Decimal

    @property
    def one(self) -> Decimal | None:
        """The number, where both ends are rounded to it."""
        return self.least if self.least == self.most else None


def rate(part: int, whole: Whole | None) -> Rate | None:
    """`part` of a whole that may be a range; None without a denominator (or where it may be empty)."""
    if whole is None or not whole.least:
        return None
    return Rate(Fraction(part, whole.most), Fraction(part, whole.least))


def rates_change(
    now: tuple[int, Whole | None], before: tuple[int, Whole | None], *, same: bool
) -> Rate | None:
    """The change of a rate. `same`: both are of one record, which is one number although it may not be known."""
    (part, whole), (earlier, earlier_whole) = now, before
    if same:
        change = rate(part - earlier, whole)
        return change and Rate(min(change.least, change.most), max(change.least, change.most))
    here, there = rate(part, whole), rate(earlier, earlier_whole)
    return here and there and Rate(here.least - there.most, here.most - there.least)


def percents(value: Rate | None) -> Percent | None:
    """A rate in percent with two decimals: 31502 of 387943 to 388366 → 8.11 to 8.12."""
    return None if value is None else Percent(rounded(value.least * 100), rounded(value.most * 100))


def rounded(value: Fraction, places: int = 2) -> Decimal:
    """A fraction rounded half away from zero to `places` decimals, as Vietnamese reports round."""
    scaled = Decimal(value.numerator * 10**places) / Decimal(value.denominator)
    whole = scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return whole.scaleb(-places)


def percent(value: Fraction | None) -> Decimal | None:
    """A share in percent with two decimals: 4336/12836 → 33.78."""
    return None if value is None else rounded(value * 100)


def year_end(year: int) -> date:
    """The day on which a year's lists stand: 31 December."""
    return date(year, 12, 31)


def compared_with(on: date, last_annual_year: int | None, first_day: date | None) -> date:
    """The year-end with which the situation on `on` is compared.

    The list in force comes from the last annual review; it is compared with the list of the year before
    that review. Where nothing is known so far back, with the last year-end before `on`.
    """
    if last_annual_year is not None and first_day is not None:
        before = year_end(last_annual_year - 1)
        if first_day <= before < on:
            return before
    return year_end(on.year - 1)


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of participants. `inexact` of them come from counts that were not exact."""

    participants: int
    qualifier: Qualifier
    exact: int
    inexact: int


_LOWER = frozenset({Qualifier.GREATER, Qualifier.AT_LEAST})


def participants(counts: Iterable[tuple[int, str]]) -> Total:
    """Add counts up without claiming more exactness than the least exact of them.

    With lower bounds ("hơn 200") the sum is AT_LEAST; with upper bounds AT_MOST; with both, or with any
    approximate count, ABOUT.
    """
    exact = inexact = 0
    seen: set[Qualifier] = set()
    for number, text in counts:
        qualifier = Qualifier(text)
        seen.add(qualifier)
        if qualifier is Qualifier.EXACT:
            exact += number
        else:
            inexact += number
    return Total(exact + inexact, _weakest(seen), exact, inexact)


def _weakest(seen: set[Qualifier]) -> Qualifier:
    lower, upper = bool(seen & _LOWER), Qualifier.AT_MOST in seen
    if Qualifier.ABOUT in seen or (lower and upper):
        return Qualifier.ABOUT
    if lower:
        return Qualifier.AT_LEAST
    return Qualifier.AT_MOST if upper else Qualifier.EXACT


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a movement form.

    `role` is START, DECREASE, INCREASE or END; `movement` the code counted in it; `members` says whether
    changes of members of households that stay on the list are booked here (INCREASE, DECREASE or "").
    """

    code: int
    role: str
    movement: str | None
    members: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """A column that must equal a column of another form."""

    column: int
    form: str
    other: int


@dataclass(frozen=True, slots=True)
class Form:
    """A movement form of a circular: which list it follows and how its columns are counted."""

    code: str
    list: str
    title: Mapping[str, str]
    legal: str
    columns: tuple[Column, ...]
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """What happened to the lists of one area in one year."""

    start: Classes = field(default_factory=dict)
    end: Classes = field(default_factory=dict)
    movements: Mapping[str, Count] = field(default_factory=dict)
    grown: Mapping[str, int] = field(default_factory=dict)
    shrunk: Mapping[str, int] = field(default_factory=dict)


Line = tuple[Count, ...]


def filled(form: Form, booked: Booked) -> Line:
    """The columns of a form for one area, in the form's order."""
    return tuple(_cell(form, column, booked) for column in form.columns)


def _cell(form: Form, column: Column, booked: Booked) -> Count:
    if column.role == "START":
        return booked.start.get(form.list, Count())
    if column.role == "END":
        return booked.end.get(form.list, Count())
    count = booked.movements.get(column.movement or "", Count())
    if column.members == "INCREASE":
        count += Count(0, booked.grown.get(form.list, 0))
    if column.members == "DECREASE":
        count += Count(0, booked.shrunk.get(form.list, 0))
    return count


def total_line(lines: Sequence[Line], width: int) -> Line:
    """Lines added column by column."""
    return tuple(sum((line[i] for line in lines), Count()) for i in range(width))


class Measure(StrEnum):
    """Each area has two rows in a form."""

    HOUSEHOLDS = "HOUSEHOLDS"
    PERSONS = "PERSONS"

    def of(self, count: Count) -> int:
        """This measure's number in a count."""
        return count.households if self is Measure.HOUSEHOLDS else count.persons


@dataclass(frozen=True, slots=True)
class Fault:
    """A check that a form fails: where, in which row and column, and by how much (found − expected)."""

    rule: str
    form: str
    area: str
    measure: Measure
    column: int
    expected: int
    found: int

    @property
    def difference(self) -> int:
        return self.found - self.expected


def expected_end(form: Form, line: Line) -> Count:
    """The end that follows from a line: start − decreases + increases (column 9 of 7.2 and 7.3)."""
    total = Count()
    for column, count in zip(form.columns, line, strict=True):
        if column.role in {"START", "INCREASE"}:
            total += count
        elif column.role == "DECREASE":
            total -= count
    return total


def column_of(form: Form, line: Line, code: int) -> Count:
    """The cell of a line in the column numbered `code`."""
    return next(count for column, count in zip(form.columns, line, strict=True) if column.code == code)


def faults(forms: Sequence[Form], lines: Mapping[str, Mapping[str, Line]]) -> list[Fault]:
    """Every closing check and cross-form identity that fails; `lines` by form, then by area."""
    found: list[Fault] = []
    for form in forms:
        for area, line in lines[form.code].items():
            found += _unclosed(form, area, line)
            for identity in form.identities:
                other = next(one for one in forms if one.code == identity.form)
                here = column_of(form, line, identity.column)
                there = column_of(other, lines[other.code][area], identity.other)
                found += _unequal(
                    "forms-differ", form.code, area, identity.column, expected=there, found=here
                )
    return found


def _unclosed(form: Form, area: str, line: Line) -> list[Fault]:
    end = next(column for column in form.columns if column.role == "END")
    stated = column_of(form, line, end.code)
    return _unequal(
        "row-does-not-close", form.code, area, end.code, expected=expected_end(form, line), found=stated
    )


def _unequal(rule: str, form: str, area: str, column: int, *, expected: Count, found: Count) -> list[Fault]:
    return [
        Fault(rule, form, area, measure, column, measure.of(expected), measure.of(found))
        for measure in Measure
        if measure.of(expected) != measure.of(found)
    ]
