"""What hangs on a table of PostgreSQL when it is published: rights, views, keys, triggers."""

from __future__ import annotations

import pytest

from seg_sql.engines import Publication
from seg_sql.errors import ConfigError, DatabaseError

OLD = "select 1 as id, 'old' as word union all select 2, 'old'"
NEW = "select 2 as id, 'new' as word union all select 3, 'new'"

RIGHTS = """
select coalesce(r.rolname, 'public'), acl.privilege_type, acl.is_grantable
from pg_class as c
cross join lateral aclexplode(c.relacl) as acl
left join pg_roles as r on r.oid = acl.grantee
where c.oid = %s::regclass and acl.grantee <> c.relowner
"""


@pytest.fixture
def target(postgres_target):
    return postgres_target


@pytest.fixture
def numbered(engine):
    """Return the number of a relation: it changes when another takes its place."""

    def oid(name):
        return engine.fetch(f"select '{engine.relation(name)}'::regclass::oid").rows[0][0]

    return oid


def rights(admin, engine, name):
    return set(admin.execute(RIGHTS, [engine.relation(name)]).fetchall())


def indexes(engine):
    sql = f"select indexname, indexdef from pg_indexes where schemaname = '{engine.schema}'"
    return dict(engine.fetch(sql).rows)


def test_rights_owner_and_options_outlive_a_swap(engine, publish, numbered, admin, role):
    reader, writer, owner = role(), role(' "x'), role()
    publish("t", OLD)
    relation = engine.relation("t")
    admin.execute(f"""grant create, usage on schema {engine.schema} to "{owner}" """)
    admin.execute(f"""alter table {relation} owner to "{owner}" """)
    admin.execute(f"""grant select on {relation} to "{reader}" with grant option""")
    quoted = engine.quote(writer)
    admin.execute(f"grant select (word), insert, update (word, id) on {relation} to {quoted}")
    admin.execute(f"grant select on {relation} to public")
    before, number = rights(admin, engine, "t"), numbered("t")
    assert before == {
        (reader, "SELECT", True),
        (writer, "INSERT", False),
        ("public", "SELECT", False),
    }
    publish("t", "select 1 as other, 'new' as word")
    assert numbered("t") != number
    assert rights(admin, engine, "t") == before
    columns = "select attname, attacl::text from pg_attribute where attrelid = %s::regclass"
    found = dict(admin.execute(f"{columns} and attacl is not null", [relation]).fetchall())
    # The rights on `id` went with it. r is SELECT, w is UPDATE.
    assert set(found) == {"word"}
    assert "=rw/" in found["word"]
    owned = "select pg_get_userbyid(relowner) from pg_class where oid = %s::regclass"
    assert admin.execute(owned, [relation]).fetchone() == (owner,)


def test_default_rights_give_nobody_more_than_before(engine, publish, admin, role):
    reader, outsider = role(), role()
    admin.execute(
        f"alter default privileges in schema {engine.schema}"
        f""" grant select on tables to "{reader}", "{outsider}" """
    )
    publish("t", OLD)
    assert {who for who, *_ in rights(admin, engine, "t")} == {reader, outsider}
    admin.execute(f"""revoke all on {engine.relation("t")} from "{outsider}" """)
    publish("t", NEW)
    assert rights(admin, engine, "t") == {(reader, "SELECT", False)}


@pytest.mark.parametrize("kind", ["table", "view"])
def test_rights_outlive_a_change_of_kind_and_of_columns(engine, publish, admin, role, kind):
    reader = role()
    publish("r", OLD, kind="view" if kind == "table" else "table")
    admin.execute(f"""grant select on {engine.relation("r")} to "{reader}" """)
    publish("r", "select 1 as other", kind=kind)
    assert rights(admin, engine, "r") == {(reader, "SELECT", False)}
    publish("r", "select 'x' as third", kind=kind)
    assert rights(admin, engine, "r") == {(reader, "SELECT", False)}


def test_configured_rights_are_given_with_the_schema(engine, publish, admin, role, connect):
    reader = role(' "; drop')
    for _ in range(2):
        publish("t", OLD, grants={"select": [reader, "PUBLIC"], "Update": [reader]})
    assert rights(admin, engine, "t") == {
        (reader, "SELECT", False),
        (reader, "UPDATE", False),
        ("public", "SELECT", False),
    }
    session = connect()
    session.execute(f"set role {engine.quote(reader)}")
    assert session.execute(f"select count(*) from {engine.relation('t')}").fetchone() == (2,)


def test_a_right_that_does_not_exist_stops_before_anything(engine, publish, rows):
    publish("t", OLD)
    with pytest.raises(ConfigError, match="no privilege 'select; drop'"):
        publish("t", NEW, grants={"select; drop": ["public"]})
    assert rows("t") == [(1, "old"), (2, "old")]


def test_a_role_that_does_not_exist_undoes_the_publish(engine, publish, rows):
    publish("t", OLD)
    with pytest.raises(DatabaseError, match='role "no such role" does not exist'):
        publish("t", NEW, grants={"select": ["no such role"]})
    assert rows("t") == [(1, "old"), (2, "old")]


