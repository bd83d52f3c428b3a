"""Association rules against a brute-force enumeration, and by hand, on both engines."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rules_fitting import Rules, found, lines_of
from shop import Shop, by

from seg_sql.algorithms.association_rules import AssociationRulesOptions
from seg_sql.errors import ModelError
from seg_sql.events import Iterated
from seg_sql.profiles import DuckDBTarget, PostgresTarget

MEASURES = ("support", "confidence", "lift", "leverage", "conviction", "zhang")
# Agrawal and Srikant (1994), figure 3, the example database of AprioriTid: four
# baskets, support 2; frequent are 1, 2, 3, 5; {1 3} {2 3} {2 5} {3 5}; {2 3 5}.
PAPER = {100: "134", 200: "235", 300: "1235", 400: "25"}


def brute_force(
    baskets: Sequence[frozenset[str]], min_support: str, min_confidence: str, max_items: int
) -> dict[tuple[frozenset[str], str], dict[str, Any]]:
    """Return every rule by the definitions of REFERENCE.md section 3, in exact arithmetic."""
    total = len(baskets)
    counts: Counter[frozenset[str]] = Counter()
    for basket in baskets:
        for size in range(1, max_items + 1):
            counts.update(map(frozenset, itertools.combinations(sorted(basket), size)))
    result = {}
    for itemset, count in counts.items():
        if len(itemset) < 2 or Fraction(count, total) < Fraction(min_support):
            continue
        for consequent in itemset:
            antecedent = itemset - {consequent}
            pi = Fraction(counts[antecedent], total)
            pj = Fraction(counts[frozenset({consequent})], total)
            pij = Fraction(count, total)
            confidence = pij / pi
            if confidence < Fraction(min_confidence):
                continue
            scale = max(pij * (1 - pi), pi * (pj - pij))
            result[antecedent, consequent] = {
                "baskets": count,
                "support": pij,
                "confidence": confidence,
                "lift": pij / (pi * pj),
                "leverage": pij - pi * pj,
                "conviction": None if confidence == 1 else (1 - pj) / (1 - confidence),
                "zhang": (pij - pi * pj) / scale if scale else 0,
            }
    return result


def assert_rules(ours: Mapping[Any, Mapping[str, Any]], theirs: Mapping[Any, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for rule, expected in theirs.items():
        assert ours[rule]["baskets"] == expected["baskets"], rule
        for measure in MEASURES:
            value = expected[measure]
            if value is None:
                assert ours[rule][measure] is None, (rule, measure)
            else:
                wanted = pytest.approx(float(value), rel=1e-9, abs=1e-12)
                assert ours[rule][measure] == wanted, (rule, measure)


def test_the_example_of_the_paper(rules: Rules) -> None:
    rows = rules.find(lines_of(PAPER), min_support=0.5, min_confidence=0)
    ours = found(rows)
    assert {antecedent | {consequent} for antecedent, consequent in ours} == {
        frozenset(items) for items in ("13", "23", "25", "35", "235")
    }
    # By hand: 2 and 5 are in the same three of four baskets.
    assert ours[frozenset("2"), "5"]["confidence"] == 1
    assert ours[frozenset("2"), "5"]["lift"] == pytest.approx(4 / 3)
    assert ours[frozenset("2"), "5"]["conviction"] is None
    assert ours[frozenset("25"), "3"]["confidence"] == pytest.approx(2 / 3)
    # (1 - 3/4) / (1 - 2/3)
    assert ours[frozenset("25"), "3"]["conviction"] == pytest.approx(3 / 4)
    assert {row["reason"]: row["rows"] for row in rows["exclusions"]} == {
        "below min_support (items)": 1
    }
    assert rules.fitted is not None
    assert rules.fitted.parameters == {"baskets": 4, "items": 5, "rules": 11, "itemsets": 9}
    # {2 3} and {2 5} make the one candidate of three items; {1 3} has no partner.
    assert [dict(each.figures) for each in rules.log.of(Iterated)] == [
        {"candidates": 6},
        {"candidates": 1},
    ]


BASKETS = st.lists(st.frozensets(st.sampled_from("aBcDe1"), min_size=1), min_size=1, max_size=14)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    baskets=BASKETS,
    min_support=st.sampled_from(["0.01", "0.07", "0.2", "0.25", "0.5", "1"]),
    min_confidence=st.sampled_from(["0", "0.3", "0.5", "0.6", "1"]),
    max_items=st.integers(2, 6),
    shuffled=st.randoms(use_true_random=False),
)
def test_against_brute_force(
    rules: Rules,
    baskets: list[frozenset[str]],
    min_support: str,
    min_confidence: str,
    max_items: int,
    shuffled: random.Random,
) -> None:
    lines = lines_of(dict(enumerate(map(sorted, baskets))))
    lines += lines[::3]  # some items twice in a basket
    shuffled.shuffle(lines)
    rows = rules.find(
        lines,
        min_support=float(min_support),
        min_confidence=float(min_confidence),
        max_items=max_items,
    )
    expected = brute_force(baskets, min_support, min_confidence, max_items)
    assert_rules(found(rows), expected)
    assert bool(rules.said) == (not expected)


def test_a_product_that_is_not_exact_does_not_shift_the_threshold(rules: Rules) -> None:
    """0.07 * 100 is 7.000000000000001 in floating point, and 0.29 * 100 is 28.999999999999996."""
    baskets = {n: "ab" if n < 7 else "c" if n < 13 else "d" for n in range(100)}
    assert found(rules.find(lines_of(baskets), min_support=0.07, min_confidence=0))
    assert rules.again(min_support=0.0701, min_confidence=0)[""] == []
    baskets = {n: "ab" if n < 28 else "cd" if n < 57 else "e" for n in range(100)}
    ours = found(rules.find(lines_of(baskets), min_support=0.29, min_confidence=0))
    assert set(ours) == {(frozenset("c"), "d"), (frozenset("d"), "c")}


def test_confidence_on_the_threshold_counts(rules: Rules) -> None:
    """Item b is in 3 of the 10 baskets with a; 0.3 has no exact double, nor has 3/10."""
    baskets = {n: "ab" if n < 3 else "a" for n in range(10)}
    ours = found(rules.find(lines_of(baskets), min_support=0.1, min_confidence=0.3))
    assert set(ours) == {(frozenset("a"), "b"), (frozenset("b"), "a")}
    ours = found(rules.again(min_support=0.1, min_confidence=0.300001))
    assert set(ours) == {(frozenset("b"), "a")}


def test_an_item_in_every_basket(rules: Rules) -> None:
    """Zhang's denominator is 0 where an item is in every basket; by definition it is then 0."""
    baskets = {1: "ab", 2: "ab", 3: "a"}
    ours = found(rules.find(lines_of(baskets), min_support=0.1, min_confidence=0))
    assert ours[frozenset("b"), "a"]["zhang"] == 0
    assert ours[frozenset("b"), "a"]["conviction"] is None
    assert ours[frozenset("b"), "a"]["lift"] == 1
    assert ours[frozenset("a"), "b"]["zhang"] == 0
    # (1 - 2/3) / (1 - 2/3)
    assert ours[frozenset("a"), "b"]["conviction"] == pytest.approx(1)


