"""Bad input: one clear sentence, or a counted reason in input_quality; nothing lost in silence.

The expected counts and amounts follow from the rows in each test, by hand. Every build below also
runs the data test input_quality_adds_up: no line and no amount is unaccounted for.
"""

from __future__ import annotations

import datetime
import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from shop import COLUMNS, Shop, by

from seg_sql.errors import SegSqlError
from seg_sql.events import Said, TestFinished
from seg_sql.profiles import DuckDBTarget

BAD = Path(__file__).parents[2] / "fixtures" / "bad"
CSV_COLUMNS = {
    "customer_id": "customer",
    "order_id": "order",
    "ordered_at": "day",
    "amount": "amount",
}
# The tables of these tests; the algorithms have tests of their own.
EVERYTHING = ("+rfm_segments", "+customer_lifecycle", "+cohort_retention", "+input_quality")
LINE = ("customer_id", "order_id", "ordered_at", "amount")


@pytest.fixture
def files(tmp_path: Path, duckdb_target: DuckDBTarget) -> Shop:
    """A project on DuckDB, the only engine that reads files."""
    return Shop(tmp_path / "project", duckdb_target)


def read_file(shop: Shop, path: Path | str, *select: str, **more: Any) -> None:
    order_lines = {"path": str(path), "columns": CSV_COLUMNS, **more.pop("order_lines", {})}
    shop.write(inputs={"order_lines": order_lines, **more.pop("inputs", {})}, **more)
    shop.build(*(select or ["+input_quality"]))


def refusal(shop: Shop, *select: str, **options: Any) -> SegSqlError:
    """Build what cannot be built; return the error that ends the command before it starts."""
    with pytest.raises(SegSqlError) as caught:
        shop.run("build", *select, **options)
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message
    return caught.value


def line_of(shop: Shop, text: str) -> str:
    """Return `:<line>`, the end of a place in seg_sql.yml, of the first line with this text."""
    lines = (shop.folder / "seg_sql.yml").read_text().splitlines()
    return f"seg_sql.yml:{next(n for n, line in enumerate(lines, 1) if text in line)}"


def quality(shop: Shop, *, of: str = "order_lines") -> dict[str, tuple[str, int, float | None]]:
    """Return action, rows and amount of each reason."""
    rows = [row for row in shop.rows("input_quality") if row["input"] == of]
    return {row["reason"]: (row["action"], row["rows"], row["amount"]) for row in rows}


def statuses(shop: Shop) -> dict[str, str]:
    return {event.name: event.status for event in shop.log.of(TestFinished)}


def warnings(shop: Shop) -> set[str]:
    return {name for name, status in statuses(shop).items() if status == "warn"}


def reconciliation(shop: Shop) -> str:
    return next(said.text for said in shop.log.of(Said) if said.text.startswith("amount read "))


def load_lines(
    shop: Shop, lines: Sequence[Sequence[Any]], columns: Sequence[str] = LINE, **types: str
) -> None:
    shop.load(lines, columns, types={"ordered_at": "timestamp", **types})


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


# Dates -------------------------------------------------------------------------------------------


def test_unreadable_dates(shop: Shop) -> None:
    lines = [("a", "1", "31/12/2025", 5), ("a", "2", "30/11/2025", 6)]
    load_lines(shop, lines, ordered_at="varchar")
    shop.write()
    error = refusal(shop)
    assert error.message == (
        "None of the dates in 'ordered_at' can be read with date_order: ymd (2 tried)."
    )
    assert "date_order: dmy for dates such as 31/12/2026" in str(error.hint)
    # The day is not the fault of as_of: with one given it is the same sentence.
    assert refusal(shop, vars={"as_of": "2026-01-01"}).message == error.message

    shop.write(inputs={"order_lines": {"relation": shop.raw("raw"), "date_order": "dmy"}})
    shop.build("+input_quality")
    assert quality(shop) == {"kept": ("kept", 2, 11.0)}


