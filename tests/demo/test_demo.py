"""The demo's data: the same every time, with every order, line and fault as it is counted."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from demo_shop import CUSTOMERS, ERRORS, TRUTH, Shop, in_memory
from scipy import stats

from seg_sql.demo import generate

# Reproducible


def content(folder: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Return every row of every file in its order, and the text of true_parameters.yml."""
    engine = in_memory(threads)
    data = generate(engine, folder, customers=1500, seed=seed)
    rows = {name: engine.fetch(f"select * from '{path}'").rows for name, path in data.files.items()}
    engine.close()
    return {**rows, "truth": (folder / "true_parameters.yml").read_text()}


def test_a_seed_gives_the_same_rows_in_the_same_order_with_any_number_of_threads(
    tmp_path: Path,
) -> None:
    first = content(tmp_path / "first", threads=1, seed=7)
    assert content(tmp_path / "again", threads=1, seed=7) == first
    assert content(tmp_path / "threads", threads=4, seed=7) == first


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    one = content(tmp_path / "one", threads=2, seed=1)
    two = content(tmp_path / "two", threads=2, seed=2)
    assert one["items"] == two["items"]  # the catalogue is not drawn
    assert not set(one["order_lines"]) & set(two["order_lines"])


# The random numbers


@pytest.mark.parametrize("step", [1, 128, 512, 1024], ids=lambda step: f"ids {step} apart")
def test_uniform_numbers_are_uniform_and_independent(shop: Shop, step: int) -> None:
    # The ids that the statements hash are `step` apart: buyers, draws, lines and purchases.
    rows = shop.rows(
        f"select uniform('one', i * {step}), uniform('two', i * {step})"
        " from range(200000) as listed (i)"
    )
    one, two = np.array(rows).T
    assert one.min() > 0 and one.max() < 1
    assert stats.chisquare(np.histogram(one, 200, (0, 1))[0]).pvalue > 1e-4
    for left, right in ((one[:-1], one[1:]), (one, two)):
        cells = np.histogram2d(left[::2], right[::2], 20, [[0, 1], [0, 1]])[0]
        assert stats.chisquare(cells.ravel()).pvalue > 1e-4


@pytest.mark.parametrize("shape", [TRUTH.r, TRUTH.a, 1.0, TRUTH.q, TRUTH.p, TRUTH.b])
def test_gamma_numbers_have_the_moments_and_the_distribution(shop: Shop, shape: float) -> None:
    n = 200_000
    drawn = shop.column(f"select gamma('test', i, {shape}) from range({n}) as listed (i)")
    # Gamma(shape, 1): mean and variance are the shape, the fourth central moment 3 shape^2 + 6
    # shape, so the sample variance has the variance (2 shape^2 + 6 shape) / n.
    assert abs(drawn.mean() - shape) < ERRORS * math.sqrt(shape / n)
    assert abs(drawn.var() - shape) < ERRORS * math.sqrt((2 * shape**2 + 6 * shape) / n)
    assert stats.kstest(drawn, "gamma", args=(shape,)).pvalue > 1e-4


def test_the_chance_to_leave_is_beta_distributed(shop: Shop) -> None:
    drawn = shop.column("select dropout from buyers")
    expected = stats.beta(TRUTH.a, TRUTH.b)
    variance = expected.var()
    fourth = float(expected.stats("k")) * variance**2 + 2 * variance**2
    assert abs(drawn.mean() - expected.mean()) < ERRORS * math.sqrt(variance / len(drawn))
    assert abs(drawn.var() - variance) < ERRORS * math.sqrt(fourth / len(drawn))
    assert stats.kstest(drawn, expected.cdf).pvalue > 1e-4


def test_popularity_falls_as_one_over_the_rank(shop: Shop) -> None:
    n = 200_000
    drawn = shop.column(f"select popular_item('test', i) from range({n}) as listed (i)")
    # P(rank <= k) = ln(1 + k / 4) / ln(101), as popular_item.sql says.
    expected = n * np.diff(np.log1p(np.arange(401) / 4)) / math.log(101)
    assert stats.chisquare(np.bincount(drawn, minlength=401)[1:], expected).pvalue > 1e-4


def test_arrivals_follow_the_seasons(shop: Shop) -> None:
    days = [TRUTH.first_day + timedelta(n) for n in range(730)]
    assert days[-1] == TRUTH.last_day
    # The weights that calendar.sql describes.
    weights = np.array(
        [
            (1 + TRUTH.yearly_growth * n / 365)
            * (
                1
                + TRUTH.yearly_swing * math.cos(2 * math.pi * (day.timetuple().tm_yday - 330) / 365)
            )
            * (TRUTH.weekend_factor if day.isoweekday() >= 6 else 1)
            for n, day in enumerate(days)
        ]
    )
    first_days = dict(shop.rows("select first_day, count(*) from buyers group by 1"))
    for key in (lambda day: (day.year, day.month), lambda day: day.isoweekday()):
        groups = sorted({key(day) for day in days})
        place = np.array([groups.index(key(day)) for day in days])
        observed = np.bincount(place, [first_days.get(day, 0) for day in days])
        expected = np.bincount(place, weights) / weights.sum() * observed.sum()
        assert stats.chisquare(observed, expected).pvalue > 1e-4


