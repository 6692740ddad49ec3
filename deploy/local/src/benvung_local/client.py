"""Speaks to the running services as an officer would: over HTTP, with a token, and nothing else."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

PAGE = 500
SECONDS = 60.0


class Unexpected(Exception):
    """A service answered otherwise than asked; the message quotes its problem."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the issuer and the four services are."""

    issuer: str
    households: str
    funding: str
    training: str
    reporting: str


class Officer:
    """One signed-in officer's view of the services."""

    def __init__(self, addresses: Addresses, officer: str, seconds: float = SECONDS) -> None:
        self.addresses = addresses
        self._http = httpx2.Client(timeout=seconds, headers={"Accept-Language": "vi"})
        answer = self._http.post(
            f"{addresses.issuer}/token",
            data={"grant_type": "urn:benvung:officer", "officer": officer},
        )
        if answer.status_code != httpx2.codes.OK:
            raise Unexpected(f"token of {officer}: {answer.status_code} {answer.text[:300]}")
        self.token = str(answer.json()["access_token"])
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, method: str, service: str, path: str, **more: Any) -> httpx2.Response:
        """One request, whatever the answer is."""
        return self._http.request(method, f"{getattr(self.addresses, service)}{path}", **more)

    def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON answer of a read."""
        wanted = {key: value for key, value in params.items() if value is not None}
        return _json(self.ask("GET", service, path, params=wanted))

    def send(self, method: str, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON answer of a write."""
        return _json(self.ask(method, service, path, json=dict(body)))

    def upload(self, path: str, file: Path) -> Any:
        """The JSON answer to a file given to the households service."""
        kind = "text/csv" if file.suffix == ".csv" else XLSX
        with file.open("rb") as content:
            return _json(
                self.ask("POST", "households", path, content=content.read(), headers={"Content-Type": kind})
            )

    def download(self, service: str, path: str, file: Path, **params: Any) -> None:
        """Write what a read answers into a file."""
        answer = self.ask("GET", service, path, params=params)
        if answer.is_error:
            raise Unexpected(f"{path}: {answer.status_code} {answer.text[:500]}")
        file.write_bytes(answer.content)

    def pages(self, service: str, path: str, **params: Any) -> Iterator[Any]:
        """Every item of a paged list."""
        after: str | None = None
        while True:
            page = self.get(service, path, limit=PAGE, after=after, **params)
            yield from page["items"]
            if not (after := page["next"]):
                return


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _json(answer: httpx2.Response) -> Any:
    if answer.is_error:
        request = answer.request
        raise Unexpected(f"{request.method} {request.url}: {answer.status_code} {answer.text[:800]}")
    return answer.json() if answer.content else None


def until(seconds: float, check: Any, step: float = 0.05) -> Any:
    """The first truthy answer of `check`, asked every `step` seconds. Raises `TimeoutError`."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:.0f} s")
        time.sleep(step)
    return answer
