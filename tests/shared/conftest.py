"""A small service of the kit's own, with one table, for the tests of what every service gets."""

import datetime as dt
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
import psycopg
import pytest
import pytest_asyncio
import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Request
from psycopg import sql
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy.dialects import postgresql as pg
from starlette.responses import HTMLResponse
from tests.shared import pipeline as parts
from tests.shared.pipeline import Pipeline
from typer.testing import CliRunner, Result

from benvung import audit, auth, db, forms, kit, logs, paging, problems, uploads
from benvung.auth import Principal, require
from benvung.db import Conn
from benvung.issuer import Issuer
from benvung.paging import Page
from benvung.service import Service
from benvung.settings import ServiceSettings
from benvung.testing import Engine, NatsServer, SettingsFor
from benvung.testing.tokens import ISSUER, Tokens
from benvung.web import cli, create_app

META = db.metadata()
kit.tables(META)
THINGS = sa.Table(
    "things",
    META,
    sa.Column("id", pg.UUID, primary_key=True),
    sa.Column("commune", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("since", sa.Date, nullable=False),
    # Judged only when the transaction commits.
    sa.UniqueConstraint("label", deferrable=True, initially="DEFERRED"),
)


class Thing(BaseModel):
    """What the small service keeps."""

    commune: str
    label: str
    number: Annotated[int, Field(ge=0)]
    since: dt.date


class Kept(Thing):
    id: uuid.UUID


class TooMany(problems.Problem):
    """No more than three things."""

    status, rule, legal = 409, "too-many-things", "Điều 3 Nghị định thử"
    title_vi, title_en = "Quá nhiều", "Too many"


@dataclass
class Refused(Exception):
    """How a domain refuses."""

    rule: str
    message_vi: str
    message_en: str
    field: str | None
    legal: str | None


Reader = Annotated[Principal, Depends(require("things.read"))]
Writer = Annotated[Principal, Depends(require("things.write"))]
router = APIRouter(prefix="/v1")
pages = APIRouter()
ORDER = (THINGS.c.number, THINGS.c.since, THINGS.c.id)


@router.get("/things")
async def list_things(
    conn: Conn, principal: Reader, after: paging.After = None, limit: paging.Limit = 50
) -> Page[Kept]:
    query = sa.select(THINGS).where(principal.scope().where(THINGS.c.commune))
    rows = (await conn.execute(paging.keyset(query, ORDER, after, limit))).all()
    shown, following = paging.split(rows, ORDER, limit)
    return Page(items=[Kept.model_validate(row._asdict()) for row in shown], next=following)


@router.post("/things", status_code=201, responses=problems.responses(TooMany))
async def add_thing(conn: Conn, principal: Writer, thing: Thing) -> Kept:
    principal.scope().check(thing.commune)
    kept = Kept(id=uuid.uuid4(), **thing.model_dump())
    await conn.execute(sa.insert(THINGS).values(kept.model_dump()))
    await audit.record(conn, principal, "add", "thing", str(kept.id), {"number": thing.number})
    return kept


@router.get("/refusals/{kind}", dependencies=[auth.PUBLIC])
async def refuse(kind: str) -> None:
    if kind == "domain":
        raise Refused("too-far", "Quá xa", "Too far", "distance", "Điều 1")
    if kind == "named":
        raise TooMany
    raise RuntimeError("số căn cước 012345678901")


@router.get("/trace", dependencies=[auth.PUBLIC])
async def trace() -> str | None:
    return logs.traceparent.get()


@router.post("/files", status_code=201, dependencies=[auth.PUBLIC], max_body_size=3_000_000)
async def take_file(request: Request) -> int:
    return sum([len(part) async for part in request.stream()])


@pages.get("/things", response_class=HTMLResponse)
async def things_page(request: Request, principal: Reader) -> str:
    return f"<!doctype html><title>{principal.name}</title>{getattr(request.state, 'csrf', '')}"


@pages.post("/attachments", max_body_size=3_000_000)
async def attach(request: Request, principal: Writer, typed: forms.Sent) -> dict[str, object]:
    file = await uploads.file_of(request)
    request.app.state.attached = file
    return {"by": principal.name, "label": typed.text("label"), "size": len(await file.read())}


@pytest.fixture(scope="session")
def kit_database(postgres_server: str) -> Iterator[str]:
    """Address of a database with the kit's tables and the small service's one."""
    with new_database(postgres_server, META) as url:
        yield url


@contextmanager
def new_database(postgres_server: str, meta: sa.MetaData) -> Iterator[str]:
    """Address of a database with these tables, until the block ends."""
    name = f"benvung_kit_{secrets.token_hex(4)}"
    parts = urlsplit(postgres_server)
    url = urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        with engine.begin() as made:
            meta.create_all(made)
            for statement in (*audit.AUDIT_TRIGGER_SQL, *audit.SEALING_TRIGGER_SQL):
                made.execute(sa.text(statement))
        engine.dispose()
        yield url
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def kit_settings(database_url: str, **more: Any) -> ServiceSettings:
    """Settings of the small service; its issuer is the one of the tests."""
    values = {"database_url": SecretStr(database_url), "issuer_url": ISSUER, "upload_dir": "", **more}
    return ServiceSettings(**values)


def kit_service(settings: ServiceSettings) -> Service:
    """The small service."""
    return Service(
        name="kit",
        title_vi="Dịch vụ thử",
        title_en="Test service",
        package="benvung",
        settings=settings,
        metadata=META,
        routers=[router],
        pages=[pages],
    )


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    """The sign-in provider that signs what a test asks for."""
    return Tokens()


@pytest.fixture
def made_app(kit_database: str) -> Callable[..., FastAPI]:
    """`made_app(streams={…}, nats_url=…)`: the small service with other settings or parts, not running."""

    def make(*, streams: dict[str, tuple[str, ...]] | None = None, **settings: Any) -> FastAPI:
        given = kit_settings(**{"database_url": kit_database, **settings})
        service = replace(kit_service(given), streams=streams or {})
        return create_app(service, worker=bool(streams))

    return make


@pytest.fixture
def command(kit_database: str) -> Callable[..., Result]:
    """`command("migrate")`: runs the small service's command line."""
    runner = CliRunner()

    def run(*arguments: str, **settings: Any) -> Result:
        given = {"database_url": kit_database, **settings}
        return runner.invoke(cli(lambda: kit_service(kit_settings(**given))), arguments)

    return run


@pytest_asyncio.fixture(loop_scope="session")
async def kit_app(made_app: Callable[..., FastAPI], tokens: Tokens) -> AsyncIterator[FastAPI]:
    """The small service, running without a worker, its table empty."""
    app = made_app()
    app.state.issuer = Issuer(app.state.settings, tokens.transport)
    async with app.router.lifespan_context(app):
        async with app.state.engine.begin() as conn:
            await conn.execute(sa.delete(THINGS))
        yield app


@pytest_asyncio.fixture(loop_scope="session")
async def client(kit_app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the small service that nobody is signed in with."""
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(kit_app), base_url="http://kit.test"
    ) as made:
        yield made


@pytest.fixture
async def pipeline(engine: Engine, settings: SettingsFor, nats_server: NatsServer) -> Pipeline:
    """A stream, its owner and a reader, with nothing told yet."""
    owning, reading = engine(parts.OWNER), engine(parts.READER)
    async with reading.begin() as conn:
        await conn.run_sync(parts.META.create_all)
    both = settings(parts.OWNER, nats=nats_server), settings(parts.READER, nats=nats_server)
    return Pipeline((owning, reading), both, nats_server)
