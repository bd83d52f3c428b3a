"""Samples of CSV and Parquet files, and one clear sentence for each file that is neither."""

from __future__ import annotations

import glob
import gzip
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seg_sql.engines import WORK_PREFIX, Engine
from seg_sql.errors import ConfigError, DatabaseError, sentence
from seg_sql.init.look import Setting
from seg_sql.init.names import is_usual_name
from seg_sql.init.sample import Sample, render, rows_to_look_at
from seg_sql.init.wording import percent, shown
from seg_sql.raw_relations import NOT_CSV_HINT, kind_of

# The sample is so many blocks of consecutive lines, from at most so many files.
_BLOCKS = 20
FILES = 20
# CSV beyond this is not read to its end; a compressed byte counts for several.
CSV_BYTES = 256_000_000
_PACKED = 6
# More broken lines than this share mean that the file is not what it seems.
_BROKEN = 0.1

_DATA = re.compile(r"[-+]?[\d.,]*\d|\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}.*")


@contextmanager
def sampled(path_or_glob: str, engine: Engine) -> Iterator[tuple[Sample, list[Setting]]]:
    """Take a sample of files into a work table of the engine, dropped at the end.

    Whole blocks of lines are taken, spread over the files, so that orders stay together.
    """
    files = _found(path_or_glob)
    is_parquet = _is_parquet(files[0])
    for file in files:
        _check(file, is_parquet=is_parquet)
    files = _spread(files, FILES)
    run = secrets.token_hex(4)
    table, rejects = f"{WORK_PREFIX}{run}_0", f"{WORK_PREFIX}{run}_1"
    engine.prepare_schema()
    try:
        try:
            if is_parquet:
                every = _take_parquet(files, table, engine)
            else:
                every = _take_csv(files, table, rejects, engine)
            sample = Sample(engine, engine.relation(table), whole=True)
            broken = [] if is_parquet else engine.fetch(render("rejects", rejects=rejects)).rows
        except DatabaseError as error:
            kind = "Parquet" if is_parquet else "CSV"
            raise ConfigError(
                f"{path_or_glob} cannot be read as {kind}: {sentence(error.message)}"
            ) from error
        notes = _broken(path_or_glob, broken, sample.lines * every)
        if not is_parquet:
            _check_header(path_or_glob, sample)
            notes += _repeated(files[0], [column.name for column in sample.columns])
        if not sample.lines:
            raise ConfigError(f"{path_or_glob} has the names of columns, but no rows.")
        if len(sample.columns) < 2:
            names = ", ".join(shown(column.name) for column in sample.columns)
            raise ConfigError(
                f"{path_or_glob} has one column only ({names}).",
                hint="A CSV has its columns parted by a comma, semicolon, tab or |.",
            )
        yield sample, notes
    finally:
        engine.drop(table)


def written_path(path_or_glob: str, project_dir: Path) -> str:
    """Return a path as seg_sql.yml has it: relative to its folder, unless that is far away."""
    if "://" in path_or_glob:
        return path_or_glob
    path = Path(os.path.abspath(path_or_glob))  # noqa: PTH100 - resolve() would follow links
    base = Path(os.path.abspath(project_dir))  # noqa: PTH100
    try:
        relative = Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
    return path.as_posix() if relative.startswith("../../../") else relative


def _found(path_or_glob: str) -> list[str]:
    if "://" in path_or_glob:
        return [path_or_glob]
    path = Path(path_or_glob)
    if path.is_dir():
        hint = f"Give a pattern: --from '{path_or_glob.rstrip('/')}/*.csv' or '*.parquet'."
        raise ConfigError(f"{path_or_glob} is a folder.", hint=hint)
    if path.is_file():
        return [path_or_glob]
    found = sorted(glob.glob(path_or_glob, recursive=True))  # noqa: PTH207 - may be absolute
    files = [file for file in found if Path(file).is_file()]
    if not files:
        what = "No file fits" if glob.has_magic(path_or_glob) else "There is no file"
        raise ConfigError(f"{what} {path_or_glob}.")
    return files


def _is_parquet(file: str) -> bool:
    return Path(file).suffix.lower() in (".parquet", ".pq")