def test_items_that_avoid_each_other(rules: Rules) -> None:
    """By hand: 4 baskets, a and b in 3 and 2, together in 1."""
    baskets = {1: "ab", 2: "a", 3: "a", 4: "b"}
    rule = found(rules.find(lines_of(baskets), min_support=0.1, min_confidence=0))[
        frozenset("a"), "b"
    ]
    assert rule["lift"] == pytest.approx(4 / 6)
    assert rule["leverage"] == pytest.approx(1 / 4 - 6 / 16)
    # (1/4 - 3/8) / max(1/4 * 1/4, 3/4 * (1/2 - 1/4))
    assert rule["zhang"] == pytest.approx(-2 / 3)


@pytest.mark.parametrize("size", [2, 3])
def test_too_many_candidates_stop_the_fit_before_they_are_counted(rules: Rules, size: int) -> None:
    """Ten items in every basket: 45 pairs; and 120 candidates of three, from pairs that share
    their first item: 36 + 28 + 21 + 15 + 10 + 6 + 3 + 1."""
    baskets = {n: "abcdefghij" for n in range(3)}
    wanted = {2: 45, 3: 120}[size]
    with pytest.raises(ModelError) as caught:
        rules.find(lines_of(baskets), min_support=0.5, max_items=5, max_itemsets=wanted - 1)
    assert f"{wanted} candidates of {size} items" in str(caught.value)
    assert f"max_itemsets is {wanted - 1}" in str(caught.value)
    assert "Raise min_support (it is 0.5)" in str(caught.value.hint)
    assert len(rules.log.of(Iterated)) == size - 2
    # The limit itself is allowed.
    assert rules.again(min_support=0.5, max_items=size, max_itemsets=wanted)[""]


