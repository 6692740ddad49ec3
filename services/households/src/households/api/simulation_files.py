"""Simulations as files to take away: the counts, the households whose lists would change, or all in one book."""

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import from_thread, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, StreamingResponse
from sqlalchemy import Row
from starlette.background import BackgroundTask

from benvung import areas, audit, problems
from benvung.auth import Principal, Scope
from benvung.db import Conn
from benvung.vault import Vault
from households import files, store
from households.actions.refusals import SimulationNotFound, SimulationUnfinished, WorkbookTooLarge
from households.actions.simulations import rules_of
from households.api.fields import Area, Keys, Purpose, Reader, within
from households.api.simulations import Change, SimulationId, found, hidden_indicators
from households.domain import AreaType, HouseholdClass, ListChange, Undecided, label, list_change
from households.files.simulations import SHEET_ROWS

router = APIRouter(prefix="/v1/simulations", tags=["simulations"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
    **problems.responses(SimulationNotFound, SimulationUnfinished),
}
_BOOK: dict[int | str, dict[str, Any]] = {
    200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}},
    **problems.responses(SimulationNotFound, SimulationUnfinished, WorkbookTooLarge),
}


@router.get("/{simulation_id}/counts.csv", response_class=StreamingResponse, responses=_CSV)
async def counts_csv(
    *, request: Request, simulation_id: SimulationId, principal: Reader, purpose: Purpose, area: Area = None
) -> StreamingResponse:
    """The counts commune by commune, in the area you may see."""
    taken = await _taken(request, principal, simulation_id, within(principal, area), None, purpose)
    await taken.counts_on_record()
    return _streamed(files.simulation_counts_csv(taken.counts), f"simulation-{simulation_id}-counts.csv")


@router.get("/{simulation_id}/changes.csv", response_class=StreamingResponse, responses=_CSV)
async def changes_csv(
    *,
    request: Request,
    simulation_id: SimulationId,
    principal: Reader,
    vault: Keys,
    purpose: Purpose,
    area: Area = None,
    change: Change = None,
) -> StreamingResponse:
    """The households that would enter, leave, or go from list to list. Whose data leave is recorded."""
    taken = await _taken(request, principal, simulation_id, within(principal, area), change, purpose)
    return _streamed(
        files.simulation_changes_csv(taken.changes(vault)), f"simulation-{simulation_id}-changes.csv"
    )


