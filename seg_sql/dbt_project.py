"""A project as a dbt project: the SQL models for dbt to run, the rest as sources.

`ref()` and `source()` stay calls of dbt's; everything else is rendered, so that the files hold the
SQL that seg-sql runs on this target's engine. An algorithm or a history has no SQL that dbt could
run: their tables are sources, and so is each input.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from seg_sql import freshness
from seg_sql.data_tests import DataTest, data_tests
from seg_sql.errors import ConfigError
from seg_sql.events import Log
from seg_sql.exporting import make_folder
from seg_sql.history import DESCRIBED
from seg_sql.nodes import Node
from seg_sql.project import Model
from seg_sql.raw_relations import split_relation
from seg_sql.seeds import seed_select
from seg_sql.select import select as select_nodes
from seg_sql.session import Settings, session
from seg_sql.step import Steps
from seg_sql.testing import render_data_test
from seg_sql.wording import counted
from seg_sql.workspace import Workspace, inlined

MADE = "seg_sql_project"
"""The file that marks a folder as one that we wrote and may write again."""

_BRACES = re.compile(r"\{[{%#]|[%#}]\}")
# The tests of dbt's own that mean the same; the others become SELECTs in tests/.
_SHARED_TESTS = ("not_null", "unique")


@dataclass
class _Dbt(Workspace):
    """A workspace in which what a model reads is a call of dbt's.

    A call stands in the rendered SQL as a mark, until the text around it is made safe for Jinja.
    """

    calls: list[str] = field(default_factory=list)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    def call(self, expression: str) -> str:
        """Return the mark that stands for a Jinja expression."""
        if expression not in self.calls:
            self.calls.append(expression)
        return f"\ue000{self.calls.index(expression)}\ue001"

    def ref_sql(self, name: str) -> str:
        """Return the mark of `ref(name)`, or of the source that a table of the runner's is."""
        super().ref_sql(name)  # An unknown name is an error.
        if _runs_in_dbt(self.nodes[self.owners[name]]):
            return self.call(f"ref('{name}')")
        self.table("seg_sql", name, schema=self.schema, entry=self._built(name))
        return self.call(f"source('seg_sql', '{name}')")

    def input_sql(self, name: str) -> str:
        """Return the mapped SELECT of an input over the mark of its source."""
        return inlined(self.input(name).over(self._raw(name)))

    def _raw(self, name: str) -> str:
        entry, found = self.project.config.inputs[name], self.input(name)
        if entry.query is not None:
            return found.source
        if entry.relation is None:
            # dbt-duckdb reads a location as a format string, of the kind that has no braces.
            location = found.source.replace("%", "%%")
            meta = {"external_location": location, "formatter": "oldstyle"}
            self.table("files", name, schema="main", entry={"config": {"meta": meta}})
            return self.call(f"source('files', '{name}')")
        *place, table = split_relation(entry.relation, "")
        schema = place[-1] if place else self._default_schema()
        source = "raw_" + re.sub(r"\W+", "_", "_".join([*place[:-1], schema]).lower())
        database = {"database": place[0]} if len(place) > 1 else {}
        self.table(source, name, schema=schema, entry={"identifier": table}, **database)
        return self.call(f"source('{source}', '{name}')")

    def _default_schema(self) -> str:
        rows = Steps(self, "runner").rows("current_schema")
        return str(rows[0]["schema"])

    def table(self, source: str, name: str, *, entry: Mapping[str, Any], **place: str) -> None:
        """Declare a table of a source."""
        known = self.sources.setdefault(source, {"name": source, **place, "tables": {}})
        known["tables"].setdefault(name, {"name": name, **entry})

    def _built(self, name: str) -> dict[str, Any]:
        output = self.output(name)
        assert output is not None
        return {"identifier": self.project.relation_name(name), **_described(output)}

    def jinja(self, sql: str) -> str:
        """Return rendered SQL as a template of dbt's: marks as calls, braces as they are."""
        parts = re.split("\ue000(\\d+)\ue001", sql)
        written = []
        for index, part in enumerate(parts):
            if index % 2:
                written.append(f"{{{{ {self.calls[int(part)]} }}}}")
            else:
                raw = _BRACES.search(part) is not None
                written.append(f"{{% raw %}}{part}{{% endraw %}}" if raw else part)
        return "".join(written)


