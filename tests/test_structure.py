"""The arrows of the architecture, and the rules that keep the tree in shape."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "seg_sql"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)

SQL_TEXT = re.compile(
    r"\s*(select .* from|insert into|create (table|view)|update .* set|delete from|drop table) ",
    re.IGNORECASE,
)

# Each layer may import those below it and its own; nothing imports upwards.
LAYERS = [
    {"__main__"},
    {"cli", "api"},
    {"cli_options", "one_off"},
    {"compiling", "upkeep"},
    {"commands", "showing", "backfill", "forget", "tables"},
    {
        "moves",
        "runner",
        "building",
        "fitting",
        "run",
        "unit_test_runs",
        "explain",
        "explain_items",
        "explain_clv",
        "demo",
        "init",
        "session",
        "report",
        "exporting",
        "dbt_project",
        "docs",
    },
    {
        "history",
        "segment_history",
        "cohorts",
        "freshness",
        "kept_fits",
        "artifacts",
        "junit",
        "checking",
        "seeds",
        "testing",
        "unit_testing",
        "console",
    },
    {"data_tests", "outcome", "row_diff", "ownership", "grain", "lineage"},
    {"algorithms"},
    {"step", "slices"},
    {"workspace", "journal"},
    {"inputs", "nodes", "sql_errors", "given_rows", "known_texts"},
    {"raw_relations"},
    {"render", "select"},
    {"json_schema"},
    {"project", "graph", "lint", "lint_tree", "lint_facts", "lint_words", "events"},
    {"algorithm"},
    {"config", "options", "generic_tests"},
    {"engines"},
    {"profiles"},
    {"yaml_files", "resources", "csv_rows", "wording", "indenting", "layout"},
    {"errors"},
]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return every module that a file imports, and whether only for type checking."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for node in ast.walk(tree):
        checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if checking:
            for inner in ast.walk(node):
                inner.for_types = True  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        typed = getattr(node, "for_types", False)
        if isinstance(node, ast.Import):
            found += [(alias.name, typed) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, typed))
            found += [(f"{node.module}.{alias.name}", typed) for alias in node.names]
    return found


def layer(module: str) -> int | None:
    name = module.split(".")[1] if module.startswith("seg_sql.") else None
    return next((index for index, names in enumerate(LAYERS) if name in names), None)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_against_the_arrows(module: str) -> None:
    mine = layer(module)
    assert mine is not None, f"{module} has no place in the architecture: add it to LAYERS"
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    for imported, for_types in imports(path):
        theirs = layer(imported)
        if theirs is not None and not for_types:
            assert theirs >= mine, f"{module} imports {imported}, which stands above it"


@pytest.mark.parametrize("module", MODULES)
def test_drivers_and_printing_stay_in_their_place(module: str) -> None:
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    if not module.startswith("seg_sql.engines."):
        drivers = {name.split(".")[0] for name, _ in imports(path)} & {"duckdb", "psycopg"}
        assert not drivers
        # SQL is text of sql/ and macros/, not of Python.
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
        ]
        assert not [text for text in texts if SQL_TEXT.match(text)]
    if module not in ("seg_sql.cli", "seg_sql.console"):
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not called & {"print", "click.echo"}


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_packaged_models_are_described() -> None:
    """Every packaged model and output, and each of its columns, has a type and a text."""
    from seg_sql.project import load_project
    from seg_sql.workspace import Workspace

    nodes = Workspace(load_project(ROOT / "fixtures" / "every_input"), None).nodes
    for model in (output for node in nodes.values() for output in node.outputs.values()):
        assert model.entry.description, model.name
        assert model.entry.columns, model.name
        for column in model.entry.columns:
            assert column.description, (model.name, column.name)
            assert column.data_type, (model.name, column.name)


def test_what_a_config_adds_to_the_meta_takes_nothing_from_it() -> None:
    """schema.yml says which columns `show` puts first; the config() of clv says more beside it."""
    from seg_sql.project import load_project
    from seg_sql.workspace import Workspace

    nodes = Workspace(load_project(ROOT / "fixtures" / "every_input"), None).nodes
    assert {"in_place", "show_first", "needs"} <= set(nodes["clv"].config.meta)
    for node in nodes.values():
        described = node.model.entry.config.get("meta", {})
        assert set(described) <= set(node.config.meta), node.name


def test_the_project_names_no_machine() -> None:
    """No path of a machine and no package host stands in the project."""
    pattern = re.compile(r"(?<![\w.])/(work|root|home)/\w|pypi\.org|npmjs\.org|deb\.debian")
    for path in ROOT.rglob("*"):
        if path.suffix in (".py", ".sql", ".md", ".yml", ".toml") and not any(
            part.startswith(".") or part in ("target", "build", "dist", "demo")
            for part in path.relative_to(ROOT).parts[:-1]
        ):
            found = pattern.search(path.read_text("utf-8"))
            assert found is None or path == Path(__file__), f"{path}: {found}"
