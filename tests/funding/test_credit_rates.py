"""The rate of a loan by product, day of signing, day, money and borrower, as the law's tables have it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from funding import domain
from funding.domain import (
    Borrower,
    BorrowerClass,
    CreditRate,
    FundSource,
    Product,
    Question,
    Refused,
    StepKind,
)

D = dt.date
NOVEMBER, DECEMBER, JANUARY = D(2025, 11, 30), D(2025, 12, 31), D(2026, 1, 1)
HANOI, QUANG_NGAI = "01", "51"
POOR, NEAR_POOR, OTHER = BorrowerClass.POOR, BorrowerClass.NEAR_POOR, BorrowerClass.OTHER


def rate(product: str, contract: dt.date, on: dt.date, **more: object) -> CreditRate:
    return domain.credit_rate(Question(product, contract, on, **more), domain.book())  # type: ignore[arg-type]  # keywords of Question


def refused(product: str, contract: dt.date, on: dt.date, **more: object) -> Refused:
    with pytest.raises(Refused) as caught:
        rate(product, contract, on, **more)
    return caught.value


# The table of the law by column: to 30/11/2025, 01-31/12/2025, from 01/01/2026 (contracts of the same day).
CELLS = [
    ("POOR", "6.6", "6.24", "6.24"),
    ("NEAR_POOR", "7.92", "7.488", "7.488"),
    ("NEWLY_ESCAPED", "8.25", "7.8", "7.8"),
    ("STUDENT", "6.6", "6.24", "6.24"),
    ("EX_PRISONER", "6.6", "6.24", "6.24"),
    ("JOB_CREATION_WORKER", "7.92", "7.488", "7.9248"),
    ("JOB_CREATION_BUSINESS", "7.92", "7.488", "7.9248"),
    ("JOB_CREATION_WORKER_PRIORITY", "3.96", "3.744", "6.24"),
    ("LABOUR_EXPORT", "6.6", "6.24", "7.9248"),
    ("LABOUR_EXPORT_PRIORITY", None, None, "6.24"),
    ("LABOUR_EXPORT_POOR_DISTRICT", "3.3", "3.12", None),
    ("ETHNIC_PRODUCTION_LAND", "3.3", "3.12", "3.12"),
    ("ETHNIC_JOB_CHANGE", "3.3", "3.12", "3.12"),
    ("ETHNIC_VOCATIONAL", "3.3", "3.12", "3.12"),
    ("ETHNIC_VALUE_CHAIN_POOR", "3.3", "3.12", "3.12"),
    ("ETHNIC_VALUE_CHAIN_NEAR_POOR", "3.96", "3.744", "3.744"),
    ("ETHNIC_RESIDENTIAL_LAND", "3", "3", "3"),
    ("ETHNIC_HOUSING", "3", "3", "3"),
    ("HOUSING_POOR", "3", "3", "3"),
    ("WATER_SANITATION", "9", "8.4", "8.4"),
    ("DIFFICULT_AREA_BUSINESS", "9", "7.8", "7.8"),
    ("DIFFICULT_AREA_TRADER", "9", "7.8", "7.8"),
    ("SOCIAL_HOUSING", "5.4", "5.4", "5.4"),
    ("STEM", "4.8", "4.8", "4.8"),
]


@pytest.mark.parametrize(
    ("product", "on", "percent"),
    [
        (product, on, percent)
        for product, *cells in CELLS
        for on, percent in zip((NOVEMBER, DECEMBER, JANUARY), cells, strict=True)
        if percent is not None
    ],
)
def test_a_cell_of_the_table(product: str, on: dt.date, percent: str) -> None:
    found = rate(product, on, on)

    assert str(found.contract_percent) == percent
    assert found.overdue_percent == Decimal(percent) * Decimal("1.30")
    assert abs(found.monthly_percent * 12 - Decimal(percent)) < Decimal("0.00001")


def test_social_housing_bore_the_base_rate_until_9_october_2025() -> None:
    contract = D(2025, 1, 1)

    assert str(rate("SOCIAL_HOUSING", contract, D(2025, 10, 9)).percent) == "6.6"
    assert str(rate("SOCIAL_HOUSING", contract, D(2025, 10, 10)).percent) == "5.4"


def test_the_table_above_names_every_product() -> None:
    assert {product for product, *_ in CELLS} == set(domain.credit_products())


def test_the_cells_without_a_value_are_refused() -> None:
    assert refused("LABOUR_EXPORT_PRIORITY", NOVEMBER, NOVEMBER).rule == "rate-before-table"
    assert refused("LABOUR_EXPORT_PRIORITY", DECEMBER, DECEMBER).rule == "rate-before-table"
    assert refused("LABOUR_EXPORT_POOR_DISTRICT", JANUARY, JANUARY).rule == "rate-unknown"


def test_the_base_is_cut_for_a_contract_that_already_runs() -> None:
    contract = D(2023, 5, 4)

    assert str(rate("POOR", contract, D(2025, 11, 30)).percent) == "6.6"
    assert str(rate("POOR", contract, D(2025, 12, 1)).percent) == "6.24"


@pytest.mark.parametrize(
    ("product", "on", "overdue"),
    [("POOR", JANUARY, "8.112"), ("NEAR_POOR", JANUARY, "9.7344"), ("NEWLY_ESCAPED", JANUARY, "10.14")],
)
def test_an_overdue_balance_bears_130_percent_of_the_rate(product: str, on: dt.date, overdue: str) -> None:
    assert str(rate(product, on, on).overdue_percent) == overdue


@pytest.mark.parametrize(
    ("product", "before", "since"),
    [
        ("JOB_CREATION_WORKER", "7.488", "7.9248"),
        ("JOB_CREATION_BUSINESS", "7.488", "7.9248"),
        ("JOB_CREATION_WORKER_PRIORITY", "3.744", "6.24"),
        ("LABOUR_EXPORT", "6.24", "7.9248"),
    ],
)
@pytest.mark.parametrize("on", [D(2026, 1, 1), D(2026, 6, 30), D(2034, 6, 30)])
def test_loans_signed_before_2026_keep_their_formula_beside_the_new_ones(
    product: str, before: str, since: str, on: dt.date
) -> None:
    assert str(rate(product, D(2025, 12, 31), on).percent) == before
    assert str(rate(product, D(2026, 1, 1), on).percent) == since


def test_an_old_job_loan_had_the_cut_of_december_2025() -> None:
    contract = D(2024, 3, 1)

    assert [str(rate("JOB_CREATION_WORKER", contract, on).percent) for on in (NOVEMBER, DECEMBER)] == [
        "7.92",
        "7.488",
    ]


def test_a_poor_kinh_households_job_loan_of_2025_and_of_2026() -> None:
    kinh = Borrower(POOR)

    old = rate("JOB_CREATION_WORKER", D(2025, 12, 20), D(2026, 6, 30), borrower=kinh)
    new = rate("JOB_CREATION_WORKER", D(2026, 2, 1), D(2026, 6, 30), borrower=kinh)

    assert (str(old.percent), str(new.percent)) == ("7.488", "7.9248")


@pytest.mark.parametrize(
    "borrower",
    [
        Borrower(POOR, ethnic_minority=True),
        Borrower(POOR, specially_difficult_area=True),
        Borrower(OTHER, disabled=True),
    ],
)
def test_a_job_loan_of_2026_to_the_priority_group_bears_the_base_rate(borrower: Borrower) -> None:
    found = rate("JOB_CREATION_WORKER", D(2026, 2, 1), D(2026, 2, 1), borrower=borrower)

    assert (str(found.percent), found.product) == ("6.24", "JOB_CREATION_WORKER_PRIORITY")
    assert found.steps[0].kind is StepKind.PRIORITY_GROUP


@pytest.mark.parametrize(
    "borrower",
    [Borrower(), Borrower(NEAR_POOR, ethnic_minority=True), Borrower(specially_difficult_area=True)],
)
def test_a_job_loan_of_2026_to_others_bears_127_percent_of_it(borrower: Borrower) -> None:
    assert (
        str(rate("JOB_CREATION_WORKER", D(2026, 2, 1), D(2026, 2, 1), borrower=borrower).percent) == "7.9248"
    )


def test_near_poor_asks_for_a_hundred_million_at_7_488() -> None:
    assert str(rate("NEAR_POOR", JANUARY, JANUARY).percent) == "7.488"


def test_the_walk_names_each_document() -> None:
    found = rate("JOB_CREATION_BUSINESS", D(2025, 3, 1), D(2025, 12, 1))

    assert [(step.kind.value, step.product, str(step.percent), step.legal) for step in found.steps] == [
        ("BASE_RATE", "NEAR_POOR", "6.24", "QD-2553-2025"),
        ("FACTOR", "NEAR_POOR", "7.488", "QD-1826-2013"),
        ("FACTOR_OF", "JOB_CREATION_WORKER", "7.488", "ND-74-2019"),
        ("FACTOR_OF", "JOB_CREATION_BUSINESS", "7.488", "ND-61-2015"),
        ("OVERDUE_FACTOR", "JOB_CREATION_BUSINESS", "9.7344", "QD-28-2015"),
    ]
    assert found.steps[1].said.vi == (
        "Cho vay hộ cận nghèo: 1,20 lần lãi suất cho vay hộ nghèo, bằng 7,488 %/năm (từ ngày 01/06/2015)."
    )
    assert found.steps[0].said.en == "The poor household's rate is 6.24 % a year (since 2025-12-01)."


def test_a_guess_and_a_computed_value_keep_their_mark() -> None:
    assert rate("JOB_CREATION_WORKER_PRIORITY", D(2025, 3, 1), D(2025, 12, 1)).confidence == "inferred"
    assert rate("LABOUR_EXPORT", D(2026, 3, 1), D(2026, 3, 1)).confidence == "computed"
    assert rate("POOR", JANUARY, JANUARY).confidence == "seen"
    assert not rate("WATER_SANITATION", D(2020, 1, 1), D(2020, 1, 1)).steps[0].first_day_known


@pytest.mark.parametrize(
    ("product", "contract", "on", "rule", "field"),
    [
        ("POOR", D(2015, 5, 31), D(2015, 5, 31), "rate-before-table", "query.on"),
        ("HOUSING_POOR", D(2015, 5, 31), D(2015, 5, 31), "rate-before-table", "query.on"),
        ("NEWLY_ESCAPED", D(2015, 9, 4), D(2015, 9, 4), "rate-before-table", "query.on"),
        ("STEM", D(2025, 8, 27), D(2025, 8, 27), "rate-before-table", "query.on"),
        ("JOB_CREATION_BUSINESS", D(2019, 11, 7), D(2019, 11, 7), "rate-before-table", "query.on"),
        (
            "LABOUR_EXPORT_PRIORITY",
            D(2025, 12, 31),
            D(2026, 5, 1),
            "rate-before-table",
            "query.contract_date",
        ),
        ("LABOUR_EXPORT_POOR_DISTRICT", JANUARY, JANUARY, "rate-unknown", "query.on"),
    ],
)
def test_what_the_table_does_not_hold_is_refused_with_its_article(
    product: str, contract: dt.date, on: dt.date, rule: str, field: str
) -> None:
    refusal = refused(product, contract, on)

    assert (refusal.rule, refusal.field) == (rule, field)
    assert refusal.legal is not None
    assert refusal.legal.startswith(("Quyết định ", "Nghị định "))
    assert refusal.message_vi != refusal.message_en


def test_a_contract_of_after_the_day_is_refused() -> None:
    assert refused("POOR", D(2026, 1, 2), D(2026, 1, 1)).rule == "contract-after-day"


@pytest.mark.parametrize(
    ("product", "borrower", "percent"),
    [
        ("POOR", None, "4.8"),
        ("NEAR_POOR", None, "4.8"),
        ("NEWLY_ESCAPED", None, "6.6"),
        ("JOB_CREATION_WORKER", POOR, "4.8"),
        ("JOB_CREATION_WORKER", OTHER, "6.6"),
        ("JOB_CREATION_BUSINESS", None, "6"),
        ("WATER_SANITATION", NEAR_POOR, "4.8"),
        ("WATER_SANITATION", OTHER, "6.6"),
        ("STUDENT", OTHER, "4.8"),
        ("DIFFICULT_AREA_TRADER", OTHER, "6.6"),
        ("ETHNIC_PRODUCTION_LAND", None, "3.12"),
        ("HOUSING_POOR", None, "3"),
    ],
)
def test_money_entrusted_by_ha_noi_has_its_own_rates_unless_the_central_one_is_lower(
    product: str, borrower: BorrowerClass | None, percent: str
) -> None:
    on = D(2026, 3, 1)
    found = rate(product, on, on, fund_source=FundSource.LOCAL, province=HANOI, borrower=Borrower(borrower))

    assert str(found.percent) == percent
    assert found.overdue_percent == Decimal(percent) * Decimal("1.30")


def test_ha_nois_rates_begin_on_8_december_2025() -> None:
    local = {"fund_source": FundSource.LOCAL, "province": HANOI}

    assert refused("POOR", D(2025, 3, 1), D(2025, 12, 7), **local).rule == "local-rate-unknown"
    assert str(rate("POOR", D(2025, 3, 1), D(2025, 12, 8), **local).percent) == "4.8"


def test_entrusted_money_asks_for_province_class_and_a_loaded_resolution() -> None:
    on = D(2026, 3, 1)

    assert refused("POOR", on, on, fund_source=FundSource.LOCAL).rule == "province-needed"
    assert refused("POOR", on, on, fund_source=FundSource.LOCAL, province="48").rule == "local-rate-unknown"
    unclassed = refused("WATER_SANITATION", on, on, fund_source=FundSource.LOCAL, province=HANOI)
    assert unclassed.rule == "borrower-class-needed"
    assert unclassed.legal == "Nghị quyết 56/2025/NQ-HĐND của Hội đồng nhân dân Thành phố Hà Nội"


def test_the_disaster_cut_is_refused_where_it_may_hold_until_its_list_is_loaded() -> None:
    contract, on = D(2024, 1, 1), D(2025, 10, 1)

    assert refused("POOR", contract, on, province=QUANG_NGAI).rule == "cut-provinces-not-loaded"
    assert refused("POOR", contract, DECEMBER, province=QUANG_NGAI).rule == "cut-provinces-not-loaded"
    assert str(rate("POOR", contract, D(2025, 9, 30), province=QUANG_NGAI).percent) == "6.6"
    assert str(rate("POOR", contract, JANUARY, province=QUANG_NGAI).percent) == "6.24"
    assert str(rate("POOR", contract, on, province=HANOI).percent) == "6.6"
    nationwide = rate("POOR", contract, on)
    assert (str(nationwide.percent), nationwide.open_cuts) == ("6.6", ("DISASTER_2025",))


def test_a_loaded_list_takes_two_points_off_the_running_rate_of_its_provinces() -> None:
    book = domain.book()
    loaded = replace(book, cuts=tuple(replace(cut, provinces=frozenset({QUANG_NGAI})) for cut in book.cuts))

    def on(day: dt.date, province: str) -> CreditRate:
        return domain.credit_rate(Question("NEAR_POOR", D(2024, 1, 1), day, province=province), loaded)

    cut = on(D(2025, 11, 30), QUANG_NGAI)
    assert (str(cut.contract_percent), str(cut.percent), str(cut.overdue_percent)) == (
        "7.92",
        "5.92",
        "10.296",
    )
    assert str(cut.monthly_percent) == "0.493333"
    assert str(on(D(2025, 12, 1), QUANG_NGAI).percent) == "5.488"
    assert str(on(D(2025, 12, 1), "48").percent) == "7.488"
    assert str(on(JANUARY, QUANG_NGAI).percent) == "7.488"


def test_the_budget_paid_two_points_of_loans_above_six_percent_in_2022_and_2023() -> None:
    contract = D(2021, 1, 1)

    paid = rate("POOR", contract, D(2022, 1, 1))
    assert (str(paid.percent), str(paid.support_percent), str(paid.borrower_percent)) == ("6.6", "2", "4.6")
    assert paid.confidence == "high"
    assert str(rate("POOR", contract, D(2023, 12, 31)).borrower_percent) == "4.6"
    for product, on in (
        ("POOR", D(2021, 12, 31)),
        ("POOR", D(2024, 1, 1)),
        ("ETHNIC_HOUSING", D(2023, 1, 1)),
    ):
        assert rate(product, contract, on).support_percent is None


def test_the_three_products_of_a_class_have_one_rate() -> None:
    for product in Product:
        for on in (D(2016, 1, 1), NOVEMBER, D(2025, 12, 1), JANUARY):
            short = domain.rate_on(product, on)
            whole = rate(product.value, on, on)
            assert short is not None
            assert (short.percent, short.overdue_percent) == (whole.contract_percent, whole.overdue_percent)
