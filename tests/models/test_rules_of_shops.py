"""The packaged model association_rules on real baskets, against mlxtend and published counts."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import online_retail
import pandas as pd
import pytest
from shop import Shop, by

from seg_sql.inputs import Limits
from seg_sql.project import load_project
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

Rule = tuple[frozenset[str], str]
# Ours and mlxtend's names of the measures.
MEASURES = {
    "support": "support",
    "confidence": "confidence",
    "lift": "lift",
    "leverage": "leverage",
    "conviction": "conviction",
    "zhang": "zhangs_metric",
}


@cache
def groceries(path: Path) -> pd.DataFrame:
    """9,835 baskets; an item twice in a basket is put in, which must not matter."""
    frame = pd.read_parquet(path)[["basket_id", "item"]]
    return pd.concat([frame, frame[:500]]).sample(frac=1, random_state=3)


@cache
def by_mlxtend(path: Path, min_support: float, min_confidence: float) -> dict[Rule, Any]:
    """The rules with one consequent that mlxtend finds in Groceries."""
    from mlxtend.frequent_patterns import association_rules, fpgrowth

    frame = groceries(path).drop_duplicates()
    baskets, order = pd.factorize(frame["basket_id"])
    items, names = pd.factorize(frame["item"])
    one_hot = np.zeros((len(order), len(names)), dtype=bool)
    one_hot[baskets, items] = True
    sets = fpgrowth(pd.DataFrame(one_hot, columns=names), min_support, use_colnames=True)
    # mlxtend compares the quotient of two shares: one on the threshold may fall below it.
    rules = association_rules(sets, min_threshold=min_confidence - 1e-9)
    return {
        (rule.antecedents, next(iter(rule.consequents))): rule
        for rule in rules.itertuples()
        if len(rule.consequents) == 1
    }


def found(shop: Shop) -> dict[Rule, dict[str, Any]]:
    """The published rules by the ids of their items."""
    rules = by(shop.rows("association_rules"), "rule_id")
    sides: dict[int, tuple[set[str], set[str]]] = {number: (set(), set()) for number in rules}
    for row in shop.rows("association_rules_items"):
        sides[row["rule_id"]][row["side"] == "consequent"].add(row["item_id"])
    return {
        (frozenset(antecedent), next(iter(consequent))): dict(rules[number])
        for number, (antecedent, consequent) in sides.items()
    }


def write(shop: Shop, **options: Any) -> None:
    shop.write(
        inputs={
            "order_lines": {
                "relation": shop.raw("raw"),
                "columns": {"order_id": "basket_id", "item_id": "item"},
            }
        },
        # Groceries has more, and what is checked by hand fewer.
        models={"association_rules": {"min_baskets": 1, **options}},
    )


def test_groceries_against_mlxtend_and_the_published_counts(shop: Shop, shared_data: Path) -> None:
    """REFERENCE.md section 3, and reference_results.json, where the counts are from."""
    path = shared_data / "groceries_baskets.parquet"
    published = json.loads((shared_data / "reference_results.json").read_text())["groceries_rules"]
    shop.load_frame(groceries(path), {"basket_id": "integer", "item": "varchar"})
    counts = {
        (0.001, 0.5): {2: 11, 3: 1461, 4: 3211, 5: 939, 6: 46},
        (0.006, 0.25): {2: 150, 3: 297, 4: 16},
        (0.001, 0.8): {3: 29, 4: 229, 5: 140, 6: 12},
    }
    for (min_support, min_confidence), by_length in counts.items():
        write(shop, min_support=min_support, min_confidence=min_confidence, max_items=10)
        shop.build("+association_rules")
        ours = found(shop)
        reference = published[f"supp {min_support} conf {min_confidence}"]
        assert len(ours) == sum(by_length.values()) == reference["rules_one_item_consequent"]
        assert Counter(row["items"] for row in ours.values()) == by_length
        theirs = by_mlxtend(path, min_support, min_confidence)
        assert ours.keys() == theirs.keys()
        for rule, row in ours.items():
            for measure, name in MEASURES.items():
                expected = getattr(theirs[rule], name)
                if measure == "conviction" and np.isinf(expected):
                    assert row["conviction"] is None
                else:
                    assert row[measure] == pytest.approx(expected, rel=1e-9, abs=1e-9)
            assert row["baskets"] == round(row["support"] * 9835)
        # The three with the highest lift have the numbers 1 to 3.
        for number, top in enumerate(reference["top3_by_lift"], 1):
            row = ours[frozenset(top["lhs"]), top["rhs"]]
            assert row["lift"] == pytest.approx(top["lift"], abs=1e-6)
            assert row["rule_id"] == number or row["lift"] == pytest.approx(
                by(list(ours.values()), "rule_id")[number]["lift"], rel=1e-9
            )
            assert row["antecedent"] == ", ".join(sorted(top["lhs"]))
            assert row["consequent"] == top["rhs"]


def test_online_retail_builds_by_default(shop: Shop, shared_data: Path) -> None:
    """Baskets of up to 1,110 items; returns do not count, lines without a customer do."""
    frame = online_retail.load(shop, shared_data)
    shop.write(
        inputs={"order_lines": online_retail.order_lines(shop)},
        # The last day of the data is 2011-12-09.
        vars={"as_of": "2011-12-10"},
    )
    shop.build("+association_rules")
    returned = (frame["quantity"] <= 0) | (frame["quantity"] * frame["unit_price"] < 0)
    bought = frame[~returned][["invoice_no", "stock_code"]].drop_duplicates()
    orders = bought["invoice_no"].nunique()
    counts = bought["stock_code"].value_counts()
    frequent = counts[counts >= 0.01 * orders]
    # All rules of two items by pandas.
    pairs = bought[bought["stock_code"].isin(frequent.index)]
    matrix = pd.crosstab(pairs["invoice_no"], pairs["stock_code"]).to_numpy(dtype=np.float32)
    names = sorted(frequent.index)
    together = matrix.T @ matrix
    expected = {
        (frozenset({names[a]}), names[b]): int(together[a, b])
        for a, b in zip(*np.nonzero(together >= 0.01 * orders), strict=True)
        if a != b and together[a, b] / together[a, a] >= 0.2
    }
    ours = found(shop)
    assert {rule: row["baskets"] for rule, row in ours.items() if row["items"] == 2} == expected
    assert len(expected) > 100
    for row in ours.values():
        assert row["support"] == pytest.approx(row["baskets"] / orders, rel=1e-9)
    left_out = {row["reason"]: row["rows"] for row in shop.rows("association_rules_exclusions")}
    assert left_out == {
        "return": int(returned.sum()),
        "below min_support (items)": len(counts) - len(frequent),
    }


def test_nothing_is_read_and_nothing_is_fitted_when_empty(shop: Shop) -> None:
    shop.load([(1, "a"), (1, "b")], ("basket_id", "item"), types={"basket_id": "integer"})
    write(shop)
    shop.build("+association_rules", limits=Limits(empty=True))
    with shop.engine() as engine:
        kinds = {
            column.name: column.kind
            for column in engine.describe(f"select * from {engine.relation('association_rules')}")
        }
    assert kinds["rule_id"] == kinds["lift"] == "number"
    assert shop.rows("association_rules") == shop.rows("association_rules_items") == []


def test_too_many_candidates_leave_yesterdays_rules(shop: Shop) -> None:
    lines = [(order, item) for order in range(4) for item in "abcdef"]
    shop.load(lines, ("basket_id", "item"), types={"basket_id": "integer"})
    write(shop, max_items=2)
    shop.build("+association_rules")
    before = shop.rows("association_rules")
    assert len(before) == 30  # 6 * 5 ordered pairs
    write(shop, max_itemsets=14)
    assert shop.run("build", "+association_rules") == 1
    # By hand: 6 * 5 / 2 pairs.
    assert "6 frequent items make 15 candidates of 2 items" in shop.said()
    assert shop.rows("association_rules") == before
    with shop.engine() as engine:
        assert not [name for name in engine.existing() if name.startswith("seg_tmp_")]


def test_names_from_the_input_items_and_rules_by_store(shop: Shop) -> None:
    lines = [
        (order, item, store)
        for store, items in (("north", "xy"), ("south", "yz"))
        for order in range(3)
        for item in items
    ]
    shop.load(lines, ("basket_id", "item", "store"), types={"basket_id": "integer"})
    shop.load([("x", "whole milk"), ("y", "butter")], ("sku", "title"), name="items")
    shop.write(
        inputs={
            "order_lines": {
                "relation": shop.raw("raw"),
                "columns": {"order_id": "basket_id", "item_id": "item"},
                "attributes": ["store"],
            },
            "items": {
                "relation": shop.raw("items"),
                "columns": {"item_id": "sku", "name": "title"},
            },
        },
        models={"association_rules": {"partition_by": "store", "min_baskets": 1}},
    )
    shop.build("+association_rules")
    assert {
        (row["group_key"], row["antecedent"], row["consequent"])
        for row in shop.rows("association_rules")
    } == {
        ("north", "butter", "whole milk"),
        ("north", "whole milk", "butter"),
        ("south", "butter", "z"),
        ("south", "z", "butter"),
    }


def test_explain_reads_the_rules_that_lead_to_an_item(shop: Shop) -> None:
    lines = [(order, item) for order in range(3) for item in "abc"]
    shop.load([*lines, (9, "d")], ("basket_id", "item"), types={"basket_id": "integer"})
    write(shop, max_items=2)
    shop.build("+association_rules")
    with shop.engine() as engine:
        workspace = Workspace(
            load_project(shop.folder), engine, dialect=engine.dialect, schema=engine.schema
        )
        steps = Steps(workspace, "explain")
        rows = steps.rows("rules", parameters={"item": "b"}, limit=3)
    # b is in all three of the baskets with a, and of those with c: 1 over its 3 of 4 baskets.
    assert sorted(row["antecedent"] for row in rows) == ["a", "c"]
    assert [row["confidence"] for row in rows] == [1, 1]
    assert [row["lift"] for row in rows] == pytest.approx([4 / 3] * 2)
