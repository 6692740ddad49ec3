"""Opening files of rows: XLSX and CSV, whatever their encoding and separator, within limits."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from python_calamine import CalamineError, CalamineWorkbook

from households.domain import Refused
from households.files.cells import Cell
from households.files.layout import HEADER_SEARCH_ROWS

DEFAULT_MAX_ROWS = 200_000
DEFAULT_MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes that an XLSX may unpack to; a file that says less than it holds is refused as well."""

_MAX_ENTRIES = 1000
_ENCODINGS_BY_MARK = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is refused."""

    max_rows: int = DEFAULT_MAX_ROWS
    max_unpacked: int = DEFAULT_MAX_UNPACKED


USUAL = Limits()


def open_grid(path: Path, limits: Limits) -> Iterator[Sequence[Cell]]:
    """The rows of a file. Raises `Refused` when it is none, or more than the limits allow."""
    if path.stat().st_size == 0:
        raise empty()
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK"):
        return _open_xlsx(path, limits)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable("tệp .xls cũ hoặc có mật khẩu; hãy lưu lại dạng .xlsx", "an old or locked .xls")
    if start.startswith(b"%PDF") or (b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise _unreadable("không phải XLSX hay CSV", "neither XLSX nor CSV")
    return _open_csv(path, start)


def _open_xlsx(path: Path, limits: Limits) -> Iterator[Sequence[Cell]]:
    _check_unpacked(path, limits.max_unpacked)
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheets = map(workbook.get_sheet_by_name, workbook.sheet_names)
        sheet = next((sheet for sheet in sheets if sheet.height), None)
    except (CalamineError, OSError, ValueError, KeyError) as error:
        raise _unreadable("XLSX bị hỏng", f"broken XLSX ({type(error).__name__})") from None
    if sheet is None:
        raise empty()
    if sheet.height > limits.max_rows + HEADER_SEARCH_ROWS:
        raise too_many(limits.max_rows)
    return cast("Iterator[Sequence[Cell]]", sheet.iter_rows())


def _check_unpacked(path: Path, most: int) -> None:
    """Inflate every entry without keeping it: the sizes that a zip declares may lie."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            entries = archive.infolist()
            if len(entries) > _MAX_ENTRIES or sum(e.file_size for e in entries) > most:
                raise _too_large(most)
            left = most
            for entry in entries:
                left -= _inflated(file, entry, left)
                if left < 0:
                    raise _too_large(most)
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, NotImplementedError):
        raise _unreadable("XLSX bị hỏng", "broken XLSX") from None


def _inflated(file: io.BufferedReader, entry: zipfile.ZipInfo, most: int) -> int:
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile
    if entry.compress_type == zipfile.ZIP_STORED:
        return max(entry.file_size, entry.compress_size)
    file.seek(entry.header_offset + 26)
    name_length, extra_length = struct.unpack("<HH", file.read(4))
    file.seek(name_length + extra_length, io.SEEK_CUR)
    inflate, total, waiting = zlib.decompressobj(-15), 0, entry.compress_size
    while waiting > 0 and not inflate.eof:
        packed = file.read(min(65_536, waiting))
        if not packed:
            raise zipfile.BadZipFile
        waiting -= len(packed)
        while packed:
            total += len(inflate.decompress(packed, 1 << 20))
            packed = inflate.unconsumed_tail
            if total > most:
                return total
    return total


def _open_csv(path: Path, start: bytes) -> Iterator[Sequence[Cell]]:
    encoding = next((name for mark, name in _ENCODINGS_BY_MARK if start.startswith(mark)), "utf-8")
    try:
        sample = path.read_bytes()[:65_536].decode(encoding, "ignore") if encoding == "utf-16" else None
        head = sample or start.decode(encoding, "ignore")
        separator = max(
            ",;\t", key=lambda sep: max((line.count(sep) for line in head.splitlines()), default=0)
        )
        with path.open(encoding=encoding, newline="") as whole:
            for _ in iter(lambda: whole.read(1 << 20), ""):
                pass
    except (UnicodeError, OSError):
        raise _unreadable("CSV không phải UTF-8 hay UTF-16", "a CSV that is not UTF-8 or UTF-16") from None
    return _csv_rows(path, encoding, separator)


def _csv_rows(path: Path, encoding: str, separator: str) -> Iterator[Sequence[Cell]]:
    with path.open(encoding=encoding, newline="") as file:
        try:
            yield from csv.reader(file, delimiter=separator)
        except csv.Error:
            raise _unreadable("CSV bị hỏng", "broken CSV") from None


def empty() -> Refused:
    """The refusal of a file without data."""
    return Refused("file-empty", "Tệp không có dòng dữ liệu nào.", "The file has no row of data.", "file")


def _unreadable(why_vi: str, why_en: str) -> Refused:
    return Refused(
        "file-unreadable", f"Không đọc được tệp: {why_vi}.", f"The file cannot be read: {why_en}.", "file"
    )


def _too_large(most: int) -> Refused:
    return Refused(
        "file-unpacks-too-large",
        f"Tệp giải nén vượt quá {most // 2**20} MB.",
        f"The file unpacks to more than {most // 2**20} MB.",
        "file",
    )


def too_many(most: int) -> Refused:
    """The refusal of a file with more rows than are read."""
    return Refused(
        "too-many-rows",
        f"Tệp có nhiều hơn {most} dòng; hãy chia nhỏ theo xã.",
        f"The file has more than {most} rows; split it by commune.",
        "file",
    )
