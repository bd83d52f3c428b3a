"""The models as SQL: compiled, checked, translated, and a fit as one SELECT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seg_sql.artifacts import Target
from seg_sql.commands import chosen_nodes
from seg_sql.errors import ConfigError, SelectionError, did_you_mean, refused_as
from seg_sql.events import Log
from seg_sql.indenting import indented
from seg_sql.session import Settings, artifacts_folder, session
from seg_sql.step import Steps
from seg_sql.wording import counted
from seg_sql.workspace import Workspace


def compile_models(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    state: Path | None = None,
    dialect: str | None = None,
    lint: bool = False,
) -> Iterator[str]:
    """Write compiled SQL and yield what to print: one model's SQL, or a line."""
    from seg_sql.checking import check

    with session(settings) as workspace:
        target = Target(artifacts_folder(settings))
        names = chosen_nodes(workspace, target.folder, select, exclude, state)
        order = [name for name in workspace.graph.order if name in names]
        models = [name for name in order if workspace.nodes[name].model.resource == "model"]
        if lint:
            check(workspace, order)
            keep = "keeps" if len(models) == 1 else "keep"
            yield f"{counted(len(models), 'model')} {keep} to the portable subset."
            return
        _settle_quietly(workspace, names)
        for name in models:
            sql = workspace.compile(name)
            target.keep_compiled(workspace.nodes[name].model.shown, sql)
            if dialect is not None:
                yield _translated(sql, workspace.dialect, dialect, name)
            elif len(models) == 1:
                yield sql
        if len(models) != 1 and dialect is None:
            yield f"{counted(len(models), 'model')} compiled to {target.folder / 'compiled'}"


def scoring_sql(settings: Settings, name: str) -> str:
    """Return the published fit of an algorithm model as one plain SELECT over its own rows.

    Raises:
        SelectionError: If the model is none that can score.
        ConfigError: If it is not built yet.
    """
    from seg_sql.fitting import task

    with session(settings) as workspace:
        node, engine = workspace.nodes.get(name), workspace.engine
        scoring = [
            each
            for each, found in workspace.nodes.items()
            if found.algorithm is not None and found.algorithm.apply is not None
        ]
        if node is None or node.algorithm is None or node.algorithm.apply is None:
            raise SelectionError(
                f"'{name}' has no fit to score with.", hint=did_you_mean(name, scoring)
            )
        existing = engine.existing()
        given = task(workspace, node, existing)
        if set(given.previous) < set(node.outputs):
            raise ConfigError(
                f"{name} is not built in {engine.schema} yet.",
                hint=f"Run `seg-sql build -s +{name}`.",
            )
        for read in sorted(workspace.relations_read(name)):
            if workspace.project.relation_name(read) not in existing:
                raise ConfigError(
                    f"{name} reads {read}, which is not built in {engine.schema}.",
                    hint=f"Run `seg-sql build -s +{name}`.",
                )
        _settle_quietly(workspace, {name})
        steps = Steps(workspace, f"algorithms/{node.algorithm.name}", model=name)
        given = task(workspace, node, existing)
        rows = f"({workspace.compile(name)}) as scored_rows"
        said = f"The rows of {name} cannot be read"
        with refused_as(ConfigError, said, where=node.model.shown):
            # Not every algorithm has to look at its rows to score them.
            engine.describe(workspace.compile(name))
            return indented(node.algorithm.apply(steps, given.previous, rows, given))


def _settle_quietly(workspace: Workspace, names: set[str]) -> None:
    from seg_sql import freshness

    steps = Steps(workspace, "runner")
    freshness.settle(workspace, steps, names, Log())


def _translated(sql: str, dialect: str, wanted: str, name: str) -> str:
    import sqlglot
    from sqlglot.dialects.dialect import Dialect

    known = sorted(each for each in Dialect.classes if each)
    if wanted.lower() not in known:
        raise ConfigError(f"sqlglot knows no dialect '{wanted}'.", hint=did_you_mean(wanted, known))
    try:
        translated = sqlglot.transpile(sql, read=dialect, write=wanted.lower(), pretty=True)[0]
    except sqlglot.errors.SqlglotError as error:
        said = str(error).splitlines()[0]
        raise ConfigError(
            f"{name} cannot be translated: sqlglot does not read it ({said})."
        ) from error
    return (
        f"-- {name}, translated to {wanted} by sqlglot: unverified. Functions and rounding may"
        f" differ; compare the rows before you rely on it.\n{translated};\n"
    )
