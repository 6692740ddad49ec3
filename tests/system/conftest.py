"""One running system for all tests of this folder: they look at days and households of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import World, running

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one worker, so that one system serves them all."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("system"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The four services with three communes of the invented district in them."""
    with running(tmp_path_factory.mktemp("district")) as made:
        yield made