def test_few_baskets_make_no_rules(rules: Rules) -> None:
    """Of four baskets 1 % is one: without a least number every pair of every basket is a rule."""
    baskets = dict.fromkeys(range(4), "ab") | {4: "cd"}
    assert found(rules.find(lines_of(baskets), min_support=0.01, min_confidence=0)).keys() == {
        (frozenset({one}), other) for one, other in ("ab", "ba", "cd", "dc")
    }
    assert found(rules.again(min_support=0.01, min_confidence=0, min_baskets=4)).keys() == {
        (frozenset("a"), "b"),
        (frozenset("b"), "a"),
    }
    assert rules.again(min_support=0.01, min_baskets=5)[""] == []
    assert "no item is in min_baskets = 5 of 5." in rules.said


@pytest.mark.parametrize(
    ("baskets", "options", "said"),
    [
        ({}, {}, "no order line is an item in a basket"),
        ({1: "a", 2: "b"}, {"min_support": 0.9}, "no item is in min_support = 0.9 of 2 baskets"),
        ({1: "a", 2: "b"}, {"min_support": 0.5}, "no two items are together in min_support = 0.5"),
        (
            {1: "ab", 2: "a", 3: "b", 4: "c"},
            {"min_support": 0.25, "min_confidence": 0.9},
            "none of 1 frequent itemsets has a min_confidence of 0.9. Lower min_confidence",
        ),
    ],
)
def test_no_rule_is_an_empty_table_and_a_sentence(
    rules: Rules, baskets: dict[int, str], options: dict[str, Any], said: str
) -> None:
    rows = rules.find(lines_of(baskets), **options)
    assert rows[""] == rows["items"] == []
    assert said in rules.said


def test_what_is_left_out_is_counted(rules: Rules) -> None:
    lines = [
        ("1", "a", "kept"), ("1", "b", "kept"), ("2", "a", "kept"), ("2", "b", "kept"),
        ("2", "post", "not a product"), ("3", "a", "return"), (None, "a", "kept"),
        ("3", None, "kept"), ("4", "rare", None),
    ]  # fmt: skip
    rows = rules.find(lines, ("order_id", "item_id", "reason"), min_support=0.5)
    # Basket 3 has nothing that counts: three are left, and a reason that is missing is no reason.
    assert {row["support"] for row in rows[""]} == {2 / 3}
    assert by(rows["exclusions"], "reason") == {
        reason: {"reason": reason, "rows": 1}
        for reason in (
            "not a product",
            "return",
            "no order id",
            "no item",
            "below min_support (items)",
        )
    }


def test_names_stand_for_items_in_the_order_of_names(rules: Rules) -> None:
    """An item without a name is called by its id; ids keep their type."""
    names = {10: "whole milk", 20: "butter", 30: None}
    lines = [(order, item, names[item]) for order in range(3) for item in names]
    rows = rules.find(
        lines,
        ("order_id", "item_id", "item_name"),
        {"order_id": "integer", "item_id": "integer"},
        min_support=0.5,
    )
    texts = {(row["antecedent"], row["consequent"]) for row in rows[""]}
    assert ("butter, whole milk", "30") in texts
    assert ("30, butter", "whole milk") in texts
    assert {type(row["item_id"]) for row in rows["items"]} == {int}


