"""What the history costs: rfm with 24 as_of in customer_segment_history, and rfm without it.

    python bench/history.py                                   5 million customers, DuckDB
    python bench/history.py --customers 200000 --postgres postgresql://me@localhost/bench

Both build `+rfm` for the same as_of from the same lines, in turns. Before each turn with history
the as_of that it adds is deleted, so that each adds one to 24. `seg-sql run`, thus without tests.
On PostgreSQL a schema `seg_sql_bench` is made and dropped.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from seg_sql import commands
from seg_sql.engines import open_engine
from seg_sql.events import Log
from seg_sql.profiles import DuckDBTarget, PostgresTarget
from seg_sql.session import Settings

AS_OF = "2026-07-01"
MONTHS = 24
LIMIT = 1.3
SCHEMA = "seg_sql_bench"

# Five lines for each customer, on days spread over 1,000.
LINES = """
create table {schema}.bench_lines as
select
    cast((cast(n as bigint) * 7919) % {customers} as bigint) as customer_id,
    cast(n / 2 as bigint) as order_id,
    cast(date '2023-10-01' + cast((cast(n as bigint) * 31 + turn * 97) % 1000 as integer)
        as timestamp) as ordered_at,
    cast(1 + n % 4 as integer) as quantity,
    cast(1 + (cast(n as bigint) * 37) % 5000 as double precision) / 100 as unit_price
from (
    select n, cast(floor(n / cast({customers} as double precision)) as bigint) as turn
    from generate_series(1, 5 * {customers}) as numbers(n)
) as numbered
"""

EARLIER = """
insert into {schema}.{table} ({columns})
select cast(as_of - {month} * interval '1' month as date), {others}
from {schema}.{table}
where as_of = date '{as_of}'
"""


def main() -> None:
    """Print the seconds of each turn, and how many times as long the history takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", help="Connection string of a database to work in.")
    given = parser.parse_args()
    print(
        f"seg-sql {importlib.metadata.version('seg-sql')}, {os.cpu_count()} cores,"
        f" {given.customers:,} customers, {MONTHS} as_of, {given.rounds} rounds,"
        f" {'PostgreSQL' if given.postgres else 'DuckDB'}"
    )
    with tempfile.TemporaryDirectory() as folder:
        target = _target(Path(folder), given.postgres)
        try:
            _prepare(Path(folder), target, given.customers)
            _compare(Path(folder), target, given.rounds)
        finally:
            if given.postgres:
                _send(target, f"drop schema {SCHEMA} cascade")


def _target(folder: Path, dsn: str | None) -> dict[str, Any]:
    if dsn is None:
        return {"type": "duckdb", "path": str(folder / "bench.duckdb"), "schema": SCHEMA}
    from psycopg.conninfo import conninfo_to_dict

    known = {key: value for key, value in conninfo_to_dict(dsn).items() if value is not None}
    return {
        "type": "postgres",
        "host": known.get("host", "localhost"),
        "port": int(known.get("port", 5432)),
        "user": known.get("user"),
        "password": known.get("password", ""),
        "dbname": known.get("dbname"),
        "schema": SCHEMA,
    }


def _send(target: dict[str, Any], *statements: str) -> None:
    kind = PostgresTarget if target["type"] == "postgres" else DuckDBTarget
    given = kind.model_validate({**target, "name": "bench"})
    with closing(open_engine(given)) as engine:
        engine.prepare_schema()
        for statement in statements:
            engine.execute(statement)


def _prepare(folder: Path, target: dict[str, Any], customers: int) -> None:
    """Make the lines, two projects that differ in the history alone, and 24 as_of."""
    _send(target, LINES.format(schema=SCHEMA, customers=customers))
    for name, models in (
        ("with", {}),
        (
            "without",
            {
                "customer_segment_history": {"enabled": False},
                "segment_cut_points": {"enabled": False},
            },
        ),
    ):
        project = folder / name
        project.mkdir()
        (project / "profiles.yml").write_text(
            yaml.safe_dump({"bench": {"target": "dev", "outputs": {"dev": target}}})
        )
        lines = {"relation": f"{SCHEMA}.bench_lines"}
        config = {"name": "bench", "inputs": {"order_lines": lines}, "models": models}
        (project / "seg_sql.yml").write_text(yaml.safe_dump(config))
    _run(folder / "with")
    columns = {
        "customer_segment_history": "source, customer_id, segment",
        "segment_cut_points": "source, measure, score, lower_bound, upper_bound, customers,"
        " fitted_as_of",
    }
    for table, others in columns.items():
        for month in range(1, MONTHS + 1):
            _send(
                target,
                EARLIER.format(
                    schema=SCHEMA,
                    table=table,
                    columns=f"as_of, {others}",
                    others=others,
                    month=month,
                    as_of=AS_OF,
                ),
            )
    if target["type"] == "postgres":
        _send(target, f"analyze {SCHEMA}.customer_segment_history")


def _compare(folder: Path, target: dict[str, Any], rounds: int) -> None:
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    for number in range(rounds):
        for name, taken in seconds.items():
            _send(
                target,
                *(
                    f"delete from {SCHEMA}.{table} where as_of = date '{AS_OF}'"
                    for table in ("customer_segment_history", "segment_cut_points")
                ),
            )
            if target["type"] == "postgres":
                _send(target, f"vacuum {SCHEMA}.customer_segment_history")
            before = time.perf_counter()
            used = _cpu()
            _run(folder / name)
            taken.append(time.perf_counter() - before)
            print(f"round {number + 1} {name:<8} {taken[-1]:7.2f} s   CPU {_cpu() - used:7.2f} s")
    ratio = statistics.median(seconds["with"]) / statistics.median(seconds["without"])
    for name, taken in seconds.items():
        print(f"{name:<8} median {statistics.median(taken):7.2f} s, best {min(taken):7.2f} s")
    print(f"with / without: {ratio:.2f} times (limit {LIMIT})")


def _cpu() -> float:
    """Return the CPU seconds of this process, the database within it where that is DuckDB."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _run(project: Path) -> None:
    settings = Settings(project_dir=project, profiles_dir=project, vars={"as_of": AS_OF})
    code = commands.run("run", settings, Log(), select=["+rfm"])
    if code:
        sys.exit(f"the build of {project} failed")


if __name__ == "__main__":
    main()
