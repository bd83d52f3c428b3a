"""Each generic data test on rows made by hand: it passes on good ones and counts bad ones."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from build_shop import BuildShop

from seg_sql.errors import SegSqlError

# A model `t` of four rows; `o` is another one to point to.
ROWS = """
id,word,n,at,flag
1,red,10,2026-01-01,true
2,blue,20,2026-02-01,true
3,,30,2026-03-01,false
3,red,,2026-03-01,true
"""
OTHERS = "word,n\nred,1\nblue,2\ngreen,60\n"

# The test, the column that it stands under, and how many rows fail: by hand from ROWS.
CASES: list[tuple[str, dict[str, Any] | None, str | None, int]] = [
    ("not_null", None, "id", 0),
    ("not_null", None, "word", 1),
    ("unique", None, "at", 1),  # 2026-03-01
    ("unique", None, "n", 0),  # one NULL is no duplicate
    ("unique", {"where": "id < 3"}, "id", 0),
    ("accepted_values", {"values": ["red", "blue"]}, "word", 0),
    ("accepted_values", {"values": ["red"]}, "word", 1),
    ("accepted_values", {"values": [1, 2]}, "id", 1),  # 3, said once
    ("accepted_values", {"values": ["it's", "red", "blue"]}, "word", 0),
    ("relationships", {"to": "ref('o')", "field": "word"}, "word", 0),  # NULL points nowhere
    ("relationships", {"to": "ref('o')", "field": "n"}, "id", 2),  # 3, twice
    ("unique_combination_of_columns", {"combination_of_columns": ["id", "n"]}, None, 0),
    ("unique_combination_of_columns", {"combination_of_columns": ["id", "at"]}, None, 1),
    ("accepted_range", {"min_value": 10, "max_value": 30}, "n", 0),
    ("accepted_range", {"min_value": 10, "max_value": 30, "inclusive": False}, "n", 2),
    ("accepted_range", {"min_value": 11}, "n", 1),
    ("accepted_range", {"max_value": 29.5}, "n", 1),
    ("accepted_range", {"min_value": datetime.date(2026, 2, 1)}, "at", 1),
    ("accepted_range", {"min_value": "{{ 5 * 4 }}"}, "n", 1),
    ("accepted_range", {"min_value": "id * 10"}, "n", 0),  # an expression on the row
    ("expression_is_true", {"expression": "id * 10 = n"}, None, 1),  # NULL is not true
    ("expression_is_true", {"expression": "id * 10 = n or n is null"}, None, 0),
    ("expression_is_true", {"expression": "> 10"}, "n", 2),
    ("row_count_between", {"min_value": 4, "max_value": 4}, None, 0),
    ("row_count_between", {"min_value": 5}, None, 1),
    ("row_count_between", {"max_value": 3}, None, 1),
    (
        "row_count_between",
        {"min_value": 2, "max_value": 2, "where": "flag = false or n = 10"},
        None,
        0,
    ),
    ("not_empty", None, None, 0),
    ("not_empty", {"where": "id > 5"}, None, 1),
    ("sums_to", {"value": 60}, "n", 0),
    ("sums_to", {"value": 61}, "n", 1),
    ("sums_to", {"value": 61, "tolerance": 0.1}, "n", 0),
    ("sums_to", {"value": "(select n from {{ ref('o') }} as o where word = 'green')"}, "n", 0),
    ("sums_to", {"value": 0, "where": "id > 5"}, "n", 1),  # of no rows there is no sum
]


def written(test: str, arguments: dict[str, Any] | None, name: str) -> dict[str, Any]:
    return {test: {**(arguments or {}), "name": name}}


def test_each_counts_the_bad_rows(shop: BuildShop) -> None:
    """All cases in one build, since each is a test of the same model."""
    shop.seed("rows", ROWS.lstrip())
    shop.seed("others", OTHERS)
    shop.model("t", "select * from {{ ref('rows') }}")
    shop.model("o", "select * from {{ ref('others') }}")
    columns: dict[str, list[Any]] = {}
    on_model: list[Any] = []
    for number, (test, arguments, column, _) in enumerate(CASES):
        spec = written(test, arguments, f"case_{number}")
        (on_model if column is None else columns.setdefault(column, [])).append(spec)
    shop.schema(
        models=[
            {
                "name": "t",
                "data_tests": on_model,
                "columns": [{"name": name, "data_tests": specs} for name, specs in columns.items()],
            }
        ]
    )
    shop.run("build", "rows", "others", "t", "o")
    for number, (test, arguments, column, failures) in enumerate(CASES):
        found = shop.tests[f"case_{number}"]
        case = (test, arguments, column, found.message)
        assert found.failures == failures, case
        assert found.status == ("fail" if failures else "pass"), case


def test_the_cases_cover_every_packaged_test() -> None:
    from seg_sql import resources
    from seg_sql.generic_tests import ARGUMENTS

    packaged = {path.stem for path in (resources.SQL / "tests").glob("*.sql")}
    assert packaged >= set(ARGUMENTS) == {test for test, *_ in CASES}
    for test in ARGUMENTS:
        counts = [failures for name, _, _, failures in CASES if name == test]
        assert 0 in counts, test
        assert max(counts) > 0, test


def test_not_empty_comes_by_itself_and_can_be_switched_off(shop: BuildShop) -> None:
    shop.seed("rows", "n\n1\n")
    shop.model("none", "select n from {{ ref('rows') }} where n > 1")
    assert shop.run("build", "rows", "none") == 1
    assert shop.tests["not_empty_none"].status == "fail"
    shop.schema(models=[{"name": "none", "data_tests": [{"not_empty": {"enabled": False}}]}])
    shop.build("rows", "none")
    assert "not_empty_none" not in shop.tests


def test_columns_of_odd_names_are_tested(shop: BuildShop) -> None:
    """Upper case, a blank and a reserved word: schema.yml gives the name as it is."""
    shop.model("odd", 'select 1 as "Order No", 2 as "order", 3 as "Größe"')
    shop.schema(
        models=[
            {
                "name": "odd",
                "data_tests": [
                    {
                        "unique_combination_of_columns": {
                            "combination_of_columns": ["Order No", "order"]
                        }
                    }
                ],
                "columns": [
                    {"name": name, "description": name, "data_tests": ["not_null", "unique"]}
                    for name in ("Order No", "order", "Größe")
                ],
            }
        ]
    )
    shop.build("odd")
    assert shop.tests["not_null_odd_Order_No"].status == "pass"
    assert len(shop.tests) == 8


def test_a_test_of_ones_own(shop: BuildShop) -> None:
    shop.seed("rows", "n\n1\n2\n3\n")
    shop.singular(
        "is_even",
        """
        select {{ column_name }}
        from {{ model }} as tested
        where mod({{ column_name }}, {{ by }}) <> 0
        """,
    )
    shop.model("t", "select n from {{ ref('rows') }}")
    shop.schema(
        models=[{"name": "t", "columns": [{"name": "n", "data_tests": [{"is_even": {"by": 2}}]}]}]
    )
    assert shop.run("build", "rows", "t") == 1
    assert shop.tests["is_even_t_n"].failures == 2


def test_the_same_test_twice_has_two_names(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("t", "select 1 as n")
    both = [{"accepted_range": {"min_value": 0}}, {"accepted_range": {"max_value": 2}}]
    shop.schema(models=[{"name": "t", "columns": [{"name": "n", "data_tests": both}]}])
    shop.build("t")
    assert {"accepted_range_t_n", "accepted_range_t_n_2"} <= shop.tests.keys()


# What is wrong, and what is said of it; the place is that of the line marked with <--.
WRONG = [
    ("- accepted_rang: {min_value: 0}  # <--", "no data test 'accepted_rang'", "'accepted_range'"),
    (
        "- accepted_range: {min_valu: 0}  # <--",
        "no argument 'min_valu'",
        "Did you mean 'min_value'",
    ),
    ("- accepted_range:\n    min_value: 1\n    maxvalue: 0  # <--", "'maxvalue'", "'max_value'"),
    ("- accepted_range: {}  # <--", "give min_value, max_value or both", ""),
    ("- accepted_values: {values: red}  # <--", "values: ", "list"),
    ("- accepted_values: {values: []}  # <--", "values: ", "at least 1"),
    ("- accepted_values: {values: [a, null]}  # <--", "NULL is not a value", ""),
    ("- accepted_values  # <--", "lacks 'values'", ""),
    ("- relationships: {to: o, field: n}  # <--", "write ref('o')", ""),
    ("- relationships: {to: ref('nope'), field: n}  # <--", "reads 'nope'", "no model"),
    ("- relationships: {to: ref('o')}  # <--", "lacks 'field'", ""),
    ("- sums_to: {value: 1, tolerance: much}  # <--", "tolerance: ", "number"),
    ("- not_null: {severity: bad}  # <--", "severity: ", "'error' or 'warn'"),
    ("- not_null: {error_if: many}  # <--", "error_if: 'many' is no condition", "'> 10'"),
    ("- not_null:\n    config:\n      warn_iff: '> 1'  # <--", "'warn_iff'", "'warn_if'"),
    ("- not_null: {name: ../../x}  # <--", "name: ", "letters, digits and _"),
    ("- not_null: {where: \"{{ ref('nope') }}\"}  # <--", "reads 'nope'", "no model"),
    ("- {not_null: {}, unique: {}}  # <--", "not_null, unique", "Indent"),
    ("- accepted_range: [1, 2]  # <--", "accepted_range", "Indent"),
    ('- sums_to: {value: "{{ nope }}"}  # <--', "'nope' is undefined", ""),
]


@pytest.mark.parametrize(("spec", "said", "hint"), WRONG, ids=[said for _, said, _ in WRONG])
def test_wrong_arguments_are_one_error_with_its_line(
    duckdb_shop: BuildShop, spec: str, said: str, hint: str
) -> None:
    shop = duckdb_shop
    shop.model("o", "select 1 as n")
    shop.model("t", "select 1 as m, 1 as n")
    columns = "columns:\n      - name: m\n      - name: n\n        data_tests:\n"
    lines = "\n".join(f"          {line}" for line in spec.splitlines())
    shop.file("sql/models/schema.yml", f"models:\n  - name: t\n    {columns}{lines}\n")
    text = (shop.folder / "sql/models/schema.yml").read_text()
    assert yaml.safe_load(text)
    marked = 1 + next(n for n, line in enumerate(text.splitlines()) if "<--" in line)
    with pytest.raises(SegSqlError) as raised:
        shop.run("build", "t")
    error = raised.value
    assert (said in str(error), hint in str(error)) == (True, True), str(error)
    assert error.exit_code == 2
    assert error.where == f"{shop.folder / Path('sql/models/schema.yml')}:{marked}", str(error)
    assert "t" not in shop.names()


def test_a_column_test_on_a_model_needs_a_column(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("t", "select 1 as n")
    shop.schema(models=[{"name": "t", "data_tests": ["unique"]}])
    with pytest.raises(SegSqlError, match=r"schema\.yml:\d+: .*is about a column.\n.*column_name"):
        shop.run("build", "t")
    shop.schema(models=[{"name": "t", "data_tests": [{"unique": {"column_name": "n + 1"}}]}])
    shop.build("t")
    assert "select n + 1, count(*)" in shop.compiled("tests/unique_t.sql")
