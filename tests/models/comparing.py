"""The published rows of two projects, and where they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from shop import Shop

from seg_sql.events import NodeFinished, TestFinished

Rows = list[dict[str, Any]]


def published(shop: Shop, *, but: str = "") -> dict[str, Rows]:
    """Return the rows of every published table `but` one, in the order of their keys."""
    with shop.engine() as engine:
        names = [
            name
            for name in engine.existing()
            if not name.startswith(("raw_", "seg_sql_run")) and name != but
        ]
        found = {
            name: engine.fetch(f"select * from {engine.relation(name)}").dicts() for name in names
        }
    return {name: sorted(rows, key=_key) for name, rows in found.items()}


def _key(row: Mapping[str, Any]) -> list[tuple[bool, str]]:
    """Order rows by what does not differ in its last digits."""
    exact = [value for value in row.values() if not isinstance(value, float)]
    rough = [value for value in row.values() if isinstance(value, float)]
    return [
        *((value is None, f"{value!r:>20}") for value in exact),
        *((False, f"{value:.6g}") for value in rough),
    ]


def differences(ours: Mapping[str, Rows], theirs: Mapping[str, Rows]) -> list[str]:
    """Say where two sets of tables differ."""
    found = [f"only one has {name}" for name in sorted(ours.keys() ^ theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        if len(ours[name]) != len(theirs[name]):
            found.append(f"{name}: {len(ours[name])} and {len(theirs[name])} rows")
            continue
        for one, two in zip(ours[name], theirs[name], strict=True):
            if list(one) != list(two):
                found.append(f"{name}: columns {list(one)} and {list(two)}")
                break
            wrong = {key: (one[key], two[key]) for key in one if not same(one[key], two[key])}
            if wrong:
                found.append(f"{name}: {wrong} in {one}")
    return found


def same(one: Any, two: Any) -> bool:
    if type(one) is not type(two):
        return False
    if isinstance(one, float):
        return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == two)


def outcome(shop: Shop) -> list[tuple[str, str, int]]:
    """Return what became of each model and each data test."""
    nodes = [(each.name, each.status, 0) for each in shop.log.of(NodeFinished)]
    tests = [
        (each.name, each.status, each.failures)
        for each in shop.log.of(TestFinished)
        if each.kind == "data"
    ]
    return sorted([*nodes, *tests])
