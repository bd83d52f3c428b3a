"""RFM from order lines: seg-sql beside one bare GROUP BY, polars and pandas, in one run.

    python bench/rfm.py                              10 million customers, 50 million order lines
    python bench/rfm.py --customers 1000000 --lines 5000000

Each contender works in a process of its own, so that its peak memory is its own; the bare GROUP BY
and seg-sql share one. What is compared:

* bare: `group by customer_id` with max(date), count(distinct order_id), sum(amount).
* seg-sql run: order_lines_clean and orders as views, rfm with its cut points and segments as
  tables; tests and duplicate counting off. Once more with orders as a table, as by default.
* seg-sql build: RFM, lifecycle, cohorts and input_quality with all tests, duplicates counted.
* polars, pandas: the same columns as a user would write them, read from the DuckDB file and written
  back into it; polars once more from and to Parquet files, without the database.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from side_by_side import peak_gb, timed, versions

PACKAGES = ("duckdb", "polars", "pandas", "seg-sql")

GENERATE = """
create table raw.order_lines as
with orders as (
    -- A customer's number of orders is skewed: a few buy very often.
    select
        order_number,
        cast(floor(customers * pow(hash(order_number) / 18446744073709551616.0, 1.4)) as bigint)
            as customer_id,
        cast(timestamp '2022-01-01' + to_seconds(cast(order_number * seconds as bigint))
            as timestamp) as ordered_at,
        cast(1 + hash(order_number + 7) % 4 as bigint) as lines
    from (
        select
            range as order_number,
            cast({customers} as double) as customers,
            94608000.0 / ({lines} / 2.5) as seconds
        from range(cast({lines} / 2.5 as bigint))
    )
)
select
    customer_id,
    'O' || order_number as order_id,
    ordered_at,
    'P' || (hash(order_number * 8 + line) % 20000) as item_id,
    cast(case when hash(order_number * 8 + line + 3) % 75 = 0 then -1
        else 1 + hash(order_number * 8 + line + 1) % 4 end as integer) as quantity,
    round(1 + (hash(order_number * 8 + line + 2) % 10000) / 100.0, 2) as unit_price
from orders, unnest(range(lines)) as numbered(line)
order by ordered_at
"""

BARE = """
create or replace table raw.bare as
select
    customer_id,
    max(cast(ordered_at as date)) as last_order_date,
    count(distinct order_id) as frequency,
    sum(quantity * unit_price) as monetary
from raw.order_lines
group by customer_id
"""

PROJECT = """
name: bench
profile: bench
inputs:
  order_lines: {relation: raw.order_lines}
vars: {as_of: 2025-01-01, duplicates: %s}
models: {orders: {materialized: %s}}
"""


def main() -> None:
    """Run all contenders and print their figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=10_000_000)
    parser.add_argument("--lines", type=int, default=50_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="Keep the data here.")
    parser.add_argument("--skip", default="", help="Contenders to leave out, as in pandas,full.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given.folder, given.rounds)))
        return
    folder = given.folder or Path(tempfile.mkdtemp(prefix="seg-sql-bench-"))
    try:
        print(f"{given.customers:,} customers, {given.lines:,} order lines; {versions(*PACKAGES)}")
        prepare(folder, given.customers, given.lines)
        results = {
            name: child(name, folder, given.rounds)
            for name in CHILDREN
            if name not in given.skip.split(",")
        }
        report(results)
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, customers: int, lines: int) -> None:
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "order_lines.parquet").exists():
        return
    with duckdb.connect(str(folder / "bench.duckdb")) as connection:
        connection.execute("create schema raw")
        connection.execute(GENERATE.format(customers=customers, lines=lines))
        path = folder / "order_lines.parquet"
        connection.execute(f"copy raw.order_lines to '{path}' (format parquet)")
    (folder / "profiles.yml").write_text(
        "bench: {target: dev, outputs: {dev: {type: duckdb, path: bench.duckdb}}}\n"
    )


def child(name: str, folder: Path, rounds: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--child", name, "--folder", folder, "--rounds", str(rounds)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}")
        return {}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for what, figure in result.items():
        print(f"  {name:<8} {what:<18} {figure:,.2f}", flush=True)
    return result


def seg_sql(
    folder: Path, command: str, select: list[str], duplicates: str, orders: str = "table"
) -> None:
    from seg_sql import commands
    from seg_sql.events import Log
    from seg_sql.session import Settings

    (folder / "seg_sql.yml").write_text(PROJECT % (duplicates, orders))
    settings = Settings(project_dir=folder, profiles_dir=folder)
    code = commands.run(command, settings, Log(), select=select)
    assert code == 0


