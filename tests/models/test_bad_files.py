"""Bad files, relations and maps: one clear sentence, or rows that are counted as refused.

The expected counts and amounts follow from the rows in each test, by hand. Every build also runs the
data test input_quality_adds_up: no line and no amount is unaccounted for.
"""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest
from bad_input import LINE, line_of, load_lines, quality, reconciliation, refusal, warnings
from shop import COLUMNS, Shop

from seg_sql import showing
from seg_sql.errors import ConfigError
from seg_sql.profiles import DuckDBTarget
from seg_sql.session import Settings

BAD = Path(__file__).parents[2] / "fixtures" / "bad"
CSV_COLUMNS = {
    "customer_id": "customer",
    "order_id": "order",
    "ordered_at": "day",
    "amount": "amount",
}


@pytest.fixture
def files(tmp_path: Path, duckdb_target: DuckDBTarget) -> Shop:
    """A project on DuckDB, the only engine that reads files."""
    return Shop(tmp_path / "project", duckdb_target)


def read_file(shop: Shop, path: Path | str, *select: str, **more: Any) -> None:
    order_lines = {"path": str(path), "columns": CSV_COLUMNS, **more.pop("order_lines", {})}
    shop.write(inputs={"order_lines": order_lines, **more.pop("inputs", {})}, **more)
    shop.build(*(select or ["+input_quality"]))


# Files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("empty.csv", "The file empty.csv is empty.", "has the export failed?"),
        ("header_only.csv", "The input order_lines has no rows.", "names of its columns and noth"),
        (
            "all_broken.csv",
            "None of the 2 rows of order_lines has as many columns as the first line.",
            "Is a comma in the numbers",
        ),
        ("unclosed_quote.csv", "cannot be read as CSV: its rows do not follow", 'a quote (")'),
        ("months", "is a folder.", "months/*.csv"),
        ("months/*.txt", "There is no file", "relative to the folder of seg_sql.yml"),
        (
            "short/*.csv",
            'The input order_lines cannot be read: Invalid Input Error: Failed to read file "',
            None,
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    files: Shop, name: str, message: str, hint: str | None
) -> None:
    files.write(inputs={"order_lines": {"path": str(BAD / name), "columns": CSV_COLUMNS}})
    error = refusal(files)
    assert message in error.message
    assert hint is None or hint in (error.hint or "")
    assert str(error.where).endswith(line_of(files, "order_lines:"))


