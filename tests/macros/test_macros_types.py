"""macros/types.sql: type names, identifiers and literals."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EACH_EXAMPLE_IN_ONE_SESSION = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)

# PostgreSQL has no character 0, and no text holds half of a surrogate pair.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def test_double_is_binary(value):
    # 0.1 + 0.2 in 64 binary digits; as numeric it would be 0.3.
    assert value(
        "cast('0.1' as {{ seg_sql.double() }}) + cast('0.2' as {{ seg_sql.double() }})"
    ) == (0.1 + 0.2)


def test_text_has_no_length(value):
    assert value("length(cast('" + "x" * 5000 + "' as {{ seg_sql.text() }}))") == 5000


@pytest.mark.parametrize(
    "name",
    [
        "customer_id",
        "Customer ID",
        "order",
        "ünï",
        'a"b',
        '"; drop table x; --',
        "50%",
        "a\\b",
        "'",
    ],
)
def test_ident_is_that_name(engine, render, name):
    result = engine.fetch(render("select 1 as {{ seg_sql.ident(name) }}", name=name))

    assert result.columns == (name,)


@pytest.mark.parametrize(
    "given_value",
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        2**31,
        -(2**40),
        "",
        "a",
        "it's",
        "a\\b",
        "\\",
        "\\'",
        "50%",
        "$x",
    ],
)
def test_lit_is_that_value(value, given_value):
    result = value("{{ seg_sql.lit(given_value) }}", given_value=given_value)

    assert result == given_value
    assert type(result) is type(given_value)


def test_lit_of_a_negative_number_can_be_subtracted(value):
    assert value("5 -{{ seg_sql.lit(-3) }}") == 8
    assert value("5 -{{ seg_sql.lit(-0.5) }}") == 5.5


@given(number=st.floats(allow_nan=False))
@EACH_EXAMPLE_IN_ONE_SESSION
def test_lit_of_a_float_is_that_double(value, number):
    assert value("{{ seg_sql.lit(number) }}", number=number) == number


def test_lit_of_nan_is_nan(value):
    assert math.isnan(value("{{ seg_sql.lit(number) }}", number=math.nan))


@given(words=TEXT)
@EACH_EXAMPLE_IN_ONE_SESSION
def test_lit_of_a_text_is_that_text(value, words):
    assert value("{{ seg_sql.lit(words) }}", words=words) == words
