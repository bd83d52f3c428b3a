"""Recommendations and their holdout: by hand, and on real orders against popularity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from shop import Shop

from seg_sql import explain, explain_items, slices
from seg_sql.algorithms import recommendations_holdout
from seg_sql.demo import generate
from seg_sql.engines import open_engine
from seg_sql.errors import SelectionError
from seg_sql.events import Iterated
from seg_sql.profiles import DuckDBTarget, PostgresTarget
from seg_sql.session import Settings

COLUMNS = ("customer_id", "order_id", "ordered_at", "item_id")
# Every pair counts in the lists of similar items.
PAIRS: dict[str, Any] = {"min_item_baskets": 1, "min_pair_baskets": 1}
DAY = "2026-01-10"

# Guests buy a with b twice and with c once; d alone three times; e with f once.
GUESTS = [
    (None, f"g{number}", DAY, item)
    for number, items in enumerate(["ab", "ab", "ac", "d", "d", "d", "ef"])
    for item in items
]


def lists(shop: Shop) -> dict[str, list[tuple[str, str, str | None]]]:
    """Return each customer's list as (item, source, reason)."""
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for row in shop.rows("recommendations", order="customer_id, rank"):
        found.setdefault(row["customer_id"], []).append(
            (row["item_id"], row["source"], row["because_item_id"])
        )
    return found


def recommend(
    shop: Shop, options: Mapping[str, Any], **project: Any
) -> dict[str, list[tuple[str, str, str | None]]]:
    """Build the recommendations of the loaded order lines."""
    shop.write(
        models={"item_similarity": PAIRS, "recommendations": dict(options)},
        **{"vars": {"as_of": "2026-02-01"}, **project},
    )
    shop.build("+recommendations")
    return lists(shop)


def test_lists_by_hand(shop: Shop) -> None:
    """x has a: cosine with b is 2 / sqrt(4 * 2), with c 1 / sqrt(4 * 1), counting x's own order.
    y has b and c, and so a by 2 / sqrt(4 * 3) + 1 / sqrt(4 * 2), and b is the stronger reason.
    What is left is filled by popularity: a 4 orders, b and d 3, c 2, then e and f."""
    own = [("x", "x1", DAY, "a"), ("y", "y1", DAY, "b"), ("y", "y2", DAY, "c")]
    shop.load([*GUESTS, *own], COLUMNS)
    found = recommend(shop, {"top_n": 4, "half_life_days": None})
    assert found == {
        "x": [
            ("b", "similar_items", "a"),
            ("c", "similar_items", "a"),
            ("d", "popularity", None),
            ("e", "popularity", None),
        ],
        "y": [
            ("a", "similar_items", "b"),
            ("d", "popularity", None),
            ("e", "popularity", None),
            ("f", "popularity", None),
        ],
    }
    scores = {
        (row["customer_id"], row["item_id"]): row["score"]
        for row in shop.rows("recommendations", order="customer_id, rank")
    }
    assert scores["x", "b"] == pytest.approx(2 / math.sqrt(4 * 3), abs=1e-9)
    assert scores["y", "a"] == pytest.approx(2 / math.sqrt(4 * 3) + 1 / math.sqrt(4 * 2), abs=1e-9)
    assert scores["x", "d"] == 3


def test_explained(shop: Shop) -> None:
    """The numbers of test_lists_by_hand in words."""
    own = [("x", "x1", DAY, "a"), ("y", "y1", DAY, "b"), ("y", "y2", DAY, "c")]
    shop.load([(*line, 1.0) for line in [*GUESTS, *own]], (*COLUMNS, "amount"))
    shop.load([("b", "Blue cup")], ("item_id", "name"), name="items")
    inputs = {name: {"relation": shop.raw(raw)} for name, raw in
              {"order_lines": "raw", "items": "items"}.items()}  # fmt: skip
    recommend(shop, {"top_n": 4, "half_life_days": None}, inputs=inputs)
    shop.build("orders")
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    said = list(explain.customer(settings, "x", lines=0))
    assert "   1  b (Blue cup): goes with a (score 0.577)" in said
    assert "   3  d: among the most bought, 3 orders" in said
    said = list(explain_items.item(settings, "a"))
    assert said[:2] == ["Item a", "Bought in 4 orders."]
    # 10 orders; a in 4, b in 3, both in 2.
    assert (
        "   1  b (Blue cup): in 2 of them (50%), 1.67 times as often as by chance (cosine 0.577)"
        in said
    )
    assert "  Where these are fewer than 5 baskets, it may be chance." in said
    with pytest.raises(SelectionError, match="No order line has the item 'bb'"):
        list(explain_items.item(settings, "bb"))


