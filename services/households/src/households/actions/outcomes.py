"""What a review finds and what recognition makes of it: decisions of the register, or results by income."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import outbox
from benvung.vault import Vault
from households import domain, store
from households.actions import causes, forms
from households.actions.corrections import put_in_its_place
from households.actions.decisions import RefusedResult, Result, combination_key, decide_many, seal_flags
from households.domain import Refused
from households.domain.causes import check_class
from households.domain.cycle import Entry, Moved
from households.domain.income import BY_INCOME, Income, find_by_income, income_limit
from households.domain.procedure_terms import Action, CaseState, Finding
from households.domain.terms import Basis, HouseholdClass
from households.events import RecognitionDecided
from households.store.decisions import Own
from households.store.recognitions import Recognition
from households.store.reviews import Review

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The last result of each case of a village, and whose it is: household and, of a worker, member."""

    review: Review
    village: str
    results: Mapping[uuid.UUID, Given]
    subjects: Mapping[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]]


def finding(review: Review, on: date, given: Given) -> Finding:
    """The class is computed from the forms, or from the income, and never typed. Raises `Refused`."""
    domain.check_members(given["members"])
    said = causes.of_said(on, given)
    if review.procedure in BY_INCOME:
        if given.get("income_dong") is None:
            raise Refused(
                "income-missing",
                "Thiếu tổng thu nhập của hộ trong 12 tháng trước thời điểm rà soát.",
                "The household's income of the twelve months before the review is missing.",
                "income_dong",
                income_limit(review.procedure, review.standard, on).legal,
            )
        if said is not None:
            check_class(HouseholdClass.AVERAGE_LIVING)
        income = Income(given["income_dong"], given["members"])
        return find_by_income(review.procedure, review.standard, review.area_type, on, income)
    scores = _scores(review, given)
    found = domain.classify(review.standard, review.area_type, scores.b1_points, scores.b2_points)
    if said is not None:
        check_class(found.household_class)
    return Finding(found.household_class.value)


def _scores(review: Review, given: Given) -> domain.Scores:
    form = given.get("form_id")
    return domain.scores(
        review.standard,
        given.get("b1_points"),
        given.get("b2_points"),
        given.get("deprivations"),
        b1_from_items=given.get("basis") == Basis.ITEMS,
        form=form and uuid.UUID(form),
    )


async def from_form(
    conn: AsyncConnection, vault: Vault, review: Review, household_id: uuid.UUID, given: Given
) -> Given:
    """What is said of a case with the points of the form it names. Raises `FormNotFound`, and `Refused`."""
    if given.get("form_id") is None:
        return given
    form_id = uuid.UUID(given["form_id"])
    form = await forms.scored(conn, vault, review, household_id, form_id)
    points = (given.get("b1_points"), given.get("b2_points"), given.get("deprivations"))
    forms.check_form_alone(form_id, given["members"], form, *points)
    scores = form.scores
    said = causes.beside_form(form_id, causes.of_said(form.filled_on, given), form.causes)
    return {
        **given,
        **causes.said(said),
        "b1_points": scores.b1_points,
        "deprivations": list(scores.deprivations or ()),
        "basis": scores.basis.value,
    }


async def decide(conn: AsyncConnection, vault: Vault, found: Outcomes, moved: Moved) -> None:
    """Recognition and correction are decisions, taken and told by the one way there is for each."""
    entry = moved.entry
    if entry.action not in {Action.RECOGNISE, Action.CORRECT} or not entry.case_ids:
        return
    if found.review.procedure in BY_INCOME:
        await _recognise_by_income(conn, vault, found, moved)
    elif entry.action is Action.CORRECT:
        await _correct(conn, vault, found, entry)
    else:
        await _recognise(conn, vault, found, entry)


async def _recognise(conn: AsyncConnection, vault: Vault, found: Outcomes, entry: Entry) -> None:
    review = found.review
    from_then = entry.on if review.valid_from == review.decided_on else review.valid_from
    domain.check_standard(review.standard, from_then)
    decided = replace(review, decided_on=entry.on, valid_from=from_then, decision_number=_number(entry))
    results = [_result(vault, review, one, found.results[one]) for one in entry.case_ids]
    _, refused = await decide_many(conn, decided, results)
    if refused:
        raise _of_household(refused[0])


def _of_household(found: RefusedResult) -> Refused:
    """The whole village is decided on at once, so a refusal says whose it is."""
    one, why = found.result.household_id, found.refused
    return Refused(
        why.rule, f"Hộ {one}: {why.message_vi}", f"Household {one}: {why.message_en}", "cases", why.legal
    )


async def _correct(conn: AsyncConnection, vault: Vault, found: Outcomes, entry: Entry) -> None:
    """Another result stands in the place of the recognised one, from the same day on, by its own paper."""
    for one in entry.case_ids:
        decision = await store.reviews.standing_decision(conn, found.review.id, one)
        if decision is None:
            raise LookupError(f"no decision on {one} in review {found.review.id}")
        result = _result(vault, found.review, one, found.results[one])
        own = Own(entry.on, _number(entry), str(entry.facts["reason"]))
        await put_in_its_place(conn, found.review, decision, result, own)


def _number(entry: Entry) -> str:
    assert entry.paper is not None, "a decision rests on a paper"
    return entry.paper.number


def _result(vault: Vault, review: Review, household: uuid.UUID, given: Given) -> Result:
    scores = _scores(review, given)
    return Result(
        household,
        given["members"],
        scores,
        flags=seal_flags(vault, scores.deprivations),
        combination_key=combination_key(vault, review.standard.code, scores.deprivations),
        causes=causes.kept(vault, causes.recorded(given)),
    )


async def _recognise_by_income(conn: AsyncConnection, vault: Vault, found: Outcomes, moved: Moved) -> None:
    review, rows = found.review, []
    legal = income_limit(review.procedure, review.standard, moved.entry.on).legal
    for one in moved.entry.case_ids:
        case, given = moved.cycle.cases[one], found.results[one]
        household, member = found.subjects[one]
        basis = {"income_dong": given["income_dong"], "members": given["members"]}
        rows.append(
            Recognition(
                id=uuid.uuid4(),
                review_id=review.id,
                commune=review.commune,
                village=found.village,
                kind=review.procedure,
                household_id=household,
                member_id=member,
                recognised=case.state is CaseState.RECOGNISED,
                decision_number=case.decisions[-1].number,
                decided_on=moved.entry.on,
                sealed=vault.seal(json.dumps(basis)),
                legal=legal,
                corrects=await store.recognitions.newest(conn, review.id, one),
            )
        )
    await store.recognitions.add(conn, rows)
    await outbox.publish(conn, [_told(review.province, each) for each in rows])


def _told(province: str, found: Recognition) -> RecognitionDecided:
    return RecognitionDecided(
        revision=1,
        province=province,
        commune=found.commune,
        village=found.village,
        recognition_id=found.id,
        review_id=found.review_id,
        household_id=found.household_id,
        kind=found.kind.value,
        recognised=found.recognised,
        decided_on=found.decided_on,
        decision_number=found.decision_number,
        legal=found.legal,
        corrects=found.corrects,
    )
