"""The report of tables made by hand (hand_tables.py says how each number comes about)."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import hand_tables
import pytest
from shop import Shop

from seg_sql.errors import ConfigError, StartError
from seg_sql.options import ProjectVars
from seg_sql.report import report
from seg_sql.session import Settings

CHARTS = [
    "segment-shares", "segment-revenue", "recency-frequency", "distribution-recency",
    "distribution-frequency", "distribution-monetary", "moves", "move-reasons", "lifecycle-stages",
    "cohort-retention", "clv-deciles", "clv-lorenz", "clv-expected-orders", "clv-p-alive", "clv-holdout",
    "cluster-sizes", "cluster-profile", "cluster-quality", "cluster-inertia", "item-pairs",
    "recommendation-metrics", "input-quality",
]  # fmt: skip


def written(shop: Shop, charts: Path | None = None) -> tuple[str, list[str]]:
    """Return the report, and what was said."""
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    said = list(report(settings, output=None, charts=charts))
    return (shop.folder / "report.html").read_text("utf-8"), said


def readings(page: str) -> dict[str, str]:
    """Return the sentence of each figure, by its name."""
    found = re.findall(r'<p id="([\w-]+)-reading">(.*?)</p>', page, re.DOTALL)
    return {name: html.unescape(text).replace("\u00a0", " ") for name, text in found}


def rows_of(page: str, figure: str) -> list[list[str]]:
    """Return the rows of a figure's table."""
    body = page.split(f'<figure id="{figure}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    return [
        [html.unescape(cell).replace("\u00a0", " ") for cell in re.findall(r"<td.*?>(.*?)</td>", row)]
        for row in body.split("</tr>")
        if "<td" in row
    ]  # fmt: skip


def test_every_part_by_hand(shop: Shop) -> None:
    hand_tables.make(shop)
    page, said = written(shop)
    assert [name for name in readings(page)] == CHARTS
    assert said[-1].startswith(f"Wrote {shop.folder / 'report.html'}: 9 parts, 22 charts, ")
    text = page.replace("\u00a0", " ")
    figures = re.findall(r"<dd>(.*?)</dd><dt>(.*?)</dt>", text)
    assert figures == [
        ("14", "customers"),
        ("240.00", "revenue, net of refunds"),
        ("18", "purchases"),
        ("13.33", "revenue per purchase"),
        ("29 %", "bought more than once"),
    ]
    assert "Purchases from 2026-01-05 to 2026-03-31, as of 2026-05-01, the first day" in text
    assert readings(page) == {
        "segment-shares": "Champions are 43 % of the customers and bring 68 % of the revenue.",
        "segment-revenue": "Champions and Other (small groups) bring 100 % of the revenue.",
        "recency-frequency": "The most common pair is recency score 5 with frequency score 5: 43 % of"
        " the customers.",
        # 10 six times, 20 five times, 200 three times: the middle of 14 is 20; 3 and 50 alike.
        "distribution-recency": "Half of the customers bought within the last 20 days.",
        "distribution-frequency": "Half of the customers have 3 or fewer purchases.",
        "distribution-monetary": "Half of the customers spent 50.00 or less.",
        "moves": "Loyal is the steadiest segment: 67 % of it stayed.",
        "move-reasons": "No reason is frequent enough to be named.",
        "lifecycle-stages": "Of all customers 43 % are active.",
        "cohort-retention": "Of the new customers of a month, 35 % buy again in month 1 after their first"
        " purchase.",
        "clv-deciles": "The best tenth of the customers is expected to bring 50 % of the value.",
        "clv-lorenz": "The best 25 % of the customers hold 50 % of the expected value.",
        # 80 - 1 = 79 weeks at most, in steps of 10: the best waited 44 - 40 = 4 weeks.
        "clv-expected-orders": "Most orders, 5.0 each, are expected of customers with 3-4 repeat"
        " purchases, the last 0 to 10 weeks ago.",
        "clv-p-alive": "Least likely to buy again are customers with 1 repeat purchase, the last 70"
        " weeks ago or more: 2 %.",
        "clv-holdout": "The model, fitted to the earlier days, expected 9 orders in the later ones,"
        " 18 % fewer than the 11 that came.",
        "cluster-sizes": "The largest cluster (recent) holds 60 % of the customers.",
        "cluster-profile": "Cluster 2 stands out most: its recency days lies 1.5 standard"
        " deviations above the mean.",
        "cluster-quality": "2 clusters were chosen: best silhouette.",
        "cluster-inertia": "In 3 rounds over all rows the inertia fell by 50 % to 50.",
        "item-pairs": "Mug and Pot go together most: in 12 baskets, 3.5 times as often as by"
        " chance.",
        "recommendation-metrics": "25 % of the lists hold an item that the customer bought later: more"
        " than with the most popular items, 12 %.",
        "input-quality": "Of 100 order lines 3 (3 %) were dropped, all of them because of: no"
        " amount.",
    }
    assert (
        "From 2026-04-01 to 2026-05-01, 9 of 25 customers (36 %) changed their segment; most, 6,"
        " went from Champions to Loyal; 7 are new." in text
    )
    assert rows_of(page, "clv-lorenz") == [
        ["25 %", "50 %"], ["50 %", "80 %"], ["75 %", "100 %"], ["100 %", "100 %"],
    ]  # fmt: skip
    assert rows_of(page, "cohort-retention") == [
        ["2026-03", "1", "20", "25 %"],
        ["Other months", "1", "14", "50 %"],
        ["Other months", "2", "14", ""],
    ]
    assert rows_of(page, "item-pairs") == [
        ["Mug", "Pot", "0.750", "12", "3.5"], ["Pot", "t", "0.875", "5", "2.0"],
    ]  # fmt: skip
    assert rows_of(page, "distribution-recency") == [["10", "6"], ["20", "5"]]
    assert "Reward &lt;them&gt;" in page


