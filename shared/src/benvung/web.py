"""The web half of a service: one factory for the application, one for the command line."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

import psycopg
import typer
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from benvung import (
    areas,
    auth,
    clock,
    contracts,
    db,
    edge,
    etags,
    idempotency,
    logs,
    metrics,
    pages,
    problems,
    recovery,
    signin,
)
from benvung.audit import api as audit_api
from benvung.audit.commands import commands as audit_commands
from benvung.bus import Doubt, Refused
from benvung.issuer import Issuer
from benvung.operations import api as operations_api
from benvung.operations import command as operations_command
from benvung.operations import page as operations_page
from benvung.problems import FieldError, NotReady, Problem
from benvung.service import Check as OwnCheck
from benvung.service import Service
from benvung.serving import Stopping, listen
from benvung.settings import ServiceSettings
from benvung.vault import Vault
from benvung.worker import Worker

__all__ = ["Service", "cli", "create_app", "routes"]

JSON_LIMIT = 1_000_000
CHECK_SECONDS = 2.0
WORKER_PORT_OFFSET = 100
_NOT_LINKED = frozenset({"database_url", "nats_url", "public_url", "issuer_url", "issuer_internal_url"})


def create_app(service: Service, *, api: bool = True, worker: bool = True) -> FastAPI:
    """The application of a service: its routes if `api`, its relay and projectors if `worker`.

    Engine, issuer and vault are in `app.state` from the start, so that a test may put its own there.
    Bodies over 1 MB are refused; a route that takes files says so with `max_body_size=`.
    """
    settings = service.settings
    app = Application(
        title=f"Bền Vững: {service.title_vi}",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    key = settings.data_key.get_secret_value()
    app.state.service, app.state.settings = service, settings
    app.state.engine = db.create_engine(settings)
    app.state.issuer = Issuer(settings)
    app.state.vault = Vault.from_base64(key) if key else None
    app.state.worker = Worker(service) if worker else None
    app.state.stopping = Stopping()
    if app.state.worker is not None:
        app.state.stopping.then(app.state.worker.ask_to_stop)
    app.include_router(_kit)
    if api:
        _include(app, service)
    app.add_middleware(edge.Edge, service=service.name)
    for kind in (Problem, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)
    return app


def _include(app: FastAPI, service: Service) -> None:
    # Routes are tried one after another: the service's own are asked for most.
    for router in (*service.routers, audit_api.router, *operations_api.routers(service)):
        app.include_router(router, max_body_size=JSON_LIMIT)
    own = [*operations_page.routers(service), *service.pages]
    if not own:
        return
    pages.install(app, _site(service))
    for router in (signin.router, *own):
        app.include_router(router, max_body_size=JSON_LIMIT, include_in_schema=False)


def _site(service: Service) -> pages.Site:
    settings = service.settings
    linked = [
        name for name in ServiceSettings.model_fields if name.endswith("_url") and name not in _NOT_LINKED
    ]
    return pages.Site(
        name=service.name,
        package=service.package,
        title_vi=service.title_vi,
        title_en=service.title_en,
        peers={name.removesuffix("_url"): getattr(settings, name) for name in linked},
        form_targets=(settings.issuer_url,),
        operations_url=operations_page.ADDRESS if service.projectors else "",
    )


async def _answer(request: Request, error: Exception) -> Response:
    return edge.answer(request, error)


class Application(FastAPI):
    """FastAPI, with every operation's refusals in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """The document, with the problem's schema, where it may be answered, and examples."""
        described = etags.describe(idempotency.describe(problems.describe(super().openapi())))
        return contracts.illustrate(described, contracts.values(self.state.service.package))


def _settle() -> None:
    """Take what lives as long as the process out of the collector's sight.

    A collection of everything would otherwise walk through all modules and administrative units each time,
    and hold up whatever request it falls into for tens of milliseconds.
    """
    areas.find(areas.COUNTRY, clock.today())
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    _settle()
    await state.issuer.start()
    if state.worker is not None:
        await state.worker.start()
    service: Service = state.service
    keeping = None if service.areas is None else asyncio.ensure_future(service.areas(state.engine))
    try:
        yield
    finally:
        state.stopping.begin()
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])
        if state.worker is not None:
            await state.worker.stop()
        await state.issuer.stop()
        await state.engine.dispose()


def routes(app: FastAPI) -> Iterator[tuple[str, RouteContext, str | None]]:
    """Every route of an application: its path, FastAPI's view of it, and what `auth.declared` says."""
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        if dependant is not None:
            yield str(route.path), route, auth.declared(dependant)