def bare_and_run(folder: Path, rounds: int) -> dict[str, float]:
    """Take the bare GROUP BY and seg-sql in turns; the best of each counts."""
    import duckdb

    def bare() -> None:
        with duckdb.connect(str(folder / "bench.duckdb")) as connection:
            connection.execute(BARE)

    bares, runs = [], []
    for _ in range(rounds):
        bares.append(timed(bare))
        runs.append(timed(lambda: seg_sql(folder, "run", ["+rfm"], "ignore", "view")))
    return {"bare": min(bares), "run": min(runs), "gb": peak_gb()}


def with_orders(folder: Path, rounds: int) -> dict[str, float]:
    seconds = min(timed(lambda: seg_sql(folder, "run", ["+rfm"], "ignore")) for _ in range(rounds))
    return {"run": seconds, "gb": peak_gb()}


# What order lines become without an algorithm.
FULL = ["+rfm_segments", "input_quality", "customer_lifecycle", "cohort_retention"]


def full(folder: Path, rounds: int) -> dict[str, float]:
    seconds = timed(lambda: seg_sql(folder, "build", FULL, "count"))
    return {"build": seconds, "gb": peak_gb()}


LINES = "select customer_id, order_id, ordered_at, quantity, unit_price from raw.order_lines"


def written_back(folder: Path, work: Callable[[Any], Any], rounds: int) -> float:
    """Time a peer from the table in the DuckDB file to its result in it; the best round counts."""
    import duckdb

    def whole() -> None:
        with duckdb.connect(str(folder / "bench.duckdb")) as connection:
            result = work(connection)
            connection.register("result", result)
            connection.execute("create or replace table raw.peer as select * from result")

    return min(timed(whole) for _ in range(rounds))


def segment_map() -> list[dict[str, Any]]:
    """Return the 25 cells of the map rf_10, which the peers join as seg-sql does."""
    import csv

    path = Path(__file__).resolve().parents[1] / "sql" / "seeds" / "rfm_map_rf_10.csv"
    with path.open() as file:
        return [
            {
                "r_score": int(row["r_score"]),
                "f_score": int(row["f_score"]),
                "segment": row["segment"],
                "segment_order": int(row["segment_order"]),
            }
            for row in csv.DictReader(file)
        ]


def polars_rfm(lines: Any) -> Any:
    import datetime

    import polars as pl

    as_of = datetime.date(2025, 1, 1)
    lines = (
        lines.with_columns(
            (pl.col("quantity") * pl.col("unit_price")).alias("amount"),
            pl.col("ordered_at").dt.date().alias("day"),
        )
        .filter(pl.col("day") < as_of)
        .filter(pl.col("amount").is_finite() & pl.col("customer_id").is_not_null())
    )
    orders = lines.group_by("customer_id", "order_id").agg(
        pl.col("day").min(),
        pl.col("amount").sum().round(6),
        (pl.col("amount").min() < 0).alias("negative"),
    )
    bought = ~(pl.col("negative") & (pl.col("amount") <= 0))
    customers = (
        orders.group_by("customer_id")
        .agg(
            pl.col("day").filter(bought).min().alias("first_order_date"),
            pl.col("day").filter(bought).max().alias("last_order_date"),
            bought.sum().alias("frequency"),
            pl.col("amount").sum().round(6).alias("monetary"),
        )
        .filter(pl.col("frequency") > 0)
        .with_columns((pl.lit(as_of) - pl.col("last_order_date")).dt.total_days().alias("recency"))
        .collect(engine="streaming")
    )
    scores = []
    for measure in ("recency", "frequency", "monetary"):
        cuts = [customers[measure].quantile(q, "linear") for q in (0.2, 0.4, 0.6, 0.8)]
        below = sum(((pl.col(measure) > cut).cast(pl.Int8) for cut in cuts), pl.lit(0))
        score = 5 - below if measure == "recency" else 1 + below
        scores.append(score.alias(f"{measure[0]}_score"))
    cells = pl.DataFrame(segment_map()).cast({"r_score": pl.Int32, "f_score": pl.Int32})
    codes = [pl.col(f"{measure}_score").cast(pl.String) for measure in "rfm"]
    return (
        customers.lazy()
        .with_columns([score.cast(pl.Int32) for score in scores])
        .with_columns(
            pl.concat_str(codes).alias("rfm_code"),
            pl.lit(as_of).alias("as_of"),
            pl.lit(as_of).alias("fitted_as_of"),
        )
        .join(cells.lazy(), on=["r_score", "f_score"], how="left")
        .collect()
    )


