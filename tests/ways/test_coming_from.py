"""docs/coming-from.md: every block runs, and both sides of a pair come to the same result."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from.md").read_text("utf-8")
ITEMS = ["tea", "mug", "pot", "tray", "spoon", "sugar"]


def blocks(section: str) -> tuple[str, str]:
    """Return the two blocks of a section: theirs and ours."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    theirs, ours = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return theirs, ours


def run(block: str, **given: Any) -> dict[str, Any]:
    names = dict(given)
    # What the other libraries warn of is theirs.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(block, "coming-from.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def orders() -> pandas.DataFrame:
    """Orders of 700 customers who buy and leave as the BG/NBD model says, seed 3."""
    draws = numpy.random.default_rng(3)
    rows = []
    for customer in range(700):
        rate, leaves = draws.gamma(0.8, 1 / 25.0), draws.beta(1.0, 2.5)
        day = draws.integers(0, 180)
        worth = 20 * draws.gamma(4.0) / draws.gamma(4.0)
        while day < 364:
            rows.append((f"c{customer:03}", int(day), round(worth * draws.gamma(6.0) / 6, 2) + 1))
            if draws.random() < leaves:
                break
            day += 1 + draws.exponential(1 / rate)
    frame = pandas.DataFrame(rows, columns=["customer_id", "day", "amount"])
    frame["ordered_at"] = pandas.Timestamp("2025-07-01") + pandas.to_timedelta(frame["day"], "D")
    frame["order_id"] = [f"o{n}" for n in range(len(frame))]
    # Each customer leans to one item, so that some items go together.
    lean = frame["customer_id"].str[1:].astype(int) % 4
    frame["item_id"] = [
        ITEMS[int((a + b) % 6)] for a, b in zip(lean, draws.poisson(0.7, len(frame)), strict=True)
    ]
    return frame.drop(columns="day")


def test_lifetimes(orders: pandas.DataFrame):
    theirs_block, ours_block = blocks("lifetimes")
    ours = run(ours_block, orders=orders)
    assert len(ours["customers"]) == orders["customer_id"].nunique()
    pytest.importorskip("lifetimes")
    theirs = run(theirs_block, orders=orders)

    # The summary is the same to the digit.
    mine = ours["summary"].set_index("customer_id").sort_index()
    known = theirs["summary"].sort_index()
    assert (mine["frequency"] == known["frequency"]).all()
    assert (mine["recency"] == known["recency"]).all()
    assert (mine["age"] == known["T"]).all()
    repeated = known["frequency"] > 0
    assert mine.loc[repeated, "monetary_value"].to_numpy(float) == pytest.approx(
        known.loc[repeated, "monetary_value"].to_numpy(), rel=1e-9
    )
    # The parameters agree as far as its optimiser goes.
    full = ours["parameters"].query("fit == 'full' and model == 'bg_nbd'")
    fitted = full.set_index("parameter")["estimate"]
    for name in ("r", "alpha", "a", "b"):
        assert fitted[name] == pytest.approx(theirs["parameters"][name], rel=1e-2), name
    scored = ours["customers"].set_index("customer_id").sort_index()
    for name, absolute in (("p_alive", 2e-3), ("expected_orders", 1e-2)):
        values = pandas.Series(numpy.asarray(theirs[name]), index=theirs["summary"].index)
        assert scored[name].to_numpy(float) == pytest.approx(
            values.sort_index().to_numpy(), rel=1e-2, abs=absolute
        ), name
    expected = theirs["expected_value"].sort_index()
    assert scored.loc[expected.index, "expected_order_value"].to_numpy(float) == pytest.approx(
        expected.to_numpy(), rel=1e-2
    )


def test_scikit_learn():
    draws = numpy.random.default_rng(5)
    centers = [(10, 20, 900), (120, 5, 150), (300, 1, 30)]
    rows = [
        (day + draws.integers(0, 9), count + draws.integers(0, 3), money + draws.uniform(0, 20))
        for (day, count, money), size in zip(centers, (60, 40, 30), strict=True)
        for _ in range(size)
    ]
    customers = pandas.DataFrame(rows, columns=["recency_days", "frequency", "monetary"])
    customers["customer_id"] = [f"c{n:03}" for n in range(len(customers))]
    others = pandas.DataFrame([(5, 20, 900.0)], columns=["recency_days", "frequency", "monetary"])
    theirs_block, ours_block = blocks("scikit-learn")
    ours = run(ours_block, customers=customers)
    theirs = run(theirs_block, customers=customers, others=others)

    labels = ours["labels"].sort_values("customer_id")["cluster_id"].to_numpy()
    pairs = set(zip(labels, theirs["labels"], strict=True))
    assert len(pairs) == 3  # the same groups, under other numbers
    number = {their: mine for mine, their in pairs}
    centroids = ours["centroids"].set_index(["cluster_id", "feature"])["value"]
    for their, values in enumerate(theirs["centroids"]):
        for feature, value in zip(theirs["features"], values, strict=True):
            assert centroids[number[their], feature] == pytest.approx(value, rel=1e-8)
    assert ours["predicted"]["cluster_id"].tolist() == [number[theirs["predicted"][0]]]


def test_implicit(orders: pandas.DataFrame):
    theirs_block, ours_block = blocks("implicit")
    ours = run(ours_block, orders=orders)["similar"]
    assert set(ours.index) == set(ITEMS) - {"tea"}
    pytest.importorskip("implicit")
    theirs = run(theirs_block, orders=orders)["similar"]

    assert theirs.pop("tea") == pytest.approx(1)
    for item, score in theirs.items():
        # It counts in single precision.
        assert ours[item] == pytest.approx(score, rel=1e-6), item
