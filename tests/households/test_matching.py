"""Which household a row means: by identifier, by code, by code and head; what is unclear is left out."""

from uuid import UUID

import pytest

from households.domain import FileRow, KnownHousehold, MatchKind, match_rows, normalise_name

A, B, C, D = (UUID(int=n) for n in range(1, 5))
V, W = "23827.01", "23827.02"


def known(household_id: UUID, code: str | None, head: str, village: str = V) -> KnownHousehold:
    return KnownHousehold(household_id, village, code, normalise_name(head))


def row(
    number: int, code: str | None, head: str, household_id: UUID | None = None, village: str = V
) -> FileRow:
    return FileRow(number, household_id, village, code, normalise_name(head))


def answers(
    rows: list[FileRow], households: list[KnownHousehold]
) -> list[tuple[MatchKind, UUID | None, str | None]]:
    return [(m.kind, m.household_id, m.rule or m.note) for m in match_rows(rows, households).matches]


REGISTER = [known(A, "001", "Đinh An"), known(B, "002", "Đinh Bơ"), known(C, "001", "Đinh Côi", W)]


def test_an_identifier_settles_it_and_differences_are_noted() -> None:
    rows = [
        row(10, "001", "ĐINH  AN", A),
        row(11, "009", "Đinh Bơ", B),
        row(12, "001", "Đinh Mới", C, W),
    ]
    assert answers(rows, REGISTER) == [
        (MatchKind.BY_ID, A, None),
        (MatchKind.BY_ID, B, "CODE_CHANGED"),
        (MatchKind.BY_ID, C, "HEAD_CHANGED"),
    ]


def test_swapped_codes_are_no_question_when_identifiers_are_there() -> None:
    rows = [row(10, "002", "Đinh An", A), row(11, "001", "Đinh Bơ", B)]
    assert [m.notes for m in match_rows(rows, REGISTER).matches] == [("CODE_CHANGED",)] * 2


def test_head_and_code_may_both_have_changed() -> None:
    (match,) = match_rows([row(10, "009", "Đinh Mới", A)], REGISTER).matches
    assert match.notes == ("HEAD_CHANGED", "CODE_CHANGED")


def test_an_unknown_identifier_or_one_of_another_commune_is_refused() -> None:
    assert answers([row(10, "001", "Đinh An", D)], REGISTER) == [
        (MatchKind.REFUSED, None, "household-not-in-commune")
    ]


def test_a_code_is_unique_in_its_village_only() -> None:
    rows = [row(10, "001", "Đinh An"), row(11, "001", "Đinh Côi", village=W)]
    assert answers(rows, REGISTER) == [(MatchKind.BY_CODE, A, None), (MatchKind.BY_CODE, C, None)]


def test_swapped_codes_without_identifiers_are_ambiguous_with_both_candidates() -> None:
    rows = [row(10, "002", "Đinh An"), row(11, "001", "Đinh Bơ")]
    result = match_rows(rows, REGISTER)
    assert [m.rule for m in result.matches] == ["code-and-head-disagree"] * 2
    assert [set(m.candidates) for m in result.matches] == [{A, B}] * 2
    assert result.without_row == (C,)


def test_a_new_head_whose_name_nobody_bears_is_believed_with_a_note() -> None:
    assert answers([row(10, "001", "Đinh Mới")], REGISTER) == [(MatchKind.BY_CODE, A, "HEAD_CHANGED")]


def test_a_code_borne_twice_in_the_register_is_settled_by_the_head() -> None:
    register = [known(A, "001", "Đinh An"), known(B, "001", "Đinh Bơ")]
    rows = [row(10, "001", "Đinh Bơ"), row(11, "001", "Đinh Ai")]
    assert answers(rows, register) == [
        (MatchKind.BY_CODE_AND_HEAD, B, None),
        (MatchKind.AMBIGUOUS, None, "code-not-unique"),
    ]


