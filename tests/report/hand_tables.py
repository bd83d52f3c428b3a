"""Every table that the report reads, by hand.

They have the columns of the published tables that the report asks for. All numbers are chosen so
that the figures of the report can be worked out on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shop import Shop

KINDS = {"i": "bigint", "d": "double precision", "t": "varchar", "D": "date", "b": "boolean"}


def selected(columns: str, rows: Sequence[Sequence[Any]]) -> str:
    """Return a SELECT of rows; `columns` are names with their kind, as in 'customers:i'."""
    pairs = [column.split(":") for column in columns.split()]

    def literal(value: Any) -> str:
        if value is None:
            return "null"
        if isinstance(value, bool):
            return str(value).lower()
        return repr(value) if isinstance(value, int | float) else f"'{value}'"

    given = ", ".join(name for name, _ in pairs)
    casts = ", ".join(f"cast({name} as {KINDS[kind]}) as {name}" for name, kind in pairs)
    values = ",\n".join(f"({', '.join(literal(value) for value in row)})" for row in rows)
    return f"select {casts} from (values\n{values}\n) as given ({given})"


def many(count: int, prefix: str, *values: Any) -> list[tuple[Any, ...]]:
    return [(f"{prefix}{number}", *values) for number in range(count)]


TABLES: dict[str, str] = {
    # Ten customers with a purchase of 10 and four with two of 20 and a refund of 5 each:
    # 14 customers, 18 purchases, 100 + 4 x 35 = 240, 4 of 14 came back (29 %).
    "orders": selected(
        "order_id:t customer_id:t order_date:D amount:d is_purchase:b",
        [
            *((f"a{n}", f"a{n}", "2026-01-05", 10, True) for n in range(10)),
            *((f"b{n}", f"b{n}", "2026-01-09", 20, True) for n in range(4)),
            *((f"c{n}", f"b{n}", "2026-03-31", 20, True) for n in range(4)),
            *((f"d{n}", f"b{n}", "2026-04-01", -5, False) for n in range(4)),
        ],
    ),
    "rfm": selected(
        "customer_id:t as_of:D recency_days:i frequency:i monetary:d r_score:i f_score:i",
        [
            *many(6, "a", "2026-05-01", 10, 5, 100, 5, 5),
            *many(5, "b", "2026-05-01", 20, 3, 50, 4, 4),
            *many(3, "c", "2026-05-01", 200, 1, 10, 1, 1),
        ],
    ),
    # 14 customers and 880: Champions 6 (43 %) and 600 (68 %).
    "rfm_segments": selected(
        "segment:t segment_order:i suggested_action:t customers:i revenue:d avg_recency_days:d"
        " avg_frequency:d",
        [
            ("Champions", 1, "Reward <them>", 6, 600, 10, 5),
            ("Loyal", 2, "Thank them", 5, 250, 20, 3),
            ("Lost", 3, "Let go", 3, 30, 200, 1),
            ("Nobody", 4, "Nothing", 0, 0, None, None),
        ],
    ),
    "customer_lifecycle": selected(
        "customer_id:t as_of:D stage:t stage_order:i",
        [
            *many(3, "a", "2026-05-01", "new", 1),
            *many(6, "b", "2026-05-01", "active", 2),
            *many(5, "c", "2026-05-01", "churned", 5),
        ],
    ),
    # January 10 and February 4 customers are pooled: 14, of whom 5 + 2 come in month 1 (50 %), and
    # 3 of January in month 2: too few to say. March: 5 of 20 (25 %). All: 12 of 34 (35 %).
    "cohort_retention": selected(
        "cohort_month:D period_number:i cohort_customers:i active_customers:i",
        [
            ("2026-01-01", 0, 10, 10),
            ("2026-01-01", 1, 10, 5),
            ("2026-01-01", 2, 10, 3),
            ("2026-02-01", 0, 4, 4),
            ("2026-02-01", 1, 4, 2),
            ("2026-02-01", 2, 4, 0),
            ("2026-03-01", 0, 20, 20),
            ("2026-03-01", 1, 20, 5),
            ("2026-03-01", 2, 20, None),
        ],
    ),
    # 20 customers in fours of five: 500 + 300 + 200 + 0 = 1,000. Five customers a point make four
    # points of the Lorenz curve: 25 % hold 50 %, 50 % hold 80 %, 75 % and 100 % hold all.
    "clv": selected(
        "customer_id:t as_of:D group_key:t model:t frequency:i recency:d age:d p_alive:d"
        " expected_orders:d clv:d clv_decile:i horizon_end:D",
        [
            *many(5, "a", "2026-05-01", "all", "bg_nbd", 4, 40, 44, 0.95, 5, 100, 1, "2027-05-01"),
            *many(5, "b", "2026-05-01", "all", "bg_nbd", 2, 30, 40, 0.8, 3, 60, 3, "2027-05-01"),
            *many(5, "c", "2026-05-01", "all", "bg_nbd", 1, 10, 40, 0.5, 1, 40, 5, "2027-05-01"),
            *many(5, "d", "2026-05-01", "all", "bg_nbd", 1, 1, 80, 0.02, 0.1, 0, 8, "2027-05-01"),
        ],
    ),
    "clv_fit": selected(
        "group_key:t model:t fit:t time_unit:t",
        [("all", "bg_nbd", "full", "week"), ("all", "mbg_nbd", "full", "week")],
    ),
    # Shown: 5 + 6 = 11 orders came, 4 + 5 = 9 were expected, 18 % fewer.
    "clv_holdout": selected(
        "group_key:t model:t frequency:i customers:i actual_orders:d expected_orders:d"
        " baseline_orders:d",
        [
            ("all", "bg_nbd", 0, 10, 5, 4, 6),
            ("all", "bg_nbd", 1, 6, 6, 5, 9),
            ("all", "bg_nbd", 2, 3, 77, 77, 77),
            ("all", "mbg_nbd", 0, 10, 55, 55, 55),
        ],
    ),
    "clv_metrics": selected(
        "group_key:t model:t metric:t value:d baseline:d", [("all", "bg_nbd", "mae", 0.125, 0.25)]
    ),
    "customer_clusters": selected(
        "customer_id:t as_of:D group_key:t cluster_id:i",
        [*many(12, "a", "2026-05-01", "all", 1), *many(8, "b", "2026-05-01", "all", 2)],
    ),
    "customer_clusters_profile": selected(
        "group_key:t cluster_id:i label:t customers:i feature:t mean:d population_mean:d z_score:d",
        [
            ("all", 1, "recent", 12, "recency_days", 10, 40, -0.7),
            ("all", 1, "recent", 12, "frequency", 5, 4, 0.2),
            ("all", 2, "long ago", 8, "recency_days", 85, 40, 1.5),
            ("all", 2, "long ago", 8, "frequency", 2.5, 4, -0.3),
        ],
    ),
    "customer_clusters_quality": selected(
        "group_key:t k:i inertia:d silhouette:d davies_bouldin:d stability_ari:d chosen:b"
        " chosen_reason:t",
        [
            ("all", 2, 50, 0.625, 0.5, 0.9, True, "best silhouette"),
            ("all", 3, 40, 0.5, 0.75, 0.8, False, None),
        ],
    ),
    "customer_clusters_fit": selected(
        "group_key:t k:i restart:i stage:t iteration:i inertia:d",
        [
            ("all", 2, 1, "all rows", 1, 100),
            ("all", 2, 1, "all rows", 2, 60),
            ("all", 2, 1, "all rows", 3, 50),
            ("all", 2, 2, "all rows", 1, 90),
            ("all", 2, 2, "all rows", 2, 88),
            ("all", 2, 101, "half", 1, 9),
            ("all", 3, 1, "all rows", 1, 1),
        ],
    ),
    # Mug and pot name each other: one pair. Mug and cup are in four baskets: not shown.
    "item_similarity": selected(
        "group_key:t item_id:t item_name:t similar_item_id:t similar_item_name:t similarity:d"
        " measure:t pair_baskets:i lift:d root_llr:d",
        [
            ("all", "m", "Mug", "p", "Pot", 0.75, "cosine", 12, 3.5, 20),
            ("all", "p", "Pot", "m", "Mug", 0.75, "cosine", 12, 3.5, 20),
            ("all", "p", "Pot", "t", None, 0.875, "cosine", 5, 2.0, 10),
            ("all", "m", "Mug", "c", "Secret cup", 0.9, "cosine", 4, 9.0, 30),
        ],
    ),
    "recommendations_metrics": selected(
        "metric:t k:i value:d popularity_baseline:d users:i",
        [("hit_rate", 10, 0.25, 0.125, 40), ("recall", 10, 0.5, 0.25, 4)],
    ),
    # 25 customers, of whom 9 moved (36 %): six aged, three bought; and seven are new. Three are too
    # few to be named: the six join them. 10 of 16 Champions stayed, and 6 of 9 Loyal (67 %).
    "segment_moves": selected(
        "from_as_of:D to_as_of:D source:t from_segment:t to_segment:t reason:t customers:i",
        [
            ("2026-04-01", "2026-05-01", "rfm", "Champions", "Champions", "stayed", 10),
            ("2026-04-01", "2026-05-01", "rfm", "Champions", "Loyal", "aged", 6),
            ("2026-04-01", "2026-05-01", "rfm", "Loyal", "Secret", "bought", 3),
            ("2026-04-01", "2026-05-01", "rfm", "Loyal", "Loyal", "stayed", 6),
            ("2026-04-01", "2026-05-01", "rfm", None, "Champions", "new", 7),
            ("2026-04-01", "2026-05-01", "customer_lifecycle", "new", "active", "bought", 99),
        ],
    ),
    # 90 + 7 + 3 = 100 lines, of which 3 are dropped; those are of two orders, whose amount is hidden.
    "input_quality": selected(
        "input:t reason:t action:t rows:i orders:i amount:d",
        [
            ("order_lines", "kept", "kept", 90, 50, 1234.5),
            ("order_lines", "no customer", "kept", 7, 6, 70),
            ("order_lines", "no amount", "dropped", 3, 2, 999999),
            ("customers", "kept", "kept", 14, None, None),
        ],
    ),
}


def make(shop: Shop, *tables: str, **vars: Any) -> None:
    """Make some of the tables, or all of them, as if they were built."""
    shop.load([("ann", "1", "2026-01-10 10:00:00", "mug", 2, 5.0)])
    shop.write(vars=vars)
    with shop.engine() as engine:
        engine.prepare_schema()
        for name in tables or TABLES:
            relation = engine.relation(name)
            engine.execute(f"drop table if exists {relation}")
            engine.execute(f"create table {relation} as {TABLES[name]}")