def test_small_groups_are_not_shown(shop: Shop) -> None:
    """Lost is too small, and alone would still show its three: Loyal, the next larger, joins it."""
    hand_tables.make(shop)
    page, _ = written(shop)
    assert rows_of(page, "segment-shares") == [
        ["Champions", "43 %", "68 %"],
        ["Other (small groups)", "57 %", "32 %"],
    ]
    assert rows_of(page, "recency-frequency") == [
        ["4", "4", "5", "50.00"],
        ["5", "5", "6", "100.00"],
    ]
    assert rows_of(page, "lifecycle-stages") == [
        ["Active", "6", "43 %"],
        ["Other (small groups)", "8", "57 %"],
    ]
    assert rows_of(page, "moves") == [
        ["New", "Champions", "7"],
        ["Champions", "Champions", "10"],
        ["Champions", "Loyal", "6"],
        ["Loyal", "Loyal", "6"],
    ]
    for hidden in ("Lost", "Let go", "Secret", "Nobody", "2026-01<", "999,999", "Recall"):
        assert hidden not in page, hidden
    assert [row[0] for row in rows_of(page, "clv-holdout")] == ["0", "1"]
    # Three customers may be shown when the project says so.
    hand_tables.make(shop, min_group=3)
    page, _ = written(shop)
    assert [row[0] for row in rows_of(page, "segment-shares")] == ["Champions", "Loyal", "Lost"]
    assert [row[0] for row in rows_of(page, "lifecycle-stages")] == ["New", "Active", "Churned"]
    assert ["Loyal", "Secret", "3"] in rows_of(page, "moves")
    assert rows_of(page, "move-reasons") == [
        ["Time has passed", "6", "67 %"],
        ["Bought again", "3", "33 %"],
    ]
    # Of the 9 that the lead tells of, not of the 7 new ones too.
    assert "9 of 25 customers (36" in page
    assert readings(page)["move-reasons"] == (
        "Of those who changed their segment, 67 % only waited: time has passed."
    )
    assert ["2026-01", "2", "10", "30 %"] in rows_of(page, "cohort-retention")
    # With more than there are, nobody is left to show.
    hand_tables.make(shop, min_group=1000)
    page, left = written(shop)
    assert "<dd>" not in page and list(readings(page)) == ["input-quality"]
    assert "Left out: Segments: too few customers have a segment." in left


