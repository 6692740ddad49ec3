"""A file on its way in: streamed to disk with a limit, and its fingerprint taken on the way."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from benvung import uploads
from benvung.problems import UnsupportedMedia
from benvung.settings import ServiceSettings
from benvung.uploads import MEGABYTE, FileMissing, UploadTooLarge
from households.actions.given import Upload

__all__ = [
    "UPLOADS",
    "UPLOAD_LIMIT",
    "FileMissing",
    "Upload",
    "UploadTooLarge",
    "fingerprint",
    "on_disk",
    "received",
]

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


async def received(request: Request) -> AsyncIterator[Upload]:
    """The uploaded file, on disk for as long as the request lasts. Raises as `on_disk`."""
    async with on_disk(request) as upload:
        yield upload


@asynccontextmanager
async def on_disk(request: Request) -> AsyncIterator[Upload]:
    """The uploaded file, on disk meanwhile. Raises `UploadTooLarge`, `UnsupportedMedia`, `FileMissing`."""
    settings: ServiceSettings = request.app.state.settings
    kind = uploads.media_type(request)
    with tempfile.TemporaryDirectory(dir=settings.upload_dir or None) as folder:
        path = Path(folder) / "upload"
        if kind == uploads.MULTIPART:
            yield Upload(path, await _write(_pieces(await uploads.file_of(request)), path))
        elif kind in RAW_KINDS:
            yield Upload(path, await _write(uploads.body(request), path))
        else:
            raise UnsupportedMedia(
                "Hãy gửi tệp XLSX hoặc CSV.",
                f"Send an XLSX or CSV file, as {', '.join(RAW_KINDS)} or {uploads.MULTIPART}.",
            )


async def fingerprint(given: Annotated[Upload, Depends(received)]) -> bytes:
    """What the file is known by, however it was wrapped for the journey."""
    return given.sha256


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
