"""What seg-sql costs beside the database: `--help`, and a build of the demo's RFM models.

    python bench/overhead.py

Prints the median of several whole processes. What a build spends outside the database is the
process from start to end less the seconds that it waited for statements (run_results.json).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import compiled

COMMAND = [sys.executable, "-m", "seg_sql"]


def main() -> None:
    """Print the figures beside their limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    compiled()
    print(
        f"seg-sql {importlib.metadata.version('seg-sql')},"
        f" duckdb {importlib.metadata.version('duckdb')}, Python {sys.version.split()[0]},"
        f" {os.cpu_count()} cores, median of {given.rounds}"
    )
    helps = [seconds(["--help"], Path.cwd()) for _ in range(given.rounds)]
    say("seg-sql --help", statistics.median(helps), 0.25)
    with tempfile.TemporaryDirectory() as folder:
        seconds(["demo", "shop"], Path(folder))
        shop = Path(folder) / "shop"
        words = ["build", "-s", "+rfm_segments"]
        first = outside(words, shop)
        again = [outside(words, shop) for _ in range(given.rounds)]
        say("first build of +rfm_segments, with unit tests, outside the database", first, None)
        say("build of +rfm_segments, outside the database", statistics.median(again), 0.5)


def seconds(words: list[str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run([*COMMAND, *words], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def outside(words: list[str], folder: Path) -> float:
    whole = seconds(words, folder)
    results = json.loads((folder / "target" / "run_results.json").read_text())
    return whole - float(results["seconds_in_database"])


def say(what: str, figure: float, limit: float | None) -> None:
    print(f"{what:<70} {figure:6.3f} s" + (f"   (limit {limit} s)" if limit else ""))


if __name__ == "__main__":
    main()