def test_nothing_but_null(shop: Shop) -> None:
    load_lines(shop, [(None, None, None, None)] * 3)
    shop.write()
    error = refusal(shop)
    assert error.message == "No order line has a date: 'ordered_at' is empty in all 3 rows."


def test_dates_that_are_no_days(shop: Shop) -> None:
    """Infinity, and slips of the pen: the years 20026 and 26."""
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    table = shop.raw("raw")
    for order, day in enumerate(("infinity", "-infinity", "20026-01-10", "0026-01-10"), 2):
        shop.execute(f"insert into {table} values ('a', '{order}', '{day}', {order})")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {"kept": ("kept", 1, 5.0), "unreadable date": ("dropped", 4, 14.0)}
    assert "as_of 2026-01-11" in shop.said()

    shop.execute(f"delete from {table} where order_id = '1'")
    assert "None of the dates in 'ordered_at' can be read" in refusal(shop).message


def test_dates_in_the_future(shop: Shop) -> None:
    lines = [("a", "1", "2026-01-10", 5), ("a", "2", "2026-01-12", 6), ("a", "3", "2999-01-01", 7)]
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert "as_of 2026-01-13 (the day after the last order line)" in shop.said()
    assert quality(shop) == {"kept": ("kept", 2, 11.0), "future-dated": ("dropped", 1, 7.0)}
    assert warnings(shop) == {"too_much_dropped"}

    # With a day given, what is after it is left out on purpose: no warning. as_of is exclusive.
    shop.build("+input_quality", vars={"as_of": "2026-01-12"})
    assert quality(shop) == {"kept": ("kept", 1, 5.0), "after as_of": ("dropped", 2, 13.0)}
    assert warnings(shop) == set()

    shop.build("+input_quality", vars={"as_of": "3000-01-01"})
    assert quality(shop) == {"kept": ("kept", 3, 18.0)}


def test_only_dates_in_the_future(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2999-01-02", 5), ("a", "2", "2999-01-01", 6)])
    shop.write()
    error = refusal(shop)
    assert error.message == "Every order line is dated in the future, the first one 2999-01-01."
    assert "as_of" in str(error.hint)


def test_everything_after_as_of(shop: Shop) -> None:
    """No model is published, and the line at the end says why."""
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write(vars={"as_of": "2026-01-01"})
    assert shop.run("build", *EVERYTHING) == 1
    assert statuses(shop)["not_empty_order_lines_clean"] == "fail"
    assert reconciliation(shop) == "amount read 5 = kept 0 + after as_of 5"
    with shop.engine() as engine:
        assert not {"orders", "rfm", "order_lines_clean"} & engine.existing().keys()


@pytest.mark.parametrize("publish", ["each", "together"])
@pytest.mark.parametrize("selection", [["order_lines_clean"], ["+rfm"]])
def test_only_numbers_with_a_decimal_comma(shop: Shop, selection: list[str], publish: str) -> None:
    """What not_empty points to is printed, and names the key that says how numbers are written."""
    load_lines(shop, [("a", "1", "2026-01-10", "12,50")] * 3, amount="text")
    shop.write(publish=publish)
    assert shop.run("build", *selection) == 1
    failed = next(each for each in shop.log.of(TestFinished) if each.status == "fail")
    assert failed.message == (
        'No order line is left; the line "amount read ..." at the end of a build counts the'
        " reasons."
    )
    assert reconciliation(shop) == (
        "amount read 0 = kept 0   (lines without an amount: unreadable number 3)"
    )
    said = [(each.text, each.hint) for each in shop.log.of(Said) if each.level == "warn"]
    assert said == [
        (
            "100% of the lines is dropped: unreadable number (3 lines).",
            "Are numbers written as decimal_comma says (true for 12,50)?",
        )
    ]


def test_as_of_in_the_future_is_said(shop: Shop) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write(vars={"as_of": str(today + datetime.timedelta(days=11))})
    shop.build("+orders")
    assert shop.finished.warned == 1
    assert "recency counts 10 days that are still to come" in shop.said()
    # The day after today is the first one that today's orders come before.
    shop.write(vars={"as_of": str(today + datetime.timedelta(days=1))})
    shop.build("+orders")
    assert shop.finished.warned == 0


def test_max_age_days(shop: Shop) -> None:
    today = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    last = today - datetime.timedelta(days=4)
    load_lines(shop, [("a", "1", last, 5)])
    shop.write(vars={"max_age_days": 2})
    shop.build("+orders")
    warned = [said for said in shop.log.of(Said) if said.level == "warn"]
    assert [said.text for said in warned] == [
        "The last order line is 4 days old (max_age_days is 2)."
    ]
    assert shop.finished.warned == 1
    shop.build("+orders", vars={"max_age_days": 5})
    assert shop.finished.warned == 0


# Amounts -----------------------------------------------------------------------------------------


def test_text_in_amounts(shop: Shop) -> None:
    amounts = ["5", " 1,200.50 ", "12 EUR", "abc", "", None, "1e3", "NaN", "0x1F", "1e999"]
    lines = [("a", str(n), "2026-01-10", amount) for n, amount in enumerate(amounts)]
    load_lines(shop, lines, amount="varchar")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 3, 2205.5),
        "unreadable number": ("dropped", 5, None),
        "no amount": ("dropped", 2, None),
    }
    assert warnings(shop) == {"too_much_dropped"}


