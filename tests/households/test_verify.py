"""The register and its own stream, counted alike, agree once everything has been sent."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import httpx2
from tests.households.officer import Commune, row

from benvung.issuer import Issuer
from benvung.testing import NatsServer, SettingsFor
from benvung.testing.tokens import ISSUER, Tokens
from benvung.web import create_app
from households.domain import HouseholdClass
from households.main import build
from households.settings import Settings


async def until_equal(officer: Commune, expected: Any) -> Any:
    """What the stream tells, once it tells `expected`, or after some seconds."""
    found = None
    for _ in range(100):
        found = await officer.ask("GET", "/v1/verify/stream")
        if found == expected:
            return found
        await asyncio.sleep(0.1)
    return found


async def test_register_and_stream_agree_after_imports_moves_and_ends(
    settings: SettingsFor, nats_server: NatsServer, tmp_path: Path
) -> None:
    key = base64.b64encode(bytes(32)).decode()
    chosen = settings("households", nats=nats_server, issuer_url=ISSUER, data_key=key)
    assert isinstance(chosen, Settings)
    app, tokens = create_app(build(chosen)), Tokens()
    app.state.issuer = Issuer(chosen, tokens.transport)
    await app.state.worker.start()
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app),
        base_url="http://households.test",
        headers={"Authorization": f"Bearer {tokens.token(areas=('630',))}"},
    )
    officer, neighbour = Commune(app, client, tmp_path), Commune(app, client, tmp_path, "23830")
    try:
        for each in (officer, neighbour):
            await each.list_villages("Làng Một")
        rows = [row(n, f"Đinh {n}", b1_points=100 + n, b2_points=10 * (n % 6)) for n in range(1, 61)]
        sent = await officer.send(await officer.open_review(), officer.csv(rows))
        assert (await officer.finished(sent["import_id"]))["applied"] == 60
        poor = await officer.households(**{"class": HouseholdClass.POOR})
        await officer.ask(
            "POST",
            f"/v1/households/{poor[0]['id']}/moves",
            201,
            json={"to_commune": "23830", "to_village": "23830.01", "on": "2023-02-01"},
        )
        await officer.ask(
            "POST",
            f"/v1/households/{poor[1]['id']}/closure",
            201,
            json={"reason": "DEATH", "on": "2023-02-01"},
        )

        expected = await officer.ask("GET", "/v1/verify")

        assert expected["total"]["POOR"]["households"] == len(poor) - 1
        assert await until_equal(officer, expected) == expected
        assert [each["commune"] for each in expected["communes"]] == ["23827", "23830"]
    finally:
        await app.state.worker.stop()
        await client.aclose()
        await app.state.issuer.stop()
        await app.state.engine.dispose()
