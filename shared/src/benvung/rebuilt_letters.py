"""Dead letters that a rebuild comes by in its stream: those it digests are settled when its tables take over.

What it came by stands in a table beside the new ones, which goes with them: a rebuild that is begun again, or
cancelled, has settled nothing. A letter is known by what is in it, because the stream may have been sent again
since; one that is nowhere in the stream any more stays as it is.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, db
from benvung.bus import Stored
from benvung.projector import Projector

# Note of a letter that a rebuild has settled.
REBUILT = "REBUILT"


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of one projection that its rebuild looks for. `known`: by the digest of what is in them."""

    projector: Projector
    created: str
    schema: str
    known: Mapping[bytes, Sequence[int]]

    async def met(
        self, conn: AsyncConnection, messages: Sequence[Stored], dead: Sequence[tuple[Stored, str]]
    ) -> None:
        """Note, in the transaction of a batch, the letters it holds and what became of them.

        `dead` are the messages of the batch that were buried again, each with the reason.
        """
        pg = await db.driver(conn)
        cursor = await pg.execute(
            "select id, stream_seq, payload from dead_letters where projector = %s and stream = %s"
            " and stream_created = %s and stream_seq between %s and %s and state <> 'DISCARDED'",
            (
                self.projector.name,
                self.projector.stream,
                self.created,
                messages[0].stream_seq,
                messages[-1].stream_seq,
            ),
        )
        reasons = {each.stream_seq: reason.replace("\0", "") for each, reason in dead}
        at = {each.stream_seq: each.payload for each in messages}
        # Another letter than what lies in its place now was not met, and is noted as such.
        found = {
            number: (seq not in reasons, reasons.get(seq)) if at.get(seq) == payload else (False, None)
            for number, seq, payload in await cursor.fetchall()
        }
        if self.known:
            # One that comes twice was digested if it was once.
            for seq, payload in sorted(at.items(), key=lambda each: each[0] not in reasons):
                numbers = self.known.get(hashlib.sha256(payload).digest(), ())
                found |= dict.fromkeys(numbers, (seq not in reasons, reasons.get(seq)))
        if found:
            note = sql.SQL(
                "insert into {} as met (letter, digested, reason)"
                " select * from unnest(%s::bigint[], %s::boolean[], %s::text[])"
                " on conflict (letter) do update set digested = met.digested or excluded.digested,"
                " reason = coalesce(excluded.reason, met.reason)"
            )
            digested, why = zip(*found.values(), strict=True)
            await pg.execute(note.format(_table(self.schema)), (list(found), list(digested), list(why)))

    async def settle(self, conn: AsyncConnection, number: int, by: str, reached: int) -> int:
        """Settle, in the transaction of the swap, what rebuild `number` digested; returns how many these are.

        What the live projection buried of this stream after the rebuild had come by, that had digested it.
        A letter that was retried once, and that the rebuild buried, waits again: its effect goes with the
        tables in which it had it.
        """
        values = {
            "number": number,
            "projector": self.projector.name,
            "stream": self.projector.stream,
            "created": self.created,
            "reached": reached,
            "by": by,
            "note": REBUILT,
        }
        settled = await self._change(conn, _SETTLE, values)
        buried = await self._change(conn, _WAIT_AGAIN, values)
        for letters, action, state in (
            (settled, "dead_letter.retried", "RETRIED"),
            (buried, "dead_letter.buried_again", "WAITING"),
        ):
            detail = {
                "state": state,
                "projector": self.projector.name,
                "stream": self.projector.stream,
                "rebuild": number,
            }
            await audit.record_each(conn, audit.Named(by), action, "dead_letter", letters, detail)
        return len(settled)

    async def _change(
        self, conn: AsyncConnection, statement: sql.SQL, values: Mapping[str, object]
    ) -> list[str]:
        cursor = await (await db.driver(conn)).execute(statement.format(met=_table(self.schema)), values)
        return [str(number) for number in sorted(row[0] for row in await cursor.fetchall())]


_SETTLE = sql.SQL("""
update dead_letters set state = 'RETRIED', attempts = attempts + 1, note = %(note)s, settled_by = %(by)s,
  settled_at = clock_timestamp()
where projector = %(projector)s and stream = %(stream)s and state = 'WAITING'
  and (id in (select letter from {met} where digested)
    or stream_created = %(created)s and stream_seq <= %(reached)s and id not in (select letter from {met}))
returning id
""")
# Those retried since the rebuild was asked for took effect in the new tables too.
_WAIT_AGAIN = sql.SQL("""
update dead_letters set state = 'WAITING', attempts = attempts + 1, reason = left(met.reason, 2000), note = null,
  settled_by = null, settled_at = null
from {met} met
where met.letter = dead_letters.id and not met.digested and met.reason is not null and state = 'RETRIED'
  and settled_at < (select requested_at from rebuilds where rebuilds.id = %(number)s)
returning dead_letters.id
""")


async def begin(conn: AsyncConnection, projector: Projector, schema: str) -> None:
    """Note the letters that were not given up, before anything of the stream is read."""
    pg = await db.driver(conn)
    make = sql.SQL(
        "create table {} (letter bigint primary key, digested boolean not null, reason text, digest bytea)"
    )
    await pg.execute(make.format(_table(schema)))
    fill = sql.SQL(
        "insert into {} (letter, digested, digest) select id, false, sha256(payload) from dead_letters"
        " where projector = %s and stream = %s and state <> 'DISCARDED'"
    )
    await pg.execute(fill.format(_table(schema)), (projector.name, projector.stream))


async def begun(conn: AsyncConnection, schema: str) -> bool:
    """Whether the rebuild in this schema keeps account of letters: one that an older version began does not."""
    cursor = await (await db.driver(conn)).execute(
        "select to_regclass(%s) is not null", (f"{schema}.{_NAME}",)
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def known(conn: AsyncConnection, schema: str) -> dict[bytes, list[int]]:
    """The letters to look for, of whatever life of the stream, by the digest of what is in them."""
    cursor = await (await db.driver(conn)).execute(
        sql.SQL("select digest, array_agg(letter) from {} where digest is not null group by digest").format(
            _table(schema)
        )
    )
    return dict(await cursor.fetchall())


_NAME = "letters_met"


def _table(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, _NAME)
