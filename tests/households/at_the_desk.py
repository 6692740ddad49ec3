"""A commune's officer in front of the pages: forms are filled in as a browser would send them."""

import datetime as dt
import html
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
from tests.households.officer import COMMUNE

from benvung import clock

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
HTML = {"Accept": "text/html"}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


VILLAGE = f"{COMMUNE}.01"
BY_FLAGS = {"how": "flags", "members": "4", "b1_points": "120"}


def at(review: str, rest: str = "") -> str:
    return f"/reviews/{review}/villages/{VILLAGE}{rest}"


def day(text: str) -> str:
    clock.fix(dt.date.fromisoformat(text))
    return text


def told(answer: httpx2.Response) -> str:
    """What a page says went wrong."""
    words = re.findall(r'<div class="state-words">(.*?)</div>', answer.text, re.DOTALL)
    return f"{answer.status_code}: " + " ".join(re.sub(r"<[^>]+>|\s+", " ", each) for each in words)


@dataclass
class Desk:
    """Pages as one person sees them."""

    client: httpx2.AsyncClient

    async def see(self, path: str, status: int = 200) -> str:
        """A page."""
        answer = await self.client.get(path, headers=HTML)
        assert answer.status_code == status, told(answer)
        return str(answer.text)

    async def hidden(self, path: str) -> dict[str, str]:
        """What the form on a page carries unseen."""
        return {name: html.unescape(value) for name, value in _HIDDEN.findall(await self.see(path))}

    async def post(self, path: str, status: int, fields: dict[str, Any]) -> httpx2.Response:
        """A form as it is sent; a list is several boxes of one name."""
        answer = await self.client.post(
            path.partition("?")[0], content=urlencode(fields, doseq=True), headers=FORM
        )
        assert answer.status_code == status, told(answer)
        return answer

    async def fill(self, path: str, status: int = 303, **typed: Any) -> httpx2.Response:
        """Open a form, fill it in and send it. A field of several words is given with `__` for a dot."""
        fields = {
            **await self.hidden(path),
            **{name.replace("__", "."): value for name, value in typed.items()},
        }
        return await self.post(path, status, fields)


async def look_and_confirm(desk: Desk, form: str, **fields: object) -> httpx2.Response:
    """Form B as a person enters it: first see what follows, then confirm just that."""
    known = await desk.hidden(form)
    seen = await desk.post(form, 200, {**known, **fields, "step": "look"})
    summary = re.search(r'name="seen" value="([^"]*)"', seen.text)
    assert summary, seen.text
    return await desk.post(form, 303, {**known, **fields, "seen": summary[1], "step": "confirm"})


def paper(kind: str, number: str, dated: str) -> dict[str, Any]:
    """The paper of an act."""
    return {"paper.kind": kind, "paper.number": number, "paper.dated": dated}