def test_what_is_published_is_shown_without_the_file(files: Shop, tmp_path: Path) -> None:
    path = tmp_path / "gone.csv"
    path.write_text("customer,order,day,amount,city\na,1,2026-01-10,5,Ulm\n")
    read_file(files, path, "+orders", order_lines={"attributes": ["city"]})
    path.unlink()
    settings = Settings(project_dir=files.folder, profiles_dir=files.folder)
    found = showing.show(settings, "orders", inline=None, limit=5)
    assert (found.rows.dicts()[0]["amount"], found.total) == (5.0, 1)
    # Numbers of lines, and no id.
    assert found.counts == {"lines"}
    found = showing.show(
        settings, None, inline="select city from {{ ref('order_lines_clean') }}", limit=5
    )
    assert (found.rows.rows, found.counts) == ([("Ulm",)], set())
    with pytest.raises(ConfigError, match=r"There is no file .*gone\.csv"):
        showing.show(settings, None, inline="select 1 from {{ input('order_lines') }}", limit=5)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16(files: Shop, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.csv"
    mark = "" if encoding == "utf-16" else "\ufeff"
    path.write_text(f"{mark}customer,order,day,amount\na,1,2026-01-10,5\n", encoding=encoding)
    files.write(inputs={"order_lines": {"path": str(path), "columns": CSV_COLUMNS}})
    error = refusal(files)
    assert error.message == "The file wide.csv is no CSV: it is text in UTF-16."
    assert error.hint == "Save it as CSV in UTF-8, or as Parquet."


@pytest.mark.parametrize("column", ["customer", "day"])
def test_a_file_in_latin_1(files: Shop, tmp_path: Path, column: str) -> None:
    """The first look at the lines reads no customers: then their table is not published."""
    path = tmp_path / "latin.csv"
    values = {"customer": "a", "day": "2026-01-10"}
    strange = {**values, column: "M\u00fcller"}
    lines = [f"{row['customer']},{n},{row['day']},5" for n, row in enumerate((values, strange))]
    text = "\n".join(["customer,order,day,amount", *lines]) + "\n"
    path.write_text(text, encoding="latin-1")
    files.write(inputs={"order_lines": {"path": str(path), "columns": CSV_COLUMNS}})
    if column == "day":
        if duckdb.__version__.startswith("1."):
            pytest.skip("DuckDB 1.5 fails with an internal error of its own")
        assert "Line 3 of latin.csv is not UTF-8." in refusal(files).message
        return
    assert files.run("build", "+orders", "+input_quality") == 1
    assert "Line 3 of latin.csv is not UTF-8." in files.said()
    assert "iconv -f latin1" in files.said()
    with files.engine() as engine:
        assert not {"order_lines_clean", "orders", "input_quality"} & engine.existing().keys()


def test_lines_that_end_in_two_ways_are_one_sentence(files: Shop, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_bytes(b"customer,order,day,amount\na,1,2026-01-10,5\r\nb,2,2026-01-11,6\n")
    files.write(inputs={"order_lines": {"path": str(path), "columns": CSV_COLUMNS}})
    error = refusal(files)
    assert "cannot be read as CSV" in error.message
    assert "lines that end in different ways" in str(error.hint)


def test_broken_rows_of_a_csv_are_counted(files: Shop) -> None:
    """Of four rows one has a column too few and one too many; quotes are no part of a value."""
    read_file(files, BAD / "broken_rows.csv", "+input_quality", "+orders")
    assert quality(files) == {"kept": ("kept", 2, 14.25), "broken row": ("dropped", 2, None)}
    assert [row["customer_id"] for row in files.rows("orders")] == ["a", "b"]
    assert "broken row 2" in reconciliation(files)
    assert warnings(files) == {"too_much_dropped"}  # 2 of 4 lines


def test_text_in_numbers_and_dates_is_counted(files: Shop) -> None:
    """12 EUR and abc; 31/12/2025 is no date of ymd, 2026-02-30 is none; 1,200.50 is a number."""
    read_file(files, BAD / "text_in_columns.csv")
    assert quality(files) == {
        "kept": ("kept", 2, 1205.5),
        "unreadable number": ("dropped", 2, None),
        "no amount": ("dropped", 1, None),
        "unreadable date": ("dropped", 2, 7.0),
        "no date": ("dropped", 1, 2.0),
    }


@pytest.mark.parametrize("packed", [False, True])
def test_a_german_csv(files: Shop, tmp_path: Path, packed: bool) -> None:
    """A byte order mark, semicolons, quoted separators and line ends, decimal commas; gzip too."""
    path = BAD / "german.csv"
    if packed:
        path = tmp_path / "german.csv.gz"
        path.write_bytes(gzip.compress((BAD / "german.csv").read_bytes()))
    columns = dict(zip(CSV_COLUMNS, ("Kunde", "Auftrag", "Datum", "Betrag"), strict=True))
    options = {"columns": columns, "date_order": "dmy", "decimal_comma": True}
    read_file(files, path, "+orders", order_lines=options)
    rows = [(r["customer_id"], r["order_date"], r["amount"]) for r in files.rows("orders")]
    assert rows == [
        ("Müller; Söhne", datetime.date(2025, 12, 31), 1200.5),
        ("Zeile eins\nZeile zwei", datetime.date(2026, 2, 1), 7.25),
        ('Zoë "Z" Groß', datetime.date(2026, 2, 28), -0.5),
    ]


def test_files_of_a_glob_may_order_their_columns_as_they_like(files: Shop) -> None:
    read_file(files, BAD / "months" / "*.csv", "+orders")
    rows = [(r["customer_id"], r["order_id"], r["amount"]) for r in files.rows("orders")]
    assert rows == [("a", "1", 5.0), ("b", "2", 6.0), ("a", "3", 7.0), ("c", "4", 8.0)]


def test_a_line_that_begins_with_a_hash_is_a_line(files: Shop) -> None:
    """The reader would take '#2' for a comment if it were left to guess."""
    read_file(files, BAD / "hash_ids.csv")
    assert quality(files) == {"kept": ("kept", 3, 18.0)}


def test_a_quote_far_down_a_file_is_no_part_of_the_id(files: Shop, tmp_path: Path) -> None:
    """Guessing from the first 20,480 lines, the reader would keep the quotes of later ones."""
    path = tmp_path / "late.csv"
    lines = "".join(f"a,{number},2026-01-10,1\n" for number in range(25_000))
    path.write_text(
        f'customer,order,day,amount\n{lines}"a",x,2026-01-11,"2"\n"b, c",y,2026-01-11,3\n'
    )
    read_file(files, path, "+rfm_values", "+input_quality")
    assert quality(files)["kept"] == ("kept", 25_002, 25_005.0)
    monetary = {row["customer_id"]: row["monetary"] for row in files.rows("rfm_values")}
    assert monetary == {"a": 25_002.0, "b, c": 3.0}


def test_a_quote_far_down_a_file_that_is_never_closed(files: Shop, tmp_path: Path) -> None:
    """The reader takes all that follows for one row: thousands would be lost and one counted."""
    path = tmp_path / "late.csv"
    lines = [f"a,{number},2026-01-10,1" for number in range(30_000)]
    lines[25_000] = '"a,25000,2026-01-10,1'
    path.write_text("\n".join(["customer,order,day,amount", *lines, ""]))
    files.write(inputs={"order_lines": {"path": str(path), "columns": CSV_COLUMNS}})
    error = refusal(files)
    # The header is line 1.
    assert 'Line 25002 of late.csv opens a quote (") that is not closed' in error.message
    assert "Close the quote" in str(error.hint)


def test_lines_that_a_quote_took_with_it_are_counted(files: Shop, tmp_path: Path) -> None:
    """The quote of the 25,001st line ends with the next quote, so that two lines are lost."""
    path = tmp_path / "late.csv"
    lines = [f'"a",{number},2026-01-10,1' for number in range(30_000)]
    lines[25_000] = '"a,25000,2026-01-10,1'
    path.write_text("\n".join(["customer,order,day,amount", *lines, ""]))
    read_file(files, path)
    assert quality(files)["broken row"] == ("dropped", 2, None)
    kept = [row[1] for reason, row in quality(files).items() if reason != "broken row"]
    assert sum(kept) == 29_998


def test_broken_rows_of_other_inputs_are_counted(files: Shop) -> None:
    """Of 6 rows of customers: one broken, one without an id, one repeated, two without a date."""
    customers = {
        "path": str(BAD / "customers_broken.csv"),
        "columns": {"customer_id": "customer", "first_order_date": "first_order"},
    }
    path = BAD / "months" / "2026-01.csv"
    read_file(files, path, "+input_quality", "+rfm_values", inputs={"customers": customers})
    assert quality(files, of="customers") == {
        "kept": ("kept", 1, None),
        "no date": ("kept", 2, None),
        "repeated customer": ("dropped", 1, None),
        "no customer": ("dropped", 1, None),
        "broken row": ("dropped", 1, None),
    }
    assert quality(files) == {"kept": ("kept", 2, 11.0)}
    first = {row["customer_id"]: row["first_order_date"] for row in files.rows("rfm_values")}
    assert first == {"a": datetime.date(2019, 3, 1), "b": datetime.date(2026, 1, 11)}


def test_a_condition_on_a_csv_compares_texts(files: Shop) -> None:
    with pytest.raises(ConfigError, match="The condition of order_lines") as caught:
        read_file(files, BAD / "months" / "2026-01.csv", order_lines={"where": "amount > 5"})
    assert "those of a CSV are text: cast(price as double) > 0" in str(caught.value.hint)


def test_a_path_in_a_query_that_is_not_there(files: Shop) -> None:
    files.write(inputs={"order_lines": {"query": "select * from 'no.csv'", "columns": CSV_COLUMNS}})
    error = refusal(files)
    assert error.message.startswith("The query cannot be read: ")
    assert "read the file with `path:`" in str(error.hint)


def test_postgres_reads_no_path(shop: Shop) -> None:
    if not shop.is_postgres:
        read_file(shop, BAD / "months" / "2026-01.csv")
        return
    shop.write(inputs={"order_lines": {"path": "orders.csv", "columns": CSV_COLUMNS}})
    error = refusal(shop)
    assert error.message == "PostgreSQL cannot read a path here."
    assert "\\copy" in str(error.hint)


# The relation and its columns --------------------------------------------------------------------


def test_a_relation_that_does_not_exist(shop: Shop) -> None:
    shop.write(inputs={"order_lines": {"relation": "nowhere.sales"}})
    error = refusal(shop)
    assert error.message.startswith("nowhere.sales cannot be read: ")
    assert "does not exist" in error.message
    assert str(error.where).endswith(line_of(shop, "order_lines:"))


def test_an_empty_relation(shop: Shop) -> None:
    shop.load([])
    shop.write()
    assert refusal(shop).message == "The input order_lines has no rows."


def test_a_missing_column_is_named_with_the_nearest(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    columns = {**{name: name for name in LINE}, "ordered_at": "orderd_at"}
    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "columns": columns}})
    error = refusal(shop)
    assert error.message == "The input order_lines has no column 'orderd_at'."
    assert error.hint == "Did you mean 'ordered_at'?"
    assert str(error.where).endswith(line_of(shop, "orderd_at"))


