"""What a file brings before it is answered: where it lies, and the register it is held against."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households import store
from households.actions.answers import Answer, answer, seal_answers, villages_by_name
from households.domain import FileRow, HouseholdState, KnownHousehold, Place, Refused, normalise_name
from households.files import RowError
from households.files.packed import Packed, packed
from households.files.tables import TableRow, Value
from households.store.imports import AnsweredRow


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was received: where it lies for now, and what is in it."""

    path: Path
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """What the register holds of a commune at this moment."""

    villages: Mapping[str, str]
    states: Mapping[uuid.UUID, HouseholdState]
    known: Sequence[KnownHousehold]

    def village(self, written: str) -> str:
        """The code of a village that a file names; refuses what the commune's list does not have."""
        found = self.villages.get(written) or self.villages.get(normalise_name(written))
        if found is None:
            raise Refused(
                "village-unknown",
                f"Danh sách của xã không có thôn “{written[:60]}”.",
                f"The commune's list has no village “{written[:60]}”.",
                "village",
            )
        return found


async def held(conn: AsyncConnection, vault: Vault, place: Place) -> Held:
    """The villages and active households of a commune."""
    villages = await store.places.villages_of(conn, place.commune)
    return Held(
        villages_by_name((village.code, village.name) for village in villages),
        await store.households.states_of_commune(conn, place.commune, place.area_type),
        await store.households.known_in_commune(conn, vault, place.commune),
    )


def file_row(vault: Vault, number: int, values: Packed, village: str) -> FileRow:
    """What identifies the household that a row means."""
    given = values.get("household_id")
    return FileRow(
        number,
        uuid.UUID(given) if given else None,
        village,
        values.get("code"),
        vault.fingerprint(values.get("head_name") or "").hex(),
    )


def read_rows(given: Sequence[TableRow]) -> tuple[dict[int, Packed], dict[int, list[Answer]]]:
    """The rows by their numbers: those that can be read, and of the others what is wrong with them."""
    readable = {row.number: packed(row.values) for row in given if not row.errors}
    wrong = {row.number: [_unreadable(error) for error in row.errors] for row in given if row.errors}
    return readable, wrong


def _unreadable(error: RowError) -> Answer:
    return answer("ERROR", error.rule, error.field, error.message_vi, error.message_en)


def sealed(vault: Vault, values: Packed) -> bytes:
    """A row's values as they are kept."""
    return vault.seal(json.dumps(values, ensure_ascii=False))


def opened(vault: Vault, given: bytes) -> Packed:
    """A row's values as they were read."""
    values: Packed = json.loads(vault.open(given))
    return values


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a row is about, as its file has it: a person where the file lists persons, and the head."""

    person: str | None
    head: str | None


def whom(vault: Vault, row: Row[Any]) -> Whom:
    """The names in a row; none where they could not be read, or were erased."""
    values = {} if row.given is None else opened(vault, row.given)
    head = values.get("head_name") if row.head_name is None else vault.open(row.head_name)
    return Whom(values.get("name"), head)


def heads(given: Sequence[TableRow]) -> dict[int, Value]:
    """The heads that a file names, by the rows' numbers."""
    return {row.number: row.values.get("head_name") for row in given}


def refused_row(
    vault: Vault,
    number: int,
    answers: Sequence[Answer],
    *,
    given: bytes | None = None,
    head_name: Value = None,
    matched_by: str | None = None,
) -> AnsweredRow:
    """A row that is not taken, with why, and whom it is about."""
    return AnsweredRow(
        row_no=number,
        raw={},
        head_name=vault.seal(head_name) if isinstance(head_name, str) else None,
        head_key=None,
        indigenous_ethnicity=None,
        reviewer=None,
        flags=None,
        combination_key=None,
        state="REFUSED",
        matched_by=matched_by,
        household_id=None,
        computed_class=None,
        answers=seal_answers(vault, answers),
        given=given,
    )
