"""Tests run against real servers; the plugin is the kit's own."""

from typing import Any

import pytest

pytest_plugins = ["benvung.testing"]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all tests of `tests/system` to one worker, so that one running system serves them all."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist has no types

    class OneSystem(LoadScopeScheduling):  # type: ignore[misc]  # the same
        """Every other test goes to whoever is free."""

        def _split_scope(self, nodeid: str) -> str:
            return "system" if nodeid.startswith("tests/system/") else nodeid

    return OneSystem(config, log)