@pytest.mark.parametrize(
    ("column", "mapped", "kind"),
    [("amount", "ordered_at", "number"), ("ordered_at", "n", "timest")],
)
def test_a_column_of_the_wrong_type(shop: Shop, column: str, mapped: str, kind: str) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 5, 1)], (*LINE, "n"), n="integer")
    columns = {**{name: name for name in LINE}, column: mapped}
    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "columns": columns}})
    error = refusal(shop)
    assert error.message.startswith(f"{column} must be a {kind}")
    assert f"'{mapped}' is" in error.message
    assert error.hint
    assert str(error.where).endswith(line_of(shop, f"{column}: {mapped}"))


def test_both_an_amount_and_its_factors(shop: Shop) -> None:
    """Without `columns` it is no clearer than with them which of the two is the money."""
    shop.load([("a", "1", "2026-01-10", "x", 2, 5.0, 9.0)], (*COLUMNS, "amount"))
    shop.write()
    error = refusal(shop)
    assert "not clear which is the money" in error.message
    assert "under columns:" in str(error.hint)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("color = 'red'", "The condition of order_lines cannot be used: "),
        ("amount > -- nothing", "The condition of order_lines cannot be used: "),
        ("amount > 100", "The input order_lines has no rows."),
    ],
)
def test_a_condition_that_cannot_be_used(shop: Shop, where: str, message: str) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "where": where}})
    error = refusal(shop)
    assert error.message.startswith(message)
    assert error.hint
    place = "where:" if "condition" in message else "order_lines:"
    assert str(error.where).endswith(line_of(shop, place))


def test_an_attribute_with_a_name_of_the_models_own(shop: Shop) -> None:
    """A column `reason` of the user's would have become the reason why lines are dropped."""
    load_lines(shop, [("a", "1", "2026-01-10", 5, "gift")], (*LINE, "reason"))
    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "attributes": ["reason"]}})
    error = refusal(shop)
    assert "cannot be called 'reason'" in error.message
    assert "another name" in str(error.hint)


def test_ids_of_different_types_cannot_be_joined(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.load([(1, "2020-01-01")], ("customer_id", "first_order_date"), name="customers",
              types={"customer_id": "integer", "first_order_date": "date"})  # fmt: skip
    inputs = {name: {"relation": shop.raw(raw)} for name, raw in
              (("order_lines", "raw"), ("customers", "customers"))}  # fmt: skip
    shop.write(inputs=inputs)
    error = refusal(shop, "+rfm")
    assert error.message.startswith("customer_id is integer in customers, but customer_id is ")
    assert "casts one of them" in str(error.hint)
    # A model that does not read customers is not held up.
    shop.build("+orders")
