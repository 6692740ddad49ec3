"""The named lists of a commune as files: poor, near-poor, escaped, average living standard."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, StreamingResponse
from sqlalchemy import Row, Select

from benvung import areas, audit, clock, problems
from benvung.auth import OutsideArea, Principal
from benvung.vault import Vault
from households import store
from households.actions.refusals import AreaNotFound, ListTooLarge
from households.api.downloads import XLSX, binary, workbook
from households.api.fields import AreaCode, Day, Keys, Purpose, Reader
from households.domain import Member
from households.domain.official_lists import (
    Listed,
    ListLayout,
    OfficialList,
    layout_of,
    rows_of,
)
from households.domain.rosters import roster
from households.domain.terms import Movement
from households.files.official_lists import ListHead, list_csv, write_list
from households.store.official_lists import Place

router = APIRouter(prefix="/v1/lists", tags=["lists"])

MOST = 20_000
"""Households of one file; a province takes its lists commune by commune."""

Code = Annotated[OfficialList, Path(description="which list")]
Area = Annotated[AreaCode, Query(description="code of a commune, district or province", examples=["23827"])]
Sensitive = Annotated[
    bool, Query(description="fill in the columns that hold sensitive data (ethnicity); recorded")
]
On = Annotated[Day | None, Query(description="as of this day; empty = today")]
_REFUSALS = problems.responses(OutsideArea, AreaNotFound, ListTooLarge)


@router.get("/{code}.xlsx", response_class=FileResponse, responses=binary(XLSX) | _REFUSALS)
async def list_xlsx(
    *,
    request: Request,
    code: Code,
    principal: Reader,
    vault: Keys,
    area: Area,
    purpose: Purpose,
    on: On = None,
    sensitive: Sensitive = False,
) -> FileResponse:
    """A list in the official layout. Purpose, and whose data leave, are recorded."""
    taken = await _taken(request, principal, vault, code, area, on or clock.today(), purpose, sensitive)
    return await workbook(
        request,
        lambda path: write_list(path, taken.layout, taken.head, taken.rows()),
        f"{code.lower()}-{area}.xlsx",
    )


@router.get(
    "/{code}.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **_REFUSALS},
)
async def list_as_csv(
    *,
    request: Request,
    code: Code,
    principal: Reader,
    vault: Keys,
    area: Area,
    purpose: Purpose,
    on: On = None,
    sensitive: Sensitive = False,
) -> StreamingResponse:
    """The same as CSV."""
    taken = await _taken(request, principal, vault, code, area, on or clock.today(), purpose, sensitive)
    return StreamingResponse(
        list_csv(taken.layout, taken.rows()),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{code.lower()}-{area}.csv"'},
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """A list for somebody, piece by piece; each piece is on record before it leaves."""

    request: Request
    principal: Principal
    vault: Vault
    layout: ListLayout
    head: ListHead
    area: str
    purpose: str
    sensitive: bool
    query: Select[Any]

    def rows(self) -> Iterator[Sequence[str | int]]:
        """Runs in a thread of the answer; each batch has a short transaction of its own."""
        number, after = 0, None
        while batch := from_thread.run(self._batch, after):
            for row, members in batch:
                number += 1
                listed = Listed(
                    self.vault.open(row.head_name),
                    row.village_name,
                    members,
                    _opened(self.vault, row.indigenous_ethnicity),
                    row.since,
                    row.movement and Movement(row.movement),
                )
                yield from rows_of(self.layout, listed, number, self.head.on, sensitive=self.sensitive)
            last = batch[-1][0]
            after = (last.commune, last.village, last.id)

    async def _batch(self, after: Place | None) -> list[tuple[Row[Any], Sequence[Member]]]:
        async with self.request.app.state.engine.begin() as conn:
            rows = await store.official_lists.batch(conn, self.query, after)
            facts = await store.members.facts_of_many(conn, self.vault, [row.id for row in rows])
            if rows or after is None:
                detail = {
                    "list": self.layout.code,
                    "purpose": self.purpose,
                    "on": self.head.on.isoformat(),
                    "sensitive": self.sensitive,
                    "households": len(rows),
                }
                about = audit.About("household", (row.id for row in rows))
                await audit.record(
                    conn, self.principal, "list.exported", "area", self.area, detail, about=about
                )
        return [(row, roster(facts.get(row.id, ()), self.head.on)) for row in rows]


async def _taken(  # noqa: PLR0917 -- what is asked for, in the order of the address
    request: Request,
    principal: Principal,
    vault: Vault,
    code: OfficialList,
    area: str,
    on: dt.date,
    purpose: str,
    sensitive: bool,
) -> _Taken:
    unit = areas.find(area, on)
    if unit is None:
        raise AreaNotFound
    scope = principal.scope()
    scope.check_area(area)
    layout = layout_of(code)
    query = store.official_lists.query(layout, scope.narrow(area), on)
    async with request.app.state.engine.begin() as conn:
        if await store.official_lists.count(conn, query) > MOST:
            raise ListTooLarge(MOST)
    head = ListHead(unit.name, on)
    return _Taken(request, principal, vault, layout, head, area, purpose, sensitive, query)


def _opened(vault: Vault, sealed: bytes | None) -> bool | None:
    return None if sealed is None else vault.open(sealed) == "True"
