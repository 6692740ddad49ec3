"""A request that brings a file: refused as soon as it passes the configured size, its file on disk, not in memory.

The parts of a form are read once, by whoever asks first: the session's token is one of them. They are closed
when the request ends.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Message, Scope

from benvung.problems import FieldError, Problem, TooLarge
from benvung.settings import ServiceSettings

MULTIPART = "multipart/form-data"
MEGABYTE = 1024 * 1024
MOST_FIELDS = 20
_PARTS = "parts"


class UploadTooLarge(TooLarge):
    """The file is larger than this service is configured to take."""

    rule = "upload-too-large"
    title_vi, title_en = "Tệp quá lớn", "The file is too large"

    def __init__(self, megabytes: int) -> None:
        super().__init__(
            f"Tệp lớn hơn {megabytes} MB. Hãy chia thành nhiều tệp nhỏ hơn.",
            f"The file is larger than {megabytes} MB. Split it into smaller ones.",
        )


class FileMissing(Problem):
    """The form has no part `file`, or cannot be read as a form."""

    rule = "file-missing"
    title_vi, title_en = "Thiếu tệp", "The file is missing"

    def __init__(self) -> None:
        vi, en = "Hãy chọn tệp để gửi.", "Choose a file to send."
        super().__init__(vi, en, errors=[FieldError("file", self.rule, vi, en)])


def media_type(request: Request) -> str:
    """What the body is said to be, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def body(request: Request) -> AsyncGenerator[bytes, None]:
    """The body piece by piece. Raises `UploadTooLarge` as soon as it passes the limit."""
    settings: ServiceSettings = request.app.state.settings
    limited = Request(request.scope, _Limited(request, settings.max_upload_mb))
    async with aclosing(limited.stream()) as pieces:
        async for piece in pieces:
            yield piece


async def parts(request: Request) -> FormData:
    """The parts of a form with a file. Raises `UploadTooLarge`, and `FileMissing` where it is no form."""
    state = request.scope["state"]
    if _PARTS in state:
        return cast("FormData", state[_PARTS])
    try:
        async with aclosing(body(request)) as pieces:
            parser = MultiPartParser(request.headers, pieces, max_files=1, max_fields=MOST_FIELDS)
            found = await parser.parse()
    except MultiPartException as error:
        raise FileMissing from error
    state[_PARTS] = found
    return found


async def file_of(request: Request) -> UploadFile:
    """The file of a form. Raises as `parts`, and `FileMissing` where none was chosen."""
    found = (await parts(request)).get("file")
    if not isinstance(found, UploadFile) or not (found.filename or found.size):
        raise FileMissing
    await found.seek(0)
    return found


async def close(scope: Scope) -> None:
    """Let go of the files of a request that has ended."""
    known: FormData | None = scope.get("state", {}).get(_PARTS)
    if known is not None:
        await known.close()


class _Limited:
    """The request's body, refused as soon as it passes the limit."""

    def __init__(self, request: Request, megabytes: int) -> None:
        self._receive = request.receive
        self._megabytes = megabytes
        self._left = megabytes * MEGABYTE

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise UploadTooLarge(self._megabytes)
        return message
