"""`seg-sql docs`: one page that says what each table is, where it comes from and how its tests went."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from shop import Shop

from seg_sql.docs import write_docs
from seg_sql.errors import ConfigError
from seg_sql.events import Log
from seg_sql.freshness import settle
from seg_sql.lineage import lineage
from seg_sql.session import Settings, session
from seg_sql.step import Steps

EVERY_INPUT = Path(__file__).parents[2] / "fixtures" / "every_input"

# Three columns by three ways: a join, a CTE with the name of a model, an expression.
OWN = """
{{ config(unique_key='customer_id') }}
with orders as (
    select customer_id, sum(amount) as spent from {{ ref('orders') }} as given group by customer_id
)
select orders.customer_id, orders.spent / rfm.frequency as per_order, rfm.segment
from orders
inner join {{ ref('rfm') }} as rfm on rfm.customer_id = orders.customer_id
"""


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.hrefs: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.add(str(given["id"]))
        if tag == "a":
            self.hrefs.add(str(given["href"]))
        self.outside += [str(v) for k, v in attrs if k in ("src", "action") or tag == "link"]


def page(shop: Shop, folder: Path) -> str:
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    list(write_docs(settings, folder))
    return (folder / "index.html").read_text("utf-8")


def section(text: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)
    assert found is not None
    return found[1]


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def test_the_page_says_what_there_is(shop: Shop, tmp_path: Path):
    own = shop.folder / "sql" / "models"
    own.mkdir(parents=True)
    (own / "spending.sql").write_text(OWN)
    (own / "schema.yml").write_text(
        "models:\n  - {name: spending, description: 'What <b>each</b> order brings.', columns:"
        " [{name: per_order, description: Money an order., data_tests: [not_null]}]}\n"
    )
    shop.build("+spending", "+rfm_segments")

    text = page(shop, tmp_path / "docs")

    assert re.search(r"\d+ models, 1 seed, \d+ inlined models on \w+, schema", plain(text))
    links = Links()
    links.feed(text)
    assert {href.removeprefix("#") for href in links.hrefs} <= links.ids
    assert {"rfm", "spending", "customer_clusters_centroids"} <= links.ids
    assert not links.outside
    # What is only part of other models comes after all that can be read.
    places = [
        text.index(f'<section id="{name}">') for name in ("rfm", "spending", "order_lines_checked")
    ]
    assert places == sorted(places)
    mine = section(text, "spending")
    assert "What &lt;b&gt;each&lt;/b&gt; order brings." in mine
    assert "one row per <code>customer_id</code>" in mine
    assert 'Reads <a href="#orders">orders</a>, <a href="#rfm">rfm</a>.' in mine
    rows = [plain(row).strip() for row in re.findall(r"<tr>(.*?)</tr>", mine, re.DOTALL)]
    assert "per_orderMoney an order.orders.amount, rfm.frequency" in rows
    assert "segmentrfm.segment" in rows
    assert "not_null_spending_per_order: pass" in plain(mine)
    # What a failure means is said where there is one.
    clean = plain(section(text, "order_lines_clean"))
    assert "not_empty_order_lines_clean: pass" in clean and "No order line is left" not in clean
    # Five customers, and highlighted SQL.
    assert "success, 5 rows" in plain(mine)
    assert '<span class="k">' in mine
    assert "rfm_map_rf_10" in section(text, "rfm_segment_map")
    catalog = json.loads((tmp_path / "docs" / "catalog.json").read_text("utf-8"))
    assert "model.shop.spending" in catalog["nodes"]


def test_without_a_run_the_page_says_so(shop: Shop, tmp_path: Path):
    text = page(shop, tmp_path / "docs")

    assert "There was no run yet." in text
    assert "not run" in section(text, "rfm")


def test_a_failed_test_is_shown(shop: Shop, tmp_path: Path):
    own = shop.folder / "sql" / "models"
    own.mkdir(parents=True)
    (own / "empty.sql").write_text("select customer_id from {{ ref('rfm') }} as rfm where 1 = 0\n")
    (own / "schema.yml").write_text(
        "models:\n  - {name: empty, data_tests: [not_empty: {description: Nobody is left.}]}\n"
    )
    assert shop.run("build", "+empty") == 1

    mine = plain(section(page(shop, tmp_path / "docs"), "empty"))

    assert "Last run: error" in mine
    assert re.search(r"not_empty_empty: fail \(1 rows\), [\d.]+ s\. Nobody is left\.", mine)


def test_a_folder_that_cannot_be_made_is_an_error(shop: Shop, tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="taken"):
        page(shop, tmp_path / "taken")


def test_columns_are_traced_to_the_raw_ones():
    with session(Settings(project_dir=EVERY_INPUT)) as workspace:
        names = workspace.graph.order
        steps = Steps(workspace, "runner")
        settle(workspace, steps, set(names), Log())
        found = lineage(workspace, list(names))

    # The raw names are those of seg_sql.yml; a merged customer is one of customer_map.
    checked = found["order_lines_checked"]
    assert checked["amount"] == ("input order_lines.pieces", "input order_lines.price")
    assert checked["ordered_at"] == ("input order_lines.at",)
    assert "customer_merges.surviving_id" in checked["customer_id"]
    assert found["customer_merges"]["customer_id"] == ("input customer_map.old",)
    assert found["rfm_values"]["monetary"] == ("orders.amount",)
    assert found["rfm"]["monetary"] == ("rfm_values.monetary",)
    assert found["rfm_segments"]["revenue"] == ("rfm.monetary",)
