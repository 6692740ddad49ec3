"""By income, in a list of their own: households with an average living standard, and workers, who are persons."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.households.officer import OTHER, Commune, SignIn
from tests.households.reviewing import Review, by_income

from benvung import clock
from benvung.testing import Engine, emitted
from households.domain import AreaType, Refused, get_standard
from households.domain.income import Income, find_by_income
from households.domain.procedure_terms import Action, Finding, ProcedureKind
from households.events import HouseholdClassified, RecognitionDecided, ReviewOpened

LINE, LIMIT = 1_500_000, 2_250_000
YEAR_OF_FOUR = 12 * 4
AVERAGE, WORKER = ProcedureKind.AVERAGE_LIVING, ProcedureKind.LOW_INCOME_WORKER
STANDARD = get_standard("STD_2022_2025")
ON = dt.date(2025, 5, 20)


# The rule: exact, and silent where no limit is loaded.


@pytest.mark.parametrize(
    ("kind", "area", "total", "found"),
    [
        (AVERAGE, AreaType.RURAL, LINE * YEAR_OF_FOUR, Finding.NOT_QUALIFIED),
        (AVERAGE, AreaType.RURAL, LINE * YEAR_OF_FOUR + 1, Finding.AVERAGE_LIVING),
        (AVERAGE, AreaType.RURAL, LIMIT * YEAR_OF_FOUR, Finding.AVERAGE_LIVING),
        (AVERAGE, AreaType.RURAL, LIMIT * YEAR_OF_FOUR + 1, Finding.NOT_QUALIFIED),
        (AVERAGE, AreaType.URBAN, 2_000_000 * YEAR_OF_FOUR, Finding.NOT_QUALIFIED),
        (AVERAGE, AreaType.URBAN, 3_000_000 * YEAR_OF_FOUR, Finding.AVERAGE_LIVING),
        (WORKER, AreaType.RURAL, 0, Finding.LOW_INCOME_WORKER),
        (WORKER, AreaType.RURAL, LIMIT * YEAR_OF_FOUR, Finding.LOW_INCOME_WORKER),
        (WORKER, AreaType.RURAL, LIMIT * YEAR_OF_FOUR + 1, Finding.NOT_QUALIFIED),
        (WORKER, AreaType.URBAN, 3_000_000 * YEAR_OF_FOUR, Finding.LOW_INCOME_WORKER),
    ],
)
def test_the_limits_are_exact(kind: ProcedureKind, area: AreaType, total: int, found: Finding) -> None:
    assert find_by_income(kind, STANDARD, area, ON, Income(total, 4)) is found


@given(
    kind=st.sampled_from([AVERAGE, WORKER]),
    area=st.sampled_from(AreaType),
    members=st.integers(1, 20),
    total=st.integers(0, 2_000_000_000),
)
def test_more_income_never_qualifies_who_did_not_for_having_too_much(
    kind: ProcedureKind, area: AreaType, members: int, total: int
) -> None:
    found = find_by_income(kind, STANDARD, area, ON, Income(total, members))
    limit = {AreaType.RURAL: 2_250_000, AreaType.URBAN: 3_000_000}[area]

    if total > limit * 12 * members:
        assert found is Finding.NOT_QUALIFIED
    elif kind is WORKER or total > STANDARD.income_lines[area] * 12 * members:
        assert found.value == kind.value
    else:
        assert found is Finding.NOT_QUALIFIED


@pytest.mark.parametrize(
    ("kind", "standard", "on"),
    [
        (AVERAGE, "STD_2027_2030", dt.date(2027, 2, 1)),
        (WORKER, "STD_2027_2030", dt.date(2027, 2, 1)),
        (WORKER, "STD_2022_2025", dt.date(2025, 4, 9)),
        (AVERAGE, "STD_2022_2025", dt.date(2027, 1, 1)),
    ],
)
def test_a_limit_that_is_not_known_refuses(kind: ProcedureKind, standard: str, on: dt.date) -> None:
    with pytest.raises(Refused) as refused:
        find_by_income(kind, get_standard(standard), AreaType.RURAL, on, Income(1, 1))
    assert refused.value.rule == "income-limit-not-loaded"


# The review: asked for, posted five working days, decided or answered in writing.


def refusal(case: str, on: str) -> dict[str, object]:
    paper = {"kind": "REFUSAL", "number": "32/UBND", "dated": on}
    return {"case": case, "paper": paper, "reason": "Thu nhập vượt mức quy định"}


async def hung_out(commune: Commune, kind: str) -> tuple[Review, list[str]]:
    """One who qualifies and one who earns too much, posted on 16/05/2025, a Friday."""
    review, (first, second) = await by_income(commune, kind)
    asked = "REQUEST_WORKER" if kind == WORKER else "REQUEST_REVIEW"
    await review.request(first, second, kind=asked)
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.SURVEY, cases=[first, second], income_months=12)
    await review.earns(first, LIMIT * YEAR_OF_FOUR)
    await review.earns(second, LIMIT * YEAR_OF_FOUR + 1)
    hung = await review.at("2025-05-16").do(Action.POST)
    assert hung["posted_until"] == "2025-05-23", "five working days"
    return review, [first, second]


@pytest.mark.parametrize("kind", ["AVERAGE_LIVING", "LOW_INCOME_WORKER"])
async def test_it_is_recognised_or_refused_in_writing_and_has_a_list_of_its_own(
    commune: Commune, engine: Engine, kind: str
) -> None:
    review, (first, second) = await hung_out(commune, kind)
    assert (await review.at("2025-05-23").do(Action.END_POSTING, 422))["rule"] == "posting-not-over"
    await review.at("2025-05-26").do(Action.END_POSTING)

    done = await review.do(Action.RECOGNISE, number="31/QĐ-UBND", refusals=[refusal(second, "2025-05-26")])

    assert done["state"] == "RECOGNISED"
    listed = (await commune.ask("GET", "/v1/recognitions", params={"kind": kind}))["items"]
    cases = await review.cases()
    assert [(each["household_id"], each["member_id"]) for each in listed] == [
        (cases[first]["household_id"], first if kind == WORKER else None)
    ]
    assert (listed[0]["decision_number"], listed[0]["decided_on"]) == ("31/QĐ-UBND", "2025-05-26")
    assert await commune.ask("GET", f"/v1/recognitions/{listed[0]['id']}") == listed[0]
    other = {"AVERAGE_LIVING": "LOW_INCOME_WORKER", "LOW_INCOME_WORKER": "AVERAGE_LIVING"}[kind]
    assert (await commune.ask("GET", "/v1/recognitions", params={"kind": other}))["items"] == []
    for case in cases.values():
        assert (await commune.household(case["household_id"]))["poverty_class"] is None
    async with engine("households").connect() as conn:
        told = await emitted(conn, RecognitionDecided)
        assert await emitted(conn, HouseholdClassified) == []
        assert await emitted(conn, ReviewOpened) == []
    assert {str(each.household_id): each.recognised for each in told} == {
        cases[first]["household_id"]: True,
        cases[second]["household_id"]: False,
    }
    assert first not in str(told) or kind != WORKER, "the worker is not named"
    assert (await review.do(Action.ISSUE_CERTIFICATE, 422, cases=[first]))["rule"] == "certificate-not-due"
    assert (await review.do(Action.REPORT, 422))["rule"] == "step-not-in-procedure"
    assert (await review.do(Action.CALL_MEETING, 422))["rule"] == "step-not-in-procedure"
    await commune.ask("POST", f"/v1/reviews/{review.id}/closure", 201)


async def test_a_complaint_is_checked_again_within_three_working_days_and_then_decided(
    commune: Commune,
) -> None:
    review, (first, second) = await hung_out(commune, "AVERAGE_LIVING")
    await review.at("2025-05-20").do(Action.COMPLAIN, cases=[second])
    page = await commune.ask("GET", "/v1/deadlines", params={"review": review.id})
    assert {each["rule"]: each["due_on"] for each in page["items"]}["RECHECK"] == "2025-05-23"
    await review.earns(second, 2_000_000 * YEAR_OF_FOUR, Action.RECHECK)
    await review.at("2025-05-26").do(Action.END_POSTING)

    await review.do(Action.RECOGNISE)

    listed = (await commune.ask("GET", "/v1/recognitions"))["items"]
    assert {each["household_id"] for each in listed} == {first, second}


async def test_a_correction_stands_in_the_place_of_what_it_corrects(commune: Commune) -> None:
    review, (first, second) = await hung_out(commune, "AVERAGE_LIVING")
    await review.at("2025-05-26").do(Action.END_POSTING)
    await review.do(Action.RECOGNISE, number="31/QĐ-UBND", refusals=[refusal(second, "2025-05-26")])
    [before] = (await commune.ask("GET", "/v1/recognitions"))["items"]

    said = {"reason": "Nhầm thu nhập", "number": "40/QĐ-UBND", "corrects": "31/QĐ-UBND"}
    await review.earns(first, 10 * LIMIT * YEAR_OF_FOUR, Action.CORRECT, **said)
    said = {"reason": "Nhầm thu nhập", "number": "41/QĐ-UBND", "corrects": "32/UBND"}
    await review.earns(second, LIMIT * YEAR_OF_FOUR, Action.CORRECT, **said)

    [now] = (await commune.ask("GET", "/v1/recognitions"))["items"]
    assert (now["household_id"], now["decision_number"]) == (second, "41/QĐ-UBND")
    assert (await commune.ask("GET", f"/v1/recognitions/{before['id']}")) == before


async def test_whoever_is_on_a_list_is_no_low_income_worker_and_leaves_this_list(commune: Commune) -> None:
    review, (first, second) = await by_income(commune, "LOW_INCOME_WORKER")
    earlier = await commune.open_review(2025, kind="REGULAR", decided_on="2025-05-15")
    await commune.decide(earlier, await household_of(commune, first), 120, 40)

    refused = await review.do(
        Action.LIST, 422, cases=[first], paper={"kind": "REQUEST_WORKER", "number": "1", "dated": review.on}
    )  # fmt: skip
    assert refused["rule"] == "worker-of-listed-household"

    await review.request(second, kind="REQUEST_WORKER")
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.SURVEY, cases=[second], income_months=12)
    await review.earns(second, 0)
    await review.do(Action.POST)
    await review.at("2025-05-23").do(Action.END_POSTING)
    await review.do(Action.RECOGNISE)
    assert len((await commune.ask("GET", "/v1/recognitions"))["items"]) == 1

    became_poor = await commune.open_review(2025, kind="REGULAR", decided_on="2025-05-23")
    await commune.decide(became_poor, await household_of(commune, second), 120, 40)

    assert (await commune.ask("GET", "/v1/recognitions"))["items"] == []
    log = (await commune.ask("GET", f"/v1/households/{await household_of(commune, second)}/entries"))["items"]
    assert [each["action"] for each in log] == ["LIST", "SURVEY", "SCORE", "POST", "RECOGNISE"]


async def household_of(commune: Commune, member: str) -> str:
    for each in await commune.households():
        found = await commune.ask("GET", f"/v1/households/{each['id']}/members")
        if member in str(found):
            return str(each["id"])
    raise LookupError(member)


async def test_what_is_wrongly_given_is_refused_by_name(commune: Commune) -> None:
    review, (household, _) = await by_income(commune, "AVERAGE_LIVING")
    assert (await review.do(Action.LIST, 422, cases=[household]))["rule"] == "request-missing"
    await review.request(household)
    await review.do(Action.CLOSE_LIST)
    assert (await review.do(Action.SURVEY, 422, cases=[household]))["rule"] == "income-months-wrong"
    await review.do(Action.SURVEY, cases=[household], income_months=12)

    by_points = await review.do(Action.SCORE, 422, cases=[household], members=4, b1_points=120, b2_points=0)
    assert by_points["rule"] == "income-missing"
    too_much = await review.do(Action.SCORE, 422, cases=[household], members=4, income_dong=10**12)
    assert too_much["rule"] == "income-out-of-range"


@pytest.mark.parametrize(
    ("kind", "on", "rule"),
    [
        ("LOW_INCOME_WORKER", "2025-03-17", "income-limit-not-loaded"),
        ("AVERAGE_LIVING", "2021-12-15", "standard-not-valid"),
    ],
)
async def test_a_review_is_not_opened_before_its_law(commune: Commune, kind: str, on: str, rule: str) -> None:
    clock.fix(dt.date.fromisoformat(on))
    given = {"commune": commune.code, "year": int(on[:4]), "kind": kind, "stage": "OFFICIAL"}
    given |= {"standard": "STD_2022_2025", "decided_on": on}

    assert (await commune.ask("POST", "/v1/reviews", 422, json=given))["rule"] == rule


async def test_it_takes_no_result_but_by_its_steps_and_knows_no_preliminary_stage(commune: Commune) -> None:
    review, (household, _) = await by_income(commune, "AVERAGE_LIVING")
    given = {"household_id": household, "members": 4, "b1_points": 1, "b2_points": 0}
    path = f"/v1/reviews/{review.id}/results"
    assert (await commune.ask("POST", path, 422, json=given))["rule"] == "review-runs-by-steps"

    opened = {"commune": commune.code, "year": 2025, "kind": "AVERAGE_LIVING", "stage": "PRELIMINARY"}
    opened |= {"standard": "STD_2022_2025", "decided_on": "2025-05-15"}
    refused = await commune.ask("POST", "/v1/reviews", 422, json=opened)
    assert refused["rule"] == "review-without-preliminary"


async def test_a_member_of_elsewhere_is_not_found_and_the_list_is_the_areas_own(
    commune: Commune, signed_in: SignIn
) -> None:
    review, (member, _) = await by_income(commune, "LOW_INCOME_WORKER")
    paper = {"kind": "REQUEST_WORKER", "number": "1/GDN", "dated": review.on}
    household = await household_of(commune, member)
    assert (await review.do(Action.LIST, 404, cases=[household], paper=paper))["rule"] == "member-not-found"

    stranger = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    assert (await stranger.ask("GET", "/v1/recognitions"))["items"] == []
