"""Files of review results: taken in, and what became of every row."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from anyio import from_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, etags, idempotency, paging, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.idempotency import Once
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.problems import UnsupportedMedia
from benvung.vault import Vault
from households import actions, files, store
from households.actions.answers import Answer, open_answers
from households.actions.given import whom
from households.actions.refusals import (
    ImportNotFound,
    ReviewClosed,
    ReviewNotFound,
    SameFileTwice,
)
from households.api.downloads import XLSX, binary, workbook
from households.api.fields import Decider, Keys, Lang, Purpose, Reader, Shown, purpose_or
from households.api.uploads import (
    UPLOAD_LIMIT,
    UPLOADS,
    FileMissing,
    Upload,
    UploadTooLarge,
    fingerprint,
    received,
)
from households.domain import HouseholdClass
from households.files.advice import advice
from households.files.columns import FileKind, title_of
from households.tables import import_rows

router = APIRouter(prefix="/v1", tags=["imports"])

ImportId = Annotated[uuid.UUID, Path(description="the import")]
Only = Annotated[
    Literal["errors", "answers", "unmatched"] | None,
    Query(
        description="errors = rows that were refused; answers = rows with any remark;"
        " unmatched = rows that wait for somebody to say whom they mean"
    ),
]


class ImportShown(Shown):
    """An import of a review's file and how far it is."""

    import_id: uuid.UUID
    kind: str = Field(description="RESULTS or FORM_B", examples=["RESULTS"])
    review_id: uuid.UUID
    commune: str
    state: str = Field(description="ANSWERED, APPLYING, DONE or FAILED")
    dry_run: bool
    total: int
    answered: int
    applied: int
    refused: int
    warnings: int
    unmatched: int = Field(
        description="refused rows that wait for somebody to say whom they mean", examples=[3]
    )
    missing_from_file: int = Field(description="known households that no row of the file meant")
    failure: str | None
    recorded_at: dt.datetime
    finished_at: dt.datetime | None


def values_of(row: Row[Any], model: type[Shown], unmatched: int) -> dict[str, Any]:
    """What of an import's row a model shows."""
    values = {**row._asdict(), "import_id": row.id, "unmatched": unmatched}
    return {name: values[name] for name in model.model_fields}


@router.post(
    "/reviews/{review_id}/imports",
    status_code=202,
    openapi_extra=UPLOADS,
    responses=problems.responses(
        ReviewNotFound,
        ReviewClosed,
        SameFileTwice,
        OutsideArea,
        UploadTooLarge,
        UnsupportedMedia,
        FileMissing,
    ),
    max_body_size=UPLOAD_LIMIT,
)
async def upload(
    *,
    review_id: Annotated[uuid.UUID, Path()],
    principal: Decider,
    given: Annotated[Upload, Depends(received)],
    conn: Conn,
    vault: Keys,
    response: Response,
    once: Annotated[Once, idempotency.known_by(fingerprint)],
    dry_run: Annotated[bool, Query(description="answer every row, change nothing")] = False,
) -> ImportShown:
    """Take in a file of results (XLSX or CSV). Every row is answered; the accepted ones are applied next."""
    import_id = once.made or await actions.imports.receive(
        conn, principal, vault, review_id, given, dry_run=dry_run
    )
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return await found_import(conn, principal, import_id)


@router.get("/imports/{import_id}", responses=etags.responses(ImportNotFound))
async def progress(*, import_id: ImportId, principal: Reader, conn: Conn, response: Response) -> ImportShown:
    """How far an import is."""
    found = await found_import(conn, principal, import_id)
    etags.tag(response, etags.digest(found))
    return found


async def found_import(conn: Conn, principal: Principal, import_id: uuid.UUID) -> ImportShown:
    """An import of a review's file, within the principal's area."""
    row = await import_row(conn, principal, import_id)
    if row.review_id is None:
        raise ImportNotFound
    return ImportShown(**values_of(row, ImportShown, await store.lists.unmatched_count(conn, import_id)))


async def import_row(conn: Conn, principal: Principal, import_id: uuid.UUID) -> Row[Any]:
    """An import of any kind, as it is stored."""
    found = await store.imports.find(conn, import_id, principal.scope())
    if found is None:
        raise ImportNotFound
    return found


class AnswerShown(Shown):
    """What was answered to a row, about one of its cells."""

    level: str = Field(description="ERROR, WARNING or NOTE")
    rule: str
    field: str
    message: str


class RowShown(Shown):
    """A row of a file, by its number in the sheet, and its answer."""

    row_no: int
    head_name: str | None = Field(
        description="the head of the household that the row is about, as the file names it; null where that could"
        " not be read, or was erased",
        examples=["Đinh Thị Ví Dụ"],
    )
    person_name: str | None = Field(description="of a file of members: the member", examples=[None])
    state: str = Field(description="ACCEPTED, REFUSED or APPLIED")
    matched_by: str | None
    household_id: uuid.UUID | None
    member_id: uuid.UUID | None = Field(description="of a file of members", examples=[None])
    computed_class: str | None = Field(alias="class")
    resolution: str | None = Field(
        description="what an officer said of it: HOUSEHOLD, MEMBER, NEW or SKIP", examples=[None]
    )
    answers: list[AnswerShown]