@pytest.mark.parametrize(
    ("large", "how"), [("drop", "not"), ("sample", "with a sample of 2")], ids=str
)
def test_explain_says_that_large_baskets_are_cut(shop: Shop, large: str, how: str) -> None:
    """a is bought in seven orders; four of them have five other items, which are more than two."""
    small = [(None, f"s{n}", DAY, item) for n in range(3) for item in "ab"]
    big = [(None, f"l{n}", DAY, item) for n in range(4) for item in "abcdef"]
    others = [(None, f"o{n}", DAY, "z") for n in range(9)]
    shop.load([*small, *big, *others], COLUMNS)
    options = {"max_basket_items": 2, "large_baskets": large}
    shop.write(models={"item_similarity": options})
    shop.build("+item_similarity")
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    said = list(explain_items.item(settings, "a"))
    assert said[1] == "Bought in 7 orders."
    baskets = {
        row["item_id"]: row["item_baskets"] for row in shop.rows("item_similarity", order="rank")
    }["a"]
    assert baskets < 7
    assert said[-1] == (
        f"  A basket of over 2 items counts {how} (max_basket_items), so that the item counts in"
        f" {baskets} of its 7 orders."
    )
    if large == "drop":
        assert baskets == 3


@pytest.mark.parametrize(("ndcg", "warns"), [(0.1, True), (0.2, True), (0.21, False)])
def test_lists_that_do_not_beat_popularity_are_a_warning(ndcg: float, warns: bool) -> None:
    measured = [
        {"metric": metric, "k": 10, "value": value, "baseline": 0.2, "users": 30}
        for metric, value in {"ndcg": ndcg, "recall": 0.3}.items()
    ]
    said = recommendations_holdout._warnings(measured, 10)
    assert [each for each in said if "do not beat the most popular items: ndcg@10" in each] == said
    assert bool(said) == warns


def test_bought_items_by_option(shop: Shop) -> None:
    """With exclude_bought: false what goes with the own items may be an own item."""
    own = [("y", "y1", DAY, "a"), ("y", "y2", DAY, "b")]
    shop.load([*GUESTS, *own], COLUMNS)
    options = {"top_n": 2, "half_life_days": None}
    assert [item for item, *_ in recommend(shop, options)["y"]] == ["c", "d"]
    found = recommend(shop, {**options, "exclude_bought": False})
    assert found["y"] == [("a", "similar_items", "b"), ("b", "similar_items", "a")]


def test_recent_items_count_more(shop: Shop) -> None:
    """x bought e long after a; with a half-life of ten days only what goes with e is left on top."""
    own = [("x", "x1", "2025-06-01", "a"), ("x", "x2", "2026-01-31", "e")]
    shop.load([*GUESTS, *own, (None, "g9", DAY, "a"), (None, "g9", DAY, "b")], COLUMNS)
    old = recommend(shop, {"top_n": 1, "half_life_days": None})
    new = recommend(shop, {"top_n": 1, "half_life_days": 10})
    # Three of four baskets with a have b; e and f are together in one of e's two.
    assert old["x"] == [("b", "similar_items", "a")]
    assert new["x"] == [("f", "similar_items", "e")]
    [row] = shop.rows("recommendations")
    assert row["score"] == pytest.approx(0.5 ** (1 / 10) / math.sqrt(2), abs=1e-9)


