"""The personal number: exact form, what it tells, and warnings where it disagrees with the form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain.identity import (
    Sex,
    check_legacy,
    check_missing_reason,
    number_notices,
    number_rules,
    parse_number,
)
from households.domain.lists import code_list
from households.domain.terms import Refused


def refusal(number: Any) -> str:
    with pytest.raises(Refused) as refused:
        parse_number(number)
    assert refused.value.message_vi != refused.value.message_en
    assert refused.value.legal
    return refused.value.rule


def test_the_example_of_the_circular_is_read_as_it_says() -> None:
    found = parse_number("087084000999")
    assert (found.birth_place, found.sex, found.birth_year) == ("Đồng Tháp", Sex.MALE, 1984)
    assert found.masked == "••••••••0999"


@pytest.mark.parametrize(
    ("digit", "year", "sex"),
    [
        ("0", 1900, Sex.MALE),
        ("1", 1900, Sex.FEMALE),
        ("2", 2000, Sex.MALE),
        ("3", 2000, Sex.FEMALE),
        ("4", 2100, Sex.MALE),
        ("5", 2100, Sex.FEMALE),
        ("6", 2200, Sex.MALE),
        ("7", 2200, Sex.FEMALE),
        ("8", 2300, Sex.MALE),
        ("9", 2300, Sex.FEMALE),
    ],
)
def test_the_fourth_digit_tells_century_and_sex(digit: str, year: int, sex: Sex) -> None:
    for rest, last in (("00", 0), ("99", 99)):
        found = parse_number(f"001{digit}{rest}123456")
        assert (found.birth_year, found.sex) == (year + last, sex)


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("", "number-malformed"),
        ("08708400099", "number-malformed"),
        ("0870840009990", "number-malformed"),
        ("087 084 000 999", "number-malformed"),
        ("08708400099A", "number-malformed"),
        ("087084000999\n", "number-malformed"),
        ("٠٨٧٠٨٤٠٠٠٩٩٩", "number-malformed"),
        ("087084000", "number-is-legacy"),
        (87084000999, "number-not-text"),
        (None, "number-not-text"),
    ],
)
def test_what_is_not_twelve_digits_of_text_is_refused(number: object, rule: str) -> None:
    assert refusal(number) == rule


def test_sixty_three_places_of_birth_are_known_and_an_unknown_one_is_a_warning() -> None:
    places = number_rules().birth_places
    assert len(places) == 63
    assert (places["001"], places["064"], places["096"]) == ("Hà Nội", "Gia Lai", "Cà Mau")
    found = parse_number("003084000999")
    assert found.birth_place is None
    assert [n.rule for n in number_notices(found, Sex.MALE, 1984)] == ["number-place-unknown"]


@pytest.mark.parametrize(
    ("sex", "year", "rules"),
    [
        (Sex.MALE, 1984, []),
        (Sex.FEMALE, 1984, ["number-contradicts-sex"]),
        (Sex.MALE, 1985, ["number-contradicts-birth-year"]),
        (Sex.MALE, 2084, ["number-contradicts-birth-year"]),
        (Sex.FEMALE, 1985, ["number-contradicts-sex", "number-contradicts-birth-year"]),
    ],
)
def test_disagreement_with_the_form_is_a_warning_and_no_refusal(
    sex: Sex, year: int, rules: list[str]
) -> None:
    assert [n.rule for n in number_notices(parse_number("087084000999"), sex, year)] == rules


def test_an_old_card_number_has_nine_digits_and_a_place_of_its_own() -> None:
    check_legacy("023456789")
    with pytest.raises(Refused) as refused:
        check_legacy("087084000999")
    assert refused.value.rule == "legacy-number-malformed"


def test_a_missing_number_needs_a_reason_from_the_list() -> None:
    for code, entry in code_list("number_missing").codes.items():
        check_missing_reason(code, "bị thất lạc trong lũ" if "needs_text" in entry.marks else None)
    for reason, text, rule in (
        (None, None, "number-missing-without-reason"),
        ("LOST", None, "code-unknown"),
        ("OTHER", " ", "number-missing-reason-without-words"),
    ):
        with pytest.raises(Refused) as refused:
            check_missing_reason(reason, text)
        assert refused.value.rule == rule


@given(st.one_of(st.text(), st.from_regex(r"\A[0-9]{12}\Z"), st.none(), st.integers()))
def test_any_input_is_read_or_refused_by_name(number: Any) -> None:
    try:
        found = parse_number(number)
    except Refused as refused:
        assert refused.rule in {"number-malformed", "number-is-legacy", "number-not-text"}
    else:
        assert found.number == number
        assert 1900 <= found.birth_year < 2400
