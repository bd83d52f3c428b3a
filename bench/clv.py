"""Customer lifetime value: seg-sql beside lifetimes and one bare GROUP BY, in one run.

    python bench/clv.py                                       1 million customers, 10 million orders
    python bench/clv.py --customers 10000000 --only bare,chain    the memory of the whole chain
    python bench/clv.py --engine postgres                      the same chain in PostgreSQL, on a
                                                               server with 256 MB of work_mem
    python bench/clv.py --engine postgres --untouched          on one as it is installed, 4 MB
    python bench/clv.py --peer-rows 100000                     lifetimes' Pareto/NBD on fewer rows

Contenders are whole processes, from their start to the table they leave in the database:

* bare: `group by customer_id` over the orders with min, max, count and sum.
* chain: `seg-sql run -s +clv`, from the orders to clv and its outputs: the customers' summary,
  the fit of BG/NBD and Gamma-Gamma to all of it and once more to the calibration period, the
  holdout and its metrics, scores.
* forecast: the same with `holdout: false`: no calibration period, holdout and metrics.
* lifetimes: what `forecast` does, from the same table: the orders into pandas, its summary,
  BetaGeoFitter and GammaGammaFitter, P(alive), expected orders and value, back into a table.
* lifetimes-holdout: what `chain` does: the same, and its calibration_and_holdout_data with the
  calibration end that we take, both fits to it, and the errors of what they expect of the holdout.
* fit, pareto: the fits alone, of BG/NBD and Pareto/NBD to all days, on the summary that is there.
  Ours: from the grouping of its rows to the standard errors, without values and scores.
  lifetimes: `fit` of arrays in memory, not grouped, as its users do. It takes minutes for
  Pareto/NBD: `--peer-rows` gives it fewer rows, and says so.

The orders are drawn from BG/NBD (r 1.4, alpha 25 days, a .8, b 7), ages of 30 to 730 days, values
from Gamma-Gamma (p 4, q 3.7, v 15); equal seeds give equal orders.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from side_by_side import child, compiled, embedded_postgres, peak_gb, timed, versions

LAST_DAY = "2024-12-31"
AS_OF = "2025-01-01"
DAYS = 730
HORIZON = 52
# Two thirds through the observed days, as seg-sql takes it where the options name no other.
CALIBRATION_END = "2024-05-01"
CHUNK = 1_000_000
TRUTH = {"r": 1.4, "alpha": 25.0, "a": 0.8, "b": 7.0, "p": 4.0, "q": 3.7, "v": 15.0}

# An untouched server sorts and hashes in 4 MB: nobody runs analyses of ten million lines on that.
POSTGRES = {
    "work_mem": "256MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "8GB",
    "max_parallel_workers_per_gather": "2",
    "max_wal_size": "8GB",
}

# The first order at 0, the last at t_x; those between are uniform there, given t_x. An order's
# value is the sum of four exponentials, which is gamma with the shape 4.
GENERATE = """
insert into raw.orders
with numbered as (
    select
        customer_id,
        age,
        frequency,
        recency,
        value_rate,
        number,
        customer_id * 4096 + number as order_id
    from drawn, unnest(range(frequency + 1)) as numbers(number)
)
select
    customer_id,
    order_id,
    cast(timestamp '{last_day}' + to_days(1) - to_seconds(86400 * (age - case number
        when 0 then 0
        when frequency then recency
        else recency * ((hash(order_id) % 1000003) + 0.5) / 1000003
    end)) as timestamp) as ordered_at,
    round(greatest(0.01, -ln(
        (((hash(order_id + 1000000000000) % 1000003) + 0.5) / 1000003)
        * (((hash(order_id + 2000000000000) % 1000003) + 0.5) / 1000003)
        * (((hash(order_id + 3000000000000) % 1000003) + 0.5) / 1000003)
        * (((hash(order_id + 4000000000000) % 1000003) + 0.5) / 1000003)
    ) / value_rate), 2) as amount