def test_each_partition_has_rules_of_its_own(rules: Rules) -> None:
    """What a partition has is what its baskets alone have; order numbers may repeat."""
    generator = random.Random(5)
    stores: dict[str | None, list[frozenset[str]]] = {
        store: [
            frozenset(generator.sample("abcdef", generator.randint(1, 5))) for _ in range(number)
        ]
        for store, number in (("north", 9), ("South", 15), (None, 4))
    }
    lines = [
        (str(number), item, store)
        for store, baskets in stores.items()
        for number, basket in enumerate(baskets)
        for item in sorted(basket)
    ]
    generator.shuffle(lines)
    rows = rules.find(
        lines, ("order_id", "item_id", "store"), partition_by="store", min_support=0.2
    )
    for store, baskets in stores.items():
        key = store or "(none)"
        part = {
            name: [row for row in rows[name] if row["group_key"] == key] for name in ("", "items")
        }
        assert sorted(row["rule_id"] for row in part[""]) == list(range(1, len(part[""]) + 1))
        assert_rules(found(part), brute_force(baskets, "0.2", "0.2", 4))


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (("order_id", "sku"), {}, "yields no column 'item_id'"),
        (("item_id", "sku"), {}, "yields no column 'order_id'"),
        (("order_id", "item_id"), {"partition_by": ["store"]}, "partition_by names 'store'"),
    ],
)
def test_a_column_that_is_missing(
    rules: Rules, columns: tuple[str, str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        rules.find([("1", "a")], columns, **options)


@pytest.mark.parametrize(
    "options",
    [{"min_support": 0}, {"min_support": 1.1}, {"min_confidence": -0.1}, {"max_items": 1}],
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AssociationRulesOptions(**options)


@pytest.mark.slow
def test_a_million_baskets_stay_within_memory(tmp_path: Path, duckdb_target: DuckDBTarget) -> None:
    """Six lines a basket, of 500 items the first in most of them: pairs against a plain join."""
    limited = {"settings": {"memory_limit": "500MB"}, "threads": 2}
    rules = Rules(Shop(tmp_path / "project", duckdb_target.model_copy(update=limited)))
    rules.shop.write()
    raw = rules.shop.raw("raw")
    rules.shop.execute(
        f"create table {raw} as"
        " select line // 6 as order_id,"
        " cast(floor(500 * power(hash(line) / 18446744073709551616.0, 4)) as int) as item_id"
        " from range(6000000) as lines (line)"
    )
    rows = rules.again(min_support=0.01, min_confidence=0, max_items=4)
    assert max(row["items"] for row in rows[""]) >= 3
    with rules.shop.engine() as engine:
        pairs = engine.fetch(
            "select earlier.item_id, later.item_id, count(distinct order_id)"
            f" from {raw} as earlier join {raw} as later using (order_id)"
            " where earlier.item_id < later.item_id"
            " group by all having count(distinct order_id) >= 10000"
        ).rows
    ours = {
        (*sorted([int(row["antecedent"]), int(row["consequent"])]), row["baskets"])
        for row in rows[""]
        if row["items"] == 2
    }
    assert ours == set(pairs)


def test_same_rows_in_the_same_order_on_both_engines(
    tmp_path: Path, duckdb_target: DuckDBTarget, postgres_target: PostgresTarget
) -> None:
    """Ties in lift, ids that a language sorts otherwise, and lines in any order."""
    generator = random.Random(11)
    items = ["Zug", "apfel", "Öl", "_x", "B", "b", "10", "9"]
    lines = [
        (f"o{number}", item)
        for number in range(40)
        for item in generator.sample(items, generator.randint(1, 6))
    ]
    results = []
    for target in (duckdb_target, postgres_target, duckdb_target):
        shop = Shop(tmp_path / target.type, target)
        shop.write()
        generator.shuffle(lines)
        rows = Rules(shop).find(lines, min_support=0.05, min_confidence=0.1)
        results.append(
            {
                "": sorted(rows[""], key=lambda row: row["rule_id"]),
                "items": sorted(
                    rows["items"], key=lambda r: (r["rule_id"], r["side"], r["item_id"])
                ),
                "exclusions": rows["exclusions"],
            }
        )
    first, *others = results
    lifts = [row["lift"] for row in first[""]]
    assert lifts == sorted(lifts, reverse=True)
    assert len(set(lifts)) < len(lifts) > 100
    for other in others:
        for output, rows in first.items():
            for row, same in zip(rows, other[output], strict=True):
                for name, value in row.items():
                    if isinstance(value, float):
                        assert math.isclose(value, same[name], rel_tol=1e-9, abs_tol=1e-12)
                    else:
                        assert value == same[name], (output, name)
