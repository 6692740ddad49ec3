"""The register whose stream agencies subscribe to."""

import pytest
from tests.agencies.register import Register

from benvung.testing import Engine, NatsServer, SettingsFor


@pytest.fixture
def register(engine: Engine, settings: SettingsFor, nats_server: NatsServer) -> Register:
    """An empty register with its NATS server."""
    if nats_server.shared_account:
        pytest.skip("a given server has no account for an agency")
    return Register(engine("households"), settings("households", nats=nats_server), nats_server)