@router.get("/{simulation_id}/results.xlsx", response_class=FileResponse, responses=_BOOK)
async def results_xlsx(
    *,
    request: Request,
    simulation_id: SimulationId,
    principal: Reader,
    vault: Keys,
    purpose: Purpose,
    area: Area = None,
) -> FileResponse:
    """Rules, counts, indicators and households in one workbook. Whose data leave is recorded."""
    taken = await _taken(request, principal, simulation_id, within(principal, area), None, purpose)
    if taken.moving > SHEET_ROWS:
        raise WorkbookTooLarge
    path = await to_thread.run_sync(_written, taken, vault)
    return FileResponse(
        path,
        media_type=XLSX,
        filename=f"simulation-{simulation_id}.xlsx",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _written(taken: "_Taken", vault: Vault) -> Path:
    """The workbook on disk; runs in a thread."""
    folder = taken.request.app.state.settings.upload_dir or None
    with tempfile.NamedTemporaryFile(suffix=".xlsx", dir=folder, delete=False) as file:
        path = Path(file.name)
    try:
        files.write_simulation_xlsx(
            path, taken.sheet(), taken.counts, taken.indicators(), taken.changes(vault)
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _streamed(pieces: Iterator[bytes], name: str) -> StreamingResponse:
    return StreamingResponse(
        pieces,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """What somebody takes away of a simulation. Households come piece by piece, on record before they leave."""

    request: Request
    principal: Principal
    row: Row[Any]
    scope: Scope
    change: str | None
    purpose: str
    counts: list[files.CountLine]
    deprived: list[Row[Any]]

    @property
    def moving(self) -> int:
        """How many households would change lists."""
        return sum(
            each.households
            for each in self.counts
            if each.before and each.after and list_change(each.before, each.after)
        )

    def sheet(self) -> files.SimulationSheet:
        """What stands above the tables."""
        rules, names = rules_of(self.row.standard, self.row.rules), self._indicator_names()
        unit = areas.find(self.row.area, self.row.day)
        return files.SimulationSheet(
            title=self.row.title,
            area=f"{self.row.area} {unit.name}" if unit else self.row.area,
            day=self.row.day,
            rules=[
                ("Chuẩn nghèo", self.row.standard),
                *(
                    (f"Ngưỡng điểm B1, {label(a).lower()}", points)
                    for a, points in rules.b1_thresholds.items()
                ),
                ("Ngưỡng điểm B2", rules.b2_threshold),
                *((f"Điểm: {names[code]}", points) for code, points in rules.points.items()),
            ],
        )

    def indicators(self) -> Iterator[files.IndicatorLine]:
        """Households deprived of each indicator that may be seen."""
        names = self._indicator_names()
        for each in self.deprived:
            yield files.IndicatorLine(
                names[each.indicator],
                HouseholdClass(each.class_before),
                HouseholdClass(each.class_after),
                each.households,
            )

    def changes(self, vault: Vault) -> Iterator[files.ChangeLine]:
        """Runs in a thread; each batch has a short transaction of its own."""
        after: tuple[str, uuid.UUID] | None = None
        while batch := from_thread.run(self._batch, after):
            for row in batch:
                yield files.ChangeLine(
                    row.household_id,
                    row.commune,
                    row.village,
                    row.code,
                    vault.open(row.head_name),
                    row.members,
                    AreaType(row.area_type),
                    HouseholdClass(row.class_before),
                    HouseholdClass(row.class_after),
                    ListChange(row.change),
                )
            after = (batch[-1].commune, batch[-1].household_id)

    async def _batch(self, after: tuple[str, uuid.UUID] | None) -> list[Row[Any]]:
        query = store.simulations.changes_query(self.row.id, self.scope, self.change)
        async with self.request.app.state.engine.begin() as conn:
            rows = await store.simulations.changes_batch(conn, query, after)
            if rows or after is None:
                about = audit.About("household", (row.household_id for row in rows))
                await self._on_record(conn, {"households": len(rows)}, about)
            return rows

    async def counts_on_record(self) -> None:
        """Nobody's data leave with counts alone; who took them and what for is known all the same."""
        async with self.request.app.state.engine.begin() as conn:
            await self._on_record(conn, {"counts": len(self.counts)}, None)

    async def _on_record(self, conn: Conn, detail: dict[str, Any], about: audit.About | None) -> None:
        detail |= {"purpose": self.purpose}
        simulation = str(self.row.id)
        await audit.record(
            conn, self.principal, "simulation.exported", "simulation", simulation, detail, about=about
        )

    def _indicator_names(self) -> dict[str, str]:
        standard = rules_of(self.row.standard, self.row.rules).standard
        return {each.code: each.label_vi for each in standard.indicators}


async def _taken(  # noqa: PLR0917 -- what is asked for, in the order of the address
    request: Request,
    principal: Principal,
    simulation_id: uuid.UUID,
    scope: Scope,
    change: str | None,
    purpose: str,
) -> _Taken:
    """Everything but the households, in a transaction that ends before the file is written."""
    async with request.app.state.engine.begin() as conn:
        row = await found(conn, principal, simulation_id)
        if row.state != "DONE":
            raise SimulationUnfinished
        query = store.simulations.communes_query(simulation_id, scope)
        communes = [each.commune for each in await store.registry.rows(conn, query)]
        counts = await store.simulations.counts(conn, simulation_id, communes)
        hidden = hidden_indicators(principal, row)
        deprived = await store.simulations.indicators(conn, simulation_id, scope, hidden)
    names = {code: unit.name for code in communes if (unit := areas.find(code, row.day))}
    lines = [_line(each, names) for each in counts]
    return _Taken(request, principal, row, scope, change, purpose, lines, deprived)


def _line(row: Row[Any], names: dict[str, str]) -> files.CountLine:
    return files.CountLine(
        row.commune,
        names.get(row.commune, ""),
        row.area_type and AreaType(row.area_type),
        row.class_before and HouseholdClass(row.class_before),
        row.class_after and HouseholdClass(row.class_after),
        row.undecided and Undecided(row.undecided),
        row.households,
        row.persons,
        row.with_indicators,
    )
