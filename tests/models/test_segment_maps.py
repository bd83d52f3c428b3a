"""Segment maps of RFM: the packaged ones, one of one's own, and what is no partition."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rfm_orders import EVERYTHING, SCORES, buyers, load, write_map
from shop import Shop

from seg_sql.events import TestFinished


@pytest.mark.parametrize("name", ["rf_10", "classic_125"])
def test_what_a_segment_says_holds_for_its_scores(name: str) -> None:
    """Of fifths, 4 and 5 are above most of the customers, 3 above many, and 1 and 2 below most."""
    claims: dict[str, Callable[[int, int, int], bool]] = {
        "recently and more often than most": lambda r, f, m: r >= 4 and f >= 4,
        "more often and more recently than many": lambda r, f, m: r >= 3 and f >= 3,
        "more often than most": lambda r, f, m: f >= 4,
        "more often than many": lambda r, f, m: f >= 3,
        "more often or for more than many": lambda r, f, m: f >= 3 or m >= 3,
        "more than once": lambda r, f, m: f >= 2,
        "more recently than most": lambda r, f, m: r >= 4,
        "more recently than many": lambda r, f, m: r >= 3,
        "longer ago than most": lambda r, f, m: r <= 2,
    }
    path = Path(__file__).parents[2] / "sql" / "seeds" / f"rfm_map_{name}.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        said = row["description"]
        scores = [int(row[score] or 0) for score in SCORES.values()]
        for claim, holds in claims.items():
            assert claim not in said or holds(*scores), row
            said = said.replace(claim, "")
        # No other word is said of how often, and how long ago.
        assert not re.search("often|recent|lately(?<!not lately)|longer", said), row


# REFERENCE.md section 2: R then F of rf_10, and the codes RFM of classic_125.
RF_10 = {
    "Hibernating": "11 12 21 22",
    "At Risk": "13 14 23 24",
    "Cannot Lose Them": "15 25",
    "About To Sleep": "31 32",
    "Need Attention": "33",
    "Loyal": "34 35 44 45",
    "Promising": "41",
    "New Customers": "51",
    "Potential Loyalist": "42 43 52 53",
    "Champions": "54 55",
}
CLASSIC_125 = {
    "Champions": "555 554 544 545 454 455 445",
    "Loyal": "543 444 435 355 354 345 344 335",
    "Potential Loyalist": "553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353"
    " 352 351 342 341 333 323",
    "New Customers": "512 511 422 421 412 411 311",
    "Promising": "525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313",
    "Need Attention": "535 534 443 434 343 334 325 324",
    "About To Sleep": "331 321 312 221 213 231 241 251",
    "At Risk": "255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125"
    " 124",
    "Cannot Lose Them": "155 154 144 214 215 115 114 113",
    "Hibernating": "332 322 233 232 223 222 132 123 122 212 211",
    "Lost": "111 112 121 131 141 151",
}


@pytest.mark.parametrize(("name", "codes"), [("rf_10", RF_10), ("classic_125", CLASSIC_125)])
def test_packaged_maps(shop: Shop, name: str, codes: dict[str, str]) -> None:
    load(shop, buyers(10, 20, 30, 40, 50))
    shop.write(models={"rfm": {"segment_map": name}})
    shop.build("+rfm_segments")
    rows = shop.rows("rfm_segment_map")
    assert len(rows) == 125
    found: dict[str, set[str]] = {}
    for row in rows:
        code = f"{row['r_score']}{row['f_score']}{row['m_score']}"
        found.setdefault(row["segment"], set()).add(code)
    if name == "rf_10":
        codes = {s: " ".join(rf + m for rf in listed.split() for m in "12345")
                 for s, listed in codes.items()}  # fmt: skip
    assert found == {segment: set(listed.split()) for segment, listed in codes.items()}
    # c05 is the last, the most frequent and the best customer; c01 the opposite.
    segments = {row["customer_id"]: (row["rfm_code"], row["segment"]) for row in shop.rows("rfm")}
    worst = "Hibernating" if name == "rf_10" else "Lost"
    assert segments["c05"] == ("555", "Champions")
    assert segments["c01"] == ("111", worst)


def test_a_map_of_ones_own(shop: Shop) -> None:
    """Three scores of recency, two of frequency and money; every triple in one segment."""
    load(shop, buyers(10, 20, 30, 40, 50, 60))
    write_map(shop, "mine", [(3, "", "", "Fresh", 1), (2, 2, "", "Steady", 2),
                             (2, 1, "", "Quiet", 3), (1, "", "", "Gone", 4)])  # fmt: skip
    bins = {"recency": 3, "frequency": 2, "monetary": 2}
    shop.write(models={"rfm": {"segment_map": "mine", "bins": bins}})
    shop.build("+rfm_segments")
    assert len(shop.rows("rfm_segment_map")) == 12
    assert {row["customer_id"]: row["segment"] for row in shop.rows("rfm")} == {
        "c01": "Gone", "c02": "Gone", "c03": "Quiet",
        "c04": "Steady", "c05": "Fresh", "c06": "Fresh",
    }  # fmt: skip
    assert [row["segment"] for row in shop.rows("rfm_segments", order="segment_order")] == [
        "Fresh",
        "Steady",
        "Quiet",
        "Gone",
    ]


@pytest.mark.parametrize(
    ("rows", "test", "message"),
    [
        (
            [(2, "", "", "Fresh", 1), (1, 1, "", "Gone", 2)],  # 1 2 x is nowhere
            "row_count_between_rfm_segment_map",
            "The segment map does not give every triple of scores exactly one segment.",
        ),
        (
            [("", "", "", "All", 1), (1, 1, 1, "Gone", 2)],  # 1 1 1 is in both
            "unique_combination_of_columns_rfm_segment_map",
            "A triple of scores has two segments in the segment map.",
        ),
    ],
)
def test_a_map_that_is_no_partition(
    shop: Shop, rows: list[tuple[Any, ...]], test: str, message: str
) -> None:
    load(shop, buyers(10, 20, 30))
    write_map(shop, "mine", rows)
    shop.write(models={"rfm": {"segment_map": "mine", "bins": 2}})
    assert shop.run("build", *EVERYTHING) == 1
    failed = {each.name: each for each in shop.log.of(TestFinished) if each.status == "fail"}
    assert failed[test].message == message
    with shop.engine() as engine:
        existing = engine.existing().keys()
    assert not {"rfm", "rfm_segments", "rfm_segment_map"} & existing
    assert "rfm_values" in existing
