"""The documentation of a project: one HTML file that needs no network, and catalog.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seg_sql import __version__, freshness, resources
from seg_sql.artifacts import Target, writing
from seg_sql.data_tests import DataTest, data_tests
from seg_sql.events import Log
from seg_sql.exporting import make_folder
from seg_sql.grain import grain
from seg_sql.lineage import Columns, lineage
from seg_sql.nodes import Node
from seg_sql.project import Model
from seg_sql.session import Settings, artifacts_folder, session
from seg_sql.step import Steps
from seg_sql.wording import inventory
from seg_sql.workspace import Workspace

BOX_WIDTH, BOX_HEIGHT, GAP_ACROSS, GAP_DOWN = 190, 26, 60, 14


@dataclass(frozen=True)
class Box:
    """A model or an input in the drawing of the graph."""

    name: str
    kind: str
    x: int
    y: int


def write_docs(settings: Settings, folder: Path | None = None) -> Iterator[str]:
    """Write index.html and catalog.json; yield what was written.

    Raises:
        ConfigError: An input cannot be read, or the folder cannot be written to.
    """
    artifacts = artifacts_folder(settings)
    folder = folder or artifacts / "docs"
    with session(settings) as workspace:
        names = [name for name in workspace.graph.order if not workspace.unmapped(name)]
        steps = Steps(workspace, "runner")
        freshness.settle(workspace, steps, set(names), Log())
        page = _page(workspace, names, _results(artifacts))
        make_folder(folder)
        Target(folder).write_catalog(workspace, steps)
    path = folder / "index.html"
    with writing(path):
        path.write_text(page, encoding="utf-8")
    yield f"Wrote {path} and catalog.json: {_counted(workspace, names)}."


def _counted(workspace: Workspace, names: list[str]) -> str:
    """Return how many models there are, in the words of a build, and what it does not count."""
    nodes = [workspace.nodes[name] for name in names]
    seeds, inlined = sum(n.kind == "seed" for n in nodes), sum(not n.builds for n in nodes)
    models = len(nodes) - seeds - inlined
    return inventory({"models": models, "seeds": seeds, "inlined models": inlined})


def _results(artifacts: Path) -> dict[str, Any]:
    """Return the last run, or nothing where there was none that can be read."""
    try:
        found = json.loads((artifacts / "run_results.json").read_text("utf-8"))
        return {**found, "by_id": {each["unique_id"]: each for each in found["results"]}}
    except (OSError, ValueError, KeyError, TypeError):
        return {"by_id": {}}


def _page(workspace: Workspace, names: list[str], results: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resources.SQL / "docs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tests: dict[str, list[DataTest]] = {}
    for test in data_tests(workspace):
        tests.setdefault(test.model, []).append(test)
    columns = lineage(workspace, names)
    boxes = _boxes(workspace, names)
    return environment.get_template("index.html.jinja").render(
        project=workspace.project.name,
        version=__version__,
        engine=workspace.dialect,
        schema=workspace.schema,
        as_of=workspace.renderer.variable("as_of"),
        run=results,
        boxes=boxes,
        lines=_lines(workspace, boxes),
        box={"width": BOX_WIDTH, "height": BOX_HEIGHT},
        width=max((each.x for each in boxes), default=0) + BOX_WIDTH + 2,
        height=max((each.y for each in boxes), default=0) + BOX_HEIGHT + 2,
        counts=_counted(workspace, names),
        models=[
            _model(workspace, workspace.nodes[name], columns.get(name, {}), tests, results)
            # What a reader looks for first; one without a table is part of others.
            for name in sorted(names, key=lambda name: not workspace.nodes[name].builds)
        ],
        light=_style("default", ".sql"),
        dark=_style("github-dark", ".sql"),
    )


def _model(
    workspace: Workspace,
    node: Node,
    columns: Columns,
    tests: Mapping[str, Sequence[DataTest]],
    results: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the page says of a node of the graph."""
    project, by_id = workspace.project.name, results["by_id"]
    compiled = "" if node.kind == "seed" else workspace.compile(node.name)
    below = [name for name, other in workspace.nodes.items() if node.name in other.refs]
    return {
        "name": node.name,
        "kind": node.kind,
        "file": node.model.shown,
        "tags": sorted({*node.config.tags, node.model.area}),
        "reads": [*node.refs],
        "inputs": list(node.inputs),
        "read_by": below,
        "last": by_id.get(f"{node.model.resource}.{project}.{node.name}"),
        "sql": _highlighted(compiled, workspace.dialect) if compiled else "",
        "outputs": [
            _output(workspace, output, columns, tests.get(output.name, ()), results)
            for output in node.outputs.values()
        ],
    }


