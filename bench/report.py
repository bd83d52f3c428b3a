"""How long `seg-sql report` takes over a million customers, and how large the file is.

    python bench/report.py [--customers 1000000] [--select MODELS ...] [--keep DIR]

Generates order lines in a DuckDB file, builds the models without their tests, and prints the
median time of whole report processes beside the limit.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

COMMAND = [sys.executable, "-m", "seg_sql"]
LIMIT_SECONDS, LIMIT_KB = 5.0, 3000

# Customers buy 1 to 12 times within two years, some of them often; a line has one of 500 items.
LINES = """
create table raw_lines as
select
    customer_id,
    customer_id * 100 + order_number as order_id,
    date '2024-07-01' + cast(
        hash(customer_id, 1) % 500 + order_number * (hash(customer_id, 2) % 20 + 1) as integer
    ) as ordered_at,
    hash(customer_id, order_number, line, 3) % 500 as item_id,
    1 + hash(customer_id, order_number, line, 4) % 3 as quantity,
    cast(2 + hash(customer_id, order_number, line, 5) % 4000 / 100 as double) as unit_price
from range($customers) as customers (customer_id)
cross join range(12) as orders (order_number)
cross join range(2) as lines (line)
where order_number <= 12 * pow(hash(customer_id, 6) % 1000 / 1000, 3)
"""
PROJECT = """
name: bench
inputs:
  order_lines: {relation: main.raw_lines}
vars: {as_of: 2026-07-01}
"""


def main() -> None:
    """Print the figures beside their limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--select", nargs="*", default=[], help="Build these models only.")
    parser.add_argument("--keep", type=Path, help="Keep the project here, or use it again.")
    given = parser.parse_args()
    print(
        f"seg-sql {importlib.metadata.version('seg-sql')},"
        f" duckdb {importlib.metadata.version('duckdb')},"
        f" altair {importlib.metadata.version('altair')},"
        f" vl-convert {importlib.metadata.version('vl-convert-python')},"
        f" Python {sys.version.split()[0]}, {os.cpu_count()} cores, median of {given.rounds}"
    )
    with tempfile.TemporaryDirectory() as folder:
        shop = given.keep or Path(folder)
        if not (shop / "seg_sql.yml").exists():
            make(shop, given.customers, given.select)
        walls, cpus = zip(*(measured(shop) for _ in range(given.rounds)), strict=True)
        size = (shop / "report.html").stat().st_size / 1000
    print(f"report of {given.customers:,} customers, wall  {statistics.median(walls):6.2f} s"
          f"   (limit {LIMIT_SECONDS} s)")  # fmt: skip
    print(f"report of {given.customers:,} customers, CPU   {statistics.median(cpus):6.2f} s")
    print(f"size of the file {size:,.0f} kB   (limit {LIMIT_KB:,} kB)")


def make(shop: Path, customers: int, select: list[str]) -> None:
    shop.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(shop / "bench.duckdb")) as connection:
        connection.execute(LINES, {"customers": customers})
        lines = connection.execute("select count(*) from raw_lines").fetchone()[0]
    (shop / "seg_sql.yml").write_text(PROJECT)
    words = ["run", *(word for name in select for word in ("-s", name))]
    started = time.perf_counter()
    subprocess.run([*COMMAND, *words], cwd=shop, check=True, capture_output=True)
    print(f"built {lines:,} lines in {time.perf_counter() - started:.1f} s")


def measured(shop: Path) -> tuple[float, float]:
    """Return the wall and CPU seconds of one report."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*COMMAND, "report"], cwd=shop, check=True, capture_output=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
