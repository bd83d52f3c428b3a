"""`seg-sql init` on tables of a database: URLs, passwords, and both engines alike."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from retail_map import RETAIL

import seg_sql.init as init_
from seg_sql.config import load_project_config
from seg_sql.engines import Engine, open_engine
from seg_sql.errors import ConfigError
from seg_sql.profiles import PostgresTarget, load_target

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "init"


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (
            "postgresql://anna@db/shop",
            {"host": "db", "port": 5432, "user": "anna", "dbname": "shop"},
        ),
        ("postgres://db:6543/shop", {"host": "db", "port": 6543, "dbname": "shop"}),
        (
            "postgresql:///shop?host=/run/pg&user=a%20b",
            {"host": "/run/pg", "port": 5432, "user": "a b", "dbname": "shop"},
        ),
        (
            "postgresql://a:p%40ss@[::1]:1/my%20db?sslmode=require&connect_timeout=3",
            {
                "host": "::1",
                "port": 1,
                "user": "a",
                "dbname": "my db",
                "sslmode": "require",
                "connect_timeout": 3,
            },
        ),
        (
            "postgresql://a@%2FRun%2Fpg/shop",
            {"host": "/Run/pg", "port": 5432, "user": "a", "dbname": "shop"},
        ),
    ],
)
def test_urls(url: str, fields: dict[str, Any]) -> None:
    assert init_.parse_url(url).fields() == fields


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://anna:hun/ter@db/shop",
        "postgresql://anna:hun#ter@db/shop",
        "postgresql://anna:12/ter@db",
        "postgresql://anna:hun?ter@db/shop",
        "postgresql://anna:hunter@db:hunter/shop",
        "postgresql://anna:hunter@db",
        "postgresql://anna:hunter@one,two/shop",
        "postgresql://anna:hunter@[db/shop",
        "mysql://anna:hunter@db/shop",
    ],
)
def test_bad_urls_are_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        init_.parse_url(url)
    assert "hun" not in str(caught.value)
    assert "ter" not in str(caught.value).replace("characters", "").replace("letter", "")
    assert "anna" not in str(caught.value)


def test_a_password_is_used_and_never_shown() -> None:
    for url in (
        "postgresql://anna:hunter%2F2@db/shop?application_name=x",
        "postgresql://anna@db/shop?password=hunter%2F2&application_name=x",
    ):
        connection = init_.parse_url(url)
        assert "hunter" not in repr(connection)
        assert "hunter" not in str(connection.fields())
        password = connection.target().password
        assert password is not None
        assert password.get_secret_value() == "hunter/2"
        assert connection.left_out == ("application_name",)


def postgres_url(target: PostgresTarget) -> str:
    """Return the URL of a target, with a password in it that the test server does not ask for."""
    from urllib.parse import quote

    host = quote(target.host, safe="")
    return f"postgresql://{target.user}:top%20secret@{host}:{target.port}/{target.dbname}"


def test_a_table_of_postgres(
    postgres_target: PostgresTarget,
    admin: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PGPASSWORD", "")
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    schema = postgres_target.schema_
    admin.execute(f"create schema {schema}")
    admin.execute(
        f"""create table {schema}."Sales" ("CustomerID" integer, "InvoiceNo" text,"""
        """ "InvoiceDate" timestamp with time zone, "StockCode" text, "Quantity" integer,"""
        """ "UnitPrice" numeric(10, 2), "Status" text, "Tags" text[], "Country" text)"""
    )
    # 120 lines of 40 orders of 8 customers and the guest 0, who has every fourth order; every
    # tenth order is cancelled.
    admin.execute(
        f"""insert into {schema}."Sales" select case when o % 4 = 0 then 0 else 10 + o % 8 end,"""
        """ (5000 + o)::text, timestamptz '2026-01-01 12:00+00' + o * interval '1 day',"""
        """ 'P' || (o + l) % 7, 1 + (o + l) % 3, 2.5 + l, case when o % 10 = 0 then 'Cancelled'"""
        """ else 'Sent' end, array['a'], case when o % 2 = 0 then 'FR' else 'DE' end"""
        """ from generate_series(1, 40) as orders (o), generate_series(1, 3) as lines (l)"""
    )
    before = {row[0] for row in admin.execute("select relname from pg_class").fetchall()}
    url, table = postgres_url(postgres_target), f'{schema}."Sales"'
    said = list(init_.init(url, table=table, name="shop", project_dir=tmp_path))
    assert {row[0] for row in admin.execute("select relname from pg_class").fetchall()} == before
    config, _ = load_project_config(tmp_path)
    lines = config.inputs["order_lines"]
    assert lines.relation == f'{schema}."Sales"'
    assert lines.columns == RETAIL
    assert lines.attributes == ["Country"]
    assert lines.where == """"Status" not in ('Cancelled')"""
    assert lines.anonymous_ids == [0]
    assert config.vars == {"timezone": "UTC"}
    everything = "\n".join([*said, *(p.read_text("utf-8") for p in tmp_path.iterdir())])
    assert "secret" not in everything
    assert "set it in the environment as PGPASSWORD" in " ".join(everything.split())
    assert os.environ["PGPASSWORD"] == "top secret"
    target = load_target(tmp_path, "shop", None)
    assert isinstance(target, PostgresTarget)
    assert (target.host, target.port, target.user, target.dbname, target.schema_) == (
        postgres_target.host,
        postgres_target.port,
        postgres_target.user,
        postgres_target.dbname,
        "seg_sql",
    )
    assert target.password is not None
    assert target.password.get_secret_value() == "top secret"
    with closing(open_engine(target, read_only=True)) as engine:
        condition = f'from {schema}."Sales" where {lines.where}'
        # 40 orders less 4 cancelled ones, of 3 lines each.
        assert engine.fetch(f"select count(*) {condition}").rows == [(108,)]


def test_tables_that_cannot_be_read(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no_such_table cannot be read"):
        init_.init_from_relation(engine, "no_such_table", tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        init_.init_from_relation(engine, "sales; drop table sales", tmp_path)
    with pytest.raises(ConfigError, match="is not the name of a relation"):
        init_.init_from_relation(engine, 'public."sales', tmp_path)
    name = engine.relation("empty_sales")
    engine.execute(f"create table {name} (order_id integer, amount integer)")
    with pytest.raises(ConfigError, match="has no rows"):
        init_.init_from_relation(engine, f"{engine.schema}.empty_sales", tmp_path)


def test_a_table_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Which table"):
        list(init_.init("postgresql://anna@db/shop", project_dir=tmp_path))


@pytest.mark.parametrize("name", ["retail.csv", "cancelled.csv", "currencies.csv", "german.csv"])
def test_both_engines_see_the_same(
    name: str, engine: Engine, memory: Engine, tmp_path: Path
) -> None:
    text = (FIXTURES / name).read_text("utf-8")
    sign = ";" if ";" in text else ","
    head, *rows = [line.split(sign) for line in text.splitlines()]
    table = engine.relation("sales")
    columns = ", ".join(f"{engine.quote(column)} varchar" for column in head)
    engine.execute(f"create table {table} ({columns})")
    engine.insert("sales", head, rows)
    found = init_.init_from_relation(engine, f"{engine.schema}.sales", tmp_path, "shop")
    expected = init_.init_from_file(str(FIXTURES / name), tmp_path, "shop", memory)
    assert found.columns == expected.columns
    assert found.notes == expected.notes
    there = yaml.safe_load(found.files["seg_sql.yml"])["inputs"]["order_lines"]
    here = yaml.safe_load(expected.files["seg_sql.yml"])["inputs"]["order_lines"]
    del there["relation"], here["path"]
    assert there == here


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        ("bigint", "1767225600", "counts seconds since 1970, as 1767225600"),
        ("bigint", "1767225600000", "counts milliseconds since 1970"),
        ("integer", "20260304", "numbers of eight digits, as 20260304"),
        ("boolean", "true", "its values are no dates, as true"),
    ],
)
def test_typed_columns_that_are_no_dates(
    type_: str, value: str, words: str, engine: Engine, tmp_path: Path
) -> None:
    engine.execute(f"create table {engine.relation('sales')} (order_date {type_}, amount numeric)")
    rows = ", ".join(f"({value}, {n})" for n in range(12))
    engine.execute(f"insert into {engine.relation('sales')} values {rows}")
    proposal = init_.init_from_relation(engine, f"{engine.schema}.sales", tmp_path, "shop")
    assert proposal.columns == {"amount": "amount"}
    assert any("order_date is not taken" in note and words in note for note in proposal.notes)


@pytest.mark.parametrize("zone", ["with", "without"])
def test_only_times_with_a_zone_ask_for_one(zone: str, engine: Engine, tmp_path: Path) -> None:
    # PostgreSQL calls the plain type `timestamp without time zone`.
    columns = f"order_date timestamp {zone} time zone, amount numeric"
    engine.execute(f"create table {engine.relation('sales')} ({columns})")
    rows = ", ".join(f"('2026-01-02 12:00:00', {n})" for n in range(12))
    engine.execute(f"insert into {engine.relation('sales')} values {rows}")
    proposal = init_.init_from_relation(engine, f"{engine.schema}.sales", tmp_path, "shop")
    assert proposal.columns["ordered_at"] == "order_date"
    asked = any("distance from UTC" in note for note in proposal.notes)
    assert asked == (zone == "with")


def test_columns_that_hold_documents_are_not_looked_at(engine: Engine, tmp_path: Path) -> None:
    # A list called order_id, and a document called sku.
    columns = "order_id integer[], sku json, customer_id text, amount double precision"
    engine.execute(f"create table {engine.relation('sales')} ({columns})")
    row = "(array[1, 2], '{}', 'K1', 2.5)"
    engine.execute(f"insert into {engine.relation('sales')} values {row}, {row}")
    proposal = init_.init_from_relation(engine, f"{engine.schema}.sales", tmp_path, "shop")
    assert proposal.columns == {"customer_id": "customer_id", "amount": "amount"}
