"""Stylesheets, scripts and fonts under `/static/<name>/<hash of their content>/`.

The hash stands in the path, so files name each other by plain relative addresses and every browser may
keep them for ever. An address with an older hash, from a page opened before an update, still answers.
"""

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOREVER = "public, max-age=31536000, immutable"


class HashedFiles(StaticFiles):
    """The files of some folders, the first folder that has a name giving it."""

    def __init__(self, name: str, *folders: Path) -> None:
        super().__init__(directory=folders[0])
        self.all_directories = list(folders)
        self.mount = f"/static/{name}"
        self.hash = _hash(folders)

    def url(self, path: str) -> str:
        """Where a browser finds the file."""
        return f"{self.mount}/{self.hash}/{path}"

    async def get_response(self, path: str, scope: Scope) -> Response:
        asked, _, inner = path.partition("/")
        response = await super().get_response(inner, scope)
        response.headers["Cache-Control"] = _FOREVER if asked == self.hash else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _hash(folders: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                digest.update(str(file.relative_to(folder)).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