def test_cohorts_of_a_small_shop(shop: Shop) -> None:
    """The sentence counts those in empty fields too, and nobody is as empty as one to four.

    Month 1: 10 + 4 + 3 + 0 of 4 x 20 are 21 %; 10 + 0 of 40 would be 25 %. Month 2: nobody. Month 3:
    6 + 5 + 2 of 60, but the two could be taken off the 13. Month 6: 8 of 20. Month 12: 3 + 2 of 40,
    of whom no field tells.
    """
    hand_tables.make(shop, "cohort_retention")
    months = {
        "2025-01": {1: 10, 2: 0, 3: 6, 6: 8, 12: 3},
        "2025-02": {1: 4, 2: 0, 3: 5, 12: 2},
        "2025-03": {1: 3, 2: 0, 3: 2},
        "2025-04": {1: 0, 2: 0},
    }
    rows = hand_tables.selected(
        "cohort_month:D period_number:i cohort_customers:i active_customers:i",
        [
            (f"{month}-01", period, 20, active)
            for month, periods in months.items()
            for period, active in {0: 20, **periods}.items()
        ],
    )
    with shop.engine() as engine:
        relation = engine.relation("cohort_retention")
        engine.execute(f"drop table {relation}")
        engine.execute(f"create table {relation} as {rows}")
    page, _ = written(shop)
    assert readings(page) == {
        "cohort-retention": "Of the new customers of a month, 21 % buy again in month 1, 40 % in month"
        " 6 and 12 % in month 12 after their first purchase."
    }
    shown = {(row[0], row[1]): row[3] for row in rows_of(page, "cohort-retention") if row[3]}
    assert shown == {
        ("2025-01", "1"): "50 %",
        ("2025-01", "3"): "30 %",
        ("2025-01", "6"): "40 %",
        ("2025-02", "3"): "25 %",
    }
    assert "Empty: fewer than 5 did" in page.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        ([1, 1, 1], "dropped for 3 reasons."),
        ([2, 1, 1], "dropped for 3 reasons."),
        ([3, 1, 1], "dropped, most of them because of: reason 0."),
        ([2], "dropped, all of them because of: reason 0."),
    ],
)
def test_most_is_more_than_half(duckdb_shop: Shop, dropped: list[int], said: str) -> None:
    hand_tables.make(duckdb_shop, "input_quality")
    lines = [("order_lines", f"reason {n}", "dropped", rows) for n, rows in enumerate(dropped)]
    rows = hand_tables.selected(
        "input:t reason:t action:t rows:i orders:i amount:d",
        [(*line, None, None) for line in [("order_lines", "kept", "kept", 90), *lines]],
    )
    with duckdb_shop.engine() as engine:
        relation = engine.relation("input_quality")
        engine.execute(f"drop table {relation}")
        engine.execute(f"create table {relation} as {rows}")
    page, _ = written(duckdb_shop)
    assert readings(page)["input-quality"].endswith(said)


def test_the_file_stands_alone(duckdb_shop: Shop) -> None:
    """No script, and nothing that is loaded: only links within the page."""
    hand_tables.make(duckdb_shop)
    page, _ = written(duckdb_shop)
    assert "<script" not in page and "@import" not in page and "<link" not in page
    assert not re.findall(r'\b(?:src|srcset|data|action)="', page)
    links = re.findall(r'href="([^"]*)"', page)
    assert links and all(link.startswith("#") for link in links)
    assert all(name.startswith("#") for name in re.findall(r"url\(([^)]*)\)", page))
    names = re.findall(r'\bid="([^"]*)"', page)
    assert len(names) == len(set(names))
    assert set(links) <= {f"#{name}" for name in names}
    assert len(page.encode()) < 3_000_000


