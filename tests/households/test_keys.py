"""The data key is replaced while the register is at work: whatever was sealed opens and is found at each moment."""

import asyncio
import base64
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from tests.households import forms
from tests.households.officer import Commune, row
from tests.households.people import NUMBER, enter, person
from tests.households.reviewing import recognised

from benvung.testing import SettingsFor
from benvung.vault import PREFIX_BYTES, Vault
from households import actions, store
from households.domain import Refused
from households.keys import KeyCheck
from households.store.sealed import SEALED
from households.tables import metadata

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
FRUIT, PLAIN = ("Cam", "Quýt", "Mận", "Bưởi", "Sầu"), ("cam", "quyt", "man", "buoi", "sau")
# Hashes and random numbers of the service's own, which no data key makes.
NO_DATA_KEY = {
    "audit_seals.seal", "checkpoints.digest", "rebuilds.digest", "sessions.token_hash", "idempotency_keys.key_hash",
    "idempotency_keys.request_digest", "journal.payload", "outbox.payload", "dead_letters.payload", "imports.sha256",
}  # fmt: skip


class Killed(Exception):
    """The process ends here."""


@pytest_asyncio.fixture
async def filled(commune: Commune) -> tuple[Commune, list[str]]:
    """A commune with something sealed in every table."""
    homes = [await commune.register(code=f"H{n}", head_name=f"Đinh Thị {FRUIT[n]}") for n in range(5)]
    for n, home in enumerate(homes):
        await enter(commune, home, **person(name=f"Lường Văn {FRUIT[n]}", number=f"00418500099{n}"))
    review = await commune.open_review()
    causes = {"causes": ["ILLNESS", "OTHER"], "cause_text": "Nương bị sạt lở"}
    await commune.decide(review, homes[0], 120, 40, **causes)
    given = {"household_id": homes[1], "filled_on": "2023-10-05", "b1_points": 120, "b2": forms.B2}
    await commune.ask("POST", f"/v1/reviews/{review}/forms-b", 201, json=given)
    await commune.import_rows(
        review,
        row(1, "Siu Thoan Mẫu", reviewer="Người Rà Soát"),
        row(2, "Rơ Châm Mẫu", causes=("OTHER",), cause_text="Nương bị sạt lở"),
    )
    return commune, homes


def use(commune: Commune, *keys: bytes) -> Vault:
    """The service is started again with these keys."""
    vault = Vault(*keys)
    commune.app.state.vault = vault
    text = ",".join(base64.b64encode(each).decode() for each in keys)
    settings = commune.app.state.settings
    commune.app.state.settings = settings.model_copy(update={"data_key": type(settings.data_key)(text)})
    return vault


async def reads_everything(commune: Commune, homes: list[str]) -> None:
    """Names open, and are found by name, by number, as each other's duplicates and by the next file."""
    first = await commune.household(homes[0])
    assert [each["code"] for each in first["causes"]] == ["ILLNESS", "OTHER"]
    assert first["cause_text"] == "Nương bị sạt lở"
    for n, home in enumerate(homes):
        assert (await commune.household(home))["head_name"] == f"Đinh Thị {FRUIT[n]}"
        listed = await commune.ask("GET", f"/v1/households/{home}/members")
        assert [each["name"] for each in listed["members"]] == [f"Lường Văn {FRUIT[n]}"]
        for path in (f"dinh thi {PLAIN[n]}", f"Lường Văn {FRUIT[n]}"):
            found = await commune.ask("GET", "/v1/households/search", params={"name": path})
            assert home in [each["household"]["id"] for each in found["items"]]
        found = await commune.ask("POST", "/v1/households/search", json={"number": f"00418500099{n}"})
        assert home in [each["household"]["id"] for each in found]


async def values(commune: Commune) -> dict[str, dict[str, int]]:
    async with commune.app.state.engine.connect() as conn:
        return await store.sealed.counted(conn)


def dies_after(chunks: int) -> Callable[[str, int], None]:
    left = chunks

    def progress(_table: str, _done: int) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed

    return progress


