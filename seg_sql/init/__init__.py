"""`seg-sql init`: a first seg_sql.yml for one's own data, from a look at a bounded sample of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from seg_sql.config import PROJECT_FILE
from seg_sql.engines import Engine, open_engine
from seg_sql.errors import ConfigError, DatabaseError, sentence
from seg_sql.init.columns import choose, settle_money, settle_orders
from seg_sql.init.connection import PASSWORD_VARIABLE, Connection, parse_url
from seg_sql.init.files import sampled, written_path
from seg_sql.init.look import Look, Setting
from seg_sql.init.sample import Sample
from seg_sql.init.traps import settings
from seg_sql.init.write import Proposal, Source, check_free, propose, write_project
from seg_sql.profiles import DuckDBTarget

__all__ = [
    "Connection",
    "Proposal",
    "init",
    "init_from_file",
    "init_from_relation",
    "parse_url",
    "write_project",
]


def init(
    source: str, *, table: str | None = None, name: str | None = None, project_dir: Path = Path()
) -> Iterator[str]:
    """Look at a file or a table, write a project for it, and yield what to say.

    Args:
        source: A file, a pattern, or `postgresql://user@host/database`.
        table: `schema.table` in that database.
        name: The project's name; by default that of its folder.
        project_dir: Where to write.

    Raises:
        ConfigError: The source cannot be used, or there is a project already.
    """
    if not source.startswith(("postgresql://", "postgres://")):
        if table is not None:
            raise ConfigError(
                "--table names a table of a database, and --from names no database.",
                hint="Write --from postgresql://user@host/database, or leave out --table.",
            )
        check_free(project_dir, PROJECT_FILE)
        with closing(open_engine(DuckDBTarget())) as engine:
            proposal = init_from_file(source, project_dir, name, engine)
    else:
        connection = parse_url(source)
        if table is None:
            raise ConfigError(
                "Which table has the order lines?", hint="Add --table, as in --table public.sales."
            )
        check_free(project_dir, PROJECT_FILE, "profiles.yml")
        if connection.password is not None:
            # For what follows in this process; it is written nowhere.
            os.environ[PASSWORD_VARIABLE] = connection.password.get_secret_value()
        with closing(open_engine(connection.target(), read_only=True)) as engine:
            proposal = init_from_relation(engine, table, project_dir, name, connection=connection)
    written = write_project(proposal, project_dir)
    yield from proposal.lines
    yield ""
    wrote = f"Wrote {' and '.join(str(path) for path in written)}."
    missing = [name for name in ("customer_id", "ordered_at") if name not in proposal.columns]
    if (
        "amount" not in proposal.columns
        and not {"quantity", "unit_price"} <= proposal.columns.keys()
    ):
        missing.append("amount")
    if missing:
        yield f"{wrote} Next: map {', '.join(missing)} in it; then seg-sql build"
    else:
        yield f"{wrote} Next: seg-sql build"


def init_from_file(
    path_or_glob: str, project_dir: Path, name: str | None, engine: Engine
) -> Proposal:
    """Look at CSV or Parquet files and propose a project that reads them.

    Args:
        path_or_glob: A file, or a pattern such as `data/sales-*.csv.gz`; relative to the current
            folder.
        project_dir: Where seg_sql.yml will be.
        name: The project's name; by default that of its folder.
        engine: A DuckDB database in memory.

    Raises:
        ConfigError: The files are missing, empty, broken, or neither CSV nor Parquet.
    """
    with sampled(path_or_glob, engine) as (sample, notes):
        source = Source(
            name=written_path(path_or_glob, project_dir), shown=path_or_glob, is_file=True
        )
        return _proposal(source, sample, engine, project_dir, name, notes=notes)


def init_from_relation(
    engine: Engine,
    relation: str,
    project_dir: Path,
    name: str | None = None,
    *,
    connection: Connection | None = None,
) -> Proposal:
    """Look at the first rows of a table or view and propose a project that reads it.

    Args:
        engine: The open database.
        relation: `schema.table`, with double quotes where a name has upper-case letters.
        project_dir: Where seg_sql.yml will be.
        name: The project's name; by default that of its folder.
        connection: Where the database is; with it the proposal has a profiles.yml.

    Raises:
        ConfigError: The relation cannot be read, or has no rows.
    """
    try:
        sample = Sample(engine, _quoted(relation, engine), whole=False)
    except DatabaseError as error:
        if error.lost:
            raise
        raise ConfigError(
            f"{relation} cannot be read: {sentence(error.message)}",
            hint=error.hint or 'Write schema.table, and "Table" in quotes for upper-case letters.',
        ) from error
    if not sample.lines:
        raise ConfigError(f"{relation} has no rows to look at.")
    source = Source(name=relation, shown=relation, is_file=False)
    return _proposal(source, sample, engine, project_dir, name, connection=connection)


def _proposal(
    source: Source,
    sample: Sample,
    engine: Engine,
    project_dir: Path,
    name: str | None,
    *,
    notes: list[Setting] | None = None,
    connection: Connection | None = None,
) -> Proposal:
    choice = settle_money(sample, settle_orders(sample, choose(sample)))
    look = Look(sample, choice.columns, quote=engine.quote, literal=engine.literal)
    found = [*(notes or []), *settings(look)]
    return propose(source, sample.lines, choice, found, project_dir, name, connection=connection)


def _quoted(relation: str, engine: Engine) -> str:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        table = exp.to_table(relation)
    except SqlglotError:
        table = None
    parts = [part.name for part in table.parts] if isinstance(table, exp.Table) else []
    if not parts:
        raise ConfigError(
            f"{relation!r} is not the name of a relation.",
            hint='Write schema.table, and "Table" in quotes for upper-case letters.',
        )
    return ".".join(engine.quote(part) for part in parts)
