"""Overwriting what tells of a person, for good. Days, classes, areas and counts stay, and so does every event.

What stood there is in the table's pages until the database vacuums them, and in its backups until they age out.
"""

import datetime as dt
import json
import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households.domain.persons import plain_name
from households.domain.retention import ERASED
from households.store.members import SEALED, opened
from households.tables import (
    changes,
    decisions,
    filled_forms,
    households,
    import_rows,
    imports,
    member_facts,
    members,
    recognitions,
    review_entries,
    tellings,
)

_ROW_COLUMNS = (
    "head_name",
    "head_key",
    "indigenous_ethnicity",
    "reviewer",
    "flags",
    "combination_key",
    "causes",
    "cause_key",
    "cause_text",
    "answers",
    "given",
)
_KEPT_RAW = ("village", "members", "b1_points", "b2_points", "believed")
_FREE_TEXT = ("reason", "income_dong", "cause_text")
_LEFT_WORDS = ("reason", "cause_text")
"""Without these words what is left would break a rule; that they were erased stands in their place."""


@dataclass(frozen=True, slots=True)
class Traces:
    """By what a text is known to speak of somebody: names as they are compared, and numbers."""

    texts: frozenset[str]

    def in_(self, text: str) -> bool:
        """Whether a text mentions one of them."""
        plain = _plain(text)
        return any(each in plain for each in self.texts)


def _plain(text: str) -> str:
    return " ".join(plain_name(text).split())


async def traces_of(
    conn: AsyncConnection,
    vault: Vault,
    household_id: uuid.UUID,
    member_ids: Sequence[uuid.UUID],
    *,
    head: bool,
) -> Traces:
    """All names and numbers that these people ever had here."""
    texts: set[str] = set()
    facts = sa.select(member_facts).where(member_facts.c.member_id.in_(member_ids))
    for row in await conn.execute(facts):
        member = opened(row, row.member_id, vault)
        texts |= {each for each in (_plain(member.name), member.number, member.legacy_number) if each}
    if head:
        query = sa.select(households.c.head_name).where(households.c.id == household_id)
        texts.add(_plain(vault.open((await conn.execute(query)).scalar_one())))
        rows = sa.select(import_rows.c.head_name).where(
            import_rows.c.household_id == household_id, import_rows.c.head_name.is_not(None)
        )
        texts |= {_plain(vault.open(each)) for each in await conn.scalars(rows)}
    return Traces(frozenset(texts))


async def members_of(conn: AsyncConnection, household_id: uuid.UUID) -> list[uuid.UUID]:
    """Everybody who ever was a member, locked."""
    query = sa.select(members.c.id).where(members.c.household_id == household_id).order_by(members.c.id)
    return list(await conn.scalars(query.with_for_update(key_share=True)))


async def some_erased(conn: AsyncConnection, member_ids: Sequence[uuid.UUID]) -> bool:
    """Whether one of these members was erased."""
    query = sa.select(members.c.id).where(members.c.id.in_(member_ids), members.c.erased_on.is_not(None))
    return (await conn.execute(query.limit(1))).first() is not None


async def at_work(conn: AsyncConnection, household_id: uuid.UUID) -> bool:
    """Whether a file that is not done yet has something for this household."""
    query = (
        sa.select(import_rows.c.row_no)
        .join(imports, imports.c.id == import_rows.c.import_id)
        .where(
            import_rows.c.household_id == household_id,
            import_rows.c.state == "ACCEPTED",
            imports.c.state.in_(("ANSWERED", "APPLYING")),
            imports.c.dry_run.is_(False),
        )
        .limit(1)
    )
    return (await conn.execute(query)).first() is not None


async def erase_head(conn: AsyncConnection, vault: Vault, household_id: uuid.UUID, on: dt.date) -> None:
    """The household itself: its head's name, its code in the village's list, its ethnicity, and its papers' words."""
    await conn.execute(
        households.update()
        .where(households.c.id == household_id)
        .values(
            head_name=vault.seal(ERASED),
            # Like nobody's, so that two who were erased are never taken for each other.
            head_key=os.urandom(32),
            head_name_keys=[],
            code=None,
            indigenous_ethnicity=None,
            erased_on=on,
            version=households.c.version + 1,
        )
    )
    corrected = sa.func.jsonb_set(decisions.c.inputs, ["correction"], sa.func.to_jsonb(sa.literal(ERASED)))
    inputs = sa.case((decisions.c.inputs.has_key("correction"), corrected), else_=decisions.c.inputs)
    await conn.execute(
        decisions.update()
        .where(decisions.c.household_id == household_id)
        .values(reviewer=None, cause_text=None, inputs=inputs)
    )
    reason = sa.case((changes.c.kind == "ANNULLED", ERASED), else_=changes.c.reason)
    await conn.execute(
        changes.update().where(changes.c.household_id == household_id).values(reason=reason, certificate=None)
    )
    await conn.execute(
        recognitions.update()
        .where(recognitions.c.household_id == household_id)
        .values(sealed=vault.seal(json.dumps({})))
    )
    await conn.execute(
        filled_forms.update()
        .where(filled_forms.c.household_id == household_id)
        .values(sealed=vault.seal(json.dumps({"items": None, "lines": []})))
    )


async def erase_members(
    conn: AsyncConnection, vault: Vault, member_ids: Sequence[uuid.UUID], on: dt.date
) -> None:
    """Names, numbers, days of birth and what the law calls sensitive, in every fact; year, sex and relation stay."""
    nothing = json.dumps(dict.fromkeys(SEALED) | {"name": ERASED})
    await conn.execute(
        members.update()
        .where(members.c.id.in_(member_ids))
        .values(
            details=vault.seal(nothing),
            birth_date=None,
            number_key=None,
            number_key_before=None,
            also_keyed=None,
            alike_keys=[],
            name_keys=[],
            erased_on=on,
        )
    )
    await conn.execute(
        member_facts.update()
        .where(member_facts.c.member_id.in_(member_ids))
        .values(details=vault.seal(nothing), birth_date=None)
    )
    await conn.execute(
        recognitions.update()
        .where(recognitions.c.member_id.in_(member_ids))
        .values(sealed=vault.seal(json.dumps({})))
    )


