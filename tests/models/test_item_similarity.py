"""Item similarity by hand, against mlxtend and implicit, and against the literature."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from shop import Shop, by

from seg_sql.demo import DemoData, generate
from seg_sql.engines import open_engine
from seg_sql.events import TestFinished
from seg_sql.profiles import DuckDBTarget

BASKETS = ("order_id", "item_id")
# Nothing is left out.
EVERY: dict[str, Any] = {
    "min_item_baskets": 1,
    "min_pair_baskets": 1,
    "top_n": 1000,
    "max_basket_items": None,
}


def similar(shop: Shop, options: Mapping[str, Any], **project: Any) -> list[dict[str, Any]]:
    """Build item_similarity from the loaded order lines; return its rows."""
    shop.write(models={"item_similarity": dict(options)}, **project)
    shop.build("+item_similarity")
    return shop.rows("item_similarity", order="group_key, item_id, rank")


def left_out(shop: Shop) -> dict[str, int]:
    rows = shop.rows("item_similarity_exclusions")
    return {row["reason"]: row["rows"] for row in rows}


def pairs(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return by(rows, "item_id", "similar_item_id")


def groceries(shared_data: Path) -> Any:
    """The 9,835 baskets of Hahsler, Hornik and Reutterer (2006)."""
    file = shared_data / "groceries_baskets.parquet"
    return duckdb.sql(f"select basket_id as order_id, item as item_id from '{file}'").df()


def test_every_measure_of_groceries_equals_mlxtend(shop: Shop, shared_data: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from mlxtend.frequent_patterns import apriori, association_rules

    frame = groceries(shared_data)
    shop.load_frame(frame, {"order_id": "integer", "item_id": "varchar"})
    rows = similar(shop, EVERY)
    found = pairs(rows)

    # The top pairs that the data's publisher prints (REFERENCE.md section 3).
    assert found["other vegetables", "whole milk"]["pair_baskets"] == 736
    assert found["rolls/buns", "whole milk"]["pair_baskets"] == 557
    assert found["whole milk", "yogurt"]["pair_baskets"] == 551

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pd.crosstab(frame["order_id"], frame["item_id"]).astype(bool)
        # Every pair of at least ten baskets.
        sets = apriori(table, min_support=10 / len(table), max_len=2, use_colnames=True)
        rules = association_rules(sets, metric="support", min_threshold=0.0)
    assert len(rules) == sum(row["pair_baskets"] >= 10 for row in rows)
    for rule in rules.to_dict("records"):
        row = found[next(iter(rule["antecedents"])), next(iter(rule["consequents"]))]
        expected = {
            "support": rule["support"],
            "confidence": rule["confidence"],
            "lift": rule["lift"],
            "cosine": rule["support"]
            / math.sqrt(rule["antecedent support"] * rule["consequent support"]),
            "jaccard": rule["jaccard"],
            "npmi": math.log(rule["lift"]) / -math.log(rule["support"]),
        }
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_ten_baskets_by_hand(shop: Shop) -> None:
    """a is in 1-6, b in 1-4 and 7, c in 5 and 8; d alone in 9 and 10. a twice in basket 1."""
    lines = [(str(n), item) for item, places in
             {"a": [1, 1, 2, 3, 4, 5, 6], "b": [1, 2, 3, 4, 7], "c": [5, 8], "d": [9, 10]}.items()
             for n in places]  # fmt: skip
    shop.load(lines, BASKETS)
    rows = similar(shop, EVERY)
    # b and c, and d with any, never meet: no row.
    assert [(row["item_id"], row["rank"], row["similar_item_id"]) for row in rows] == [
        ("a", 1, "b"), ("a", 2, "c"), ("b", 1, "a"), ("c", 1, "a"),
    ]  # fmt: skip
    first = rows[0]
    assert (first["group_key"], first["measure"]) == ("all", "cosine")
    expected = {
        "pair_baskets": 4, "item_baskets": 6, "similar_item_baskets": 5,
        "support": 4 / 10, "confidence": 4 / 6, "lift": 10 * 4 / (6 * 5),
        "cosine": 4 / math.sqrt(30), "jaccard": 4 / 7,
        "npmi": math.log(40 / 30) / -math.log(0.4), "similarity": 4 / math.sqrt(30),
    }  # fmt: skip
    assert {name: first[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert left_out(shop) == {}
    assert "item_similarity: 4 of 4 pairs share fewer than 5 baskets" in shop.said()


def test_few_baskets_and_pairs_are_left_out(shop: Shop) -> None:
    """x and y meet twice, x and z once; z is in one basket."""
    shop.load([("1", "x"), ("1", "y"), ("2", "x"), ("2", "y"), ("2", "z"), ("3", "w"), ("4", "w"),
               ("4", "x")], BASKETS)  # fmt: skip
    rows = similar(shop, {})
    assert {(row["item_id"], row["similar_item_id"]) for row in rows} == {("x", "y"), ("y", "x")}
    assert left_out(shop) == {"in fewer than 2 baskets (items)": 1}


def test_negative_association_does_not_rank_high(shop: Shop) -> None:
    """a and b are in 50 of 100 baskets each and meet in 5 where chance has 25; a and c, rare, meet
    in 4 of 5. The unsigned ratio of a and b is far above that of a and c."""
    baskets = [(n, "a") for n in range(50)] + [(n, "b") for n in range(45, 95)]
    baskets += [(n, "c") for n in (1, 2, 3, 4, 60)]
    shop.load([(str(n), item) for n, item in baskets], BASKETS)
    rows = similar(shop, {**EVERY, "measure": "root_llr"})
    found = pairs(rows)
    assert found["a", "b"]["root_llr"] < -5 < abs(found["a", "c"]["root_llr"]) < 5
    assert found["a", "c"]["rank"] == 1
    assert found["a", "b"]["rank"] == 2


def test_ties_go_by_the_items_id(shop: Shop) -> None:
    """All pairs are alike; capital letters sort before small ones, whatever the database's language."""
    items = ["b", "B", "a", "A", "c"]
    shop.load([(str(n), item) for n in (1, 2) for item in items], BASKETS)
    for measure in ("cosine", "lift", "npmi", "root_llr", "support"):
        rows = similar(shop, {"top_n": 3, "measure": measure})
        lists = {
            item: [row["similar_item_id"] for row in rows if row["item_id"] == item]
            for item in items
        }
        assert lists == {
            "A": ["B", "a", "b"], "B": ["A", "a", "b"], "a": ["A", "B", "b"],
            "b": ["A", "B", "a"], "c": ["A", "B", "a"],
        }  # fmt: skip