def test_configured_indexes_follow_the_configuration(engine, publish):
    publish("t", OLD, indexes=[["id"], ["word", "id"]])
    assert [definition.rpartition(" USING ")[2] for definition in indexes(engine).values()] == [
        "btree (id)",
        "btree (word, id)",
    ]
    publish("t", NEW, indexes=[["id"]])
    assert [definition.rpartition(" USING ")[2] for definition in indexes(engine).values()] == [
        "btree (id)"
    ]
    # The same on a table that has to stay because of a view.
    engine.execute(f"create view {engine.relation('v')} as select * from {engine.relation('t')}")
    publish("t", NEW, indexes=[["word"]])
    assert [definition.rpartition(" USING ")[2] for definition in indexes(engine).values()] == [
        "btree (word)"
    ]
    assert all(len(name.encode()) <= 63 for name in indexes(engine))


def test_the_name_of_an_index_fits_a_long_table_name(engine, publish):
    publish("é" * 31, OLD, indexes=[["id"]])
    publish("é" * 31, NEW, indexes=[["id"]])
    assert len(indexes(engine)) == 1


def test_indexes_of_others_are_made_again_word_for_word(engine, publish, numbered):
    publish("t", OLD)
    relation = engine.relation("t")
    engine.execute(
        f'create unique index "Odd ON %s" on {relation} (id desc nulls last) include (word)'
        " with (fillfactor = 80) where id > 0"
    )
    engine.execute(f"create index expression on {relation} (lower(word || ' USING \"x\"'))")
    engine.execute(f"create index going on {relation} (word)")
    before, number = indexes(engine), numbered("t")
    publish("t", NEW)
    assert indexes(engine) == before
    assert numbered("t") != number
    # An index goes with its column; the others stay.
    publish("t", "select 4 as id")
    assert not indexes(engine)
    publish("t", "select 4 as id, 'x'::text as word")
    engine.execute(f"create index on_id on {relation} (id)")
    publish("t", "select 5 as id")
    assert list(indexes(engine)) == ["on_id"]


def test_a_unique_index_of_somebody_else_can_refuse_the_new_rows(engine, publish, rows):
    publish("t", OLD)
    engine.execute(f"create unique index one on {engine.relation('t')} (id)")
    with pytest.raises(DatabaseError, match=r"id\)=\(7\) is duplicated"):
        publish("t", "select 7 as id, 'x' as word union all select 7, 'y'")
    assert rows("t") == [(1, "old"), (2, "old")]


def test_a_view_that_would_lose_its_column_is_named(engine, publish, rows):
    publish("t", OLD)
    view, table = engine.relation("v v"), engine.relation("t")
    engine.execute(f"create view {view} as select word from {table}")
    for select in ("select 3 as id", "select 3 as id, 4 as word"):
        with pytest.raises(DatabaseError, match="column word") as raised:
            publish("t", select)
        assert '"v v"' in raised.value.message
        assert f'DROP VIEW {engine.schema}."v v";' in raised.value.hint
    assert rows("t") == [(1, "old"), (2, "old")]
    with pytest.raises(DatabaseError, match="a view takes the place of a table"):
        publish("t", NEW, kind="view")
    assert rows("t") == [(1, "old"), (2, "old")]


def test_a_view_on_a_view_that_would_lose_its_column_is_named(engine, publish, rows):
    publish("v", OLD, kind="view")
    engine.execute(f"create view {engine.relation('w')} as select word from {engine.relation('v')}")
    publish("v", "select 3 as id, 'new' as word, 1 as extra", kind="view")
    assert rows("w") == [("new",)]
    for options in ({"kind": "view"}, {}):
        with pytest.raises(DatabaseError, match=r"depends on it: view .*w"):
            publish("v", "select 3 as id", **options)
    assert rows("w") == [("new",)]


def test_the_options_of_a_view_are_kept(engine, publish, admin):
    publish("v", OLD, kind="view")
    admin.execute(f"alter view {engine.relation('v')} set (security_barrier = true)")
    for select in (NEW, "select 'x' as other"):
        publish("v", select, kind="view")
        found = admin.execute(
            "select reloptions from pg_class where oid = %s::regclass", [engine.relation("v")]
        ).fetchone()
        assert found == (["security_barrier=true"],)


