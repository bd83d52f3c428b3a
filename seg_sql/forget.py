"""Delete customers from every table that seg-sql made, and from the files of target/."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seg_sql.engines import Column, Existing
from seg_sql.errors import ConfigError, SegSqlError, SelectionError
from seg_sql.events import Log, Said
from seg_sql.ownership import aside, leftovers, marked_by, stored_failures
from seg_sql.segment_history import histories
from seg_sql.session import Settings, artifacts_folder, session
from seg_sql.step import Steps
from seg_sql.wording import counted
from seg_sql.workspace import Workspace

# What holds a customer's id in the tables of seg-sql.
ID_COLUMNS = ("customer_id", "surviving_id", "merged_into")

Confirm = Callable[[str], bool]


@dataclass(frozen=True)
class Found:
    """Rows of the customers in one table.

    Attributes:
        relation: The table.
        columns: The columns that may hold the ids, quoted.
        rows: How many rows have one.
    """

    relation: str
    columns: Sequence[str]
    rows: int


def forget(
    settings: Settings,
    log: Log,
    ids: Sequence[str],
    *,
    confirm: Confirm,
    columns: Sequence[str] = (),
) -> int:
    """Delete customers wherever seg-sql has put them; return the exit code.

    Args:
        settings: Where the project is.
        log: Takes what was found and done.
        ids: The customers, each once.
        confirm: Asks a person whether to go on.
        columns: Columns of the project's own models that hold customer ids under another name.
    """
    with session(settings, writes=True) as workspace:
        engine = workspace.engine
        engine.lock(settings.wait)
        existing = engine.existing()
        work = [*leftovers(existing), *aside(workspace, existing)]
        steps = Steps(workspace, "forget")
        # A SELECT of the ids and no table: nothing is left of the list either.
        rows = Steps(workspace, "runner").sql(
            "rows",
            columns=[{"name": "customer_id", "type": _text(workspace)}],
            rows=[[each] for each in ids],
        )
        table = f"({rows})"
        found = list(_found(workspace, steps, existing, table, columns, log))
        for each in found:
            log(Said(f"{each.relation}: {counted(each.rows, 'row')}"))
        if work:
            log(Said(f"{counted(len(work), 'work table')} of interrupted runs"))
        files = _files(artifacts_folder(settings), ids)
        if files:
            log(Said(f"{counted(len(files), 'file')} of {artifacts_folder(settings)}"))
        _say_unknown(steps, found, table, len(ids), log)
        _say_merged(workspace, steps, existing, table, log)
        _say_inputs(workspace, steps, table, log)
        if not (found or work or files):
            log(Said(f"No table of {engine.schema} knows {_these(ids)}."))
            return 0
        if not confirm(f"Delete {_these(ids)} for good?"):
            log(Said("Nothing was deleted."))
            return 1
        with engine.transaction():
            for each in found:
                relation = engine.relation(each.relation)
                engine.execute(
                    steps.sql("delete", relation=relation, columns=each.columns, ids=table)
                )
            for name in work:
                engine.drop(name)
        for path in files:
            path.unlink()
    log(
        Said(
            f"Deleted {counted(sum(each.rows for each in found), 'row')} of"
            f" {counted(len(found), 'table')}.",
            hint="Exports, reports and backups that were made before keep what they hold.",
        )
    )
    return 0


def forget_day(settings: Settings, log: Log, day: datetime.date, *, confirm: Confirm) -> int:
    """Delete one as_of from the history, as that of a wrong `--vars`; return the exit code."""
    with session(settings, writes=True) as workspace:
        workspace.looks_at_inputs = False
        engine = workspace.engine
        engine.lock(settings.wait)
        existing, steps = engine.existing(), Steps(workspace, "forget")
        found = {}
        for node in histories(workspace):
            name = workspace.project.relation_name(node.name)
            if name in existing:
                history = engine.relation(name)
                row = steps.row("count_day", history=history, day=str(day))
                if row["row_count"]:
                    found[history] = int(row["row_count"])
                    log(Said(f"{name}: {counted(found[history], 'row')}"))
        if not found:
            raise SelectionError(
                f"The history has no as_of {day}.",
                hint="`seg-sql show segment_moves --from DAY --to DAY` names those that it has.",
            )
        if not confirm(f"Delete as_of {day} for good?"):
            log(Said("Nothing was deleted."))
            return 1
        with engine.transaction():
            for history in found:
                engine.execute(steps.sql("delete_day", history=history, day=str(day)))
    log(
        Said(
            f"Deleted {counted(sum(found.values()), 'row')} of as_of {day}.",
            hint="`seg-sql build` makes today's tables, and segment_moves, from what is left.",
        )
    )
    return 0


def read_ids(file: Path) -> list[str]:
    """Return the ids of a CSV, each once: one a line, with or without a line of names.

    Raises:
        ConfigError: The file cannot be read.
        SelectionError: It has no id.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found = [row[0].strip() for row in csv.reader(lines) if row and row[0].strip()]
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        hint = "It is a CSV in UTF-8, with one id a line."
        raise ConfigError(f"{file} cannot be read: {error}.", hint=hint) from error
    if found and found[0].lower() in ID_COLUMNS:
        del found[0]
    if not found:
        raise SelectionError(f"{file} has no customer id.", hint="Write one id a line.")
    return list(dict.fromkeys(found))