def test_age_weighs_the_ranking_and_not_the_counts(shop: Shop) -> None:
    """a and b met three times a year ago, a and c twice today; with a half-life of 30 days a basket
    of 360 days weighs 2^-12."""
    old, new = "2025-01-05", "2025-12-31"
    lines = [(f"o{n}", old, item) for n in range(3) for item in "ab"]
    lines += [(f"n{n}", new, item) for n in range(2) for item in "ac"]
    shop.load(lines, ("order_id", "ordered_at", "item_id"))
    columns = {"inputs": {"order_lines": {"relation": shop.raw("raw")}}}
    without = similar(shop, EVERY, vars={"as_of": "2025-12-31"}, **columns)
    assert pairs(without)["a", "b"]["item_baskets"] == 3  # the last day is not read
    plain = similar(shop, EVERY, **columns)
    aged = similar(shop, {**EVERY, "half_life_days": 30}, **columns)
    assert [row["similar_item_id"] for row in plain if row["item_id"] == "a"] == ["b", "c"]
    assert [row["similar_item_id"] for row in aged if row["item_id"] == "a"] == ["c", "b"]
    # as_of is the day after the last line, 361 days after the old ones.
    light, heavy = 3 * 0.5 ** (361 / 30), 2 * 0.5 ** (1 / 30)
    assert pairs(aged)["a", "b"]["similarity"] == pytest.approx(
        light / math.sqrt((light + heavy) * light), rel=1e-9
    )
    counts = ("pair_baskets", "item_baskets", "support", "cosine", "root_llr")
    for key, row in pairs(plain).items():
        assert {name: pairs(aged)[key][name] for name in counts} == {n: row[n] for n in counts}
    recent = similar(shop, {**EVERY, "window_days": 30}, **columns)
    assert {row["similar_item_id"] for row in recent} == {"a", "c"}
    assert left_out(shop) == {"before the window": 6}