def test_a_customer_buys_at_most_once_a_day_and_within_the_dates(shop: Shop) -> None:
    # Else counting days, as the customer summary does, would find fewer purchases than there are.
    [(purchases, days, first, last)] = shop.rows(
        """
        select count(distinct order_no), count(distinct (customer_id, ordered_at::date)),
            min(ordered_at::date), max(ordered_at::date)
        from {order_lines}
        where customer_id <> 'GUEST' and order_no not like 'R%'
        """
    )
    assert purchases == days > 0
    assert (first, last) == (TRUTH.first_day, TRUTH.last_day)


# Orders, items and faults


def test_lines_add_up_to_the_value_of_their_order(shop: Shop) -> None:
    rows = shop.rows(
        """
        select orders.fault, orders.refund, orders.order_value,
            round(sum(lines.quantity * lines.unit_price), 2)
        from {order_lines} as lines
        inner join orders on orders.order_no = lines.order_no
        group by lines.order_no, orders.fault, orders.refund, orders.order_value
        """
    )
    kinds = {(fault, refund): 0 for fault, refund, _, _ in rows}
    for fault, refund, value, total in rows:
        kinds[fault, refund] += 1
        if refund == "whole order":
            assert total == -value
        elif refund == "dearest item":
            assert -value <= total < 0
        elif fault == "no price":
            assert total is None or total < value
        elif fault == "duplicate":
            assert total > value
        else:
            assert total == value
    # Every case above was there.
    assert set(kinds) == {
        (None, None),
        ("no item", None),
        ("no price", None),
        ("duplicate", None),
        (None, "whole order"),
        (None, "dearest item"),
    }
    assert sum(kinds.values()) == len(rows) == shop.rows("select count(*) from orders")[0][0]


def test_the_counts_of_the_faults_are_those_of_the_files(shop: Shop) -> None:
    found = shop.engine.fetch(
        """
        select
            count(*) as order_lines,
            count(distinct order_no) filter (where order_no not like 'R%') as orders,
            count(distinct order_no) filter (
                where order_no not like 'R%' and coalesce(customer_id, 'GUEST') = 'GUEST'
            ) as guest_orders,
            count(distinct order_no) filter (
                where order_no not like 'R%' and customer_id = 'GUEST'
            ) as guest_orders_with_id,
            count(distinct order_no) filter (where order_no like 'R%') as refund_orders,
            count(*) filter (where quantity < 0) as refund_lines,
            count(*) filter (where sku is null) as lines_without_item,
            count(*) filter (where unit_price is null) as lines_without_price,
            count(*) - (select count(*) from (select distinct * from '{0}')) as duplicate_lines
        from '{0}'
        """.format(shop.data.files["order_lines"])
    ).dicts()[0]
    counts = shop.data.parameters["counts"]
    assert {name: counts[name] for name in found} == found
    assert all(found.values())
    assert counts["customers"] == CUSTOMERS == shop.rows("select count(*) from {customers}")[0][0]
    assert counts["items"] == shop.rows("select count(*) from {items}")[0][0] == 401


def test_the_faults_come_as_often_as_their_shares_say(shop: Shop) -> None:
    counts = shop.data.parameters["counts"]
    orders = counts["orders"]
    for name, share in {
        "lines_without_item": TRUTH.no_item_share,
        "lines_without_price": TRUTH.no_price_share,
        "duplicate_lines": TRUTH.duplicate_share,
    }.items():
        assert abs(counts[name] - orders * share) < ERRORS * math.sqrt(orders * share)
    # A refund that would come after the last day is missing: a few of a hundred.
    assert 0.016 < counts["refund_orders"] / orders < 0.024
    assert counts["guest_orders"] == CUSTOMERS * TRUTH.guests_per_customer
    assert 0.0025 < counts["duplicate_lines"] / counts["order_lines"] < 0.0035


