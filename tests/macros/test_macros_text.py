"""macros/text.sql and macros/plans.sql: order, aggregates, matching and fences."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORDS = ["b", "B", "a", "A", "ä", "10", "9", "_", "Z", "a b", "ab", "", "-", "é", "z"]


@pytest.fixture
def ordered(engine, render):
    """Give the values of a column in the order of an expression."""

    def of(expression, values, kind="text"):
        quoted = ["'" + value.replace("'", "''") + "'" for value in map(str, values)]
        rows = ", ".join(f"(cast({value} as {kind}))" for value in quoted)
        query = f"select x from (values {rows}) as given (x) order by {render(expression)}"
        return [x for (x,) in engine.fetch(query).rows]

    return of


def binary(texts):
    """Order by the bytes of UTF-8, which is what binary collation means in both engines."""
    return sorted(texts, key=str.encode)


@pytest.mark.parametrize("macro", ["bin", "bin_text"])
def test_text_is_in_binary_order(ordered, macro):
    assert ordered(f"{{{{ seg_sql.{macro}('x') }}}}", WORDS) == binary(WORDS)


@given(
    texts=st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    ).filter(bool)
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
def test_any_text_is_in_binary_order(ordered, texts):
    assert ordered("{{ seg_sql.bin('x') }}", texts) == binary(texts)


def test_integers_are_in_the_order_of_their_text(ordered):
    assert ordered("{{ seg_sql.bin('x') }}", [9, 10, -1, 100], "bigint") == [-1, 10, 100, 9]


def test_least_and_most_and_comparison_are_binary(engine, render):
    query = render(
        """
        select
            min({{ seg_sql.bin('x') }}), max({{ seg_sql.bin('x') }}),
            sum(case when {{ seg_sql.bin('x') }} < {{ seg_sql.bin("'a'") }} then 1 else 0 end)
        from (values ('b'), ('a'), ('B')) as given (x)
        """
    )
    [[least, most, before_a]] = engine.fetch(query).rows

    # In binary order B comes before a, in that of a language between a and b or after.
    assert (least, most, before_a) == ("B", "b", 1)


def test_string_agg_is_in_the_given_order(engine, render):
    query = render(
        """
        select {{ seg_sql.string_agg('x', "', '", seg_sql.bin('x') ~ ' desc nulls last') }}
        from (values ('b'), ('B'), (null), ('a')) as given (x)
        """
    )

    assert engine.fetch(query).rows == [("b, a, B",)]


def test_string_agg_takes_other_types_and_orders(engine, render):
    query = render(
        """
        select g, {{ seg_sql.string_agg('x + 1', "'|'", 'k desc, x') }}
        from (values (1, 5, 1), (1, 7, 2), (2, 9, 1), (1, 3, 1)) as given (g, x, k)
        group by g
        order by g
        """
    )

    assert engine.fetch(query).rows == [(1, "8|4|6"), (2, "10")]


def test_trimmed_takes_off_blanks_of_all_kinds(over):
    texts = ["a", "  a ", "\ta\n", "\r\na b\r\n", "\u00a0a\u00a0 ", " \t\n", "", None]

    assert over("{{ seg_sql.trimmed('x') }}", texts) == ["a", "a", "a", "a b", "a", "", "", None]


def test_matches_is_about_the_whole_text(over):
    texts = ["ab", "abc", "xab", "b", "a", "ab\n", "AB", None]

    assert over("{{ seg_sql.matches('x', 'a|ab') }}", texts) == [
        True, False, False, False, True, False, False, None,
    ]  # fmt: skip


def test_a_fence_changes_no_row(engine, render):
    query = render(
        """
        select s.n + 1 as m
        from (select n from {{ seg_sql.numbers(1, 3) }} as t {{ seg_sql.fence() }}) as s
        order by m
        """
    )

    assert engine.fetch(query).rows == [(2,), (3,), (4,)]


def test_a_fence_keeps_a_subquery_from_being_repeated(engine, render):
    if engine.dialect != "postgres":
        assert render("x{{ seg_sql.fence() }}") == "x"
        return
    query = render(
        """
        explain (verbose)
        select case when s.d > 1 then s.d else -s.d end
        from (select sqrt(n) as d from {{ seg_sql.numbers(1, 3) }} as t {{ seg_sql.fence() }}) as s
        """
    )
    plan = "\n".join(line for (line,) in engine.fetch(query).rows)

    # Unfenced, each of the three uses of d is a square root of its own.
    assert plan.count("sqrt") == 1


def test_param_is_a_named_parameter_of_the_driver(engine, render):
    query = render("select {{ seg_sql.param('k') }} + 1 as n, {{ seg_sql.param('k') }} as k")

    assert engine.fetch(query, {"k": 41}).rows == [(42, 41)]


def test_plain_id_takes_off_what_exports_add(over):
    ids = ["c1", " C1\t", "007", "7", "7.0", "7.00", "0", "a.0b", "", None]
    assert over("{{ seg_sql.plain_id('x') }}", ids) == [
        "C1", "C1", "7", "7", "7", "7.00", "", "A.0B", "", None
    ]  # fmt: skip