def test_groups_know_nothing_of_each_other(shop: Shop) -> None:
    lines = [(f"{store}{n}", store, item) for store in ("north", "south") for n in range(3)
             for item in ("x", {"north": "y", "south": "z"}[store])]  # fmt: skip
    shop.load([*lines, ("n9", None, "x")], ("order_id", "store", "item_id"))
    lines_of = {"relation": shop.raw("raw"), "attributes": ["store"],
                "columns": {"order_id": "order_id", "item_id": "item_id"}}  # fmt: skip
    options = {**EVERY, "partition_by": ["store"]}
    rows = similar(shop, options, inputs={"order_lines": lines_of})
    assert [(row["group_key"], row["item_id"], row["similar_item_id"], row["support"]) for row in rows] == [
        ("north", "x", "y", 1.0), ("north", "y", "x", 1.0),
        ("south", "x", "z", 1.0), ("south", "z", "x", 1.0),
    ]  # fmt: skip


def test_customers_as_baskets(shop: Shop) -> None:
    """Guests' lines count in their order, and in no customer's history."""
    shop.load([("c1", "1", "x"), ("c1", "2", "y"), (None, "3", "x"), (None, "3", "z")],
              ("customer_id", "order_id", "item_id"))  # fmt: skip
    by_order = similar(shop, EVERY)
    assert [(row["item_id"], row["similar_item_id"]) for row in by_order] == [
        ("x", "z"),
        ("z", "x"),
    ]
    by_customer = similar(shop, {**EVERY, "unit": "customer"})
    assert [(row["item_id"], row["similar_item_id"]) for row in by_customer] == [
        ("x", "y"), ("y", "x"),
    ]  # fmt: skip
    assert left_out(shop) == {"no customer_id": 2}


def test_what_is_no_product_or_not_for_lists(shop: Shop) -> None:
    """Postage counts for money and not for items; a gift card is counted and in no list."""
    lines = [(str(n), item, 1.0, 5.0) for n in (1, 2, 3) for item in ("mug", "cup", "POST", "card")]
    lines += [("4", "mug", -1.0, 5.0), ("5", None, 1.0, 5.0)]
    shop.load(lines, ("order_id", "item_id", "quantity", "unit_price"))
    shop.load([("mug", "A mug", True, True), ("POST", "Postage", False, True),
               ("card", "Gift card", True, False), ("card", "Gift card", True, False)],
              ("item_id", "name", "is_product", "recommendable"), name="items",
              types={"is_product": "boolean", "recommendable": "boolean"})  # fmt: skip
    inputs = {
        "order_lines": {"relation": shop.raw("raw")},
        "items": {"relation": shop.raw("items")},
    }
    rows = similar(shop, EVERY, inputs=inputs)
    assert [(row["item_id"], row["similar_item_id"], row["similar_item_name"]) for row in rows] == [
        ("card", "cup", None), ("card", "mug", "A mug"), ("cup", "mug", "A mug"), ("mug", "cup", None),
    ]  # fmt: skip
    assert left_out(shop) == {"not a product": 3, "return": 1, "no item": 1}
    del inputs["items"]
    rows = similar(shop, EVERY, inputs=inputs, vars={"not_products": ["POST", "card"]})
    assert {row["item_id"] for row in rows} == {"mug", "cup"}