def in_polars(folder: Path, rounds: int) -> dict[str, float]:
    def work(connection: Any) -> Any:
        return polars_rfm(connection.sql(LINES).pl().lazy()).to_arrow()

    return {"rfm": written_back(folder, work, rounds), "gb": peak_gb()}


def polars_files(folder: Path, rounds: int) -> dict[str, float]:
    import polars as pl

    def work() -> None:
        lines = pl.scan_parquet(folder / "order_lines.parquet")
        polars_rfm(lines).write_parquet(folder / "polars.parquet")

    return {"rfm": min(timed(work) for _ in range(rounds)), "gb": peak_gb()}


def pandas_rfm(connection: Any) -> Any:
    import numpy as np
    import pandas as pd

    lines = connection.sql(LINES).df()
    lines["amount"] = lines["quantity"] * lines["unit_price"]
    lines["day"] = lines["ordered_at"].dt.normalize()
    as_of = pd.Timestamp("2025-01-01")
    lines = lines[(lines["day"] < as_of) & np.isfinite(lines["amount"])]
    orders = lines.groupby(["customer_id", "order_id"], sort=False).agg(
        day=("day", "min"), amount=("amount", "sum"), least=("amount", "min")
    )
    amount = orders["amount"].round(6)
    bought = orders[~((orders["least"] < 0) & (amount <= 0))].groupby("customer_id")["day"]
    customers = pd.DataFrame(
        {
            "first_order_date": bought.min(),
            "last_order_date": bought.max(),
            "frequency": bought.size(),
        }
    )
    customers["monetary"] = amount.groupby("customer_id").sum().round(6)
    customers["recency"] = (as_of - customers["last_order_date"]).dt.days
    for measure in ("recency", "frequency", "monetary"):
        cuts = customers[measure].quantile([0.2, 0.4, 0.6, 0.8]).to_numpy()
        below = np.searchsorted(cuts, customers[measure].to_numpy(), side="left")
        customers[f"{measure[0]}_score"] = 5 - below if measure == "recency" else 1 + below
    codes = [customers[f"{measure}_score"].astype(str) for measure in "rfm"]
    customers["rfm_code"] = codes[0] + codes[1] + codes[2]
    customers["as_of"] = customers["fitted_as_of"] = as_of
    cells = pd.DataFrame(segment_map())
    return customers.reset_index().merge(cells, on=["r_score", "f_score"], how="left")


def in_pandas(folder: Path, rounds: int) -> dict[str, float]:
    return {"rfm": written_back(folder, pandas_rfm, rounds), "gb": peak_gb()}


CHILDREN: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "seg-sql": bare_and_run,
    "orders": with_orders,
    "full": full,
    "polars": in_polars,
    "files": polars_files,
    "pandas": in_pandas,
}


def report(results: dict[str, dict[str, Any]]) -> None:
    ours = results.get("seg-sql", {})
    if not ours:
        return
    bare, run = ours["bare"], ours["run"]
    print(f"\nbare GROUP BY                 {bare:8.1f} s")
    print(
        f"seg-sql run +rfm              {run:8.1f} s   {run / bare:.2f} x the bare GROUP BY,"
        f" peak {ours['gb']:.1f} GB"
    )
    if more := results.get("orders"):
        print(
            f"  with orders as a table      {more['run']:8.1f} s   {more['run'] / bare:.2f} x the"
            f" bare GROUP BY, peak {more['gb']:.1f} GB"
        )
    if whole := results.get("full"):
        print(
            f"seg-sql build, RFM and more   {whole['build']:8.1f} s   all tests, duplicates"
            f" counted, peak {whole['gb']:.1f} GB"
        )
    peers = {
        "polars": "polars, from and to the table",
        "files": "polars, Parquet to Parquet",
        "pandas": "pandas, from and to the table",
    }

    def default(seconds: float) -> str:
        """Set a peer beside what a project without options takes as well."""
        whole = results.get("orders")
        return f" {seconds / whole['run']:.2f} x with the table orders," if whole else ""

    for peer, what in peers.items():
        if results.get(peer):
            seconds = results[peer]["rfm"]
            print(
                f"{what:<30}{seconds:8.1f} s   {seconds / run:.2f} x seg-sql run,{default(seconds)}"
                f" peak {results[peer]['gb']:.1f} GB"
            )


if __name__ == "__main__":
    main()
