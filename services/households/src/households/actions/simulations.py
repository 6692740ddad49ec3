"""Simulations: asked for over HTTP, run in the background, kept. The register is read and never touched.

A run is one transaction. It gathers the facts of every household, evaluates the rules once for each distinct
combination of facts, and joins the verdicts with the facts in SQL.
"""

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock
from benvung.auth import Principal, Scope
from benvung.vault import Vault
from households import domain, store
from households.actions.decisions import combination_key
from households.actions.refusals import (
    AreaNotFound,
    LocalStandardElsewhere,
    RestrictedIndicators,
    SimulationsDiffer,
    SimulationUnfinished,
)
from households.domain import AreaType, HouseholdClass, Refused, RuleSet, RuleSetGiven, Undecided
from households.store.simulations import Seer

CHUNK = 2000
ATTEMPTS = 3
RESTRICTED = "indicators.read"
"""The permission to see what concerns children's health and the like."""


def seer(principal: Principal, area: str | None = None) -> Seer:
    """What of simulations a person sees, narrowed to the area asked for."""
    scope = principal.scope()
    return Seer(scope if area is None else scope.narrow(area), principal.may(RESTRICTED))


async def _check_geography(conn: AsyncConnection, scope: Scope, day: dt.date) -> None:
    """Refuse a day on which these communes were others: counts of a part must not pass for the whole."""
    eras = await store.geography.since(conn, day)
    if scope.communes is not None and eras.sources(scope).communes != scope.communes:
        first = max(eras.days)
        raise Refused(
            "simulation-before-reorganisation",
            f"Địa bàn đã được sắp xếp sau ngày {day:%d/%m/%Y}; hãy chọn ngày từ {first:%d/%m/%Y}, hoặc cả nước.",
            f"The area was reorganised after {day.isoformat()}; choose a day from {first.isoformat()} on, or"
            " the whole country.",
            "body.day",
        )


async def ask(
    conn: AsyncConnection, principal: Principal, *, title: str, area: str, day: dt.date, given: RuleSetGiven
) -> uuid.UUID:
    """Have a rule set tried out over an area as of a day; the background work runs it.

    Raises `AreaNotFound`, `OutsideArea`, `LocalStandardElsewhere`, `RestrictedIndicators`, and the domain's
    `Refused`.
    """
    if areas.find(area, clock.today()) is None:
        raise AreaNotFound
    principal.scope().check_area(area)
    rules = domain.rule_set(given)
    if rules.province is not None:
        province = areas.province_of(area, clock.today())
        if province is None or province.code != rules.province:
            raise LocalStandardElsewhere
    if rules.restricted and not principal.may(RESTRICTED):
        raise RestrictedIndicators
    scope = principal.scope().narrow(area)
    await _check_geography(conn, scope, day)
    communes = scope.communes
    simulation_id = uuid.uuid4()
    await store.simulations.add(
        conn,
        {
            "id": simulation_id,
            "title": title,
            "asked_by": principal.subject,
            "area": area,
            "communes": None if communes is None else sorted(communes),
            "day": day,
            "standard": rules.standard.code,
            "rule_version": rules.standard.rule_version,
            "rules": {"given": _given(given), "whole": _whole(rules)},
            "restricted": rules.restricted,
        },
    )
    detail = {"area": area, "day": day.isoformat(), "standard": rules.standard.code}
    await audit.record(conn, principal, "simulation.asked", "simulation", str(simulation_id), detail)
    return simulation_id


def _given(given: RuleSetGiven) -> dict[str, Any]:
    """The rules as they were asked for."""
    local = given.local
    return {
        "standard": given.standard,
        "b1_thresholds": None if given.b1_thresholds is None else dict(given.b1_thresholds),
        "b2_threshold": given.b2_threshold,
        "points_per_indicator": given.points_per_indicator,
        "indicators": given.indicators
        and [{"code": code, "points": points} for code, points in given.indicators],
        "local": local
        and {
            "province": local.province,
            "income_lines": dict(local.income_lines),
            "document": local.document,
        },
    }


def _whole(rules: RuleSet) -> dict[str, Any]:
    """The rules with all that the standard said that day: what is run, and can be read years later."""
    return {
        "b1_thresholds": dict(rules.b1_thresholds),
        "b2_threshold": rules.b2_threshold,
        "points": dict(rules.points),
        "province": rules.province,
    }