@pytest.mark.parametrize(
    ("ids", "ignoring_case", "warns"),
    [
        (("A1", "a1 ", "B1"), False, True),
        (("A1", "a1", "B1"), True, False),
        (("007", "7", "B1"), False, True),
        (("A1", "B1", "C1"), False, False),
    ],
)
def test_item_ids_that_are_written_differently_are_told(
    shop: Shop, ids: tuple[str, ...], ignoring_case: bool, warns: bool
) -> None:
    shop.load([(order, item) for order in ("1", "2") for item in ids], BASKETS)
    similar(shop, EVERY, vars={"case_insensitive_items": ignoring_case})
    said = {e.name: e.failures for e in shop.log.of(TestFinished) if e.status == "warn"}
    assert said == ({"item_ids_written_differently": 1} if warns else {})  # a pair counts once


def test_item_ids_that_differ_by_case(shop: Shop) -> None:
    """85123a and 85123A are one item, by the letters of ASCII alone: ä and Ä stay two."""
    shop.load([("1", "85123a"), ("1", "x"), ("2", "85123A"), ("2", "X"), ("3", "ä"), ("3", "Ä"),
               ("3", "x")], BASKETS)  # fmt: skip
    shop.load([("85123a", "Lantern")], ("item_id", "name"), name="items")
    inputs = {
        "order_lines": {"relation": shop.raw("raw")},
        "items": {"relation": shop.raw("items")},
    }
    rows = similar(shop, EVERY, inputs=inputs, vars={"case_insensitive_items": True})
    found = pairs(rows)
    assert found["85123A", "X"]["pair_baskets"] == 2
    assert found["85123A", "X"]["item_name"] == "Lantern"
    assert {row["item_id"] for row in rows} == {"85123A", "X", "ä", "Ä"}


@pytest.mark.parametrize("how", ["sample", "drop"])
def test_a_large_basket_is_cut(shop: Shop, how: str) -> None:
    """Ten items in one basket with a limit of four; the hash is of the ids, so both engines and
    every run keep the same."""
    small = [(str(n), item) for n in (1, 2) for item in ("i0", "i1")]
    shop.load([*small, *[("big", f"i{n}") for n in range(10)]], BASKETS)
    options = {**EVERY, "max_basket_items": 4, "large_baskets": how}
    rows = similar(shop, options)
    if how == "drop":
        assert {(row["item_id"], row["support"]) for row in rows} == {("i0", 1.0), ("i1", 1.0)}
        assert left_out(shop) == {"basket over 4 items (baskets)": 1}
        said = "1 basket of over 4 items left out (max_basket_items)"
    else:
        # The four smallest md5 of '0:big|<item>', by Python.
        import hashlib

        kept = sorted(
            (f"i{n}" for n in range(10)),
            key=lambda item: hashlib.md5(f"0:big|{item}".encode()).hexdigest()[:13],
        )[:4]
        together = {(a, b) for a in kept for b in kept if a != b} | {("i0", "i1"), ("i1", "i0")}
        assert set(pairs(rows)) == together
        assert left_out(shop) == {"beyond 4 items of a basket (items)": 6}
        said = "1 basket of over 4 items cut to 4, 6 items left out (max_basket_items)"
    assert f"item_similarity: {said}" in shop.said()
    assert similar(shop, options) == rows