_kit = APIRouter(dependencies=[auth.PUBLIC], tags=["health"])


class Alive(BaseModel):
    """The process runs and answers."""

    status: str


class Ready(BaseModel):
    """Everything this process needs has just answered."""

    status: str
    checked: list[str]


@_kit.get("/health/live")
async def live() -> Alive:
    """Whether the process answers at all."""
    return Alive(status="alive")


@_kit.get("/health/ready", responses=problems.responses(NotReady))
async def ready(request: Request) -> Ready:
    """Whether what the service needs answers: proved by requests answered now, not by flags."""
    if request.app.state.stopping.asked:
        raise NotReady("Dịch vụ đang dừng.", "The service is stopping.")
    checks = {"database": _database_answers, "issuer": _issuer_known}
    if request.app.state.worker is not None:
        checks["worker"] = _worker_answers
    for name, own in request.app.state.service.checks.items():
        checks[name] = partial(_own, name, own)
    found = await asyncio.gather(*(_check(name, check, request) for name, check in checks.items()))
    missing = [error for errors in found for error in errors]
    if missing:
        raise NotReady(
            f"Đang chờ: {'; '.join(error.message_vi for error in missing)}.",
            f"Waiting for: {'; '.join(error.message_en for error in missing)}.",
            errors=missing,
        )
    return Ready(status="ready", checked=list(checks))


Check = Callable[[Request], Awaitable[list[FieldError]]]


async def _check(name: str, check: Check, request: Request) -> list[FieldError]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check(request)
    except TimeoutError:
        late = f"{CHECK_SECONDS:g} s"
        return [_missing(name, "no-answer", f"no answer within {late}", f"không trả lời trong {late}")]
    except Exception as error:  # noqa: BLE001 -- whatever the reason, it is not ready
        kind = type(error).__name__
        return [_missing(name, "no-answer", kind, f"không trả lời ({kind})")]


_PARTS = {
    "database": "cơ sở dữ liệu",
    "issuer": "nơi đăng nhập",
    "worker": "phần chạy nền",
    "keys": "khóa dữ liệu",
    "relay": "gửi sự kiện {}",
    "projector": "đọc sự kiện {}",
}


def _missing(name: str, rule: str, detail: str, detail_vi: str) -> FieldError:
    kind, _, rest = name.partition(" ")
    part = _PARTS.get(kind, name).format(rest.rpartition(" ")[2])
    return FieldError(name, rule, f"{part}: {detail_vi}", f"{name}: {detail}")


async def _database_answers(request: Request) -> list[FieldError]:
    async with request.app.state.engine.connect() as conn:
        behind = await db.is_behind(conn, request.app.state.service.package)
    if not behind:
        return []
    return [_missing("database", "not-migrated", "run the command migrate", "hãy chạy lệnh migrate")]


async def _issuer_known(request: Request) -> list[FieldError]:
    issuer: Issuer = request.app.state.issuer
    if issuer.ready:
        return []
    return [_missing("issuer", "no-answer", "signing keys not fetched yet", "chưa lấy được khóa ký")]


async def _own(name: str, check: OwnCheck, request: Request) -> list[FieldError]:
    missing = await check(request.app.state.engine)
    return [] if missing is None else [_missing(name, "missing", missing[1], missing[0])]