def test_every_column_of_bytes_is_sealed_a_keyed_hash_or_known_to_be_neither() -> None:
    known = {f"{each.table.name}.{name}" for each in SEALED for name in (*each.columns, *each.hashes)}
    found = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    }

    assert found - known - NO_DATA_KEY == set()
    assert {each for each in known if each.split(".")[1] not in {"alike_keys", "name_keys", "head_name_keys",
                                                                  "also_keyed"}} <= found  # fmt: skip


async def test_the_rotation_is_killed_after_every_chunk_and_goes_on_and_reading_works_at_each_moment(
    filled: tuple[Commune, list[str]],
) -> None:
    commune, homes = filled
    engine = commune.app.state.engine
    twin = await commune.register(code="H9", head_name="Đinh Khác")
    vault = use(commune, NEW, OLD)
    await reads_everything(commune, homes)
    deaths = 0
    while True:
        try:
            await actions.keys.reseal(engine, vault, dies_after(1), chunk=2)
            break
        except Killed:
            deaths += 1
        await reads_everything(commune, homes)
        # Somebody recorded under the old key or the new one is still seen to be the same.
        pairs = (await commune.ask("GET", "/v1/duplicates"))["items"]
        assert len(pairs) == (deaths > 1)
        if deaths == 1:
            await enter(commune, twin, **person(name="Lường Văn Sầu", number="004185000994"))
    found = await values(commune)

    assert deaths > 8
    assert list(found) == [vault.key_id]
    alone = use(commune, NEW)
    assert alone.key_id == vault.key_id
    twins = await commune.ask("POST", "/v1/households/search", json={"number": "004185000994"})
    assert len(twins) == 2
    for n, home in enumerate(homes[:4]):
        assert (await commune.household(home))["head_name"] == f"Đinh Thị {FRUIT[n]}"
    assert len((await commune.ask("GET", "/v1/duplicates"))["items"]) == 1


async def test_no_hash_of_the_old_key_is_left(filled: tuple[Commune, list[str]]) -> None:
    commune, _ = filled
    await actions.keys.reseal(commune.app.state.engine, use(commune, NEW, OLD), lambda *_: None)
    old = Vault(OLD)
    gone = {old.fingerprint(NUMBER[:-1] + str(n)) for n in range(5)}

    async with commune.app.state.engine.connect() as conn:
        for sealed in SEALED:
            for found in await conn.execute(sa.select(sealed.table)):
                for name in sealed.columns:
                    value = getattr(found, name)
                    assert value is None or value[:PREFIX_BYTES] == Vault(NEW).prefix
                assert not gone & {each for each in found if isinstance(each, bytes)}


async def test_a_file_finds_its_households_while_half_of_them_are_under_each_key(
    filled: tuple[Commune, list[str]],
) -> None:
    commune, homes = filled
    vault = use(commune, NEW, OLD)
    with pytest.raises(Killed):
        await actions.keys.reseal(commune.app.state.engine, vault, dies_after(1), chunk=2)
    review = await commune.open_review(2023)

    # Two households of one code are told apart by their heads alone.
    done = await commune.import_rows(
        review, *(row(n + 1, f"Đinh Thị {FRUIT[n]}", code=f"H{n}") for n in range(5))
    )

    assert (done["state"], done["applied"], done["refused"]) == ("DONE", 5, 0)
    assert {each["household_id"] for each in (await commune.answers(done["import_id"])).values()} == set(
        homes
    )


async def test_live_writes_beside_the_rotation_are_neither_lost_nor_left_behind(
    filled: tuple[Commune, list[str]],
) -> None:
    commune, homes = filled
    vault = use(commune, NEW, OLD)

    async def writes() -> None:
        for n in range(5):
            home = await commune.register(code=f"L{n}", head_name=f"Người {FRUIT[n]}")
            await enter(
                commune, home, **person(name=f"Con {FRUIT[n]}", number=None, number_missing="NOT_SHOWN")
            )
            homes_new.append(home)

    homes_new: list[str] = []
    await asyncio.gather(
        writes(), actions.keys.reseal(commune.app.state.engine, vault, lambda *_: None, chunk=1)
    )

    await reads_everything(commune, homes)
    assert [(await commune.household(each))["head_name"] for each in homes_new] == [
        f"Người {FRUIT[n]}" for n in range(5)
    ]
    assert set(await values(commune)) - {Vault(OLD).key_id} == {vault.key_id}


