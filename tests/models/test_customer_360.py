"""The wide table, by hand; what other models say of a customer is pinned by tables of theirs."""

from __future__ import annotations

import datetime

import pytest
from shop import Shop, by

from seg_sql.errors import ParseError
from seg_sql.project import load_project
from seg_sql.workspace import Workspace

# Ann buys for 10 and 20 and sends back for 5; Bob buys for 7; Rex only sends back.
LINES = [
    ("ann", "1", "2026-01-10 10:00:00", "mug", 2, 5.0),
    ("ann", "2", "2026-02-01 10:00:00", "cup", 4, 5.0),
    ("ann", "3", "2026-02-05 10:00:00", "cup", -1, 5.0),
    ("bob", "4", "2026-01-20 10:00:00", "mug", 1, 7.0),
    ("rex", "5", "2026-01-15 10:00:00", "mug", -1, 3.0),
]
# What other models published, by hand.
BUILT = {
    "clv": """
        select 'ann' as customer_id, cast(0.75 as double precision) as p_alive,
            cast(1.5 as double precision) as expected_orders,
            cast(30 as double precision) as clv, 1 as clv_decile""",
    "customer_clusters": """
        select 'bob' as customer_id, 2 as cluster_id, 'recent' as cluster_label""",
    "recommendations": """
        select customer_id, rank, item_id, item_name
        from (values
            ('ann', 2, 'cup', 'A cup'), ('ann', 1, 'pot', 'A pot'), ('eve', 1, 'cup', 'A cup')
        ) as given (customer_id, rank, item_id, item_name)""",
    "customer_segment_history": """
        select cast(as_of as date) as as_of, cast(source as text) as source,
            cast(customer_id as varchar) as customer_id, cast(segment as text) as segment
        from (values
            ('2026-01-01', 'rfm', 'ann', 'Oldest'),
            ('2026-02-01', 'rfm', 'ann', 'Before'),
            ('2026-02-01', 'customer_lifecycle', 'ann', 'new'),
            ('2026-03-01', 'rfm', 'ann', 'Now'),
            ('2026-04-01', 'rfm', 'ann', 'Later'),
            ('2026-01-01', 'rfm', 'bob', 'Oldest')
        ) as given (as_of, source, customer_id, segment)""",
}
DAY = datetime.date


def write_models(shop: Shop, models: dict[str, str]) -> None:
    folder = shop.folder / "sql" / "models"
    folder.mkdir(parents=True)
    for name, sql in models.items():
        (folder / f"{name}.sql").write_text(sql)


def test_every_part_by_hand(shop: Shop) -> None:
    """One row a customer with a purchase; joins add none; taken names get a prefix."""
    shop.load(LINES)
    shop.load(
        [
            ("ann", "2026-01-01", "Oslo", "b"),
            ("ann", "2025-12-01", "Rome", "a"),
            ("rex", None, "Bonn", "c"),
        ],
        ("customer_id", "first_order_date", "city", "segment"),
        name="customers",
        types={"first_order_date": "date"},
    )
    shop.write(
        inputs={
            "order_lines": {"relation": shop.raw("raw")},
            "customers": {
                "relation": shop.raw("customers"),
                "columns": {"customer_id": "customer_id", "first_order_date": "first_order_date"},
                "attributes": ["city", "segment"],
            },
        },
        vars={"as_of": "2026-03-01"},
    )
    with shop.engine() as engine:
        for name, sql in BUILT.items():
            engine.execute(f"create table {engine.relation(name)} as {sql}")
            engine.execute(f"comment on table {engine.relation(name)} is 'seg-sql:shop:{name}'")
    shop.build("+rfm", "+customer_lifecycle", "customer_360")
    rows, rfm = by(shop.rows("customer_360"), "customer_id"), by(shop.rows("rfm"), "customer_id")
    stages = by(shop.rows("customer_lifecycle"), "customer_id")
    assert set(rows) == {"ann", "bob"}
    ann, bob = rows["ann"], rows["bob"]
    assert dict(ann) == {
        "customer_id": "ann",
        "as_of": DAY(2026, 3, 1),
        "first_order_date": DAY(2025, 12, 1),  # as the input customers knows
        "last_order_date": DAY(2026, 2, 1),  # the refund is no purchase
        "orders": 2,
        "revenue": 25.0,  # 10 + 20 - 5
        "avg_order_value": 12.5,
        "days_since_last": 28,
        "rfm_code": rfm["ann"]["rfm_code"],
        "segment": rfm["ann"]["segment"],
        "previous_segment": "Before",
        "lifecycle_stage": stages["ann"]["stage"],
        "p_alive": 0.75,
        "expected_orders": 1.5,
        "clv": 30.0,
        "clv_decile": 1,
        "cluster_id": None,
        "cluster_label": None,
        "top_item_id": "pot",
        "top_item_name": "A pot",
        "city": "Rome",
        "customer_segment": "a",
    }
    assert (bob["first_order_date"], bob["orders"], bob["revenue"]) == (DAY(2026, 1, 20), 1, 7.0)
    assert (bob["days_since_last"], bob["cluster_id"], bob["cluster_label"]) == (40, 2, "recent")
    # Bob is not in the history of the last as_of before: the one of January does not count.
    for column in ("previous_segment", "p_alive", "clv_decile", "top_item_id", "city"):
        assert bob[column] is None, column