def test_no_amount_at_all(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", "x"), ("b", "2", "2026-01-11", "y")], amount="text")
    shop.write()
    assert shop.run("build", *EVERYTHING) == 1
    assert statuses(shop)["not_empty_order_lines_clean"] == "fail"
    assert (
        reconciliation(shop)
        == "amount read 0 = kept 0   (lines without an amount: unreadable number 2)"
    )


def test_nan_infinity_and_absurd_sizes(shop: Shop) -> None:
    """1e200 x 1e200 would overflow, 1e-200 x 1e-200 underflow; 1e15 is the most that is money."""
    shop.load([("a", "1", "2026-01-10", "x", 1, 5.0)], types={"quantity": "double precision"})
    table = shop.raw("raw")
    good = [("1", "1e15"), ("1e20", "1e-10"), ("1e-200", "1e-200"), ("1e20", "0")]
    bad = [("1", "'NaN'"), ("1", "'Infinity'"), ("-1", "'Infinity'"), ("'NaN'", "1"), ("0", "'NaN'"),
           ("'Infinity'", "0"), ("1e200", "1e200"), ("1e200", "-1e200"), ("2", "1e15")]  # fmt: skip
    for quantity, price in good + bad:
        line = f"'a', '1', '2026-01-11', 'x', {quantity}, {price}"
        shop.execute(f"insert into {table} values ({line})")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 1 + len(good), 1e15 + 1e10 + 5),
        "number out of range": ("dropped", len(bad), None),
    }


def test_exact_numbers_of_any_size(shop: Shop) -> None:
    """PostgreSQL's numeric has no largest value; DuckDB's DECIMAL ends at 38 digits."""
    kind = "numeric" if shop.is_postgres else "decimal(38, 2)"
    load_lines(shop, [("a", "1", "2026-01-10", "5.25")], amount=kind)
    values = ("1e400", "-1e400", "'NaN'", "1e-400") if shop.is_postgres else ("1e35",)
    for value in values:
        shop.execute(f"insert into {shop.raw('raw')} values ('a', '2', '2026-01-10', {value})")
    shop.write()
    shop.build("+input_quality")
    kept, dropped = (2, 3) if shop.is_postgres else (1, 1)  # 1e-400 is 0
    assert quality(shop) == {
        "kept": ("kept", kept, 5.25),
        "number out of range": ("dropped", dropped, None),
    }


