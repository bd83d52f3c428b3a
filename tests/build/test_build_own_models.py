"""A project's own models, seeds and macros, and what is said when one of them is wrong."""

from __future__ import annotations

import pytest
from build_shop import BuildShop

from seg_sql.checking import findings
from seg_sql.errors import SegSqlError
from seg_sql.lint import Finding
from seg_sql.workspace import Workspace


def test_own_models_of_every_kind(shop: BuildShop) -> None:
    shop.file("macros/money.sql", "{% macro doubled(x) %}({{ x }} * 2){% endmacro %}")
    shop.seed("tiers", "tier,from_value\ngold,50\nbasic,0\n")
    shop.model(
        "inlined",
        """
        {{ config(materialized='ephemeral') }}
        select customer_id, {{ doubled('monetary') }} as value -- twice
        from {{ ref('rfm') }};
        """,
    )
    shop.model(
        "seen", "{{ config(materialized='view') }}\nselect * from {{ ref('inlined') }} as inlined"
    )
    shop.model(
        "tiered",
        """
        {{ config(materialized='table', tags=['mine']) }}
        select seen.customer_id, max(tiers.from_value) as from_value
        from {{ ref('seen') }} as seen
        join {{ ref('tiers') }} as tiers on tiers.from_value <= seen.value
        group by seen.customer_id
        """,
    )
    shop.build("+tag:mine")
    assert "inlined" not in shop.names()
    assert {event.kind for event in shop.existing().values() if event.name == "seen"} == {"view"}
    # ann 12, bob 40, eve 60, each doubled: 24 is basic, 80 and 120 are gold.
    rows = {row["customer_id"]: row["from_value"] for row in shop.rows("tiered")}
    assert rows == {"ann": 0, "bob": 50, "eve": 50}


def test_a_packaged_model_is_replaced_by_name(shop: BuildShop) -> None:
    """Its description, columns and tests stay, unless the project describes it anew."""
    shop.model(
        "orders",
        """
        {{ config(unique_key=['order_id', 'customer_id']) }}
        select
            order_id, customer_id, ordered_at, order_date, amount,
            cast(1 as bigint) as lines, quantity as items, true as is_purchase
        from {{ ref('order_lines_clean') }}
        where customer_id is not null and customer_id <> 'bob'
        """,
    )
    shop.build("+rfm")
    assert {row["customer_id"] for row in shop.rows("rfm")} == {"ann", "eve"}
    assert shop.tests["not_null_orders_customer_id"].status == "pass"
    comment = shop.existing()["orders"].comment
    assert comment is not None
    assert comment.startswith("The orders of known customers.")


def test_any_input_of_ones_own(shop: BuildShop) -> None:
    shop.load([("ann", "web"), ("bob", "shop")], ("who", "channel"), name="visits")
    shop.write(
        inputs={
            "order_lines": {"relation": shop.raw("raw")},
            "visits": {"relation": shop.raw("visits"), "where": "channel = 'web'"},
        }
    )
    shop.model("web", "select who from {{ input('visits') }} as visits")
    schema, table = shop.target.schema_, "raw_visits"
    shop.model("all_visits", f"select who from {{{{ source('{schema}', '{table}') }}}}")
    shop.build("web", "all_visits")
    assert shop.values("select who from $web") == ["ann"]
    assert shop.values("select count(*) from $all_visits") == [2]


def test_a_segment_map_that_is_misspelt(duckdb_shop: BuildShop) -> None:
    duckdb_shop.write(models={"rfm": {"segment_map": "rf_11"}})
    with pytest.raises(SegSqlError, match="no segment map 'rf_11'") as raised:
        duckdb_shop.run("build")
    assert raised.value.where == at_line(duckdb_shop, "segment_map:")
    assert raised.value.hint == (
        "Did you mean 'rf_10'? Known: classic_125, rf_10; a map of your own is"
        " sql/seeds/rfm_map_<name>.csv."
    )


