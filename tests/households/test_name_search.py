"""Names are found by their words, with diacritics and without, wherever a tone is written."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain.name_search import NameAsked, name_parts
from households.domain.persons import plain_name
from households.domain.terms import Refused

WORDS = st.sampled_from(["Đỗ", "Thị", "Hường", "Hương", "Văn", "Nam", "Năm", "H'Yơk", "Hoà", "Ðinh", "A"])
NAMES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@pytest.mark.parametrize(
    ("asked", "name", "found"),
    [
        ("do thi huong", "Đỗ Thị Hường", True),
        ("thi huong", "Đỗ Thị Hường", True),
        ("HƯỜNG", "Đỗ Thị Hường", True),
        ("Hương", "Đỗ Thị Hường", False),
        ("thi Hường", "Đỗ Thị Hường", True),
        ("thi Hương", "Đỗ Thị Hường", False),
        ("do huong", "Đỗ Thị Hường", False),
        ("huong do", "Đỗ Thị Hường", False),
        ("huon", "Đỗ Thị Hường", False),
        ("Hòa", "Lê Hoà", True),
        ("Hoá", "Lê Hoà", False),
        ("h'yok", "H’Yơk Niê", True),
        ("y blom", "Y Blơm Niê", True),
    ],
)
def test_words_find_a_name(asked: str, name: str, found: bool) -> None:
    query = NameAsked.of(asked)
    assert query.matches(name) is found
    assert (query.parts <= name_parts(name)) or not found


@given(name=NAMES, first=st.integers(0, 4), length=st.integers(1, 5), plain=st.booleans())
def test_any_run_of_words_finds_its_name_by_its_parts(
    name: str, first: int, length: int, plain: bool
) -> None:
    words = name.split()
    run = " ".join(words[first % len(words) :][:length])
    query = NameAsked.of(plain_name(run) if plain else run)

    assert query.matches(name)
    assert query.parts <= name_parts(name)
    assert NameAsked.of(unicodedata.normalize("NFD", run)).parts <= name_parts(name)


@given(asked=NAMES, name=NAMES)
def test_whoever_matches_has_all_the_parts(asked: str, name: str) -> None:
    query = NameAsked.of(asked)
    if query.matches(name):
        assert query.parts <= name_parts(name)


@pytest.mark.parametrize("asked", ["", "  ", "'", "12 3"])
def test_nothing_to_look_for_is_refused(asked: str) -> None:
    with pytest.raises(Refused) as refused:
        NameAsked.of(asked)
    assert refused.value.rule == "search-name-empty"
