"""What a person sees of a run: dbt's frame on standard error, tables on standard output."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
import os
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from seg_sql.errors import SegSqlError
from seg_sql.events import (
    Event,
    Iterated,
    NodeFinished,
    NodeStarted,
    Progressed,
    RunFinished,
    RunStarted,
    Said,
    TestFinished,
    as_json,
)
from seg_sql.layout import cut, fitting, is_number, parts_of, shown, wrapped
from seg_sql.wording import counted, inventory

if TYPE_CHECKING:
    from seg_sql.engines import Result

LogFormat = Literal["text", "json"]
_COLOURS = {"OK": "green", "ERROR": "red", "FAIL": "red", "WARN": "yellow", "SKIP": "yellow"}


@dataclass
class Console:
    """Prints events as lines, in a terminal or a pipe, or as JSON lines.

    Attributes:
        width: The width that a line of a model is filled to.
    """

    format: LogFormat = "text"
    quiet: bool = False
    debug: bool = False
    width: int = 80
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _shown_tests: list[TestFinished] = field(default_factory=list)
    _live: bool = False
    _iteration: Iterated | None = None  # the last one
    _unsaid: tuple[Iterated, datetime.datetime] | None = None

    def __call__(self, event: Event) -> None:
        """Print one event."""
        if self.format == "json":
            at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
            self._write(json.dumps({"at": at, **as_json(event)}, default=str))
            return
        handler = getattr(self, f"_{type(event).__name__.lower()}")
        handler(event)

    def line(self, text: str, *, stamp: bool = True, at: datetime.datetime | None = None) -> None:
        """Print a line with the time before it: now, or when it was."""
        self._end_of_fit()
        if self._live:
            self._write("\r" + " " * (self.width - 1) + "\r", nl=False)
            self._live = False
        when = f"{at or datetime.datetime.now():%H:%M:%S}  " if stamp else " " * 10
        self._write(f"{when}{text}".rstrip())

    def _write(self, text: str, *, nl: bool = True) -> None:
        try:
            click.echo(text, file=self.stream, nl=nl)
        except BrokenPipeError:
            # Who read along has gone, such as `head`: the build goes on without.
            abandon(self.stream)

    def _runstarted(self, event: RunStarted) -> None:
        if self.quiet:
            return
        self.line(f"Running seg-sql {event.version} on {event.engine}, schema {event.schema}")
        self.line(f"Found {inventory(event.counts) or 'nothing to build'}")

    def _said(self, event: Said) -> None:
        if event.level == "debug" and not self.debug:
            return
        if self.quiet and event.level in ("info", "debug"):
            return
        word = {"warn": "WARN ", "error": "ERROR "}.get(event.level, "")
        for number, part in enumerate(self._parts(word + event.text)):
            if number == 0 and word:
                part = part.replace(word, f"{self._coloured(word.strip())} ", 1)
            self.line(part, stamp=number == 0)
        for part in self._parts(event.hint or ""):
            self.line(part, stamp=False)

    def _parts(self, text: str, indent: str = "") -> list[str]:
        """Return a sentence in lines that fit a terminal; a pipe gets it whole."""
        if not text or not self.stream.isatty():
            return [indent + text] if text else []
        return parts_of(text, self.width - 10, first=indent, later=indent)

    def _nodestarted(self, event: NodeStarted) -> None:
        if not self.quiet and self.debug:
            text = f"{event.index} of {event.total} {{}} {_what(event)}"
            self._node_line(text, "START", "RUN")

    def _nodefinished(self, event: NodeFinished) -> None:
        tests, self._shown_tests = self._shown_tests, []
        if event.status == "success" and self.quiet:
            self._print_tests(tests)
            return
        place = f"{event.index} of {event.total}"
        if event.status == "skipped":
            self._node_line(f"{place} {{}} {_what(event)}", "SKIP", event.message)
        elif event.status == "error":
            text = f"{place} {{}} creating {_what(event)}"
            self._node_line(text, "ERROR", f"{event.seconds:.2f}s")
            self._print_tests(tests)
            self._print_message(event.message)
            return
        else:
            rows = [] if event.rows is None else [counted(event.rows, "row")]
            what = [event.notes] if event.notes else rows
            text = f"{place} {{}} created {_what(event)}"
            self._node_line(text, "OK", ", ".join([*what, f"{event.seconds:.2f}s"]))
        self._print_tests(tests)

    def _node_line(self, text: str, word: str, what: str) -> None:
        """Print a line that ends at the terminal's edge; the time before it takes ten places."""
        room = self.width - 10 - len(what) - 3
        filled = f"{text.format(word)} ".ljust(room, ".")
        coloured = filled.replace(f" {word} ", f" {self._coloured(word)} ", 1)
        if len(filled) > room and self.stream.isatty():
            # The terminal would break it somewhere within the brackets.
            self.line(coloured)
            self.line(f"[{what}]".rjust(self.width - 10), stamp=False)
            return
        self.line(f"{coloured} [{what}]")

    def _testfinished(self, event: TestFinished) -> None:
        """Keep what is wrong until its model's line is printed; a passing test says nothing."""
        if event.status == "pass" and not self.debug:
            return
        if event.kind == "unit":
            self._print_tests([event])
        else:
            self._shown_tests.append(event)

    def _print_message(self, message: str, indent: str = "") -> None:
        """Print what went wrong; the lines of SQL in it, which have a bar, stay as they are."""
        for text in message.splitlines():
            own = indent + text[: len(text) - len(text.lstrip())]
            for part in [indent + text] if " | " in text else self._parts(text.strip(), own):
                self.line(part, stamp=False)

    def _print_tests(self, tests: Sequence[TestFinished]) -> None:
        for event in tests:
            word = {"pass": "PASS", "warn": "WARN", "fail": "FAIL"}.get(event.status, "ERROR")
            kind = "unit test" if event.kind == "unit" else "test"
            count = (
                f" {counted(event.failures, 'row')}"
                if event.kind == "data" and event.failures
                else ""
            )
            self.line(f"  {self._coloured(word)} {kind} {event.name}{count}", stamp=False)
            self._print_message(event.message, "    ")
            for part in event.detail.splitlines():
                self.line(f"    {part}", stamp=False)
            if event.compiled and event.status != "pass":
                self.line(f"    compiled: {_from_here(event.compiled)}", stamp=False)

    def _iterated(self, event: Iterated) -> None:
        """Show how a fit goes; to a pipe its first and its last iteration, or all with --debug."""
        if self.quiet:
            return
        if self.stream.isatty():
            self._show_live(_iteration(event))
            return
        before, self._iteration = self._iteration, event
        begins = before is None or before.name != event.name or before.iteration >= event.iteration
        if begins or self.debug:
            self.line(_iteration(event))
        else:
            self._unsaid = event, datetime.datetime.now()

    def _end_of_fit(self) -> None:
        """Print the last iteration of a fit, which only what comes after it tells."""
        unsaid, self._unsaid = self._unsaid, None
        if unsaid is not None:
            self.line(_iteration(unsaid[0]), at=unsaid[1])

    def _progressed(self, event: Progressed) -> None:
        if self.quiet:
            return
        rows = "   ".join(f"{name} {number or 0:,} rows" for name, number in event.rows.items())
        text = f"{event.done} of {event.total} {event.what}   {rows}"
        if not self.stream.isatty():
            self.line(text)
            return
        filled = 20 * event.done // event.total
        self._show_live(f"[{'#' * filled}{'.' * (20 - filled)}] {text}")

    def _show_live(self, text: str) -> None:
        """Show on a terminal one line that changes; the next other line takes its place."""
        shown = f"{datetime.datetime.now():%H:%M:%S}  {text}"[: self.width - 1]
        self._write("\r" + shown.ljust(self.width - 1), nl=False)
        self._live = True

    def _runfinished(self, event: RunFinished) -> None:
        self._print_tests(self._shown_tests)
        self._shown_tests = []
        if not self.quiet:
            outside = max(event.seconds - event.seconds_in_database, 0.0)
            self.line(
                f"Finished in {event.seconds:.2f}s, of it {outside:.2f}s outside the database."
            )
        self.line(
            f"Done. PASS={event.passed} WARN={event.warned} ERROR={event.failed}"
            f" SKIP={event.skipped} TOTAL={event.total}"
        )

    def _coloured(self, word: str) -> str:
        return click.style(word, fg=_COLOURS[word]) if word in _COLOURS else word


