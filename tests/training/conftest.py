"""Training behind its HTTP interface, on a database of the test's own."""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from benvung import areas, clock
from benvung.issuer import Issuer
from benvung.testing import SettingsFor
from benvung.testing.tokens import ISSUER, Tokens
from benvung.web import create_app
from training.main import build
from training.settings import Settings

SignIn = Callable[..., httpx2.AsyncClient]
BEFORE = dt.date(2026, 2, 1)
"""A day before the reorganisations that tests invent."""


@pytest.fixture
def units_as_listed() -> Iterator[None]:
    """The units that the published list knows, on that day and again afterwards."""
    clock.fix(BEFORE)
    areas.learn(())
    yield
    areas.learn(())


@pytest_asyncio.fixture
async def application(settings: SettingsFor) -> AsyncIterator[tuple[FastAPI, Tokens]]:
    """The service as it is served, with a sign-in provider of the test's own."""
    chosen = settings("training", issuer_url=ISSUER)
    assert isinstance(chosen, Settings)
    app = create_app(build(chosen), worker=False)
    tokens = Tokens()
    app.state.issuer = Issuer(chosen, tokens.transport)
    yield app, tokens
    await app.state.issuer.stop()
    await app.state.engine.dispose()


@pytest.fixture
def signed_in(application: tuple[FastAPI, Tokens]) -> SignIn:
    """`signed_in("630")`: a client of somebody responsible for that area, with training's permissions."""
    app, tokens = application

    def of(
        *areas: str, permissions: tuple[str, ...] = ("training.read", "training.write")
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app),
            base_url="http://training.test",
            headers={"Authorization": f"Bearer {tokens.token(permissions, areas)}"},
        )

    return of
