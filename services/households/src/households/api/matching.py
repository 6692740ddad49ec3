"""Rows that could not be matched ("khớp hộ"): shown with who may be meant, decided on one by one, in bulk, or by file."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, idempotency, paging, problems
from benvung.auth import Principal
from benvung.db import Conn
from benvung.idempotency import Once, OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.problems import Forbidden, UnsupportedMedia
from benvung.vault import Vault
from households import actions, store
from households.actions.answers import Answer, answer
from households.actions.matched_results import Choice, Resolved
from households.actions.matching import AT_ONCE, Candidate, Unmatched
from households.actions.refusals import ImportNotFound, ImportNotMatchable, ReviewClosed
from households.api.downloads import XLSX, binary, workbook
from households.api.fields import Given, Keys, Lang, Purpose, Reader, Shown, Writer
from households.api.imports import AnswerShown, ImportId, import_row
from households.api.uploads import (
    UPLOADS,
    FileMissing,
    Upload,
    UploadTooLarge,
    fingerprint,
    received,
)
from households.domain import HouseholdClass, label
from households.domain.candidates import HINT_LABELS
from households.files import RowError
from households.files.columns import FileKind
from households.files.unmatched import ChoiceLine, UnmatchedLine, read_choices, write_unmatched
from households.tables import import_rows

router = APIRouter(prefix="/v1/imports/{import_id}", tags=["matching"])
BATCH = 500
FILE_LIMIT = 26 * 1024 * 1024


class CandidateShown(Shown):
    """Who may be meant, and why. Of one outside your area only the commune is told."""

    household_id: uuid.UUID
    member_id: uuid.UUID | None = Field(examples=[None])
    masked: bool = Field(description="whether it lies outside your area", examples=[False])
    may_choose: bool = Field(examples=[True])
    commune: str
    village: str | None = Field(examples=["Làng Một"])
    code: str | None = Field(examples=["H001"])
    head_name: str | None = Field(examples=["Đinh Thị Ví Dụ"])
    members: int | None = Field(examples=[4])
    poverty_class: str | None = Field(alias="class", examples=["POOR"])
    person_name: str | None = Field(examples=[None])
    person_born: str | None = Field(description="day or year", examples=[None])
    why: list[str] = Field(examples=[["CODE"]])
    why_labels: list[str] = Field(examples=[["Trùng mã hộ trong thôn"]])


class UnmatchedShown(Shown):
    """A row of which it is not known whom it means."""

    row_no: int = Field(examples=[12])
    of_person: bool = Field(description="the household is known, the person is not", examples=[False])
    village: str | None = Field(examples=["Làng Một"])
    code: str | None = Field(examples=["H001"])
    head_name: str | None = Field(examples=["Đinh Thị Ví Dụ"])
    person_name: str | None = Field(examples=[None])
    person_born: str | None = Field(examples=[None])
    answers: list[AnswerShown]
    candidates: list[CandidateShown]


class ChoiceGiven(Given):
    """Whom a row means."""

    row_no: int = Field(ge=1, le=10_000_000, examples=[12])
    choice: Literal["HOUSEHOLD", "MEMBER", "NEW", "SKIP"] = Field(
        description="HOUSEHOLD, MEMBER = the one named; NEW = nobody known; SKIP = leave the row out",
        examples=["HOUSEHOLD"],
    )
    household_id: uuid.UUID | None = Field(default=None, examples=["018f6b1e-6a00-7000-8000-000000000001"])
    member_id: uuid.UUID | None = Field(default=None, examples=[None])


class ChoicesGiven(Given):
    """Whom rows mean, at most 500 at once."""

    rows: list[ChoiceGiven] = Field(min_length=1, max_length=AT_ONCE)


class ResolvedShown(Shown):
    """What came of a choice."""

    row_no: int = Field(examples=[12])
    state: str = Field(description="ACCEPTED, APPLIED or REFUSED", examples=["ACCEPTED"])
    answers: list[AnswerShown]


class ResolutionsShown(Shown):
    """What came of all choices, row by row, and how many rows still wait."""

    import_id: uuid.UUID
    rows: list[ResolvedShown]
    unmatched: int = Field(examples=[2])


@router.get("/unmatched", responses=problems.responses(ImportNotFound, CursorUnknown))
async def unmatched(
    *,
    import_id: ImportId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[UnmatchedShown]:
    """The rows that wait, each with who may be meant and why. Nothing is merged by itself; reading is recorded."""
    found = await import_row(conn, principal, import_id)
    columns = (import_rows.c.row_no,)
    query = paging.keyset(store.imports.rows_query(import_id, "unmatched"), columns, after, limit)
    items, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    listed = await actions.matching.unmatched(conn, principal, vault, found, items)
    await on_record(conn, principal, import_id, listed)
    return Page(items=[_unmatched(each, lang) for each in listed], next=following)


@router.post(
    "/resolutions", responses=problems.responses(ImportNotFound, ImportNotMatchable, ReviewClosed, Forbidden)
)
async def resolve(
    *,
    import_id: ImportId,
    given: ChoicesGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> ResolutionsShown:
    """Say whom rows mean. Each is answered by itself; what is accepted is applied next.

    Rows of a review's file also need the permission `reviews.decide`.
    """
    choices = [Choice(row.row_no, row.choice, row.household_id, row.member_id) for row in given.rows]
    answered = (
        await actions.matching.resolve(conn, principal, vault, import_id, choices) if once.first else []
    )
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return await _resolutions(conn, import_id, answered, lang)


@router.get(
    "/unmatched.xlsx",
    response_class=FileResponse,
    responses=binary(XLSX) | problems.responses(ImportNotFound),
)
async def unmatched_xlsx(
    *, request: Request, import_id: ImportId, principal: Reader, conn: Conn, vault: Keys, purpose: Purpose
) -> FileResponse:
    """The same as a file: fill in the column “Chọn” and send it back."""
    found = await import_row(conn, principal, import_id)
    query = store.imports.rows_query(import_id, "unmatched")
    lines: list[UnmatchedLine] = []
    after = 0
    while rows := await store.registry.rows_batch(conn, query, after):
        listed = await actions.matching.unmatched(conn, principal, vault, found, rows)
        await on_record(conn, principal, import_id, listed, purpose)
        lines += [_line(each) for each in listed]
        after = rows[-1].row_no
    if not lines:
        await on_record(conn, principal, import_id, [], purpose)
    name = f"import-{import_id}-unmatched.xlsx"
    return await workbook(request, lambda path: write_unmatched(path, lines), name)


@router.post(
    "/resolution-files",
    openapi_extra=UPLOADS,
    responses=problems.responses(
        ImportNotFound,
        ImportNotMatchable,
        ReviewClosed,
        Forbidden,
        UploadTooLarge,
        UnsupportedMedia,
        FileMissing,
    ),
    max_body_size=FILE_LIMIT,
)
async def resolve_by_file(
    *,
    import_id: ImportId,
    principal: Writer,
    given: Annotated[Upload, Depends(received)],
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: Annotated[Once, idempotency.known_by(fingerprint)],
) -> ResolutionsShown:
    """Send back the file of rows to match. A row with nothing chosen waits on; every other one is answered."""
    found = await import_row(conn, principal, import_id)
    answered = await resolved_by(conn, principal, vault, found, given) if once.first else []
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return await _resolutions(conn, import_id, answered, lang)


async def resolved_by(
    conn: Conn, principal: Principal, vault: Vault, found: Row[Any], given: Upload
) -> list[Resolved]:
    """What came of the choices in a file."""
    lines = await asyncio.to_thread(read_choices, given.path)
    members = await _members_meant(conn, found, lines)
    choices = [_choice(line, members) for line in lines if isinstance(line, ChoiceLine) and line.choice]
    answered: list[Resolved] = []
    for start in range(0, len(choices), BATCH):
        part = choices[start : start + BATCH]
        answered += await actions.matching.resolve(conn, principal, vault, found.id, part)
    return answered + [_error(line) for line in lines if isinstance(line, RowError)]


async def on_record(
    conn: Conn,
    principal: Principal,
    import_id: uuid.UUID,
    listed: Sequence[Unmatched],
    purpose: str | None = None,
) -> None:
    """Whose data were shown to find out whom rows mean."""
    meant = {each.found.household_id for row in listed for each in row.candidates}
    about = audit.About("household", sorted(meant))
    detail = {"rows": len(listed)} | ({"purpose": purpose} if purpose else {})
    await audit.record(
        conn, principal, "import.unmatched_read", "import", str(import_id), detail, about=about
    )


async def _members_meant(
    conn: Conn, found: Row[Any], lines: Sequence[ChoiceLine | RowError]
) -> frozenset[uuid.UUID]:
    """Which of the identifiers in a file are those of members."""
    given = [line.identifier for line in lines if isinstance(line, ChoiceLine) and line.identifier]
    if found.kind != FileKind.MEMBERS or not given:
        return frozenset()
    return frozenset(await store.candidates.people(conn, given))


def _choice(line: ChoiceLine, members: frozenset[uuid.UUID]) -> Choice:
    if line.identifier is None:
        return Choice(line.row_no, line.choice or "")
    if line.identifier in members:
        return Choice(line.row_no, "MEMBER", member_id=line.identifier)
    return Choice(line.row_no, "HOUSEHOLD", line.identifier)


def _error(error: RowError) -> Resolved:
    why = answer("ERROR", error.rule, error.field, error.message_vi, error.message_en)
    return Resolved(error.row_number, "REFUSED", [why])


async def _resolutions(
    conn: Conn, import_id: uuid.UUID, answered: Sequence[Resolved], lang: Lang
) -> ResolutionsShown:
    return ResolutionsShown(
        import_id=import_id,
        rows=[
            ResolvedShown(row_no=each.row_no, state=each.state, answers=_answers(each.answers, lang))
            for each in answered
        ],
        unmatched=await store.lists.unmatched_count(conn, import_id),
    )


def _answers(answers: Sequence[Answer], lang: Lang) -> list[AnswerShown]:
    return [
        AnswerShown(
            level=each["level"], rule=each["rule"], field=each["field"], message=each[f"message_{lang}"]
        )
        for each in answers
    ]


def _unmatched(row: Unmatched, lang: Lang) -> UnmatchedShown:
    return UnmatchedShown(
        row_no=row.row_no,
        of_person=row.of_person,
        village=row.village,
        code=row.code,
        head_name=row.head_name,
        person_name=row.person_name,
        person_born=row.person_born,
        answers=_answers(row.answers, lang),
        candidates=[_candidate(each, lang) for each in row.candidates],
    )


def _candidate(each: Candidate, lang: Lang) -> CandidateShown:
    return CandidateShown(
        household_id=each.found.household_id,
        member_id=None if each.masked else each.found.member_id,
        masked=each.masked,
        may_choose=each.may_choose,
        commune=each.commune,
        village=each.village,
        code=each.code,
        head_name=each.head_name,
        members=each.members,
        poverty_class=each.household_class,
        person_name=each.person_name,
        person_born=each.person_born,
        why=[hint.value for hint in each.found.hints],
        why_labels=[HINT_LABELS[hint][lang == "en"] for hint in each.found.hints],
    )


def _line(row: Unmatched) -> UnmatchedLine:
    says = [row.person_name, row.person_born, row.head_name, row.code, row.village]
    why = "; ".join(each["message_vi"] for each in row.answers)
    candidates = [(_key(each, of_person=row.of_person), in_words(each)) for each in row.candidates]
    return UnmatchedLine(row.row_no, " · ".join(str(word) for word in says if word), why, candidates)


def _key(candidate: Candidate, *, of_person: bool) -> str:
    """The identifier that is chosen by the candidate's number; a sign where it cannot be chosen."""
    if not candidate.may_choose:
        return "-"
    return str(candidate.found.member_id if of_person else candidate.found.household_id)


def in_words(each: Candidate) -> str:
    """A candidate on one line."""
    why = "; ".join(HINT_LABELS[hint][0].lower() for hint in each.found.hints)
    if each.masked:
        return f"Một hộ ngoài địa bàn (xã {each.commune}): {why}"
    household = [each.head_name, f"mã {each.code}" if each.code else None, each.village]
    shown = " · ".join(word for word in household if word)
    size = f"{each.members} khẩu"
    of_class = f", {label(HouseholdClass(each.household_class)).lower()}" if each.household_class else ""
    person = f"{each.person_name} ({each.person_born}) – hộ " if each.person_name else ""
    return f"{person}{shown} ({size}{of_class}): {why}"
