"""Online Retail month by month: the history, and why customers moved, against pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from build_shop import BuildShop
from online_retail import RECIPE
from retail import cuts, load_retail, measures, orders_of, recipe, segments, write_retail

FROM, TO = "2011-10-01", "2011-11-01"


@pytest.fixture
def retail(shop: BuildShop, shared_data: Path) -> pd.DataFrame:
    """The lines of Online Retail, loaded into the shop."""
    return load_retail(shop, shared_data)


def expected_moves(lines: pd.DataFrame, map_name: str) -> pd.DataFrame:
    """Return every customer of either day with both segments and the reason, by pandas."""
    orders = orders_of(lines)
    before, after = measures(orders, FROM), measures(orders, TO)
    moves = pd.DataFrame(
        {
            "from": segments(before, cuts(before), map_name),
            "to": segments(after, cuts(after), map_name),
            "unmoved": segments(after, cuts(before), map_name),
        }
    )
    between = orders[(orders["day"] >= FROM) & (orders["day"] < TO)]
    bought = set(between[between["bought"]]["customer_id"])
    refunded = set(between["customer_id"]) - bought

    def reason(row: pd.Series) -> str:
        if pd.isna(row["from"]):
            return "new"
        if pd.isna(row["to"]):
            return "gone"
        if row["from"] == row["to"]:
            return "stayed"
        if row.name in bought:
            return "bought"
        if row.name in refunded:
            return "refunded"
        return "cut_points" if row["unmoved"] == row["from"] else "aged"

    moves["reason"] = moves.apply(reason, axis=1)
    moves["revenue"] = orders[orders["day"] < TO].groupby("customer_id")["amount"].sum()
    moves["bought"] = moves.index.isin(bought)
    return moves


def check_moves(shop: BuildShop, expected: pd.DataFrame) -> None:
    groups = expected.fillna({"from": "", "to": ""}).groupby(["from", "to", "reason"])
    wanted = {
        key: (len(group), pytest.approx(group["revenue"].sum(), rel=1e-9, abs=1e-6))
        for key, group in groups
    }
    rows = [row for row in shop.rows("segment_moves") if row["source"] == "rfm"]
    assert wanted == {
        (row["from_segment"] or "", row["to_segment"] or "", row["reason"]): (
            row["customers"],
            row["revenue"],
        )
        for row in rows
    }
    assert {(str(row["from_as_of"]), str(row["to_as_of"])) for row in rows} == {(FROM, TO)}


MODELS = ("+segment_moves",)


def test_october_to_november(shop: BuildShop, retail: pd.DataFrame) -> None:
    """By the published recipe 41 % change segment: 1,494, of whom 891 bought nothing."""
    no_clusters = {"customer_clusters": {"enabled": False}}
    write_retail(shop, where=RECIPE, models={"rfm": {"segment_map": "classic_125"}, **no_clusters})
    for as_of in (FROM, TO):
        shop.build(*MODELS, vars={"as_of": as_of})
    expected = expected_moves(recipe(retail), "classic_125")
    # The figures are those of the requirement; pandas finds them as well.
    both = expected.dropna(subset=["from", "to"])
    moved = both[both["from"] != both["to"]]
    assert (len(moved), int((~moved["bought"]).sum())) == (1494, 891)
    assert round(len(moved) / len(both), 2) == 0.41
    check_moves(shop, expected)

    # With the refunds, and with the ten segments.
    write_retail(shop, models=no_clusters)
    for as_of in (FROM, TO):
        shop.build(*MODELS, vars={"as_of": as_of})
    expected = expected_moves(retail, "rf_10")
    assert {"bought", "refunded", "aged", "cut_points", "new"} <= set(expected["reason"])
    check_moves(shop, expected)
