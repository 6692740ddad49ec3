"""Who may borrow how much, for how long and on what conditions, product by product and day by day."""

import datetime as dt

import pytest

from funding import domain
from funding.domain import Lending, law
from funding.domain.rate_book import CONFIDENCES

D = dt.date
TODAY, LAST_YEAR = D(2026, 6, 1), D(2025, 12, 31)
TRIEU, TY = 1_000_000, 1_000_000_000


def amounts(product: str, on: dt.date, fund: str | None = None) -> list[tuple[str, int | str | None]]:
    """Rule and number of every amount but the parts inside a limit and the total of several products."""
    return [
        (each.rule, each.dong if each.dong is not None else str(each.percent))
        for each in domain.credit_products()[product].amounts_on(on)
        if each.rule not in {"PART_OF_LIMIT", "TOTAL"} and each.fund == fund
    ]


@pytest.mark.parametrize(
    ("product", "on", "expected"),
    [
        ("POOR", TODAY, [("PER_HOUSEHOLD", 100 * TRIEU)]),
        ("NEAR_POOR", TODAY, [("PER_HOUSEHOLD", 100 * TRIEU)]),
        ("NEWLY_ESCAPED", TODAY, [("PER_HOUSEHOLD", 100 * TRIEU)]),
        ("POOR", D(2019, 2, 28), []),
        ("STUDENT", TODAY, [("PER_MONTH", 4 * TRIEU), ("PER_SCHOOL_YEAR", 40 * TRIEU)]),
        ("STEM", TODAY, [("SHARE_OF_COST", "100"), ("PER_MONTH", 5 * TRIEU)]),
        ("JOB_CREATION_WORKER", LAST_YEAR, [("PER_WORKER", 100 * TRIEU)]),
        ("JOB_CREATION_WORKER", TODAY, [("PER_WORKER", 200 * TRIEU)]),
        ("JOB_CREATION_WORKER_PRIORITY", TODAY, [("PER_WORKER", 200 * TRIEU)]),
        ("JOB_CREATION_BUSINESS", LAST_YEAR, [("PER_PROJECT", 2 * TY), ("PER_WORKER", 100 * TRIEU)]),
        ("JOB_CREATION_BUSINESS", TODAY, [("PER_PROJECT", 10 * TY), ("PER_WORKER", 200 * TRIEU)]),
        ("LABOUR_EXPORT", LAST_YEAR, [("SHARE_OF_COST", "100")]),
        ("LABOUR_EXPORT", TODAY, [("SHARE_OF_COST", "100")]),
        ("LABOUR_EXPORT_PRIORITY", TODAY, []),
        ("LABOUR_EXPORT_POOR_DISTRICT", TODAY, []),
        ("WATER_SANITATION", TODAY, [("PER_WORK", 25 * TRIEU), ("PER_WORK", 25 * TRIEU)]),
        ("WATER_SANITATION", D(2024, 9, 1), []),
        ("DIFFICULT_AREA_BUSINESS", TODAY, [("PER_BORROWER", 100 * TRIEU)]),
        ("DIFFICULT_AREA_TRADER", TODAY, []),
        ("HOUSING_POOR", TODAY, [("PER_HOUSEHOLD", 25 * TRIEU)]),
        (
            "SOCIAL_HOUSING",
            TODAY,
            [
                ("SHARE_OF_COST", "80"),
                ("SHARE_OF_COST", "70"),
                ("PER_BORROWER", TY),
                ("SHARE_OF_COLLATERAL", "70"),
            ],
        ),
        ("ETHNIC_RESIDENTIAL_LAND", TODAY, [("PER_HOUSEHOLD", 50 * TRIEU)]),
        ("ETHNIC_HOUSING", TODAY, [("PER_HOUSEHOLD", 40 * TRIEU)]),
        ("ETHNIC_PRODUCTION_LAND", TODAY, [("PER_HOUSEHOLD", 77_500_000)]),
        ("ETHNIC_JOB_CHANGE", TODAY, [("PER_HOUSEHOLD", 100 * TRIEU)]),
        ("ETHNIC_VOCATIONAL", TODAY, [("PER_MONTH", 4 * TRIEU)]),
        ("ETHNIC_VALUE_CHAIN_POOR", TODAY, []),
        ("ETHNIC_VALUE_CHAIN_NEAR_POOR", TODAY, []),
        (
            "EX_PRISONER",
            TODAY,
            [
                ("PER_MONTH", 4 * TRIEU),
                ("PER_PERSON", 100 * TRIEU),
                ("PER_PROJECT", 2 * TY),
                ("PER_WORKER", 100 * TRIEU),
            ],
        ),
    ],
)
def test_how_much_may_be_lent(product: str, on: dt.date, expected: list[tuple[str, int | str]]) -> None:
    assert amounts(product, on) == expected