def test_absent_models_are_typed_nulls(shop: Shop) -> None:
    """Without items and with the other models switched off, the columns are there and empty."""
    shop.load(
        [(c, o, day, q * p) for c, o, day, _, q, p in LINES],
        ("customer_id", "order_id", "ordered_at", "amount"),
    )
    others = ["rfm", "customer_lifecycle", "customer_clusters", "clv", "customer_segment_history"]
    off = {name: {"enabled": False} for name in others}
    shop.write(vars={"as_of": "2026-03-01"}, models=off)
    shop.build("+customer_360")
    rows = by(shop.rows("customer_360"), "customer_id")
    assert [rows["ann"]["orders"], rows["ann"]["revenue"]] == [2, 25.0]
    empty = [column for column, value in rows["ann"].items() if value is None]
    assert empty == [
        "rfm_code", "segment", "previous_segment", "lifecycle_stage", "p_alive", "expected_orders",
        "clv", "clv_decile", "cluster_id", "cluster_label", "top_item_id", "top_item_name",
    ]  # fmt: skip
    with shop.engine() as engine:
        found = engine.describe(f"select * from {engine.relation('customer_360')}")
    kinds = {column.name: column.kind for column in found}
    assert [kinds[name] for name in empty] == [
        *["text"] * 4, *["number"] * 5, "text", "text", "text"
    ]  # fmt: skip


def test_what_has_model_says(duckdb_shop: Shop) -> None:
    """A model is there when it is enabled, its columns are mapped, and so for all it reads."""
    shop = duckdb_shop
    lines = {
        "relation": "raw",
        "columns": {"customer_id": "c", "ordered_at": "t", "order_id": "o", "item_id": "i"},
    }
    shop.write(inputs={"order_lines": lines})
    write_models(shop, {"mine": "select 1 as one from {{ ref('rfm') }}", "off": "select 1 as one"})
    workspace = Workspace(load_project(shop.folder), None)
    assert not workspace.has_model("rfm")  # no amount is mapped
    assert not workspace.has_model("mine")  # it reads rfm
    assert not workspace.has_model("nothing_of_the_kind")
    assert not workspace.has_model("customer_merges")  # about an input that is not there
    shop.write(models={"off": {"enabled": False}})
    workspace = Workspace(load_project(shop.folder), None)
    assert workspace.has_model("rfm") and workspace.has_model("mine")
    assert workspace.has_model("customer_clusters_profile")
    assert not workspace.has_model("off")


def test_a_circle_of_questions_is_an_error(duckdb_shop: Shop) -> None:
    shop = duckdb_shop
    shop.write()
    write_models(
        shop,
        {
            "hen": "select {{ 1 if has_model('egg') else 0 }} as one",
            "egg": "select one from {{ ref('hen') }}\n-- {{ has_model('hen') }}",
        },
    )
    with pytest.raises(ParseError, match=r"egg asks has_model\(\) of a model that reads it"):
        _ = Workspace(load_project(shop.folder), None).nodes