def _these(ids: Sequence[str]) -> str:
    return "this customer" if len(ids) == 1 else f"these {len(ids):,} customers"


def _text(workspace: Workspace) -> str:
    return workspace.renderer.render("{{ seg_sql.text() }}", "forget").sql


def _found(
    workspace: Workspace,
    steps: Steps,
    existing: dict[str, Existing],
    ids: str,
    columns: Sequence[str],
    log: Log,
) -> Iterator[Found]:
    """Yield each table that has rows of the customers; say where else an id seems to be."""
    wanted = {*ID_COLUMNS, *(column.lower() for column in columns)}
    failures = set(stored_failures(workspace, existing))
    for name in sorted(existing):
        if existing[name].kind != "table" or marked_by(existing[name]) != workspace.project.name:
            continue
        described = _columns(workspace, name)
        # The rows of a failed test have what the test selects: an id under any name.
        known = [
            column
            for column in described
            if column.name.lower() in wanted
            or (name in failures and column.kind in ("text", "number"))
        ]
        others = [column for column in described if column not in known and column.kind == "text"]
        if rows := _count(steps, name, known, ids):
            quoted = [steps.engine.quote(column.name) for column in known]
            yield Found(name, quoted, rows)
        for column in others:
            if rows := _count(steps, name, [column], ids):
                log(
                    Said(
                        f"{name}.{column.name} has {counted(rows, 'row')} with a text that is one"
                        " of the ids: left as it is.",
                        level="warn",
                        hint=f"If these are customers: --column {column.name}",
                    )
                )


def _columns(workspace: Workspace, name: str) -> list[Column]:
    steps = Steps(workspace, "runner")
    relation = workspace.engine.relation(name)
    return workspace.engine.describe(steps.sql("all_rows", relation=relation))


def _count(steps: Steps, name: str, columns: Sequence[Column], ids: str) -> int:
    if not columns:
        return 0
    engine = steps.engine
    quoted = [engine.quote(column.name) for column in columns]
    row = steps.row("count", relation=engine.relation(name), columns=quoted, ids=ids)
    return int(row["row_count"])


def _say_unknown(steps: Steps, found: Sequence[Found], ids: str, count: int, log: Log) -> None:
    """Name the ids that no table has: they may be misspelt."""
    if not found:
        return
    tables = [
        {"relation": steps.engine.relation(each.relation), "columns": each.columns}
        for each in found
    ]
    unknown = [row["customer_id"] for row in steps.rows("unknown", ids=ids, tables=tables)]
    if unknown:
        listed = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        said = f"{len(unknown):,} of the {count:,} ids stand in no table: {listed}"
        log(Said(said, level="warn", hint="Are they written as in customer_id?"))


def _say_merged(
    workspace: Workspace, steps: Steps, existing: dict[str, Existing], ids: str, log: Log
) -> None:
    """Warn when an id stands for another customer, under whose id the rows are."""
    if workspace.project.relation_name("customer_merges") not in existing:
        return
    merges = workspace.published("customer_merges")
    for row in steps.rows("merged", merges=merges, ids=ids):
        log(
            Said(
                f"{row['customer_id']} is merged into {row['surviving_id']}, whose rows are left.",
                level="warn",
                hint=f"Name {row['surviving_id']} as well to forget that customer.",
            )
        )


def _say_inputs(workspace: Workspace, steps: Steps, ids: str, log: Log) -> None:
    """Warn when an input still has the customers: the next build would bring them back."""
    for name in workspace.project.config.inputs:
        try:
            columns = sorted(workspace.input(name).columns & set(ID_COLUMNS))
            relation = workspace.input_sql(name)
            row = steps.row("count", relation=relation, columns=columns, ids=ids) if columns else {}
        except SegSqlError as error:
            said = f"Whether the input {name} has them is not known: {error.message}"
            log(Said(said, level="warn", hint=error.hint))
            continue
        if row.get("row_count"):
            log(
                Said(
                    f"The input {name} still has {counted(int(row['row_count']), 'row')} of them,"
                    " and the next build brings them back.",
                    level="warn",
                    hint="Delete them there first; seg-sql only reads its inputs.",
                )
            )


def _files(folder: Path, ids: Sequence[str]) -> list[Path]:
    """Return the files of target/ in which one of the ids stands; a build writes them anew."""
    if not folder.is_dir():
        return []
    texts = [each.encode() for each in ids]
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and any(text in content for content in [path.read_bytes()] for text in texts)
    ]