from numbered
"""

BARE = """
create table {bare} as
select
    customer_id,
    min(ordered_at) as first_order,
    max(ordered_at) as last_order,
    count(*) as orders,
    sum(amount) as amount
from {orders}
group by customer_id
"""

PROJECT = """
name: bench
profile: bench
inputs:
  order_lines: {{relation: raw.orders}}
vars: {{as_of: {as_of}, duplicates: ignore, clv_time_unit: week}}
models:
  clv: {options}
"""


def main() -> None:
    """Run the contenders in turns and print their figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-rows", type=int, help="Customers for lifetimes' Pareto/NBD.")
    parser.add_argument("--model", default="bg_nbd", help="The model of the chain.")
    parser.add_argument("--sample-rows", type=int, help="0: fits start from moments, on all rows.")
    parser.add_argument("--memory", help="DuckDB's memory_limit.")
    parser.add_argument("--only", default="", help="Contenders, as in bare,chain.")
    parser.add_argument("--skip", default="", help="Contenders to leave out, as in pareto.")
    parser.add_argument("--untouched", action="store_true", help="The server's own settings.")
    parser.add_argument("--dsn", help="A PostgreSQL server instead of the embedded one.")
    parser.add_argument("--folder", type=Path, help="Keep the data here.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.child:
        compiled()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given)))
        return
    kept = given.folder is not None
    given.folder = given.folder or Path(tempfile.mkdtemp(prefix="seg-sql-bench-"))
    given.folder.mkdir(parents=True, exist_ok=True)
    server = None
    try:
        if given.engine == "postgres" and not given.dsn:
            server = embedded_postgres()
            given.dsn = server.get_uri()
            if not given.untouched:
                settle(given.dsn)
        orders = prepare(given)
        packages = ["seg-sql", "duckdb", "lifetimes", "pandas", "numpy", "scipy"]
        packages += ["psycopg"] if given.engine == "postgres" else []
        print(
            f"{given.customers:,} customers, {orders:,} orders, {given.engine},"
            f" {given.model}; {versions(*packages)}",
            flush=True,
        )
        run_all(given)
    finally:
        if server is not None:
            server.cleanup()
        if not kept:
            shutil.rmtree(given.folder, ignore_errors=True)


