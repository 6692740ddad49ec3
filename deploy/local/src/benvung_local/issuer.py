"""A minimal OpenID Connect provider for the embedded run, and for nothing else.

Whoever reaches it may sign in as any of a few invented officers, without a password: it listens on
loopback, its key lives as long as its process, and it sends codes only to the services it was told of.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Annotated, Any
from urllib.parse import urlencode

import jwt
import typer
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from benvung_local.officers import BY_ID, OFFICERS, Officer

AUDIENCE = "benvung"
CLIENT = "benvung"
OFFICER_GRANT = "urn:benvung:officer"
TOKEN_SECONDS = 12 * 3600
CODE_SECONDS = 60
PORT = 8100
SERVICE_PORTS = (8101, 8102, 8103, 8104)
COOKIE = "benvung_officer"


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code and what its exchange must match."""

    officer: Officer
    redirect: str
    challenge: str
    nonce: str
    until: float


class Refusal(Exception):
    """An OAuth error: its code, and what it means."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class Provider:
    """The provider's key, its codes, and the services it answers to."""

    def __init__(self, url: str, services: Sequence[str]) -> None:
        self.url = url.rstrip("/")
        self.services = tuple(service.rstrip("/") for service in services)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = secrets.token_hex(8)
        self._codes: dict[str, Code] = {}

    def discovery(self) -> dict[str, Any]:
        """What the provider says of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "end_session_endpoint": f"{self.url}/end-session",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", OFFICER_GRANT],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid", "profile"],
        }

    def keys(self) -> dict[str, Any]:
        """The public key in JWKS form."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": "ES256"}]}

    def check(self, asked: Mapping[str, str]) -> None:
        """Raise `Refusal` unless this is a request for a code that may be sent where it asks."""
        if asked.get("redirect_uri") not in {f"{service}/sign-in/done" for service in self.services}:
            raise Refusal("invalid_request", "redirect_uri is not a known service")
        if asked.get("client_id") != CLIENT or asked.get("response_type") != "code":
            raise Refusal("invalid_request", "client_id or response_type is wrong")
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            raise Refusal("invalid_request", "PKCE with S256 is needed")

    def give_code(self, officer: Officer, asked: Mapping[str, str]) -> str:
        """The address that takes a fresh code back to the service."""
        self._codes = {key: code for key, code in self._codes.items() if code.until > time.monotonic()}
        key = secrets.token_urlsafe(24)
        self._codes[key] = Code(
            officer,
            asked["redirect_uri"],
            asked["code_challenge"],
            asked.get("nonce", ""),
            time.monotonic() + CODE_SECONDS,
        )
        return f"{asked['redirect_uri']}?{urlencode({'code': key, 'state': asked.get('state', '')})}"

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Tokens for a code, once. Raises `Refusal`."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.until <= time.monotonic():
            raise Refusal("invalid_grant", "the code is unknown, used or expired")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not hmac.compare_digest(challenge.encode(), code.challenge.encode()):
            raise Refusal("invalid_grant", "code_verifier does not match")
        if form.get("redirect_uri") != code.redirect or form.get("client_id") != CLIENT:
            raise Refusal("invalid_grant", "the code was given to another client")
        identity = {"nonce": code.nonce} if code.nonce else {}
        return self.access(code.officer) | {"id_token": self._sign(code.officer, CLIENT, identity)}

    def access(self, officer: Officer) -> dict[str, Any]:
        """The token answer that lets act as this officer."""
        rights = {"permissions": list(officer.permissions), "areas": list(officer.areas)}
        token = self._sign(officer, AUDIENCE, rights)
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}

    def _sign(self, officer: Officer, audience: str, claims: dict[str, Any]) -> str:
        # A token ends by the machine's real time, also where the business date is fixed.
        issued = int(time.clock_gettime(time.CLOCK_REALTIME))
        usual = {
            "iss": self.url,
            "aud": audience,
            "sub": officer.id,
            "name": officer.name,
            "iat": issued,
            "exp": issued + TOKEN_SECONDS,
        }
        return jwt.encode(usual | claims, self._key, algorithm="ES256", headers={"kid": self._key_id})


def create_issuer(url: str, services: Sequence[str]) -> Starlette:
    """The provider as an application. `url` is its own address, `services` those it may send people to."""
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", _discovery),
            Route("/jwks", _keys),
            Route("/authorize", _authorize),
            Route("/authorize", _choose, methods=["POST"]),
            Route("/token", _token, methods=["POST"]),
            Route("/end-session", _end),
            Route("/health/live", _live),
        ],
        exception_handlers={Refusal: _refused},
    )
    app.state.provider = Provider(url, services)
    return app


