"""The audit: who did what to which thing, written in the transaction that did it, never changed after.

It holds ids, codes and counts. Names, identity numbers and other personal data have no place in it.
Afterwards, and never in the writing transaction, each row is sealed into a chain (`chain`, `sealer`), which
a command checks (`check`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.db import driver
from benvung.logs import request_id

AUDIT_TRIGGER_SQL = (
    """
    create function audit_stays_as_written() returns trigger language plpgsql as $$
    begin
      raise exception 'audit rows are never changed or removed' using errcode = 'insufficient_privilege';
    end $$
    """,
    """
    create trigger audit_stays_as_written before update or delete or truncate on audit
    for each statement execute function audit_stays_as_written()
    """,
)
_DROP = ("drop trigger audit_stays_as_written on audit", "drop function audit_stays_as_written()")

SEALING_TRIGGER_SQL = (
    # Whoever inserts, by whichever statement, the row waits for its seal from its own commit on.
    """
    create function audit_waits_for_its_seal() returns trigger language plpgsql as $$
    begin
      insert into audit_pending (audit_id) values (new.id);
      return null;
    end $$
    """,
    """
    create trigger audit_waits_for_its_seal after insert on audit
    for each row execute function audit_waits_for_its_seal()
    """,
    """
    create trigger audit_stays_as_written before update or delete or truncate on audit_seals
    for each statement execute function audit_stays_as_written()
    """,
)

# The driver is spoken to directly: this runs in nearly every request, and the statement never changes.
_RECORD = (
    "insert into audit (principal, action, entity, entity_id, request_id, detail, about)"
    " values (%s, %s, %s, %s, %s, %s, %s)"
)
_RECORD_EACH = (
    "insert into audit (principal, action, entity, entity_id, request_id, detail, about)"
    " select %s, %s, %s, entity_id, %s, %s, %s"
    " from unnest(%s::text[]) with ordinality as given(entity_id, place) order by place"
)


class Actor(Protocol):
    """Whoever acts: a signed-in person, or a part of the system under its own name."""

    @property
    def subject(self) -> str:
        """The id under which the actor is recorded."""


@dataclass(frozen=True, slots=True)
class Named:
    """Whoever acts and is known by a name alone: the system of itself, or who asked for something before."""

    subject: str


@dataclass(frozen=True, slots=True)
class About:
    """Further things that one deed touched: the rows of a page, of a part of a file, of a chunk.

    They are kept in the one row of that deed, and `reading` finds them there.
    """

    entity: str
    ids: Iterable[object]

    def named(self) -> list[str]:
        """As they are kept: `kind/id`."""
        return [f"{self.entity}/{each}" for each in self.ids]


class Migration(Protocol):
    """Alembic's `op`, as far as it is used here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


def install(op: Migration) -> None:
    """Make the table `audit` append-only; called in the migration that creates it."""
    for statement in AUDIT_TRIGGER_SQL:
        op.execute(statement)


def uninstall(op: Migration) -> None:
    """Undo `install`, before a downgrade drops the table."""
    for statement in _DROP:
        op.execute(statement)


async def record(  # noqa: PLR0917 -- who, what, on what: six facts in the order they are spoken
    conn: AsyncConnection,
    actor: Actor,
    action: str,
    entity: str,
    entity_id: str,
    detail: dict[str, Any] | None = None,
    *,
    about: About | None = None,
) -> None:
    """Write one audit row in the current transaction. `action` is a constant verb, `entity` a kind."""
    pg = await driver(conn)
    await pg.execute(
        _RECORD,
        (actor.subject, action, entity, entity_id, request_id.get(), _json(detail), _named(about)),
    )


async def record_each(  # noqa: PLR0917 -- the same six
    conn: AsyncConnection,
    actor: Actor,
    action: str,
    entity: str,
    entity_ids: Sequence[str],
    detail: dict[str, Any] | None = None,
    *,
    about: About | None = None,
) -> None:
    """Write one audit row for each id in one statement."""
    if not entity_ids:
        return
    pg = await driver(conn)
    await pg.execute(
        _RECORD_EACH,
        (actor.subject, action, entity, request_id.get(), _json(detail), _named(about), list(entity_ids)),
    )


def _json(detail: dict[str, Any] | None) -> Jsonb | None:
    return None if detail is None else Jsonb(detail, to_json)


def _named(about: About | None) -> list[str] | None:
    return (about.named() or None) if about else None