def settle(dsn: str) -> None:
    """Give the embedded server what a server of this size gets, for all contenders alike."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as server:
        for name, value in POSTGRES.items():
            server.execute(f"alter system set {name} = '{value}'")
        server.execute("select pg_reload_conf()")
    print(f"server settings: {POSTGRES}", flush=True)


def run_all(given: argparse.Namespace) -> None:
    """Take the contenders in turns, the slow ones once."""
    wanted = given.only.split(",") if given.only else list(ROUNDS)
    wanted = [name for name in wanted if name not in given.skip.split(",")]
    if given.engine == "postgres" and not given.only:
        wanted = ["bare", "chain", "forecast"]
    results: dict[str, list[dict[str, Any]]] = {}
    for round_ in range(given.rounds):
        for name in wanted:
            if round_ == 0 or ROUNDS[name]:
                result = child(__file__, name, words(given))
                if name in ("chain", "forecast"):
                    published(given, result)
                results.setdefault(name, []).append(result)
                print(line(name, result), flush=True)
    report(given, results)


def words(given: argparse.Namespace) -> list[str]:
    named = {
        "--engine": given.engine,
        "--customers": given.customers,
        "--peer-rows": given.peer_rows,
        "--model": given.model,
        "--sample-rows": given.sample_rows,
        "--memory": given.memory,
        "--dsn": given.dsn,
        "--folder": given.folder,
    }
    return [str(part) for pair in named.items() if pair[1] is not None for part in pair]


def line(name: str, result: dict[str, Any]) -> str:
    rest = {k: v for k, v in result.items() if k not in ("seconds", "cpu", "gb", "notes")}
    figures = "  ".join(f"{what} {figure:,.4g}" for what, figure in rest.items())
    text = (
        f"  {name:<10} {result['seconds']:8.2f} s  CPU {result['cpu']:8.2f} s"
        f"  {result['gb']:5.2f} GB  {figures}"
    )
    return "\n".join([text, *(f"      {note}" for note in result.get("notes", []))])


# The orders.


def prepare(given: argparse.Namespace) -> int:
    """Make the orders once; return how many there are."""
    import duckdb

    path = given.folder / "bench.duckdb"
    with duckdb.connect(str(path)) as connection:
        if not connection.execute("from duckdb_tables() where schema_name = 'raw'").fetchall():
            connection.execute("create schema raw")
            draw_orders(connection, given.customers)
        found = connection.execute("select count(*) from raw.orders").fetchone()
        if given.engine == "postgres":
            into_postgres(given, connection)
    (given.folder / "profiles.yml").write_text(profiles(given))
    return int(found[0]) if found else 0


def draw_orders(connection: Any, customers: int) -> None:
    import numpy as np
    import pandas as pd

    connection.execute(
        "create table raw.orders"
        " (customer_id bigint, order_id bigint, ordered_at timestamp, amount double)"
    )
    for number, start in enumerate(range(0, customers, CHUNK)):
        random = np.random.default_rng([2024, number])
        size = min(CHUNK, customers - start)
        # Whole and half days: a first order at noon, so that days are counted as they were drawn.
        age = random.integers(30, DAYS + 1, size)
        rate = random.gamma(TRUTH["r"], 1 / TRUTH["alpha"], size)
        wished = random.poisson(rate * age)
        leaving = np.maximum(random.beta(TRUTH["a"], TRUTH["b"], size), 1e-9)
        frequency = np.minimum(wished, random.geometric(leaving))
        share = random.beta(np.maximum(frequency, 1), wished - frequency + 1)
        drawn = pd.DataFrame(
            {
                "customer_id": np.arange(start, start + size),
                "age": age + 0.5,
                "frequency": np.minimum(frequency, 4095),
                "recency": np.where(frequency > 0, share * age, 0.0),
                "value_rate": random.gamma(TRUTH["q"], 1 / TRUTH["v"], size),
            }
        )
        connection.register("drawn", drawn)
        connection.execute(GENERATE.format(last_day=LAST_DAY))
        connection.unregister("drawn")


def into_postgres(given: argparse.Namespace, connection: Any) -> None:
    import psycopg

    with psycopg.connect(given.dsn, autocommit=True) as server, server.cursor() as cursor:
        if cursor.execute("select to_regclass('raw.orders')").fetchone() != (None,):
            return
        cursor.execute("create schema raw")
        cursor.execute(
            "create table raw.orders (customer_id bigint, order_id bigint, ordered_at timestamp,"
            " amount double precision)"
        )
        path = given.folder / "orders.csv"
        connection.execute(f"copy raw.orders to '{path}' (header false)")
        with path.open("rb") as file, cursor.copy("copy raw.orders from stdin (format csv)") as to:
            while part := file.read(1 << 20):
                to.write(part)
        path.unlink()
        cursor.execute("vacuum analyze raw.orders")


def profiles(given: argparse.Namespace) -> str:
    import yaml

    if given.engine == "duckdb":
        settings = {"settings": {"memory_limit": given.memory}} if given.memory else {}
        output = {
            "type": "duckdb",
            "path": str(given.folder.resolve() / "bench.duckdb"),
            **settings,
        }
    else:
        from psycopg.conninfo import conninfo_to_dict

        known = {"host", "port", "user", "password", "dbname"}
        parts = {k: v for k, v in conninfo_to_dict(given.dsn).items() if k in known}
        output = {"type": "postgres", "schema": "seg_sql", **parts}
    return yaml.safe_dump({"bench": {"target": "dev", "outputs": {"dev": output}}})


# The contenders.


def bare(given: argparse.Namespace) -> dict[str, Any]:
    """One pass over the orders."""
    statement = BARE.format(bare="raw.bare", orders="raw.orders")
    if given.engine == "duckdb":
        import duckdb

        with duckdb.connect(str(given.folder / "bench.duckdb")) as connection:
            connection.execute("drop table if exists raw.bare")
            seconds = timed(lambda: connection.execute(statement))
    else:
        import psycopg

        with psycopg.connect(given.dsn, autocommit=True) as connection:
            connection.execute("drop table if exists raw.bare")
            seconds = timed(lambda: connection.execute(statement))
    return {"statement": seconds, "gb": peak_gb()}


def seg_sql(
    given: argparse.Namespace, *select: str, project: Path | None = None, **options: Any
) -> Any:
    """Do what `seg-sql run` does; return the events."""
    import yaml

    from seg_sql import commands
    from seg_sql.events import Log
    from seg_sql.session import Settings

    if given.sample_rows is not None:
        options["sample_rows"] = given.sample_rows
    project = project or given.folder
    (project / "seg_sql.yml").write_text(
        PROJECT.format(as_of=AS_OF, options=yaml.safe_dump(options, default_flow_style=True))
    )
    log = Log()
    settings = Settings(project_dir=project, profiles_dir=given.folder)
    code = commands.run("run", settings, log, select=list(select))
    assert code == 0, [str(event) for event in log.events[-5:]]
    return log


def fetch(given: argparse.Namespace, statement: str) -> list[Any]:
    if given.engine == "duckdb":
        import duckdb

        with duckdb.connect(str(given.folder / "bench.duckdb"), read_only=True) as connection:
            return connection.execute(statement).fetchall()
    import psycopg

    with psycopg.connect(given.dsn) as connection:
        return connection.execute(statement).fetchall()


def chain(given: argparse.Namespace) -> dict[str, Any]:
    """From the orders to clv."""
    holdout = {} if given.child == "chain" else {"holdout": False}
    log = seg_sql(given, "+clv", model=given.model, horizon=HORIZON, **holdout)
    return {"gb": peak_gb(), "notes": nodes(log)}


def published(given: argparse.Namespace, result: dict[str, Any]) -> None:
    """Add to a result of `chain` what its tables say; nobody's clock runs meanwhile."""
    sums = fetch(given, "select sum(expected_orders), sum(clv) from seg_sql.clv")[0]
    result["expected_orders"], result["clv"] = map(float, sums)
    metrics = fetch(given, "select metric, value from seg_sql.clv_metrics order by metric")
    result["notes"] += fits(given)
    if metrics:
        said = ", ".join(f"{name} {value:.5g}" for name, value in metrics)
        result["notes"].append(f"holdout: {said}")


