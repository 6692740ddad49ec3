"""A list of households: each row is one that the register knows, a new one, or left for an officer to match."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, clock, outbox
from benvung.vault import Vault
from households import domain, store
from households.actions import tell
from households.actions.answers import NOTES, Answer, answer, refusal_answer, seal_answers
from households.actions.areas import place_on
from households.actions.given import Held, file_row, heads, held, read_rows, refused_row, sealed
from households.domain import FileRow, Match, MatchKind, Outcome, Place, Refused
from households.domain.candidates import Hint
from households.domain.household import check_members
from households.files.packed import Packed, birth
from households.files.tables import TableRow
from households.store.candidates import Sought
from households.store.imports import AnsweredRow, Running
from households.store.lists import Waiting
from households.store.tellings import Change, Told

CHUNK = 2000
_PERSON = (Hint.NUMBER, Hint.NAME_BIRTH_AREA)


def sought(number: int, values: Packed, village: str | None) -> Sought:
    """What a row says of a household and its head."""
    return Sought(
        number,
        village=village,
        code=values.get("code"),
        head_name=values.get("head_name"),
        person_name=values.get("head_name"),
        person_birth=birth(values.get("head_birth")),
        person_number=values.get("head_number"),
    )


async def answered(
    conn: AsyncConnection, vault: Vault, place: Place, given: Sequence[TableRow]
) -> list[AnsweredRow]:
    """The answers to all rows of a list."""
    register = await held(conn, vault, place)
    (rows, wrong), named = read_rows(given), heads(given)
    located, refused = await asyncio.to_thread(_located, vault, register, rows)
    result = await asyncio.to_thread(domain.match_rows, list(located.values()), register.known)
    matches = {match.number: match for match in result.matches}
    new = [n for n, match in matches.items() if match.kind is MatchKind.NEW]
    asked = [sought(n, rows[n], located[n].village) for n in new if _names_a_person(rows[n])]
    found = await store.candidates.find(conn, vault, place.commune, asked)
    elsewhere = {n for n, listed in found.items() if any(h in _PERSON for each in listed for h in each.hints)}

    def each(number: int) -> AnsweredRow:
        if number in wrong:
            return refused_row(vault, number, wrong[number], head_name=named[number])
        if number in refused:
            return refused_row(vault, number, [refusal_answer(refused[number])], head_name=named[number])
        match = matches[number]
        if number in elsewhere:
            match = Match(number, MatchKind.AMBIGUOUS, rule="head-known-elsewhere")
        return answer_row(vault, register, rows[number], located[number], match)

    numbers = sorted({*rows, *wrong})
    return await asyncio.to_thread(lambda: [each(number) for number in numbers])


def _names_a_person(values: Packed) -> bool:
    return "head_number" in values or "head_birth" in values


def _located(
    vault: Vault, register: Held, rows: Mapping[int, Packed]
) -> tuple[dict[int, FileRow], dict[int, Refused]]:
    located: dict[int, FileRow] = {}
    refused: dict[int, Refused] = {}
    for number, values in rows.items():
        try:
            check_members(values["members"])
            located[number] = file_row(vault, number, values, register.village(values["village"]))
        except Refused as no:
            refused[number] = no
    return located, refused


def answer_row(vault: Vault, register: Held, values: Packed, row: FileRow, match: Match) -> AnsweredRow:
    """The answer to a row that means, or might mean, a household."""
    raw: dict[str, Any] = {
        "village": row.village,
        "code": row.code,
        "members": values["members"],
        "head_sex": values.get("head_sex"),
    }
    kept = replace(
        refused_row(
            vault, row.number, [_unmatched(match)], given=sealed(vault, values), matched_by=match.kind
        ),
        raw=raw,
        head_name=vault.seal(values["head_name"]),
        head_key=vault.fingerprint(values["head_name"]),
        indigenous_ethnicity=vault.seal(str(values["indigenous"])) if "indigenous" in values else None,
    )
    if not match.accepted:
        return kept
    said = [] if match.household_id is None else _known(register, raw, match)
    return replace(
        kept,
        state="ACCEPTED",
        household_id=match.household_id or uuid.uuid4(),
        answers=seal_answers(vault, said) if said else None,
    )


def _known(register: Held, raw: dict[str, Any], match: Match) -> list[Answer]:
    """What is said of a household that the register has; `raw` says whether its code and head are believed."""
    assert match.household_id is not None  # an accepted row that is not new means a household
    state = register.states[match.household_id]
    said = [_KNOWN]
    moved = state.village != raw["village"]
    if moved:
        said.append(_OTHER_VILLAGE)
    elif match.notes:
        raw["believed"] = True
        said += [NOTES[note] for note in match.notes]
    if state.members != raw["members"]:
        vi = f"Tệp ghi {raw['members']} nhân khẩu, sổ ghi {state.members}; thay đổi nhân khẩu được ghi riêng."
        en = f"The file says {raw['members']} members, the register {state.members}; a change is recorded apart."
        said.append(answer("WARNING", "members-count-differs", "members", vi, en))
    return said


def _unmatched(match: Match) -> Answer:
    if match.rule == "head-known-elsewhere":
        return _ELSEWHERE
    rule = match.rule or "row-ambiguous"
    return answer("ERROR", rule, "code", match.message_vi or "", match.message_en or "")


async def apply(conn: AsyncConnection, vault: Vault, running: Running) -> None:
    """Enter the next new households of a list, and bring what it says of known ones into the register."""
    await store.places.lock_commune(conn, running.commune)
    rows = await store.lists.next_households(conn, running.id, CHUNK)
    new = [row for row in rows if row.is_new]
    twice = await store.lists.known_meanwhile(conn, running.id, [row.row_no for row in new])
    outcomes: dict[int, Outcome] = {}
    refused: list[tuple[int, bytes]] = []
    for row in new:
        try:
            if row.row_no in twice:
                raise _known_meanwhile()
            place = place_on(running.commune, row.raw["village"], clock.today())
            outcomes[row.row_no] = domain.register(row.household_id, place, row.raw["members"])
        except Refused as no:
            refused.append((row.row_no, seal_answers(vault, [refusal_answer(no)])))
    applied = await _entered(conn, running.id, outcomes)
    believed = [row.row_no for row in rows if not row.is_new and row.raw.get("believed")]
    await store.households.update_from_file(conn, running.id, believed)
    applied |= {row.row_no: None for row in rows if not row.is_new}
    await store.lists.mark_applied(conn, running.id, applied)
    await store.imports.refuse_rows(conn, running.id, refused)
    await store.imports.count(conn, running.id, applied=len(applied), refused=len(refused))
    await _on_record(conn, running, rows, applied)


async def _entered(
    conn: AsyncConnection, import_id: uuid.UUID, outcomes: Mapping[int, Outcome]
) -> dict[int, int | None]:
    if not outcomes:
        return {}
    await store.lists.enter(conn, import_id, {number: each.state for number, each in outcomes.items()})
    sequences = await outbox.publish(conn, [tell.registered(each.state) for each in outcomes.values()])
    today = clock.today()
    changes = [
        Change(sequence, "REGISTERED", today, each.state, each, "REGISTERED")
        for sequence, each in zip(sequences, outcomes.values(), strict=True)
    ]
    await store.tellings.add_changes(conn, changes)
    # A registration has no day in law: it holds before whatever is decided.
    first = type(today).min
    await store.tellings.add(
        conn,
        [Told(c.sequence, c.sequence, 0, "REGISTERED", None, first, c.state, c.outcome) for c in changes],
    )
    return dict(zip(outcomes, sequences, strict=True))


async def _on_record(
    conn: AsyncConnection, running: Running, rows: Sequence[Waiting], applied: Mapping[int, int | None]
) -> None:
    touched = [row.household_id for row in rows if row.row_no in applied]
    detail = {"kind": running.kind, "applied": len(applied), "refused": len(rows) - len(applied)}
    actor, about = audit.Named(running.uploaded_by), audit.About("household", touched)
    await audit.record(conn, actor, "list.applied", "import", str(running.id), detail, about=about)


def _known_meanwhile() -> Refused:
    return Refused(
        "household-known-meanwhile",
        "Sổ đã có hộ này từ khi tệp được trả lời; hãy gửi lại tệp nếu cần.",
        "The register has this household since the file was answered.",
        "code",
    )


_KNOWN = answer(
    "NOTE",
    "household-known",
    "household_id",
    "Hộ đã có trong sổ; không ghi thêm lần nữa.",
    "The register has this household; it is not entered again.",
)
_OTHER_VILLAGE = answer(
    "WARNING",
    "village-differs",
    "village",
    "Sổ ghi hộ ở thôn khác; việc chuyển thôn được ghi riêng.",
    "The register has the household in another village; a move is recorded apart.",
)
_ELSEWHERE = answer(
    "ERROR",
    "head-known-elsewhere",
    "head_name",
    "Chủ hộ có thể đã được ghi là thành viên của một hộ (trùng số định danh, hoặc trùng họ tên, ngày sinh trong xã);"
    " hãy chọn hộ đó, hoặc ghi là hộ mới.",
    "The head may be recorded as a member of a household; choose it, or say that this one is new.",
)
