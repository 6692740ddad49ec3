"""Forms A and B filled item by item: the points follow from an approved table, the flags from the answers.

A filled form decides nothing by itself. A result, or a step of a review, names it and is taken from it.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock
from benvung.auth import Principal, Scope
from benvung.vault import Vault
from households import domain, store
from households.actions import causes
from households.actions.form_refusals import FormNotFound
from households.actions.refusals import HouseholdNotFound, ReviewNotFound
from households.domain import PointForm, Refused, Scores
from households.domain.b2_form import exact, plain
from households.domain.causes import Causes, check_class
from households.domain.deprivation import Judgement
from households.domain.deprivation import judge as judge_form
from households.domain.rosters import roster
from households.domain.scoring import PointBasis, PointScore
from households.store.reviews import Review

LEGAL = "Quyết định 24/2021/QĐ-TTg, Điều 4"


@dataclass(frozen=True, slots=True)
class Items:
    """The answers to a form that a table scores. `skipped`: what the form's own rule leaves out, and why."""

    column: str
    answers: Mapping[str, object]
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormB:
    """A form B as somebody filled it: B1 item by item or as a total, B2 always by its raw answers."""

    household_id: uuid.UUID
    filled_on: dt.date
    b1: Items | None
    b1_points: int | None
    b2: Mapping[str, object]
    causes: Causes | None = None


@dataclass(frozen=True, slots=True)
class FormA:
    """A form A as somebody filled it: the screening of a household that asked to be reviewed."""

    household_id: uuid.UUID
    filled_on: dt.date
    items: Items


async def fill_a(
    conn: AsyncConnection, principal: Principal, vault: Vault, review_id: uuid.UUID, given: FormA
) -> uuid.UUID:
    """Keep a filled form A with its answer. Raises as `fill_b` does."""
    review, home = await _review_of(conn, principal, review_id, given.household_id, given.filled_on)
    table = await score_table(conn, PointForm.FORM_A, review, given.filled_on)
    found = domain.screen(
        table.table, given.items.column, review.area_type, given.items.answers, given.items.skipped
    )
    values = {
        "form": "FORM_A",
        "members": home.members,
        "score_table": table.id,
        "b1_points": found.score.total,
        "basis": domain.Basis.ITEMS,
        "to_review": found.to_review,
    }
    content = {"items": _said(given.items), "lines": _lines(found.score)}
    kept = values | _place(review, home, given.filled_on)
    return await _keep(conn, principal, vault, kept, content)


async def fill_b(
    conn: AsyncConnection, principal: Principal, vault: Vault, review_id: uuid.UUID, given: FormB
) -> uuid.UUID:
    """Keep a filled form B with its points and flags: whole, or refused by what is missing.

    Raises `ReviewNotFound`, `OutsideArea`, `HouseholdNotFound`, and the domain's `Refused`.
    """
    review, home = await _review_of(conn, principal, review_id, given.household_id, given.filled_on)
    b1, table_id = await _b1(conn, review, given)
    facts = await store.members.facts_of_many(conn, vault, [given.household_id])
    members = roster(facts.get(given.household_id, ()), given.filled_on)
    if not members:
        raise no_members()
    judged = judge_form(review.standard, given.filled_on, members, given.b2)
    scores = domain.scores(
        review.standard,
        b1.total,
        None,
        judged.deprivations(),
        b1_from_items=b1.basis is PointBasis.ITEMS,
    )
    if given.causes is not None:
        found = domain.classify(review.standard, review.area_type, scores.b1_points, scores.b2_points)
        check_class(found.household_class)
    values = {
        "form": "FORM_B",
        "members": len(members),
        "score_table": table_id,
        "b1_points": scores.b1_points,
        "b2_points": scores.b2_points,
        "basis": scores.basis,
    }
    content = {
        "items": given.b1 and _said(given.b1),
        "lines": _lines(b1),
        "answers": {code: _plain(answer) for code, answer in given.b2.items()},
        "form_version": judged.form_version,
        "deprivations": scores.deprivations,
        "flags": _flags(judged),
        **causes.said(given.causes),
    }
    kept = values | _place(review, home, given.filled_on)
    return await _keep(conn, principal, vault, kept, content)


async def _b1(conn: AsyncConnection, review: Review, given: FormB) -> tuple[PointScore, uuid.UUID | None]:
    if given.b1 is None:
        if given.b1_points is None:
            raise Refused(
                "b1-missing",
                "Thiếu điểm B1: phải trả lời từng mục của Phiếu B1, hoặc ghi tổng điểm.",
                "B1 is missing: answer form B1 item by item, or give its total.",
                "body.b1",
                review.standard.legal,
            )
        return domain.given_total(given.b1_points), None
    table = await score_table(conn, PointForm.FORM_B1, review, given.filled_on)
    found = domain.score_form(
        table.table, given.b1.column, review.area_type, given.b1.answers, given.b1.skipped
    )
    if given.b1_points is not None and given.b1_points != found.total:
        raise Refused(
            "b1-contradicts-items",
            f"Phiếu ghi {given.b1_points} điểm B1 nhưng các mục cộng lại là {found.total} điểm.",
            f"The form says {given.b1_points} B1 points, but its items make {found.total}.",
            "body.b1_points",
            review.standard.legal,
        )
    return found, table.id