async def _worker_answers(request: Request) -> list[FieldError]:
    worker: Worker = request.app.state.worker
    idle = {"working", "standby"}
    waiting = [
        _missing(
            name,
            runner["state"],
            runner["detail"] or runner["state"],
            runner["detail_vi"] or "đang khởi động",
        )
        for name, runner in worker.status().items()
        if runner["state"] not in idle
    ]
    if not waiting:
        await worker.ping()
    return waiting


@_kit.get("/metrics", include_in_schema=False)
async def figures() -> Response:
    """The figures Prometheus collects."""
    text, kind = metrics.render()
    return Response(text, headers={"content-type": kind})


def cli(made: Callable[[], Service]) -> typer.Typer:
    """The command line of a service. `made` makes the service from its environment when a command needs it."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.add_typer(audit_commands(lambda: _built(made).settings), name="audit")

    @app.command()
    def serve() -> None:
        """Answer requests, relay events and keep projections, in one process."""
        _run(_built(made), api=True, worker=True)

    @app.command()
    def api() -> None:
        """Answer requests only."""
        _run(_built(made), api=True, worker=False)

    @app.command()
    def worker(
        port: Annotated[int, typer.Option(help="port for health and metrics; 0 = the service's + 100")] = 0,
    ) -> None:
        """Relay events and keep projections only."""
        service = _built(made)
        _run(service, api=False, worker=True, port=port or service.settings.port + WORKER_PORT_OFFSET)

    @app.command()
    def migrate() -> None:
        """Bring the database to the newest schema."""
        service = _built(made)
        logs.configure(service.name, service.settings.log_level)
        db.migrate(service.package, service.settings.sqlalchemy_url())

    @app.command("contracts")
    def write_contracts(
        check: Annotated[bool, typer.Option("--check", help="write nothing; fail if files differ")] = False,
    ) -> None:
        """Write what this service promises: events, examples, AsyncAPI, OpenAPI. Refuses to break a promise."""
        _contracts(_built(made), check=check)

    @app.command()
    def recover() -> None:
        """After the database was restored from an older copy: take back what its streams told beyond it."""
        service = _built(made)
        logs.configure(service.name, service.settings.log_level)
        try:
            done = asyncio.run(recovery.recover(service))
        except (Doubt, Refused, psycopg.OperationalError) as error:
            typer.echo(f"Chưa đổi gì: {error}", err=True)
            raise typer.Exit(1) from error
        for stream, events in done.withdrawn.items():
            typer.echo(f"{stream}: đã rút lại {events} sự kiện")
        typer.echo(
            f"Đã đánh số lại {done.renumbered} sự kiện đang chờ; số thứ tự đã dùng đến {done.identity}."
        )

    operations_command.install(app, lambda: _built(made))
    return app


def _built(made: Callable[[], Service]) -> Service:
    try:
        return made()
    except ValidationError as error:
        # Named by their variables and without their values, which may be secret.
        for each in error.errors(include_input=False, include_context=False):
            variable = "_".join(str(part) for part in each["loc"]).upper()
            typer.echo(f"{variable}: {each['msg']}", err=True)
        raise typer.Exit(2) from None


def _contracts(service: Service, *, check: bool) -> None:
    home = contracts.folder(service.package)
    present = contracts.committed(home)
    try:
        wanted = contracts.documents(service, create_app(service, worker=False).openapi(), present)
        changed = contracts.differences(present, wanted) if check else contracts.write(home, wanted)
    except (contracts.NoExample, contracts.Incompatible) as error:
        typer.echo(f"{service.name}: {error}", err=True)
        raise typer.Exit(1) from None
    for name in changed:
        typer.echo(name)
    if check and changed:
        raise typer.Exit(1)


def _run(service: Service, *, api: bool, worker: bool, port: int = 0) -> None:
    settings = service.settings
    logs.configure(service.name, settings.log_level)
    clock.fix(settings.business_date)
    app = create_app(service, api=api, worker=worker)
    listen(app, settings.host, port or settings.port)