def test_ha_noi_lends_more_of_its_own_money() -> None:
    assert amounts("JOB_CREATION_WORKER", TODAY, "LOCAL") == [("PER_WORKER", 300 * TRIEU)]
    assert amounts("WATER_SANITATION", TODAY, "LOCAL") == [("PER_WORK", 30 * TRIEU), ("PER_WORK", 50 * TRIEU)]
    assert amounts("WATER_SANITATION", D(2025, 12, 7), "LOCAL") == []


def test_inside_the_poor_households_limit_are_smaller_ones() -> None:
    parts = [
        (each.purpose.en, each.dong)
        for each in domain.credit_products()["POOR"].amounts_on(TODAY)
        if each.rule == "PART_OF_LIMIT" and each.purpose
    ]
    assert parts == [
        ("house repair", 3 * TRIEU),
        ("lighting", 1_500_000),
        ("clean water, each work", 10 * TRIEU),
    ]


@pytest.mark.parametrize("product", ["POOR", "NEAR_POOR", "NEWLY_ESCAPED"])
def test_the_three_products_of_a_class_share_one_limit_that_is_remembered(product: str) -> None:
    (total,) = [each for each in domain.credit_products()[product].amounts_on(TODAY) if each.rule == "TOTAL"]

    assert (total.dong, total.confidence) == (100 * TRIEU, "medium")
    assert total.products == ("POOR", "NEAR_POOR", "NEWLY_ESCAPED")


@pytest.mark.parametrize(
    ("product", "code", "months"),
    [
        ("POOR", "01", 120),
        ("NEAR_POOR", "19", 120),
        ("NEWLY_ESCAPED", "09", 60),
        ("STUDENT", "02", None),
        ("STEM", None, None),
        ("JOB_CREATION_WORKER", "03", 120),
        ("JOB_CREATION_WORKER_PRIORITY", "03", 120),
        ("JOB_CREATION_BUSINESS", "03", 120),
        ("LABOUR_EXPORT", "04", None),
        ("LABOUR_EXPORT_PRIORITY", "04", None),
        ("LABOUR_EXPORT_POOR_DISTRICT", "04", None),
        ("WATER_SANITATION", "06", 60),
        ("DIFFICULT_AREA_BUSINESS", "10", None),
        ("DIFFICULT_AREA_TRADER", "15", None),
        ("HOUSING_POOR", "07", 180),
        ("SOCIAL_HOUSING", "12", 300),
        ("ETHNIC_RESIDENTIAL_LAND", "25", 180),
        ("ETHNIC_HOUSING", "25", 180),
        ("ETHNIC_PRODUCTION_LAND", "25", 120),
        ("ETHNIC_JOB_CHANGE", "25", 120),
        ("ETHNIC_VOCATIONAL", "25", None),
        ("ETHNIC_VALUE_CHAIN_POOR", "25", None),
        ("ETHNIC_VALUE_CHAIN_NEAR_POOR", "25", None),
        ("EX_PRISONER", "26", 120),
    ],
)
def test_code_and_longest_term(product: str, code: str | None, months: int | None) -> None:
    found = domain.credit_products()[product]

    assert (found.vbsp_code, found.max_term_months) == (code, months)