def test_a_code_borne_twice_in_the_file_is_settled_by_the_head() -> None:
    rows = [row(10, "001", "Đinh An"), row(11, "001", "Đinh Xa")]
    assert answers(rows, REGISTER) == [
        (MatchKind.BY_CODE_AND_HEAD, A, None),
        (MatchKind.AMBIGUOUS, None, "code-not-unique"),
    ]


def test_two_namesakes_under_one_code_cannot_be_told_apart() -> None:
    register = [known(A, "001", "Đinh An"), known(B, "001", "Đinh An")]
    (match,) = match_rows([row(10, "001", "Đinh An")], register).matches
    assert (match.kind, match.candidates) == (MatchKind.AMBIGUOUS, (A, B))


def test_two_rows_that_mean_one_household_are_both_refused() -> None:
    rows = [row(10, "001", "Đinh An", A), row(11, "001", "Đinh An")]
    result = match_rows(rows, REGISTER)
    assert [m.rule for m in result.matches] == ["rows-same-household"] * 2
    assert "10, 11" in (result.matches[0].message_vi or "")
    assert A not in result.without_row


def test_a_new_household_written_twice_is_refused_and_named() -> None:
    rows = [row(10, "007", "Đinh Tư"), row(11, "007", "Đinh Tư"), row(12, "008", "Đinh Tám")]
    result = match_rows(rows, [])
    assert [m.kind for m in result.matches] == [MatchKind.REFUSED, MatchKind.REFUSED, MatchKind.NEW]
    assert "10, 11" in (result.matches[0].message_vi or "")


def test_two_new_households_under_one_code_are_two_households() -> None:
    rows = [row(10, "007", "Đinh Tư"), row(11, "007", "Đinh Sáu")]
    assert [kind for kind, _, _ in answers(rows, [])] == [MatchKind.NEW, MatchKind.NEW]


def test_a_new_code_under_a_known_name_is_not_taken_for_a_new_household() -> None:
    assert answers([row(10, "009", "Đinh An")], REGISTER) == [
        (MatchKind.AMBIGUOUS, None, "head-known-under-other-code")
    ]


def test_a_namesake_of_someone_who_has_a_row_is_a_new_household() -> None:
    rows = [row(10, "009", "Đinh An"), row(11, "001", "Đinh An")]
    assert answers(rows, REGISTER) == [(MatchKind.NEW, None, None), (MatchKind.BY_CODE, A, None)]


def test_a_row_without_code_never_takes_the_household_of_a_namesake() -> None:
    assert answers([row(10, None, "Đinh An"), row(11, None, "Đinh Lạ")], REGISTER) == [
        (MatchKind.AMBIGUOUS, None, "code-missing"),
        (MatchKind.NEW, None, None),
    ]
    assert answers([row(10, None, "Đinh An")], [known(A, None, "Đinh An")]) == [
        (MatchKind.BY_CODE_AND_HEAD, A, None)
    ]


def test_households_that_no_row_means_are_listed() -> None:
    assert match_rows([row(10, "001", "Đinh An")], REGISTER).without_row == (B, C)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Đinh Văn  An ", "ĐINH VĂN AN", True),
        ("Đinh Hùng", "Đinh Hu\u0300ng", True),
        ("Đinh Hùng", "Đinh Hưng", False),
        ("Đinh An", "Dinh An", False),
    ],
)
def test_names_are_compared_without_case_and_spaces_but_with_their_marks(
    one: str, other: str, same: bool
) -> None:
    assert (normalise_name(one) == normalise_name(other)) is same


def test_a_large_file_of_repeated_codes_is_answered_row_by_row() -> None:
    rows = [row(n, f"{n % 5}", f"Đinh {n % 50}") for n in range(1, 5001)]
    result = match_rows(rows, REGISTER)
    assert len(result.matches) == 5000
    assert {m.kind for m in result.matches} == {MatchKind.REFUSED}
