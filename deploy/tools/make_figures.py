"""Rebuild the digits of one width that tables are set in, from the package fontpkg-be-vietnam-pro.

    uv run --no-project --with fonttools==4.68.0 --with fontpkg-be-vietnam-pro==1.2 \\
        python deploy/tools/make_figures.py

Be Vietnam Pro has no tabular figures: its "1" is barely more than half as wide as its "4", and a column of
numbers does not line up. The font made here holds its ten digits alone, each in the middle of the median
digit's width; the stylesheet takes digits of tables from it and everything else from the original.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from fontTools import subset  # type: ignore[import-not-found]  # only this tool's own run has it
from fontTools.ttLib import TTFont  # type: ignore[import-not-found]  # the same

TARGET = Path(__file__).parents[2] / "shared/src/benvung/pages/static"
WEIGHTS = ("Regular", "Medium", "SemiBold")
DIGITS = "0123456789"


def digits_of(file: Path) -> Any:
    font = TTFont(file, recalcTimestamp=False)
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"])
    chosen = subset.Subsetter(options)
    chosen.populate(text=DIGITS)
    chosen.subset(font)
    return font


def level(font: Any) -> None:
    """Give every digit the median width, its outline in the middle; the widest have room for it."""
    widths = font["hmtx"]
    glyphs = [font.getBestCmap()[ord(digit)] for digit in DIGITS]
    common = int(median(widths[glyph][0] for glyph in glyphs))
    for glyph in glyphs:
        width, bearing = widths[glyph]
        shift = (common - width) // 2
        outline = font["glyf"][glyph]
        outline.coordinates.translate((shift, 0))
        outline.recalcBounds(font["glyf"])
        widths[glyph] = (common, bearing + shift)


def rename(font: Any, weight: str) -> None:
    for record in font["name"].names:
        text = record.toUnicode()
        if record.nameID in (1, 3, 4, 16):
            record.string = text.replace("Be Vietnam Pro", "Be Vietnam Pro Figures")
        elif record.nameID == 6:
            record.string = f"BeVietnamProFigures-{weight}"


def main() -> None:
    found = find_spec("fontpkg_be_vietnam_pro")
    if found is None or found.origin is None:
        sys.exit("Install the package fontpkg-be-vietnam-pro to rebuild the figures.")
    source = Path(found.origin).parent
    for weight in WEIGHTS:
        font = digits_of(source / "files" / f"BeVietnamPro-{weight}.ttf")
        level(font)
        rename(font, weight)
        font.save(TARGET / f"BeVietnamProFigures-{weight}.ttf")
    licence = (source / "LICENSE").read_text("utf-8")
    (TARGET / "BeVietnamProFigures.LICENSE.txt").write_text(licence, "utf-8")


if __name__ == "__main__":
    main()
