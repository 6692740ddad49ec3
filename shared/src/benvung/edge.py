"""The edge every request passes: its id, its language, its figures, and an answer for every error.

Plain ASGI, because it wraps each request of the hot path.
"""

import re
import time
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote

import psycopg
import sqlalchemy.exc
import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benvung import auth, etags, logs, metrics, pages, problems, uploads
from benvung.pages import catalogue
from benvung.problems import (
    Conflict,
    Failed,
    MethodNotAllowed,
    NotReady,
    NotStorable,
    Problem,
    TooLarge,
    Unauthenticated,
)
from benvung.validation import invalid

log = structlog.get_logger(__name__)

# What PostgreSQL says when a value cannot be what its column is: out of range, too long, a character or
# a date that does not exist. Any other data error is a defect of ours.
_VALUE_ERRORS = frozenset({"22001", "22003", "22007", "22008", "22021", "22P02", "22P03", "22P05"})
_UNIQUE_VIOLATION = "23505"
_USUAL = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


def language(accept: str) -> str:
    """The language of an answer by its `Accept-Language`: `en` if it is preferred, else `vi`."""
    best, best_weight = "vi", 0.0
    for part in accept.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        code = tag.strip().lower().partition("-")[0]
        if code not in {"vi", "en"}:
            continue
        weight = _weight(parameter)
        if weight > best_weight:
            best, best_weight = code, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def refusal(error: Exception) -> Exception:
    """What is answered for an error: a `Problem`, or the domain's own refusal as it is."""
    if isinstance(error, Problem) or problems.is_domain_refusal(error):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    if isinstance(error, HTTPException):
        return problems.of_status(error.status_code, str(error.detail))
    if isinstance(error, UnicodeEncodeError):
        return _not_storable()
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return _busy()
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    known = _of_database(cause) if isinstance(cause, psycopg.Error) else None
    return known or Failed(
        "Hãy gửi lại sau; nếu còn lỗi, báo cho người vận hành kèm mã yêu cầu.",
        "Try again later; if it fails again, tell the operator this request's id.",
    )


def _of_database(error: psycopg.Error) -> Problem | None:
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return _busy()
    if isinstance(error, psycopg.DataError) and (error.sqlstate is None or error.sqlstate in _VALUE_ERRORS):
        return _not_storable()
    if error.sqlstate == _UNIQUE_VIOLATION:
        return Conflict(
            "Dữ liệu này đã được ghi, có thể do một yêu cầu khác cùng lúc.",
            "This is recorded already, perhaps by another request at the same time.",
        )
    return None


def _busy() -> NotReady:
    return NotReady(
        "Cơ sở dữ liệu chưa trả lời. Hãy gửi lại yêu cầu.",
        "The database does not answer at the moment. Send the request again.",
    )


def _not_storable() -> NotStorable:
    return NotStorable(
        "Hãy bỏ ký tự không hợp lệ (như NUL) và kiểm tra độ lớn của các giá trị.",
        "Remove invalid characters (such as NUL) and check the size of the values.",
    )


def answer(request: Request, error: Exception) -> Response:
    """The HTTP answer to any error raised while answering `request`."""
    refused = refusal(error)
    if isinstance(refused, Failed):
        log.error("request_failed", route=_route(request.scope), error=logs.where(error))
    elif isinstance(refused, NotReady | Conflict) and refused is not error:
        log.warning("request_refused", rule=refused.rule, kind=type(error).__name__)
    if isinstance(refused, MethodNotAllowed):
        refused.headers["Allow"] = _methods(request)
    if _from_page(request):
        if isinstance(refused, Unauthenticated) and request.method == "GET":
            where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(where, safe='')}", status_code=303)
        return _page(request, refused)
    return problems.response(
        refused,
        lang=getattr(request.state, "lang", "vi"),
        instance=request.scope["path"],
        request_id=logs.request_id.get() or "",
    )


def _methods(request: Request) -> str:
    path = request.scope["path"]
    here = [route for route in iter_route_contexts(request.app.routes) if _matches(route, path)]
    return ", ".join(sorted({method for route in here for method in route.methods or ()}))


