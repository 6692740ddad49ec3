"""The audit is sealed into a chain, and whoever tampers with it is found out, a superuser as well."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.shared.conftest import kit_service, kit_settings
from typer.testing import Result

from benvung import audit
from benvung.audit import chain
from benvung.audit.chain import Anchor, Keys, KeyUnknown
from benvung.audit.check import Fault, Report, check
from benvung.audit.sealer import BATCH, Sealer
from benvung.testing import Database, Engine
from benvung.worker import Worker

KEY, OTHER_KEY = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
ROWS = 12
SERVICE = "training"


class Officer:
    subject = "officer-7"


async def write(engine: AsyncEngine, rows: int = 1) -> None:
    async with engine.begin() as conn:
        ids = [f"t{number}" for number in range(rows)]
        await audit.record_each(conn, Officer(), "read", "thing", ids, {"n": 1}, about=audit.About("x", [7]))


async def seal_all(engine: AsyncEngine, key: str = "") -> int:
    sealer = Sealer(kit_settings("postgresql://", audit_key=key))
    sealed = 0
    while done := await sealer.round(engine):
        sealed += done
    return sealed


@dataclass
class Chain:
    """A database with sealed rows, and its superuser who can do anything."""

    url: str
    superuser: "psycopg.Connection[Any]"
    engine: AsyncEngine

    def all(self, query: str) -> list[Any]:
        return self.superuser.execute(query).fetchall()

    def check(self, key: str = "", *anchors: Anchor) -> Report:
        with psycopg.connect(self.url, autocommit=True) as conn:
            return check(conn, Keys.of(key), anchors, lambda _done, _total: None)

    def anchor(self) -> Anchor:
        return Anchor(*self.all("select number, encode(seal, 'hex') from audit_seals order by 1 desc")[0])

    def tamper(self, *statements: str) -> None:
        """What a superuser does whom triggers do not hold up."""
        self.superuser.execute("set session_replication_role = replica")
        for statement in statements:
            self.superuser.execute(statement)

    def rewrite(self, after: int) -> None:
        """Compute all seals behind a number again, as whoever knows no key can."""
        links = self.all(
            "select s.number, extract(epoch from s.sealed_at)::text, s.seal,"
            f" {chain.COLUMNS} from audit_seals s join audit a on a.id = s.audit_id order by s.number"
        )
        previous = chain.FIRST
        for number, sealed_at, kept, *row in links:
            made = chain.seal(previous, number, sealed_at, tuple(row), None)
            previous = made if number > after else kept
            if number > after:
                self.superuser.execute(
                    "update audit_seals set seal = %s, key = null where number = %s", (made, number)
                )


@pytest_asyncio.fixture(loop_scope="session")
async def sealing(database: Database, engine: Engine, postgres_server: str) -> AsyncIterator[Chain]:
    """A database of the test's own with nothing in its audit."""
    url = database(SERVICE)
    with psycopg.connect(
        urlsplit(postgres_server)._replace(path=urlsplit(url).path).geturl(), autocommit=True
    ) as superuser:
        yield Chain(url, superuser, engine(SERVICE))


@pytest_asyncio.fixture(loop_scope="session")
async def sealed(sealing: Chain) -> Chain:
    """The same with twelve sealed rows."""
    await write(sealing.engine, ROWS)
    assert await seal_all(sealing.engine) == ROWS
    assert sealing.check().findings == []
    return sealing


@pytest.fixture
def verify(command: Callable[..., Result], sealing: Chain) -> Iterator[Callable[..., Result]]:
    """`verify("--anchor", …)`: the command on this test's database."""

    def run(*arguments: str, **settings: Any) -> Result:
        return command("audit", "verify", *arguments, database_url=sealing.url, **settings)

    yield run


async def test_rows_are_sealed_in_bounded_steps_and_all_of_them(sealing: Chain) -> None:
    await write(sealing.engine, BATCH + 5)
    sealer = Sealer(kit_settings("postgresql://"))

    assert [await sealer.round(sealing.engine) for _ in range(3)] == [BATCH, 5, 0]

    report = sealing.check()
    assert (report.checked, report.findings) == (BATCH + 5, [])
    assert sealing.all("select count(*) from audit_pending") == [(0,)]


async def test_a_row_that_commits_late_is_sealed_behind_those_with_higher_ids(sealing: Chain) -> None:
    async with sealing.engine.begin() as slow:
        await audit.record(slow, Officer(), "read", "thing", "slow")
        await write(sealing.engine)
        assert await seal_all(sealing.engine) == 1

    assert await seal_all(sealing.engine) == 1
    assert sealing.all("select audit_id from audit_seals order by number") == [(2,), (1,)]
    assert sealing.check().findings == []


async def test_what_was_rolled_back_leaves_no_gap(sealing: Chain) -> None:
    with pytest.raises(RuntimeError):
        async with sealing.engine.begin() as conn:
            await audit.record(conn, Officer(), "read", "thing", "1")
            raise RuntimeError
    await write(sealing.engine)

    assert await seal_all(sealing.engine) == 1
    report = sealing.check()
    assert (report.checked, report.findings) == (1, [])