def test_cosine_by_customer_equals_implicit(shop: Shop, shared_data: Path) -> None:
    """Online Retail, what each customer ever bought: implicit's CosineRecommender on binary data.
    Its K counts the item itself; where the 20th and 21st are equal, either may be in the list."""
    import pandas as pd
    from implicit import nearest_neighbours as nearest
    from scipy.sparse import csr_matrix

    file = shared_data / "online_retail.parquet"
    # 24 million pairs take PostgreSQL minutes: there one customer in ten.
    some = " and customer_id % 10 = 0" if shop.is_postgres else ""
    frame = duckdb.sql(
        "select distinct cast(customer_id as integer) as customer_id, stock_code as item_id"
        f" from '{file}' where customer_id is not null and quantity > 0{some}"
    ).df()
    shop.load_frame(
        frame.assign(order_id=frame["customer_id"]),
        {"customer_id": "integer", "order_id": "integer", "item_id": "varchar"},
    )
    rows = similar(shop, {**EVERY, "unit": "customer", "measure": "cosine", "top_n": 20})
    customers, _ = pd.factorize(frame["customer_id"])
    items, ids = pd.factorize(frame["item_id"])
    matrix = csr_matrix((np.ones(len(frame)), (customers, items)))
    model = nearest.CosineRecommender(K=21, num_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, show_progress=False)
    found = model.similarity.tocoo()
    expected: dict[str, list[float]] = {}
    for row, column, value in zip(found.row, found.col, found.data, strict=True):
        if row != column:
            expected.setdefault(ids[row], []).append(value)
    lists: dict[str, list[float]] = {}
    for row in rows:
        lists.setdefault(row["item_id"], []).append(row["similarity"])
    assert len(lists) > 2000
    assert lists.keys() == expected.keys()
    for item, values in lists.items():
        assert values == pytest.approx(sorted(expected[item], reverse=True), rel=1e-9), item


def test_planted_affinities_of_the_demo(shop: Shop, tmp_path: Path) -> None:
    """Each item of a planted affinity has its companions among its first three."""
    data = generate_demo(tmp_path)
    frame = duckdb.sql(
        f"select order_no as order_id, sku as item_id from '{data.files['order_lines']}'"
    ).df()
    shop.load_frame(frame, {"order_id": "varchar", "item_id": "varchar"})
    rows = similar(shop, {"top_n": 3}, vars={"not_products": ["SHIPPING"]})
    first_three: dict[str, set[str]] = {}
    for row in rows:
        first_three.setdefault(row["item_id"], set()).add(row["similar_item_id"])
    groups = [group["items"] for group in data.parameters["affinities"]]
    assert len(groups) == 12
    for group in groups:
        for item in group:
            assert set(group) - {item} <= first_three[item]


def generate_demo(folder: Path) -> DemoData:
    with closing(open_engine(DuckDBTarget(path=":memory:"))) as engine:
        return generate(engine, folder / "data", customers=5000, seed=1)


def test_an_own_model_of_the_kind(shop: Shop) -> None:
    """Any SELECT with the columns of item_similarity.sql can be one."""
    shop.load([("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")], BASKETS)
    shop.write()
    models = shop.folder / "sql" / "models"
    models.mkdir(parents=True)
    (models / "pairs_of_mine.sql").write_text(
        "{{ config(materialized='item_similarity', measure='lift') }}\n"
        "select order_id, customer_id, order_date, item_id, item_name, is_recommendable, reason\n"
        "from {{ ref('item_lines') }} as lines\n"
    )
    shop.build("+pairs_of_mine")
    assert [row["similarity"] for row in shop.rows("pairs_of_mine")] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"half_life_days": 30}, "half_life_days needs dates"),
        ({"window_days": 30}, "window_days needs dates"),
        ({"partition_by": ["shop"]}, "partition_by names 'shop'"),
    ],
)
def test_options_that_the_rows_cannot_serve(shop: Shop, options: dict[str, Any], said: str) -> None:
    shop.load([("1", "x"), ("1", "y")], BASKETS)
    shop.write(models={"item_similarity": options})
    assert shop.run("build", "+item_similarity") == 1
    assert said in shop.said()


def test_no_pair_is_no_failure(shop: Shop) -> None:
    shop.load([("1", "x"), ("2", "y")], BASKETS)
    assert similar(shop, {}) == []
