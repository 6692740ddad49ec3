"""Workbooks that are written. The library for it is loaded with the first one that somebody takes away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook


def new_workbook(path: Path, *, in_order: bool = True) -> Workbook:
    """An empty workbook, written when it is closed; no text in it is taken for a formula.

    `in_order`: each row is written after those above it, and takes no memory from then on.
    """
    import xlsxwriter

    return xlsxwriter.Workbook(str(path), {"constant_memory": in_order, "strings_to_formulas": False})
