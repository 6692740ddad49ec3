"""Simulations: rule sets tried out over the register, their results, who would enter and leave, comparisons."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy import Row

from benvung import audit, clock, etags, paging, problems
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import actions, store
from households.actions.refusals import (
    AreaNotFound,
    LocalStandardElsewhere,
    RestrictedIndicators,
    SimulationNotFound,
    SimulationsDiffer,
    SimulationUnfinished,
)
from households.actions.simulations import rules_of, seer
from households.api.fields import (
    Area,
    Keys,
    Lang,
    Reader,
)
from households.api.simulation_models import (
    CommuneResult,
    ComparisonShown,
    DeprivedShown,
    DifferenceShown,
    ListChangeShown,
    OutcomeShown,
    RuleSetShown,
    SharedShown,
    SimulationGiven,
    SimulationResult,
    SimulationShown,
    TotalsShown,
    WeightShown,
)
from households.domain import (
    HouseholdClass,
    ListChange,
    Undecided,
    get_standard,
    label,
    list_change,
)
from households.domain.labels import Language
from households.tables import simulation_changes, simulation_counts
from households.tables import simulations as table

router = APIRouter(prefix="/v1/simulations", tags=["simulations"])

Planner = Annotated[Principal, Depends(require("simulations.write"))]
SimulationId = Annotated[uuid.UUID, Path(description="the simulation")]
Change = Annotated[
    Literal["ENTERS", "LEAVES", "BETWEEN_LISTS"] | None, Query(description="only this change of lists")
]


@router.post(
    "",
    status_code=202,
    responses=problems.responses(AreaNotFound, OutsideArea, RestrictedIndicators, LocalStandardElsewhere),
)
async def ask(
    *,
    given: SimulationGiven,
    principal: Planner,
    conn: Conn,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> SimulationShown:
    """Have a rule set tried out over an area's households. The register is read and never touched."""
    simulation_id = once.made or await actions.simulations.ask(
        conn,
        principal,
        title=given.title,
        area=given.area,
        day=given.day or clock.today(),
        given=given.rules.rules(),
    )
    response.headers["Location"] = f"/v1/simulations/{simulation_id}"
    return SimulationShown(**_header(await found(conn, principal, simulation_id), lang))


