"""Which version of a thing is meant: `ETag`, `If-Match` on what is edited, `If-None-Match` on what is read.

A route names the version it shows with `tag`; the edge then answers 304 to whoever has it already. An
action that edits asks `Believed.check` once it holds the thing, so that nobody else can change it between.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic_core import to_json
from starlette.responses import Response

from benvung import problems
from benvung.problems import Problem

_TAG = r'(?:W/)?"[!#-~]*"'
_TAGS = rf"^(?:\*|{_TAG}(?:[ \t]*,[ \t]*{_TAG})*)$"
_LANGUAGE = re.compile(r';[a-z]*"$')
LONGEST = 500


class Changed(Problem):
    """The thing was changed since it was read."""

    status, rule = 412, "changed-since-read"
    title_vi, title_en = "Dữ liệu đã thay đổi từ lần đọc trước", "It has changed since it was read"


class BeliefMissing(Problem):
    """What is replaced as a whole is replaced only by who says which version they read."""

    status, rule = 428, "if-match-missing"
    title_vi, title_en = "Cần nêu phiên bản đã đọc", "The version that was read must be named"

    def __init__(self) -> None:
        super().__init__(
            "Hãy đọc lại và gửi ETag của bản đã đọc trong If-Match (If-Match: * = ghi đè bản hiện có).",
            "Read it and send the ETag you were given in If-Match (If-Match: * = whatever it is now).",
        )


@dataclass(frozen=True, slots=True)
class Believed:
    """The tags of which the asker believes one to be the present one's. None = they did not say."""

    tags: frozenset[str] | None

    def check(self, version: object, refusal: type[Problem] = Changed) -> None:
        """Raise `refusal` unless the thing, now held, has a version that is believed."""
        if self.tags is not None and self.tags.isdisjoint({"*", f'"{version}"'}):
            raise refusal

    def demand(self) -> None:
        """Raise `BeliefMissing` when the asker did not say."""
        if self.tags is None:
            raise BeliefMissing


async def _believed(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            pattern=_TAGS,
            max_length=LONGEST,
            description="the ETag the thing had when it was read; * = whatever it is now",
            examples=['"7;vi"'],
        ),
    ] = None,
) -> Believed:
    if if_match is None:
        return Believed(None)
    # The language is no part of what is edited. A weak tag stays as it is and so matches nothing: that a
    # version is much like another is not enough to write over it.
    return Believed(frozenset(_LANGUAGE.sub('"', each) for each in _listed(if_match)))


IfMatch = Annotated[Believed, Depends(_believed)]
"""What a route that edits takes: `believed: IfMatch`."""


def tag(response: Response, version: object, lang: str = "") -> None:
    """Name the version that is answered; `lang` where the answer has texts of that language."""
    response.headers["ETag"] = f'"{version};{lang}"' if lang else f'"{version}"'
    if lang:
        response.headers["Vary"] = "Accept-Language"


def digest(content: Any) -> str:
    """A version for what has no number of its own: the same content has the same version."""
    return hashlib.sha256(to_json(content)).hexdigest()[:32]


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether the asker has this version already."""
    listed = {each.removeprefix("W/") for each in _listed(if_none_match)}
    return not listed.isdisjoint({"*", etag.removeprefix("W/")})


def _listed(header: str) -> list[str]:
    return ["*"] if header.strip() == "*" else re.findall(_TAG, header[:LONGEST])


def responses(*refusals: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """`problems.responses`, for a route whose answer has an ETag."""
    header = {"description": "the version that is answered", "schema": {"type": "string"}}
    return {200: {"headers": {"ETag": header}}, **problems.responses(*refusals)}


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in an OpenAPI document where `If-None-Match` is looked at: the edge does it, no route declares it."""
    for path in schema.get("paths", {}).values():
        reading = path.get("get", {})
        answers = reading.get("responses", {})
        if "ETag" in answers.get("200", {}).get("headers", {}) and "304" not in answers:
            answers["304"] = {"description": "What `If-None-Match` names is still so"}
            reading.setdefault("parameters", []).append(_known())
    return schema


def _known() -> dict[str, Any]:
    return {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "ETags of versions that are known already: what is still so is not sent again",
        "schema": {"type": "string"},
        "example": '"7;vi"',
    }