def rules_of(standard: str, kept: dict[str, Any]) -> RuleSet:
    """The rule set of a kept simulation."""
    whole, loaded = kept["whole"], domain.get_standard(standard)
    return RuleSet(
        standard=loaded,
        b1_thresholds={AreaType(area): points for area, points in whole["b1_thresholds"].items()},
        b2_threshold=whole["b2_threshold"],
        # JSON keeps no order of its own.
        points={code: whole["points"][code] for code in loaded.indicator_codes if code in whole["points"]},
        province=whole["province"],
    )


async def combine_chunk(conn: AsyncConnection, vault: Vault) -> bool:
    """Find the combinations of decisions that were taken before they were kept; False when none is left."""
    rows = await store.combinations.next_ones(conn, CHUNK)
    if not rows:
        return False
    keys = await asyncio.to_thread(
        lambda: [combination_key(vault, row.standard, _flags(vault, row.flags)) or b"" for row in rows]
    )
    await store.combinations.assign(conn, list(zip(rows, keys, strict=True)))
    return True


def _flags(vault: Vault, sealed: bytes) -> list[str]:
    return list(json.loads(vault.open(sealed)))


async def run(conn: AsyncConnection, vault: Vault, simulation_id: uuid.UUID) -> bool:
    """Run a simulation that was started, in this transaction; False when there is nothing to do for it."""
    held = await store.simulations.hold(conn, simulation_id)
    if held is None or await store.combinations.are_left(conn):
        return False
    rules = rules_of(held.standard, held.rules)
    by_flags = rules.needs_flags
    await store.simulating.gather(conn, held.day, held.communes)
    sealed = await store.simulating.combinations(conn, held.standard)
    known = await asyncio.to_thread(lambda: [(each, _flags(vault, flags)) for each, flags in sealed])
    codes = rules.standard.indicator_codes
    await store.simulating.know(
        conn, ((each, rules.points_of(flags), [code in flags for code in codes]) for each, flags in known)
    )
    inputs = await store.simulating.inputs(conn, held.standard, by_flags=by_flags)
    verdicts = await asyncio.to_thread(lambda: list(_verdicts(rules, inputs)))
    await store.simulating.keep(conn, held.id, rules.standard, verdicts, _moves(), by_flags=by_flags)
    await store.simulations.finish(conn, held.id)
    return True


def _verdicts(
    rules: RuleSet, inputs: Sequence[tuple[str, int, int]]
) -> Iterator[tuple[str, int, int, str | None, str | None]]:
    for area_type, b1_points, found in inputs:
        points = (None if found < 0 else found) if rules.needs_flags else rules.points_of_total(found)
        verdict = rules.verdict(AreaType(area_type), b1_points, points)
        undecided = isinstance(verdict, Undecided)
        yield area_type, b1_points, found, None if undecided else verdict, verdict if undecided else None


def _moves() -> Iterator[tuple[str, str, str]]:
    for before in HouseholdClass:
        for after in HouseholdClass:
            change = domain.list_change(before, after)
            if change is not None:
                yield before, after, change


async def give_up(conn: AsyncConnection, simulation_id: uuid.UUID, failure: str) -> None:
    """Count a failed attempt, and end the simulation after `ATTEMPTS` of them."""
    await store.simulations.fail(conn, simulation_id, failure, ATTEMPTS)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two simulations side by side: the counts of each, and how far they change the same households' lists."""

    first: Sequence[Any]
    second: Sequence[Any]
    shared: dict[str, int]


async def compare(conn: AsyncConnection, principal: Principal, first: Any, second: Any) -> Compared:
    """Compare two kept simulations within one's area. Raises `SimulationUnfinished`, `SimulationsDiffer`."""
    if {first.state, second.state} != {"DONE"}:
        raise SimulationUnfinished
    if (first.area, first.day, first.communes) != (second.area, second.day, second.communes):
        raise SimulationsDiffer
    scope = principal.scope()
    return Compared(
        await store.simulations.totals(conn, first.id, scope),
        await store.simulations.totals(conn, second.id, scope),
        await store.simulations.shared_changes(conn, first.id, second.id, scope),
    )
