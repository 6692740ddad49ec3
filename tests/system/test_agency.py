"""An agency outside hears of a commune's decision, by the subscriber it is given."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from benvung_local import reclassify
from benvung_local.reclassify import ABOVE
from benvung_local.servers import AGENCIES_TOML

from .world import COMMUNE, World

CHANGED = "funding.eligibility.changed.v1"


@contextmanager
def subscriber(world: World, stream: str) -> Iterator["queue.Queue[str]"]:
    """The bank's subscriber of a stream, and what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "NATS_URL": world.stack.nats.url,
        "NATS_USER": "bank",
        "NATS_PASSWORD": world.stack.secrets.nats["bank"],
    }
    command = [sys.executable, str(AGENCIES_TOML.with_name("subscriber.py")), stream]
    said: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reading = threading.Thread(target=_keep, args=[process.stdout, said])
        reading.start()
        try:
            yield said
        finally:
            process.kill()
            reading.join(10)


def _keep(lines: Iterable[str], said: "queue.Queue[str]") -> None:
    for line in lines:
        said.put(line.strip())


def hears(said: "queue.Queue[str]", wanted: set[str], seconds: float = 30) -> list[str]:
    """All lines up to the last of those that are waited for."""
    lines: list[str] = []
    end = time.monotonic() + seconds
    while wanted := {each for each in wanted if not any(line.endswith(each) for line in lines)}:
        try:
            lines.append(said.get(timeout=max(0.0, end - time.monotonic())))
        except queue.Empty:
            raise AssertionError(f"the bank never heard of {wanted}") from None
    return lines


def test_the_bank_hears_by_itself_who_may_ask_for_which_loan(world: World) -> None:
    world.settle()
    household = world.households(COMMUNE, **{"class": "POOR"})[0]
    [(revision,)] = world.rows(
        "funding",
        "select revision from eligibility where household_id = %s and product = 'POOR'",
        household["id"],
    )
    with subscriber(world, "FUNDING") as said:
        earlier = hears(said, {f"{CHANGED} {household['id']}:POOR {revision}"})
        officer = world.officer("xa-chu-krey")
        reclassify.decide(officer, world.open_review(COMMUNE), household, ABOVE)
        told = hears(
            said,
            {
                f"{CHANGED} {household['id']}:POOR {revision + 1}",
                f"{CHANGED} {household['id']}:NEWLY_ESCAPED 1",
            },
        )
    assert [line for line in (*earlier, *told) if line.startswith("GAP")] == []