@pytest.mark.parametrize(
    "attach",
    [
        "create view {schema}.v as select id from {table}",
        "create materialized view {schema}.v as select id from {table}",
        "alter table {table} enable row level security",
        "create policy p on {table} using (true)",
        "alter table {table} add primary key (id)",
        "alter table {table} add check (id > 0)",
        "alter table {table} alter column id set not null",
        "alter table {table} alter column id set default 7",
        "alter table {table} set (fillfactor = 70)",
        "alter table {table} replica identity full",
        "create statistics {schema}.s on id, word from {table}",
        "alter table {table} replica identity full;"
        " create publication {publication} for table {table}",
        "create rule r as on delete to {table} do also notify nobody",
        "create function {schema}.f() returns bigint begin atomic"
        " select count(*) from {table}; end",
        "create table {schema}.typed (a {table})",
        "create table {schema}.child () inherits ({table})",
        "create trigger g before truncate on {table}"
        " execute function suppress_redundant_updates_trigger()",
    ],
)
def test_a_table_that_something_hangs_on_stays_and_is_refilled(
    engine, publish, rows, numbered, admin, attach
):
    publish("t", OLD, indexes=[["id"]])
    number, publication = numbered("t"), f"p_{engine.schema}"
    admin.execute(
        attach.format(table=engine.relation("t"), schema=engine.schema, publication=publication)
    )
    try:
        # As yesterday, then with a column more.
        publish("t", NEW, indexes=[["id"]])
        assert rows("t") == [(2, "new"), (3, "new")]
        publish("t", "select 9 as id, 'newer' as word, 1.5e0 as extra", indexes=[["id"]])
        assert rows("t") == [(9, "newer", 1.5)]
        assert numbered("t") == number
    finally:
        admin.execute(f"drop publication if exists {publication}")


def test_rows_that_others_point_to_are_updated_and_not_deleted(engine, publish, rows, numbered):
    publish("t", "select 1 as id, 'old' as word, 'k' as k union all select 2, 'old', 'l'")
    table, number = engine.relation("t"), numbered("t")
    engine.execute(f"alter table {table} add primary key (id)")
    child = engine.relation("child")
    engine.execute(f"create table {child} (id int references {table} on delete cascade)")
    engine.execute(f"insert into {child} values (1), (2)")
    publish("t", "select 2 as id, 'new' as word, 'k' as k union all select 3, 'new', 'l'")
    assert rows("t") == [(2, "new", "k"), (3, "new", "l")]
    assert numbered("t") == number
    # The constraint's own words: who points to a row that is gone goes with it, nobody else.
    assert rows("child") == [(2,)]
    publish("t", "select 2 as id, 'newer' as word, 'x' as k", key=["id"])
    assert rows("t") == [(2, "newer", "x"), (3, "new", "l")]
    assert rows("child") == [(2,)]


def test_a_foreign_key_that_forbids_it_undoes_the_publish(engine, publish, rows):
    publish("t", OLD)
    table = engine.relation("t")
    engine.execute(f"alter table {table} add primary key (id)")
    engine.execute(f"create table {engine.relation('child')} (id int references {table})")
    engine.execute(f"insert into {engine.relation('child')} values (1)")
    with pytest.raises(DatabaseError, match=r"foreign key .*\(id\)=\(1\) is still referenced"):
        publish("t", NEW)
    assert rows("t") == [(1, "old"), (2, "old")]


@pytest.mark.parametrize(
    "made",
    [
        "create materialized view {} as select 1 as id",
        "create table {} (id int) partition by range (id)",
    ],
)
def test_a_relation_of_another_kind_is_not_replaced_by_a_view(engine, publish, made):
    engine.execute(made.format(engine.relation("m")))
    with pytest.raises(DatabaseError, match=r"never replaced|cannot be replaced"):
        publish("m", OLD, kind="view")
    assert engine.existing()["m"].kind in ("materialized view", "table")


def test_the_kinds_of_relations(engine, admin):
    engine.execute(f"create materialized view {engine.relation('m')} as select 1 as a")
    engine.execute(f"create table {engine.relation('p')} (a int) partition by range (a)")
    engine.execute(f"comment on materialized view {engine.relation('m')} is 'said'")
    found = engine.existing()
    assert {name: each.kind for name, each in found.items()} == {
        "m": "materialized view",
        "p": "table",
    }
    assert (found["m"].comment, found["p"].comment) == ("said", None)
    engine.drop("m")
    engine.drop("p")
    assert engine.existing() == {}


def test_work_tables_are_unlogged_and_published_ones_are_not(engine, rows):
    persistence = "select relpersistence::text from pg_class where oid = '{}'::regclass"
    engine.create("seg_tmp_1", "table", OLD, work=True)
    relation = engine.relation("seg_tmp_1")
    assert engine.fetch(persistence.format(relation)).rows == [("u",)]
    engine.publish([Publication("t", "table", "seg_tmp_1")])
    assert engine.fetch(persistence.format(engine.relation("t"))).rows == [("p",)]
    assert rows("t") == [(1, "old"), (2, "old")]


@pytest.mark.parametrize("stays", [False, True], ids=["swap", "refill"])
def test_a_published_table_is_analysed(engine, publish, stays):
    publish("t", OLD)
    if stays:
        engine.execute(
            f"create view {engine.relation('v')} as select 1 from {engine.relation('t')}"
        )
    publish("t", "select n as id, 'x' as word from generate_series(1, 1000) as g (n)")
    found = engine.fetch(
        f"select reltuples from pg_class where oid = '{engine.relation('t')}'::regclass"
    )
    assert found.rows == [(1000.0,)]
    distinct = engine.fetch(
        "select attname, n_distinct from pg_stats"
        f" where schemaname = '{engine.schema}' and tablename = 't' order by 1"
    )
    # -1: as many values as rows.
    assert distinct.rows == [("id", -1.0), ("word", 1.0)]
