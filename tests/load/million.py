"""A register of a million invented households with their members, filled straight into the tables.

One province of old, its communes as they were on `DAY`. Every household has its official decision of 2023,
every seventh another of 2024. People share some forty thousand invented names, of which some are as common
as real ones; a sealed name and its keyed hashes are made once for each name.
"""

import datetime as dt
import itertools
import json
import random
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import psycopg

from benvung import areas
from benvung.vault import Vault
from households.actions.decisions import combination_key
from households.domain import get_standard
from households.store.sealed import causes_text
from households.store.search import keys_of_name

STANDARD = "STD_2022_2025"
PROVINCE = "64"
SEED = 20250124
DAY = dt.date(2025, 1, 24)
VILLAGES = 8
YEARS = {2023: 1, 2024: 7}
"""Of each so many households one was decided on in that year."""
SHARES = (0.5, 0.3, 0.2, 0.1, 0.3, 0.05, 0.2, 0.02, 0.1, 0.005, 0.4, 0.001)
"""How many households are deprived of each indicator of the standard: some of them hardly any."""
CAUSES = {
    "NO_LAND": 0.4, "NO_CAPITAL": 0.5, "NO_LABOUR": 0.15, "NO_TOOLS": 0.2, "NO_KNOWLEDGE": 0.25, "NO_SKILL": 0.3,
    "ILLNESS": 0.1, "OTHER": 0.003,
}  # fmt: skip
"""Of how many poor and near-poor households each cause of poverty is said."""
NUMBERED = 2_000
"""Households whose head has a personal number that is known here."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What may be asked for: households by id with their commune, names, numbers."""

    households: list[tuple[str, str]]
    names: list[str]
    numbers: list[str]


def fill(url: str, key: bytes, rows: int) -> Filled:
    """Fill the migrated, empty database of households. `url` signs in as its superuser."""
    vault = Vault(key)
    communes = areas.communes_under(PROVINCE, DAY)
    rnd = random.Random(SEED)
    names = _names(rnd)
    with psycopg.connect(url, autocommit=True) as conn:
        # The rows are right by construction: no need to look every key up, nor to wait for the disk.
        conn.execute("set session_replication_role = replica")
        conn.execute("set synchronous_commit = off")
        conn.execute("set maintenance_work_mem = '1GB'")
        conn.execute("select setseed(0.5)")
        indexes = _without_indexes(conn)
        _copy(
            conn,
            "bench_communes (no int, commune text, area_type text)",
            ((no, c.code, c.area_type and c.area_type.value) for no, c in enumerate(communes)),
        )
        _copy(
            conn,
            "bench_names (no int, name text, sealed bytea, key bytea, keys bigint[], details bytea)",
            _sealed(vault, names),
        )
        _combinations(conn, vault, rnd)
        _cause_sets(conn, vault)
        given = {
            "rows": rows,
            "villages": VILLAGES,
            "standard": STANDARD,
            "province": PROVINCE,
            "communes": len(communes),
            "names": len(names),
        }
        for statement in _FILL:
            conn.execute(statement, given)
        conn.execute(_COMBINATIONS)
        conn.execute(_CAUSE_SETS)
        conn.execute("analyze bench_combinations, bench_cause_sets, households, villages")
        for year, share in YEARS.items():
            for statement in _YEAR:
                conn.execute(statement, {**given, "year": year, "share": share, "on": dt.date(year, 12, 10)})
        conn.execute(_RESULT)
        conn.execute(_IN_FORCE)
        conn.execute(_UNUSED)
        for index in indexes:
            conn.execute(index)
        _numbers(conn, vault)
        for table in (
            "households",
            "members",
            "decisions",
            "tellings",
            "combinations",
            "cause_sets",
            "household_combinations",
            "reviews",
            "villages",
        ):
            conn.execute(f"vacuum analyze {table}")
        return _asked_for(conn, names)


def known(url: str) -> Filled | None:
    """What may be asked for of a register that was filled before; nothing of an empty one."""
    with psycopg.connect(url) as conn:
        if conn.execute("select from households limit 1").fetchone() is None:
            return None
        return _asked_for(conn, _names(random.Random(SEED)))


def _asked_for(conn: "psycopg.Connection[Any]", names: list[str]) -> Filled:
    sample = conn.execute(
        "select id::text, commune from households tablesample bernoulli (2) order by random() limit 20000"
    )
    return Filled(sample.fetchall(), names, [_number(n) for n in range(NUMBERED)])


def _names(rnd: random.Random) -> list[str]:
    """Invented names, the common ones first: a quarter of the people will be Nguyễn, many of them Văn or Thị."""
    people = tomllib.loads(
        (resources.files("households") / "data" / "kong_chro_people.toml").read_text("utf-8")
    )
    found: set[str] = set()
    for parts in people["names"].values():
        middles = [*parts["male_middles"], *parts["female_middles"]]
        for words in itertools.product(
            parts["families"], middles, parts["given_first"], parts["given_second"]
        ):
            found.add(" ".join(word for word in words if word))
    rare = {name: rnd.random() + 0.4 * ("Nguyễn" not in name) for name in sorted(found)}
    return sorted(rare, key=lambda name: rare[name] + 0.3 * (" Văn " not in name and " Thị " not in name))


