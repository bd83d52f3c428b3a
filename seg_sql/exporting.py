"""Published tables as files: Parquet or CSV, one a table, with the types that they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seg_sql.artifacts import writing
from seg_sql.engines import FileFormat
from seg_sql.errors import ConfigError
from seg_sql.grain import grain
from seg_sql.project import Model
from seg_sql.select import select as select_nodes
from seg_sql.session import Settings, session
from seg_sql.step import Steps
from seg_sql.wording import counted
from seg_sql.workspace import Workspace


def export_files(
    settings: Settings,
    file_format: FileFormat,
    folder: Path,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Iterator[str]:
    """Write each selected table that is published to a file; yield a line for each.

    Raises:
        ConfigError: Nothing is built, or not what was asked for, or the folder is no place to
            write to.
    """
    with session(settings) as workspace:
        engine = workspace.engine
        found, missing = _published(workspace, select, exclude)
        if not found or (missing and select):
            raise ConfigError(
                f"{missing[0] if missing else 'Nothing'} is not built in {engine.schema} yet.",
                hint="Run `seg-sql build` first.",
            )
        steps = Steps(workspace, "runner")
        make_folder(folder)
        for output in found:
            file = folder / f"{workspace.project.relation_name(output.name)}.{file_format}"
            rows = _write(steps, output, file, file_format)
            yield f"{file}  {counted(rows, 'row')}"
    if missing:
        yield f"Not built, and so not exported: {', '.join(missing)}"


def make_folder(folder: Path) -> None:
    """Make the folder that is exported to, or say why it cannot be."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _published(
    workspace: Workspace, select: Sequence[str], exclude: Sequence[str]
) -> tuple[list[Model], list[str]]:
    """Return the selected outputs that are published, and the names of those that are not."""
    built = workspace.built()
    names = select_nodes(workspace.selectable, workspace.graph, select, exclude)
    found, missing = [], []
    for name in workspace.graph.order:
        node = workspace.nodes[name]
        for output in node.outputs.values() if name in names and node.builds else ():
            if output.name in built:
                found.append(output)
            else:
                missing.append(output.name)
    return found, missing


def _write(steps: Steps, output: Model, file: Path, file_format: FileFormat) -> int:
    """Write one table; a reader never sees half a file."""
    engine = steps.engine
    query = steps.sql(
        "all_rows",
        relation=steps.workspace.published(output.name),
        order_by=[engine.quote(column) for column in grain(steps.workspace, output)],
    )
    part = file.with_name(f"{file.name}.part")
    try:
        with writing(file):
            rows = engine.export(query, part, file_format)
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return rows
