"""The world that the machines act on."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import structlog
from tests.faults.model.world import BATCH, World, connect

from benvung.settings import ServiceSettings


@pytest.fixture
def world(settings: Callable[..., ServiceSettings], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, on databases of its own."""
    made = World(settings)
    monkeypatch.setattr("benvung.bus.connection.Client", made.client)
    made.begin()
    monkeypatch.setattr("benvung.journal.connect", connect)
    monkeypatch.setattr("benvung.relay.POLL_SECONDS", 0)
    for module in ("relay", "following"):
        monkeypatch.setattr(f"benvung.{module}.time", SimpleNamespace(monotonic=made.loop.time))
    monkeypatch.setattr("benvung.rebuild.PATIENCE_SECONDS", 2)
    monkeypatch.setattr("benvung.rebuild.BATCH", BATCH)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield made
    structlog.reset_defaults()
    made.close()