def test_customers_without_an_order_get_what_is_popular(shop: Shop) -> None:
    """Whom the input customers alone knows; and no item that is not to be recommended."""
    shop.load([("new",), ("x",)], ("customer_id",), name="customers")
    shop.load([("a", False), ("d", True)], ("item_id", "recommendable"), name="items",
              types={"recommendable": "boolean"})  # fmt: skip
    inputs = {
        "order_lines": {"relation": shop.raw("raw")},
        "customers": {"relation": shop.raw("customers"), "columns": {"customer_id": "customer_id"}},
        "items": {"relation": shop.raw("items")},
    }
    shop.load([*GUESTS, ("x", "x1", DAY, "b")], COLUMNS)
    found = recommend(shop, {"top_n": 3}, inputs=inputs)
    assert found["new"] == [(item, "popularity", None) for item in "bdc"]
    assert found["x"] == [(item, "popularity", None) for item in "dce"]


def test_customers_who_are_alike(shop: Shop) -> None:
    """x shares p and q with y, and q with z: cosine 2 / sqrt(2 * 3) and 1 / sqrt(2 * 2).
    y bought r besides, z bought s; all items but those of one customer tell."""
    own = [("x", "p"), ("x", "q"), ("y", "p"), ("y", "q"), ("y", "r"), ("z", "q"), ("z", "s"),
           ("w", "s"), ("w", "r")]  # fmt: skip
    rows = [(customer, f"{customer}{item}", DAY, item) for customer, item in own]
    options = {"method": "user", "top_n": 2, "half_life_days": None}
    shop.load(rows, COLUMNS)
    found = recommend(shop, options)
    assert found["x"] == [("r", "neighbours", None), ("s", "neighbours", None)]
    scores = [row["score"] for row in shop.rows("recommendations") if row["customer_id"] == "x"]
    assert scores == pytest.approx([2 / math.sqrt(2 * 3), 1 / math.sqrt(2 * 2)], abs=1e-9)