def test_an_unreadable_quantity_beside_a_good_amount(shop: Shop) -> None:
    """The money is kept; how many pieces it was for is not known."""
    lines = [("a", "1", "2026-01-10", 5, "2"), ("a", "1", "2026-01-10", 6, "two"),
             ("a", "2", "2026-01-10", 7, None), ("a", "3", "2026-01-10", 8, "1e300")]  # fmt: skip
    load_lines(shop, lines, (*LINE, "quantity"), quantity="varchar")
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 2, 12.0),
        "unreadable quantity": ("kept", 2, 14.0),
    }
    items = {row["order_id"]: row["items"] for row in shop.rows("orders")}
    assert items == {"1": 2.0, "2": None, "3": None}


@pytest.mark.parametrize(
    ("refunds", "expected"),
    [
        ("net", {"kept": ("kept", 3, 3.0)}),
        ("drop", {"kept": ("kept", 1, 10.0), "refund": ("dropped", 2, -7.0)}),
    ],
)
def test_refunds(shop: Shop, refunds: str, expected: dict[str, Any]) -> None:
    lines = [
        ("a", "1", "2026-01-10", 10),
        ("a", "2", "2026-01-11", -4),
        ("a", "3", "2026-01-12", -3),
    ]
    load_lines(shop, lines)
    shop.write(vars={"refunds": refunds})
    shop.build("+input_quality", "+rfm_values")
    assert quality(shop) == expected
    assert warnings(shop) == set()
    [row] = shop.rows("rfm_values")
    assert row["monetary"] == expected["kept"][2]
    assert row["frequency"] == 1


def test_refunds_may_stop_the_build(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 10), ("a", "2", "2026-01-11", -4)])
    shop.write(vars={"refunds": "error"})
    assert shop.run("build", "+orders") == 1
    assert "There are negative lines, and refunds: error does not allow them." in shop.said()
    with shop.engine() as engine:
        assert "orders" not in engine.existing()


# Lines and orders --------------------------------------------------------------------------------

TWICE = [
    ("a", "1", "2026-01-10", 5, "red"),
    ("a", "1", "2026-01-10", 5, "red"),
    ("a", "1", "2026-01-10", 5, "blue"),
    (None, "2", "2026-01-10", 3, "red"),
    (None, "2", "2026-01-10", 3, "red"),
]


@pytest.mark.parametrize(
    ("duplicates", "attributes", "expected"),
    [
        (
            "count",
            ["color"],
            {"kept": ("kept", 2, 10.0), "possible duplicate": ("kept", 1, 5.0),
             "no customer": ("kept", 2, 6.0)},
        ),
        (
            "count",
            [],
            {"kept": ("kept", 1, 5.0), "possible duplicate": ("kept", 2, 10.0),
             "no customer": ("kept", 2, 6.0)},
        ),
        (
            "drop",
            ["color"],
            {"kept": ("kept", 2, 10.0), "duplicate": ("dropped", 2, 8.0),
             "no customer": ("kept", 1, 3.0)},
        ),
        ("ignore", ["color"], {"kept": ("kept", 3, 15.0), "no customer": ("kept", 2, 6.0)}),
    ],
)  # fmt: skip
def test_equal_lines(
    shop: Shop, duplicates: str, attributes: list[str], expected: dict[str, Any]
) -> None:
    load_lines(shop, TWICE, (*LINE, "color"))
    order_lines = {"relation": shop.raw("raw"), "attributes": attributes}
    shop.write(inputs={"order_lines": order_lines}, vars={"duplicates": duplicates})
    shop.build("+input_quality")
    assert quality(shop) == expected


