"""The small service of `tallying`, running."""

from collections.abc import AsyncIterator

import httpx2
import pytest_asyncio
import sqlalchemy as sa
from tests.shared.operations.tallying import CREATED, META, READER, STREAM, Site, tallying

from benvung.issuer import Issuer
from benvung.testing import Bearer, Engine, SettingsFor, Tokens
from benvung.web import create_app


@pytest_asyncio.fixture(loop_scope="session")
async def site(engine: Engine, settings: SettingsFor, tokens: Tokens, bearer: Bearer) -> AsyncIterator[Site]:
    """The small service without its worker, its projection begun, its client signed in with every right."""
    made = engine(READER)
    async with made.begin() as conn:
        await conn.run_sync(META.create_all)
        await conn.execute(
            sa.text("insert into checkpoints (projector, stream, stream_created, stream_seq)"
                    " values (:reader, :stream, :created, 100)"),
            {"reader": READER, "stream": STREAM, "created": CREATED},
        )  # fmt: skip
    app = create_app(tallying(settings(READER)), worker=False)
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://reporting.test", headers=bearer()
        ) as client,
    ):
        yield Site(app, client, made)