@pytest.mark.parametrize("method", ["similar_items", "user"])
def test_slices_change_no_row(
    tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Lists and metrics of a demo shop, whose customers partly have never bought, are the same in
    one statement and in many."""
    with closing(open_engine(DuckDBTarget(path=":memory:"))) as engine:
        data = generate(engine, tmp_path / "data", customers=200, seed=5)
    frame = duckdb.sql(
        "select customer_id, order_no as order_id, ordered_at, sku as item_id"
        f" from '{data.files['order_lines']}'"
    ).df()
    types = {"customer_id": "varchar", "order_id": "varchar", "ordered_at": "timestamp",
             "item_id": "varchar"}  # fmt: skip
    shop.load_frame(frame, types)
    known = ["C0000001", *(f"new{number}" for number in range(20))]
    shop.load([(customer,) for customer in known], ("customer_id",), name="customers")
    shop.write(
        inputs={
            "order_lines": {"relation": shop.raw("raw")},
            "customers": {"relation": shop.raw("customers")},
        },
        models={
            "item_similarity": PAIRS,
            "recommendations": {"method": method},
            "recommendations_metrics": {"days": 90},
        },
        vars={"as_of": "2026-07-01"},
    )
    found: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = []
    for rows in (slices.ROWS_AT_A_TIME, 1000):
        monkeypatch.setattr(slices, "ROWS_AT_A_TIME", rows)
        shop.build("+recommendations_metrics")
        sliced = {event.name for event in shop.log.of(Iterated)}
        assert sliced == ({"recommendations", "recommendations_metrics"} if found else set())
        found.append(
            (
                shop.rows("recommendations", order="customer_id, rank"),
                shop.rows("recommendations_metrics", order="k, metric"),
            )
        )
    source = "similar_items" if method == "similar_items" else "neighbours"
    assert {row["source"] for row in found[0][0]} == {source, "popularity"}
    assert {row["customer_id"] for row in found[0][0]} >= set(known)
    for one, many in zip(*found, strict=True):
        for column in {"score", "value", "popularity_baseline"} & one[0].keys():
            numbers = [row.pop(column) for row in one]
            assert numbers == pytest.approx([row.pop(column) for row in many], rel=1e-9)
        assert one == many


def test_metrics_by_hand(shop: Shop) -> None:
    """Two customers, lists of two; the last 30 days are held out.

    Before, a goes with b and c (as for the guests), and x has a, y has d. x's list is b, c, y's is
    popularity: a, b (d is his own). Popularity gives x: d, b (b and d have 2 and 4 orders) and y
    the same as the model. Afterwards x buys c and d, y buys b, and z, unknown before, a.
    """
    own = [("x", "x1", DAY, "a"), ("y", "y1", DAY, "d")]
    later = [("x", "x2", "2026-02-10", "c"), ("x", "x3", "2026-02-11", "d"),
             ("x", "x3", "2026-02-11", "a"), ("y", "y2", "2026-02-12", "b"),
             ("z", "z1", "2026-02-12", "a")]  # fmt: skip
    shop.load([*GUESTS, *own, *later], COLUMNS)
    shop.write(
        models={
            "item_similarity": PAIRS,
            "recommendations": {"top_n": 1, "half_life_days": None},
            "recommendations_metrics": {"k": [2], "days": 30},
        },
        vars={"as_of": "2026-03-01"},
    )
    shop.build("+recommendations_metrics")
    found = {
        row["metric"]: (row["value"], row["popularity_baseline"], row["users"], row["k"])
        for row in shop.rows("recommendations_metrics")
    }
    second = 1 / math.log2(3)
    ideal = 1 + second
    # The model: x has c at rank 2 of {c, d}; y has b at rank 2 of {b}.
    # Popularity: x has d at rank 1; y has b at rank 2.
    bits = {item: -math.log2(max(n, 1) / 2) for item, n in {"a": 1, "b": 0, "c": 0, "d": 1}.items()}
    cosine_ab = 2 / math.sqrt(4 * 2)
    expected = {
        "precision": ((1 / 2 + 1 / 2) / 2, (1 / 2 + 1 / 2) / 2),
        "recall": ((1 / 2 + 1) / 2, (1 / 2 + 1) / 2),
        "map": ((1 / 2 / 2 + 1 / 2) / 2, (1 / 2 + 1 / 2) / 2),
        "ndcg": ((second / ideal + second) / 2, (1 / ideal + second) / 2),
        "hit_rate": (1, 1),
        # Of a, b, c, d, e and f.
        "catalogue_coverage": (3 / 6, 3 / 6),
        "novelty": (sum(bits[i] for i in "bcab") / 4, sum(bits[i] for i in "dbab") / 4),
        # b and c never meet; nor do d and b.
        "diversity": (1 - (0 + cosine_ab) / 2, 1 - (0 + cosine_ab) / 2),
    }
    assert found.keys() == expected.keys()
    for metric, (value, baseline) in expected.items():
        assert found[metric] == pytest.approx((value, baseline, 2, 2), abs=1e-9), metric
    # Of two customers chance says whose lists are better.
    assert "cannot be told: only 2 customers bought on both sides" in shop.said()


def test_the_last_order_of_each_customer(shop: Shop) -> None:
    """x's last order is c, for which b, his first, is the reason; y has one order: not measured."""
    own = [("x", "x1", DAY, "a"), ("x", "x2", "2026-01-11", "c"), ("y", "y1", DAY, "d")]
    shop.load([*GUESTS, *own], COLUMNS)
    shop.write(
        models={
            "item_similarity": PAIRS,
            "recommendations_metrics": {"k": [2], "holdout": "last_order"},
        },
    )
    shop.build("+recommendations_metrics")
    found = {row["metric"]: row for row in shop.rows("recommendations_metrics")}
    # The list is b, c: one hit at rank 2. Popularity has d and b.
    assert found["recall"]["value"] == 1
    assert found["ndcg"]["value"] == pytest.approx(1 / math.log2(3), abs=1e-9)
    assert found["recall"]["popularity_baseline"] == 0
    assert found["recall"]["users"] == 1
    assert "warn" not in shop.said()


def test_nobody_to_measure_by(shop: Shop) -> None:
    shop.load([("x", "x1", DAY, "a")], COLUMNS)
    shop.write(vars={"as_of": "2026-02-01"})
    shop.build("+recommendations_metrics")
    assert shop.rows("recommendations_metrics") == []


@pytest.mark.parametrize("method", ["similar_items", "user"])
def test_the_same_rows_on_both_engines(
    tmp_path: Path, duckdb_target: DuckDBTarget, postgres_target: PostgresTarget, method: str
) -> None:
    """A demo shop of 400 customers, everything weighted by age: ids, texts and ranks are equal,
    floats to 1e-9."""
    with closing(open_engine(DuckDBTarget(path=":memory:"))) as engine:
        data = generate(engine, tmp_path / "data", customers=400, seed=3)
    frame = duckdb.sql(
        "select customer_id, order_no as order_id, ordered_at, sku as item_id,"
        f" cast(quantity as integer) as quantity, unit_price from '{data.files['order_lines']}'"
    ).df()
    types = {"customer_id": "varchar", "order_id": "varchar", "ordered_at": "timestamp",
             "item_id": "varchar", "quantity": "integer", "unit_price": "double precision"}  # fmt: skip
    found: list[dict[str, list[dict[str, Any]]]] = []
    for target in (duckdb_target, postgres_target):
        shop = Shop(tmp_path / type(target).__name__, target)
        shop.load_frame(frame, types)
        shop.write(
            models={
                "item_similarity": {"measure": "root_llr", "half_life_days": 200, "top_n": 10},
                "recommendations": {"method": method},
                "recommendations_metrics": {"days": 90},
            },
            vars={"not_products": ["SHIPPING"], "as_of": "2026-07-01"},
        )
        shop.build("+recommendations_metrics")
        found.append(
            {
                "item_similarity": shop.rows("item_similarity", order="item_id, rank"),
                "item_similarity_exclusions": shop.rows("item_similarity_exclusions"),
                "recommendations": shop.rows("recommendations", order="customer_id, rank"),
                "recommendations_metrics": shop.rows("recommendations_metrics"),
            }
        )
    one, other = found
    for name, rows in one.items():
        assert len(rows) == len(other[name]) > 0, name
        rows.sort(key=lambda row: str(list(row.values())[:4]))
        other[name].sort(key=lambda row: str(list(row.values())[:4]))
        for mine, theirs in zip(rows, other[name], strict=True):
            numbers = {key for key, value in mine.items() if isinstance(value, float)}
            assert {k: v for k, v in mine.items() if k not in numbers} == {
                k: v for k, v in theirs.items() if k not in numbers
            }, name
            assert {key: theirs[key] for key in numbers} == pytest.approx(
                {key: mine[key] for key in numbers}, rel=1e-9, abs=1e-9
            ), name


def test_online_retail_beats_popularity(shop: Shop, shared_data: Path, capsys: Any) -> None:
    """The last 30 days held out; the default options."""
    file = shared_data / "online_retail.parquet"
    # PostgreSQL with one customer in ten, so that the test is quick.
    some = "and customer_id % 10 = 0" if shop.is_postgres else ""
    frame = duckdb.sql(
        f"""
        select cast(cast(customer_id as integer) as varchar) as customer_id,
            invoice_no as order_id, invoice_date as ordered_at, stock_code as item_id,
            cast(quantity as integer) as quantity, unit_price
        from '{file}' where customer_id is not null {some}
        """
    ).df()
    shop.load_frame(
        frame,
        {
            "customer_id": "varchar", "order_id": "varchar", "ordered_at": "timestamp",
            "item_id": "varchar", "quantity": "integer", "unit_price": "double precision",
        },
    )  # fmt: skip
    shop.write(vars={"not_products": ["POST", "D", "M", "C2", "DOT", "BANK CHARGES", "CRUK"]})
    shop.build("+recommendations_metrics")
    found = {row["metric"]: row for row in shop.rows("recommendations_metrics") if row["k"] == 10}
    for metric in ("recall", "ndcg"):
        value, baseline = found[metric]["value"], found[metric]["popularity_baseline"]
        with capsys.disabled():
            print(f"\n{metric}@10 {value:.4f}, popularity {baseline:.4f}")
        assert value > baseline
