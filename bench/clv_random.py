"""150 random data sets, fitted by seg-sql and by lifetimes: who fails, and who falls short.

    python bench/clv_random.py                       BG/NBD
    python bench/clv_random.py --model mbg_nbd
    python bench/clv_random.py --model pareto_nbd --sets 40

The sets have 200 to 20,000 customers, r .1 to 4, alpha 1 to 30 weeks, a .1 to 6, b .5 to 20 (s .1
to 4, beta 1 to 60), and ages of up to 60 to 1,000 days: about one in four has its best fit at the
edge of what is possible. seg-sql fits all of them as groups of one model. Both log-likelihoods are
computed from the parameters by the formulas of the papers (tests/algorithms/clv_theory.py).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import timed, versions

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "algorithms")]

import clv_theory as theory  # noqa: E402
from clv_fitting import Summaries  # noqa: E402
from clv_random_sets import random_sets  # noqa: E402
from shop import Shop  # noqa: E402

FITTERS = {
    "bg_nbd": "BetaGeoFitter",
    "mbg_nbd": "ModifiedBetaGeoFitter",
    "pareto_nbd": "ParetoNBDFitter",
}
SHORT = 0.05


def main() -> None:
    """Fit all sets both ways and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=list(FITTERS), default="bg_nbd")
    parser.add_argument("--sets", type=int, default=150)
    parser.add_argument("--no-peer", action="store_true", help="Our fits only.")
    given = parser.parse_args()
    print(f"{given.sets} sets, {given.model}; {versions('seg-sql', 'duckdb', 'lifetimes')}")
    sets = random_sets(given.model, given.sets)
    ours = fitted(given.model, sets)
    theirs = [] if given.no_peer else [peer(given.model, each) for each in sets]
    report(given.model, sets, ours, theirs)


def fitted(model: str, sets: list[Any]) -> list[dict[str, Any]]:
    """Fit every set as a group; return status, evaluations and parameters."""
    import pandas as pd

    from seg_sql.profiles import DuckDBTarget

    with tempfile.TemporaryDirectory(prefix="seg-sql-bench-") as folder:
        shop = Shop(Path(folder), DuckDBTarget(path=f"{folder}/bench.duckdb"))
        shop.write()
        summaries = Summaries(shop)
        parts = [each.assign(cohort=f"{number:04d}") for number, each in enumerate(sets)]
        summaries.load(pd.concat(parts, ignore_index=True))
        found: dict[str, Any] = {}

        def work() -> None:
            found["outputs"] = summaries.fit(model=model, group_by=["cohort"], horizon=52)[1]

        print(f"seg-sql, all sets, with scores: {timed(work):.1f} s")
    outputs = found["outputs"]
    rows = {
        row["group_key"]: dict(row)
        for row in outputs["fit"]
        if (row["model"], row["fit"]) == (model, "full")
    }
    for row in rows.values():
        row["theta"] = {}
    for row in outputs["parameters"]:
        if (row["model"], row["fit"]) == (model, "full"):
            rows[row["group_key"]]["theta"][row["parameter"]] = row["estimate"]
    return [rows[f"{number:04d}"] for number in range(len(sets))]


def peer(model: str, summary: Any) -> Any:
    """Return lifetimes' parameters, or the words of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        fitter = getattr(lifetimes, FITTERS[model])()
        try:
            fitter.fit(summary["frequency"], summary["recency"], summary["age"])
        except Exception as error:  # Whatever it raises is what a user would see.
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return dict(fitter.params_)


def report(model: str, sets: list[Any], ours: list[dict[str, Any]], theirs: list[Any]) -> None:
    names = theory.PARAMETERS[model]
    differences, failed = [], []
    for number, (summary, mine) in enumerate(zip(sets, ours, strict=True)):
        arrays = [summary[name].to_numpy(float) for name in ("frequency", "recency", "age")]

        def total(theta: Any, arrays: Any = arrays) -> float:
            values = [theta[name] for name in names]
            with np.errstate(all="ignore"):
                return float(theory.LOG_LIKELIHOOD[model](values, *arrays).sum())

        # With parameters in the thousands the formulas' own gammas have lost digits.
        checked = total(mine["theta"])
        if abs(checked - mine["log_likelihood"]) > 1e-6 * abs(checked):
            print(f"  set {number}: {mine['log_likelihood']} is {checked} by the formulas: {mine}")
        if not theirs:
            continue
        if isinstance(theirs[number], str):
            failed.append((number, theirs[number], mine["status"]))
            continue
        difference = mine["log_likelihood"] - total(theirs[number])
        differences.append(difference)
        if difference < -SHORT or not np.isfinite(difference):
            print(f"  set {number}: {difference:+.4f} below lifetimes: {mine} {theirs[number]}")
    counts = {status: 0 for status in ("converged", "boundary", "max_iterations", "failed")}
    for mine in ours:
        counts[mine["status"]] += 1
    print("seg-sql:", ", ".join(f"{count} {status}" for status, count in counts.items()))
    for status in ("converged", "boundary"):
        evaluations = sorted(each["evaluations"] for each in ours if each["status"] == status)
        if evaluations:
            print(
                f"  evaluations, {status}: median {statistics.median(evaluations)},"
                f" 90 % {evaluations[int(0.9 * (len(evaluations) - 1))]}, most {evaluations[-1]}"
            )
    if theirs:
        finite = [each for each in differences if np.isfinite(each)]
        print(
            f"lifetimes: {len(failed)} failed; log-likelihood ours - theirs: least"
            f" {min(finite):+.5f}, median {statistics.median(finite):+.2e}, most"
            f" {max(finite):+.4f}; of {len(finite)} below by more than {SHORT}:"
            f" {sum(each < -SHORT for each in finite)}"
        )
        for number, words, status in failed:
            print(f"  set {number} (ours: {status}): {words[:100]}")


if __name__ == "__main__":
    main()
