"""Publishing, as far as it is the same on both engines."""

from __future__ import annotations

import pytest

from seg_sql.engines import Publication
from seg_sql.errors import DatabaseError

OLD = "select 1 as id, 'old' as word union all select 2, 'old'"
NEW = "select 2 as id, 'new' as word union all select 3, 'new'"


def names(engine):
    return {name: found.kind for name, found in engine.existing().items()}


def column_comments(engine, name):
    sql = {
        "duckdb": "select column_name, comment from duckdb_columns() where table_name = {name}",
        "postgres": "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = {relation}::regclass and attnum > 0 and not attisdropped",
    }[engine.dialect]
    written = sql.format(name=engine.literal(name), relation=engine.literal(engine.relation(name)))
    return {column: text for column, text in engine.fetch(written).rows if text}


def test_a_new_table_gets_its_name(engine, publish, rows):
    publish("t", OLD)
    assert rows("t") == [(1, "old"), (2, "old")]
    assert names(engine) == {"t": "table"}


def test_a_table_takes_the_place_of_another(engine, publish, rows):
    publish("t", OLD)
    publish("t", NEW)
    assert rows("t") == [(2, "new"), (3, "new")]
    assert names(engine) == {"t": "table"}


def test_without_dependents_columns_may_come_and_go(publish, rows):
    publish("t", OLD)
    publish("t", "select 'x' as other, 2.5e0 as id")
    assert rows("t") == [("x", 2.5)]


def test_a_dependent_view_sees_the_new_rows(engine, publish, rows):
    publish("t", OLD)
    engine.execute(
        f"create view {engine.relation('v')} as select id, word from {engine.relation('t')}"
    )
    publish("t", NEW)
    assert rows("v") == [(2, "new"), (3, "new")]
    assert rows("t") == [(2, "new"), (3, "new")]
    assert names(engine) == {"t": "table", "v": "view"}


def test_a_dependent_view_outlives_a_new_column(engine, publish, rows):
    publish("t", OLD)
    engine.execute(
        f"create view {engine.relation('v')} as select id, word from {engine.relation('t')}"
    )
    publish("t", "select 7 as id, 2.5e0 as extra, 'new' as word")
    assert rows("v") == [(7, "new")]
    assert rows("t", ["id", "word", "extra"]) == [(7, "new", 2.5)]


def test_a_view_is_published_and_replaced(engine, publish, rows):
    publish("v", "select 1 as a", kind="view", comment="first")
    publish("v", "select 2 as a, 'x' as b", kind="view", comment="second")
    assert rows("v") == [(2, "x")]
    publish("v", "select 'gone' as c", kind="view", comment="third")
    assert rows("v") == [("gone",)]
    assert names(engine) == {"v": "view"}
    assert engine.existing()["v"].comment == "third"


def test_a_relation_changes_between_table_and_view(engine, publish, rows):
    publish("r", "select 1 as a", comment="a table", column_comments={"a": "its column"})
    publish("r", "select 2 as a", kind="view", comment="a view")
    assert rows("r") == [(2,)]
    assert names(engine) == {"r": "view"}
    assert column_comments(engine, "r") == {"a": "its column"}
    publish("r", "select 3 as a", comment="a table")
    assert rows("r") == [(3,)]
    assert names(engine) == {"r": "table"}
    assert engine.existing()["r"].comment == "a table"


def test_comments_are_set_and_kept(engine, publish):
    said = 'It\'s "quoted" \\ 100% $$ %(x)s ☕\nseg-sql:shop:t'
    publish("t", OLD, comment=said, column_comments={"id": said, "word": ""})
    assert engine.existing()["t"].comment == said
    assert column_comments(engine, "t") == {"id": said}
    engine.execute(f"comment on column {engine.relation('t')}.word is 'by hand'")
    publish("t", NEW, comment="second", column_comments={"id": "our words", "absent": "no column"})
    assert engine.existing()["t"].comment == "second"
    # What somebody said about a column that we say nothing about stays.
    assert column_comments(engine, "t") == {"id": "our words", "word": "by hand"}


def test_an_index_of_somebody_else_is_kept(engine, publish, rows):
    publish("t", OLD)
    engine.execute(f'create index "their Index" on {engine.relation("t")} (id, "word")')
    publish("t", NEW)
    found = engine.fetch(
        "select index_name from duckdb_indexes()"
        if engine.dialect == "duckdb"
        else f"select indexname from pg_indexes where schemaname = '{engine.schema}'"
    )
    assert found.rows == [("their Index",)]
    assert rows("t") == [(2, "new"), (3, "new")]


