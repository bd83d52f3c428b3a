"""Association rules from table to table: seg-sql beside mlxtend and Spark, in one run.

    python bench/rules.py                    Groceries, and 200,000 baskets of 1,000 items
    python bench/rules.py --groceries PATH   a Parquet file with basket_id and item
    python bench/rules.py --only generated --rounds 3

Every contender is a process of its own; they take turns. What is compared:

* seg-sql: `seg-sql run +association_rules`: a view that checks and types the order lines, frequent
  itemsets, rules with their measures, and the three published tables with their comments.
* mlxtend: the table into pandas, a one-hot frame (by factorize, the fastest way we know),
  fpgrowth, association_rules with one consequent, and the rules back into a table.
* Spark, where pyspark is installed: the table into a data frame of arrays, FPGrowth on all cores,
  and its association rules into pandas and a table. Spark has no leverage, conviction and Zhang.

Three times are printed for each: `process`, from start to end with the imports; `work`, from the
open database to the last table, without imports; and for seg-sql `database`, the part of work
that was spent in DuckDB. `cpu` is user and system time of the process, which tells more than
seconds on a busy machine. The rules of all contenders must be equal, their measures to 1e-9.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MEASURES = ("support", "confidence", "lift", "leverage", "conviction", "zhang")

PROJECT = """
name: bench
profile: bench
inputs:
  order_lines: {relation: raw.lines, columns: {order_id: order_id, item_id: item_id}}
vars: {duplicates: ignore}
models:
  association_rules: {min_support: %s, min_confidence: %s, max_items: 10}
"""


def main() -> None:
    """Run the contenders in turns and print their figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / "shared" / "data" / "groceries_baskets.parquet"
    parser.add_argument("--groceries", type=Path, default=shared)
    parser.add_argument("--baskets", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["groceries", "generated"])
    parser.add_argument("--without", nargs="*", default=[], help="Contenders to leave out.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--support", type=float, default=0.005)
    parser.add_argument("--confidence", type=float, default=0.3)
    given = parser.parse_args()
    if not given.child:
        from side_by_side import compiled

        compiled()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given)))
        return
    print(f"{versions()}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    cases = {"groceries": (0.001, 0.5), "generated": (given.support, given.confidence)}
    for case, (support, confidence) in cases.items():
        if given.only not in (None, case):
            continue
        if case == "groceries" and not given.groceries.exists():
            print(f"no Groceries at {given.groceries}: skipped")
            continue
        folder = Path(tempfile.mkdtemp(prefix="seg-sql-bench-"))
        try:
            given.folder, given.support, given.confidence = folder, support, confidence
            compare(case, given)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def versions() -> str:
    names = ["seg-sql", "duckdb", "pandas", "mlxtend", "pyspark"]
    known = [name for name in names if importlib.util.find_spec(name.replace("-", "_"))]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in known)


def compare(case: str, given: argparse.Namespace) -> None:
    """Run every contender in turns on one set of baskets, and compare rows and times."""
    lines = prepare(case, given)
    print(f"\n{case}: {lines:,} lines, support {given.support}, confidence {given.confidence}")
    names = [name for name in CHILDREN if name not in given.without]
    if not importlib.util.find_spec("pyspark"):
        names = [name for name in names if name != "spark"]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            results[name].append(child(name, given))
    best = {
        name: {what: min(each[what] for each in rounds) for what in rounds[0]}
        for name, rounds in results.items()
    }
    for name, figures in best.items():
        said = "  ".join(f"{what} {value:8.2f}" for what, value in figures.items())
        print(f"  {name:<8} {said}")
    equal(given.folder, [name for name in names if name != "seg-sql"])
    ours = best["seg-sql"]
    for name, figures in best.items():
        if name != "seg-sql":
            print(
                f"  {name} took {figures['work'] / ours['database']:.1f} times the time in the"
                f" database, {figures['work'] / ours['work']:.1f} times the work,"
                f" {figures['process'] / ours['process']:.1f} times the process,"
                f" {figures['cpu'] / ours['cpu']:.1f} times the cpu of seg-sql"
            )


