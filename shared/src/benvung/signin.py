"""Signing in with a browser: OpenID Connect's code flow with PKCE, into a session kept by the server.

The browser never sees a token. Between leaving for the provider and coming back, what must match (state,
nonce, PKCE verifier) waits in the same table as the sessions, found by a cookie of its own.
"""

import base64
import datetime as dt
import hashlib
import hmac
import re
import secrets
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse

from benvung import auth, sessions
from benvung.db import Conn
from benvung.issuer import Issuer
from benvung.problems import NotFound, Problem, Unauthenticated

SESSION_LIFETIME = dt.timedelta(hours=8)
SIGN_IN_LIFETIME = dt.timedelta(minutes=10)
PENDING = "signin"
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")

router = APIRouter(dependencies=[auth.PUBLIC], include_in_schema=False)

Short = Annotated[str, Query(max_length=4000)]


class SignInInterrupted(Problem):
    """The answer of the sign-in provider does not belong to a sign-in that this browser began."""

    status, rule = 400, "sign-in-interrupted"
    title_vi, title_en = "Đăng nhập chưa hoàn tất", "Sign-in was not completed"

    def __init__(self) -> None:
        super().__init__(
            "Hãy mở lại trang và đăng nhập lại từ đầu.", "Open the page again and sign in from the start."
        )


@router.get("/sign-in")
async def begin(request: Request, conn: Conn, next: Short = "/") -> RedirectResponse:  # noqa: A002 -- the address people see
    """Send the browser to the provider, and remember what its answer must match."""
    issuer = _issuer(request)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    pending = {"state": state, "nonce": nonce, "verifier": verifier, "next": local(next)}
    there = await issuer.public_endpoint("authorization_endpoint")
    token = await sessions.open_session(conn, pending, SIGN_IN_LIFETIME, PENDING)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": request.app.state.settings.client_id,
        "redirect_uri": _return_address(request),
        "scope": "openid profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in there else "?"
    response = RedirectResponse(f"{there}{joint}{urlencode(asked)}", status_code=303)
    sessions.set_cookie(request, response, PENDING, token, SIGN_IN_LIFETIME)
    return response


@router.get("/sign-in/done")
async def finish(request: Request, conn: Conn, code: Short = "", state: Short = "") -> RedirectResponse:
    """Take the provider's answer, verify its tokens, and begin the session."""
    cookie = request.cookies.get(sessions.cookie_name(request, PENDING), "")
    pending = await sessions.close_session(conn, cookie, PENDING)
    if pending is None or not code or not hmac.compare_digest(state.encode(), pending["state"].encode()):
        raise SignInInterrupted
    claims = await _claims(request, code, pending)
    token = await sessions.open_session(conn, claims, SESSION_LIFETIME)
    response = RedirectResponse(pending["next"], status_code=303)
    response.delete_cookie(sessions.cookie_name(request, PENDING))
    sessions.set_cookie(request, response, "session", token, SESSION_LIFETIME)
    return response


async def _claims(request: Request, code: str, pending: dict[str, Any]) -> dict[str, Any]:
    issuer, settings = _issuer(request), request.app.state.settings
    tokens = await issuer.post(
        await issuer.endpoint("token_endpoint"),
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": _return_address(request),
            "client_id": settings.client_id,
            "code_verifier": pending["verifier"],
        },
    )
    identity = await issuer.verify(str(tokens.get("id_token", "")), settings.client_id)
    access = await issuer.verify(str(tokens.get("access_token", "")), settings.audience)
    if identity.get("nonce") != pending["nonce"] or identity["sub"] != access["sub"]:
        raise SignInInterrupted
    person = auth.principal_of({"name": identity.get("name", ""), **access})
    return {
        "sub": person.subject,
        "name": person.name,
        "permissions": sorted(person.permissions),
        "areas": list(person.areas),
    }


@router.post("/sign-out")
async def sign_out(request: Request, conn: Conn) -> RedirectResponse:
    """End the session here and at the provider. The form carries the session's token in `csrf`."""
    session = await sessions.find_session(request)
    if session is None:
        raise Unauthenticated
    given = (await request.form()).get("csrf", "")
    auth.check_csrf(session, given if isinstance(given, str) else "")
    await sessions.close_session(conn, request.cookies[sessions.cookie_name(request)])
    there = await _issuer(request).public_endpoint("end_session_endpoint")
    back = urlencode(
        {
            "post_logout_redirect_uri": _home(request) + "/",
            "client_id": request.app.state.settings.client_id,
        }
    )
    response = RedirectResponse(f"{there}?{back}" if there else "/", status_code=303)
    response.delete_cookie(sessions.cookie_name(request))
    return response


def local(address: str) -> str:
    """`address` if it leads to a page of this service, else the first page: nobody is sent elsewhere."""
    return address if _LOCAL.fullmatch(address) else "/"


def _issuer(request: Request) -> Issuer:
    issuer: Issuer = request.app.state.issuer
    if not issuer.url:
        raise NotFound("Dịch vụ này chưa được nối với nơi đăng nhập.", "No sign-in provider is configured.")
    return issuer


def _home(request: Request) -> str:
    return (request.app.state.settings.public_url or str(request.base_url)).rstrip("/")


def _return_address(request: Request) -> str:
    return _home(request) + "/sign-in/done"
