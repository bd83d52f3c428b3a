"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seg_sql import __version__
from seg_sql.cli_options import (
    common,
    console_from,
    day,
    folder,
    option,
    running,
    selection,
    settings_from,
    terminal_width,
    waiting,
)
from seg_sql.errors import SegSqlError

if TYPE_CHECKING:
    from seg_sql.events import Log


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="seg-sql")
def cli() -> None:
    """Customer segmentation as SQL, where the data lives: DuckDB or PostgreSQL.

    Start with `seg-sql demo`, or with your own data: `seg-sql init --from orders.csv`.
    """


def main() -> None:
    """Run the command line; an error of ours ends it with one sentence and its exit code."""
    # A short process makes little garbage: looking for it takes a tenth of the start, and as much
    # again of the end.
    gc.set_threshold(50_000)
    try:
        code = cli(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        code = 1
    except click.ClickException as error:
        error.show()
        if "extra argument" in error.message and {"-s", "--select", "--exclude"} & set(sys.argv):
            click.echo("Give several models to one -s in quotes: -s 'rfm customer_360'.", err=True)
        code = 2
    except SegSqlError as error:
        from seg_sql.console import print_error

        print_error(error)
        code = error.exit_code
    except (BrokenPipeError, SystemExit):
        # The reader of the output, such as `head`, has gone: nothing is wrong. click exits for
        # nothing else while standalone_mode is off; its code would be 1.
        from seg_sql.console import abandon

        abandon(sys.stdout)
        abandon(sys.stderr)
        code = 0
    gc.freeze()
    sys.exit(code or 0)


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, err=True)


def _run(command: str, given: dict[str, Any]) -> int:
    """Run build, run or test; return the exit code."""
    from seg_sql import commands
    from seg_sql.events import Log, Said

    console = console_from(given)
    log: Log = Log([console])
    try:
        return commands.run(command, settings_from(given), log, **given)
    except SegSqlError as error:
        if console.format == "text":
            raise
        # A program that reads the lines gets the error as one of them.
        text = f"{error.where}: {error.message}" if error.where else error.message
        log(Said(text, level="error", hint=error.hint))
        return error.exit_code


@cli.command()
@common
@selection
@running
@option("-f", "--full-refresh", is_flag=True, help="Build from scratch: refit what is kept.")
def build(**given: Any) -> int:
    """Build, test and publish models."""
    return _run("build", given)


@cli.command()
@common
@selection
@running
@option("-f", "--full-refresh", is_flag=True, help="Build from scratch: refit what is kept.")
def run(**given: Any) -> int:
    """Build and publish models without testing them."""
    return _run("run", given)


@cli.command()
@common
@selection
@running
def test(**given: Any) -> int:
    """Run the unit tests, and the data tests on what is published."""
    return _run("test", given)


@cli.command()
@common
@running
def retry(**given: Any) -> int:
    """Run the last command again for what failed or was skipped."""
    return _run("retry", given)


@cli.command()
@click.argument("models", nargs=-1, required=True)
@common
@option("--from", "first", type=day, required=True, help="The first as_of to write.")
@option("--to", "last", type=day, required=True, help="The last as_of to write.")
@option(
    "--every",
    type=click.Choice(["day", "week", "month"]),
    default="month",
    show_default=True,
    help="How far one as_of lies from the next.",
)
@option("-f", "--full-refresh", is_flag=True, help="Write what the history has already, too.")
@waiting
def backfill(models: tuple[str, ...], **given: Any) -> int:
    """Write the history of MODELS, such as rfm, for days gone by."""
    from seg_sql import backfill as backfill_
    from seg_sql.events import Log

    log: Log = Log([console_from(given)])
    settings = settings_from(given)
    first, last = given.pop("first").date(), given.pop("last").date()
    return backfill_.backfill(settings, log, models, first=first, last=last, **given)