def test_work_abroad_is_for_anybody_under_contract_since_2026() -> None:
    product = domain.credit_products()["LABOUR_EXPORT"]

    assert product.served_on(LAST_YEAR) == ("POOR", "NEAR_POOR", "DTTS", "MERIT_RELATIVE", "LAND_RECOVERED")
    assert product.served_on(TODAY) == ("CONTRACT_WORKER",)
    assert [each.above_dong for each in product.security_on(LAST_YEAR)] == [100 * TRIEU]
    assert [each.above_dong for each in product.security_on(TODAY)] == [200 * TRIEU]


def test_the_difficult_areas_loan_is_not_for_who_is_or_was_lately_poor() -> None:
    assert domain.credit_products()["DIFFICULT_AREA_BUSINESS"].excluded == (
        "POOR",
        "NEAR_POOR",
        "NEWLY_ESCAPED",
    )


@pytest.mark.parametrize(
    ("product", "on", "state"),
    [
        ("POOR", TODAY, Lending.OPEN),
        ("HOUSING_POOR", TODAY, Lending.CLOSED),
        ("ETHNIC_HOUSING", LAST_YEAR, Lending.OPEN),
        ("ETHNIC_HOUSING", TODAY, Lending.NOT_KNOWN),
        ("LABOUR_EXPORT_POOR_DISTRICT", TODAY, Lending.NOT_KNOWN),
        ("STEM", D(2025, 8, 27), None),
        ("STEM", D(2025, 8, 28), Lending.OPEN),
    ],
)
def test_whether_new_loans_are_made(product: str, on: dt.date, state: Lending | None) -> None:
    found = domain.credit_products()[product].lending_on(on)

    assert (found.state if found else None) is state


def test_housing_and_land_have_five_years_without_principal() -> None:
    products = domain.credit_products()

    assert [
        each.grace.months
        for code in ("HOUSING_POOR", "ETHNIC_HOUSING", "ETHNIC_RESIDENTIAL_LAND")
        if (each := products[code]).grace
    ] == [60, 60, 60]


def test_what_gives_away_ethnicity_disability_or_a_sentence_is_restricted() -> None:
    for code, product in domain.credit_products().items():
        sensitive = (
            code.startswith("ETHNIC_")
            or code.endswith(("_PRIORITY", "_POOR_DISTRICT"))
            or code == "EX_PRISONER"
        )
        assert product.restricted is sensitive, code


def test_every_code_and_document_that_a_product_names_is_known() -> None:
    sources = law.table("sources.toml")["source"]
    programmes = domain.credit_programmes()
    assert len(domain.credit_products()) == 24
    assert len(programmes) == 16
    for product in domain.credit_products().values():
        assert product.vbsp_code is None or product.vbsp_code in programmes
        assert set(product.sources) <= set(sources)
        assert all(domain.legal_document(code)["cite"] for code in product.legal)
        assert {code for each in product.served for code in each.codes} <= set(domain.beneficiaries())
        assert set(product.excluded) <= set(domain.beneficiaries())
        assert product.confidence in CONFIDENCES
        assert {each.confidence for each in product.amounts} <= set(CONFIDENCES)
        assert {each.confidence for each in product.security} <= set(CONFIDENCES)
        assert {each.confidence for each in product.lending} <= set(CONFIDENCES)
        for kind, code in (
            *(("amount_rule", each.rule) for each in product.amounts),
            *(("collateral", each.kind) for each in product.security),
            *(("lending_state", each.state.value) for each in product.lending),
            *(("channel", code) for code in product.channels),
        ):
            assert domain.words(kind, code).vi


def test_the_law_of_the_three_products_is_written_once() -> None:
    for row in law.table("credit_products.toml")["product"]:
        if "terms_in" in row:
            assert not {"name_vi", "vbsp_code", "legal", "confidence", "max_term_months"} & set(row)
