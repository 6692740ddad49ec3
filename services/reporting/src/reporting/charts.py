"""Charts: Vega-Lite specifications of our figures, and the browser library that draws them.

The library is bundled once from the vl-convert package, in a child process that ends (bundling takes some
150 MB), and kept compressed in a file. `python -m reporting.charts <file>` makes it.
"""

import asyncio
import gzip
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

SNIPPET = "export { vegaEmbed };"
BUNDLE_SECONDS = 120.0


def bundle_name() -> str:
    """The name of the bundle's file: another version of the library has another name."""
    made_of = f"{version('vl-convert-python')} {SNIPPET}"
    return f"drawing-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.js"


class Drawing:
    """The browser library as a compressed file, made by whoever asks first."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder) if folder else Path.home() / ".cache" / "benvung"
        self._lock = asyncio.Lock()
        self._compressed: bytes | None = None

    async def compressed(self) -> bytes:
        """The library, compressed with gzip. Raises `OSError` when it cannot be made."""
        async with self._lock:
            if self._compressed is None:
                self._compressed = await self._made()
            return self._compressed

    async def _made(self) -> bytes:
        file = self._place()
        if not file.is_file():
            await self._make(file)
        return await asyncio.to_thread(file.read_bytes)

    def _place(self) -> Path:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            self._folder = Path(tempfile.mkdtemp(prefix="benvung-"))
        return self._folder / f"{bundle_name()}.gz"

    async def _make(self, file: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "reporting.charts", str(file), stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(BUNDLE_SECONDS):
                _, errors = await process.communicate()
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            log.error("chart_library_not_made", detail=errors.decode(errors="replace")[-500:])
            raise OSError("the chart library could not be made")


def make_bundle(file: Path) -> None:
    """Bundle the library and put it at `file`, whole or not at all."""
    import vl_convert

    content = gzip.compress(vl_convert.javascript_bundle(SNIPPET).encode(), 9)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(file)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart: its name, the value it is drawn by, and the value as people write it."""

    day: str
    value: Decimal
    written: str


def bars(cls: str, shown: Sequence[Bar], top: Decimal, description: str) -> dict[str, Any]:
    """Bars over days, from zero to `top`, each with its value written above it, in the class's colour."""
    label = {"fontSize": 14, "fontWeight": 600, "dy": -5, "baseline": "bottom", "color": "var(--ink)"}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": description,
        "width": "container",
        "height": 190,
        "background": None,
        "padding": {"left": 0, "right": 0, "top": 4, "bottom": 0},
        "data": {
            "values": [{"day": bar.day, "value": float(bar.value), "written": bar.written} for bar in shown]
        },
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "sort": None,
                "scale": {"paddingInner": 0.55, "paddingOuter": 0.3},
                "axis": {
                    "title": None,
                    "labelAngle": 0,
                    "ticks": False,
                    "labelPadding": 8,
                    "labelFontSize": 13,
                },
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"domain": [0, float(top) * 1.15], "nice": False},
                "axis": None,
            },
        },
        "layer": [
            {
                "mark": {
                    "type": "bar",
                    "width": {"band": 1},
                    "cornerRadiusEnd": 2,
                    "color": f"var(--class-{cls.lower().replace('_', '-')})",
                }
            },
            {"mark": {"type": "text", **label}, "encoding": {"text": {"field": "written"}}},
        ],
        "config": {
            "font": "Be Vietnam Pro, system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {"labelColor": "var(--ink-soft)", "domainColor": "var(--line-strong)"},
        },
    }


if __name__ == "__main__":
    make_bundle(Path(sys.argv[1]))
