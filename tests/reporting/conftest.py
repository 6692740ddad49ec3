"""Reporting as its callers see it: events in, answers out, on a database of the test's own."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx2
import pytest

from benvung import clock
from benvung.envelope import EventData
from benvung.testing import App, Bearer, Engine, deliver
from reporting.consumers import PROJECTORS

# Kông Chro district ended on 2025-06-30, so its tests stay in its time.
DAY = dt.date(2024, 1, 24)

Tell = Callable[..., Awaitable[None]]
Client = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture(autouse=True)
def business_date() -> Iterator[dt.date]:
    """The day on which the district's conference looked back on 2023."""
    clock.fix(DAY)
    yield DAY
    clock.fix(None)


@pytest.fixture
def tell(engine: Engine) -> Tell:
    """`await tell([event, …])`: events of any of the three services reach reporting, numbered as told."""
    last = {projector.stream: 0 for projector in PROJECTORS}

    async def of(told: Sequence[EventData]) -> None:
        async with engine("reporting").begin() as conn:
            for projector in PROJECTORS:
                own = [event for event in told if event.stream() == projector.stream]
                start = last[projector.stream] + 1
                last[projector.stream] += len(own)
                await deliver(conn, projector, list(enumerate(own, start)))

    return of


@pytest.fixture
def officer(app: App, bearer: Bearer) -> Client:
    """`client = await officer("630")`: somebody who may read reports in these areas."""

    async def of(*areas: str, **more: Any) -> httpx2.AsyncClient:
        return await app("reporting", headers=bearer(["reports.read"], areas or ("VN",)) | more)

    return of