def child(name: str, given: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", name, "--folder", str(given.folder)]
    command += ["--support", str(given.support), "--confidence", str(given.confidence)]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {"process": time.perf_counter() - began, "cpu": cpu, **figures}


# The data -----------------------------------------------------------------------------------------


def prepare(case: str, given: argparse.Namespace) -> int:
    """Make the table of order lines; return how many they are."""
    import duckdb

    folder = given.folder
    (folder / "seg_sql.yml").write_text(PROJECT % (given.support, given.confidence))
    (folder / "profiles.yml").write_text(
        "bench: {target: dev, outputs: {dev: {type: duckdb, path: bench.duckdb}}}\n"
    )
    with duckdb.connect(str(folder / "bench.duckdb")) as connection:
        connection.execute("create schema raw")
        if case == "groceries":
            connection.execute(
                "create table raw.lines as select basket_id as order_id, item as item_id"
                f" from '{given.groceries}'"
            )
        else:
            baskets = generated(given.baskets, given.items)
            connection.register("baskets", baskets)
            connection.execute("create table raw.lines as select * from baskets")
        [[lines]] = connection.execute("select count(*) from raw.lines").fetchall()
    return int(lines)


def generated(baskets: int, items: int) -> Any:
    """Return baskets of about ten items: popular ones alone, and some of 500 patterns of 2 to 5.

    Of a pattern that a basket takes, each item is left out one time in four.
    """
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(1)
    popularity = 1 / np.arange(1, items + 1) ** 0.8
    popularity /= popularity.sum()
    patterns = [
        generator.choice(items, size=generator.integers(2, 6), replace=False, p=popularity)
        for _ in range(500)
    ]
    liking = generator.exponential(size=len(patterns))
    alone = np.repeat(np.arange(baskets), 1 + generator.poisson(5.1, baskets))
    taken = np.repeat(np.arange(baskets), generator.poisson(1.5, baskets))
    chosen = generator.choice(len(patterns), len(taken), p=liking / liking.sum())
    sizes = np.array([len(pattern) for pattern in patterns])
    order_ids = np.concatenate([alone, np.repeat(taken, sizes[chosen])])
    item_ids = np.concatenate(
        [
            generator.choice(items, len(alone), p=popularity),
            np.concatenate([patterns[place] for place in chosen]),
        ]
    )
    kept = generator.random(len(item_ids)) < 0.75
    kept[: len(alone)] = True
    return pd.DataFrame({"order_id": order_ids[kept], "item_id": item_ids[kept]}).drop_duplicates()


# The contenders -----------------------------------------------------------------------------------


def seg_sql(given: argparse.Namespace) -> dict[str, float]:
    from seg_sql import commands
    from seg_sql.engines import duckdb as engine_module
    from seg_sql.events import Log
    from seg_sql.session import Settings

    engines: list[Any] = []
    opened = engine_module.DuckDBEngine.__init__

    def remembered(self: Any, *words: Any, **more: Any) -> None:
        engines.append(self)
        opened(self, *words, **more)

    engine_module.DuckDBEngine.__init__ = remembered  # type: ignore[method-assign]
    settings = Settings(project_dir=given.folder, profiles_dir=given.folder)
    began = time.perf_counter()
    assert commands.run("run", settings, Log(), select=["+association_rules"]) == 0
    work = time.perf_counter() - began
    return {"work": work, "database": sum(engine.seconds for engine in engines)}


def mlxtend(given: argparse.Namespace) -> dict[str, float]:
    import duckdb
    import numpy as np
    import pandas as pd
    from mlxtend.frequent_patterns import association_rules, fpgrowth

    began = time.perf_counter()
    with duckdb.connect(str(given.folder / "bench.duckdb")) as connection:
        frame = connection.sql("select order_id, item_id from raw.lines").df()
        orders, order_ids = pd.factorize(frame["order_id"])
        items, item_ids = pd.factorize(frame["item_id"])
        one_hot = np.zeros((len(order_ids), len(item_ids)), dtype=bool)
        one_hot[orders, items] = True
        sets = fpgrowth(
            pd.DataFrame(one_hot, columns=item_ids), min_support=given.support, use_colnames=True
        )
        found = association_rules(sets, metric="confidence", min_threshold=given.confidence)
        found = found[found["consequents"].map(len) == 1]
        keep(connection, "mlxtend", found, MEASURES[:-1], {"zhang": "zhangs_metric"})
    return {"work": time.perf_counter() - began}


def spark(given: argparse.Namespace) -> dict[str, float]:
    import duckdb
    from pyspark.ml.fpm import FPGrowth
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[*]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.shuffle.partitions", str(os.cpu_count()))
        .getOrCreate()
    )
    began = time.perf_counter()
    with duckdb.connect(str(given.folder / "bench.duckdb")) as connection:
        path = given.folder / "baskets.parquet"
        connection.execute(
            "copy (select order_id, list(distinct item_id) as items from raw.lines group by 1)"
            f" to '{path}' (format parquet)"
        )
        fitted = FPGrowth(
            itemsCol="items", minSupport=given.support, minConfidence=given.confidence
        ).fit(session.read.parquet(str(path)))
        found = fitted.associationRules.toPandas()
        found = found.rename(columns={"antecedent": "antecedents", "consequent": "consequents"})
        keep(connection, "spark", found, ("support", "confidence", "lift"), {})
    work = time.perf_counter() - began
    session.stop()
    return {"work": work}


