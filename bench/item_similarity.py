"""Similar items from order lines: seg-sql beside the pipeline a user would write, in one run.

    python bench/item_similarity.py                        1 million baskets, 20,000 items, top 20
    python bench/item_similarity.py --baskets 10000000 --only seg-sql --memory 8GB
    python bench/item_similarity.py --large-basket 10000   beside the same without that basket

Every contender is a whole process, from its start to the table in the database; they take turns.
The user's pipeline: the order lines into pandas, factorize, a scipy sparse matrix,
implicit.nearest_neighbours.CosineRecommender, and its similarities back into a table. It keeps
every pair, so seg-sql runs twice: as it is by default, where a pair must share two baskets, and
with every pair. seg-sql publishes the counts and every measure as well, and runs its tests. Ids are
texts, as order numbers and SKUs mostly are. Seconds of the clock and of the processors are printed,
since others may use the machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

ITEMS = 20_000
TOP = 20

# A basket has 1 + an exponential number of items; an item's popularity falls with its number.
GENERATE = """
create table seg_sql.raw_lines as
with baskets as (
    select
        range as basket,
        least(60, 1 + cast(floor(-5.7e0 * ln(1 - {u_size})) as bigint)) as items
    from range({baskets})
)
select
    'O' || lpad(cast(basket as varchar), 9, '0') as order_id,
    'SKU' || lpad(cast(cast(floor({items} * pow({u_item}, {skew})) as bigint) as varchar), 6, '0')
        as item_id
from (select basket, unnest(range(items)) as draw from baskets) as drawn
{large}
"""
LARGE = """
union all
select 'O-large' as order_id, 'SKU' || lpad(cast(range as varchar), 6, '0') as item_id
from range({items})
"""
PROJECT = """
name: bench
inputs:
  order_lines: {{relation: seg_sql.raw_lines, columns: {{order_id: order_id, item_id: item_id}}}}
models:
  item_similarity: {{top_n: {top}, min_pair_baskets: {pair}, min_item_baskets: 1}}
"""
PROFILE = """
bench:
  target: dev
  outputs:
    dev: {{type: duckdb, path: {path}, schema: seg_sql{settings}}}
"""


def main() -> None:
    """Run the contenders in turns and print their figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--baskets", type=int, default=1_000_000)
    parser.add_argument("--skew", type=float, default=3.4, help="Of the items' popularity.")
    parser.add_argument("--large-basket", type=int, help="One basket with so many items.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", help="DuckDB's memory_limit.")
    parser.add_argument("--threads", type=int, help="DuckDB's threads.")
    parser.add_argument("--only", help="One contender: seg-sql, every-pair or peer.")
    parser.add_argument("--folder", type=Path, help="Keep the data here.")
    parser.add_argument("--verbose", action="store_true", help="Print what each statement takes.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.child:
        from side_by_side import compiled

        compiled()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given)))
        return
    folder = given.folder or Path(tempfile.mkdtemp(prefix="seg-sql-bench-"))
    try:
        print(versions())
        names = [given.only] if given.only else list(CHILDREN)
        folders = {"": prepare(given, folder, None)}
        if given.large_basket:
            names = ["seg-sql"]
            folders[" with"] = prepare(given, folder, given.large_basket)
        results: dict[str, list[dict[str, Any]]] = {}
        for _ in range(given.rounds):
            for name in names:
                for mark, place in folders.items():
                    results.setdefault(name + mark, []).append(child(name, mark, given, place))
        report(results)
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def versions() -> str:
    names = ["seg-sql", "duckdb", "implicit", "scipy", "pandas"]
    known = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return f"{known}, Python {sys.version.split()[0]}, {os.cpu_count()} cores"


def prepare(given: argparse.Namespace, folder: Path, large: int | None) -> Path:
    """Make the order lines and the project once; return their folder."""
    import duckdb

    place = folder / (f"large_{large}" if large else "plain")
    place.mkdir(parents=True, exist_ok=True)
    settings = f", settings: {{memory_limit: {given.memory}}}" if given.memory else ""
    settings += f", threads: {given.threads}" if given.threads else ""
    (place / "profiles.yml").write_text(
        PROFILE.format(path=place / "bench.duckdb", settings=settings)
    )
    with closing(duckdb.connect(str(place / "bench.duckdb"))) as connection:
        connection.execute("create schema if not exists seg_sql")
        if not connection.execute(
            "select 1 from information_schema.tables where table_name = 'raw_lines'"
        ).fetchall():
            uniform = "(hash(basket * 64 + {salt}) % 16777213 + 0.5e0) / 16777213"
            connection.execute(
                GENERATE.format(
                    baskets=given.baskets,
                    items=ITEMS,
                    skew=given.skew,
                    u_size="(hash(range * 7 + 1) % 1000003) / 1000003e0",
                    u_item=uniform.format(salt="draw"),
                    large=LARGE.format(items=large) if large else "",
                )
            )
        lines, baskets, items = connection.execute(
            "select count(*), count(distinct order_id), count(distinct item_id)"
            " from seg_sql.raw_lines"
        ).fetchall()[0]
    print(f"{baskets:,} baskets, {lines:,} lines, {items:,} items, top {TOP}", flush=True)
    return place