def _row(row: Row[Any], vault: Vault, lang: Lang) -> RowShown:
    named = whom(vault, row)
    return RowShown(
        row_no=row.row_no,
        head_name=named.head,
        person_name=named.person,
        state=row.state,
        matched_by=row.matched_by,
        household_id=row.household_id,
        member_id=row.member_id if row.state != "REFUSED" else None,
        computed_class=row._asdict()["class"],
        resolution=row.resolution,
        answers=[
            AnswerShown(
                level=answer["level"],
                rule=answer["rule"],
                field=answer["field"],
                message=answer[f"message_{lang}"],
            )
            for answer in open_answers(vault, row.answers)
        ],
    )


@router.get("/imports/{import_id}/rows", responses=problems.responses(ImportNotFound, CursorUnknown))
async def rows(
    *,
    import_id: ImportId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    only: Only = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[RowShown]:
    """The answers to the rows of a file, in the file's order, with whom each is about. Reading is recorded."""
    await import_row(conn, principal, import_id)
    columns = (import_rows.c.row_no,)
    query = paging.keyset(store.imports.rows_query(import_id, only), columns, after, limit)
    items, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    await _on_record(conn, principal, import_id, items)
    return Page(items=[_row(row, vault, lang) for row in items], next=following)


@router.get(
    "/imports/{import_id}/rows.csv",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems.responses(ImportNotFound),
    },
)
async def rows_csv(
    *,
    request: Request,
    import_id: ImportId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    purpose: Annotated[str, purpose_or("CORRECTING_FILE")],
    only: Only = None,
) -> StreamingResponse:
    """The same as a file to take away."""
    found = await import_row(conn, principal, import_id)
    lines = _lines(_Batches(request, principal, import_id, only, purpose), FileKind(found.kind), vault, lang)
    return StreamingResponse(
        files.answers_csv(lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{import_id}.csv"'},
    )


@router.get(
    "/imports/{import_id}/rows.xlsx",
    response_class=FileResponse,
    responses={
        **binary(XLSX),
        **problems.responses(ImportNotFound),
    },
)
async def rows_xlsx(
    *,
    request: Request,
    import_id: ImportId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    purpose: Purpose,
    only: Only = None,
) -> FileResponse:
    """The same as a workbook."""
    found = await import_row(conn, principal, import_id)
    lines = _lines(_Batches(request, principal, import_id, only, purpose), FileKind(found.kind), vault, lang)
    return await workbook(
        request, lambda path: files.write_answers_xlsx(path, lines), f"import-{import_id}.xlsx"
    )


_RESULTS = {
    "ACCEPTED": ("Được nhận", "Accepted"),
    "REFUSED": ("Không nhận", "Refused"),
    "APPLIED": ("Đã ghi", "Recorded"),
}


def _lines(batches: "_Batches", kind: FileKind, vault: Vault, lang: Lang) -> Iterator[files.AnswerLine]:
    """Runs in a thread of the answer; each batch has a short transaction of its own."""
    after = 0
    while batch := from_thread.run(batches.behind, after):
        for row in batch:
            yield from _answer_lines(row, kind, open_answers(vault, row.answers), lang)
        after = batch[-1].row_no


def _answer_lines(
    row: Row[Any], kind: FileKind, answers: Sequence[Answer], lang: Lang
) -> Iterator[files.AnswerLine]:
    result = _RESULTS[row.state][lang == "en"]
    code = row._asdict()["class"]
    line = files.AnswerLine(row.row_no, result, row.household_id, HouseholdClass(code) if code else None)
    if not answers:
        yield line
    for each in answers:
        yield replace(
            line,
            field=each["field"] if kind is FileKind.RESULTS else title_of(kind, each["field"]),
            rule=each["rule"],
            message=each["message_vi"],
            message_en=each["message_en"],
            advice=advice(each["level"], each["rule"])[lang == "en"],
        )


@dataclass(frozen=True, slots=True)
class _Batches:
    """The rows of a file, piece by piece, for somebody."""

    request: Request
    principal: Principal
    import_id: uuid.UUID
    only: str | None
    purpose: str

    async def behind(self, row_no: int) -> list[Row[Any]]:
        """The next rows, on record before the first of them leaves. An empty file is on record too."""
        query = store.imports.rows_query(self.import_id, self.only)
        async with self.request.app.state.engine.begin() as conn:
            rows = await store.registry.rows_batch(conn, query, row_no)
            if rows or not row_no:
                await _on_record(conn, self.principal, self.import_id, rows, self.purpose)
            return rows


async def _on_record(
    conn: Conn,
    principal: Principal,
    import_id: uuid.UUID,
    rows: Sequence[Row[Any]],
    purpose: str | None = None,
) -> None:
    meant = audit.About("household", (row.household_id for row in rows if row.household_id))
    detail = {"rows": len(rows)} | ({"purpose": purpose} if purpose else {})
    await audit.record(conn, principal, "import.rows_read", "import", str(import_id), detail, about=meant)
