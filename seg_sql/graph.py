"""Which model reads which, and an order in which to build them."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from seg_sql.errors import ParseError


@dataclass(frozen=True)
class Graph:
    """The nodes and, for each, those that it reads.

    >>> graph = Graph({"orders": (), "rfm": ("orders",), "rfm_segments": ("rfm",)})
    >>> graph.order
    ('orders', 'rfm', 'rfm_segments')
    >>> sorted(graph.above("rfm_segments")), sorted(graph.above("rfm_segments", depth=1))
    (['orders', 'rfm'], ['rfm'])
    >>> sorted(graph.below("orders")), sorted(graph.with_above(["rfm"]))
    (['rfm', 'rfm_segments'], ['orders', 'rfm'])
    """

    parents: Mapping[str, tuple[str, ...]]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return all nodes, each after those it reads, in the same order every time."""
        sorter = graphlib.TopologicalSorter(
            {name: self.parents[name] for name in sorted(self.parents)}
        )
        try:
            sorter.prepare()
        except graphlib.CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            raise ParseError(f"The models read each other in a circle: {circle}.") from error
        ordered: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            ordered += ready
            sorter.done(*ready)
        return tuple(ordered)

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Return, for each node, those that read it."""
        found: dict[str, list[str]] = {name: [] for name in self.parents}
        for name, parents in self.parents.items():
            for parent in parents:
                found[parent].append(name)
        return {name: tuple(sorted(children)) for name, children in found.items()}

    def above(self, name: str, depth: int | None = None) -> set[str]:
        """Return what a node reads, directly or not, up to a number of steps."""
        return _reach(self.parents, [name], depth)

    def with_above(self, names: Iterable[str]) -> set[str]:
        """Return some nodes and all that they read, directly or not."""
        chosen = set(names)
        return chosen | _reach(self.parents, chosen, None)

    def below(self, name: str, depth: int | None = None) -> set[str]:
        """Return what reads a node, directly or not, up to a number of steps."""
        return _reach(self.children, [name], depth)


def _reach(edges: Mapping[str, Iterable[str]], start: Iterable[str], depth: int | None) -> set[str]:
    found: set[str] = set()
    layer = set(start)
    while layer and depth != 0:
        layer = {name for known in layer for name in edges[known]} - found
        found |= layer
        depth = None if depth is None else depth - 1
    return found
