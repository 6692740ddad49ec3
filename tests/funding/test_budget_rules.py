"""What an allocation must be to be recorded."""

import datetime as dt
from dataclasses import replace

import pytest

from funding import domain
from funding.domain import Allocation, Line, Refused

D = dt.date
TRIEU = 1_000_000
PROGRAMME = "NTP_SPR_2021_2025"
LEAVES = {
    "DA1.1", "DA1.2", "DA2", "DA3.1", "DA3.2", "DA4.1", "DA4.2", "DA4.3", "DA5", "DA6.1", "DA6.2", "DA7.1", "DA7.2",
}  # fmt: skip
KONG_CHRO = Allocation(
    programme=PROGRAMME,
    area="630",
    year=2023,
    origin_year=2023,
    decision_number="01/QĐ-UBND",
    decided_on=D(2023, 1, 10),
    total_dong=82_801 * TRIEU,
    by_capital_type=(("INVESTMENT", 54_532 * TRIEU), ("RECURRENT", 28_269 * TRIEU)),
    lines=(
        Line(PROGRAMME, "INVESTMENT", "CENTRAL_BUDGET", 54_532 * TRIEU),
        Line("DA2", "RECURRENT", "CENTRAL_BUDGET", 20_000 * TRIEU),
        Line("DA7.1", "RECURRENT", "CENTRAL_BUDGET", 8_269 * TRIEU),
    ),
)


def refused(allocation: Allocation) -> Refused:
    with pytest.raises(Refused) as caught:
        domain.check(allocation)
    return caught.value


def with_line(line: Line) -> Allocation:
    return replace(KONG_CHRO, lines=(line, *KONG_CHRO.lines[1:]))


def test_the_district_allocation_of_2023_adds_up() -> None:
    domain.check(KONG_CHRO)


def test_the_programme_has_thirteen_leaf_components() -> None:
    components = domain.programmes()[PROGRAMME].components

    assert {part.code for part in components.values() if part.leaf} == LEAVES
    assert all(part.parent in components for part in components.values() if part.code != PROGRAMME)


def test_a_component_receives_only_what_its_parent_may() -> None:
    components = domain.programmes()[PROGRAMME].components
    for part in components.values():
        if part.parent:
            assert set(part.capital) <= set(components[part.parent].capital)


def test_the_lead_of_a_component_depends_on_the_day() -> None:
    livelihoods = domain.programmes()[PROGRAMME].components["DA2"]

    assert livelihoods.lead_on(D(2025, 2, 28)) == "Bộ Lao động - Thương binh và Xã hội"
    assert livelihoods.lead_on(D(2025, 3, 1)) == "Bộ Nông nghiệp và Môi trường"
    assert livelihoods.lead_on(D(2021, 1, 1)) is None


def test_a_total_that_is_off_names_the_difference() -> None:
    error = refused(replace(KONG_CHRO, total_dong=82_800 * TRIEU))

    assert (error.rule, error.field) == ("allocation-sum-off", "by_capital_type")
    assert "1.000.000 đồng" in error.message_vi


def test_lines_that_miss_their_declared_total_name_the_kind_and_the_difference() -> None:
    error = refused(with_line(replace(KONG_CHRO.lines[0], amount_dong=54_531 * TRIEU)))

    assert (error.rule, error.field) == ("allocation-sum-off", "lines")
    assert "INVESTMENT" in error.message_vi
    assert "-1.000.000 đồng" in error.message_vi


@pytest.mark.parametrize(
    ("line", "rule", "field"),
    [
        (Line("DA9", "RECURRENT", "CENTRAL_BUDGET", 1), "project-unknown", "lines.0.project"),
        (Line("DA2", "LOAN", "CENTRAL_BUDGET", 1), "capital-type-unknown", "lines.0.capital_type"),
        (Line("DA2", "INVESTMENT", "CENTRAL_BUDGET", 1), "capital-type-not-allowed", "lines.0.capital_type"),
        (Line("DA5", "RECURRENT", "CENTRAL_BUDGET", 1), "capital-type-not-allowed", "lines.0.capital_type"),
        (Line("DA2", "RECURRENT", "LOTTERY", 1), "source-unknown", "lines.0.source"),
        (Line("DA2", "RECURRENT", "CENTRAL_BUDGET", -1), "amount-negative", "lines.0.amount_dong"),
        (Line("DA2", "RECURRENT", "CENTRAL_BUDGET", 0), "amount-zero", "lines.0.amount_dong"),
        (Line("DA2", "RECURRENT", "CENTRAL_BUDGET", 5), "allocation-line-repeated", "lines.0"),
    ],
)
def test_a_wrong_line_is_refused_by_name_and_place(line: Line, rule: str, field: str) -> None:
    error = refused(with_line(line))

    assert (error.rule, error.field) == (rule, field)
    assert error.message_vi
    assert error.message_en


def test_a_district_budget_gives_nothing_after_districts_ended() -> None:
    line = Line(PROGRAMME, "INVESTMENT", "DISTRICT_BUDGET", 54_532 * TRIEU)

    domain.check(with_line(line))
    assert refused(replace(with_line(line), decided_on=D(2025, 7, 1))).rule == "source-ended"


@pytest.mark.parametrize(
    ("year", "origin_year", "field"),
    [(2020, 2020, "origin_year"), (2026, 2026, "origin_year"), (2027, 2025, "year"), (2022, 2023, "year")],
)
def test_money_of_other_years_is_not_the_programmes(year: int, origin_year: int, field: str) -> None:
    error = refused(replace(KONG_CHRO, year=year, origin_year=origin_year))

    assert (error.rule, error.field) == ("allocation-year-outside-programme", field)


def test_money_carried_over_keeps_its_origin_year() -> None:
    domain.check(replace(KONG_CHRO, year=2026, origin_year=2025))


def test_an_unknown_programme_is_refused() -> None:
    assert refused(replace(KONG_CHRO, programme="NTP_X")).rule == "programme-unknown"


def test_a_kind_of_capital_stated_twice_is_refused() -> None:
    twice = (*KONG_CHRO.by_capital_type, ("RECURRENT", 0))

    assert refused(replace(KONG_CHRO, by_capital_type=twice)).rule == "allocation-line-repeated"


def test_a_declared_kind_without_lines_is_refused() -> None:
    assert refused(replace(KONG_CHRO, lines=KONG_CHRO.lines[1:])).rule == "allocation-sum-off"