def nodes(log: Any) -> list[str]:
    from seg_sql.events import NodeFinished

    return [f"{each.name} {each.seconds:.2f} s" for each in log.of(NodeFinished)]


def fits(given: argparse.Namespace) -> list[str]:
    rows = fetch(
        given,
        "select model, fit, status, customers, distinct_rows, log_likelihood, evaluations"
        " from seg_sql.clv_fit order by fit desc, model",
    )
    estimates = fetch(
        given,
        "select model, fit, parameter, estimate from seg_sql.clv_parameters order by 1, 2, 3",
    )
    notes = []
    for model, fit, status, customers, distinct, likelihood, evaluations in rows:
        known = " ".join(
            f"{parameter} {estimate:.5g}"
            for of, of_fit, parameter, estimate in estimates
            if (of, of_fit) == (model, fit)
        )
        notes.append(
            f"{model} {fit}: {status}, {evaluations} evaluations of {distinct:,} distinct rows of"
            f" {customers:,}, log-likelihood {likelihood:,.3f}, {known}"
        )
    return notes


PEER_ORDERS = "select customer_id, ordered_at, amount from raw.orders"


def lifetimes(given: argparse.Namespace) -> dict[str, Any]:
    """The whole chain as a user of lifetimes writes it."""
    import warnings

    import duckdb

    warnings.simplefilter("ignore")
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import calibration_and_holdout_data, summary_data_from_transaction_data

    seconds = {}
    found: dict[str, Any] = {}

    def summarise() -> None:
        found["orders"] = connection.execute(PEER_ORDERS).df()
        found["summary"] = summary_data_from_transaction_data(
            found["orders"],
            "customer_id",
            "ordered_at",
            monetary_value_col="amount",
            observation_period_end=LAST_DAY,
            freq="D",
        )

    def fit() -> None:
        table = found["summary"]
        found["bg"] = BetaGeoFitter().fit(table["frequency"], table["recency"], table["T"])

    def fit_values() -> None:
        table = found["summary"]
        known = table[(table["frequency"] > 0) & (table["monetary_value"] > 0)]
        found["gg"] = GammaGammaFitter().fit(known["frequency"], known["monetary_value"])

    def score() -> None:
        table, bg, gg = found["summary"], found["bg"], found["gg"]
        of = (table["frequency"], table["recency"], table["T"])
        table["p_alive"] = bg.conditional_probability_alive(*of)
        table["expected_orders"] = bg.conditional_expected_number_of_purchases_up_to_time(
            HORIZON * 7, *of
        )
        table["expected_order_value"] = gg.conditional_expected_average_profit(
            table["frequency"], table["monetary_value"]
        )
        table["clv"] = table["expected_orders"] * table["expected_order_value"]
        connection.register("scored", table.reset_index())
        connection.execute("create or replace table raw.peer as select * from scored")

    def look_back() -> None:
        table = calibration_and_holdout_data(
            found["orders"],
            "customer_id",
            "ordered_at",
            calibration_period_end=CALIBRATION_END,
            observation_period_end=LAST_DAY,
            monetary_value_col="amount",
            freq="D",
        )
        of = (table["frequency_cal"], table["recency_cal"], table["T_cal"])
        bg = BetaGeoFitter().fit(*of)
        known = table[(table["frequency_cal"] > 0) & (table["monetary_value_cal"] > 0)]
        gg = GammaGammaFitter().fit(known["frequency_cal"], known["monetary_value_cal"])
        expected = bg.conditional_expected_number_of_purchases_up_to_time(
            table["duration_holdout"], *of
        )
        off = expected - table["frequency_holdout"]
        worth = expected * gg.conditional_expected_average_profit(
            table["frequency_cal"], table["monetary_value_cal"]
        )
        value = table["frequency_holdout"] * table["monetary_value_holdout"].fillna(0)
        found["errors"] = {
            "mae": float(off.abs().mean()),
            "rmse": float((off**2).mean() ** 0.5),
            "bias": float(off.mean()),
            "top_tenth": float(value[worth >= worth.quantile(0.9)].sum() / value.sum()),
        }

    with duckdb.connect(str(given.folder / "bench.duckdb")) as connection:
        stages = {"summary": summarise, "bg": fit, "gg": fit_values, "score": score}
        if given.child == "lifetimes-holdout":
            stages["holdout"] = look_back
        for name, work in stages.items():
            seconds[name] = timed(work)
    bg = found["bg"]
    table = found["summary"]
    parameters = " ".join(f"{name} {value:.5g}" for name, value in bg.params_.items())
    return {
        **seconds,
        **found.get("errors", {}),
        "expected_orders": float(table["expected_orders"].sum()),
        "clv": float(table["clv"].sum()),
        "gb": peak_gb(),
        "notes": [f"per day: {parameters}"],
    }


