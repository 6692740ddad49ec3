"""The OpenID Connect provider as a service sees it: where it is, and which keys sign its tokens."""

import asyncio
import contextlib
import hashlib
import time
from typing import Any

import httpx2
import jwt
import structlog

from benvung.problems import NotReady, Unauthenticated
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

ALGORITHMS = ("ES256", "ES384", "EdDSA", "RS256", "PS256")
TOKEN_LIMIT = 16_384
LEEWAY_SECONDS = 30
REFRESH_SECONDS = 300.0
RETRY_LIMIT = 5.0
UNKNOWN_KEY_PAUSE = 10.0
FETCH_TIMEOUT = 3.0
REMEMBERED_TOKENS = 1000


class Issuer:
    """The OpenID Connect provider as this service knows it: its addresses and its signing keys.

    Keys are fetched when the service starts and refreshed in the background. A token signed with an
    unknown key causes one refresh, at most every few seconds, however many such tokens come.
    """

    def __init__(self, settings: ServiceSettings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.url = settings.issuer_url.rstrip("/")
        self._settings = settings
        self._client = httpx2.AsyncClient(timeout=FETCH_TIMEOUT, transport=transport)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._endpoints: dict[str, str] = {}
        self._refreshing = asyncio.Lock()
        self._verified: dict[bytes, dict[str, Any]] = {}
        self._asked_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether tokens can be verified; a service without an issuer has nothing to wait for."""
        return not self.url or bool(self._keys)

    async def start(self) -> None:
        """Begin to fetch and refresh the keys; returns at once."""
        if self.url:
            self._task = asyncio.create_task(self._keep_fresh(), name="issuer keys")

    async def stop(self) -> None:
        """End the refreshing and close the connections."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def verify(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token meant for `audience`. Raises `Unauthenticated`, or `NotReady` without keys.

        A token comes with many requests. Its signature is checked once, and again with every new set of keys.
        """
        if not self.url or len(token) > TOKEN_LIMIT:
            raise Unauthenticated
        known_by = hashlib.sha256(f"{audience} {token}".encode()).digest()
        known = self._verified.get(known_by)
        if known is not None and time.time() < int(known["exp"]):
            return known
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(header.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=audience,
                issuer=self._settings.issuer_url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated(
                "Mã truy cập không hợp lệ hoặc đã hết hạn. Hãy đăng nhập lại.",
                "The token is not valid or has expired. Sign in again.",
            ) from error
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[known_by] = claims
        return claims

    async def endpoint(self, name: str) -> str:
        """An address from the issuer's discovery document, for this service's own calls."""
        return self._inward(await self.public_endpoint(name))

    async def public_endpoint(self, name: str) -> str:
        """The same for a browser; empty if the issuer has none. Raises `NotReady` before discovery."""
        if not self._endpoints:
            await self._refresh_once()
        if not self._endpoints:
            raise NotReady("Chưa kết nối được với nơi đăng nhập.", "The sign-in provider does not answer.")
        return self._endpoints.get(name, "")

    async def post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        """Send a form to the issuer as this service's client. Raises `Unauthenticated` when refused."""
        secret = self._settings.client_secret.get_secret_value()
        auth = httpx2.BasicAuth(self._settings.client_id, secret) if secret else httpx2.Auth()
        try:
            answer = await self._client.post(url, data=form, auth=auth)
            body = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise NotReady from error
        if answer.status_code != httpx2.codes.OK or not isinstance(body, dict):
            raise Unauthenticated
        return body

    async def _key(self, kid: object) -> jwt.PyJWK:
        if not isinstance(kid, str):
            raise jwt.InvalidTokenError("no key id")
        if kid not in self._keys:
            await self._refresh_once()
        if not self._keys:
            raise NotReady("Chưa có khóa của nơi đăng nhập.", "The sign-in provider's keys are not here yet.")
        if kid not in self._keys:
            raise jwt.InvalidTokenError("unknown key")
        return self._keys[kid]

    async def _refresh_once(self) -> None:
        """Refresh unless that was tried a moment ago; who comes meanwhile waits for the same answer."""
        async with self._refreshing:
            loop = asyncio.get_running_loop()
            if loop.time() - self._asked_at < UNKNOWN_KEY_PAUSE:
                return
            self._asked_at = loop.time()
            await self._refresh()

    async def _refresh(self) -> bool:
        try:
            discovery = await self._get(self._inward(f"{self.url}/.well-known/openid-configuration"))
            if str(discovery.get("issuer", "")).rstrip("/") != self.url:
                log.warning("issuer_names_itself_otherwise")
                return False
            keys = jwt.PyJWKSet.from_dict(await self._get(self._inward(str(discovery["jwks_uri"]))))
        except (httpx2.HTTPError, httpx2.InvalidURL, jwt.PyJWTError, ValueError, KeyError) as error:
            log.warning("issuer_unreachable", kind=type(error).__name__)
            return False
        self._endpoints = {key: value for key, value in discovery.items() if isinstance(value, str)}
        self._keys = {key.key_id: key for key in keys if key.key_id and key.public_key_use != "enc"}
        self._verified.clear()
        return True

    async def _get(self, url: str) -> dict[str, Any]:
        answer = await self._client.get(url)
        answer.raise_for_status()
        body = answer.json()
        if not isinstance(body, dict):
            raise ValueError("not an object")
        return body

    async def _keep_fresh(self) -> None:
        wait = 0.2
        while True:
            try:
                fresh = await self._refresh()
            except Exception:  # a strange answer of the issuer must not end the refreshing
                log.exception("issuer_refresh_failed")
                fresh = False
            wait = REFRESH_SECONDS if fresh else min(wait * 2, RETRY_LIMIT)
            await asyncio.sleep(wait)

    def _inward(self, url: str) -> str:
        inner = self._settings.issuer_internal_url.rstrip("/")
        return inner + url.removeprefix(self.url) if inner and url.startswith(self.url) else url
