"""What explain says of customers and items that models leave out, and of models that are not built."""

from __future__ import annotations

import pytest
from shop import Shop

from seg_sql import explain, explain_items
from seg_sql.errors import SelectionError
from seg_sql.session import Settings

COLUMNS = ("customer_id", "order_id", "ordered_at", "item_id", "amount")
LINES = [
    ("K1", "1", "2026-01-05", "mug", 5.0),
    ("K1", "1", "2026-01-05", "Post", 2.0),
    ("K2", "2", "2026-01-06", "cup", 3.0),
    ("K10", "3", "2026-01-07", "mug", 5.0),
    ("K9", "4", "2999-01-01", "mug", 5.0),
]


@pytest.fixture
def settings(shop: Shop) -> Settings:
    shop.load(LINES, COLUMNS, types={"ordered_at": "timestamp"})
    shop.write(vars={"not_products": ["Post"]})
    shop.build("+rfm", "+item_similarity")
    return Settings(project_dir=shop.folder, profiles_dir=shop.folder)


def test_what_is_not_built_is_said(settings: Settings) -> None:
    said = list(explain.customer(settings, "K1", lines=0))
    assert said[said.index("Lifecycle: not built.") - 1 :] == [
        "",
        "Lifecycle: not built.",
        "",
        "Cluster: not built.",
        "",
        "Lifetime value: not built.",
        "",
        "Recommendations: not built.",
    ]


@pytest.mark.parametrize(("method", "until"), [("historic", " so far"), ("average", "")])
def test_a_value_without_a_forecast_has_no_end(
    shop: Shop, settings: Settings, method: str, until: str
) -> None:
    """K1 spent 7."""
    shop.write(vars={"not_products": ["Post"]}, models={"clv": {"method": method}})
    shop.run("run", "+clv")
    said = next(line for line in explain.customer(settings, "K1", lines=0) if "Lifetime" in line)
    value = 7 if method == "historic" else 0
    assert said.startswith(f"Lifetime value{until}: {value:.2f}, in tenth ")


def test_what_is_switched_off_is_not_missed(shop: Shop, settings: Settings) -> None:
    off = ("clv", "customer_clusters", "recommendations", "customer_lifecycle")
    shop.write(models={name: {"enabled": False} for name in off})
    assert not [line for line in explain.customer(settings, "K1", lines=0) if "not built" in line]


def test_a_customer_of_the_future(settings: Settings) -> None:
    """as_of is 2026-01-08: no model can know of an order of 2999."""
    assert list(explain.customer(settings, "K9", lines=0))[-1] == (
        "Orders: none before 2026-01-08 is left after the lines were checked, so that no model"
        " knows this customer."
    )


def test_an_item_that_is_no_product(settings: Settings) -> None:
    assert list(explain_items.item(settings, "Post")) == [
        "Item Post",
        "It is no product, by is_product of the input items or by the var not_products: its lines"
        " (1) count for money, and no item goes with it.",
    ]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("k1", "Customers with a similar id: K1, K10"),  # of equal letters first
        ("00K10.0", "Customers with a similar id: K10"),
        ("K11", "Customers with a similar id: K1, K10"),
        ("k10", "Customers with a similar id: K10"),
    ],
)
def test_an_id_that_is_written_otherwise(settings: Settings, given: str, hint: str) -> None:
    with pytest.raises(SelectionError) as caught:
        list(explain.customer(settings, given, lines=0))
    assert caught.value.hint == hint


def test_an_item_that_is_written_otherwise(settings: Settings) -> None:
    with pytest.raises(SelectionError) as caught:
        list(explain_items.item(settings, "MUG"))
    assert caught.value.hint == "Items with a similar id: mug"