def child(name: str, mark: str, given: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Run a contender as a process of its own and take its time and peak memory."""
    words = ["--folder", str(place)]
    words += ["--verbose"] if given.verbose else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--child", name, *words], capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed\n{done.stdout}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if given.verbose:
        print("\n".join(done.stdout.splitlines()[:-1]))
    result["seconds"] = seconds
    result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"  {name + mark:<13} {seconds:7.2f} s  cpu {result['cpu']:7.2f} s"
        f"  {result['peak_gb']:5.2f} GB  {result['rows']:,} rows",
        flush=True,
    )
    return result


def peak_gb() -> float:
    # Not getrusage: a child starts there with the peak of its parent.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024**2


def peer(given: argparse.Namespace) -> dict[str, Any]:
    """Do what a user would."""
    import warnings

    import duckdb
    import numpy as np
    import pandas as pd
    from implicit.nearest_neighbours import CosineRecommender
    from scipy.sparse import csr_matrix

    connection = duckdb.connect(str(given.folder / "bench.duckdb"))
    frame = connection.execute("select order_id, item_id from seg_sql.raw_lines").df()
    baskets, basket_ids = pd.factorize(frame["order_id"])
    items, item_ids = pd.factorize(frame["item_id"])
    matrix = csr_matrix(
        (np.ones(len(frame), dtype=np.float32), (baskets, items)),
        shape=(len(basket_ids), len(item_ids)),
    )
    matrix.data[:] = 1
    # Its K counts the item itself.
    model = CosineRecommender(K=TOP + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, show_progress=False)
    found = model.similarity.tocoo()
    frame = pd.DataFrame(
        {
            "item_id": item_ids[found.row],
            "similar_item_id": item_ids[found.col],
            "similarity": found.data,
        }
    )
    ranked = frame[found.row != found.col].sort_values(
        ["item_id", "similarity"], ascending=[True, False]
    )
    ranked["rank"] = ranked.groupby("item_id").cumcount() + 1
    connection.execute("create or replace table seg_sql.peer_similar as select * from ranked")
    connection.close()
    return {"rows": len(ranked), "peak_gb": peak_gb()}


def seg_sql(given: argparse.Namespace, least: int = 2) -> dict[str, Any]:
    """Build item_similarity, with its tests, of the pairs that share `least` baskets."""
    from seg_sql import commands
    from seg_sql.engines.duckdb import DuckDBEngine
    from seg_sql.events import Log, NodeFinished
    from seg_sql.session import Settings

    if given.verbose:
        send = DuckDBEngine.send

        def watched(self: Any, sql: str, *arguments: Any, **named: Any) -> Any:
            started, cpu = time.perf_counter(), time.process_time()
            result = send(self, sql, *arguments, **named)
            title = next((line for line in sql.split("\n") if line.startswith("--")), sql[:60])
            if (seconds := time.perf_counter() - started) > 0.02:
                print(f"    {seconds:7.3f} s  cpu {time.process_time() - cpu:6.3f} s  {title[:80]}")
            return result

        DuckDBEngine.send = watched  # type: ignore[method-assign]
    (given.folder / "seg_sql.yml").write_text(PROJECT.format(top=TOP, pair=least))
    log = Log()
    settings = Settings(project_dir=given.folder, profiles_dir=given.folder)
    code = commands.run("build", settings, log, select=["order_lines_clean", "item_similarity"])
    if code != 0:
        raise SystemExit(f"seg-sql build ended with {code}: {log.events}")
    rows = next(each.rows for each in log.of(NodeFinished) if each.name == "item_similarity")
    return {"rows": rows, "peak_gb": peak_gb()}


def every_pair(given: argparse.Namespace) -> dict[str, Any]:
    """Build item_similarity of every pair, as the peer does."""
    return seg_sql(given, least=1)


CHILDREN = {"seg-sql": seg_sql, "every-pair": every_pair, "peer": peer}


def report(results: dict[str, list[dict[str, Any]]]) -> None:
    """Print the ratios of the best rounds."""
    *contenders, (last, theirs) = results.items()
    for name, ours in contenders:
        for what in ("seconds", "cpu"):
            mine, other = (min(each[what] for each in runs) for runs in (ours, theirs))
            spread = statistics.median(each[what] for each in theirs) / statistics.median(
                each[what] for each in ours
            )
            print(
                f"{what}: {last} / {name} = {other / mine:.2f} ({other:.2f} s / {mine:.2f} s, best"
                f" rounds); medians {spread:.2f}"
            )


if __name__ == "__main__":
    main()
