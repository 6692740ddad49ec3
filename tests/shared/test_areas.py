"""The administrative units: which place a code meant on a day, and what lies in it."""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterable

import pytest

from benvung import areas
from benvung.areas import AreaType, Level, Unit

BEFORE = dt.date(2024, 1, 24)
LAST_OLD_DAY = dt.date(2025, 6, 30)
FIRST_NEW_DAY = dt.date(2025, 7, 1)
AFTER = dt.date(2027, 6, 1)

KONG_CHRO = {
    "23824": "Thị trấn Kông Chro",
    "23827": "Xã Chư Krey",
    "23830": "Xã An Trung",
    "23833": "Xã Kông Yang",
    "23836": "Xã Đăk Tơ Pang",
    "23839": "Xã SRó",
    "23840": "Xã Đăk Kơ Ning",
    "23842": "Xã Đăk Song",
    "23843": "Xã Đăk Pling",
    "23845": "Xã Yang Trung",
    "23846": "Xã Đăk Pơ Pho",
    "23848": "Xã Ya Ma",
    "23851": "Xã Chơ Long",
    "23854": "Xã Yang Nam",
}


def name(code: str, on: dt.date) -> str | None:
    unit = areas.find(code, on)
    return unit.name if unit else None


def test_kong_chro_district_had_its_fourteen_communes() -> None:
    assert {unit.code: unit.name for unit in areas.communes_under("630", BEFORE)} == KONG_CHRO


def test_a_code_is_another_place_after_the_reform() -> None:
    assert name("23824", LAST_OLD_DAY) == "Thị trấn Kông Chro"
    assert name("23824", FIRST_NEW_DAY) == "Xã Kông Chro"
    assert name("52", LAST_OLD_DAY) == "Tỉnh Bình Định"
    assert name("52", FIRST_NEW_DAY) == "Tỉnh Gia Lai"


def test_the_last_day_of_the_old_units_is_30_june_2025() -> None:
    assert name("630", LAST_OLD_DAY) == "Huyện Kông Chro"
    assert name("630", FIRST_NEW_DAY) is None
    assert areas.communes_under("630", FIRST_NEW_DAY) == []


@pytest.mark.parametrize(
    ("on", "provinces", "districts", "communes"),
    [
        (BEFORE, 63, 696, 10_035),
        (LAST_OLD_DAY, 63, 696, 10_035),
        (FIRST_NEW_DAY, 34, 0, 3_321),
        (AFTER, 34, 0, 3_321),
    ],
)
def test_the_country_has_its_units_of_the_day(
    on: dt.date, provinces: int, districts: int, communes: int
) -> None:
    all_provinces = areas.children("VN", on)
    below = [unit for province in all_provinces for unit in areas.children(province.code, on)]
    assert len(all_provinces) == provinces
    assert sum(unit.level is Level.DISTRICT for unit in below) == districts
    assert len(areas.communes_under("VN", on)) == communes


def test_a_path_leads_from_the_province_down() -> None:
    assert [unit.code for unit in areas.path("23827", BEFORE)] == ["64", "630", "23827"]
    assert [unit.code for unit in areas.path("23824", AFTER)] == ["52", "23824"]
    assert [unit.code for unit in areas.path("VN", AFTER)] == ["VN"]


def test_a_commune_lies_in_the_province_of_the_day() -> None:
    before, after = areas.province_of("23824", BEFORE), areas.province_of("23824", AFTER)
    assert before and (before.code, before.name) == ("64", "Tỉnh Gia Lai")
    assert after and (after.code, after.name) == ("52", "Tỉnh Gia Lai")
    assert areas.province_of("VN", AFTER) is None


def test_a_commune_is_its_own_only_commune() -> None:
    assert [unit.code for unit in areas.communes_under("23827", BEFORE)] == ["23827"]
    assert areas.children("23827", BEFORE) == []


@pytest.mark.parametrize("code", ["", "99999", "vn", "00000", "1", "23827 "])
def test_an_unknown_code_is_nowhere(code: str) -> None:
    assert areas.find(code, AFTER) is None
    assert areas.path(code, AFTER) == areas.children(code, AFTER) == areas.communes_under(code, AFTER) == []
    assert areas.province_of(code, AFTER) is None


def test_the_area_type_belongs_to_the_unit_of_the_day() -> None:
    types = {
        code: areas.find(code, on) for code, on in [("23824", BEFORE), ("00004", AFTER), ("31078", AFTER)]
    }
    assert types["23824"] and types["23824"].area_type is AreaType.URBAN
    assert types["00004"] and types["00004"].area_type is AreaType.URBAN
    assert types["31078"] and types["31078"].area_type is None, "no source states it for a đặc khu"
    new = areas.find("23824", AFTER)
    assert new and new.area_type is AreaType.RURAL, "the town became part of a xã"


