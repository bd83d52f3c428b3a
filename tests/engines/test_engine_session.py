"""Names, literals, parameters, descriptions and errors: the same on both engines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seg_sql.engines import open_engine
from seg_sql.errors import ConfigError, DatabaseError, StartError

HOSTILE = [
    '"; drop table x; --',
    "order",
    "Mixed Case",
    "Straße ☕ 客户",
    "it's",
    "50% off %(name)s %s",
    "$name {{ x }}",
    "back\\slash",
    "-- comment",
    "/* open",
    " ",
]

same_connection = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_a_name(engine, name):
    column, relation = engine.quote(name), engine.relation(name)
    assert engine.create(name, "table", f"select 1 as {column}") == 1
    engine.insert(name, [name], [(2,), (3,)])
    assert engine.fetch(f"select {column} from {relation} order by {column}").dicts() == [
        {name: 1},
        {name: 2},
        {name: 3},
    ]
    assert [each.name for each in engine.describe(f"select * from {relation}")] == [name]
    assert list(engine.existing()) == [name]
    engine.drop(name)
    assert engine.existing() == {}


def test_a_hostile_schema_is_only_a_schema(target, request):
    hostile = 'S "; drop table x; --'
    moved = target.model_copy(update={"schema_": hostile})
    engine = open_engine(moved)
    try:
        engine.prepare_schema()
        engine.prepare_schema()
        engine.create("t", "table", "select 1 as a")
        assert list(engine.existing()) == ["t"]
        assert engine.fetch(f"select a from {engine.relation('t')}").rows == [(1,)]
    finally:
        engine.drop("t")
        engine.execute(f"drop schema {engine.quote(hostile)}")
        engine.close()


def test_names_that_cannot_exist_are_refused(engine):
    for name in ["", "a\0b", "\ud800"]:
        with pytest.raises(ConfigError):
            engine.quote(name)


def test_postgres_refuses_a_name_that_it_would_cut(postgres_target):
    engine = open_engine(postgres_target)
    # 63 bytes is NAMEDATALEN - 1 of every usual build of PostgreSQL.
    assert engine.quote("é" * 31 + "x") == '"' + "é" * 31 + 'x"'
    with pytest.raises(ConfigError, match="64 bytes long"):
        engine.quote("é" * 32)
    engine.close()


@same_connection
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@example("it's")
@example("a\\b\\'")
@example("$$ $1 %s %(x)s %% ? :x")
@example("line\nbreak\r\n\t")
def test_text_survives_as_a_literal_and_as_a_parameter(engine, text):
    assert engine.fetch(f"select {engine.literal(text)}").rows == [(text,)]
    mark = "cast($x as varchar)" if engine.dialect == "duckdb" else "cast(%(x)s as text)"
    assert engine.fetch(f"select {mark}", {"x": text}).rows == [(text,)]


@same_connection
@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.1)
@example(-0.0)
@example(5e-324)
@example(1.7976931348623157e308)
@example(0.30000000000000004)
def test_a_float_survives_to_the_last_bit_and_is_a_double(engine, number):
    written = engine.literal(number)
    row = engine.fetch(f"select {written}, 1 -{written}").rows[0]
    # hex() tells the sign of zero; 1 - x shows that no minus sign became a comment.
    assert row[0].hex() == number.hex()
    assert row[1] == 1 - number
    assert engine.describe(f"select {written} as x")[0].type.lower() in (
        "double",
        "double precision",
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -7,
        2**40,
        -(2**63),
        Decimal("1.50"),
        Decimal("-1E+3"),
        dt.date(2011, 12, 9),
        dt.datetime(2011, 12, 9, 8, 26),
        dt.datetime(2011, 12, 9, 8, 26, 0, 123456),
    ],
)
def test_other_values_survive_as_a_literal(engine, value):
    assert engine.fetch(f"select {engine.literal(value)}").rows == [(value,)]


def test_an_aware_timestamp_is_an_instant(engine):
    at = dt.datetime(2011, 12, 9, 8, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    # 08:00 at +02:00 is 06:00 UTC, and the session of the fixture is in UTC.
    written = engine.literal(at)
    assert engine.fetch(f"select cast({written} as timestamp)").rows == [
        (dt.datetime(2011, 12, 9, 6, 0),)
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), Decimal("NaN")])
def test_a_number_that_is_none_has_no_literal(engine, value):
    with pytest.raises(ValueError, match="cannot be written"):
        engine.literal(value)


def test_a_value_of_unknown_type_has_no_literal(engine):
    with pytest.raises(TypeError):
        engine.literal(object())


def test_text_without_parameters_is_sent_as_it_is(engine):
    text = "100% %(x)s %s $x ?"
    assert engine.fetch(f"select '{text}'").rows == [(text,)]


def test_a_query_is_described_without_being_run(engine):
    named = {
        "a": ("1", "number"),
        "b": ("cast(1.5 as decimal(10, 2))", "number"),
        "c": ("cast(1 as double precision)", "number"),
        "d": ("'x'", "text"),
        "e": ("cast('x' as varchar(3))", "text"),
        "f": ("date '2020-01-01'", "date"),
        "g": ("timestamp '2020-01-01 00:00:00'", "timestamp"),
        "h": ("timestamptz '2020-01-01 00:00:00+00'", "timestamp"),
        "i": ("true", "boolean"),
        "j": ("cast('00000000-0000-0000-0000-000000000000' as uuid)", "other"),
        "k": ("time '00:00:00'", "other"),
        "l": ("interval '1' day", "other"),
        "m": ("cast(1 as bigint)", "number"),
        "n": ("null", None),
    }
    listed = ", ".join(f"{expression} as {name}" for name, (expression, _) in named.items())
    described = engine.describe(f"select {listed} -- a comment at the end")
    assert [column.name for column in described] == list(named)
    for column in described:
        kind = named[column.name][1]
        assert kind is None or column.kind == kind, column
    # Running it would divide by zero in PostgreSQL, and would never end in DuckDB.
    endless = (
        "select 1 / (n - n) as x from (select 1 as n) as one"
        if engine.dialect == "postgres"
        else "with recursive r as (select 1 as n union all select n from r) select n as x from r"
    )
    assert [column.name for column in engine.describe(endless)] == ["x"]


def test_a_common_table_expression_can_be_described_and_created(engine):
    query = "with\n\none as (select 1 as a)\n\nselect * from one"
    assert [column.name for column in engine.describe(query)] == ["a"]
    assert engine.create("t", "table", query) == 1
    assert engine.create("v", "view", query) is None
    assert {name: found.kind for name, found in engine.existing().items()} == {
        "t": "table",
        "v": "view",
    }


def test_create_replaces_what_a_killed_run_left(engine):
    engine.create("seg_tmp_1", "view", "select 1 as a")
    assert engine.create("seg_tmp_1", "table", "select 1 as a union all select 2", work=True) == 2
    assert engine.create("seg_tmp_1", "view", "select 1 as a") is None
    engine.drop("seg_tmp_1")
    engine.drop("seg_tmp_1")
    assert engine.existing() == {}


def test_work_tables_are_read_by_the_name_that_the_engine_gives(engine):
    """On DuckDB they are temporary: no table of the schema, and gone with the connection."""
    assert engine.create("seg_tmp_0000abcd_1", "table", "select 1 as a", work=True) == 1
    relation = engine.relation("seg_tmp_0000abcd_1")
    engine.insert("seg_tmp_0000abcd_1", ["a"], [(2,)])
    assert engine.fetch(f"select a from {relation} order by a").rows == [(1,), (2,)]
    assert ("seg_tmp_0000abcd_1" in engine.existing()) == engine.work_lasts
    engine.drop("seg_tmp_0000abcd_1")
    with pytest.raises(DatabaseError):
        engine.fetch(f"select a from {relation}")


def test_values_of_many_types_are_inserted(engine):
    engine.create(
        "t",
        "table",
        "select cast(null as bigint) as i, cast(null as double precision) as x,"
        " cast(null as varchar) as s, cast(null as date) as d, cast(null as boolean) as b"
        " where 1 = 0",
    )
    rows = [(i, i / 3, f"it's {i}", dt.date(2020, 1, 1), i % 2 == 0) for i in range(1200)]
    rows.append((None, None, None, None, None))
    engine.insert("t", ["i", "x", "s", "d", "b"], rows)
    engine.insert("t", ["i"], [])
    found = engine.fetch(f"select i, x, s, d, b from {engine.relation('t')} order by i nulls last")
    assert found.rows == rows


def test_a_faulty_insert_leaves_no_row(engine):
    engine.create("t", "table", "select cast(1 as integer) as a where 1 = 0")
    with pytest.raises(DatabaseError) as raised:
        engine.insert("t", ["a"], [*((i,) for i in range(1500)), ("no number",)])
    assert raised.value.sql is not None
    assert engine.fetch(f"select count(*) from {engine.relation('t')}").rows == [(0,)]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("select 1 as a,\n  wrong_name\nfrom (select 1 as b) as t", "wrong_name"),
        ("select 'äöü ☕', wrong_name from (select 1 as b) as t", "wrong_name"),
        ("select 'äöü ☕' from from", "from"),
        ("select 1 from wrong_table", "wrong_table"),
    ],
)
@pytest.mark.parametrize("how", ["fetch", "describe", "create"])
def test_an_error_says_where_the_fault_is(engine, query, fault, how):
    with pytest.raises(DatabaseError) as raised:
        if how == "create":
            engine.create("t", "table", query)
        else:
            getattr(engine, how)(query)
    error = raised.value
    assert error.sql == query
    assert error.position == query.rindex(fault)
    assert not error.lost
    assert fault in error.message
    # Neither the driver's excerpt of the statement nor its caret.
    assert "LINE" not in error.message
    assert "^" not in error.message


def test_an_error_at_run_time_is_a_database_error(engine):
    engine.create("t", "table", "select 'x' as a")
    with pytest.raises(DatabaseError, match=r"x"):
        engine.fetch(f"select cast(a as integer) from {engine.relation('t')}")
    assert engine.fetch("select 1").rows == [(1,)]


def test_the_clock_of_the_engine_runs(engine):
    before = engine.seconds
    engine.fetch("select 1")
    assert engine.seconds > before


def test_the_version_is_a_number(engine):
    major, minor = engine.version.split(".")[:2]
    assert (int(major), int(minor)) >= ((15, 0) if engine.dialect == "postgres" else (1, 4))


def test_the_session_is_in_the_given_time_zone(target):
    engine = open_engine(target, timezone="Europe/London")
    # London is an hour ahead of UTC in July.
    query = "select cast(timestamptz '2011-07-01 12:00:00+00' as timestamp)"
    assert engine.fetch(query).rows == [(dt.datetime(2011, 7, 1, 13, 0),)]
    engine.close()


def test_an_unknown_time_zone_is_a_clear_error(target):
    with pytest.raises(ConfigError, match="knows no time zone 'Nowhere/Land'"):
        open_engine(target, timezone="Nowhere/Land")


def test_the_threads_of_the_target_are_those_of_the_session(target):
    shown = {
        "duckdb": "select cast(current_setting('threads') as varchar)",
        "postgres": "show max_parallel_workers_per_gather",
    }
    # PostgreSQL counts the workers that join the session: one thread is none of them.
    expected = {"duckdb": {1: "1", 3: "3"}, "postgres": {1: "0", 3: "3"}}
    for threads in (1, 3):
        engine = open_engine(target.model_copy(update={"threads": threads}))
        found = engine.fetch(shown[engine.dialect]).rows[0][0]
        assert found == expected[engine.dialect][threads]
        engine.close()


def test_settings_of_the_target_are_set(target):
    name, value, read = {
        "duckdb": (
            "preserve_insertion_order",
            False,
            "current_setting('preserve_insertion_order')",
        ),
        "postgres": ("enable_seqscan", False, "current_setting('enable_seqscan') = 'on'"),
    }[target.type]
    engine = open_engine(target.model_copy(update={"settings": {name: value}}))
    assert engine.fetch(f"select {read}").rows == [(False,)]
    engine.close()


def test_an_unknown_setting_is_a_clear_error(target):
    wrong = target.model_copy(update={"settings": {'no"such': "x'y"}})
    with pytest.raises(ConfigError, match="refuses the setting 'no\"such'"):
        open_engine(wrong)


def test_a_read_only_session_writes_nothing(target):
    engine = open_engine(target)
    engine.prepare_schema()
    engine.create("t", "table", "select 1 as a")
    engine.close()
    engine = open_engine(target, read_only=True)
    assert engine.fetch(f"select a from {engine.relation('t')}").rows == [(1,)]
    with pytest.raises(DatabaseError, match="read-only"):
        engine.create("u", "table", "select 1 as a")
    engine.close()


def test_nothing_is_missing_where_everything_is_allowed(engine):
    assert engine.missing_rights() == []


def test_a_closed_engine_is_lost(engine):
    engine.close()
    with pytest.raises(DatabaseError) as raised:
        engine.fetch("select 1")
    assert raised.value.lost


def test_a_missing_driver_is_named(postgres_target, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StartError, match="needs the package psycopg") as raised:
        open_engine(postgres_target)
    assert raised.value.hint == "pip install 'seg-sql[postgres]'"
