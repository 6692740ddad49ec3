"""The system with each server's data on a disk of its own, for the tests that break disks."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.faults import disk, site
from tests.faults.disk import Disk
from tests.faults.site import Site

MEGABYTES = {"nats": 64, "postgres": 400}
HOUSEHOLDS = 10


class OnDisks:
    """A running system and its disks by server."""

    def __init__(self, running: Site, disks: dict[str, Disk]) -> None:
        self.site = running
        self.disks = disks


@pytest.fixture(scope="session")
def on_disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnDisks]:
    """The four services without standbys; needs root and loop devices."""
    if reason := disk.why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("disks")
    home = folder / "home"
    home.mkdir()
    with ExitStack() as stack:
        disks = {}
        for server in site.SERVERS:
            disks[server] = stack.enter_context(disk.disk(MEGABYTES[server]))
            data = disks[server].path / server
            data.mkdir(mode=0o711)
            (home / server).symlink_to(data)
        running = stack.enter_context(site.running(folder, HOUSEHOLDS, home=home, standbys=()))
        yield OnDisks(running, disks)
