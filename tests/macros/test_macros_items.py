"""The measures of a pair of items, and the ASCII fold of an id."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Counts k11, k12, k21, k22 and the ratio: Dunning (1993) as Apache Mahout's LogLikelihoodTest
# has them (REFERENCE.md section 3).
LLR = [
    ((1, 0, 0, 1), 2.772589),
    ((10, 0, 0, 10), 27.72589),
    ((5, 1995, 0, 100000), 39.33052),
    ((1000, 1995, 1000, 100000), 4730.737),
    ((1000, 1000, 1000, 100000), 5734.343),
    ((1000, 1000, 1000, 99000), 5714.932),
]


Value = Callable[..., Any]


def root_llr(value: Value, k11: int, k12: int, k21: int, k22: int) -> float:
    found: float = value(
        "{{ seg_sql.pair_measure('root_llr', k11, k11 + k21, k11 + k12, k11 + k12 + k21 + k22) }}",
        k11=k11, k12=k12, k21=k21, k22=k22,
    )  # fmt: skip
    return found


def by_entropies(k11: int, k12: int, k21: int, k22: int) -> float:
    """The definition in REFERENCE.md section 3, with long doubles."""

    def entropy(*numbers: int) -> Any:
        long = [np.longdouble(number) for number in numbers]
        total = sum(long)
        return total * np.log(total) - sum(k * np.log(k) for k in long if k)

    rows, columns = entropy(k11 + k12, k21 + k22), entropy(k11 + k21, k12 + k22)
    ratio = max(2 * (rows + columns - entropy(k11, k12, k21, k22)), 0)
    first = k11 / (k11 + k12) if k11 + k12 else 0
    second = k21 / (k21 + k22) if k21 + k22 else 0
    return math.copysign(math.sqrt(ratio), first - second)


@pytest.mark.parametrize(("counts", "ratio"), LLR)
def test_log_likelihood_ratios_of_the_literature(
    value: Value, counts: tuple[int, int, int, int], ratio: float
) -> None:
    root = root_llr(value, *counts)
    assert root**2 == pytest.approx(ratio, rel=1e-6)
    assert root == pytest.approx(by_entropies(*counts), rel=1e-9)


COUNTS = st.tuples(
    st.integers(1, 10**4), st.integers(0, 10**4), st.integers(0, 10**4), st.integers(0, 10**7)
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(COUNTS)
def test_root_llr_is_the_signed_root_of_the_entropies(
    value: Value, counts: tuple[int, int, int, int]
) -> None:
    """Near independence the ratio is a difference of large numbers, and its root has few digits."""
    assert abs(root_llr(value, *counts)) == pytest.approx(
        abs(by_entropies(*counts)), rel=1e-7, abs=1e-4
    )


def test_sign_of_root_llr(value: Value) -> None:
    """Positive where the pair meets more often than by chance, negative where less often."""
    assert root_llr(value, 20, 5, 5, 70) > 0 > root_llr(value, 1, 24, 24, 51)
    assert root_llr(value, 25, 25, 25, 25) == 0


def test_limits_of_the_measures(value: Value) -> None:
    """Both items in every basket: NPMI has the limit 1, and the ratio nothing to say."""
    measure = "{{ seg_sql.pair_measure(name, 7, 7, 7, 7) }}"
    assert [value(measure, name=name) for name in ("support", "lift", "npmi", "root_llr")] == [
        1,
        1,
        1,
        0,
    ]


def test_ascii_upper_leaves_other_letters(value: Value) -> None:
    """By hand: a to z and nothing else."""
    assert value("{{ seg_sql.ascii_upper(\"'aZ9-äßéıσ'\") }}") == "AZ9-äßéıσ"