def _sealed(vault: Vault, names: Iterable[str]) -> Iterable[tuple[Any, ...]]:
    for no, name in enumerate(names):
        details = vault.seal(json.dumps(_details(name)))
        yield no, name, vault.seal(name), vault.fingerprint(name), keys_of_name(vault, name), details


def _details(name: str, number: str | None = None) -> Mapping[str, Any]:
    return {
        "name": name,
        "number": number,
        "legacy_number": None,
        "ethnicity": None,
        "disability": None,
        "allowance": None,
        "nutrition": None,
        "labour_capacity": None,
        "number_missing_text": None,
    }


def _combinations(conn: "psycopg.Connection[Any]", vault: Vault, rnd: random.Random) -> None:
    codes = get_standard(STANDARD).indicator_codes
    found = [each for size in range(len(codes) + 1) for each in itertools.combinations(codes, size)]
    rnd.shuffle(found)
    keyed = [(combination_key(vault, STANDARD, each), each) for each in found]
    with conn.cursor().copy("copy combinations (standard, fingerprint, flags) from stdin") as copy:
        for key, each in keyed:
            copy.write_row((STANDARD, key, vault.seal(json.dumps(each))))
    _copy(
        conn,
        "bench_points (fingerprint bytea, points int, mask int)",
        ((key, 10 * len(each), sum(1 << codes.index(code) for code in each)) for key, each in keyed),
    )


def _cause_sets(conn: "psycopg.Connection[Any]", vault: Vault) -> None:
    found = [each for size in range(1, len(CAUSES) + 1) for each in itertools.combinations(CAUSES, size)]
    keyed = [(vault.fingerprint(causes_text(each)), each) for each in found]
    with conn.cursor().copy("copy cause_sets (fingerprint, causes) from stdin") as copy:
        for key, each in keyed:
            copy.write_row((key, vault.seal(json.dumps(each))))
    _copy(
        conn,
        "bench_causes (fingerprint bytea, mask int)",
        ((key, sum(1 << list(CAUSES).index(code) for code in each)) for key, each in keyed),
    )