def _iteration(event: Iterated) -> str:
    figures = "   ".join(
        f"{key} {value:{',' if isinstance(value, int) else ',.6g'}}"
        for key, value in event.figures.items()
    )
    stage = f"{event.stage}   " if event.stage else ""
    return f"    iteration {event.iteration:<3} {stage}{figures}   {event.seconds:.2f}s"


def _what(event: NodeStarted | NodeFinished) -> str:
    name = event.relation.rpartition(".")[2]
    # A packaged model that has the name of its algorithm is not named twice.
    return f"{'model' if event.kind == name else event.kind} {name}"


def _from_here(file: str) -> str:
    """Return the way to a file that lies below the current folder, so that it fits a line."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def abandon(stream: TextIO) -> None:
    """Send what is still written to a stream nowhere, the interpreter's last flush too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def asked(question: str) -> bool:
    """Ask a person; where there is none, say what does without.

    Raises:
        SegSqlError: Standard input has ended before an answer, and is no terminal.
    """
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)
        raise SegSqlError(
            "There is nobody to answer, so nothing was deleted.", hint="With --yes it does not ask."
        ) from None


def print_error(error: SegSqlError) -> None:
    """Print an error that ended the command; a terminal gets it in lines that fit, SQL as it is."""
    lines = f"Error: {error}".splitlines()
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [line if " | " in line else wrapped(line, width) for line in lines]
    text = "\n".join(lines).removeprefix("Error:")
    click.echo(f"{click.style('Error:', fg='red')}{text}", err=True)


