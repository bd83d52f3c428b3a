"""The raw relation behind an input: a table, a query or files, and its columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from seg_sql import resources
from seg_sql.config import InputConfig
from seg_sql.engines import Column, Engine
from seg_sql.errors import ConfigError, DatabaseError, sentence
from seg_sql.project import Project
from seg_sql.render import Renderer

_NOT_CSV = "cannot be read as CSV: its rows do not follow its first line."
_CSV_HINT = 'Look for a quote (") that is never closed, and for lines that end in different ways.'
_RELATION_HINT = 'Write schema.table, and "Schema"."Table" where letters are upper case.'
_QUERY_PATH_HINT = (
    "A path in a query counts from the folder that seg-sql is started in: write it in full, or read"
    " the file with `path:`."
)
_FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv"}


_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or a zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "a SQLite database",
    b"\x1f\x8b": "compressed with gzip, which its name must say by ending in .gz",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"PAR1": "a Parquet file, which its name must say by ending in .parquet",
}
NOT_CSV_HINT = "Save it as CSV in UTF-8, or as Parquet."


def relation_of(
    entry: InputConfig, project: Project, engine: Engine, renderer: Renderer, where: str
) -> str:
    """Return an input's rows as they are, for use after FROM: a table, a query or files.

    Raises:
        ConfigError: It is no relation's name, or there is no such file, or nothing in it.
    """
    if entry.relation is not None:
        parts = split_relation(entry.relation, where)
        return ".".join(engine.quote(part) for part in parts)
    if entry.query is not None:
        return f"(\n{entry.query.strip().rstrip(';')}\n)"
    assert entry.path is not None
    if not engine.reads_files:
        raise ConfigError(
            "PostgreSQL cannot read a path here.",
            where=where,
            hint="Load the file into a table with psql's \\copy, then give relation: schema.table",
        )
    path = entry.path if "://" in entry.path else str(project.dir / entry.path)
    if "://" not in path:
        if Path(path).is_dir():
            raise ConfigError(
                f"{entry.path} is a folder.",
                where=where,
                hint=f"Give a pattern: path: {entry.path.rstrip('/')}/*.csv",
            )
        found = _files(Path(path))
        if not found:
            raise ConfigError(
                f"There is no file {entry.path}.",
                where=where,
                hint="A path is relative to the folder of seg_sql.yml.",
            )
        empty = [file for file in found if file.stat().st_size == 0]
        if empty:
            raise ConfigError(
                f"The file {empty[0].name} is empty.",
                where=where,
                hint="It has not even a line with the names of its columns: has the export failed?",
            )
        if _format(entry.path) == "csv":
            for file in found:
                if what := _other_kind(file):
                    said = f"The file {file.name} is no CSV: it is {what}."
                    raise ConfigError(said, where=where, hint=NOT_CSV_HINT)
    text = "{{ seg_sql.read_file(path, format) }}"
    return renderer.render(text, where, path=path, format=_format(entry.path)).sql


def kind_of(start: bytes) -> str | None:
    """Return what a file is, by its first bytes, if it is surely no CSV."""
    return next((what for magic, what in _MAGIC.items() if start.startswith(magic)), None)


def _other_kind(file: Path) -> str | None:
    if file.suffix.lower() in (".gz", ".zst"):
        return None
    try:
        with file.open("rb") as stream:
            return kind_of(stream.read(16))
    except OSError:  # the database says why
        return None


def _files(path: Path) -> list[Path]:
    """Return the file of a path, whatever characters are in its name, or those of a pattern."""
    if path.is_file():
        return [path]
    path = path.absolute()
    root = Path(path.anchor)
    return sorted(root.glob(str(path.relative_to(root))))


def _format(path: str) -> str:
    name = path.removesuffix(".gz").removesuffix(".zst")
    return _FORMATS.get(Path(name).suffix.lower(), "csv")


def is_csv(entry: InputConfig) -> bool:
    """Return whether an input is read by the CSV reader."""
    return entry.path is not None and _format(entry.path) == "csv"


def split_relation(relation: str, where: str) -> list[str]:
    """Return the parts of a relation's name as they are written in seg_sql.yml, unquoted."""
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}", relation):
        return relation.split(".")
    # The parser takes a tenth of a second to import, and most names have no quotes.
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        table = exp.to_table(relation)
    except SqlglotError:
        table = None
    if table is None or not table.parts:
        raise ConfigError(
            f"'{relation}' is not the name of a relation.", where=where, hint=_RELATION_HINT
        )
    return [part.name for part in table.parts]


def raw_columns(
    entry: InputConfig, engine: Engine, renderer: Renderer, source: str, where: str
) -> list[Column]:
    """Return the columns of an input as the database has them.

    Raises:
        ConfigError: It cannot be read, or a CSV has lines that do not follow its first.
    """
    try:
        columns = engine.describe(render_step("raw", renderer, source=source))
    except DatabaseError as error:
        if error.lost:
            raise
        what = entry.relation or entry.path or "The query"
        if is_csv(entry) and "sniff" in error.message:
            raise ConfigError(f"{what} {_NOT_CSV}", where=where, hint=_CSV_HINT) from error
        hint = error.hint or (_RELATION_HINT if entry.relation is not None else None)
        if entry.query is not None and "No files found" in error.message:
            hint = _QUERY_PATH_HINT
        raise ConfigError(
            f"{what} cannot be read: {sentence(error.message)}", where=where, hint=hint
        ) from error
    if is_csv(entry) and len(columns) == 1 and re.search(r"[,;\t|]", columns[0].name):
        raise ConfigError(f"{entry.path} {_NOT_CSV}", where=where, hint=_CSV_HINT)
    return columns


def render_step(step: str, renderer: Renderer, **context: Any) -> str:
    """Render a template of sql/inputs/."""
    path = resources.SQL / "inputs" / f"{step}.sql"
    return renderer.render(path.read_text("utf-8"), f"sql/inputs/{step}.sql", **context).sql