def test_a_key_replaces_the_rows_that_it_finds(engine, publish, rows):
    publish("t", OLD, key=["id"])
    assert rows("t") == [(1, "old"), (2, "old")]
    publish("t", NEW, key=["id"])
    assert rows("t") == [(1, "old"), (2, "new"), (3, "new")]
    assert names(engine) == {"t": "table"}


def test_a_key_of_several_columns_and_repeated_rows(publish, rows):
    publish("t", "select 1 as a, 'x' as b, 'old' as c union all select 1, 'y', 'old'", key=["a"])
    # The key finds all its rows, and those of the hidden table come in twice if they are there.
    publish(
        "t",
        "select 1 as a, 'x' as b, 'n1' as c union all select 1, 'x', 'n2'",
        key=["a", "b"],
    )
    assert sorted(rows("t")) == [(1, "x", "n1"), (1, "x", "n2"), (1, "y", "old")]


def test_a_key_with_a_new_column(publish, rows):
    publish("t", OLD, key=["id"])
    publish("t", "select 'new' as word, 2 as id, 1.5e0 as extra", key=["id"])
    assert rows("t", ["id", "word", "extra"]) == [(1, "old", None), (2, "new", 1.5)]


@pytest.mark.parametrize(
    "select", ["select 2 as id", "select 2 as id, 5 as word"], ids=["gone", "another type"]
)
def test_a_key_and_a_column_that_does_not_fit(engine, publish, rows, select):
    publish("t", OLD, key=["id"])
    with pytest.raises(DatabaseError, match="word") as raised:
        publish("t", select, key=["id"])
    assert "--full-refresh" in raised.value.hint
    assert rows("t") == [(1, "old"), (2, "old")]


def test_several_relations_at_once(engine, build, rows):
    def all_of(word):
        table = build("t", f"select '{word}' as a", number=1)
        hidden = engine.relation(table.hidden)
        # As under `publish: together`: what is tested reads the hidden table, what is published
        # the published one.
        engine.create(f"{table.hidden}0", "view", f"select a from {hidden}")
        view = Publication(
            "v", "view", f"{table.hidden}0", select=f"select a from {engine.relation('t')}"
        )
        return [table, view, build("u", f"select '{word}' as a", number=2)]

    for word in ("old", "new", "newer"):
        engine.publish(all_of(word))
        assert rows("t") == rows("u") == rows("v") == [(word,)]
    assert names(engine) == {"t": "table", "u": "table", "v": "view"}


def test_nothing_to_publish(engine):
    engine.publish([])
    assert names(engine) == {}


def test_if_one_of_several_fails_none_is_published(engine, build, publish, rows):
    publish("t", OLD)
    publish("u", OLD, number=2)
    first = build("t", NEW)
    second = build("u", NEW, number=2)
    engine.drop(second.hidden)
    with pytest.raises(DatabaseError):
        engine.publish([first, second])
    assert rows("t") == rows("u") == [(1, "old"), (2, "old")]


def test_hostile_names_are_published(engine, publish, rows):
    name, column = '"; drop table x; --', "50% 'off' %s"
    for value in (1, 2):
        publish(
            name,
            f"select {value} as {engine.quote(column)}",
            comment=name,
            column_comments={column: column},
            indexes=[[column]],
        )
    publish(name, f"select 2 as {engine.quote(column)}, 5 as b", key=[column])
    assert rows(name) == [(2, 5)]
    assert column_comments(engine, name) == {column: column}
    assert names(engine) == {name: "table"}


def test_publishing_goes_on_after_a_failure(engine, build, publish, rows):
    publish("t", OLD)
    engine.create("seg_tmp_0000abcd_2", "view", "select 1 as a")
    broken = Publication("v", "view", "seg_tmp_0000abcd_2", select="select no_such_column")
    with pytest.raises(DatabaseError, match="no_such_column") as raised:
        engine.publish([build("t", NEW), broken])
    assert raised.value.sql == "select no_such_column"
    assert raised.value.position == len("select ")
    assert rows("t") == [(1, "old"), (2, "old")]
    publish("t", NEW)
    assert rows("t") == [(2, "new"), (3, "new")]
    engine.drop("seg_tmp_0000abcd_2")
    assert names(engine) == {"t": "table"}