def test_a_repeated_line_id_counts_once(shop: Shop) -> None:
    """Of two lines with one id the first in time, then the cheaper counts; without one, all do."""
    lines = [
        ("a", "1", "2026-01-10", 7, "L1"),
        ("a", "1", "2026-01-10", 5, "L1"),
        ("b", "1", "2026-01-11", 3, "L1"),
        ("a", "2", "2026-01-12", 4, None),
        ("a", "2", "2026-01-12", 4, None),
        ("a", "3", "2026-01-12", 8, "L2"),
        ("a", "3", "2026-01-12", 8, "L3"),
    ]
    load_lines(shop, lines, (*LINE, "line_id"))
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 4, 25.0),
        "possible duplicate": ("kept", 1, 4.0),  # L2 and L3 are two lines, whatever is in them
        "duplicate line_id": ("dropped", 2, 10.0),
    }


def test_an_order_id_of_two_customers_is_two_orders(shop: Shop) -> None:
    lines = [("a", "1", "2026-01-10", 5), ("b", "1", "2026-01-10", 6), ("b", "2", "2026-01-11", 7)]
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 1, 7.0),
        "order of several customers": ("kept", 2, 11.0),
    }
    orders = {(r["order_id"], r["customer_id"]): r["amount"] for r in shop.rows("orders")}
    assert orders == {("1", "a"): 5.0, ("1", "b"): 6.0, ("2", "b"): 7.0}


def test_lines_without_order_id_or_customer(shop: Shop) -> None:
    """A blank text is no id."""
    lines = [("a", "1", "2026-01-10", 5), ("a", None, "2026-01-10", 6), ("a", " ", "2026-01-10", 7),
             (None, "2", "2026-01-10", 8), ("  ", "3", "2026-01-10", 9),
             ("r", "4", "2026-01-10", -1)]  # fmt: skip
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert quality(shop) == {
        "kept": ("kept", 1, 5.0),
        "no order id": ("dropped", 2, 13.0),
        "no customer": ("kept", 2, 17.0),
        "customer without a purchase": ("kept", 1, -1.0),
    }


def test_one_customer_with_one_order(shop: Shop) -> None:
    """A rhythm needs two days with purchases: one table says so, the others are published."""
    load_lines(shop, [("a", "1", "2026-01-10", 5)])
    shop.write()
    assert shop.run("build", *EVERYTHING) == 1
    failed = [event for event in shop.log.of(TestFinished) if event.status == "fail"]
    assert [event.model for event in failed] == ["customer_lifecycle"]
    assert failed[0].message == (
        "No customer bought on two days, so there are no gaps between purchases to measure anyone"
        " against."
    )
    [row] = shop.rows("rfm")
    assert (row["recency_days"], row["frequency"], row["monetary"]) == (1, 1, 5.0)
    assert sum(row["customers"] for row in shop.rows("rfm_segments")) == 1
    with shop.engine() as engine:
        assert "customer_lifecycle" not in engine.existing()


# Customers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("varchar", ["0", "-1", "GUEST", "17"]),
        ("integer", [0, -1, -1, 17]),
        # What pandas makes of integers with gaps: 0 is written 0.0, and a gap is NaN.
        ("double precision", [0.0, -1.0, -1.0, 17.0]),
    ],
)
def test_anonymous_ids(shop: Shop, kind: str, ids: list[Any]) -> None:
    lines = [(id_, str(n), "2026-01-10", 2.0**n) for n, id_ in enumerate(ids)]
    load_lines(shop, lines, customer_id=kind)
    if kind == "double precision":
        shop.execute(f"insert into {shop.raw('raw')} values ('NaN', '9', '2026-01-10', 16)")
    order_lines = {"relation": shop.raw("raw"), "anonymous_ids": [0, -1, "GUEST"]}
    shop.write(inputs={"order_lines": order_lines})
    shop.build("+input_quality", "+rfm_values")
    expected = {"kept": ("kept", 1, 8.0), "anonymous id": ("kept", 3, 7.0)}
    if kind == "double precision":
        expected["no customer"] = ("kept", 1, 16.0)
    assert quality(shop) == expected
    assert [row["customer_id"] for row in shop.rows("rfm_values")] == ids[3:]
    # Kept for the models of items, without the customer.
    clean = by(shop.rows("order_lines_clean"), "order_id")
    assert [clean[str(n)]["customer_id"] for n in range(4)] == [None, None, None, ids[3]]