@router.get("", responses=problems.responses(CursorUnknown))
async def simulations(
    *,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    area: Area = None,
    state: Literal["WAITING", "RUNNING", "DONE", "FAILED"] | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[SimulationShown]:
    """The simulations of which you see a part, oldest first."""
    columns = (table.c.recorded_at, table.c.id)
    query = paging.keyset(store.simulations.listed(seer(principal, area), state), columns, after, limit)
    items, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    return Page(items=[SimulationShown(**_header(row, lang)) for row in items], next=following)


@router.get("/{simulation_id}", responses=etags.responses(SimulationNotFound))
async def simulation(
    *, simulation_id: SimulationId, principal: Reader, conn: Conn, lang: Lang, response: Response
) -> SimulationResult:
    """One simulation, with the results in the area you may see."""
    row = await found(conn, principal, simulation_id)
    scope, hidden = principal.scope(), hidden_indicators(principal, row)
    counts = await store.simulations.totals(conn, simulation_id, scope)
    deprived = await store.simulations.indicators(conn, simulation_id, scope, hidden)
    words = _indicator_labels(row.standard, lang)
    shown = SimulationResult(
        **_header(row, lang),
        totals=_totals(counts),
        outcomes=[_outcome(each, lang) for each in counts],
        deprived=[
            DeprivedShown(**each._asdict(), indicator_label=words[each.indicator]) for each in deprived
        ],
        hidden_indicators=hidden,
    )
    etags.tag(response, etags.digest(shown), lang)
    return shown


@router.get("/{simulation_id}/communes", responses=problems.responses(SimulationNotFound, CursorUnknown))
async def communes(
    *,
    simulation_id: SimulationId,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    area: Area = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[CommuneResult]:
    """The results commune by commune."""
    await found(conn, principal, simulation_id)
    columns = (simulation_counts.c.commune,)
    query = store.simulations.communes_query(simulation_id, seer(principal, area).scope)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    by_commune: dict[str, list[Row[Any]]] = {row.commune: [] for row in items}
    for each in await store.simulations.counts(conn, simulation_id, list(by_commune)):
        by_commune[each.commune].append(each)
    return Page(
        items=[
            CommuneResult(
                commune=commune,
                totals=_totals(counts),
                outcomes=[_outcome(each, lang) for each in counts],
            )
            for commune, counts in by_commune.items()
        ],
        next=following,
    )


@router.get("/{simulation_id}/changes", responses=problems.responses(SimulationNotFound, CursorUnknown))
async def changes(
    *,
    simulation_id: SimulationId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    area: Area = None,
    change: Change = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[ListChangeShown]:
    """The households that would enter, leave, or go from list to list. Reading names is recorded."""
    await found(conn, principal, simulation_id)
    columns = (simulation_changes.c.commune, simulation_changes.c.household_id)
    query = store.simulations.changes_query(simulation_id, seer(principal, area).scope, change)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    on_page = audit.About("household", (row.household_id for row in items))
    detail = {"households": len(items)}
    await audit.record(
        conn, principal, "simulation.changes_read", "simulation", str(simulation_id), detail, about=on_page
    )
    return Page(items=[_change(row, vault, lang) for row in items], next=following)


@router.get(
    "/{simulation_id}/comparison",
    responses=problems.responses(SimulationNotFound, SimulationUnfinished, SimulationsDiffer),
)
async def comparison(
    *,
    simulation_id: SimulationId,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    other: Annotated[uuid.UUID, Query(alias="with", description="the second simulation")],
) -> ComparisonShown:
    """Two simulations of the same area and day side by side, in the area you may see."""
    first, second = await found(conn, principal, simulation_id), await found(conn, principal, other)
    compared = await actions.simulations.compare(conn, principal, first, second)
    shared = compared.shared
    return ComparisonShown(
        first=simulation_id,
        second=other,
        first_totals=_totals(compared.first),
        second_totals=_totals(compared.second),
        differences=_differences(compared.first, compared.second, lang),
        changes=SharedShown(
            only_first=shared.get("ONLY_FIRST", 0),
            only_second=shared.get("ONLY_SECOND", 0),
            alike=shared.get("ALIKE", 0),
            different=shared.get("DIFFERENT", 0),
        ),
    )


async def found(conn: Conn, principal: Principal, simulation_id: uuid.UUID) -> Row[Any]:
    """A simulation of which the principal sees a part. Raises `SimulationNotFound`."""
    row = await store.simulations.find(conn, simulation_id, seer(principal))
    if row is None:
        raise SimulationNotFound
    return row


def hidden_indicators(principal: Principal, row: Row[Any]) -> list[str]:
    """The indicators whose counts are not for the principal's eyes."""
    if seer(principal).restricted:
        return []
    return [each.code for each in get_standard(row.standard).indicators if each.restricted]


def _indicator_labels(standard: str, lang: Language) -> dict[str, str]:
    return {
        each.code: each.label_vi if lang == "vi" else each.label_en
        for each in get_standard(standard).indicators
    }


def _header(row: Row[Any], lang: Language) -> dict[str, Any]:
    words, rules = _indicator_labels(row.standard, lang), rules_of(row.standard, row.rules)
    return {
        "id": row.id,
        "title": row.title,
        "asked_by": row.asked_by,
        "area": row.area,
        "day": row.day,
        "restricted": row.restricted,
        "state": row.state,
        "failure": row.failure,
        "recorded_at": row.recorded_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "rules": RuleSetShown(
            standard=row.standard,
            rule_version=row.rule_version,
            b1_thresholds={str(area): points for area, points in rules.b1_thresholds.items()},
            b2_threshold=rules.b2_threshold,
            indicators=[
                WeightShown(indicator=code, indicator_label=words[code], points=points)
                for code, points in rules.points.items()
            ],
            province=rules.province,
            given=row.rules["given"],
        ),
    }


def _totals(counts: Iterable[Row[Any]]) -> TotalsShown:
    households = persons = 0
    moved: dict[ListChange, int] = dict.fromkeys(ListChange, 0)
    undecided: dict[str, int] = {}
    for each in counts:
        households += each.households
        persons += each.persons
        if each.undecided is not None:
            undecided[each.undecided] = undecided.get(each.undecided, 0) + each.households
        else:
            change = list_change(HouseholdClass(each.class_before), HouseholdClass(each.class_after))
            if change is not None:
                moved[change] += each.households
    return TotalsShown(
        households=households,
        persons=persons,
        enters=moved[ListChange.ENTERS],
        leaves=moved[ListChange.LEAVES],
        between_lists=moved[ListChange.BETWEEN_LISTS],
        undecided=dict(sorted(undecided.items())),
    )


def _outcome_label(row: Any, lang: Language) -> str:
    undecided = row.undecided
    return label(Undecided(undecided) if undecided else HouseholdClass(row.class_after), lang)


def _outcome(row: Row[Any], lang: Language) -> OutcomeShown:
    values = row._asdict()
    known = {name: values[name] for name in OutcomeShown.model_fields if name in values}
    return OutcomeShown(**known, outcome_label=_outcome_label(row, lang))


def _differences(
    first: Sequence[Row[Any]], second: Sequence[Row[Any]], lang: Language
) -> list[DifferenceShown]:
    parts = ("area_type", "class_before", "class_after", "undecided")
    rows: dict[tuple[str, ...], Row[Any]] = {}
    counts: tuple[dict[tuple[str, ...], int], ...] = ({}, {})
    for place, each_side in enumerate((first, second)):
        for row in each_side:
            key = tuple(getattr(row, part) or "" for part in parts)
            rows[key] = row
            counts[place][key] = row.households
    return [
        DifferenceShown(
            **{part: getattr(row, part) for part in parts},
            outcome_label=_outcome_label(row, lang),
            first=counts[0].get(key, 0),
            second=counts[1].get(key, 0),
            difference=counts[1].get(key, 0) - counts[0].get(key, 0),
        )
        for key, row in sorted(rows.items())
    ]


def _change(row: Row[Any], vault: Vault, lang: Language) -> ListChangeShown:
    return ListChangeShown(
        household_id=row.household_id,
        commune=row.commune,
        village=row.village,
        code=row.code,
        head_name=vault.open(row.head_name),
        members=row.members,
        area_type=row.area_type,
        class_before=row.class_before,
        class_before_label=label(HouseholdClass(row.class_before), lang),
        class_after=row.class_after,
        class_after_label=label(HouseholdClass(row.class_after), lang),
        change=row.change,
        change_label=label(ListChange(row.change), lang),
    )