@pytest.mark.parametrize("model", ["rfm", "clv", "association_rules", "customer_clusters"])
def test_enable_is_enabled(duckdb_shop: BuildShop, model: str) -> None:
    """Keys of every model are known beside the options of an algorithm."""
    duckdb_shop.write(models={model: {"enable": False}})
    with pytest.raises(SegSqlError, match="enable'") as raised:
        duckdb_shop.run("build")
    assert raised.value.where == at_line(duckdb_shop, "enable:")
    assert raised.value.hint == "Did you mean 'enabled'?"


@pytest.mark.parametrize("model", ["rfm", "clv"])
def test_a_wrong_value_of_seg_sql_yml_is_found_there(duckdb_shop: BuildShop, model: str) -> None:
    duckdb_shop.write(models={model: {"enabled": "nope"}})
    with pytest.raises(SegSqlError, match="'enabled': must be true or false") as raised:
        duckdb_shop.run("build")
    assert raised.value.where == at_line(duckdb_shop, "enabled:")


def at_line(shop: BuildShop, text: str) -> str:
    """Return file:line of the first line of seg_sql.yml that has a text."""
    path = shop.folder / "seg_sql.yml"
    lines = path.read_text().splitlines()
    return f"{path}:{next(n for n, line in enumerate(lines, 1) if text in line)}"


def test_an_input_that_is_misspelt(duckdb_shop: BuildShop) -> None:
    """Of one that no model reads the nearest known one is named, before anything is built."""
    shop = duckdb_shop
    shop.load([("ann", "web")], ("who", "channel"), name="visits")
    shop.write(inputs={"order_lnes": {"relation": shop.raw("visits")}})
    with pytest.raises(SegSqlError) as raised:
        shop.run("build")
    assert "No model reads the input 'order_lnes'." in str(raised.value)
    assert "Did you mean 'order_lines'?" in str(raised.value)
    assert raised.value.exit_code == 2
    # What somebody will read one day is no fault.
    shop.write(inputs={"visits": {"relation": shop.raw("visits")}})
    shop.model("one", "select 1 as n")
    shop.build("one")


# What the file says, what is said of it, and whether the build could start.
WRONG = [
    ("select\n  1 as n\n{% if %}", "sql/models/m.sql:3: Expected an expression"),
    ("select\n  {{ missing }} as n", "sql/models/m.sql:2: 'missing' is undefined."),
    ("select n\nfrom {{ ref('nope') }}", "sql/models/m.sql:2: m reads 'nope', which is no model."),
    ("select n\nfrom {{ ref('odrers') }}", "Did you mean 'orders'?"),
    ("select\n{{ var('nope') }} as n", "sql/models/m.sql:2: The variable 'nope' is not set."),
    ("select {{ input('nope') }}", "sql/models/m.sql:1: m reads the input 'nope', which is not in"),
    ("select {{ seg_sql.dayz_between('a', 'b') }}", "Did you mean 'days_between'?"),
    (
        "\n{{ config(\n  materialised='table'\n) }}\nselect 1 as n",
        "sql/models/m.sql:3: Unknown key 'materialised'.\n  Did you mean 'materialized'?",
    ),
    ("{{ config(materialized='tabel') }}\nselect 1 as n", "sql/models/m.sql:1: 'materialized'"),
    ("select '{{ ''.__class__.__mro__ }}' as n", "'__class__' of 'str' object is unsafe"),
    ("select {{ ref.__globals__ }}", "unsafe"),
    ("select {{ config.__init__.__globals__ }}", "unsafe"),
    ("{% include '/etc/passwd' %}", "sql/models/m.sql"),
    ("{% for i in range(10000000) %}x{% endfor %}", "sql/models/m.sql:1: Range too big"),
    ("select {{ 1 / 0 }} as n", "sql/models/m.sql:1: division by zero."),
    ("select 1 as n; drop table t", "A model is one SELECT"),
    ("delete from t", "A model is one SELECT"),
    ("-- nothing\n", "A model is one SELECT"),
    # No parser of ours reads this; the second statement is seen all the same.
    ("select 1 as n where 2 ~~@ 3; drop table t", "A model is one SELECT"),
]