def test_without_order_ids_an_order_is_a_customers_day(shop: Shop) -> None:
    """Also where two ids are one customer; the guests of a day are no order at all."""
    lines = [("a", "2026-01-10 09:00", 1), ("b", "2026-01-10 17:00", 2), ("a", "2026-01-11", 4),
             ("guest", "2026-01-10", 8), ("guest", "2026-01-10", 16), (None, "2026-01-10", 32),
             ("a", "infinity", 64), ("a", None, 128)]  # fmt: skip
    load_lines(shop, lines, ("customer_id", "ordered_at", "amount"))
    shop.load([("b", "a")], ("customer_id", "merged_into"), name="map")
    order_lines = {"relation": shop.raw("raw"), "anonymous_ids": ["guest"]}
    shop.write(inputs={"order_lines": order_lines, "customer_map": {"relation": shop.raw("map")}})
    shop.build("+input_quality")
    orders = {row["order_id"]: row["amount"] for row in shop.rows("orders")}
    assert orders == {"a|2026-01-10": 3.0, "a|2026-01-11": 4.0}
    guests = [row for row in shop.rows("order_lines_clean") if row["customer_id"] is None]
    assert [row["order_id"] for row in guests] == [None, None, None]
    assert quality(shop) == {
        "kept": ("kept", 3, 7.0),
        "anonymous id": ("kept", 2, 24.0),
        "no customer": ("kept", 1, 32.0),
        "unreadable date": ("dropped", 1, 64.0),
        "no date": ("dropped", 1, 128.0),
    }


def load_map(shop: Shop, *merges: tuple[str | None, str | None]) -> None:
    lines = [(c, str(n), f"2026-01-1{n}", 2.0**n) for n, c in enumerate("abcd")]
    load_lines(shop, lines)
    shop.load(merges, ("customer_id", "merged_into"), name="map")
    inputs = {"order_lines": "raw", "customer_map": "map"}
    shop.write(inputs={name: {"relation": shop.raw(raw)} for name, raw in inputs.items()})


def test_merged_customers(shop: Shop) -> None:
    """Chains are followed; a customer merged into itself, a repeated row and NULL do nothing."""
    load_map(
        shop, ("a", "b"), ("b", "c"), ("b", "c"), ("d", "d"), (None, "a"), ("d", None), ("x", "a")
    )
    shop.build("+rfm_values", "+input_quality")
    monetary = {row["customer_id"]: row["monetary"] for row in shop.rows("rfm_values")}
    assert monetary == {"c": 7.0, "d": 8.0}
    assert quality(shop) == {"kept": ("kept", 4, 15.0)}


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ([("a", "b"), ("b", "a")], "customer_map merges ids in a circle"),
        ([("d", "a"), ("a", "b"), ("b", "c"), ("c", "a")], "customer_map merges ids in a circle"),
        ([("a", "b"), ("a", "c")], "A customer_id of customer_map is merged into two customers"),
    ],
)
def test_merges_without_an_end_publish_nothing(
    shop: Shop, merges: list[tuple[str, str]], message: str
) -> None:
    load_map(shop, *merges)
    assert shop.run("build", *EVERYTHING) == 1
    assert message in shop.said()
    with shop.engine() as engine:
        published = {name for name in engine.existing() if not name.startswith(("raw_", "seg_sql"))}
    assert published <= {"rfm_map_rf_10", "rfm_segment_map"}


