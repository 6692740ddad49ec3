"""Households behind its HTTP interface, on a database of the test's own, with somebody to ask."""

import base64
import datetime as dt
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from tests.households.officer import COMMUNE, PROVINCE, Commune, SignIn
from tests.households.province import BEFORE, Province
from tests.households.trying_out import DISTRICT, TOWN, VILLAGES, District

from benvung import areas, clock
from benvung.issuer import Issuer
from benvung.testing import SettingsFor
from benvung.testing.tokens import EVERYTHING, ISSUER, Tokens
from benvung.web import create_app
from households.main import build
from households.settings import Settings

# The district's communes ended on 2025-06-30, and holidays are known of the years up to 2026: the register of
# these tests stays in its time, whatever the business date of the run.
DAY = dt.date(2024, 1, 24)


@pytest.fixture(autouse=True)
def business_date() -> Iterator[dt.date]:
    """The day on which the review of 2023 was over; who means another day fixes it."""
    clock.fix(DAY)
    yield DAY
    clock.fix(None)


@pytest_asyncio.fixture
async def application(settings: SettingsFor) -> AsyncIterator[tuple[FastAPI, Tokens]]:
    """The service as it is served, with a sign-in provider of the test's own."""
    key = base64.b64encode(bytes(range(32))).decode()
    chosen = settings("households", issuer_url=ISSUER, data_key=key)
    assert isinstance(chosen, Settings)
    app = create_app(build(chosen), worker=False)
    tokens = Tokens()
    app.state.issuer = Issuer(chosen, tokens.transport)
    yield app, tokens
    await app.state.issuer.stop()
    await app.state.engine.dispose()


@pytest.fixture
def signed_in(application: tuple[FastAPI, Tokens]) -> SignIn:
    """`signed_in("23827")`: a client of somebody responsible for that area."""
    app, tokens = application

    def of(*areas: str, permissions: Sequence[str] = EVERYTHING) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app),
            base_url="http://households.test",
            headers={"Authorization": f"Bearer {tokens.token(permissions, areas)}"},
        )

    return of


@pytest_asyncio.fixture
async def commune(application: tuple[FastAPI, Tokens], signed_in: SignIn, tmp_path: Path) -> Commune:
    """The officer of a rural commune with three villages and no household yet."""
    officer = Commune(application[0], signed_in(COMMUNE), tmp_path, higher=signed_in(PROVINCE))
    await officer.list_villages("Làng Một", "Làng Hai", "Làng Ba")
    return officer


@pytest_asyncio.fixture
async def district(
    application: tuple[FastAPI, Tokens], signed_in: SignIn, tmp_path: Path
) -> tuple[District, Commune]:
    """Six households in a town, six in a rural commune, and the officer of the district."""
    officers = {code: Commune(application[0], signed_in(code), tmp_path, code) for code in (TOWN, VILLAGES)}
    households = {}
    for code, officer in officers.items():
        await officer.list_villages("Làng Một")
        for number in range(6):
            made = await officer.register(commune=code, village=f"{code}.01", code=f"H{number}")
            households[made] = code
    return District(officers, households), Commune(application[0], signed_in(DISTRICT), tmp_path, DISTRICT)


@pytest.fixture
def province(application: tuple[FastAPI, Tokens], signed_in: SignIn, tmp_path: Path) -> Iterator[Province]:
    """A province some weeks before the reform of 2025, with the units of the published list."""
    areas.learn(())
    clock.fix(BEFORE)
    yield Province(application[0], signed_in, tmp_path)
    clock.fix(None)
    areas.learn(())