async def erase_cause_texts(
    conn: AsyncConnection, vault: Vault, household_id: uuid.UUID, traces: Traces
) -> None:
    """The words of another cause of poverty that mention somebody of the household; the causes stay."""
    query = sa.select(decisions.c.decision_id, decisions.c.cause_text).where(
        decisions.c.household_id == household_id, decisions.c.cause_text.is_not(None)
    )
    found = [row.decision_id for row in await conn.execute(query) if traces.in_(vault.open(row.cause_text))]
    await conn.execute(decisions.update().where(decisions.c.decision_id.in_(found)).values(cause_text=None))
    query = sa.select(filled_forms).where(
        filled_forms.c.household_id == household_id, filled_forms.c.form == "FORM_B"
    )
    for row in (await conn.execute(query)).all():
        content = json.loads(vault.open(row.sealed))
        if traces.in_(content.get("cause_text") or ""):
            left = json.dumps({**content, "cause_text": ERASED}, ensure_ascii=False)
            await conn.execute(
                filled_forms.update().where(filled_forms.c.id == row.id).values(sealed=vault.seal(left))
            )


async def erase_log(conn: AsyncConnection, vault: Vault, cases: Sequence[uuid.UUID], traces: Traces) -> None:
    """Reasons and incomes in the steps of reviews: of these cases alone, or wherever a text mentions them."""
    query = sa.select(review_entries).where(
        review_entries.c.sealed.is_not(None),
        review_entries.c.cases.overlap(sa.literal(list(cases), pg.ARRAY(pg.UUID(as_uuid=True)))),
    )
    keys = ("review_id", "village", "number")
    for row in (await conn.execute(query)).all():
        private = json.loads(vault.open(row.sealed))
        if not set(row.cases) <= set(cases) and not traces.in_(json.dumps(private, ensure_ascii=False)):
            continue
        left = {name: value for name, value in private.items() if name not in _FREE_TEXT}
        left |= {name: ERASED for name in _LEFT_WORDS if name in private}
        same = [review_entries.c[name] == getattr(row, name) for name in keys]
        await conn.execute(review_entries.update().where(*same).values(sealed=vault.seal(json.dumps(left))))


async def communes_of(conn: AsyncConnection, household_id: uuid.UUID) -> list[str]:
    """Every commune in which it ever was."""
    query = sa.select(tellings.c.commune).where(tellings.c.household_id == household_id).distinct()
    here = sa.select(households.c.commune).where(households.c.id == household_id)
    return sorted({*await conn.scalars(query), *await conn.scalars(here)})


async def erase_rows_of(
    conn: AsyncConnection,
    vault: Vault,
    household_id: uuid.UUID,
    member_ids: Sequence[uuid.UUID] | None,
    traces: Traces,
) -> int:
    """The rows of files that mean them, and those that nobody could be found for and that mention them."""
    query = (
        sa.select(import_rows)
        .join(imports, imports.c.id == import_rows.c.import_id)
        .where(
            imports.c.commune.in_(await communes_of(conn, household_id)),
            sa.or_(import_rows.c.household_id.is_(None), import_rows.c.household_id == household_id),
        )
    )
    found = []
    async for row in await conn.stream(query):
        own = row.household_id == household_id and (member_ids is None or row.member_id in member_ids)
        if own or _mentions(vault, row, traces):
            found.append((row.import_id, row.row_no))
    for import_id, row_no in found:
        await _erase_rows(conn, sa.and_(import_rows.c.import_id == import_id, import_rows.c.row_no == row_no))
    return len(found)


def _mentions(vault: Vault, row: sa.Row[Any], traces: Traces) -> bool:
    sealed = (row.head_name, row.answers, row.given, row.cause_text)
    texts: Iterable[str] = (vault.open(each) for each in sealed if each is not None)
    return any(traces.in_(text) for text in texts)


async def erase_file(conn: AsyncConnection, import_id: uuid.UUID, on: dt.date) -> int:
    """Every row of a file; what it counted stays."""
    await conn.execute(imports.update().where(imports.c.id == import_id).values(erased_on=on))
    return await _erase_rows(conn, import_rows.c.import_id == import_id)


async def _erase_rows(conn: AsyncConnection, which: sa.ColumnElement[bool]) -> int:
    """Blank rows; one that waited to be matched waits no more."""
    waits = sa.and_(import_rows.c.state == "REFUSED", import_rows.c.resolution.is_(None))
    raw = sa.func.coalesce(
        sa.select(sa.func.jsonb_object_agg(sa.column("key"), sa.column("value")))
        .select_from(sa.func.jsonb_each(import_rows.c.raw).table_valued("key", "value"))
        .where(sa.column("key").in_(_KEPT_RAW))
        .scalar_subquery(),
        sa.text("'{}'::jsonb"),
    )
    done = await conn.execute(
        import_rows.update()
        .where(which)
        .values(
            raw=raw,
            **dict.fromkeys(_ROW_COLUMNS),
            resolution=sa.case((waits, "SKIP"), else_=import_rows.c.resolution),
            resolved_by=sa.case((waits, "erasure"), else_=import_rows.c.resolved_by),
            resolved_at=sa.case((waits, sa.func.clock_timestamp()), else_=import_rows.c.resolved_at),
        )
    )
    return done.rowcount
