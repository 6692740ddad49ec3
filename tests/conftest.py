"""Tests run against real servers; the plugin is the kit's own."""

import sys
from typing import Any

import pytest

pytest_plugins = ["benvung.testing"]
# Tests that share a running system, by the beginning of their names.
SYSTEMS = {
    "tests/system/": "system",
    "tests/faults/test_disk_full": "disks",
    "tests/faults/test_power_cut": "disks",
    "tests/faults/test_lost_and_put_back": "put back",
}


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all tests of one system to one worker, so that it is started once."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist has no types

    class OneWorkerEach(LoadScopeScheduling):  # type: ignore[misc]  # the same
        """Every other test goes to whoever is free."""

        def _split_scope(self, nodeid: str) -> str:
            shared = (name for start, name in SYSTEMS.items() if nodeid.startswith(start))
            return next(shared, nodeid)

    return OneWorkerEach(config, log)


def pytest_collection_finish() -> None:
    """Have Hypothesis work out the characters of Unicode before a test's time is taken.

    It does so once in a checkout and keeps the result; under load that takes seconds, and the first test to draw a
    text would be told that its data come too slowly.
    """
    if "hypothesis" in sys.modules:
        from hypothesis import strategies

        strategies.text().validate()