def keep(
    connection: Any, name: str, rules: Any, measures: tuple[str, ...], renamed: dict[str, str]
) -> None:
    """Write rules into a table: the items as readable texts, and the measures."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "antecedent": [", ".join(sorted(map(str, items))) for items in rules["antecedents"]],
            "consequent": [str(next(iter(items))) for items in rules["consequents"]],
            **{measure: rules[measure].to_numpy() for measure in measures},
            **{measure: rules[theirs].to_numpy() for measure, theirs in renamed.items()},
        }
    )
    connection.register("rules", table)
    connection.execute(f"create or replace table raw.{name} as select * from rules")


CHILDREN = {"seg-sql": seg_sql, "mlxtend": mlxtend, "spark": spark}


# The rows -----------------------------------------------------------------------------------------


def equal(folder: Path, names: list[str]) -> None:
    """Stop unless the rules of all are the same, and their measures to 1e-9."""
    import duckdb

    with duckdb.connect(str(folder / "bench.duckdb"), read_only=True) as connection:
        [[ours]] = connection.execute("select count(*) from seg_sql.association_rules").fetchall()
        for name in names:
            table = connection.execute(f"select * from raw.{name} limit 0").df()
            measures = [measure for measure in MEASURES if measure in table]
            near = " and ".join(
                # An infinite conviction is NULL in ours.
                f"(abs(ours.{measure} - theirs.{measure})"
                f" <= 1e-9 * greatest(1, abs(ours.{measure}))"
                f" or (ours.{measure} is null and isinf(theirs.{measure})))"
                for measure in measures
            )
            [[same, theirs]] = connection.execute(
                f"""
                select
                    (
                        select count(*)
                        from seg_sql.association_rules as ours
                        join raw.{name} as theirs
                            on theirs.antecedent = ours.antecedent
                            and theirs.consequent = ours.consequent
                        where {near}
                    ),
                    (select count(*) from raw.{name})
                """
            ).fetchall()
            if not ours == same == theirs:
                sys.exit(f"  {name} has {theirs:,} rules, seg-sql {ours:,}; {same:,} are equal")
            print(f"  {ours:,} rules, all equal to those of {name} ({', '.join(measures)})")


if __name__ == "__main__":
    main()
