"""The lines of CSV files that DuckDB's reader refused: it keeps them in tables of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seg_sql.errors import DatabaseError

if TYPE_CHECKING:
    from seg_sql.engines.duckdb import DuckDBEngine

# Each scan of a file adds its rejects again, and a row may have more than one fault.
# A quote that is not closed takes further lines with it, up to the next one; of a rejected row
# the reader keeps the first 10,000 characters.
_REJECTED = """
select
    coalesce(sum(line_count), 0),
    min(line) filter (where is_cut),
    arg_min(file_path, line) filter (where is_cut),
    min(line) filter (where is_undecoded),
    arg_min(file_path, line) filter (where is_undecoded)
from (
    select
        scans.file_path,
        errors.line,
        max(1 + length(csv_line) - length(replace(csv_line, chr(10), ''))) as line_count,
        max(length(csv_line)) >= 10000 as is_cut,
        bool_or(error_type = 'INVALID ENCODING') as is_undecoded
    from reject_errors as errors
    join reject_scans as scans
        on scans.scan_id = errors.scan_id and scans.file_id = errors.file_id
    group by scans.file_path, errors.line
) as lines
"""


def rejected_rows(engine: DuckDBEngine) -> int:
    """Return how many lines of the files read so far were refused.

    Raises:
        DatabaseError: If a quote is not closed, so that nobody knows how many lines are lost, or a
            file is not UTF-8: only scans that read such a text refuse its line.
    """
    made = engine.send("select 1 from duckdb_tables() where table_name = 'reject_errors'").rows
    if not made:
        return 0
    lines, cut, path, undecoded, other_path = engine.send(_REJECTED).rows[0]
    if undecoded is not None:
        raise DatabaseError(
            f"Line {undecoded} of {Path(other_path).name} is not UTF-8.",
            hint="Save it as UTF-8, or convert it: iconv -f latin1 -t utf-8 old.csv > new.csv",
        )
    if cut is not None:
        raise DatabaseError(
            f'Line {cut} of {Path(path).name} opens a quote (") that is not closed, and what'
            " follows it cannot be read.",
            hint="Close the quote; a quote within quotes is written twice.",
        )
    return int(lines)