def export_dbt(
    settings: Settings, folder: Path, *, select: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Iterator[str]:
    """Write the selected models, and what they read, as a dbt project; yield what was written.

    Raises:
        ConfigError: The folder holds something else, or an input cannot be read.
    """
    settings = replace(settings, project_dir=settings.project_dir.resolve())
    _check_folder(folder)
    with session(settings) as opened:
        workspace = _Dbt(
            opened.project,
            opened.engine,
            dialect=opened.dialect,
            schema=opened.schema,
            target_name=opened.target_name,
        )
        names, unmapped = _chosen(opened, select, exclude)
        # It reads the inputs themselves. Broken rows of a file are not counted in dbt.
        steps = Steps(opened, "runner")
        freshness.settle(opened, steps, names, Log())
        found = {key: opened.renderer.variable(key) for key in ("as_of", "as_of_reason")}
        as_of = found["as_of"]
        if as_of is not None:
            found["as_of"] = workspace.call("var('as_of')")
        workspace.renderer.set_variables(found)
        steps = Steps(workspace, "runner")
        files = _files(workspace, steps, names, as_of)
    make_folder(folder)
    for name, text in files.items():
        path = folder / name
        make_folder(path.parent)
        path.write_text(text, encoding="utf-8")
    counts = {
        "model": sum(name.startswith("models/") and name.endswith(".sql") for name in files),
        "seed": sum(name.startswith("seeds/") and name.endswith(".csv") for name in files),
        "test": sum(name.startswith("tests/") for name in files),
    }
    said = ", ".join(counted(number, what) for what, number in counts.items())
    yield f"Wrote {folder}: {said}, for dbt on {opened.dialect}."
    if unmapped:
        yield f"Left out, because an input lacks what they need: {', '.join(unmapped)}"
    yield f"Next: dbt build --project-dir {folder}"


def _check_folder(folder: Path) -> None:
    """Let only an empty folder be written to, or one that we wrote."""
    if not folder.is_dir():
        return
    project = folder / "dbt_project.yml"
    ours = project.is_file() and MADE in project.read_text("utf-8", errors="replace")
    if not ours and any(folder.iterdir()):
        raise ConfigError(
            f"{folder} is not empty, and not a dbt project that seg-sql wrote.",
            hint="Name a folder that does not exist yet.",
        )


def _chosen(
    workspace: Workspace, select: Sequence[str], exclude: Sequence[str]
) -> tuple[set[str], list[str]]:
    """Return the selected models with all they read, and those whose inputs lack a column."""
    chosen = select_nodes(workspace.selectable, workspace.graph, select, exclude)
    names = workspace.graph.with_above(chosen)
    lacking = {name for name in names if workspace.unmapped(name)}
    return names - lacking, [name for name in workspace.graph.order if name in lacking]


def _files(workspace: _Dbt, steps: Steps, names: set[str], as_of: object) -> dict[str, str]:
    """Return every file of the dbt project, by its path."""
    files: dict[str, str] = {}
    seeds: dict[str, Any] = {}
    entries: dict[str, list[dict[str, Any]]] = {"models": [], "seeds": []}
    for name in (each for each in workspace.graph.order if each in names):
        node = workspace.nodes[name]
        if not _runs_in_dbt(node):
            _declare(workspace, node)
        elif node.kind == "seed":
            columns = workspace.engine.describe(seed_select(node.model, steps))
            seeds[name] = {"+column_types": {each.name: each.type for each in columns}}
            seeds[name] |= _alias(workspace, name)
            files[f"seeds/{name}.csv"] = _seed(node.model, [each.name for each in columns])
            entries["seeds"].append({"name": name, **_described(node.model)})
        else:
            config = _config(workspace, node)
            sql = workspace.jinja(workspace.compile(name))
            files[Path(node.model.shown).relative_to("sql").as_posix()] = f"{config}\n{sql}\n"
            entries["models"].append({"name": name, **_described(node.model)})
    unpublished = _unpublished(workspace)
    for test in data_tests(workspace):
        if test.after <= names and test.model not in unpublished and not _is_shared(test):
            sql = workspace.jinja(render_data_test(test, workspace))
            files[f"tests/{test.name}.sql"] = f"{_severity(test)}{sql}\n"
    files["models/schema.yml"] = _yaml({"version": 2, "models": entries["models"]})
    if entries["seeds"]:
        files["seeds/schema.yml"] = _yaml({"version": 2, "seeds": entries["seeds"]})
    sources = [
        {**each, "tables": [*each["tables"].values()]} for each in workspace.sources.values()
    ]
    files["models/sources.yml"] = _yaml({"version": 2, "sources": sources})
    files["models/exposures.yml"] = _yaml({"version": 2, "exposures": _exposures(workspace, names)})
    files["dbt_project.yml"] = _yaml(_project(workspace, seeds, as_of))
    return files


def _runs_in_dbt(node: Node) -> bool:
    """Return whether a node is SQL that dbt knows how to build."""
    return node.kind in ("table", "view", "incremental", "ephemeral", "seed")


def _unpublished(workspace: Workspace) -> set[str]:
    """Return the tables of the runner's that are not there to be tested."""
    built = workspace.built()
    return {
        output.name
        for node in workspace.nodes.values()
        for output in (() if _runs_in_dbt(node) else node.outputs.values())
        if output.name not in built
    }


def _declare(workspace: _Dbt, node: Node) -> None:
    """Declare those tables of a node that are published, read by a model or not."""
    existing = workspace.engine.existing()
    for output in node.outputs.values():
        if workspace.project.relation_name(output.name) in existing:
            workspace.ref_sql(output.name)
    for name, (description, columns) in DESCRIBED.items():
        identifier = workspace.project.relation_name(name)
        if identifier in existing:
            entry = {
                "identifier": identifier,
                "description": description,
                "columns": [{"name": key, "description": text} for key, text in columns.items()],
            }
            workspace.table("seg_sql", name, schema=workspace.schema, entry=entry)


def _described(output: Model) -> dict[str, Any]:
    """Return the description, columns and plain tests of a model as schema.yml has them."""
    columns: list[dict[str, Any]] = []
    for column in output.entry.columns:
        entry: dict[str, Any] = {"name": column.name, "description": column.description.strip()}
        tests = [_plain(test) for test in column.data_tests if _plain(test)]
        if tests:
            entry["data_tests"] = tests
        columns.append(entry)
    described: dict[str, Any] = {"description": output.entry.description.strip()}
    return {**described, "columns": columns} if columns else described


def _plain(test: str | dict[str, Any]) -> str | None:
    """Return a test of dbt's own that has no arguments but a description."""
    if isinstance(test, str):
        return test if test in _SHARED_TESTS else None
    name, given = next(iter(test.items()))
    return name if name in _SHARED_TESTS and not set(given or {}) - {"description"} else None


def _is_shared(test: DataTest) -> bool:
    """Return whether a test stands in schema.yml, and needs no SELECT of its own."""
    return test.spec is not None and test.spec.column is not None and bool(_plain(_given(test)))


def _given(test: DataTest) -> str | dict[str, Any]:
    assert test.spec is not None
    return test.spec.given if isinstance(test.spec.given, str) else dict(test.spec.given)


def _severity(test: DataTest) -> str:
    settings = test.settings
    changed = {
        key: getattr(settings, key)
        for key in ("severity", "error_if", "warn_if")
        if getattr(settings, key) != type(settings).model_fields[key].default
    }
    said = re.sub(r"\s+", " ", _BRACES.sub("", settings.description)).strip()
    lines = [f"-- {said}\n"] if said else []
    return "".join([*lines, f"{_call('config', changed)}\n" if changed else ""])


def _config(workspace: Workspace, node: Node) -> str:
    """Return a model's config() in dbt's own keys."""
    given: dict[str, Any] = {"materialized": node.kind, **_alias(workspace, node.name, "alias")}
    if node.config.tags:
        given["tags"] = node.config.tags
    if node.kind == "incremental":
        given |= {"unique_key": node.config.unique_key, "incremental_strategy": "delete+insert"}
    if workspace.dialect == "postgres" and node.kind != "ephemeral":
        grants = {**workspace.project.config.grants, **node.config.grants}
        given |= {"grants": grants} if grants else {}
        if node.config.indexes and node.kind != "view":
            given["indexes"] = [{"columns": columns} for columns in node.config.indexes]
    return _call("config", given)


def _call(name: str, given: Mapping[str, Any]) -> str:
    return f"{{{{ {name}({', '.join(f'{key}={value!r}' for key, value in given.items())}) }}}}"


def _alias(workspace: Workspace, name: str, key: str = "+alias") -> dict[str, str]:
    relation = workspace.project.relation_name(name)
    return {} if relation == name else {key: relation}


def _seed(model: Model, columns: Sequence[str]) -> str:
    """Return a seed's CSV; a column that the file lacks is blank in every row."""
    rows = list(csv.reader(io.StringIO(model.text)))
    lacking = [""] * (len(columns) - len(rows[0]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([*row, *lacking] for row in rows[1:] if row)
    return text.getvalue()


def _exposures(workspace: _Dbt, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return what reads the tables in the end: they are those that no model reads."""
    read = {up for name in names for up in workspace.nodes[name].refs}
    last = [name for name in workspace.graph.order if name in names and name not in read]
    built = workspace.sources.get("seg_sql", {}).get("tables", {})
    on = [
        f"ref('{name}')" if _runs_in_dbt(node) else f"source('seg_sql', '{name}')"
        for name in last
        if (node := workspace.nodes[name]).kind != "ephemeral"
        and (_runs_in_dbt(node) or name in built)
    ]
    return [
        {
            "name": f"{workspace.project.name}_customer_segments",
            "label": "Customer segments",
            "type": "dashboard",
            "description": "Whatever reads the tables that no other model reads.",
            "owner": {"name": workspace.project.name},
            "depends_on": on,
        }
    ]


def _project(workspace: Workspace, seeds: Mapping[str, Any], as_of: object) -> dict[str, Any]:
    name = workspace.project.name
    zone = workspace.project.vars.timezone.replace("'", "''")
    return {
        "name": name,
        "version": "1.0.0",
        "config-version": 2,
        "require-dbt-version": [">=1.10.0", "<2.0.0"],
        "profile": workspace.project.config.profile or name,
        # A project variable that no model reads: it says who wrote this folder.
        "vars": {MADE: name, **({} if as_of is None else {"as_of": str(as_of)})},
        "models": {name: {"+pre-hook": f"set timezone = '{zone}'"}},
        **({"seeds": {name: dict(seeds)}} if seeds else {}),
    }


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
