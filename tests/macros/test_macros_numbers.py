"""macros/numbers.sql: values by hand, then against exact arithmetic."""

from __future__ import annotations

import hashlib
import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EACH_EXAMPLE_IN_ONE_SESSION = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
DOUBLE = "double precision"
NAN, INF = math.nan, math.inf


def test_safe_div_is_a_double_division(value):
    assert value("{{ seg_sql.safe_div(1, 4) }}") == 0.25
    assert value("{{ seg_sql.safe_div('1 + 2', '1 + 3') }}") == 0.75
    assert value("8 / {{ seg_sql.safe_div(1, 2) }}") == 16


@pytest.mark.parametrize("divisor", ["0", "null", "0.0", "-0.0", "1 - 1"])
def test_safe_div_by_nothing_is_null(value, divisor):
    assert value(f"{{{{ seg_sql.safe_div(1, '{divisor}') }}}}") is None


def test_safe_exp_holds_the_exponent_within_700(over):
    exponents = [0, 1, -1, -700, -800, -INF, 700, 800, INF]
    held = [0, 1, -1, -700, -700, -700, 700, 700, 700]

    results = over("{{ seg_sql.safe_exp('x') }}", exponents, DOUBLE)

    assert results == pytest.approx([math.exp(exponent) for exponent in held], rel=1e-14)


def test_safe_ln_is_the_natural_logarithm(over):
    results = over("{{ seg_sql.safe_ln('x') }}", [1, math.e, 1e-300], DOUBLE)

    assert results == pytest.approx([0, 1, -300 * math.log(10)], rel=1e-14)


def test_safe_functions_of_nothing_are_null(over):
    assert over("{{ seg_sql.safe_exp('x') }}", [None], DOUBLE) == [None]
    assert over("{{ seg_sql.safe_ln('x') }}", [0, -0.0, -1, -INF, None], DOUBLE) == [None] * 5
    assert over("{{ seg_sql.lgamma('x') }}", [0, -0.5, -1, -INF, None], DOUBLE) == [None] * 5


def test_safe_ln_takes_integers_and_expressions(value):
    assert value("{{ seg_sql.safe_ln('2 - 1') }}") == 0
    assert value("{{ seg_sql.safe_exp('1 - 1') }}") == 1


def test_lgamma_by_hand(over):
    # ln((z - 1)!) for whole numbers, and ln(sqrt(pi)) at a half.
    results = over("{{ seg_sql.lgamma('x') }}", [1, 2, 5, 11, 0.5], DOUBLE)

    expected = [0, 0, math.log(24), math.log(3628800), math.log(math.pi) / 2]
    assert results == pytest.approx(expected, rel=1e-14, abs=1e-14)


@given(numbers=st.lists(st.floats(1e-300, 1e15), min_size=1, max_size=40))
@EACH_EXAMPLE_IN_ONE_SESSION
def test_lgamma_against_the_standard_library(over, numbers):
    expected = [math.lgamma(number) for number in numbers]

    assert over("{{ seg_sql.lgamma('x') }}", numbers, DOUBLE) == pytest.approx(
        expected, rel=4e-15, abs=4e-15 * 20
    )


# By hand: halves go away from zero; 1e12 + 0.1234567 has no sixth digit as a double to round.
ROUNDED = {
    0.0000005: 0.000001,
    -0.0000005: -0.000001,
    2.5e-6: 3e-6,
    1.0000004: 1.0,
    1.2345675: 1.234568,
    -1.2345675: -1.234568,
    0.1: 0.1,
    8300065.814000001: 8300065.814,
    123456789.123456789: 123456789.123457,
    999999999999.0: 999999999999.0,
    1e12: 1e12,
    1e12 + 0.1234567: 1e12 + 0.1234567,
    1e300: 1e300,
    -1e300: -1e300,
    5e-324: 0.0,
    INF: INF,
    -INF: -INF,
}


def test_round_by_hand(over):
    results = over("{{ seg_sql.round('x') }}", [*ROUNDED, None], DOUBLE)

    assert results == [*ROUNDED.values(), None]


def test_round_to_other_digits(over):
    # 2.675 is a little less as a double, but 100 times it is 267.5.
    numbers = [0.5, 1.5, 2.5, -2.5, 2.4999, 0.49999999999999994, 2.675, 1e15 + 0.5]

    assert over("{{ seg_sql.round('x', 0) }}", numbers, DOUBLE) == [
        1, 2, 3, -3, 2, 0, 3, 1e15 + 1,
    ]  # fmt: skip
    assert over("{{ seg_sql.round('x', digits=2) }}", numbers, DOUBLE) == [
        0.5, 1.5, 2.5, -2.5, 2.5, 0.5, 2.68, 1e15 + 0.5,
    ]  # fmt: skip