def test_every_new_commune_was_made_from_units_that_existed_the_day_before() -> None:
    for commune in areas.communes_under("VN", FIRST_NEW_DAY):
        assert commune.predecessors, commune
        assert all(areas.find(code, LAST_OLD_DAY) for code in commune.predecessors), commune


def test_every_old_commune_went_somewhere() -> None:
    gone_to = {code for commune in areas.communes_under("VN", FIRST_NEW_DAY) for code in commune.predecessors}
    assert {commune.code for commune in areas.communes_under("VN", LAST_OLD_DAY)} <= gone_to


def test_a_merged_province_names_those_it_was_made_from_and_an_untouched_one_goes_on() -> None:
    gia_lai, hanoi = areas.find("52", AFTER), areas.find("01", AFTER)
    assert gia_lai and gia_lai.predecessors == ("52", "64")
    assert hanoi == areas.find("01", BEFORE)


def test_the_units_load_fast_and_take_little_memory_even_when_all_were_asked_for() -> None:
    measure = """
import time, tracemalloc, datetime as dt
from benvung import areas
first = lambda: areas.find("VN", dt.date(2025, 1, 1))
start = time.process_time(); first(); seconds = time.process_time() - start
areas._register.cache_clear()
tracemalloc.start(); first()
for on in (dt.date(2025, 6, 30), dt.date(2025, 7, 1)): areas.communes_under("VN", on)
print(seconds, tracemalloc.get_traced_memory()[0])
"""
    command = [sys.executable, "-c", measure]
    runs = [subprocess.run(command, capture_output=True, check=True).stdout.split() for _ in range(3)]
    assert min(float(seconds) for seconds, _ in runs) < 0.1
    assert max(int(size) for _, size in runs) < 10_000_000


def codes(units: Iterable[Unit]) -> list[str]:
    return sorted(unit.code for unit in units)


def test_an_area_holds_what_it_was_made_from_as_far_as_nothing_of_it_went_elsewhere() -> None:
    gia_lai = areas.wholly_in(("52",), AFTER)
    one_half, both = (areas.wholly_in(given, AFTER) for given in (("21622",), ("21622", "21628")))

    assert codes(unit for unit in gia_lai if unit.level is Level.PROVINCE) == ["52", "52", "64"]
    assert {"630", "23827", "21634"} <= {unit.code for unit in gia_lai}
    # The commune 21634 was divided between the two.
    assert "21634" not in codes(one_half)
    assert "21634" in codes(both)
    # An earlier unit under the same code is another place.
    assert {(unit.code, unit.valid_from) for unit in areas.wholly_in(("23827",), AFTER)} == set()


def test_before_the_reform_an_area_holds_itself_and_what_is_below() -> None:
    district = areas.wholly_in(("630",), BEFORE)
    communes = areas.communes_under("630", BEFORE)

    assert codes(district) == sorted(["630", *codes(communes)])
    # Who has every commune has the district.
    assert areas.wholly_in(tuple(codes(communes)), BEFORE) == district
    # A district without communes is its own by name, and its province's.
    assert codes(areas.wholly_in(("318",), BEFORE)) == ["318"]
    assert "318" in codes(areas.wholly_in(("31",), BEFORE))
    assert "318" in codes(areas.wholly_in(("31",), AFTER))


@pytest.mark.parametrize(
    ("code", "day", "now"),
    [
        ("64", BEFORE, ["52"]),
        ("23827", BEFORE, ["23830"]),
        ("21634", BEFORE, ["21622", "21628"]),
        ("52", AFTER, ["52"]),
    ],
)
def test_what_a_unit_is_since(code: str, day: dt.date, now: list[str]) -> None:
    unit = areas.find(code, day)
    assert unit is not None

    assert codes(areas.now_of(unit, AFTER)) == now


@pytest.mark.parametrize(
    ("code", "was"), [("52", ["52", "64"]), ("23830", ["23827", "23830"]), ("01", ["01"])]
)
def test_what_a_unit_was_before(code: str, was: list[str]) -> None:
    unit = areas.find(code, AFTER)
    assert unit is not None

    assert codes(areas.was_of(unit, BEFORE)) == was
    assert areas.was_of(unit, AFTER) == [unit]


def test_a_unit_is_known_by_its_code_and_its_first_day() -> None:
    old, new = (areas.identified("52", begins) for begins in (None, dt.date(2025, 7, 1)))

    assert old is not None
    assert new is not None
    assert (old.name, new.name) == ("Tỉnh Bình Định", "Tỉnh Gia Lai")
    assert areas.identified("52", dt.date(2024, 1, 1)) is None