def test_some_customers_have_everything_refunded(shop: Shop) -> None:
    net = shop.rows(
        """
        select buyers.buyer, round(sum(lines.quantity * lines.unit_price), 2)
        from buyers
        inner join {order_lines} as lines on lines.customer_id = buyers.customer_id
        where buyers.returns_all and buyers.buyer not in (
            -- The last refunds may be still to come, and faults are not refunded.
            select purchase // 1024 from orders
            where fault is not null or (refund is null and ordered_at > date '2026-06-09')
        )
        group by 1
        """
    )
    assert len(net) > 5
    assert {total for _, total in net} == {0.0}
    assert shop.data.parameters["counts"]["customers_returning_all"] >= len(net)


def test_planted_affinities_are_bought_together_and_others_are_not(shop: Shop) -> None:
    baskets: dict[str, set[str]] = {}
    for order, sku in shop.rows(
        "select order_no, sku from {order_lines} where quantity > 0 and sku is not null"
    ):
        baskets.setdefault(order, set()).add(sku)
    alone: dict[str, int] = {}
    together: dict[tuple[str, str], int] = {}
    for basket in baskets.values():
        for sku in basket:
            alone[sku] = alone.get(sku, 0) + 1
        for pair in itertools.combinations(sorted(basket), 2):
            together[pair] = together.get(pair, 0) + 1

    groups = [set(group["items"]) for group in shop.data.parameters["affinities"]]
    assert len(groups) == 12 and len(set().union(*groups)) == sum(map(len, groups))
    named = dict(shop.rows("select sku, name from {items}"))
    for group in shop.data.parameters["affinities"]:
        assert [named[sku] for sku in group["items"]] == group["names"]

    planted = {pair for group in groups for pair in itertools.combinations(sorted(group), 2)}
    lift = {
        pair: together.get(pair, 0) * len(baskets) / (alone[pair[0]] * alone[pair[1]])
        for pair in planted
    }
    assert min(lift.values()) > 3
    # All other pairs together are bought about as often as chance has it; a little more often,
    # because a large order has more of every pair.
    others = [pair for pair in itertools.combinations(sorted(alone), 2) if pair not in planted]
    observed = sum(together.get(pair, 0) for pair in others)
    expected = sum(alone[one] * alone[two] for one, two in others) / len(baskets)
    assert 0.8 < observed / expected < 2


def test_another_colour_is_that_of_the_same_product(shop: Shop) -> None:
    named = dict(shop.rows("select item_number, name from items where is_product"))
    recoloured = shop.rows(
        "select item_number, colour, in_colour(item_number, colour) from items, range(10) as c (colour)"
        " where is_product"
    )
    colours: dict[int, set[str]] = {}
    for item, colour, other in recoloured:
        product, _, name = named[other].rpartition(" ")
        assert named[item].rpartition(" ")[0] == product
        colours.setdefault(colour, set()).add(name)
    # Ten numbers, ten colours, each of one number.
    assert sorted(map(len, colours.values())) == [1] * 10
    assert len(set().union(*colours.values())) == 10


def test_customers_buy_in_the_colour_that_they_like(shop: Shop) -> None:
    # Of the draws the share of taste is changed to the customer's colour; one in ten of the others
    # has it by chance, whatever the popularity of the items, as the colours are drawn evenly.
    liked = shop.column(
        """
        select item_numbers[1] = in_colour(item_numbers[1], colour_number)
        from baskets
        where draws = 1 and len(companion_items) = 0
        """
    )
    expected = TRUTH.taste_share + (1 - TRUTH.taste_share) / 10
    assert len(liked) > 5000
    assert abs(liked.mean() - expected) < ERRORS * math.sqrt(expected * (1 - expected) / len(liked))


def test_the_catalogue_can_be_sold(shop: Shop) -> None:
    rows = shop.rows("select sku, name, category, list_price, is_product from {items}")
    assert len({row[0] for row in rows}) == len({row[1] for row in rows}) == 401
    assert [row[0] for row in rows if not row[4]] == ["SHIPPING"]
    assert all(row[2] and row[3] > 0 for row in rows)
    sold = shop.rows("select distinct sku from {order_lines} where sku is not null")
    assert {row[0] for row in sold} <= {row[0] for row in rows}
    assert shop.rows(
        "select count(*) from {order_lines} where unit_price <= 0 or quantity = 0"
    ) == [(0,)]


def test_the_customers_of_the_orders_are_the_table_of_customers(shop: Shop) -> None:
    assert shop.rows(
        """
        select count(*), count(distinct customers.customer_id), count(lines.customer_id),
            min(lines.first_day - customers.signed_up), max(lines.first_day - customers.signed_up)
        from {customers} as customers
        full join (
            select customer_id, min(ordered_at::date) as first_day, any_value(country) as country
            from {order_lines}
            where customer_id <> 'GUEST'
            group by 1
        ) as lines
            on lines.customer_id = customers.customer_id and lines.country = customers.country
        """
    ) == [(CUSTOMERS, CUSTOMERS, CUSTOMERS, 0, 13)]
