"""Lists of households and members, and form B: taken in as files, with the templates to fill in."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field

from benvung import etags, idempotency, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.idempotency import Once
from benvung.problems import UnsupportedMedia
from households import actions, store
from households.actions.lists import ListAsked
from households.actions.refusals import (
    CommuneUnknown,
    ImportNotFound,
    ReviewClosed,
    ReviewNotFound,
    SameFileTwice,
    SameListTwice,
)
from households.api.downloads import XLSX, binary, workbook
from households.api.fields import CommuneCode, Day, Decider, Keys, Reader, Shown, Writer
from households.api.imports import (
    ImportId,
    ImportShown,
    found_import,
    import_row,
    values_of,
)
from households.api.uploads import (
    UPLOAD_LIMIT,
    UPLOADS,
    FileMissing,
    Upload,
    UploadTooLarge,
    fingerprint,
    received,
)
from households.domain import get_standard
from households.files.columns import Columns, FileKind, columns_of, form_b_columns, results_columns
from households.files.templates import template_csv, write_template

router = APIRouter(prefix="/v1", tags=["imports"])

ListKind = Literal["HOUSEHOLDS", "MEMBERS"]
Template = Literal["households", "members", "form-b", "results"]
DryRun = Annotated[bool, Query(description="answer every row, change nothing")]
StandardCode = Annotated[
    str,
    Query(
        pattern=r"^[A-Z0-9_]{1,40}$",
        description="for form B and results: the standard whose questions or indicators are asked",
    ),
]
_FILE_REFUSALS = (UploadTooLarge, UnsupportedMedia, FileMissing, OutsideArea)


class ListImportShown(Shown):
    """A list of households or members that was sent in, and how far it is."""

    import_id: uuid.UUID
    kind: str = Field(description="HOUSEHOLDS or MEMBERS", examples=["MEMBERS"])
    commune: str
    holds_from: dt.date = Field(description="the day from which it holds")
    state: str = Field(description="ANSWERED, APPLYING, DONE or FAILED", examples=["DONE"])
    dry_run: bool
    total: int
    answered: int
    applied: int
    refused: int
    warnings: int
    unmatched: int = Field(
        description="refused rows that wait for somebody to say whom they mean", examples=[3]
    )
    failure: str | None
    recorded_at: dt.datetime
    finished_at: dt.datetime | None


@router.post(
    "/communes/{commune}/imports",
    status_code=202,
    openapi_extra=UPLOADS,
    responses=problems.responses(SameListTwice, CommuneUnknown, *_FILE_REFUSALS),
    max_body_size=UPLOAD_LIMIT,
)
async def upload_list(
    *,
    commune: Annotated[CommuneCode, Path()],
    kind: Annotated[ListKind, Query(description="what the file lists")],
    on: Annotated[Day, Query(description="the day from which the list holds")],
    principal: Writer,
    given: Annotated[Upload, Depends(received)],
    conn: Conn,
    vault: Keys,
    response: Response,
    once: Annotated[Once, idempotency.known_by(fingerprint)],
    dry_run: DryRun = False,
) -> ListImportShown:
    """Take in a list of households or of members (XLSX or CSV). Every row is answered; the accepted ones are applied next.

    The rows of one household's members are recorded together or not at all.
    """
    asked = ListAsked(FileKind(kind), commune, on, given)
    import_id = once.made or await actions.lists.receive(conn, principal, vault, asked, dry_run=dry_run)
    response.headers["Location"] = f"/v1/list-imports/{import_id}"
    return await _found_list(conn, principal, import_id)


@router.get("/list-imports/{import_id}", responses=etags.responses(ImportNotFound))
async def list_progress(
    *, import_id: ImportId, principal: Reader, conn: Conn, response: Response
) -> ListImportShown:
    """How far a list is. Its rows are read, and matched, as those of any import."""
    found = await _found_list(conn, principal, import_id)
    etags.tag(response, etags.digest(found))
    return found


async def _found_list(conn: Conn, principal: Principal, import_id: uuid.UUID) -> ListImportShown:
    row = await import_row(conn, principal, import_id)
    if row.holds_from is None:
        raise ImportNotFound
    waiting = await store.lists.unmatched_count(conn, import_id)
    return ListImportShown(**values_of(row, ListImportShown, waiting))


@router.post(
    "/reviews/{review_id}/form-b-imports",
    status_code=202,
    openapi_extra=UPLOADS,
    responses=problems.responses(ReviewNotFound, ReviewClosed, SameFileTwice, *_FILE_REFUSALS),
    max_body_size=UPLOAD_LIMIT,
)
async def upload_form_b(
    *,
    review_id: Annotated[uuid.UUID, Path()],
    principal: Decider,
    given: Annotated[Upload, Depends(received)],
    conn: Conn,
    vault: Keys,
    response: Response,
    once: Annotated[Once, idempotency.known_by(fingerprint)],
    dry_run: DryRun = False,
) -> ImportShown:
    """Take in answers of form B by household. The deprived indicators follow from them and from who lives there."""
    import_id = once.made or await actions.imports.receive(
        conn, principal, vault, review_id, given, dry_run=dry_run, kind=FileKind.FORM_B
    )
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return await found_import(conn, principal, import_id)


@router.get(
    "/templates/{template}.xlsx",
    response_class=FileResponse,
    responses=binary(XLSX) | problems.responses(OutsideArea),
)
async def template_xlsx(
    *,
    request: Request,
    template: Annotated[Template, Path()],
    principal: Reader,
    conn: Conn,
    standard: StandardCode = "STD_2022_2025",
    commune: Annotated[
        CommuneCode | None, Query(description="offers this commune's villages to choose from")
    ] = None,
) -> FileResponse:
    """The workbook to fill in: lists to choose from, an example of an invented household, and what each column is for."""
    columns = _columns(template, standard)
    villages: list[str] = []
    if commune is not None:
        principal.scope().check(commune)
        villages = [row.name for row in await store.places.villages_of(conn, commune)]
    return await workbook(
        request, lambda path: write_template(path, columns, {"village": villages}), f"{template}.xlsx"
    )


@router.get(
    "/templates/{template}.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def template_as_csv(
    *, template: Annotated[Template, Path()], _: Reader, standard: StandardCode = "STD_2022_2025"
) -> Response:
    """The header to fill in below, as CSV."""
    return Response(
        template_csv(_columns(template, standard)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{template}.csv"'},
    )


def _columns(template: Template, standard: str) -> Columns:
    if template == "form-b":
        return form_b_columns(get_standard(standard))
    if template == "results":
        return results_columns(get_standard(standard))
    return columns_of(FileKind(template.upper()))
