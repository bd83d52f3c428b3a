"""The selection grammar: which nodes of the graph a command is about.

A selection is a list of words: space (or a repeated option) means or, comma means and. A word is
a name, a glob, or `method:value`, with `+` (and a depth) on either side for what it reads and
what reads it.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from seg_sql.errors import SelectionError, did_you_mean
from seg_sql.graph import Graph

_WORD = re.compile(r"^(?P<above>(?P<up>\d*)\+)?(?P<core>.+?)(?P<below>\+(?P<down>\d*))?$")
METHODS = ("tag", "path", "resource_type", "config.materialized", "state", "fqn")


@dataclass(frozen=True)
class Selectable:
    """What the grammar can ask of a node."""

    name: str
    resource_type: str = "model"
    path: str = ""
    tags: frozenset[str] = frozenset()
    materialized: str = "table"
    outputs: frozenset[str] = field(default_factory=frozenset)


def select(
    nodes: Mapping[str, Selectable],
    graph: Graph,
    chosen: Iterable[str] = (),
    excluded: Iterable[str] = (),
    *,
    modified: frozenset[str] = frozenset(),
) -> set[str]:
    """Return the names that a selection means; all of them when nothing is chosen.

    >>> nodes = {name: Selectable(name, tags=frozenset({"rfm"} if "rfm" in name else ()))
    ...          for name in ("orders", "rfm", "rfm_segments")}
    >>> graph = Graph({"orders": (), "rfm": ("orders",), "rfm_segments": ("rfm",)})
    >>> def chosen(*words, **more):
    ...     return sorted(select(nodes, graph, words, **more))
    >>> chosen()
    ['orders', 'rfm', 'rfm_segments']
    >>> chosen("rfm"), chosen("+rfm"), chosen("orders+1")
    (['rfm'], ['orders', 'rfm'], ['orders', 'rfm'])
    >>> chosen("rfm*"), chosen("orders rfm"), chosen("tag:rfm,rfm_*")
    (['rfm', 'rfm_segments'], ['orders', 'rfm'], ['rfm_segments'])
    >>> chosen("tag:rfm", excluded=["rfm_segments"])
    ['rfm']
    >>> chosen("state:modified+", modified=frozenset({"rfm"}))
    ['rfm', 'rfm_segments']
    >>> chosen("rfn")
    Traceback (most recent call last):
    seg_sql.errors.SelectionError: The selection 'rfn' matches nothing.
      Did you mean 'rfm'?
    >>> chosen("+tag:rmf")
    Traceback (most recent call last):
    seg_sql.errors.SelectionError: The selection '+tag:rmf' matches nothing.
      Did you mean 'rfm'?
    >>> chosen("@rfm")
    Traceback (most recent call last):
    seg_sql.errors.SelectionError: The selection '@rfm' matches nothing.
      @ is not supported; +rfm+ is what it reads and what reads it.
    >>> chosen("tag:rfm,orders")
    Traceback (most recent call last):
    seg_sql.errors.SelectionError: The selection 'tag:rfm,orders' matches nothing.
      No model is in all of its parts: comma means and, space means or.
    """
    words = _words(chosen)
    left_out: set[str] = set()
    for word in _words(excluded):
        left_out |= _union(word, nodes, graph, modified)
    if not words:
        return set(nodes) - left_out
    found: set[str] = set()
    for word in words:
        found |= _union(word, nodes, graph, modified)
    return found - left_out


def _words(selection: Iterable[str]) -> list[str]:
    return [word for text in selection for word in text.split()]


def _union(
    word: str,
    nodes: Mapping[str, Selectable],
    graph: Graph,
    modified: frozenset[str],
) -> set[str]:
    parts = [_atom(part, nodes, graph, modified) for part in word.split(",") if part]
    found = set.intersection(*parts) if parts else set()
    # Nothing modified is an answer, not a mistake.
    if not found and "state:" not in word:
        hint = _nearest(word, nodes, modified)
        raise SelectionError(f"The selection '{word}' matches nothing.", hint=hint)
    return found


def _nearest(word: str, nodes: Mapping[str, Selectable], modified: frozenset[str]) -> str | None:
    """Return what the first part of a word that matches nothing may have meant."""
    cores = [match["core"] for match in map(_WORD.match, word.split(",")) if match]
    core = next((each for each in cores if not _matching(each, nodes, modified)), None)
    if core is None:
        return "No model is in all of its parts: comma means and, space means or."
    if core.startswith("@"):
        return f"@ is not supported; +{core[1:]}+ is what it reads and what reads it."
    method, colon, value = core.partition(":")
    known = {
        "tag": {tag for node in nodes.values() for tag in node.tags},
        "path": {
            str(up) for node in nodes.values() for up in PurePosixPath(node.path).parents if up.name
        },
        "resource_type": {node.resource_type for node in nodes.values()},
        "config.materialized": {node.materialized for node in nodes.values()},
    }
    return did_you_mean(value if colon else core, known.get(method, set(nodes)) if colon else nodes)


def _atom(
    word: str, nodes: Mapping[str, Selectable], graph: Graph, modified: frozenset[str]
) -> set[str]:
    match = _WORD.match(word)
    if match is None:
        raise SelectionError(f"'{word}' is not a selection.", hint="Write a name, as in +rfm.")
    core = _matching(match["core"], nodes, modified)
    found = set(core)
    for name in core:
        if match["above"]:
            found |= graph.above(name, int(match["up"]) if match["up"] else None)
        if match["below"]:
            found |= graph.below(name, int(match["down"]) if match["down"] else None)
    return found & set(nodes)


def _matching(core: str, nodes: Mapping[str, Selectable], modified: frozenset[str]) -> set[str]:
    method, colon, value = core.partition(":")
    if not colon:
        return {
            name
            for name, node in nodes.items()
            if any(fnmatch.fnmatchcase(known, core) for known in (name, *node.outputs))
        }
    if method == "fqn":
        return _matching(value, nodes, modified)
    if method == "state":
        if value not in ("modified", "new"):
            raise SelectionError(f"There is no state:{value}.", hint="Write state:modified.")
        return set(modified)
    if method not in METHODS:
        raise SelectionError(
            f"There is no selection method '{method}'.", hint=did_you_mean(method, METHODS)
        )
    return {name for name, node in nodes.items() if _has(node, method, value)}


def _has(node: Selectable, method: str, value: str) -> bool:
    if method == "tag":
        return any(fnmatch.fnmatchcase(tag, value) for tag in node.tags)
    if method == "path":
        folder = value.rstrip("/")
        return (
            node.path == folder
            or node.path.startswith(f"{folder}/")
            or fnmatch.fnmatchcase(node.path, value)
        )
    if method == "resource_type":
        return node.resource_type == value
    return node.materialized == value