async def score_table(
    conn: AsyncConnection, form: PointForm, review: Review, on: dt.date
) -> store.score_tables.Loaded:
    """The loaded table that scores a form surveyed that day. Raises `Refused` when none is in force."""
    loaded = await store.score_tables.that_count(conn, form, review.standard.code)
    chosen = domain.table_in_force([each.table for each in loaded], form, review.standard.code, on)
    return next(each for each in loaded if each.table is chosen)


async def _review_of(
    conn: AsyncConnection, principal: Principal, review_id: uuid.UUID, household_id: uuid.UUID, on: dt.date
) -> tuple[Review, sa.Row[Any]]:
    review = await store.reviews.hold(conn, review_id)
    if review is None:
        raise ReviewNotFound
    # One that is closed may still have been wrong: a form for a correction is filled in it too.
    principal.scope().check(review.commune)
    home = await store.households.find(conn, household_id, principal.scope())
    if home is None or home.commune != review.commune:
        raise HouseholdNotFound
    if on > clock.today():
        raise Refused(
            "survey-in-future",
            f"Ngày rà soát {on:%d/%m/%Y} chưa tới.",
            f"The day of the survey, {on.isoformat()}, is still to come.",
            "body.filled_on",
        )
    domain.check_standard(review.standard, on)
    return review, home


def _place(review: Review, home: sa.Row[Any], on: dt.date) -> dict[str, Any]:
    return {
        "review_id": review.id,
        "household_id": home.id,
        "commune": home.commune,
        "village": home.village,
        "filled_on": on,
    }


async def _keep(
    conn: AsyncConnection,
    principal: Principal,
    vault: Vault,
    values: Mapping[str, Any],
    content: Mapping[str, Any],
) -> uuid.UUID:
    form_id = uuid.uuid4()
    kept = {"id": form_id, "filled_by": principal.subject, **values}
    await store.forms.add(conn, vault, kept, content)
    detail = {"review": str(values["review_id"]), "form": values["form"], "id": str(form_id)}
    household = str(values["household_id"])
    await audit.record(conn, principal, "household.form_filled", "household", household, detail)
    return form_id


@dataclass(frozen=True, slots=True)
class Found:
    """What a filled form B came to, ready to be decided on."""

    members: int
    scores: Scores
    filled_on: dt.date
    causes: Causes | None = None


async def scored(
    conn: AsyncConnection, vault: Vault, review: Review, household_id: uuid.UUID, form_id: uuid.UUID
) -> Found:
    """A form B of this household in this review. Raises `FormNotFound`."""
    row, content = await _named(conn, vault, form_id, ("FORM_B", review, household_id))
    scores = domain.scores(
        review.standard,
        row.b1_points,
        row.b2_points,
        content["deprivations"],
        b1_from_items=row.basis == domain.Basis.ITEMS,
        form=form_id,
    )
    return Found(row.members, scores, row.filled_on, causes.recorded(content))


async def screened(
    conn: AsyncConnection, vault: Vault, review: Review, household_id: uuid.UUID, form_id: uuid.UUID
) -> bool:
    """How a form A of this household in this review came out. Raises `FormNotFound`."""
    row, _ = await _named(conn, vault, form_id, ("FORM_A", review, household_id))
    return bool(row.to_review)


async def _named(
    conn: AsyncConnection, vault: Vault, form_id: uuid.UUID, of: tuple[str, Review, uuid.UUID]
) -> tuple[sa.Row[Any], Mapping[str, Any]]:
    form, review, household_id = of
    kept = await store.forms.one(conn, vault, form_id, Scope(frozenset({review.commune})))
    wanted = (review.id, household_id, form)
    if kept is None or (kept[0].review_id, kept[0].household_id, kept[0].form) != wanted:
        raise FormNotFound
    return kept


def check_form_alone(form_id: uuid.UUID | None, members: int, found: Found, *points: object) -> None:
    """Refuse points beside a form that has its own, and another number of members than it was filled with."""
    if any(each is not None for each in points):
        raise Refused(
            "form-and-points",
            "Đã nêu phiếu thì không ghi điểm: điểm lấy từ phiếu đã chấm.",
            "With a form no points are given: they are those of the form.",
            "body.form_id",
            LEGAL,
        )
    if members != found.members:
        raise Refused(
            "form-of-other-size",
            f"Phiếu {form_id} được chấm cho {found.members} nhân khẩu, không phải {members}.",
            f"The form {form_id} was filled for {found.members} members, not {members}.",
            "body.members",
            LEGAL,
        )


def no_members() -> Refused:
    """Without its members a household has no form B."""
    return Refused(
        "members-unknown",
        "Sổ chưa có danh sách thành viên của hộ vào ngày rà soát; hãy ghi thành viên trước.",
        "The register has no list of the household's members on the day of the survey; enter them first.",
        "household_id",
    )


def _said(items: Items) -> dict[str, Any]:
    answers = {code: _plain(answer) for code, answer in items.answers.items()}
    return {"column": items.column, "answers": answers, "skipped": dict(items.skipped)}


def _plain(answer: object) -> object:
    number = exact(answer) if not isinstance(answer, str | bool | int) else None
    return answer if number is None else plain(number, "en")


def _lines(score: PointScore) -> list[dict[str, Any]]:
    return [
        {"item": each.item, "options": list(each.options), "points": each.points, "reason": each.reason_vi}
        for each in score.lines or ()
    ]


def _flags(judged: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "indicator": each.indicator,
            "deprived": each.deprived,
            "because": [{"vi": one.vi, "en": one.en} for one in each.evidence],
            "assumed": each.assumed,
        }
        for each in judged.flags
    ]