def _provider(request: Request) -> Provider:
    provider: Provider = request.app.state.provider
    return provider


async def _live(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _discovery(request: Request) -> Response:
    return JSONResponse(_provider(request).discovery())


async def _keys(request: Request) -> Response:
    return JSONResponse(_provider(request).keys())


async def _authorize(request: Request) -> Response:
    """Who signed in before goes on at once; others choose on the page."""
    provider, asked = _provider(request), dict(request.query_params)
    provider.check(asked)
    known = BY_ID.get(request.cookies.get(COOKIE, ""))
    if known is not None and not asked.get("prompt"):
        return RedirectResponse(provider.give_code(known, asked), status_code=303)
    return _html(provider, _page(asked))


async def _choose(request: Request) -> Response:
    provider, asked = _provider(request), await _form(request)
    provider.check(asked)
    officer = BY_ID.get(asked.get("officer", ""))
    if officer is None:
        raise Refusal("access_denied", "there is no such officer")
    response = RedirectResponse(provider.give_code(officer, asked), status_code=303)
    response.set_cookie(COOKIE, officer.id, httponly=True, samesite="lax", max_age=TOKEN_SECONDS)
    return response


async def _token(request: Request) -> Response:
    provider, form = _provider(request), await _form(request)
    headers = {"Cache-Control": "no-store"}
    if form.get("grant_type") == "authorization_code":
        return JSONResponse(provider.exchange(form), headers=headers)
    if form.get("grant_type") != OFFICER_GRANT:
        raise Refusal("unsupported_grant_type", "this grant is not supported")
    officer = BY_ID.get(form.get("officer", ""))
    if officer is None:
        raise Refusal("invalid_grant", f"officer is one of: {', '.join(BY_ID)}")
    return JSONResponse(provider.access(officer), headers=headers)


async def _end(request: Request) -> Response:
    provider = _provider(request)
    back = request.query_params.get("post_logout_redirect_uri", "")
    known = back.rstrip("/") in provider.services
    response: Response = (
        RedirectResponse(back, status_code=303)
        if known
        else _html(provider, _document("Đã đăng xuất", "<h1>Đã đăng xuất</h1>"))
    )
    response.delete_cookie(COOKIE)
    return response


async def _form(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=20) as form:
        return {key: value for key, value in form.items() if isinstance(value, str)}


async def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return JSONResponse({"error": refusal.error, "error_description": str(refusal)}, status_code=400)


def _html(provider: Provider, html: str) -> HTMLResponse:
    forms = " ".join(("'self'", *provider.services))
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; form-action {forms}; frame-ancestors 'none'; "
        "base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)


def _page(asked: Mapping[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">' for key, value in asked.items()
    )
    choices = "".join(
        f'<li><button name="officer" value="{officer.id}"><strong>{escape(officer.name)}</strong>'
        f"<span>{escape(officer.duty)}</span></button></li>"
        for officer in OFFICERS
    )
    return _document(
        "Đăng nhập",
        "<h1>Đăng nhập</h1>"
        "<p>Bản chạy thử trên máy này: hãy chọn một cán bộ giả định. Tên người là hư cấu.</p>"
        f'<form method="post" action="authorize">{hidden}<ul>{choices}</ul></form>',
    )


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Bền Vững</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


_STYLE = """
:root { color-scheme: light dark; --ground: #fbfbf9; --ink: #1c1e21; --quiet: #5a6068; --line: #d9dbd7;
  --accent: #0b5d8a; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --ink: #eceeef; --quiet: #a3a9b0;
  --line: #33373c; --accent: #6cb8e6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.65 "Be Vietnam Pro", system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { font-size: 1.6rem; line-height: 1.3; margin: 0 0 .5rem; }
p { color: var(--quiet); margin: 0 0 1.5rem; }
ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); }
button { display: block; width: 100%; padding: .85rem .5rem; border: 0; background: none; color: inherit;
  font: inherit; text-align: left; cursor: pointer; }
button:hover strong { color: var(--accent); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px; }
strong, span { display: block; }
span { color: var(--quiet); font-size: .95rem; }
"""


def run(
    port: Annotated[int, typer.Option(help="port to listen on")] = PORT,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    url: Annotated[str, typer.Option(help="own address; empty = http://127.0.0.1:<port>")] = "",
    service: Annotated[list[str] | None, typer.Option(help="address of a service it signs in for")] = None,
) -> None:
    """Run the sign-in provider of the embedded run."""
    names = ("127.0.0.1", "localhost")
    usual = [f"http://{name}:{each}" for name in names for each in SERVICE_PORTS]
    uvicorn.run(
        create_issuer(url or f"http://127.0.0.1:{port}", service or usual),
        host=host,
        port=port,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    typer.run(run)