@cli.command()
@common
@selection
@option("--dialect", help="Print an unverified translation for another database.")
@option("--lint", is_flag=True, help="Check the portable subset of SQL only.")
@option("--score", metavar="MODEL", help="Print the SELECT that scores with a published fit.")
def compile(**given: Any) -> None:
    """Write the SQL of models to target/compiled, or print that of one."""
    from seg_sql import compiling

    settings = settings_from(given)
    score = given.pop("score")
    if score is not None:
        click.echo(compiling.scoring_sql(settings, score))
        return
    for text in compiling.compile_models(settings, **given):
        click.echo(text)


@cli.command()
@common
@selection
@option(
    "--resource-type",
    type=click.Choice(["model", "seed", "test", "unit_test", "internal"]),
    multiple=True,
    help="Only this kind; internal: the work tables and stored failures that `clean` drops.",
)
@option("--output", type=click.Choice(["name", "path", "json"]), default="name")
def ls(**given: Any) -> None:
    """List models, seeds and tests."""
    from seg_sql import commands

    settings = settings_from(given)
    for line in commands.listing(settings, **given):
        click.echo(line)


@cli.command()
@click.argument("name", required=False)
@common
@option("--inline", help="A SELECT with {{ ref('...') }} instead of a name.")
@option("--limit", type=click.IntRange(min=0), default=20, show_default=True)
@option("--from", "first", type=day, help="With segment_moves: the earlier as_of.")
@option("--to", "last", type=day, help="With segment_moves: the later as_of.")
@option("--output", type=click.Choice(["table", "csv", "json"]), default="table")
def show(name: str | None, **given: Any) -> None:
    """Print the rows of a published table."""
    from seg_sql import showing
    from seg_sql.console import print_rows

    settings = settings_from(given)
    output, first, last = given.pop("output"), given.pop("first"), given.pop("last")
    if first or last:
        if name != "segment_moves" or not (first and last):
            raise click.UsageError("--from and --to go together, and with segment_moves.")
        given["between"] = (first.date(), last.date())
    found = showing.show(settings, name, **given)
    print_rows(found.rows, output, total=found.total, counts=found.counts)
    if name == "segment_moves" and found.total == 0:
        click.echo(showing.NO_MOVES, err=True)


@cli.command()
@click.argument("customer", required=False)
@common
@option("--item", help="Say which items go with this one instead.")
@option(
    "--lines",
    type=click.IntRange(min=0),
    default=12,
    show_default=True,
    help="How many order lines to print.",
)
def explain(customer: str | None, **given: Any) -> None:
    """Say in plain words why CUSTOMER is where it is, or what goes with an item."""
    from seg_sql import explain as explained
    from seg_sql import explain_items
    from seg_sql.layout import wrapped

    console = console_from(given)
    item = given.pop("item")
    if (customer is None) == (item is None):
        raise click.UsageError("Give either a customer or --item ITEM.")
    settings = settings_from(given)
    lines = given.pop("lines")
    said = (
        explain_items.item(settings, item)
        if customer is None
        else explained.customer(settings, customer, lines=lines)
    )
    for line in said:
        click.echo(wrapped(line, console.width))


@cli.command()
@common
@option("--output", type=folder, help="Where to write it; default: target/docs.")
@option("--json-schema", is_flag=True, help="Print the JSON Schema of seg_sql.yml, for editors.")
def docs(output: Path | None, json_schema: bool, **given: Any) -> None:
    """Write the documentation of the models as one HTML file, with catalog.json beside it."""
    if json_schema:
        import json

        from seg_sql.json_schema import project_schema

        click.echo(json.dumps(project_schema(), indent=2))
        return
    from seg_sql.docs import write_docs

    _tell(write_docs(settings_from(given), output))


@cli.command()
@click.argument("form", type=click.Choice(["parquet", "csv", "dbt"]))
@click.argument("directory", type=folder)
@common
@option("-s", "--select", multiple=True, help="Models: a name, +name, tag:rfm.")
@option("--exclude", multiple=True, help="Models to leave out, in the same words.")
def export(form: str, directory: Path, **given: Any) -> None:
    """Write the published tables to files in DIRECTORY, or the SQL models as a dbt project."""
    from seg_sql.dbt_project import export_dbt
    from seg_sql.exporting import export_files

    settings = settings_from(given)
    if form == "dbt":
        lines = export_dbt(settings, directory, **given)
    else:
        lines = export_files(settings, "csv" if form == "csv" else "parquet", directory, **given)
    _tell(lines)