def test_absent_models_are_one_line_each(duckdb_shop: Shop) -> None:
    hand_tables.make(duckdb_shop, "orders", "customer_lifecycle")
    page, said = written(duckdb_shop)
    assert list(readings(page)) == ["lifecycle-stages"]
    assert "Left out: Segments: rfm is not built." in said
    assert "Not in this report. Customer lifetime value: clv is not built." in page
    assert sum(line.startswith("Left out: ") for line in said) == 8


def test_empty_tables_are_left_out(duckdb_shop: Shop) -> None:
    """A shop of one as_of has no moves yet."""
    hand_tables.make(duckdb_shop, "customer_lifecycle", "segment_moves")
    with duckdb_shop.engine() as engine:
        engine.execute(f"delete from {engine.relation('segment_moves')}")
    _, said = written(duckdb_shop)
    assert "Left out: What changed: there is no earlier as_of to compare with." in said


def test_nothing_is_built(duckdb_shop: Shop) -> None:
    duckdb_shop.load([])
    duckdb_shop.write()
    with pytest.raises(ConfigError, match="Nothing is built in"):
        written(duckdb_shop)


def test_each_chart_as_a_file(duckdb_shop: Shop, tmp_path: Path) -> None:
    hand_tables.make(duckdb_shop, "customer_lifecycle", "item_similarity")
    folder = tmp_path / "deep" / "charts"
    _, said = written(duckdb_shop, folder)
    names = {"lifecycle-stages.png", "lifecycle-stages.svg", "item-pairs.png", "item-pairs.svg"}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "lifecycle-stages.png").read_bytes().startswith(b"\x89PNG")
    assert "Churned" not in (folder / "lifecycle-stages.svg").read_text("utf-8")  # pooled
    assert said[-1] == f"Wrote 4 files to {folder}: each chart as PNG and SVG."


def test_a_file_that_cannot_be_written(duckdb_shop: Shop, tmp_path: Path) -> None:
    hand_tables.make(duckdb_shop, "customer_lifecycle")
    settings = Settings(project_dir=duckdb_shop.folder, profiles_dir=duckdb_shop.folder)
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        list(report(settings, output=tmp_path / "nowhere" / "report.html", charts=None))


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_the_missing_extra(
    missing: str, duckdb_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("seg_sql.report.")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(sys.modules["seg_sql.report"], name.rsplit(".", 1)[1], raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(StartError) as error:
        written(duckdb_shop)
    assert "pip install 'seg-sql[report]'" in str(error.value)
    assert error.value.exit_code == 2


def test_help_does_not_load_what_draws() -> None:
    code = "import sys, seg_sql.cli, seg_sql.report; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_smallest_group_is_one() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        ProjectVars(min_group=0)


def test_on_the_command_line(duckdb_shop: Shop, tmp_path: Path) -> None:
    """What is said goes to stderr; an empty target ends with code 2 and the next step."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        words = ("report", "--project-dir", str(duckdb_shop.folder), *words)
        return subprocess.run(
            [sys.executable, "-m", "seg_sql", *words], capture_output=True, text=True, check=False
        )

    duckdb_shop.load([])
    duckdb_shop.write()
    empty = run()
    assert (empty.returncode, empty.stdout) == (2, "")
    assert "Nothing is built" in empty.stderr and "seg-sql build" in empty.stderr
    hand_tables.make(duckdb_shop, "customer_lifecycle")
    done = run("--output", str(tmp_path / "mine.html"))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"Wrote {tmp_path / 'mine.html'}: 1 part, 1 chart," in done.stderr
    assert (tmp_path / "mine.html").read_text("utf-8").startswith("<!DOCTYPE html>")