async def test_several_sealers_at_once_seal_each_row_once(sealing: Chain) -> None:
    await write(sealing.engine, 3 * BATCH)

    done = await asyncio.gather(*(seal_all(sealing.engine) for _ in range(3)))

    await seal_all(sealing.engine)
    assert sum(done) <= 3 * BATCH
    report = sealing.check()
    assert (report.checked, report.findings) == (3 * BATCH, [])


async def test_a_sealer_that_dies_halfway_has_sealed_nothing(sealing: Chain) -> None:
    await write(sealing.engine, 3)
    end = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and query like 'delete%' and wait_event_type = 'Lock'"
    )
    with psycopg.connect(sealing.url) as holding:
        holding.execute("lock table audit_pending in share mode")
        dying = asyncio.create_task(Sealer(kit_settings("postgresql://")).round(sealing.engine))
        while not dying.done():
            sealing.all(end)
            await asyncio.sleep(0.02)

    with pytest.raises((psycopg.Error, DBAPIError)):
        await dying
    assert sealing.all("select count(*) from audit_seals") == [(0,)]
    assert await seal_all(sealing.engine) == 3


async def test_a_worker_seals_beside_whatever_else_it_does(sealing: Chain) -> None:
    worker = Worker(kit_service(kit_settings(sealing.url)))
    await worker.start()
    await write(sealing.engine, 3)
    for _ in range(200):
        if sealing.all("select count(*) from audit_seals") == [(3,)]:
            break
        await asyncio.sleep(0.05)
    await worker.stop()

    assert sealing.check().checked == 3


SWAP_CONTENTS = (
    "update audit a set entity_id = b.entity_id, recorded_at = b.recorded_at from audit b"
    " where (a.id, b.id) in ((5, 6), (6, 5))"
)
SWAP_SEALS = (
    "update audit_seals set number = -5 where number = 5",
    "update audit_seals set number = 5 where number = 6",
    "update audit_seals set number = 6 where number = -5",
)
ANOTHER = "insert into audit (id, principal, action, entity, entity_id) overriding system value values (99, 'x', 'read', 'thing', '1')"


@pytest.mark.parametrize(
    ("statements", "fault", "number", "row"),
    [
        (["update audit set principal = 'somebody' where id = 5"], Fault.CHANGED, 5, 5),
        (["update audit set detail = '{\"n\": 1.0}' where id in (5, 8)"], Fault.CHANGED, 5, 5),
        (["update audit set detail = null where id = 5"], Fault.CHANGED, 5, 5),
        (["update audit set about = '{x/8}' where id = 5"], Fault.CHANGED, 5, 5),
        (["update audit set recorded_at = recorded_at - interval '1 us' where id = 5"], Fault.CHANGED, 5, 5),
        (["update audit set recorded_at = 'infinity' where id = 5"], Fault.CHANGED, 5, 5),
        (["update audit set request_id = 'null' where id = 5"], Fault.CHANGED, 5, 5),
        (["update audit_seals set sealed_at = now() where number = 5"], Fault.CHANGED, 5, 5),
        (["update audit_seals set seal = sha256('x') where number = 5"], Fault.CHANGED, 5, 5),
        (["update audit_seals set seal = sha256('x') where number = 12"], Fault.CHANGED, 12, 12),
        (["delete from audit where id = 5"], Fault.REMOVED, 5, 5),
        (["delete from audit_seals where number = 5"], Fault.SEAL_REMOVED, 5, None),
        (
            ["delete from audit where id = 5", "delete from audit_seals where number = 5"],
            Fault.SEAL_REMOVED,
            5,
            None,
        ),
        (
            [
                "delete from audit where id = 5",
                "delete from audit_seals where number = 5",
                "update audit_seals set number = -number where number > 5",
                "update audit_seals set number = -number - 1 where number < 0",
            ],
            Fault.CHANGED,
            5,
            6,
        ),
        ([SWAP_CONTENTS], Fault.MOVED, 5, 5),
        (SWAP_SEALS, Fault.MOVED, 5, 6),
        (
            [
                "update audit_seals set audit_id = -5 where audit_id = 5",
                "update audit_seals set audit_id = 5 where audit_id = 6",
                "update audit_seals set audit_id = 6 where audit_id = -5",
            ],
            Fault.MOVED,
            5,
            6,
        ),
        ([ANOTHER], Fault.INSERTED, None, 99),
        (
            [ANOTHER, "insert into audit_seals values (13, 99, now(), null, sha256('x'))"],
            Fault.CHANGED,
            13,
            99,
        ),
        (
            [ANOTHER, "insert into audit_seals values (0, 99, now(), null, sha256('x'))"],
            Fault.SEAL_INSERTED,
            0,
            None,
        ),
        (
            ["insert into audit_pending values (77)"],
            Fault.REMOVED_UNSEALED,
            None,
            77,
        ),
        (["truncate audit"], Fault.REMOVED, 1, 1),
    ],
)
def test_tampering_is_found_and_named(
    *,
    sealed: Chain,
    verify: Callable[..., Result],
    statements: list[str],
    fault: Fault,
    number: int | None,
    row: int | None,
) -> None:
    sealed.tamper(*statements)

    first = sealed.check().findings[0]
    told = verify()

    assert (first.fault, first.number, first.row) == (fault, number, row)
    assert told.exit_code == 1
    assert str(row or number) in told.output.partition("/")[0], told.output