@cli.command()
@common
@option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; default: report.html in the project's folder.",
)
@option("--charts", type=folder, help="Also write each chart to this folder, as PNG and SVG.")
def report(**given: Any) -> None:
    """Write what the published tables say as one HTML file."""
    from seg_sql.report import report as written

    _tell(written(settings_from(given), **given))


@cli.command()
@common
def debug(**given: Any) -> int:
    """Check the project, the connection and the rights, and say what is missing."""
    from seg_sql import upkeep
    from seg_sql.layout import wrapped

    settings = settings_from(given)
    code = 0
    for ok, line in upkeep.debug(settings):
        if ok and sys.stdout.isatty():  # what is missing is to be copied as it is
            line = wrapped(line, terminal_width() - 5)
        click.echo(
            f"{click.style('ok  ', fg='green') if ok else click.style('no  ', fg='red')} {line}"
        )
        code = code if ok else 1
    return code


@cli.command()
@click.argument("customers", nargs=-1)
@common
@option(
    "--customer-id-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Or a CSV with one customer id a line.",
)
@option("--as-of", type=day, help="Or a day, as YYYY-MM-DD, that goes from the history.")
@option("--column", multiple=True, help="A column of your own models that holds customer ids.")
@option("--yes", is_flag=True, help="Do not ask.")
@waiting
def forget(customers: tuple[str, ...], **given: Any) -> int:
    """Delete CUSTOMERS from every table and file that seg-sql made, or a day from the history."""
    from seg_sql import forget as forget_
    from seg_sql.console import asked
    from seg_sql.events import Log

    log: Log = Log([console_from(given)])
    settings = settings_from(given)
    file, columns, day = given["customer_id_file"], given["column"], given["as_of"]
    if bool(customers) + (file is not None) + (day is not None) != 1:
        raise click.UsageError("Name either customers, or --customer-id-file, or --as-of.")

    def confirm(what: str) -> bool:
        return given["yes"] or asked(what)

    if day is not None:
        return forget_.forget_day(settings, log, day.date(), confirm=confirm)
    ids = list(dict.fromkeys(customers)) or forget_.read_ids(file)
    return forget_.forget(settings, log, ids, confirm=confirm, columns=columns)


@cli.command()
@common
def clean(**given: Any) -> None:
    """Remove target/ and what interrupted runs left in the schema."""
    from seg_sql import upkeep

    _tell(upkeep.clean(settings_from(given)))


@cli.command()
@click.argument("directory", type=folder, default="demo")
@option("--customers", type=click.IntRange(min=1), default=5000, show_default=True)
@option("--seed", type=int, default=1, show_default=True, help="The same seed, the same orders.")
def demo(directory: Path, customers: int, seed: int) -> None:
    """Make a demo project with generated orders in DIRECTORY."""
    from seg_sql import upkeep

    _tell(upkeep.demo(directory, customers, seed))


@cli.command()
@option(
    "--from",
    "source",
    required=True,
    help="A CSV or Parquet file or glob, or postgresql://user@host/db.",
)
@option("--table", help="With a database: the table of order lines, as in public.sales.")
@option("--name", help="Name of the project; default: the folder's.")
@option("--project-dir", type=folder, default=".", help="Folder to write seg_sql.yml to.")
def init(source: str, table: str | None, name: str | None, project_dir: Path) -> int:
    """Look at your order lines and write a seg_sql.yml that fits them."""
    from seg_sql import upkeep
    from seg_sql.layout import wrapped

    code, width = 0, terminal_width()
    for ok, line in upkeep.init(source, table, name, project_dir):
        # An error of the connection has its hint, such as a GRANT, in a line of its own.
        _tell(wrapped(part, width) for part in line.split("\n"))
        code = code if ok else 1
    return code
