"""Poverty standards: lines, thresholds and indicators of the law, read from dated data files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from households.domain.terms import AreaType, Refused


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of deprivation. `restricted` marks what the law calls sensitive (child health)."""

    number: int
    code: str
    dimension: str
    dimension_vi: str
    label_vi: str
    label_en: str
    restricted: bool


@dataclass(frozen=True, slots=True)
class Standard:
    """A poverty standard. Lines are đồng per person and month; thresholds are points of forms B1 and B2.

    An incomplete standard says in `incomplete_vi` what is missing; it is listed, but refuses to classify.
    """

    code: str
    scope: str
    title_vi: str
    title_en: str
    valid_from: date
    valid_to: date
    rule_version: str
    legal: str
    sources: tuple[str, ...]
    income_lines: Mapping[AreaType, int]
    b1_thresholds: Mapping[AreaType, int]
    b2_threshold: int | None
    points_per_indicator: int | None
    indicators: tuple[Indicator, ...]
    indicator_codes: tuple[str, ...]
    incomplete_vi: str | None
    incomplete_en: str | None

    @property
    def complete(self) -> bool:
        return self.incomplete_vi is None

    def valid_on(self, on: date) -> bool:
        """Whether results that hold from `on` may rest on this standard; both ends are included."""
        return self.valid_from <= on <= self.valid_to

    def check_complete(self) -> None:
        """Refuse a standard whose numbers are not all known."""
        if self.incomplete_vi is not None:
            raise Refused(
                "standard-incomplete",
                f"Chuẩn {self.code} chưa đủ dữ liệu để phân loại: {self.incomplete_vi}",
                f"Standard {self.code} cannot classify yet: {self.incomplete_en}",
                "standard",
                self.legal,
            )


class StandardFileInvalid(Exception):
    """A data file of a standard contradicts itself; the program must not start with it."""


@cache
def standards() -> Mapping[str, Standard]:
    """Every standard of the data files, by code, in order of validity."""
    folder = resources.files("households") / "data" / "standards"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    loaded = [parse_standard(tomllib.loads(f.read_text("utf-8"))) for f in files]
    return {s.code: s for s in sorted(loaded, key=lambda s: s.valid_from)}


def get_standard(code: str) -> Standard:
    """The standard of that code; refuses an unknown code."""
    found = standards().get(code)
    if found is None:
        raise Refused(
            "standard-unknown",
            f"Không có chuẩn nghèo mang mã {code}.",
            f"There is no poverty standard {code}.",
            "standard",
        )
    return found


def proposed_standard(on: date) -> Standard | None:
    """The national standard that the date proposes; a review still declares its own."""
    matching = [s for s in standards().values() if s.scope == "NATIONAL" and s.valid_on(on)]
    return matching[-1] if matching else None


def parse_standard(raw: Mapping[str, Any]) -> Standard:
    """Build and validate a standard from the content of its file; raises StandardFileInvalid."""
    try:
        standard = _build(raw)
    except (KeyError, ValueError, TypeError) as error:
        raise StandardFileInvalid(f"{raw.get('code', '?')}: {error!r}") from error
    _validate(standard)
    return standard


def _build(raw: Mapping[str, Any]) -> Standard:
    incomplete = raw.get("incomplete", {})
    rules = raw.get("rules", {})
    return Standard(
        code=raw["code"],
        scope=raw["scope"],
        title_vi=raw["title_vi"],
        title_en=raw["title_en"],
        valid_from=raw["valid_from"],
        valid_to=raw["valid_to"],
        rule_version=raw["rule_version"],
        legal=raw["legal"],
        sources=tuple(raw["sources"]),
        income_lines={AreaType(k): int(v) for k, v in raw["income_lines_dong"].items()},
        b1_thresholds={AreaType(k): int(v) for k, v in raw.get("b1_thresholds", {}).items()},
        b2_threshold=rules.get("b2_threshold"),
        points_per_indicator=rules.get("points_per_indicator"),
        indicators=tuple(
            Indicator(
                number=number,
                code=item["code"],
                dimension=item["dimension"],
                dimension_vi=item["dimension_vi"],
                label_vi=item["label_vi"],
                label_en=item["label_en"],
                restricted=item["restricted"],
            )
            for number, item in enumerate(raw.get("indicators", ()), start=1)
        ),
        indicator_codes=tuple(item["code"] for item in raw.get("indicators", ())),
        incomplete_vi=incomplete.get("reason_vi"),
        incomplete_en=incomplete.get("reason_en"),
    )


def _validate(standard: Standard) -> None:
    codes = standard.indicator_codes
    faults = [
        ("valid_from is after valid_to", standard.valid_from > standard.valid_to),
        ("an indicator occurs twice", len(set(codes)) != len(codes)),
        ("an income line for each area type is needed", set(standard.income_lines) != set(AreaType)),
        ("no source", not standard.sources),
        ("an incomplete standard needs its reason in both languages",
         (standard.incomplete_vi is None) != (standard.incomplete_en is None)),
    ]  # fmt: skip
    if standard.complete:
        faults += [
            ("a B1 threshold for each area type is needed", set(standard.b1_thresholds) != set(AreaType)),
            ("no B2 threshold", not standard.b2_threshold),
            ("no points per indicator", not standard.points_per_indicator),
            ("no indicators", not codes),
        ]
    wrong = [text for text, is_wrong in faults if is_wrong]
    if wrong:
        raise StandardFileInvalid(f"{standard.code}: {'; '.join(wrong)}")