def _matches(route: RouteContext, path: str) -> bool:
    pattern: re.Pattern[str] | None = getattr(route, "path_regex", None)
    return pattern is not None and pattern.match(path) is not None


def _from_page(request: Request) -> bool:
    return hasattr(request.app.state, "site") and "text/html" in request.headers.get("accept", "")


def _page(request: Request, refused: Exception) -> Response:
    body = problems.document(
        refused,
        lang=catalogue.chosen(request),
        instance=request.scope["path"],
        request_id=logs.request_id.get() or "",
    )
    return pages.render(
        request,
        "kit/message.html",
        status=body["status"],
        kind="refused",
        title=body["title"],
        text=body["detail"],
        legal=body["legal"] or "",
        rule=body["rule"],
        **auth.signed_in(request),
    )


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "(none)"))


class Edge:
    """The outermost middleware of a service."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every error before the first byte becomes a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _given(scope["headers"])
        request_id = given.get(b"x-request-id", "")
        if not logs.valid_request_id(request_id):
            request_id = str(uuid.uuid4())
        trace = given.get(b"traceparent", "")
        scope.setdefault("state", {})["lang"] = language(given.get(b"accept-language", ""))
        id_token = logs.request_id.set(request_id)
        trace_token = logs.traceparent.set(trace if logs.valid_traceparent(trace) else None)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await _Exchange(self._service, scope, receive, send, request_id).run(self._app)
        finally:
            await uploads.close(scope)
            structlog.contextvars.unbind_contextvars("request_id", "principal")
            logs.traceparent.reset(trace_token)
            logs.request_id.reset(id_token)


_INTERESTING = frozenset({b"x-request-id", b"traceparent", b"accept-language"})


def _given(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    return {name: value.decode("latin-1") for name, value in headers if name in _INTERESTING}


class _Exchange:
    """One request and its answer."""

    def __init__(self, service: str, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self._service, self._scope, self._receive, self._send = service, scope, receive, send
        self._request_id = request_id
        self._arrived = time.perf_counter()
        self._started = False
        self._replaced = False
        self._bodiless = False

    async def run(self, app: ASGIApp) -> None:
        try:
            if "\0" in self._scope["path"] or b"%00" in self._scope["query_string"]:
                raise _not_storable()
            await app(self._scope, self._receive, self._pass)
        except Exception as error:
            if self._started:
                raise
            await self._refuse(error)

    async def _refuse(self, error: Exception) -> None:
        response = answer(Request(self._scope, self._receive), error)
        await response(self._scope, self._receive, self._pass)

    async def _pass(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            headers = message["headers"] = list(message.get("headers", ()))
            kind = next((value for name, value in headers if name == b"content-type"), b"")
            # The framework's own answer to a body over the route's limit is plain text; a page's is none of its.
            if message["status"] == TooLarge.status and kind.startswith(b"text/plain"):
                await self._refuse(TooLarge())
                self._replaced = True
                return
            self._started = True
            if message["status"] == HTTPStatus.OK and self._knows(headers):
                self._bodiless = True
                message["status"] = HTTPStatus.NOT_MODIFIED.value
                headers[:] = [each for each in headers if not each[0].startswith(b"content-")]
            self._complete(headers)
            self._count(message["status"])
        elif self._bodiless:
            message["body"] = b""
        await self._send(message)

    def _knows(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether the asker has this version of the answer already."""
        etag = next((value for name, value in headers if name == b"etag"), None)
        if etag is None or self._scope["method"] not in auth.SAFE_METHODS:
            return False
        known = [value for name, value in self._scope["headers"] if name == b"if-none-match"]
        return etags.is_known(b",".join(known).decode("latin-1"), etag.decode("latin-1"))

    def _complete(self, headers: list[tuple[bytes, bytes]]) -> None:
        headers.append((b"x-request-id", self._request_id.encode()))
        present = {name for name, _ in headers}
        headers.extend(usual for usual in _USUAL if usual[0] not in present)

    def _count(self, status: int) -> None:
        method, route = self._scope["method"], _route(self._scope)
        metrics.REQUESTS.labels(self._service, method, route, status).inc()
        seconds = time.perf_counter() - self._arrived
        metrics.LATENCY.labels(self._service, method, route).observe(seconds)
