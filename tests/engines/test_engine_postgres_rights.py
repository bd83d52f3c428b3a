"""Roles that lack a right, and servers that cannot be reached: the sentence that helps."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from seg_sql.engines import Publication, _postgres_errors, _postgres_session, open_engine
from seg_sql.engines.postgres import PostgresEngine
from seg_sql.errors import ConfigError, DatabaseError, StartError
from seg_sql.profiles import PostgresTarget


@pytest.fixture
def plain(postgres_target, role):
    """The target as seen by a role without any right of its own."""
    return postgres_target.model_copy(update={"user": role(' "x'), "password": SecretStr("s3cret")})


def user(target):
    return '"' + target.user.replace('"', '""') + '"'


def test_a_schema_that_may_not_be_created(plain, admin):
    engine = open_engine(plain)
    assert engine.missing_rights() == [
        f'GRANT CREATE ON DATABASE "{plain.dbname}" TO {user(plain)};'
    ]
    with pytest.raises(DatabaseError, match="permission denied for database") as raised:
        engine.prepare_schema()
    assert raised.value.hint == engine.missing_rights()[0]
    admin.execute(engine.missing_rights()[0])
    assert engine.missing_rights() == []
    engine.prepare_schema()
    assert engine.missing_rights() == []
    engine.close()
    admin.execute(f"revoke all on database {plain.dbname} from {user(plain)}")


def test_rights_on_the_schema_are_enough(plain, admin):
    admin.execute(f"create schema {plain.schema_}")
    engine = open_engine(plain)
    # No right to create schemas: it must not even be tried.
    engine.prepare_schema()
    assert engine.missing_rights() == [
        f'GRANT USAGE ON SCHEMA "{plain.schema_}" TO {user(plain)};',
        f'GRANT CREATE ON SCHEMA "{plain.schema_}" TO {user(plain)};',
    ]
    with pytest.raises(DatabaseError, match="permission denied for schema") as raised:
        engine.create("t", "table", "select 1 as a")
    assert raised.value.hint == (
        f'GRANT USAGE, CREATE ON SCHEMA "{plain.schema_}" TO {user(plain)};'
    )
    for sentence in engine.missing_rights():
        admin.execute(sentence)
    assert engine.missing_rights() == []
    engine.create("seg_tmp_1", "table", "select 1 as a")
    engine.publish([Publication("t", "table", "seg_tmp_1")])
    engine.close()


def test_a_table_that_may_not_be_read(plain, admin):
    admin.execute(f"create schema {plain.schema_}")
    admin.execute(f'create table {plain.schema_}."Raw sales" (a int)')
    admin.execute(f"grant usage on schema {plain.schema_} to {user(plain)}")
    engine = open_engine(plain)
    query = f'select a from {plain.schema_}."Raw sales"'
    with pytest.raises(DatabaseError, match="permission denied for table Raw sales") as raised:
        engine.fetch(query)
    assert raised.value.hint == (f'GRANT SELECT ON "{plain.schema_}"."Raw sales" TO {user(plain)};')
    admin.execute(raised.value.hint)
    assert engine.fetch(query).rows == []
    engine.close()


def test_a_table_of_another_owner(plain, admin):
    admin.execute(f"create schema {plain.schema_}")
    admin.execute(f"grant usage, create on schema {plain.schema_} to {user(plain)}")
    admin.execute(f"create table {plain.schema_}.t (a int)")
    engine = open_engine(plain)
    with pytest.raises(DatabaseError, match="must be owner of table t") as raised:
        engine.drop("t")
    assert raised.value.hint == f'ALTER TABLE "{plain.schema_}"."t" OWNER TO {user(plain)};'
    admin.execute(raised.value.hint)
    engine.drop("t")
    engine.close()


def test_the_schema_of_another_owner_and_a_reader(plain, admin, role):
    reader = role()
    admin.execute(f"create schema {plain.schema_}")
    admin.execute(f"grant usage, create on schema {plain.schema_} to {user(plain)}")
    engine = open_engine(plain)
    engine.create("seg_tmp_1", "table", "select 1 as a")
    publication = Publication("t", "table", "seg_tmp_1", grants={"select": [reader]})
    # PostgreSQL itself only warns that it granted nothing.
    with pytest.raises(DatabaseError, match="may not use the schema") as raised:
        engine.publish([publication])
    assert raised.value.hint == f'GRANT USAGE ON SCHEMA "{plain.schema_}" TO "{reader}";'
    admin.execute(raised.value.hint)
    engine.publish([publication])
    engine.close()


def test_a_session_may_take_a_role(plain, admin, role):
    group = role()
    admin.execute(f"grant {group} to {user(plain)}")
    engine = open_engine(plain.model_copy(update={"role": group}))
    assert engine.fetch("select current_user").rows == [(group,)]
    assert engine.missing_rights() == [f'GRANT CREATE ON DATABASE "{plain.dbname}" TO "{group}";']
    engine.close()
    with pytest.raises(ConfigError, match="refuses the setting 'role'"):
        open_engine(plain.model_copy(update={"role": "no such role"}))


def test_the_search_path_is_set(postgres_target):
    target = postgres_target.model_copy(update={"search_path": 'pg_catalog, "Mixed Case"'})
    engine = open_engine(target)
    assert engine.fetch("show search_path").rows == [('pg_catalog, "Mixed Case"',)]
    assert engine.fetch("show application_name").rows == [("seg-sql",)]
    engine.close()


def test_a_server_that_cannot_be_reached_does_not_show_the_password(plain):
    target = plain.model_copy(update={"host": "/no/such/folder"})
    with pytest.raises(StartError, match="cannot be reached") as raised:
        open_engine(target)
    error = raised.value
    assert error.exit_code == 2
    assert "\n" not in error.message
    assert target.dbname in error.message
    assert "s3cret" not in str(error)
    assert "s3cret" not in repr(target)


def test_a_database_that_does_not_exist(plain):
    with pytest.raises(StartError, match='database "no such db" does not exist'):
        open_engine(plain.model_copy(update={"dbname": "no such db"}))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ('FATAL:  password authentication failed for user "x"', "Set the password"),
        ("fe_sendauth: no password supplied", "Set the password"),
        (
            'FATAL:  permission denied for database "db"',
            'GRANT CONNECT ON DATABASE "db" TO "me";',
        ),
        ("connection refused", "Look at host, port"),
    ],
)
def test_what_the_server_says_at_the_door(words, hint):
    target = PostgresTarget.model_validate({"dbname": "db", "user": "me", "host": "h"})
    assert _postgres_session._start_error(words, target).hint.startswith(hint)


@pytest.mark.parametrize(
    "text",
    [
        "invalid value s3cret!",
        "at postgresql://me:other@host/db",
        "host=h password=other dbname=d",
        "host=h password='o t h e r' dbname=d",
    ],
)
def test_passwords_are_taken_out_of_any_text(text):
    target = PostgresTarget.model_validate({"dbname": "db", "password": "s3cret"})
    said = _postgres_errors.hide_password(text, target)
    assert "***" in said
    assert not any(secret in said for secret in ("s3cret", "other", "o t h e r"))


def test_a_statement_that_fails_does_not_show_the_password(plain):
    engine = open_engine(plain)
    with pytest.raises(DatabaseError) as raised:
        engine.fetch("select cast('s3cret' as integer)")
    assert "s3cret" not in raised.value.message
    engine.close()


def test_an_old_server_is_refused(postgres_target, monkeypatch):
    import psycopg

    # No server older than 15 is at hand: the driver is made to say that this one is.
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda self: 140012))
    with pytest.raises(StartError, match=r"PostgreSQL 14\.12 is too old: seg-sql needs 15"):
        open_engine(postgres_target)


def test_a_full_disk_of_the_server_is_one_sentence(postgres_target, monkeypatch):
    import psycopg

    engine = open_engine(postgres_target)

    def full(self, *arguments, **options):
        raise psycopg.errors.DiskFull("could not extend file: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", full)
        with pytest.raises(DatabaseError) as raised:
            engine.create("t", "table", "select 1 as a")
    assert raised.value.message == (
        "The disk of the database server is full: could not extend file: No space left on device."
    )
    assert not raised.value.lost
    engine.close()


def test_a_value_that_cannot_be_sent_is_a_database_error(postgres_target):
    engine = open_engine(postgres_target)
    assert isinstance(engine, PostgresEngine)
    with pytest.raises(DatabaseError, match="NUL"):
        engine.fetch("select %(x)s::text", {"x": "a\0b"})
    engine.close()
