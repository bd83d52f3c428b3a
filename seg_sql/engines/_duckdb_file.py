"""DuckDB files: opening them, saying who holds them, and building in a copy of one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from pathlib import Path

import duckdb

from seg_sql.engines import _shared
from seg_sql.engines._duckdb_errors import words as _words
from seg_sql.errors import DatabaseError, StartError, sentence

POLL_SECONDS = 0.2


class Copy:
    """A copy of a database file that one build works in and that replaces the file at its end.

    A second, empty database beside it is kept open as a lock: DuckDB's own file lock names its
    holder and ends with the process.
    """

    def __init__(self, file: Path, wait: float) -> None:
        self.file = file
        self.sibling = file.with_name(f"{file.name}.building")
        self._lock_file = file.with_name(f"{file.name}.building.lock")
        self._lock = connect(self._lock_file, wait=wait, shown=file)
        try:
            _remove(self.sibling)
            if file.exists():
                # While it is open no process writes to it, and others may go on reading. Only a
                # log that a killed process left has to be worked into the file, by writing.
                log = file.with_name(f"{file.name}.wal")
                with connect(file, read_only=not log.exists(), wait=wait) as connection:
                    if log.exists():
                        connection.execute("checkpoint")
                    shutil.copyfile(file, self.sibling)
            self._seen = _seen(file)
        except OSError as error:
            self.discard()
            raise StartError(
                f"The copy {self.sibling} cannot be made: {error.strerror or error}."
            ) from error
        except BaseException:
            self.discard()
            raise

    def replace(self) -> None:
        """Put the copy in the file's place."""
        try:
            if _seen(self.file) != self._seen:
                raise DatabaseError(
                    f"{self.file} was changed by another program during the build.",
                    hint="Nothing was replaced. Build again when the other program has ended.",
                )
            self.sibling.replace(self.file)
        except OSError as error:
            raise DatabaseError(
                f"{self.file} cannot be replaced: {error.strerror or error}."
            ) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the copy and give the lock back."""
        _remove(self.sibling)
        self._lock.close()
        _remove(self._lock_file)


def _seen(file: Path) -> tuple[int, int, int] | None:
    if not file.exists():
        return None
    state = file.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _remove(file: Path) -> None:
    for path in (file, file.with_name(f"{file.name}.wal")):
        with contextlib.suppress(OSError):
            path.unlink()


def check_folder(path: Path, *, read_only: bool) -> None:
    if not path.parent.is_dir():
        raise StartError(
            f"The folder of the database file {path} does not exist.",
            hint=f"Make it: mkdir -p {path.parent}",
        )
    if path.is_dir():
        raise StartError(f"{path} is a folder, not a DuckDB file.")
    if not _may_be_database(path):
        # DuckDB would read a CSV or Parquet file into a database in memory, which is then lost.
        raise StartError(
            f"{path} is not a DuckDB database file.",
            hint="path: is where the tables are written; files of data are inputs in seg_sql.yml.",
        )
    if read_only and not path.exists():
        raise StartError(f"There is no database file {path} yet.", hint="Run seg-sql build first.")


def _may_be_database(path: Path) -> bool:
    """Return whether a file is missing, empty, unreadable, or begins as a database of DuckDB."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return True
    return not start or start[8:] == b"DUCK"


def writable(path: Path) -> bool:
    return os.access(path, os.W_OK)


def create_file(path: Path, storage_version: str) -> None:
    """Create a database file that DuckDB since `storage_version` can read."""
    made = f"attach {_shared.literal(str(path))} as made"
    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"{made} (storage_version {_shared.literal(storage_version)})")
            connection.execute("detach made")
    except duckdb.Error as error:
        raise StartError(
            f"The database file {path} cannot be made for DuckDB {storage_version} and newer:"
            f" {sentence(_words(error)[0])}",
            hint=None if writable(path.parent) else f"You may not write to {path.parent}.",
        ) from error


def connect(
    path: Path | None, *, read_only: bool = False, wait: float = 0.0, shown: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database, waiting up to `wait` seconds for a process that holds its file."""
    if path is None:
        return duckdb.connect(":memory:")
    deadline = time.monotonic() + wait
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.Error as error:
            words = str(error)
            locked = "set lock on file" in words or "already open in" in words
            if not locked or time.monotonic() >= deadline:
                raise _open_error(words, shown or path, locked) from error
        time.sleep(POLL_SECONDS)


def _open_error(words: str, path: Path, locked: bool) -> StartError:
    lower = words.lower()
    if locked:
        return StartError(
            f"The database file {path} is in use by {_holder(words)}.",
            hint="Close it there, or wait for it: --wait SECONDS.",
        )
    if "different configuration" in lower:
        return StartError(
            f"The database file {path} is already open in this process, in another mode.",
            hint="Close the other connection first.",
        )
    if "version number" in lower or "newer version" in lower or "storage version" in lower:
        return StartError(
            f"The database file {path} was written by another version of DuckDB than"
            f" {duckdb.__version__}, which cannot read it.",
            hint="Install that version of duckdb, or make a new file with storage_version set.",
        )
    if "not a valid duckdb" in lower:
        return StartError(
            f"{path} is not a DuckDB database file.", hint="Name another file under `path`."
        )
    if "permission denied" in lower or "read-only file system" in lower:
        return StartError(
            f"The user of this process may not open the database file {path}.",
            hint="Reading needs the right to read it, building also to write to it and its folder.",
        )
    return StartError(f"DuckDB cannot open {path}: {sentence(words)}")


def _holder(words: str) -> str:
    """Return who holds a file, as far as DuckDB and the system say."""
    found = re.search(r"held in (.+?) \(PID (\d+)\)", words) or re.search(
        r"open in\s+(.+?) \(PID (\d+)\)", words
    )
    if found is None:
        return "another process"
    program, pid = found.groups()
    with contextlib.suppress(OSError):
        parts = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        program = b" ".join(parts).decode(errors="replace").strip() or program
    program = program.replace("\n", " ")
    return f"process {pid} ({_shared.hide_secrets(program[:120])})"
