"""The files that `seg-sql init` looks at, and those it refuses in one sentence."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from retail_map import RETAIL

import seg_sql.init as init_
from seg_sql.engines import WORK_PREFIX, Engine
from seg_sql.errors import ConfigError
from seg_sql.init import files as init_files
from seg_sql.init import sample as init_sample

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "init"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n  \n", "is empty"),
        ("header.csv", b"order_id,customer_id,amount\n", "has the names of columns, but no rows"),
        (
            "headless.csv",
            b"1001,K1,2026-01-31,4.50\n1002,K2,2026-02-01,3.50\n",
            "does not name the columns: it has 1001",
        ),
        ("unnamed.csv", b"column0,column1\n1,2\n", "does not name the columns"),
        (
            "broken.csv",
            b"order_id,customer_id,amount\n" + b"1,2,3\n" * 20 + b"1,2\n1,2,3,4\n" * 5,
            "33 % of its lines have more or fewer fields than the header, the first is line 22",
        ),
        (
            "title.csv",
            b"Sales of 2026\n\norder_id,customer_id,amount\n" + b"1,2,3\n" * 20,
            "fields than the header",
        ),
        ("one.csv", b"a letter\nto a friend\n", "has one column only"),
        ("book.csv", b"PK\x03\x04\x14\x00", "it is an Excel workbook"),
        ("book.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "it is an Excel workbook"),
        ("wide.csv", "order_id,amount\n1,2\n".encode("utf-16"), "it is text in UTF-16"),
        ("old.csv", b"order_id;name\n" + b"1;x\n" * 30 + b"2;M\xfcller\n", "is not UTF-8: line 32"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00", "it is not text"),
        ("excel.csv", b"\xef\xbb\xbfsep=;\r\norder_id;amount\r\n1;2\r\n", "a line for Excel"),
        ("lines.json", b'[{"order_id": 1}]', "it looks like JSON"),
        ("sales.parquet", b"order_id,amount\n1,2\n", "is not a Parquet file"),
        ("cut.parquet", b"PAR1 and no more of it", "cannot be read as Parquet"),
        ("sales.csv.gz", b"order_id,amount\n1,2\n", "cannot be read"),
        (
            "packed.csv",
            gzip.compress(b"order_id,amount\n1,2\n", mtime=0),
            "name must say by ending in .gz",
        ),
        ("columnar.csv", b"PAR1xxxx", "by ending in .parquet"),
    ],
)
def test_each_fault_of_a_file_is_one_sentence(
    name: str, content: bytes, words: str, memory: Engine, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        init_.init_from_file(str(path), tmp_path, None, memory)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert not (tmp_path / "seg_sql.yml").exists()
    assert {name for name in memory.existing() if name.startswith(WORK_PREFIX)} == set()


def test_missing_files(memory: Engine, tmp_path: Path) -> None:
    for name, words in (
        ("no.csv", "There is no file"),
        ("no*.csv", "No file fits"),
        ("", "is a folder"),
    ):
        with pytest.raises(ConfigError, match=words):
            init_.init_from_file(str(tmp_path / name), tmp_path, None, memory)


def test_a_few_broken_lines_are_noted(look: Any, changed: Any, noted: Any) -> None:
    path = changed("retail.csv", (r"\Z", "17001,1,2\n"))
    proposal, lines = look(path)
    assert lines["columns"] == RETAIL
    # The header and 17 lines come before it.
    noted(proposal, "1 line has more or fewer fields than the header (the first is line 19)")


@pytest.mark.parametrize(
    ("header_and_lines", "said"),
    [
        (r"\1,\1", "twice; the second is called order_id_1 here."),
        (r"\1,\1,\1", "3 times; the others are called order_id_1, order_id_2 here."),
    ],
)
def test_a_name_that_is_there_twice_is_noted(
    look: Any, changed: Any, noted: Any, header_and_lines: str, said: str
) -> None:
    proposal, lines = look(changed("order_total.csv", (r"^(.+)$", header_and_lines)))
    assert lines["columns"]["order_id"] == "order_id"
    noted(proposal, f"The column order_id is there {said}")


def test_a_name_that_ends_in_a_number_is_no_second_one(look: Any, changed: Any) -> None:
    path = changed("order_total.csv", (r"^(.+)$", r"\1,x"), ("total,x$", "total,order_id_1"))
    proposal, _ = look(path)
    assert not [note for note in proposal.notes if "is there" in note]


def test_lines_that_look_like_comments_are_lines(look: Any, changed: Any) -> None:
    # Orders #1001 to #1008 at the start of each line, with an empty line between them.
    path = changed("order_total.csv", (r"^(\d{4}),", r"#\1,"), (r"^#1005", r"\n#1005"))
    proposal, lines = look(path)
    assert lines["columns"]["order_id"] == "order_id"
    assert proposal.lines[0].startswith("Looked at 17 lines")


def test_other_forms_of_the_same_lines(memory: Engine, tmp_path: Path, look: Any) -> None:
    text = (FIXTURES / "retail.csv").read_text("utf-8")
    head, *rows = text.splitlines()
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("\n".join([head, *rows[:9]]), "utf-8")
    # The columns in another order, and one more.
    other = [",".join([*reversed(row.split(",")), "web"]) for row in rows[9:]]
    turned = ",".join([*reversed(head.split(",")), "Shop"])
    (folder / "b.csv").write_text("\n".join([turned, *other]), "utf-8")
    (folder / "all.csv.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "all.tsv").write_text(text.replace(",", "\t"), "utf-8-sig")
    source = f"select * from read_csv('{FIXTURES}/retail.csv')"
    memory.execute(f"copy ({source}) to '{folder}/all.parquet' (format parquet)")
    for number, name in enumerate(["*.csv", "all.csv.gz", "all.tsv", "all.parquet"]):
        place = tmp_path / str(number)
        proposal, lines = look(folder / name, place)
        assert lines["columns"] == RETAIL
        assert lines["path"] == f"../data/{name}"
        assert f"Looked at 17 lines of {folder / name}." in proposal.lines[0]


def test_paths_are_relative_to_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look: Any, changed: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    changed("retail.csv")
    _, lines = look("retail.csv", Path("project"))
    assert lines["path"] == "../retail.csv"
    assert init_files.written_path("retail.csv", Path()) == "retail.csv"
    far = tmp_path / "a" / "b" / "c"
    assert init_files.written_path("retail.csv", far) == str(tmp_path / "retail.csv")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_sample_is_bounded_and_spread_over_a_file(
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    memory: Engine,
    tmp_path: Path,
    look: Any,
    noted: Any,
) -> None:
    # Only the last tenth of 10,000 lines has days above 12: the first lines alone cannot decide.
    path = tmp_path / f"orders.{form}"
    select = (
        "select 1000 + n // 2 as order_id, 'K' || (n % 700)::varchar as customer_id,"
        " case when n < 9000 then '02/03/2026' else '25/03/2026' end as order_date,"
        " 'P' || (n % 9)::varchar as sku, (1 + n % 7)::varchar || '.50' as amount"
        " from range(10000) as numbers (n)"
    )
    memory.execute(f"copy ({select}) to '{path}'")
    monkeypatch.setattr(init_sample, "ROWS", 1000)
    proposal, lines = look(path)
    looked_at = re.search(r"Looked at ([\d,]+) lines", proposal.lines[0])
    assert looked_at
    # 10,000 rows in blocks of 50: every tenth block for Parquet, about so for CSV, whose number of
    # lines is estimated.
    assert 900 <= int(looked_at[1].replace(",", "")) <= 1150
    assert lines["date_order"] == "dmy"
    noted(proposal, "25/03/2026 can only be day first")


def test_of_huge_text_files_only_the_first_lines_are_read(
    monkeypatch: pytest.MonkeyPatch, look: Any
) -> None:
    monkeypatch.setattr(init_files, "CSV_BYTES", 100)
    monkeypatch.setattr(init_sample, "ROWS", 12)
    proposal, lines = look(FIXTURES / "retail.csv")
    assert lines["columns"] == RETAIL
    assert proposal.lines[0].startswith("Looked at 12 lines")
