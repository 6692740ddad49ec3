"""Who might be recorded twice is shown with the reason; nobody is merged."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.households.invented import birth

from households.domain.duplicates import Person, Why, duplicate_keys, duplicates, same_person

HERE, THERE = "23827", "23830"


def person(
    id_: int, name: str, born: str | int, area: str = HERE, number: str | None = None, *, household: int = 0
) -> Person:
    return Person(UUID(int=id_), UUID(int=1000 + (household or id_)), name, birth(born), area, number)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (person(2, "lường  văn MẪU", "1985-03-02"), (Why.NAME_BIRTH_AREA,)),
        (person(2, "Lương Văn Mậu", "1985-03-02"), (Why.PLAIN_NAME_BIRTH_AREA,)),
        (person(2, "Lường Văn Mẫu", 1985), (Why.NAME_BIRTH_AREA,)),
        (person(2, "Lường Văn Mẫu", "1985-03-03"), ()),
        (person(2, "Lường Văn Mẫu", 1986), ()),
        (person(2, "Lường Văn Mẫu", "1985-03-02", THERE), ()),
        (person(2, "Lường Văn Khác", "1985-03-02"), ()),
        (person(2, "Người Khác", "1990-01-01", THERE, "004085000111"), (Why.NUMBER,)),
        (
            person(2, "Lường Văn Mẫu", "1985-03-02", HERE, "004085000111"),
            (Why.NUMBER, Why.NAME_BIRTH_AREA),
        ),
        (person(2, "Lường Văn Mẫu", "1985-03-02", HERE, "004085000112"), (Why.NAME_BIRTH_AREA,)),
    ],
)
def test_two_records_are_candidates_with_everything_that_says_so(other: Person, why: tuple[Why, ...]) -> None:
    one = person(1, "Lường Văn Mẫu", "1985-03-02", number="004085000111")
    assert same_person(one, other) == why
    assert same_person(other, one) == why
    assert [c.why for c in duplicates([one, other])] == ([why] if why else [])


def test_a_pair_is_told_once_and_says_whether_it_is_in_one_household() -> None:
    people = [person(n, "Lường Thị Ví", "2001-01-01", household=7 if n < 3 else 8) for n in (3, 2, 1)]
    found = duplicates(people)
    assert [(c.first.int, c.second.int, c.same_household) for c in found] == [
        (1, 2, True), (1, 3, False), (2, 3, False),
    ]  # fmt: skip


def test_one_record_given_twice_is_no_duplicate_of_itself() -> None:
    one = person(1, "Lường Thị Ví", "2001-01-01")
    assert duplicates([one, one]) == ()


def test_keys_for_looking_up_are_texts_and_the_number_comes_first() -> None:
    keys = duplicate_keys(person(1, "Đỗ Thị Ví", "2001-01-01", number="001301000111"))
    assert keys == (
        (Why.NUMBER, "001301000111"),
        (Why.NAME_BIRTH_AREA, "23827|2001|đỗ thị ví"),
        (Why.PLAIN_NAME_BIRTH_AREA, "23827|2001|do thi vi"),
    )


PEOPLE = st.builds(
    person,
    st.integers(1, 40),
    st.sampled_from(["Lường Mẫu", "Lương Mẫu", "Vàng Ví"]),
    st.sampled_from([1985, "1985-03-02", "1985-03-03", 1986]),
    st.sampled_from([HERE, THERE]),
    st.sampled_from([None, "004085000111", "004085000112"]),
)


@given(st.lists(PEOPLE, max_size=12, unique_by=lambda p: p.member_id))
def test_the_candidates_are_exactly_the_pairs_that_are_alike(people: list[Person]) -> None:
    expected = {
        (a.member_id, b.member_id)
        for a in people
        for b in people
        if a.member_id.int < b.member_id.int and same_person(a, b)
    }
    assert {(c.first, c.second) for c in duplicates(people)} == expected
