"""Typesetting in a child process that ends, so that the service stays small. `python -m households.papers.typeset`.

The text stands in a template of `data/papers`; what is filled in goes there as data, so that no name is taken for
markup. The font is the typesetter's own (Libertinus Serif), embedded, so that a paper looks the same everywhere.
"""

import asyncio
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

SECONDS = 30.0


class PaperNotMade(Exception):
    """The typesetter failed or took too long."""


async def typeset(template: str, given: dict[str, Any]) -> bytes:
    """The paper as PDF. Raises `PaperNotMade`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "households.papers.typeset",
        template,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            made, errors = await process.communicate(json.dumps(given, ensure_ascii=False).encode())
    except BaseException as error:
        process.kill()
        if isinstance(error, TimeoutError):
            raise PaperNotMade from error
        raise
    if process.returncode or not made.startswith(b"%PDF"):
        # The error may quote what was filled in: only its kind is told.
        log.error("paper_not_made", template=template, code=process.returncode, length=len(errors))
        raise PaperNotMade
    return made


def compiled(template: str, given: str) -> bytes:
    """The paper; runs in the child."""
    import typst

    folder = Path(str(resources.files("households"))) / "data" / "papers"
    found: bytes = typst.compile(
        folder / template,
        root=folder,
        ignore_system_fonts=True,
        sys_inputs={"given": given},
    )
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(compiled(sys.argv[1], sys.stdin.buffer.read().decode()))
