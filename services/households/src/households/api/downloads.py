"""Files on their way out: written to disk in a thread, sent, and removed."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"


def binary(kind: str) -> dict[int | str, dict[str, Any]]:
    """What a route that answers with a file says of it."""
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


async def workbook(request: Request, write: Callable[[Path], object], name: str) -> FileResponse:
    """A workbook that `write` makes, row by row."""
    folder = request.app.state.settings.upload_dir or None
    path = await to_thread.run_sync(_written, write, folder)
    done = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=XLSX, filename=name, background=done)


def _written(write: Callable[[Path], object], folder: str | None) -> Path:
    with tempfile.NamedTemporaryFile(suffix=".xlsx", dir=folder, delete=False) as file:
        path = Path(file.name)
    try:
        write(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
