"""What the published relations say of themselves, and who may read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from build_shop import BASE, BuildShop

COLUMN_COMMENTS = {
    "duckdb": "select column_name, comment from duckdb_columns()"
    " where schema_name = '{schema}' and table_name = '{name}'",
    "postgres": "select attname, col_description(attrelid, attnum) from pg_attribute"
    " where attrelid = '{schema}.{name}'::regclass and attnum > 0",
}


def column_comments(shop: BuildShop, name: str) -> dict[str, str | None]:
    query = COLUMN_COMMENTS["postgres" if shop.is_postgres else "duckdb"]
    with shop.engine() as engine:
        return dict(engine.fetch(query.format(schema=shop.target.schema_, name=name)).rows)


def test_every_relation_and_column_is_described(shop: BuildShop) -> None:
    from seg_sql.project import load_project

    shop.build(*BASE)
    project = load_project(shop.folder)
    existing = shop.existing()
    assert len(shop.names()) >= 13
    for name in shop.names():
        comment = existing[name].comment or ""
        assert comment.endswith(f"\n\nseg-sql:shop:{name}"), name
        assert len(comment.splitlines()[0]) > 20, name
        found = column_comments(shop, name)
        assert found, name
        for column, text in found.items():
            assert text, (name, column)
            if name in project.models:
                described = {c.name: c.description for c in project.models[name].entry.columns}
                assert text == described[column].strip(), (name, column)


def test_a_second_build_keeps_them_and_takes_new_ones(shop: BuildShop) -> None:
    shop.model("m", "select 1 as n, 2 as o")
    shop.schema(models=[{"name": "m", "description": "First."}])
    shop.build("m")
    shop.execute(f"comment on column {shop.schema_}.m.o is 'Written by a person.'")
    columns = [{"name": "n", "description": 'It\'s "new"; -- one.'}]
    shop.schema(models=[{"name": "m", "description": "Second.", "columns": columns}])
    shop.build("m")
    assert shop.existing()["m"].comment == "Second.\n\nseg-sql:shop:m"
    assert column_comments(shop, "m") == {
        "n": 'It\'s "new"; -- one.',
        "o": "Written by a person.",
    }


def test_grants_of_the_project_and_of_a_model(
    postgres_shop: BuildShop, admin: Any, role: Callable[..., str]
) -> None:
    shop, reader, writer = postgres_shop, role(), role(" Bi")
    shop.write(grants={"select": [reader]})
    shop.model("m", f"{{{{ config(grants={{'insert': ['{writer}']}}) }}}}\nselect 1 as n")
    shop.model("v", "{{ config(materialized='view') }}\nselect n from {{ ref('m') }}")

    def allowed(name: str, relation: str, privilege: str) -> bool:
        [may] = shop.values(
            f"select has_table_privilege('{name}', '${relation}', '{privilege}')"
            f" and has_schema_privilege('{name}', '{shop.target.schema_}', 'usage')"
        )
        return bool(may)

    for _ in range(2):  # also when the table takes the place of the last one
        shop.build("m", "v")
        assert allowed(reader, "m", "select")
        assert allowed(reader, "v", "select")
        assert allowed(reader, "seg_sql_runs", "select")
        assert allowed(writer, "m", "insert")
        assert not allowed(writer, "v", "select")
        assert not allowed(reader, "m", "insert")


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ({"select": ["no_such_role"]}, 'role "no_such_role" does not exist'),
        ({"selct": ["public"]}, "There is no privilege 'selct'"),
    ],
)
def test_a_wrong_grant_publishes_nothing(
    postgres_shop: BuildShop, grants: dict[str, list[str]], said: str
) -> None:
    shop = postgres_shop
    shop.model("m", "select 1 as n")
    shop.build("m")
    shop.model("m", "select 2 as n")
    shop.write(grants=grants)
    assert shop.run("build", "m") == 1
    assert said in shop.said()
    assert shop.values("select n from $m") == [1]
    assert shop.hidden() == []


def test_indexes_of_a_model(postgres_shop: BuildShop) -> None:
    shop = postgres_shop
    shop.model("m", "{{ config(indexes=[['n'], {'columns': ['n', 'o']}]) }}\nselect 1 as n, 2 as o")
    for _ in range(2):
        shop.build("m")
        found = shop.values(
            f"select indexdef from pg_indexes where schemaname = '{shop.target.schema_}'"
            " and tablename = 'm'"
        )
        assert sorted(text.partition("USING ")[2] for text in found) == [
            "btree (n)",
            "btree (n, o)",
        ]
