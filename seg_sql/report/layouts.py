"""The two charts whose places Vega must find: a treemap and a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seg_sql.report.marks import ACCENT, INK, MUTED, WIDTH, Spec

_BASE: Spec = {
    "$schema": "https://vega.github.io/schema/vega/v5.json",
    "padding": 4,
    "config": {"aria": False},
}
_FONT = {"font": {"value": "Arial, Helvetica, sans-serif"}, "fontSize": {"value": 12}}


def treemap(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Return areas in the proportion of values: rows of name, value, label, colour and ink."""
    leaves = [{"id": str(index), "parent": "all", **row} for index, row in enumerate(rows)]
    room = "datum.x1 - datum.x0 > 52 && datum.y1 - datum.y0 > {}"
    place = {"x": {"signal": "datum.x0 + 7"}, "fill": {"field": "ink"}, **_FONT}
    limit = {"limit": {"signal": "datum.x1 - datum.x0 - 12"}}

    def text(field: str, down: int, needed: int, weight: str) -> Spec:
        shown = f"{room.format(needed)} ? datum.{field} : ''"
        return {
            "type": "text",
            "from": {"data": "leaves"},
            "encode": {
                "enter": {
                    **place,
                    **limit,
                    "y": {"signal": f"datum.y0 + {down}"},
                    "text": {"signal": shown},
                    "fontWeight": {"value": weight},
                }
            },
        }

    return {
        **_BASE,
        "width": WIDTH,
        "height": 280,
        "data": [
            {
                "name": "tree",
                "values": [{"id": "all", "parent": None}, *leaves],
                "transform": [
                    {"type": "stratify", "key": "id", "parentKey": "parent"},
                    {
                        "type": "treemap",
                        "field": "value",
                        "sort": {"field": "value", "order": "descending"},
                        "method": "squarify",
                        "ratio": 1.5,
                        "round": True,
                        "paddingInner": 2,
                        "size": [{"signal": "width"}, {"signal": "height"}],
                    },
                ],
            },
            {
                "name": "leaves",
                "source": "tree",
                "transform": [{"type": "filter", "expr": "datum.id !== 'all'"}],
            },
        ],
        "marks": [
            {
                "type": "rect",
                "from": {"data": "leaves"},
                "encode": {
                    "enter": {
                        "x": {"field": "x0"},
                        "x2": {"field": "x1"},
                        "y": {"field": "y0"},
                        "y2": {"field": "y1"},
                        "fill": {"field": "colour"},
                    }
                },
            },
            text("name", 17, 22, "bold"),
            text("label", 32, 38, "normal"),
        ],
    }


def network(nodes: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]) -> Spec:
    """Return a network: nodes of name and size (0 to 1), links of source, target, strength.

    Sources and targets are places in `nodes`; a strength is between 0 and 1.
    """
    # The drawing grows to hold what the forces push outwards.
    width, height = 20, 20
    ends = {
        f"{end}{axis}": f"datum.{end}.{axis.lower()}"
        for end in ("source", "target")
        for axis in "XY"
    }
    return {
        **_BASE,
        "width": width,
        "height": height,
        "data": [
            {"name": "node_data", "values": [dict(node) for node in nodes]},
            {"name": "link_data", "values": [dict(link) for link in links]},
        ],
        "marks": [
            {
                "type": "path",
                "from": {"data": "link_data"},
                "encode": {
                    "update": {
                        "stroke": {"value": MUTED},
                        "strokeOpacity": {"value": 0.55},
                        "strokeWidth": {"signal": "1 + 4 * datum.strength"},
                    }
                },
                "transform": [
                    {"type": "linkpath", "require": {"signal": "force"}, "shape": "line", **ends}
                ],
            },
            {
                "name": "nodes",
                "type": "symbol",
                "zindex": 1,
                "from": {"data": "node_data"},
                "encode": {
                    "enter": {
                        "fill": {"value": ACCENT},
                        # Where the forces x and y pull it to.
                        "middle": {"value": width / 2},
                        "level": {"value": height / 2},
                    },
                    "update": {"size": {"signal": "60 + 240 * datum.size"}},
                },
                "transform": [
                    {
                        "type": "force",
                        "iterations": 300,
                        "static": True,
                        "signal": "force",
                        "forces": [
                            {"force": "center", "x": width / 2, "y": height / 2},
                            {"force": "collide", "radius": 40},
                            {"force": "nbody", "strength": -260},
                            {"force": "x", "x": "middle", "strength": 0.035},
                            {"force": "y", "y": "level", "strength": 0.11},
                            {"force": "link", "links": "link_data", "distance": 60},
                        ],
                    }
                ],
            },
            {
                "type": "text",
                "zindex": 2,
                "from": {"data": "nodes"},
                "encode": {
                    "enter": {
                        "align": {"value": "center"},
                        "fill": {"value": INK},
                        "text": {"field": "datum.name"},
                        **_FONT,
                    },
                    "update": {"x": {"field": "x"}, "y": {"signal": "datum.y - 13"}},
                },
            },
        ],
    }