async def test_what_was_put_in_by_an_ordinary_statement_is_sealed_like_any_other(sealed: Chain) -> None:
    sealed.superuser.execute(ANOTHER)

    assert await seal_all(sealed.engine) == 1
    assert sealed.check().findings == []


async def test_a_row_that_vanished_does_not_stop_the_sealing_of_others(sealed: Chain) -> None:
    sealed.tamper("insert into audit_pending values (0), (3)")
    await write(sealed.engine)

    assert await seal_all(sealed.engine) == 2
    assert sealed.check().checked == ROWS + 1


def test_an_anchor_shows_that_the_end_was_cut_off(sealed: Chain, verify: Callable[..., Result]) -> None:
    anchor = sealed.anchor()
    assert verify("--anchor", str(anchor)).exit_code == 0
    sealed.tamper("delete from audit_seals where number > 10", "delete from audit where id > 10")

    assert verify().exit_code == 0, "nothing inside the database can show this"
    told = verify("--anchor", str(anchor))
    assert (told.exit_code, "ANCHOR_MISSING" in told.output) == (1, True)


def test_an_anchor_shows_that_a_chain_without_a_key_was_written_anew(
    sealed: Chain, verify: Callable[..., Result]
) -> None:
    anchor = sealed.anchor()
    sealed.tamper("update audit set principal = 'somebody' where id = 5")
    sealed.rewrite(after=0)

    assert verify().exit_code == 0, "nothing inside the database can show this"
    told = verify("--anchor", str(anchor))
    assert (told.exit_code, "ANCHOR_DIFFERS" in told.output) == (1, True)


async def test_a_chain_with_a_key_cannot_be_written_anew_from_the_middle(sealing: Chain) -> None:
    await write(sealing.engine, ROWS)
    await seal_all(sealing.engine, KEY)
    assert (sealing.check(KEY).checked, sealing.check(KEY).keyless) == (ROWS, 0)
    sealing.tamper("update audit set principal = 'somebody' where id = 5")
    sealing.rewrite(after=4)

    assert (sealing.check(KEY).findings[0].fault, sealing.check(KEY).checked) == (Fault.KEYLESS, 4)


async def test_seals_with_a_key_need_the_key(sealing: Chain, verify: Callable[..., Result]) -> None:
    await write(sealing.engine)
    await seal_all(sealing.engine, KEY)

    assert verify(audit_key=KEY).exit_code == 0
    assert sealing.check().findings[0].fault is Fault.KEY_UNKNOWN
    assert "KEY_UNKNOWN" in verify(audit_key=OTHER_KEY).output
    await write(sealing.engine)
    with pytest.raises(KeyUnknown):
        await seal_all(sealing.engine)
    assert sealing.all("select count(*) from audit_seals") == [(1,)]


async def test_a_key_can_be_taken_up_and_changed(sealing: Chain) -> None:
    for key in ("", KEY, f"{OTHER_KEY},{KEY}"):
        await write(sealing.engine)
        await seal_all(sealing.engine, key)

    report = sealing.check(f"{OTHER_KEY},{KEY}")
    assert (report.checked, report.keyless, report.findings) == (3, 1, [])
    assert len(set(sealing.all("select key from audit_seals"))) == 3


@pytest.mark.parametrize("key", ["secret", base64.b64encode(b"too short").decode(), f"{KEY},"])
def test_a_key_of_another_size_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ValueError, match="base64 of 32 bytes"):
        kit_settings("postgresql://", audit_key=key)


def test_the_command_names_the_newest_seal(
    sealed: Chain, verify: Callable[..., Result], command: Callable[..., Result]
) -> None:
    told = command("audit", "anchor", database_url=sealed.url)

    assert (told.exit_code, told.output.strip()) == (0, str(sealed.anchor()))
    assert str(sealed.anchor()) in verify().output
    assert verify("--anchor", "12:abc").exit_code == 2


@pytest.mark.parametrize(
    "change",
    ["update audit_seals set number = 99", "delete from audit_seals", "truncate audit_seals"],
)
async def test_no_seal_is_ever_changed_by_the_service(sealed: Chain, change: str) -> None:
    with pytest.raises(DBAPIError, match="never changed"):
        async with sealed.engine.begin() as conn:
            await conn.execute(sa.text(change))