async def test_a_key_is_not_retired_while_anything_is_under_it(
    filled: tuple[Commune, list[str]], settings: SettingsFor
) -> None:
    commune, _ = filled
    engine = commune.app.state.engine
    old, vault = Vault(OLD), use(commune, NEW, OLD)

    def check(*keys: bytes) -> KeyCheck:
        text = ",".join(base64.b64encode(each).decode() for each in keys)
        return KeyCheck(settings("households", data_key=text))

    assert await check(OLD)(engine) is None
    assert await check(NEW, OLD)(engine) is None
    dropped = await check(NEW)(engine)
    assert dropped is not None
    assert old.key_id in dropped[0]
    for key, rule in (
        (old, "data-key-in-use"),
        (vault, "data-key-seals"),
        (Vault(os.urandom(32)), "data-key-unknown"),
    ):
        with pytest.raises(Refused) as refused:
            async with engine.begin() as conn:
                await actions.keys.retire(conn, vault, key.key_id)
        assert refused.value.rule == rule

    await actions.keys.reseal(engine, vault, lambda *_: None)
    async with engine.begin() as conn:
        await actions.keys.retire(conn, vault, old.key_id)
    assert await check(NEW)(engine) is None


async def test_seals_of_facts_are_renewed_and_nothing_else_of_them_ever_changes(
    filled: tuple[Commune, list[str]],
) -> None:
    commune, _ = filled
    changes: tuple[tuple[str, str], ...] = (
        ("", "update member_facts set details = details"),
        ("renewed", "update member_facts set valid_from = '2001-01-01'"),
        ("renewed", "update decisions set b1_points = 1"),
        ("renewed", "update changes set changed_on = '2001-01-01'"),
        ("renewed", "delete from member_facts"),
    )
    for why, statement in changes:
        with pytest.raises(sa.exc.ProgrammingError, match="never changed"):
            async with commune.app.state.engine.begin() as conn:
                await store.sealed.open_the_way(conn, why)
                await conn.execute(sa.text(statement))


async def test_the_steps_of_a_review_are_read_again_after_the_rotation(commune: Commune) -> None:
    review, _ = await recognised(commune)
    before: Any = await commune.ask("GET", f"/v1/reviews/{review.id}/entries")
    await actions.keys.reseal(commune.app.state.engine, use(commune, NEW, OLD), lambda *_: None)
    use(commune, NEW)

    after = await commune.ask("GET", f"/v1/reviews/{review.id}/entries")

    assert after == before


async def run(commune: Commune, *words: str, killed_at: int | None = None) -> tuple[int, str]:
    """A command of the service in a process of its own, killed without warning once so many values are new."""
    settings = commune.app.state.settings
    environment = os.environ | {
        "DATABASE_URL": settings.psycopg_url(),
        "DATA_KEY": settings.data_key.get_secret_value(),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "households", *words),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    while killed_at is not None and process.returncode is None:
        if sum((await values(commune)).get(commune.app.state.vault.key_id, {}).values()) >= killed_at:
            process.kill()
            break
        await asyncio.sleep(0.01)
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_the_command_is_killed_without_warning_and_the_next_one_goes_on(
    filled: tuple[Commune, list[str]],
) -> None:
    commune, homes = filled
    for number in range(40):
        await commune.register(code=f"K{number}")
    old = Vault(OLD).key_id
    vault = use(commune, NEW, OLD)

    code, _ = await run(commune, "reseal", "--chunk", "1", killed_at=5)
    left = sum((await values(commune))[old].values())
    await reads_everything(commune, homes)
    refused, why = await run(commune, "keys", "retire", old)
    again, told = await run(commune, "reseal")
    shown, listed = await run(commune, "keys", "show")
    retired, _ = await run(commune, "keys", "retire", old)

    assert (code, left > 0, refused, "data-key-in-use" in why) == (-9, True, 1, True)
    assert (again, "rows were sealed again" in told, shown, retired) == (0, True, 0, 0)
    assert list(await values(commune)) == [vault.key_id]
    assert vault.key_id in listed
    assert base64.b64encode(NEW).decode() not in listed + told + why