def peer_fit(given: argparse.Namespace) -> dict[str, Any]:
    """lifetimes' fit of one model to the summary, in memory."""
    import warnings

    import duckdb

    warnings.simplefilter("ignore")
    import lifetimes as package

    name = "ParetoNBDFitter" if given.child == "peer-pareto" else "BetaGeoFitter"
    with duckdb.connect(str(given.folder / "bench.duckdb"), read_only=True) as connection:
        table = connection.execute(
            "select frequency, recency, age from seg_sql.clv_customer_summary order by customer_id"
        ).df()
    if given.child == "peer-pareto" and given.peer_rows:
        table = table.iloc[: given.peer_rows]
    fitter = getattr(package, name)()
    seconds = timed(lambda: fitter.fit(table["frequency"], table["recency"], table["age"]))
    parameters = " ".join(f"{name} {value:.5g}" for name, value in fitter.params_.items())
    return {"fit": seconds, "rows": len(table), "gb": peak_gb(), "notes": [parameters]}


# Without a calibration: one fit, as the peer's.
FIT = """
{{ config(materialized='clv', unique_key='customer_id') }}
select customer_id, frequency, recency, age, monetary_value
from {{ ref('clv_customer_summary') }} as summary
"""


def our_fit(given: argparse.Namespace) -> dict[str, Any]:
    """Our fit of one model to the summary that is there, and how long that part of it took."""
    from seg_sql.algorithms import clv_fit

    seconds = dict.fromkeys(("count", "sample", "fit_buying"), 0.0)

    def clocked(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **words: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*args, **words)
            finally:
                seconds[name] += time.perf_counter() - started

        return run

    for name in seconds:
        setattr(clv_fit, name, clocked(name, getattr(clv_fit, name)))
    project = given.folder / "fit"
    (project / "sql" / "models").mkdir(parents=True, exist_ok=True)
    (project / "sql" / "models" / "clv.sql").write_text(FIT)
    model = "pareto_nbd" if given.child == "pareto" else "bg_nbd"
    seg_sql(given, "clv", project=project, model=model, horizon=HORIZON)
    return {"fit": sum(seconds.values()), **seconds, "gb": peak_gb(), "notes": fits(given)}