def test_known_first_orders(shop: Shop) -> None:
    """The earliest of several rows counts, if it is before the first order and in a real year."""
    lines = [(customer, customer, "2026-02-10", 5) for customer in "abcde"]
    load_lines(shop, [*lines, ("a", "2", "2026-02-15", 1)])
    rows = [("a", "2025-12-24"), ("a", "2025-12-31"), ("a", None), ("b", "2026-02-11"),
            ("c", "0001-01-01"), ("d", None), (None, "2020-01-01"),
            ("z", "2020-01-01")]  # fmt: skip
    shop.load(rows, ("customer_id", "first_order_date"), name="customers",
              types={"first_order_date": "date"})  # fmt: skip
    inputs = {"order_lines": "raw", "customers": "customers"}
    shop.write(inputs={name: {"relation": shop.raw(raw)} for name, raw in inputs.items()})
    shop.build(*EVERYTHING)
    expected = dict.fromkeys("bcde", datetime.date(2026, 2, 10)) | {
        "a": datetime.date(2025, 12, 24)
    }
    for table in ("rfm", "customer_lifecycle"):
        found = {row["customer_id"]: row["first_order_date"] for row in shop.rows(table)}
        assert found == expected, table
    assert quality(shop, of="customers") == {
        "kept": ("kept", 3, None),
        "no date": ("kept", 2, None),
        "repeated customer": ("dropped", 2, None),
        "no customer": ("dropped", 1, None),
    }
    # The cohort of December is older than the data, so that its first months are not known.
    cohorts = by(shop.rows("cohort_retention"), "cohort_month", "period_number")
    december, february = datetime.date(2025, 12, 1), datetime.date(2026, 2, 1)
    assert {key: row["left_truncated"] for key, row in cohorts.items()} == {
        (december, 0): True,
        (december, 1): True,
        (december, 2): True,
        (february, 0): False,
    }
    assert cohorts[december, 1]["active_customers"] is None


def test_history_that_starts_in_the_middle(shop: Shop) -> None:
    """The cohorts of the first 90 days, to 31 March, may hold older customers."""
    lines = [(c, c, f"2026-0{month}-10", 5) for month, c in enumerate("abcd", 1)]
    load_lines(shop, [*lines, ("a", "2", "2026-02-10", 5)])
    shop.write(vars={"history_starts": "2026-01-01"})
    shop.build("+cohort_retention")
    found = {
        row["cohort_month"].month: row["left_truncated"] for row in shop.rows("cohort_retention")
    }
    assert found == {1: True, 2: True, 3: True, 4: False}


# What the end of a build says --------------------------------------------------------------------


def test_the_line_at_the_end_and_the_shares(shop: Shop) -> None:
    """Of 2,000: 400 without a customer, 200 undated; r's refund is kept like a's, and counted."""
    lines = [("a", "1", "2026-01-10", 1600), ("a", "2", "2026-01-11", -100),
             (None, "3", "2026-01-11", 400), ("a", "4", None, 200),
             ("r", "5", "2026-01-11", -100), ("a", "6", "2026-01-11", None)]  # fmt: skip
    load_lines(shop, lines)
    shop.write()
    shop.build("+input_quality")
    assert reconciliation(shop) == (
        "amount read 2,000 = kept 1,400 + no customer 400 + no date 200"
        "   (lines without an amount: no amount 1)"
    )
    shares = {row["reason"]: row["amount_share"] for row in shop.rows("input_quality")}
    assert shares == {
        "kept": pytest.approx(0.75),
        "no customer": pytest.approx(0.2),
        "no date": pytest.approx(0.1),
        "customer without a purchase": pytest.approx(-0.05),
        "no amount": None,
    }


@pytest.mark.parametrize(
    ("undated", "amount", "warns"),
    [
        (1, 50.0, False),  # exactly 5 % of 1,000
        (1, 51.0, True),
        (1, -51.0, True),
        (5, 0.0, False),  # 5 of 100 lines
        (6, 0.0, True),
    ],
)
def test_too_much_is_dropped(shop: Shop, undated: int, amount: float, warns: bool) -> None:
    good = 100 - undated
    lines: list[tuple[Any, ...]] = [
        ("a", str(n), "2026-01-10", (1000 - amount) / good) for n in range(good)
    ]
    lines += [("a", "x", None, amount / undated)] * undated
    load_lines(shop, lines)
    shop.write(vars={"duplicates": "ignore"})
    shop.build("+input_quality")
    assert warnings(shop) == ({"too_much_dropped"} if warns else set())
    # Where the table is not built, the end of the build says it.
    shop.build("orders")
    said = [each.text for each in shop.log.of(Said) if each.level == "warn"]
    assert [text.split(" of the ")[1] for text in said if "is dropped" in text] == (
        [
            f"{'lines' if amount == 0 else 'amount'} is dropped: no date"
            f" ({undated} {'line' if undated == 1 else 'lines'})."
        ]
        if warns
        else []
    )


