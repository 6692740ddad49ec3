"""Members of a household: names found with and without diacritics, lists with words, refusals and warnings."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.households.invented import REVIEW, member

from households.domain.identity import Sex
from households.domain.lists import code_lists
from households.domain.persons import (
    LISTS,
    Member,
    check_household,
    check_member,
    ethnic_minority,
    has_merit,
    plain_name,
)
from households.domain.terms import Refused


def refusal(found: Member) -> str:
    with pytest.raises(Refused) as refused:
        check_member(found, REVIEW)
    assert refused.value.message_vi != refused.value.message_en
    return refused.value.rule


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Đỗ Thị Hường", "do thi huong"),
        ("  ĐỖ   THỊ HƯỜNG ", "do thi huong"),
        ("Y Blơm Niê", "y blom nie"),
        ("H'Yơk", "h'yok"),
        ("Ðinh Vừ", "dinh vu"),
    ],
)
def test_a_name_is_found_without_its_diacritics(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_the_two_ways_of_writing_a_diacritic_are_one_name() -> None:
    assert plain_name("Hu\u031bo\u031b\u0300ng") == plain_name("Hường") == "huong"


def test_every_list_has_words_in_both_languages_a_source_and_unique_labels() -> None:
    lists = code_lists()
    assert set(LISTS) < set(lists)
    for listed in lists.values():
        assert listed.source
        assert listed.confidence in {"high", "medium"}
        labels = [entry.vi for entry in listed.codes.values()]
        assert len(set(labels)) == len(labels)
        assert all(entry.en for entry in listed.codes.values())
    assert {name for name, found in lists.items() if found.restricted} == {
        "disability", "allowance", "labour_capacity", "nutrition", "ethnicity",
    }  # fmt: skip


def test_fifty_three_of_fifty_four_groups_are_minorities() -> None:
    groups = code_lists()["ethnicity"].codes
    assert sum("minority" in entry.marks for entry in groups.values()) == 53
    assert "minority" not in groups["KINH"].marks


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"name": "  "}, "name-missing"),
        ({"name": "Mẫu\x00"}, "name-malformed"),
        ({"name": "Mẫu 2"}, "name-malformed"),
        ({"name": "--"}, "name-malformed"),
        ({"name": "a" * 101}, "name-too-long"),
        ({"sex": "MALE?"}, "sex-unknown"),
        ({"relation": "BOSS"}, "code-unknown"),
        ({"ethnicity": "KINH?"}, "code-unknown"),
        ({"insurance": ""}, "code-unknown"),
        ({"number": "123"}, "number-malformed"),
        ({"number": "023456789"}, "number-is-legacy"),
        ({"number": "004085000111"}, "number-and-reason"),
        ({"number_missing": None}, "number-missing-without-reason"),
        ({"legacy_number": "12"}, "legacy-number-malformed"),
        ({"born": "2026-10-16"}, "birth-in-future"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes: dict[str, Any], rule: str) -> None:
    assert refusal(member(**changes)) == rule


def test_a_number_that_fits_raises_nothing_and_one_that_does_not_is_a_warning() -> None:
    fits = member(number_missing=None)
    assert check_member(replace(fits, number="004085000111"), REVIEW) == ()
    rules = [n.rule for n in check_member(replace(fits, number="004190000111"), REVIEW)]
    assert rules == ["number-contradicts-sex", "number-contradicts-birth-year"]


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"born": 1985}, ["birth-day-unknown"]),
        ({"born": "2008-10-15"}, []),
        ({"born": "2008-10-16"}, ["head-is-a-child"]),
        ({"born": "2015-01-01", "relation": "PARENT", "work": "CHILD"}, ["relation-implausible"]),
        ({"born": "2011-10-15", "relation": "CHILD"}, []),
        ({"born": "2011-10-16", "relation": "CHILD"}, ["work-below-working-age"]),
    ],
)
def test_what_deserves_a_second_look_is_a_warning(changes: dict[str, Any], rules: list[str]) -> None:
    found = check_member(member(**changes), REVIEW)
    assert [n.rule for n in found] == rules
    assert all("Lường" not in n.message_vi and "Lường" not in n.message_en for n in found)


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ([], "members-not-positive"),
        ([member(2)], "head-missing"),
        ([member(1), member(2, relation="HEAD")], "head-twice"),
        ([member(1), member(1, relation="CHILD")], "member-twice"),
        (
            [member(n, number_missing=None, number="004085000111") for n in (1, 2)],
            "number-twice-in-household",
        ),
    ],
)
def test_a_household_has_one_head_and_nobody_twice(members: list[Member], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        check_household(members, REVIEW)
    assert refused.value.rule == rule


def test_warnings_of_a_household_say_whom_they_are_about() -> None:
    child = member(2, 2015, work="CHILD")
    assert [(who, n.rule) for who, n in check_household([member(1), child], REVIEW)] == [
        (child.id, "birth-day-unknown")
    ]


def test_minority_goes_by_the_head_and_merit_by_any_member() -> None:
    head, other = member(1, ethnicity="KINH"), member(2, ethnicity="BA_NA", merit="INVALID")
    assert ethnic_minority([head, other]) is False
    assert ethnic_minority([replace(head, ethnicity="BA_NA"), other]) is True
    assert ethnic_minority([replace(head, ethnicity=None), other]) is None
    assert has_merit([head, other]) is True
    assert has_merit([head]) is False
    assert has_merit([replace(head, merit=None)]) is None


@given(
    name=st.text(max_size=120),
    born=st.integers(-10_000, 20_000),
    sex=st.sampled_from(Sex),
    codes=st.fixed_dictionaries({}, optional={name: st.text(max_size=8) for name in LISTS}),
    number=st.none() | st.text(max_size=14),
)
def test_any_record_is_taken_or_refused_by_name(
    name: str, born: int, sex: Sex, codes: dict[str, str], number: str | None
) -> None:
    try:
        check_member(member(1, born, name=name, sex=sex, number=number, **codes), REVIEW)
    except Refused as refused:
        assert refused.rule


def test_an_age_counts_on_the_day_asked() -> None:
    child = member(born="2010-10-15")
    assert (child.age(date(2026, 10, 14)), child.age(REVIEW)) == (15, 16)
