"""Who may record what: the part in a review that somebody holds, in all of its area, by the law of the day."""

import datetime as dt

import httpx2
import pytest
from tests.households.officer import COMMUNE, PROVINCE, Commune, SignIn
from tests.households.reviewing import Review, begun, consulted

from benvung import areas, clock
from benvung.testing.tokens import EVERYTHING
from households.domain import Refused
from households.domain.capacities import RecorderLevel, capacity
from households.domain.procedure_terms import Action, ProcedureKind, Role
from households.domain.procedures import get_procedure, procedures

DISTRICT, OTHER_DISTRICT = "630", "622"
STAFF = ("households.read", "reviews.record")


def as_somebody(
    review: Review, client: httpx2.AsyncClient, higher: httpx2.AsyncClient | None = None
) -> Review:
    """The same village, acted on by another one."""
    commune = review.commune
    theirs = Review(Commune(commune.app, client, commune.folder, commune.code, higher=higher), review.id)
    theirs.on = review.on
    return theirs


def test_whoever_the_law_lets_act_has_a_part_that_can_be_recorded() -> None:
    for procedure in procedures():
        roles = {role for rule in procedure.actions.values() for role in rule.roles}
        for role in roles - {Role.DISTRICT_CHAIR, Role.PROVINCE_CHAIR}:
            assert capacity(role, procedure.valid_from).level is RecorderLevel.COMMUNE


@pytest.mark.parametrize("on", ["2021-09-01", "2024-12-31", "2025-06-30", "2025-07-01", "2026-11-23"])
def test_who_is_asked_for_an_opinion_is_who_may_give_it_that_day(on: str) -> None:
    day = dt.date.fromisoformat(on)
    authority = get_procedure(ProcedureKind.ANNUAL, day).consult_authority(day)
    other = {Role.DISTRICT_CHAIR: Role.PROVINCE_CHAIR, Role.PROVINCE_CHAIR: Role.DISTRICT_CHAIR}[authority]

    found = capacity(authority, day)

    assert (found.permission, found.level.value) == ("reviews.opine", authority.removesuffix("_CHAIR"))
    with pytest.raises(Refused) as refused:
        capacity(other, day)
    assert refused.value.rule == "capacity-not-in-force"


async def test_village_and_review_staff_list_and_survey_but_decide_nothing(
    commune: Commune, signed_in: SignIn
) -> None:
    review, (one,) = await begun(commune)
    staff = as_somebody(review, signed_in(COMMUNE, permissions=STAFF))

    await staff.score(one)
    await staff.do(Action.CALL_MEETING, role="VILLAGE_HEAD")
    await staff.meet()
    await staff.at("2024-10-21").do(Action.POST)
    await staff.at("2024-10-25").do(Action.END_POSTING)
    refused = await staff.do(Action.ASK_OPINION, 403)

    assert refused["rule"] == "capacity-not-held"
    assert "reviews.decide" in refused["detail"]
    assert await review.state() == "POSTING"
    posing = await staff.do(Action.ASK_OPINION, 422, role="STEERING_COMMITTEE")
    assert posing["rule"] == "actor-not-competent"


@pytest.mark.parametrize(
    "action", [Action.RECOGNISE, Action.REPORT, Action.CORRECT, Action.ISSUE_CERTIFICATE]
)
async def test_only_the_communes_chair_recognises_reports_and_corrects(
    commune: Commune, signed_in: SignIn, action: Action
) -> None:
    review, (one, _) = await consulted(commune)
    staff = as_somebody(review, signed_in(COMMUNE, permissions=STAFF))
    said = {"cases": [one], "members": 4, "b1_points": 1} if action is Action.CORRECT else {"cases": [one]}

    assert (await staff.do(action, 403, **said))["rule"] == "capacity-not-held"


async def test_a_reader_records_nothing(commune: Commune, signed_in: SignIn) -> None:
    review, (one,) = await begun(commune)
    reader = as_somebody(review, signed_in(COMMUNE, permissions=["households.read"]))

    assert (await reader.do(Action.SURVEY, 403, cases=[one]))["rule"] == "not-permitted"
    assert (await reader.open(403))["rule"] == "not-permitted"
    assert await reader.log()


async def test_the_opinion_is_given_by_who_holds_the_whole_district(
    commune: Commune, signed_in: SignIn
) -> None:
    review, _ = await consulted(commune)
    opining = ("households.read", "reviews.opine")

    own = as_somebody(review, commune.client, signed_in(COMMUNE))
    assert (await own.do(Action.GIVE_OPINION, 403))["rule"] == "outside-area"
    own_route = await own.commune.client.post(
        f"{own.here}/entries", json={"action": "GIVE_OPINION", **own.act(Action.GIVE_OPINION)}
    )
    assert (own_route.status_code, own_route.json()["rule"]) == (403, "outside-area")
    elsewhere = as_somebody(review, commune.client, signed_in(OTHER_DISTRICT, permissions=opining))
    assert (await elsewhere.do(Action.GIVE_OPINION, 403))["rule"] == "outside-area"
    without = [each for each in EVERYTHING if each != "reviews.opine"]
    powerless = as_somebody(review, commune.client, signed_in(DISTRICT, permissions=without))
    assert (await powerless.do(Action.GIVE_OPINION, 403))["rule"] == "not-permitted"
    early = as_somebody(review, commune.client, signed_in(PROVINCE, permissions=opining))
    assert (await early.do(Action.GIVE_OPINION, 422, role="PROVINCE_CHAIR"))[
        "rule"
    ] == "capacity-not-in-force"

    district = as_somebody(review, commune.client, signed_in(DISTRICT, permissions=opining))
    await district.do(Action.GIVE_OPINION)

    line = (await review.log())[-1]
    assert (line["action"], line["role"]) == ("GIVE_OPINION", "DISTRICT_CHAIR")


async def test_since_july_2025_the_province_gives_it_and_no_district(
    application: tuple[object, object], signed_in: SignIn, commune: Commune
) -> None:
    province = "52"
    clock.fix(dt.date(2025, 10, 1))
    code = min(unit.code for unit in areas.communes_under(province, clock.today()))
    here = Commune(commune.app, signed_in(code), commune.folder, code, higher=signed_in(province))
    await here.list_villages("Làng Mới")
    review = Review(here, await here.open_review(2025))
    await review.open()
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    await review.do(Action.POST)
    await review.at("2025-10-07").do(Action.END_POSTING)
    asked = await review.do(Action.ASK_OPINION)
    assert asked["state"] == "CONSULT"
    assert (await review.log())[-1]["facts"] == {"authority": "PROVINCE_CHAIR"}

    of_commune = as_somebody(review, here.client, signed_in(code))
    assert (await of_commune.do(Action.GIVE_OPINION, 403))["rule"] == "outside-area"
    late = await review.do(Action.GIVE_OPINION, 422, role="DISTRICT_CHAIR")
    assert late["rule"] == "capacity-not-in-force"
    await review.do(Action.GIVE_OPINION)
    assert (await review.log())[-1]["role"] == "PROVINCE_CHAIR"