def _copy(conn: "psycopg.Connection[Any]", table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    conn.execute(f"create temporary table {table}")
    with conn.cursor().copy(f"copy {table.partition(' ')[0]} from stdin") as copy:
        for row in rows:
            copy.write_row(row)
    conn.execute(f"analyze {table.partition(' ')[0]}")


def _without_indexes(conn: "psycopg.Connection[Any]") -> list[str]:
    """Drop the indexes that are quicker made at the end; how each is made again."""
    found = conn.execute(
        "select indexname, indexdef from pg_indexes where tablename in ('households', 'members', 'tellings')"
        " and schemaname = current_schema() and indexname not like '%pkey' and indexname not like 'pk_%'"
    ).fetchall()
    for name, _ in found:
        conn.execute(f"drop index {name}")
    return [definition for _, definition in found]


def _numbers(conn: "psycopg.Connection[Any]", vault: Vault) -> None:
    """Give some heads numbers that can be looked for; the others' hashes are those of numbers nobody knows."""
    heads = conn.execute(
        "select m.id, b.name from members m join bench_names b on b.details = m.details"
        " where m.relation = 'HEAD' limit %s",
        (NUMBERED,),
    ).fetchall()
    numbers = [_number(n) for n in range(len(heads))]
    with conn.cursor() as cursor:
        cursor.executemany(
            "update members set number_key = %s, details = %s where id = %s",
            [
                (vault.fingerprint(number), vault.seal(json.dumps(_details(name, number))), member)
                for (member, name), number in zip(heads, numbers, strict=True)
            ],
        )


def _number(n: int) -> str:
    return f"064{n % 2}85{n:06d}"


_FILL = (
    """insert into villages (commune, code, name, name_key)
       select commune, commune || '.0' || v, 'Thôn ' || v, 'thon ' || v
       from bench_communes, generate_series(1, %(villages)s) v""",
    # As files of communes would leave them: a commune's households beside each other.
    """insert into households (province, commune, village, code, head_name, head_key, head_name_keys, head_sex,
         members, revision, last_fact_on)
       select %(province)s, c.commune, c.commune || '.0' || 1 + g.n %% %(villages)s, 'H' || g.n, b.sealed, b.key, b.keys,
         case when g.n %% 4 = 0 then 'FEMALE' else 'MALE' end, 1 + g.n %% 7, 1, '2023-12-10'
       from (select n, floor(random() * random() * %(names)s)::int who from generate_series(1, %(rows)s) n) g
       join bench_communes c on c.no = (g.n - 1) * %(communes)s::bigint / %(rows)s
       join bench_names b on b.no = g.who
       order by g.n""",
    """insert into members (id, household_id, birth_year, sex, relation, residence, works_on_job_training, study,
         merit, details, number_key, alike_keys, name_keys, version)
       select uuidv7(), h.id, h.born, case when h.born %% 2 = 0 then 'FEMALE' else 'MALE' end,
         case when h.n = 1 then 'HEAD' else 'CHILD' end, 'PERMANENT', false,
         case when h.born between 2009 and 2018 then 'PRIMARY' else 'NONE' end,
         case when random() < 0.007 then 'INVALID' else 'NONE' end, b.details,
         sha256(h.id::text::bytea || h.n::text::bytea), array[h.n], b.keys, 1
       from (select id, n, 1950 + floor(random() * 70)::int born,
               floor(random() * random() * %(names)s)::int who
             from households, generate_series(1, members) n) h
       join bench_names b on b.no = h.who""",
)
_COMBINATIONS = """
create temporary table bench_combinations as
select b.mask, c.id, c.flags, b.points
from combinations c join bench_points b using (fingerprint)"""
_CAUSE_SETS = """
create temporary table bench_cause_sets as
select b.mask, s.id from cause_sets s join bench_causes b using (fingerprint)"""
_MASK = " + ".join(f"(random() < {share})::int * {1 << at}" for at, share in enumerate(SHARES))
_SAID = " + ".join(f"(random() < {share})::int * {1 << at}" for at, share in enumerate(CAUSES.values()))
_THRESHOLD = "case v.area_type when 'URBAN' then 175 else 140 end"
_MOVEMENT = """case when d.class = d.previous_class then null
  when d.previous_class = 'POOR' then case d.class when 'NEAR_POOR' then 'ESCAPED_TO_NEAR_POOR'
    else 'ESCAPED_ABOVE_NEAR_POOR' end
  when d.previous_class = 'NEAR_POOR' then case d.class when 'POOR' then 'NEAR_POOR_TO_POOR'
    else 'ESCAPED_NEAR_POOR' end
  when d.class in ('POOR', 'NEAR_POOR') then 'NEW_' || d.class end"""
_YEAR = (
    """insert into reviews (province, commune, area_type, year, kind, stage, standard, decided_on, valid_from,
         opened_on, state, closed_on)
       select %(province)s, commune, area_type, %(year)s, 'ANNUAL', 'OFFICIAL', %(standard)s, %(on)s, %(on)s,
         %(on)s, 'CLOSED', %(on)s from bench_communes""",
    "analyze reviews",
    f"""insert into decisions (decision_id, household_id, sequence, review_id, commune, village, year, kind, stage,
         standard, class, previous_class, members, b1_points, b2_points, flags, combination_id, cause_set_id, basis, inputs, rule_version,
         decided_on, valid_from)
       select gen_random_uuid(), h.id, (select coalesce(max(sequence), 0) from decisions) + row_number() over (),
         v.id, h.commune, h.village, %(year)s, 'ANNUAL', 'OFFICIAL', %(standard)s,
         case when h.b1 > {_THRESHOLD} then 'NOT_POOR'
              when k.points >= 30 then 'POOR' else 'NEAR_POOR' end, h.was,
         h.members, h.b1, k.points, k.flags, k.id, s.id, 'FLAGS', '{{}}', %(standard)s || '/1', %(on)s, %(on)s
       from (select n.id, n.commune, n.village, n.members, 60 + floor(random() * 60)::int * 10 b1,
               {_MASK} mask, {_SAID} said, p.class was
             from (select *, row_number() over (order by id) nth from households) n
             left join decisions p on p.household_id = n.id
             where nth %% %(share)s = 0) h
       join reviews v on v.commune = h.commune and v.year = %(year)s
       join bench_combinations k on k.mask = h.mask
       left join bench_cause_sets s on s.mask = h.said and h.b1 <= {_THRESHOLD}""",
    "analyze decisions",
    f"""insert into tellings (sequence, fact, leg, household_id, kind, stage, holds_from, province, commune, village,
         members, status, class, standard, class_since, previous_class, movement)
       select sequence, sequence, 0, household_id, 'CLASSIFIED', stage, valid_from, %(province)s, commune, village,
         members, 'ACTIVE', class, standard, valid_from, previous_class, {_MOVEMENT}
       from decisions d where year = %(year)s""",
)
_RESULT = """
update households h set poverty_class = d.class, standard = d.standard, class_since = d.valid_from,
  official_annual_year = d.year, last_fact_on = d.valid_from, ever_poor = d.class = 'POOR',
  ever_near_poor = d.class = 'NEAR_POOR'
from (select distinct on (household_id) * from decisions order by household_id, sequence desc) d
where d.household_id = h.id"""
_IN_FORCE = """
insert into household_combinations (household_id, commune, combination_id, cause_set_id)
select distinct on (household_id) household_id, commune, combination_id, cause_set_id
from decisions order by household_id, sequence desc"""
_UNUSED = """
delete from combinations c where not exists (select from decisions d where d.combination_id = c.id)"""
