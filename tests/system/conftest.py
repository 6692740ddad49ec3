"""One running system for all tests of this folder: they look at days and households of their own."""

from collections.abc import Iterator

import pytest

from .world import World, running


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The four services with three communes of the invented district in them."""
    with running(tmp_path_factory.mktemp("district")) as made:
        yield made
