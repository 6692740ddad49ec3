"""A command that is killed in the middle of its retries has done each of them wholly or not at all."""

import asyncio
import os
import sys
from pathlib import Path

from tests.shared.operations.tallying import READER, Site, payload

ROOT = Path(__file__).parents[3]
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from benvung.settings import ServiceSettings
from benvung.web import cli
from tests.shared.operations.tallying import tallying
cli(lambda: tallying(ServiceSettings()))()
"""
LETTERS, KILLS, BETWEEN = 150, 2, 15


async def command(site: Site) -> asyncio.subprocess.Process:
    """`dead-letters retry --all` as a process of its own."""
    url = site.app.state.settings.database_url.get_secret_value()
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "dead-letters", "retry", "--all",
        env={**os.environ, "DATABASE_URL": url, "NATS_USER": READER},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_a_round_that_is_killed_again_and_again_does_everything_once(site: Site) -> None:
    for value in range(100, 100 + LETTERS):
        await site.bury(payload(value))

    for _ in range(KILLS):
        done = len(await site.numbers())
        process = await command(site)
        async with asyncio.timeout(60):
            while len(await site.numbers()) < done + BETWEEN:
                assert process.returncode is None
                await asyncio.sleep(0.005)
        process.kill()
        await process.communicate()
    killed_at = len(await site.numbers())
    last = await command(site)
    said, errors = await asyncio.wait_for(last.communicate(), 120)

    assert killed_at < LETTERS
    assert (last.returncode, errors) == (0, b""), said
    assert await site.numbers() == list(range(100, 100 + LETTERS))
    assert await site.announced() == LETTERS
    assert len(await site.audited("dead_letter.retried")) == LETTERS
    assert await site.run("select from dead_letters where state <> 'RETRIED' or attempts <> 2") == []
