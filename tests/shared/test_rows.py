"""Rows written as one parameter arrive in PostgreSQL as they were."""

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from benvung import rows

Value = str | None
# What no PostgreSQL text can hold is refused by the driver.
texts: st.SearchStrategy[Value] = st.none() | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
)


def taken_in(server: str, given: list[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    parameter = rows.array([rows.text(each) for each in given])
    with psycopg.connect(server) as conn:
        conn.execute("create temporary table three (a text, b text, c text)")
        conn.execute("insert into three select * from unnest(%s::text::three[])", (parameter,))
        return conn.execute("select a, b, c from three").fetchall()


@given(st.lists(st.tuples(texts, texts, texts), max_size=5))
def test_any_text_arrives_as_it_was(postgres_server: str, given: list[tuple[Value, ...]]) -> None:
    assert taken_in(postgres_server, given) == given


def test_signs_that_mean_something_to_postgresql_arrive_as_they_were(postgres_server: str) -> None:
    signs: list[tuple[Value, ...]] = [
        ('Điều 4, khoản "2"', "\\", None),
        ("", "NULL", "(a,b)"),
        ("{}", '\\"', " \n\t"),
    ]

    assert taken_in(postgres_server, signs) == signs


def test_parts_of_a_row_are_joined_with_commas_between() -> None:
    assert rows.text(("POOR", None, 3)) == "POOR,,3"