CHILDREN: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "bare": bare,
    "chain": chain,
    "forecast": chain,
    "lifetimes": lifetimes,
    "lifetimes-holdout": lifetimes,
    "fit": our_fit,
    "peer-fit": peer_fit,
    "pareto": our_fit,
    "peer-pareto": peer_fit,
}
# Which take part in every round; the others run once.
ROUNDS = {
    "bare": True,
    "chain": True,
    "forecast": True,
    "lifetimes": True,
    "lifetimes-holdout": False,
    "fit": True,
    "peer-fit": True,
    "pareto": True,
    "peer-pareto": False,
}


def report(given: argparse.Namespace, results: dict[str, list[dict[str, Any]]]) -> None:
    """Print medians and ratios."""

    def median(name: str, figure: str = "seconds") -> float:
        return statistics.median(each[figure] for each in results[name])

    def peak(name: str) -> float:
        return max(each["gb"] for each in results[name])

    print()
    for name, what in (("chain", "run -s +clv"), ("forecast", "the same, holdout: false")):
        if name not in results:
            continue
        ours = median(name)
        print(f"seg-sql {what:<25}{ours:8.2f} s, peak {peak(name):.2f} GB, whole process")
        if "bare" in results:
            bare = median("bare", "statement")
            print(f"  a bare GROUP BY {bare:.2f} s: ours takes {ours / bare:.1f} times that")
        for peer in ("lifetimes", "lifetimes-holdout"):
            if peer not in results or (name, peer) == ("forecast", "lifetimes-holdout"):
                continue
            theirs = median(peer)
            print(
                f"  {peer} {theirs:.2f} s, peak {peak(peer):.2f} GB, whole process:"
                f" {theirs / ours:.1f} times ours"
            )
            for figure in ("expected_orders", "clv"):
                mine, peers = (results[each][0][figure] for each in (name, peer))
                print(f"    sum of {figure}: {mine:,.0f}, of {peer} {peers:,.0f}")
    for name, peer in (("fit", "peer-fit"), ("pareto", "peer-pareto")):
        if {name, peer} <= results.keys():
            ours, theirs = median(name, "fit"), median(peer, "fit")
            print(
                f"{name}: lifetimes' fit {theirs:.2f} s on {results[peer][0]['rows']:,} rows;"
                f" ours {ours:.2f} s on {given.customers:,}: {theirs / ours:.1f} times"
            )


if __name__ == "__main__":
    main()
