"""How long a simulation takes over a million households, beside judging them row by row.

    uv run python -m tests.load.simulation_bench            alone, on a PostgreSQL server of its own
    measure(server_url, 1_000_000)                          as a part of the benchmark

The register is invented: communes of both area types, one official decision a household, points and
indicators drawn evenly, so that nearly all 4,096 combinations occur: more than in any real register. The
rival opens each decision's sealed flags and judges each household by itself; it is measured on a sample.
"""

import asyncio
import base64
import datetime as dt
import itertools
import json
import random
import time
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

import psycopg
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import clock, db
from benvung.auth import Principal
from benvung.vault import Vault
from benvung_local.servers import PostgresServer
from households import actions
from households.actions.decisions import combination_key
from households.domain import AreaType, RuleSet, RuleSetGiven, get_standard, rule_set
from households.settings import Settings
from households.simulator import Simulator

STANDARD = "STD_2022_2025"
KEY = bytes(range(32))
DATABASE = "bench_simulation"
ROWS, SAMPLE = 1_000_000, 20_000
LIMIT = 15.0
DAY = dt.date(2024, 1, 24)
COMMUNES = 300
RULE_SETS = {
    "theo tổng điểm: ngưỡng B1 cao hơn": RuleSetGiven(
        STANDARD, b1_thresholds={AreaType.RURAL: 160, AreaType.URBAN: 195}
    ),
    "theo từng chỉ số: bỏ một, một nặng gấp đôi, ngưỡng khác": RuleSetGiven(
        STANDARD,
        b1_thresholds={AreaType.RURAL: 160, AreaType.URBAN: 195},
        b2_threshold=40,
        indicators=[
            (code, 20 if code == "WATER_SOURCE" else None)
            for code in get_standard(STANDARD).indicator_codes
            if code != "INFO_DEVICES"
        ],
    ),
}

_FILL = (
    """insert into villages (commune, code, name, name_key)
       select c::text, c || '.01', 'Thôn Một', 'thon mot' from generate_series(10001, 10000 + %(communes)s) c""",
    """insert into reviews (province, commune, area_type, year, kind, stage, standard, decided_on, valid_from,
         opened_on)
       select '64', c::text, case when c %% 4 = 0 then 'URBAN' else 'RURAL' end, 2023, 'ANNUAL', 'OFFICIAL',
         %(standard)s, '2023-12-10', '2023-12-10', '2023-09-01'
       from generate_series(10001, 10000 + %(communes)s) c""",
    """insert into households (province, commune, village, head_name, head_key, members, poverty_class, standard,
         class_since, revision, last_fact_on)
       select '64', c, c || '.01', %(name)s, %(name)s, 1 + n %% 7, 'NOT_POOR', %(standard)s, '2023-12-10', 1,
         '2023-12-10'
       from (select n, (10001 + n %% %(communes)s)::text c from generate_series(1, %(rows)s) n) g""",
    # The class stands here as the official rules give it, so that the simulation has right ones before.
    """insert into decisions (decision_id, household_id, sequence, review_id, commune, village, year, kind, stage,
         standard, class, members, b1_points, b2_points, flags, combination_id, basis, inputs, rule_version,
         decided_on, valid_from)
       select gen_random_uuid(), h.id, h.n, v.id, h.commune, h.commune || '.01', 2023, 'ANNUAL', 'OFFICIAL', %(standard)s,
         case when h.b1 > case v.area_type when 'URBAN' then 175 else 140 end then 'NOT_POOR'
              when k.points >= 30 then 'POOR' else 'NEAR_POOR' end,
         h.members, h.b1, k.points, k.flags, k.id, 'FLAGS', '{}', %(standard)s || '/1', '2023-12-10',
         '2023-12-10'
       from (select id, commune, members, row_number() over () n, (random() * 400)::int b1,
               1 + floor(random() * %(combinations)s)::int k from households) h
       join reviews v on v.commune = h.commune
       join (select row_number() over (order by id) no, c.id, c.flags, b.points
             from combinations c join bench_points b using (fingerprint)) k on k.no = h.k""",
    """insert into tellings (sequence, fact, leg, household_id, kind, stage, holds_from, province, commune, village,
         members, status, class, standard, class_since)
       select sequence, sequence, 0, household_id, 'CLASSIFIED', stage, valid_from, '64', commune, village,
         members, 'ACTIVE', class, standard, valid_from
       from decisions""",
    "vacuum analyze tellings",
    "vacuum analyze households",
    "vacuum analyze decisions",
)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One rule set over all rows: the simulation's seconds, and the rival's for as many rows."""

    name: str
    seconds: float
    rival_seconds: float
    households: int
    changes: int


def measure(server_url: str, rows: int) -> list[Simulated]:
    """Fill a database of its own on the server, run each rule set, and drop the database again."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"drop database if exists {DATABASE} with (force)")
        conn.execute(f"create database {DATABASE}")
    url = server_url.rpartition("/")[0] + f"/{DATABASE}"
    try:
        db.migrate("households", url.replace("postgresql://", "postgresql+psycopg://", 1))
        _fill(url, rows)
        clock.fix(DAY)
        return asyncio.run(_simulate(url, rows))
    finally:
        clock.fix(None)
        with psycopg.connect(server_url, autocommit=True) as conn:
            conn.execute(f"drop database {DATABASE} with (force)")