def test_round_leaves_no_negative_zero(over):
    results = over("{{ seg_sql.round('x') }}", [-0.0, -1e-9, -5e-324], DOUBLE)

    assert [math.copysign(1, result) for result in results] == [1, 1, 1]


def test_round_keeps_nan(over):
    [result] = over("{{ seg_sql.round('x') }}", [NAN], DOUBLE)

    assert math.isnan(result)


def test_round_takes_an_expression_of_any_number(value):
    assert value("{{ seg_sql.round('1 + 1') }}") == 2.0
    assert value("2 * {{ seg_sql.round('cast(1.5 as decimal(10, 2)) + 1', 0) }}") == 6.0
    assert isinstance(value("{{ seg_sql.round('7') }}"), float)


@given(numbers=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40))
@EACH_EXAMPLE_IN_ONE_SESSION
def test_round_is_the_nearest_number_of_six_digits(over, numbers):
    for number, result in zip(
        numbers, over("{{ seg_sql.round('x') }}", numbers, DOUBLE), strict=True
    ):
        # A number of six digits, and none is nearer, but for the last bit of the product.
        assert result == float(f"{result:.6f}")
        error = abs(Fraction(result) - Fraction(number)) - Fraction(1, 2_000_000)
        assert error <= 2 * Fraction(math.ulp(number))


@given(
    millionths=st.lists(
        st.integers(-(10**14), 10**14).filter(lambda tenth: tenth % 10 != 5),
        min_size=1,
        max_size=40,
    )
)
@EACH_EXAMPLE_IN_ONE_SESSION
def test_round_equals_round_half_up_of_decimals(over, millionths):
    numbers = [Decimal(tenth).scaleb(-7) for tenth in millionths]
    expected = [float(n.quantize(Decimal("1e-6"), rounding=ROUND_HALF_UP)) for n in numbers]

    assert over("{{ seg_sql.round('x') }}", numbers, DOUBLE) == expected


def test_isum_is_an_integer_and_null_over_no_rows(engine, render):
    query = render(
        """
        select
            {{ seg_sql.isum('x') }} as total,
            {{ seg_sql.isum('case when x > 9 then x end') }} as none
        from (values (1), (2), (null)) as given (x)
        """
    )
    [[total, none]] = engine.fetch(query).rows

    assert (total, type(total), none) == (3, int, None)
    assert engine.describe(query)[0].type.lower() == "bigint"


def test_hash01_is_52_bits_of_md5(over):
    texts = ["1", "C-42", "é", "", "it's"]
    expected = [
        int(hashlib.md5(f"7:{text}".encode()).hexdigest()[:13], 16) / 2**52 for text in texts
    ]

    assert over("{{ seg_sql.hash01('x', 7) }}", texts) == expected
    assert over("{{ seg_sql.hash01('x') }}", [None]) == [None]


def test_hash01_is_the_same_for_an_integer_and_its_text(over):
    assert over("{{ seg_sql.hash01('x') }}", [1, 12346], "bigint") == over(
        "{{ seg_sql.hash01('x') }}", ["1", "12346"]
    )


def test_hash01_takes_a_column_as_seed(over):
    assert over("{{ seg_sql.hash01(\"'a'\", 'x') }}", [3], "integer") == over(
        "{{ seg_sql.hash01('x', 3) }}", ["a"]
    )


def test_hash01_is_uniform(engine, render):
    query = render(
        "select avg({{ seg_sql.hash01('s.n') }}), min({{ seg_sql.hash01('s.n') }}),"
        " max({{ seg_sql.hash01('s.n') }}) from {{ seg_sql.numbers(1, 20000) }} as s"
    )
    [[mean, least, most]] = engine.fetch(query).rows

    # Four standard errors of the mean of 20,000 uniform numbers.
    assert mean == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / 20000))
    assert 0 <= least < 0.001 and 0.999 < most < 1


def test_is_finite(over):
    results = over(
        "{{ seg_sql.is_finite('x') }}", [0, -1e308, 5e-324, NAN, INF, -INF, None], DOUBLE
    )

    assert results == [True, True, True, False, False, False, None]


def test_quantiles_are_those_of_numpy(value):
    # Type 7, linear interpolation: numpy's default method.
    numbers = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    rows = " union all ".join(f"select cast({number} as {DOUBLE}) as x" for number in numbers)
    quantiles = "{{ seg_sql.element(seg_sql.quantiles('x', 5), place) }}"

    found = [
        value(f"(select {quantiles.replace('place', str(cut))} from ({rows}) as numbers)")
        for cut in (1, 2, 3, 4)
    ]

    assert found == pytest.approx(np.quantile(numbers, [0.2, 0.4, 0.6, 0.8]), rel=1e-15)