def _check(file: str, *, is_parquet: bool) -> None:
    """Raise an error for a file that is surely not what its name says."""
    if "://" in file:
        return
    path = Path(file)
    try:
        if not path.stat().st_size:
            raise ConfigError(f"{file} is empty.")
        start = _start(file, 8192)
    except (OSError, EOFError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{file} cannot be read: {said}.") from error
    if is_parquet and start.startswith(b"PAR1"):
        return
    if is_parquet:
        raise ConfigError(f"{file} is not a Parquet file.")
    if what := kind_of(start):
        raise ConfigError(f"{file} is no CSV: it is {what}.", hint=NOT_CSV_HINT)
    if path.suffix.lower() == ".zst":
        return
    if b"\0" in start:
        raise ConfigError(f"{file} is no CSV: it is not text.", hint=NOT_CSV_HINT)
    if not start.strip():
        raise ConfigError(f"{file} is empty.")
    if re.match(rb"\W*sep=", start, re.I):
        raise ConfigError(f"{file} begins with a line for Excel (sep=).", hint="Delete that line.")
    if re.match(rb'\W*<(\?xml|!doctype|html)|[\xef\xbb\xbf\s]*(\{\s*"|\[\s*[{\[])', start, re.I):
        raise ConfigError(f"{file} is no CSV: it looks like JSON or XML.", hint=NOT_CSV_HINT)


def _start(file: str, size: int) -> bytes:
    """Return the first bytes of a file, unpacked."""
    path = Path(file)
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        return stream.read(size)


def _spread(files: Sequence[str], most: int) -> list[str]:
    """Return at most so many files, evenly spread, with the first and the last.

    >>> _spread(["a", "b", "c", "d", "e"], 3)
    ['a', 'c', 'e']
    """
    if len(files) <= most:
        return list(files)
    step = (len(files) - 1) / (most - 1)
    return [files[round(place * step)] for place in range(most)]


def _take_parquet(files: Sequence[str], table: str, engine: Engine) -> int:
    listed = [engine.literal(file) for file in files]
    look = rows_to_look_at(len(engine.describe(_parquet(listed[:1], 1, 1))))
    rows = engine.fetch(render("parquet_rows", files=listed)).rows[0][0] or 0
    every = -(-rows // look) or 1
    engine.create(table, "table", _parquet(listed, max(look // _BLOCKS, 1), every), work=True)
    return every


def _parquet(files: Sequence[str], block: int, every: int) -> str:
    return render("sample_parquet", files=files, block=block, every=every)


def _take_csv(files: Sequence[str], table: str, rejects: str, engine: Engine) -> int:
    first = [engine.literal(files[0])]
    select = render("sample_csv", files=first, heads=1, rejects=f"{rejects}_0", block=1, every=1)
    look = rows_to_look_at(len(engine.describe(select)))
    size, lines = _size(files)
    every, heads = -(-lines // look) or 1, 0
    if size is None or size > CSV_BYTES:
        files = _spread(files, 5)
        every, heads = 1, look // len(files)
    select = render(
        "sample_csv",
        files=[engine.literal(file) for file in files],
        heads=heads,
        rejects=rejects,
        block=max(look // _BLOCKS, 1),
        every=every,
    )
    engine.create(table, "table", select, work=True)
    return every


def _size(files: Sequence[str]) -> tuple[int | None, int]:
    """Return the bytes of text in the files and the lines in them, as estimated from the first."""
    if "://" in files[0]:
        return None, 0
    packed = Path(files[0]).suffix.lower() in (".gz", ".zst")
    size = sum(Path(file).stat().st_size for file in files) * (_PACKED if packed else 1)
    start = _start(files[0], 1_000_000)
    return size, size * (start.count(b"\n") or 1) // len(start)


def _broken(path: str, rows: Sequence[Sequence[object]], lines: int) -> list[Setting]:
    """Say how many lines could not be read; raise an error when they are many."""
    if not rows:
        return []
    kinds = {str(kind): (int(str(count)), first) for kind, count, first in rows}
    if "INVALID ENCODING" in kinds:
        raise ConfigError(
            f"{path} is not UTF-8: line {kinds['INVALID ENCODING'][1]} has other bytes.",
            hint="Save it as UTF-8, or convert it: iconv -f latin1 -t utf-8 old.csv > new.csv",
        )
    count = sum(found for found, _ in kinds.values())
    first = min(int(str(line)) for _, line in kinds.values())
    what = "more or fewer fields than the header"
    if count > _BROKEN * (lines + count):
        raise ConfigError(
            f"{path} is no proper CSV: {percent(count, lines + count)} of its lines have {what},"
            f" the first is line {first}.",
            hint="Its first line must name the columns; a field that holds the separator must stand"
            ' in "quotes".',
        )
    lines_ = "1 line has" if count == 1 else f"{count:,} lines have"
    why = (
        f"{lines_} {what} (the first is line {first}); the build leaves such lines out and counts"
        " them."
    )
    return [Setting("path", why=why)]


def _repeated(file: str, names: Sequence[str]) -> list[Setting]:
    """Name the columns that the header has several times: DuckDB calls the second Nr Nr_1."""
    if "://" in file or Path(file).suffix.lower() == ".zst":
        return []
    header = _start(file, 65536).decode("utf-8", "replace").lstrip().splitlines()[0]
    known = {name.lower(): name for name in names}
    renamed: dict[str, list[str]] = {}
    for name in names:
        first = known.get(re.sub(r"_\d+$", "", name).lower(), name)
        if first != name and name not in header:
            renamed.setdefault(first, []).append(name)
    notes = []
    for first, others in renamed.items():
        which = (
            f"twice; the second is called {shown(others[0])}"
            if len(others) == 1
            else f"{len(others) + 1} times; the others are called {', '.join(map(shown, others))}"
        )
        notes.append(Setting("path", why=f"The column {shown(first)} is there {which} here."))
    return notes


def _check_header(path: str, sample: Sample) -> None:
    names = [column.name for column in sample.columns]
    like_data = [name for name in names if _DATA.fullmatch(name.strip())]
    unnamed = all(re.fullmatch(r"column\d+", name) for name in names)
    if unnamed or (like_data and not any(is_usual_name(name) for name in names)):
        example = "" if unnamed else f": it has {shown(like_data[0])} for the name of a column"
        raise ConfigError(
            f"The first line of {path} does not name the columns{example}.",
            hint="Add a first line such as: customer_id,order_id,ordered_at,item_id,quantity,price",
        )