def _fill(url: str, rows: int) -> None:
    vault, codes = Vault(KEY), get_standard(STANDARD).indicator_codes
    combinations = [
        combination for size in range(len(codes) + 1) for combination in itertools.combinations(codes, size)
    ]
    random.Random(1).shuffle(combinations)
    with psycopg.connect(url, autocommit=True) as conn:
        # The rows are right by construction: no need to look every key up.
        conn.execute("set session_replication_role = replica")
        conn.execute("select setseed(0.5)")
        conn.execute("create temporary table bench_points (fingerprint bytea primary key, points int)")
        keyed = [(combination_key(vault, STANDARD, each), each) for each in combinations]
        with conn.cursor().copy("copy combinations (standard, fingerprint, flags) from stdin") as copy:
            for key, each in keyed:
                copy.write_row((STANDARD, key, vault.seal(json.dumps(each))))
        with conn.cursor().copy("copy bench_points from stdin") as copy:
            for key, each in keyed:
                copy.write_row((key, 10 * len(each)))
        given = {
            "communes": COMMUNES,
            "rows": rows,
            "standard": STANDARD,
            "name": vault.seal("Đinh Văn Thử"),
            "combinations": len(combinations),
        }
        for statement in _FILL:
            conn.execute(statement, given if "%(" in statement else None)


async def _simulate(url: str, rows: int) -> list[Simulated]:
    settings = Settings(database_url=url, data_key=base64.b64encode(KEY).decode())
    engine = db.create_engine(settings)
    try:
        return [await _one(engine, settings, name, given, rows) for name, given in RULE_SETS.items()]
    finally:
        await engine.dispose()


async def _one(
    engine: AsyncEngine, settings: Settings, name: str, given: RuleSetGiven, rows: int
) -> Simulated:
    everywhere = Principal("bench", "", frozenset({actions.simulations.RESTRICTED}), ("VN",))
    async with engine.begin() as conn:
        asked = await actions.simulations.ask(conn, everywhere, title=name, area="VN", day=DAY, given=given)
    simulator = Simulator(settings)
    started = time.monotonic()
    await simulator.round(engine)
    seconds = time.monotonic() - started
    async with engine.connect() as conn:
        pg = await db.driver(conn)
        households, changes = await _figures(pg, asked)
        assert households == rows, f"{households} of {rows} households were judged"
        per_row = await _row_by_row(pg, rule_set(given))
    return Simulated(name, seconds, per_row * rows, households, changes)


async def _figures(pg: "psycopg.AsyncConnection[Any]", asked: uuid.UUID) -> tuple[int, int]:
    cursor = await pg.execute(
        "select (select sum(households) from simulation_counts where simulation_id = %(id)s)::bigint,"
        " (select count(*) from simulation_changes where simulation_id = %(id)s)",
        {"id": asked},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0] or 0, row[1]


async def _row_by_row(pg: "psycopg.AsyncConnection[Any]", rules: RuleSet) -> float:
    """Seconds for each row: read it, open its flags, judge it. Nothing is written."""
    vault = Vault(KEY)
    started = time.monotonic()
    cursor = await pg.execute(
        "select d.standard, v.area_type, d.b1_points, d.b2_points, d.flags from decisions d"
        " join reviews v on v.id = d.review_id limit %s",
        (SAMPLE,),
    )
    judged = 0
    for standard, area_type, b1_points, b2_points, flags in await cursor.fetchall():
        opened = json.loads(vault.open(flags))
        rules.judge(standard, AreaType(area_type), b1_points, b2_points, opened)
        judged += 1
    return (time.monotonic() - started) / judged


def main(rows: Annotated[int, typer.Option(help="households")] = ROWS) -> None:
    """Measure alone and print."""
    server = PostgresServer()
    server.start()
    try:
        for each in measure(server.url(), rows):
            typer.echo(
                f"{each.name}: {each.seconds:.1f} s for {each.households} households, {each.changes} changes;"
                f" row by row {each.rival_seconds:.1f} s"
            )
    finally:
        server.stop()


if __name__ == "__main__":
    typer.run(main)