def print_rows(
    result: Result, output: str, *, total: int | None = None, counts: Collection[str] = ()
) -> None:
    """Print rows on standard output as a table, CSV or JSON lines.

    Args:
        result: The rows.
        output: table, csv or json.
        total: How many rows there are in all.
        counts: The columns of integers that no id is in.
    """
    if output == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([["" if v is None else v for v in row] for row in result.rows])
        click.echo(text.getvalue(), nl=False)
    elif output == "json":
        for row in result.dicts():
            click.echo(json.dumps(row, default=_json_value, ensure_ascii=False))
    else:
        _print_table(result, counts)
        if total is not None and total > len(result.rows):
            click.echo(
                f"{len(result.rows):,} of {total:,} rows; more with --limit N.", file=sys.stderr
            )


def _json_value(value: Any) -> Any:
    return float(value) if isinstance(value, decimal.Decimal) else str(value)


def _print_table(result: Result, counts: Collection[str]) -> None:
    """Print a table; columns that do not fit are left out, the widest texts first, and named."""
    from rich.cells import cell_len
    from rich.console import Console as RichConsole
    from rich.table import Table
    from rich.text import Text

    cells = [
        [
            shown(value, is_count=name in counts)
            for name, value in zip(result.columns, row, strict=True)
        ]
        for row in result.rows
    ]
    widths = [
        max(cell_len(name), *(cell_len(row[index]) for row in cells), 1)
        for index, name in enumerate(result.columns)
    ]
    # A pipe takes every column; a terminal as many as fit.
    console = RichConsole(highlight=False)
    if not console.is_terminal:
        console = RichConsole(highlight=False, width=sum(widths) + 2 * len(widths))
    widths = cut(result.columns, widths, console.width)
    kept = fitting(widths, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in kept:
        values = [row[index] for row in result.rows if row[index] is not None]
        numeric = bool(values) and all(is_number(value) for value in values)
        table.add_column(
            result.columns[index],
            justify="right" if numeric else "left",
            no_wrap=True,
            max_width=widths[index],
        )
    for row in cells:
        table.add_row(*(Text(row[index]) for index in kept))
    console.print(table)
    left_out = [name for index, name in enumerate(result.columns) if index not in kept]
    if left_out:
        text = (
            f"Left out, as the terminal is {console.width} wide: {', '.join(left_out)}"
            " (all with --output csv)."
        )
        click.echo(click.wrap_text(text, width=console.width), file=sys.stderr)