@pytest.mark.parametrize(("sql", "said"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_a_wrong_model_stops_the_build_before_it_starts(
    duckdb_shop: BuildShop, sql: str, said: str
) -> None:
    shop = duckdb_shop
    shop.model("other", "select 1 as n")
    shop.file("sql/models/m.sql", "")
    (shop.folder / "sql/models/m.sql").write_text(sql)
    with pytest.raises(SegSqlError) as raised:
        shop.run("build", "m", "other")
    assert said in str(raised.value)
    assert raised.value.exit_code == 2
    assert "other" not in shop.names()


def test_a_circle_is_named(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.model("a", "select n from {{ ref('b') }}")
    shop.model("b", "select n from {{ ref('a') }}")
    with pytest.raises(SegSqlError, match=r"in a circle: (a -> b -> a|b -> a -> b)"):
        shop.run("build", "a")


def test_sql_that_the_database_refuses_stops_that_model_only(shop: BuildShop) -> None:
    """The template's line, the database's words, the compiled file, and the lines with a caret."""
    shop.model("other", "select 1 as n")
    shop.model(
        "m",
        """
        {{ config(materialized='table') }}

        -- a misspelt column
        select
            customer_id,
            monetry
        from {{ ref('rfm') }}
        """,
    )
    assert shop.run("build", "+m", "other") == 1
    assert shop.statuses["m"] == "error"
    assert shop.statuses["other"] == "success"
    lines = shop.said().splitlines()
    start = next(n for n, line in enumerate(lines) if "sql/models/m.sql:6: " in line)
    assert "monetry" in lines[start]
    compiled = next(n for n, line in enumerate(lines) if "compiled: " in line)
    file = lines[compiled].partition("compiled: ")[2]
    assert file == f"{shop.folder}/target/compiled/sql/models/m.sql"
    shown = [line.strip() for line in lines[compiled + 1 : compiled + 5]]
    number = 1 + next(
        n for n, line in enumerate(shop.compiled("models/m.sql").splitlines()) if "monetry" in line
    )
    assert shown[:2] == [f"{number - 1} |     customer_id,", f"{number} |     monetry"]
    assert lines[compiled + 3].index("^") == lines[compiled + 2].index("monetry")
    assert shown[3].startswith(f"{number + 1} | from ")


def test_sql_that_no_parser_reads_is_the_databases_affair(shop: BuildShop) -> None:
    shop.model("other", "select 1 as n")
    shop.model("m", "select\n    1 as n,\n    from from\n")
    assert shop.run("build", "m", "other") == 1
    assert shop.statuses == {"m": "error", "other": "success"}
    assert "sql/models/m.sql:3: " in shop.said()
    assert "syntax error" in shop.said().lower()


def test_what_only_one_engine_knows_may_be_used(postgres_shop: BuildShop) -> None:
    """It is said, once, and does not stop the build."""
    shop = postgres_shop
    shop.model(
        "m", "select (array_agg(customer_id order by customer_id))[1] as n from {{ ref('rfm') }}"
    )
    shop.build("+m")
    assert shop.values("select n from $m") == ["ann"]
    assert "Not portable to other engines: m" in shop.said()


def test_only_a_changed_text_is_looked_at_again(
    duckdb_shop: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, looked_at = duckdb_shop, []

    def watched(workspace: Workspace, name: str) -> list[tuple[str, Finding]]:
        looked_at.append(name)
        return findings(workspace, name)

    monkeypatch.setattr("seg_sql.checking.findings", watched)
    shop.model("m", "select list_sum([1]) as n")
    shop.model("other", "select 2 as n")
    shop.build("m", "other")
    shop.model("other", "select 3 as n")
    shop.build("m", "other")
    assert looked_at == ["m", "other", "other"]
    assert "Not portable to other engines: m" in shop.said()
    shop.file("target/known_texts.json", "no JSON")
    shop.build("m", "other")
    assert looked_at == ["m", "other", "other", "m", "other"]
    assert shop.command("clean").returncode == 0
    assert not (shop.folder / "target").exists()


def test_compile_shows_what_is_not_portable_too(duckdb_shop: BuildShop) -> None:
    """Only --lint judges; a selection without a model is no fault."""
    shop = duckdb_shop
    shop.seed("s", "n\n1\n")
    shop.model("m", "select list(n) as ns from {{ ref('s') }}")
    shown = shop.command("compile", "-s", "m")
    assert (shown.returncode, shown.stdout) == (0, 'select list(n) as ns from "seg_sql"."s"\n')
    linted = shop.command("compile", "-s", "m", "--lint")
    assert linted.returncode == 2
    assert "sql/models/m.sql:1: " in linted.stderr
    none = shop.command("compile", "-s", "s")
    assert (none.returncode, none.stderr) == (0, "")
    assert none.stdout.startswith("0 models compiled to ")
    assert none.stdout.rstrip().endswith("target/compiled")


def test_an_attribute_of_the_order_lines_is_a_column(duckdb_shop: BuildShop) -> None:
    """min(country) as country reads the column, as with those that schema.yml lists."""
    shop = duckdb_shop
    shop.model(
        "m",
        "select customer_id, min(country) as country from {{ ref('order_lines_clean') }} as lines"
        " group by customer_id",
    )
    linted = shop.command("compile", "-s", "m", "--lint")
    assert "country is an alias of this SELECT" in linted.stderr
    lines = {"relation": shop.raw("raw"), "attributes": ["Country"]}
    shop.write(inputs={"order_lines": lines})
    linted = shop.command("compile", "-s", "m", "--lint")
    assert "alias" not in linted.stderr


@pytest.mark.parametrize("name", ["My-Model", "seg_sql_runs", "seg_tmp_00000000_1"])
def test_a_name_that_a_model_cannot_have(duckdb_shop: BuildShop, name: str) -> None:
    duckdb_shop.file(f"sql/models/{name}.sql", "select 1 as n")
    with pytest.raises(SegSqlError, match=f"'{name}' cannot be the name of a model"):
        duckdb_shop.run("build", "rfm")


def test_a_build_that_reads_no_order_line(shop: BuildShop) -> None:
    """Nothing of the input is needed, asked or said."""
    shop.model("m", "select 1 as n")
    shop.build("m")
    assert shop.said() == ""
    assert shop.values("select as_of from $seg_sql_runs") == [None]


def test_what_is_read_must_be_built(shop: BuildShop) -> None:
    shop.model("m", "select customer_id from {{ ref('rfm') }}")
    with pytest.raises(SegSqlError, match=r"m reads rfm, which is not built .*\n.*build -s \+m`"):
        shop.run("build", "m")


# Seeds -------------------------------------------------------------------------------------------


def test_a_seed_keeps_what_is_written(shop: BuildShop) -> None:
    """Codes keep their zeros, a column of mixed values is text, blanks are NULL."""
    shop.seed(
        "places",
        'zip,amount,count,mixed,day,at,yes,week,"a,b",empty\n'
        "007,1.50,1,5.10,2026-01-31,2026-01-31 10:00:00,true,2026-W05,x,\n"
        "012,2,20,n/a,,2026-02-01,FALSE,2026-W06,,\n",
    )
    shop.build("places")
    with shop.engine() as engine:
        kinds = {c.name: c.kind for c in engine.describe(f"select * from {shop.schema_}.places")}
    assert kinds == {
        "zip": "text",
        "amount": "number",
        "count": "number",
        "mixed": "text",
        "day": "date",
        "at": "timestamp",
        "yes": "boolean",
        "week": "text",
        "a,b": "text",
        "empty": "text",
    }
    first, second = shop.rows("places")
    assert (first["zip"], first["mixed"], first["week"]) == ("007", "5.10", "2026-W05")
    assert (first["count"], second["amount"], second["yes"]) == (1, 2.0, False)
    assert (second["day"], second["a,b"], second["empty"]) == (None, None, None)


def test_declared_types_of_a_seed_count(shop: BuildShop) -> None:
    shop.seed("codes", "code,n\n1,1\n2,2\n")
    shop.file(
        "sql/seeds/schema.yml",
        """
        seeds:
          - name: codes
            columns:
              - {name: code, data_type: text, description: The code.}
              - {name: n, data_type: double}
        """,
    )
    shop.build("codes")
    assert shop.values("select code from $codes order by 1") == ["1", "2"]
    assert shop.values("select n / 4 from $codes order by 1") == [0.25, 0.5]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "sql/seeds/s.csv: The CSV is empty"),
        ("a,b\n1,2\n1,2,3\n", "sql/seeds/s.csv:3: The row has 3 fields, the header 2."),
        ("a,b\n1\n", "sql/seeds/s.csv:2: The row has 1 fields, the header 2."),
        ("a,A\n1,2\n", "sql/seeds/s.csv:1: The column 'a' is there twice."),
        ("a,\n1,2\n", "sql/seeds/s.csv:1: A column of the header has no name."),
        ('a\n"x\n', "sql/seeds/s.csv:2: Not CSV"),
        ("a\n" + "1\n" * 10_001, "A seed has at most 10,000 rows, this one 10,001."),
    ],
)
def test_a_wrong_seed_is_one_sentence(duckdb_shop: BuildShop, rows: str, said: str) -> None:
    shop = duckdb_shop
    shop.seed("s", rows)
    shop.model("other", "select 1 as n")
    assert shop.run("build", "s", "other") == 1
    assert shop.statuses == {"s": "error", "other": "success"}
    assert said in shop.said()


def test_a_seed_of_the_most_rows(shop: BuildShop) -> None:
    shop.seed("s", "n,word\n" + "".join(f"{n},w{n}\n" for n in range(10_000)))
    shop.build("s")
    assert shop.values("select sum(n) from $s") == [49_995_000]


@pytest.mark.parametrize("columns", ["r_score,f_score,m_score,segment", None])
def test_a_segment_map_of_ones_own(shop: BuildShop, columns: str | None) -> None:
    """Blank scores stand for any, also in a whole column; only the names are needed."""
    lines = [f"{r},{f},,{'up' if r > 1 else 'down'}" for r in (1, 2) for f in (1, 2)]
    header, tail = columns, ""
    if header is None:
        header = "r_score,f_score,m_score,segment,segment_order,description,suggested_action"
        tail = ",1,text,"
    shop.seed("rfm_map_mine", "\n".join([header, *(f"{line}{tail}" for line in lines)]) + "\n")
    shop.write(models={"rfm": {"segment_map": "mine", "bins": 2}})
    shop.build("+rfm_segments")
    assert set(shop.values("select segment from $rfm")) <= {"up", "down"}


def test_a_segment_map_without_a_needed_column(duckdb_shop: BuildShop) -> None:
    shop = duckdb_shop
    shop.seed("rfm_map_mine", "r_score,f_score,m_score,segmnet\n1,1,1,x\n")
    shop.write(models={"rfm": {"segment_map": "mine", "bins": 2}})
    assert shop.run("build", "+rfm") == 1
    assert "sql/seeds/rfm_map_mine.csv:1: The seed rfm_map_mine has no column 'segment'." in (
        shop.said()
    )
    assert "Did you mean 'segmnet'?" in shop.said()


def test_tables_that_are_left_out_are_named(duckdb_shop: BuildShop) -> None:
    """Without item_id; models that only others read inline are nobody's tables."""
    columns = {name: name for name in ("customer_id", "order_id", "ordered_at")}
    columns |= {"quantity": "quantity", "unit_price": "unit_price"}
    relation = duckdb_shop.raw("raw")
    duckdb_shop.write(inputs={"order_lines": {"relation": relation, "columns": columns}})
    duckdb_shop.build()
    [line] = [said for said in duckdb_shop.said().splitlines() if "has no item_id" in said]
    named = line.partition("has no item_id: ")[2].split(" Map it")[0].split(", ")
    assert {"item_similarity", "association_rules", "recommendations"} <= set(named)
    assert not {"item_lines", "popular_items"} & set(named)