@pytest.mark.parametrize(
    ("most", "second", "others", "warns"),
    [
        (20, 1, 1900, True),
        (20, 1, 1979, False),  # 20 of 2,000 orders is not over 1 %
        (19, 1, 0, False),  # not 20 times the second
        (40, 2, 0, True),
        (5, 0, 0, False),  # there is no second
    ],
)
def test_one_customer_dominates(
    shop: Shop, most: int, second: int, others: int, warns: bool
) -> None:
    lines = [("till", f"t{n}", "2026-01-10", 1) for n in range(most)]
    lines += [("b", f"b{n}", "2026-01-10", 1) for n in range(second)]
    lines += [(f"c{n}", f"c{n}", "2026-01-10", 1) for n in range(others)]
    load_lines(shop, lines)
    shop.write()
    shop.build("+orders")
    assert warnings(shop) == ({"one_customer_dominates"} if warns else set())
    if warns:
        assert "anonymous_ids" in shop.said()


@pytest.mark.parametrize(
    ("ids", "warns"),
    [
        (("c1", "C1"), True),
        (("Ann", "aNN", "bob"), True),
        (("c1", "c2", "C3"), False),
        # Engines fold other letters differently.
        (("\u00e9va", "\u00c9va"), False),
    ],
)
def test_ids_that_differ_by_case_only(shop: Shop, ids: tuple[str, ...], warns: bool) -> None:
    load_lines(shop, [(each, each, "2026-01-10", 1) for each in ids])
    shop.write()
    shop.build("+rfm_values")
    assert len(shop.rows("rfm_values")) == len(ids)
    assert warnings(shop) == ({"ids_differ_by_case"} if warns else set())


def test_a_reason_that_goes_missing_is_noticed(shop: Shop) -> None:
    """A project's own input_quality that forgets the lines without a customer fails its test."""
    load_lines(shop, [("a", "1", "2026-01-10", 5), (None, "2", "2026-01-10", 6)])
    shop.write()
    own = shop.folder / "sql" / "models" / "input_quality.sql"
    own.parent.mkdir(parents=True)
    packaged = BAD.parents[1] / "sql" / "models" / "base" / "input_quality.sql"
    shutil.copy(packaged, own)
    text = own.read_text()
    assert text.endswith("select * from reasons\n")
    own.write_text(f"{text.rstrip()}\nwhere reason <> 'no customer'\n")
    assert shop.run("build", "+input_quality") == 1
    assert statuses(shop)["input_quality_adds_up"] == "fail"
    assert "do not add up to the amount that was read" in shop.said()


def test_bad_input_leaves_yesterdays_tables(shop: Shop) -> None:
    load_lines(shop, [("a", "1", "2026-01-10", 5), ("a", "2", "2026-01-11", 6)])
    shop.write()
    shop.build(*EVERYTHING)
    before = {name: shop.rows(name) for name in ("rfm", "orders", "input_quality")}
    shop.execute(f"update {shop.raw('raw')} set ordered_at = null")
    assert "No order line has a date" in refusal(shop).message
    shop.execute(f"update {shop.raw('raw')} set ordered_at = '2026-01-12', amount = null")
    assert shop.run("build", *EVERYTHING) == 1
    assert statuses(shop)["not_empty_order_lines_clean"] == "fail"
    assert {name: shop.rows(name) for name in before} == before
