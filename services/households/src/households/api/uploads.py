"""A file on its way in: streamed to disk with a limit, and its fingerprint taken on the way."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.types import Message

from benvung.problems import Problem, TooLarge, UnsupportedMedia
from benvung.settings import ServiceSettings
from households.actions.given import Upload

__all__ = ["UPLOADS", "UPLOAD_LIMIT", "FileMissing", "Upload", "UploadTooLarge", "fingerprint", "received"]

MEGABYTE = 1024 * 1024
UPLOAD_LIMIT = 501 * MEGABYTE
"""What no setting allows: the configured limit is checked while the file arrives."""

RAW_KINDS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/csv",
    "application/octet-stream",
)
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
UPLOADS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **dict.fromkeys(RAW_KINDS, _FILE),
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


class UploadTooLarge(TooLarge):
    """The file is larger than this service is configured to take."""

    rule = "upload-too-large"
    title_vi, title_en = "Tệp quá lớn", "The file is too large"

    def __init__(self, megabytes: int) -> None:
        super().__init__(
            f"Tệp lớn hơn {megabytes} MB. Hãy chia theo xã hoặc theo thôn.",
            f"The file is larger than {megabytes} MB. Split it by commune or village.",
        )


class FileMissing(Problem):
    """The form has no part `file`, or cannot be read as a form."""

    rule = "file-missing"
    title_vi, title_en = "Thiếu tệp", "The file is missing"


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


async def received(request: Request) -> AsyncIterator[Upload]:
    """The uploaded file, on disk for as long as the request lasts.

    Raises `UploadTooLarge`, `UnsupportedMedia`, `FileMissing`.
    """
    settings: ServiceSettings = request.app.state.settings
    limited = Request(request.scope, _Limited(request, settings.max_upload_mb))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    with tempfile.TemporaryDirectory(dir=settings.upload_dir or None) as folder:
        path = Path(folder) / "upload"
        if kind == "multipart/form-data":
            yield Upload(path, await _from_form(limited, path))
        elif kind in RAW_KINDS:
            yield Upload(path, await _write(limited.stream(), path))
        else:
            raise UnsupportedMedia(
                "Hãy gửi tệp XLSX hoặc CSV.",
                f"Send an XLSX or CSV file, as {', '.join(RAW_KINDS)} or multipart/form-data.",
            )


async def fingerprint(given: Annotated[Upload, Depends(received)]) -> bytes:
    """What the file is known by, however it was wrapped for the journey."""
    return given.sha256


async def _from_form(request: Request, path: Path) -> bytes:
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            part = form.get("file")
            if not isinstance(part, UploadFile):
                raise FileMissing
            return await _write(_pieces(part), path)
    except MultiPartException as error:
        raise FileMissing from error


async def _pieces(part: UploadFile) -> AsyncIterator[bytes]:
    while piece := await part.read(MEGABYTE):
        yield piece


async def _write(pieces: AsyncIterator[bytes], path: Path) -> bytes:
    digest = hashlib.sha256()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for piece in pieces:
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
    return digest.digest()
