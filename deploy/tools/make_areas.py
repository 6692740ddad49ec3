"""Rebuild the administrative units the services read, from the package vietnamadminunits.

    uv run --no-project --with vietnamadminunits==1.0.4 python deploy/tools/make_areas.py

The package brings numpy, shapely and geopy along, so it is read here once and never at run time.
The output is the same, byte for byte, for the same release of the package.
"""

import csv
import gzip
import importlib.metadata
import importlib.util
import io
import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

TARGET = Path(__file__).parents[2] / "shared/src/benvung/data/areas.csv.gz"
RELEASE = "1.0.4"
REFORM = "2025-07-01"
AREA_TYPES = {"Phường": "URBAN", "Thị trấn": "URBAN", "Xã": "RURAL"}


class Row(NamedTuple):
    code: str
    name: str
    level: str
    parent: str
    area_type: str = ""
    valid_from: str = ""
    valid_to: str = ""
    predecessors: str = ""


class Source(NamedTuple):
    old: list[sqlite3.Row]
    new: list[sqlite3.Row]
    converter: dict[str, Any]


def read() -> Source:
    """The package's tables, found without importing it (its import loads shapely)."""
    found = importlib.util.find_spec("vietnamadminunits")
    if found is None or not found.submodule_search_locations:
        sys.exit("Install the package vietnamadminunits to rebuild the areas.")
    if (version := importlib.metadata.version("vietnamadminunits")) != RELEASE:
        sys.exit(f"Expected vietnamadminunits {RELEASE}, found {version}: check the new data first.")
    folder = Path(found.submodule_search_locations[0]) / "data"
    with sqlite3.connect(folder / "dataset.db") as db:
        db.row_factory = sqlite3.Row
        return Source(
            list(db.execute("select * from admin_units_legacy")),
            list(db.execute("select * from admin_units")),
            json.loads((folder / "converter_2025.json").read_text("utf-8")),
        )


def old_key(row: sqlite3.Row) -> str:
    return f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}"


def commune_predecessors(source: Source) -> dict[tuple[str, str], list[str]]:
    """Codes of the old units in each new commune, whole or in part, by (province key, commune key).

    Five island districts had no communes: there the district itself is the predecessor.
    """
    codes = {old_key(row): row["wardCode"] or row["districtCode"] for row in source.old}
    result: dict[tuple[str, str], set[str]] = defaultdict(set)
    for province, communes in source.converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, olds in communes.items():
            result[province, commune].update(codes[old] for old in olds)
    for province, divided in source.converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old, parts in divided.items():
            for part in parts:
                result[province, part["newWardKey"]].add(codes[old])
    return {key: sorted(found) for key, found in result.items()}


def provinces(source: Source) -> Iterator[Row]:
    """Provinces: one row for those the reform left alone, otherwise one row before and one after."""
    old = {row["provinceKey"]: (row["provinceCode"], row["province"]) for row in source.old}
    new = {row["provinceKey"]: (row["provinceCode"], row["province"]) for row in source.new}
    merged_from = source.converter["DICT_PROVINCE"]
    unchanged = {key for key, value in new.items() if merged_from[key] == [key] and old[key] == value}
    for key, (code, name) in old.items():
        yield Row(code, name, "PROVINCE", "VN", valid_to="" if key in unchanged else REFORM)
    for key, (code, name) in new.items():
        if key not in unchanged:
            before = sorted(old[previous][0] for previous in merged_from[key])
            yield Row(code, name, "PROVINCE", "VN", "", REFORM, "", " ".join(before))


def units(source: Source) -> Iterable[Row]:
    rows = {Row("VN", "Việt Nam", "COUNTRY", "")}
    rows.update(provinces(source))
    for row in source.old:
        rows.add(Row(row["districtCode"], row["district"], "DISTRICT", row["provinceCode"], "", "", REFORM))
        if row["wardCode"]:
            area_type = AREA_TYPES[row["wardType"]]
            commune = (row["wardCode"], row["ward"], "COMMUNE", row["districtCode"], area_type)
            rows.add(Row(*commune, "", REFORM))
    before = commune_predecessors(source)
    for row in source.new:
        olds = " ".join(before[row["provinceKey"], row["wardKey"]])
        area_type = AREA_TYPES.get(row["wardType"], "")
        commune = (row["wardCode"], row["ward"], "COMMUNE", row["provinceCode"], area_type)
        rows.add(Row(*commune, REFORM, "", olds))
    order = {"COUNTRY": 0, "PROVINCE": 1, "DISTRICT": 2, "COMMUNE": 3}
    return sorted(rows, key=lambda row: (order[row.level], row.valid_from, row.code))


def main() -> None:
    text = io.StringIO()
    text.write(f"# Administrative units of Vietnam, from vietnamadminunits {RELEASE} (MIT).\n")
    text.write("# What the columns mean, the licence and the limits: areas.README.md beside this file.\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    rows = list(units(read()))
    if any("," in field or '"' in field for row in rows for field in row):
        sys.exit("A field holds a comma or a quote: benvung.areas splits the rows at commas.")
    writer.writerows(rows)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    # No time stamp: the file changes only when the data does.
    TARGET.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