def _output(
    workspace: Workspace,
    output: Model,
    columns: Columns,
    tests: Sequence[DataTest],
    results: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the page says of a table: a model's own, or one of an algorithm."""
    by_id, project = results["by_id"], workspace.project.name
    described = {column.name: column for column in output.entry.columns}
    own = workspace.owners[output.name] == output.name
    # An algorithm's columns are not those of its SELECT, but for the key.
    names = [*described, *(name for name in columns if own and name not in described)]
    algorithm = workspace.nodes[workspace.owners[output.name]].algorithm is not None
    names = list(described) if algorithm else names
    statuses = [
        {
            "name": test.name,
            "column": None if test.spec is None else test.spec.column,
            "description": test.settings.description,
            "last": by_id.get(f"test.{project}.{test.name}"),
        }
        for test in tests
    ]
    return {
        "name": output.name,
        "relation": workspace.published(output.name),
        "description": output.entry.description.strip(),
        "grain": grain(workspace, output),
        "columns": [
            {
                "name": name,
                "type": described[name].data_type if name in described else "",
                "description": described[name].description if name in described else "",
                "from": [_source(each) for each in columns.get(name, ())] if own else [],
            }
            for name in names
        ],
        "tests": statuses,
    }


def _source(column: str) -> dict[str, str]:
    """Return a column that another is made of, and the model whose place it links to.

    >>> _source("orders.amount")
    {'text': 'orders.amount', 'model': 'orders'}
    >>> _source("input order_lines.Price")
    {'text': 'input order_lines.Price', 'model': ''}
    """
    is_input = column.startswith("input ")
    return {"text": column, "model": "" if is_input else column.partition(".")[0]}


def _boxes(workspace: Workspace, names: Sequence[str]) -> list[Box]:
    """Return the graph as boxes in columns: each stands right of all that it reads."""
    depth: dict[str, int] = {}
    for name in names:
        node = workspace.nodes[name]
        above = [depth[ref] for ref in node.refs if ref in depth]
        depth[name] = max([*above, 0 if node.inputs else -1], default=-1) + 1
    columns: dict[int, int] = {}
    boxes = []
    inputs = sorted({each for name in names for each in workspace.nodes[name].inputs})
    for name, at in [*((each, 0) for each in inputs), *depth.items()]:
        row = columns[at] = columns.get(at, -1) + 1
        is_input = name in inputs and at == 0 and name not in depth
        boxes.append(
            Box(
                name,
                "input" if is_input else workspace.nodes[name].kind,
                1 + at * (BOX_WIDTH + GAP_ACROSS),
                1 + row * (BOX_HEIGHT + GAP_DOWN),
            )
        )
    return boxes


def _lines(workspace: Workspace, boxes: Sequence[Box]) -> list[dict[str, Any]]:
    """Return a curve from each box to each that reads it."""
    models = {each.name: each for each in boxes if each.kind != "input"}
    inputs = {each.name: each for each in boxes if each.kind == "input"}
    found = []
    for name, to in models.items():
        node = workspace.nodes[name]
        above = [models.get(ref) for ref in node.refs] + [inputs.get(each) for each in node.inputs]
        for start in (each for each in above if each is not None):
            x, y = start.x + BOX_WIDTH, start.y + BOX_HEIGHT // 2
            end = to.y + BOX_HEIGHT // 2
            middle = (x + to.x) // 2
            path = f"M{x},{y} C{middle},{y} {middle},{end} {to.x},{end}"
            found.append({"path": path, "start": start.name, "end": name})
    return found


def _highlighted(sql: str, dialect: str) -> str:
    from markupsafe import Markup
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PostgresLexer, SqlLexer

    lexer = PostgresLexer() if dialect == "postgres" else SqlLexer()
    return Markup(highlight(sql, lexer, HtmlFormatter(cssclass="sql")))


def _style(name: str, selector: str) -> str:
    from markupsafe import Markup
    from pygments.formatters import HtmlFormatter

    return Markup(HtmlFormatter(style=name).get_style_defs(selector))
