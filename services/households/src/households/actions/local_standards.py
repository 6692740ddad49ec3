"""A province's own standard: loaded with its document, and a second result beside every decision it concerns.

The national result alone decides on the class, on events and on eligibility; no reader needs to be told of the
other one, so it stays in the register.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit
from benvung.auth import Principal
from benvung.vault import Vault
from households import store
from households.domain import (
    AreaType,
    Basis,
    Classification,
    Refused,
    Scores,
    Standard,
    get_standard,
    standards,
)
from households.domain.local_standards import check_higher, local_in_force, local_result, scores_by
from households.domain.standards import StandardFileInvalid
from households.store.decisions import Taken
from households.store.local_standards import Facts, Loaded, Result
from households.store.reviews import Review


async def load(
    conn: AsyncConnection, principal: Principal, vault: Vault, content: Mapping[str, Any]
) -> uuid.UUID:
    """Load a province's standard; decisions of its time get their second result at once.

    A standard that is loaded again counts from then on. Who loads it is responsible for the whole province.
    Raises `OutsideArea`, and the domain's `Refused`.
    """
    principal.scope().check_area(str(content["scope"]))
    await store.local_standards.lock(conn)
    try:
        standard = store.local_standards.parsed(content)
    except StandardFileInvalid as error:
        raise Refused(
            "local-standard-contradictory",
            f"Chuẩn của tỉnh mâu thuẫn: {error}.",
            f"The province's standard contradicts itself: {error}.",
            "body",
        ) from error
    check_higher(standard, get_standard(str(content["base"])))
    await _check_alone(conn, standard)
    load_id = uuid.uuid4()
    await store.local_standards.add(conn, load_id, standard, content, principal.subject)
    [loaded] = [
        each for each in await store.local_standards.of_code(conn, standard.code) if each.id == load_id
    ]
    concerned = await _judge_all(conn, vault, loaded)
    detail = {
        "standard": standard.code,
        "document": content["document"]["number"],
        "households": len(concerned),
    }
    await audit.record(conn, principal, "local_standard.loaded", "standard", standard.code, detail)
    return load_id


async def _check_alone(conn: AsyncConnection, standard: Standard) -> None:
    known = await store.local_standards.of_code(conn, standard.code)
    if standard.code in standards() or any(each.standard.scope != standard.scope for each in known):
        raise Refused(
            "standard-code-taken",
            f"Mã {standard.code} đã thuộc về một chuẩn khác.",
            f"The code {standard.code} belongs to another standard.",
            "body.code",
        )
    if known:
        _check_same_days(standard, known[-1].standard)
    others = [each.standard for each in await store.local_standards.that_count(conn, standard.scope)]
    others = [each for each in others if each.code != standard.code]
    for day in (standard.valid_from, *(each.valid_from for each in others)):
        if standard.valid_on(day):
            local_in_force([standard, *others], standard.scope, day)


def _check_same_days(standard: Standard, before: Standard) -> None:
    """Decisions between the old and the new days would keep a result that rests on nothing."""
    if standard.valid_from > before.valid_from or standard.valid_to < before.valid_to:
        raise Refused(
            "local-standard-shortened",
            f"Chuẩn {standard.code} đã được nạp cho thời gian từ {before.valid_from:%d/%m/%Y} đến"
            f" {before.valid_to:%d/%m/%Y}; bản nạp lại không được ngắn hơn.",
            f"{standard.code} was loaded for {before.valid_from.isoformat()} to {before.valid_to.isoformat()};"
            " a later load is not shorter.",
            "body.valid_from",
        )


async def _judge_all(conn: AsyncConnection, vault: Vault, loaded: Loaded) -> list[uuid.UUID]:
    """Each distinct combination of facts is judged once, and joined to the decisions that rest on it."""
    national = get_standard(loaded.base)
    flags = loaded.standard.indicator_codes != national.indicator_codes
    facts = await store.local_standards.facts_concerned(conn, loaded, flags=flags)
    results = [(each, _result(loaded, national, *_scores(vault, each))) for each in facts]
    concerned = await store.local_standards.judge_all(conn, loaded, results, flags=flags)
    if concerned:
        await store.local_standards.refresh(conn, concerned)
    return concerned


def _scores(vault: Vault, facts: Facts) -> tuple[AreaType, Scores]:
    deprived = None if facts.flags is None else tuple(json.loads(vault.open(facts.flags)))
    basis = Basis.TOTALS_GIVEN if deprived is None else Basis.FLAGS
    return AreaType(facts.area_type), Scores(facts.b1_points, facts.b2_points, deprived, basis)


def _result(loaded: Loaded, national: Standard, area_type: AreaType, scores: Scores) -> Result:
    found = local_result(loaded.standard, national, area_type, scores)
    if isinstance(found, Classification):
        points = scores_by(loaded.standard, national, scores).b2_points
        why = {"vi": found.reason_vi, "en": found.reason, "legal": found.legal, "rule": None}
        return Result(found.household_class, points, why)
    why = {"vi": found.message_vi, "en": found.message_en, "legal": found.legal, "rule": found.rule}
    return Result(None, None, why)


async def follow(conn: AsyncConnection, review: Review, taken: Sequence[Taken]) -> None:
    """Give these decisions, which are just taken, their second result where the province has a standard."""
    if not await store.local_standards.share(conn):
        return
    known = await store.local_standards.that_count(conn, review.province)
    if not known:
        return
    chosen = local_in_force([each.standard for each in known], review.province, review.valid_from)
    loaded = next((each for each in known if each.standard is chosen), None)
    if loaded is not None and loaded.base == review.standard.code:
        rows = [
            (
                each.sequence,
                each.outcome.state.household_id,
                _result(loaded, review.standard, review.area_type, each.scores),
            )
            for each in taken
        ]
        await store.local_standards.add_results(conn, loaded, rows)
    await store.local_standards.refresh(conn, [each.outcome.state.household_id for each in taken])
