"""How a finished table or view of PostgreSQL takes the place of the one that readers know.

Three ways, all inside one transaction:

- *replace*: a view whose columns allow it, by CREATE OR REPLACE VIEW;
- *swap*: nothing hangs on the old relation, so it is dropped and the new one renamed, with the
  old one's owner, rights, comments and indexes;
- *refill*: something hangs on the old table (a view, a foreign key, a trigger, a policy, a
  publication), so it stays and only its rows are exchanged. DELETE and INSERT, never TRUNCATE: a
  reader with an older snapshot would see an empty table. Never CASCADE either.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from seg_sql.engines import Publication
from seg_sql.engines import _postgres_catalog as catalog
from seg_sql.engines._postgres_catalog import Relation
from seg_sql.engines._postgres_errors import sqlstate
from seg_sql.engines._postgres_indexes import (
    finish_indexes,
    make_index,
    wanted_indexes,
    work_name,
)
from seg_sql.engines._postgres_lock import described_session
from seg_sql.engines.postgres import PostgresEngine
from seg_sql.errors import ConfigError, DatabaseError

PRIVILEGES = frozenset(
    ["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain", "all"]
)
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK = "40P01"
DEPENDENT_OBJECTS = "2BP01"
INVALID_VIEW = "42P16"
# Somebody is in the way now and may not be in a moment; also who made a view since we looked.
_PASSING = frozenset([LOCK_NOT_AVAILABLE, DEADLOCK, DEPENDENT_OBJECTS])

_BLOCKERS = """
select distinct l.pid, a.application_name, a.usename, a.client_addr::text,
    to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ')
from pg_locks as l
join pg_class as c on c.oid = l.relation
join pg_namespace as n on n.oid = c.relnamespace
left join pg_stat_activity as a on a.pid = l.pid
where l.granted and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and n.nspname = %(schema)s and c.relname = any(%(names)s)
order by l.pid
"""

_MAY_USE = "select has_schema_privilege(%(role)s::name, %(schema)s, 'usage')"


def publish(
    engine: PostgresEngine, publications: Sequence[Publication], first: Sequence[str] = ()
) -> None:
    """Publish all of `publications` in one transaction, again while somebody is in the way.

    The statements of `first` come before the first lock that a reader could wait for.
    """
    if not publications and not first:
        return
    for publication in publications:
        _check_grants(publication)
    _prepare(engine, publications)
    retries = engine.target.lock_retries
    order: list[str] = []
    for attempt in range(retries + 1):
        try:
            with engine.transaction():
                for statement in first:
                    engine.send(statement)
                _publish_all(engine, publications, order)
            return
        except DatabaseError as error:
            if error.lost or sqlstate(error) not in _PASSING:
                raise
            if attempt == retries:
                if sqlstate(error) == DEPENDENT_OBJECTS:
                    raise
                raise _blocked(engine, publications, error) from error
        time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))


def _check_grants(publication: Publication) -> None:
    for privilege in publication.grants:
        if privilege.lower() not in PRIVILEGES:
            raise ConfigError(
                f"There is no privilege '{privilege}' to grant on {publication.name}.",
                hint=f"Known: {', '.join(sorted(PRIVILEGES))}.",
            )


def _prepare(engine: PostgresEngine, publications: Sequence[Publication]) -> None:
    """Do before the transaction what takes long and that no reader sees."""
    for publication in publications:
        if publication.kind == "view":
            continue
        if catalog.known_relation(engine, publication.hidden).unlogged:
            engine.send(f"alter table {engine.relation(publication.hidden)} set logged")
        old = catalog.relation(engine, publication.name)
        if old is not None and _stays(publication, old):
            continue
        others = [] if old is None else catalog.indexes(engine, old.oid)
        for index in wanted_indexes(engine, publication, others):
            make_index(engine, publication.hidden, index, work_name(publication, index))


def _publish_all(
    engine: PostgresEngine, publications: Sequence[Publication], order: list[str]
) -> None:
    milliseconds = max(1, round(engine.target.lock_timeout * 1000))
    engine.send(f"set local lock_timeout = '{milliseconds}ms'")
    tables = []
    for publication in publications:
        if publication.kind == "view":
            # It may read a hidden table of this same call, which could then not be dropped.
            engine.drop(publication.hidden)
        old = catalog.relation(engine, publication.name)
        if old is not None and old.kind == "table" and not _stays(publication, old):
            tables.append(publication.name)
    _lock(engine, tables, order)
    for publication in publications:
        _publish(engine, publication)


def _lock(engine: PostgresEngine, tables: Sequence[str], order: list[str]) -> None:
    """Lock the tables that will be dropped, waiting only as long as none is locked.

    A reader of two of them and we would else wait for each other, and PostgreSQL might end the
    reader. So a table that is not free is the first one of the next attempt, by way of `order`.
    """
    listed = [name for name in order if name in tables]
    listed += [name for name in tables if name not in listed]
    for place, name in enumerate(listed):
        wait = " nowait" if place else ""
        try:
            engine.send(f"lock table {engine.relation(name)} in access exclusive mode{wait}")
        except DatabaseError:
            order[:] = [name, *(other for other in listed if other != name)]
            raise


def _publish(engine: PostgresEngine, publication: Publication) -> None:
    old = catalog.relation(engine, publication.name)
    comments: dict[str, str] = {}
    if old is not None:
        if old.kind not in ("table", "view"):
            raise DatabaseError(
                f"{engine.relation(publication.name)} is a {old.kind}, which is never replaced.",
                hint="Drop or rename it, or write to another schema.",
            )
        comments = {name: text for name, _, text in catalog.columns(engine, old.oid) if text}
    if publication.kind == "view":
        _publish_view(engine, publication, old)
    elif old is None:
        _rename(engine, publication)
        finish_indexes(engine, publication, [])
    elif _stays(publication, old):
        _refill(engine, publication, old)
    elif old.replaceable:
        _swap(engine, publication, old)
    else:
        raise _stuck(engine, publication, old, "a table takes the place of a view")
    _comment(engine, publication, comments)
    _grant(engine, publication)


def _stays(publication: Publication, old: Relation) -> bool:
    """Say whether the old relation is a table that keeps its place and gets new rows."""
    return (
        publication.kind == "table"
        and old.kind == "table"
        and (bool(publication.key) or not old.replaceable)
    )


def _publish_view(engine: PostgresEngine, publication: Publication, old: Relation | None) -> None:
    relation = engine.relation(publication.name)
    if old is None:
        _create_view(engine, "create view", relation, publication)
        return
    reason, options = "a view takes the place of a table", ""
    if old.kind == "view":
        engine.send("savepoint replacing")
        try:
            # A view made anew forgets the options that the statement does not repeat.
            options = old.options
            _create_view(engine, "create or replace view", relation, publication, options)
            return
        except DatabaseError as error:
            if error.lost or sqlstate(error) != INVALID_VIEW:
                raise
            reason = f"its columns change ({error.message})"
            engine.send("rollback to savepoint replacing")
    if not old.replaceable:
        raise _stuck(engine, publication, old, reason)
    hidden = engine.relation(publication.hidden)
    _create_view(engine, "create view", hidden, publication, options)
    _swap(engine, publication, old)


def _create_view(
    engine: PostgresEngine, verb: str, relation: str, publication: Publication, options: str = ""
) -> None:
    written = f" with ({options})" if options else ""
    engine.send(f"{verb} {relation}{written} as\n{publication.select}", inner=publication.select)


def _swap(engine: PostgresEngine, publication: Publication, old: Relation) -> None:
    """Drop the old relation and give its name, owner, rights and indexes to the hidden one."""
    new = catalog.known_relation(engine, publication.hidden)
    if old.owner != new.owner:
        hidden = engine.relation(publication.hidden)
        engine.send(f"alter {publication.kind} {hidden} owner to {engine.quote(old.owner)}")
    indexes = catalog.indexes(engine, old.oid)
    rights = _changed_rights(engine, publication.name, old, new)
    engine.send(f"drop {old.kind} {engine.relation(publication.name)}")
    _rename(engine, publication)
    if rights:
        engine.send(";\n".join(rights))
    if publication.kind == "table":
        finish_indexes(engine, publication, indexes)


def _rename(engine: PostgresEngine, publication: Publication) -> None:
    hidden, name = engine.relation(publication.hidden), engine.quote(publication.name)
    engine.send(f"alter {publication.kind} {hidden} rename to {name}")


def _changed_rights(engine: PostgresEngine, name: str, old: Relation, new: Relation) -> list[str]:
    """Return the statements that give `new`, under `name`, the rights of `old` and no others."""
    columns = {row[0] for row in catalog.columns(engine, new.oid)}
    had, has = catalog.rights(engine, old.oid), catalog.rights(engine, new.oid)
    statements = []
    for verb, to, changed in (("revoke", "from", has - had), ("grant", "to", had - has)):
        for right in sorted(changed, key=str):
            if right.column is not None and right.column not in columns:
                continue
            of = "" if right.column is None else f" ({engine.quote(right.column)})"
            option = " with grant option" if right.grantable and verb == "grant" else ""
            statements.append(
                f"{verb} {right.privilege.lower()}{of} on {engine.relation(name)}"
                f" {to} {_role(engine, right.role or 'public')}{option}"
            )
    return statements


def _refill(engine: PostgresEngine, publication: Publication, old: Relation) -> None:
    """Exchange the rows of a table that has to stay."""
    name, hidden = engine.relation(publication.name), engine.relation(publication.hidden)
    new = catalog.known_relation(engine, publication.hidden)
    had = {row[0]: row[1] for row in catalog.columns(engine, old.oid)}
    has = {row[0]: row[1] for row in catalog.columns(engine, new.oid)}
    faults = [f"the column {column} is gone" for column in had if column not in has]
    faults += [
        f"the column {column} changes from {had[column]} to {type_}"
        for column, type_ in has.items()
        if column in had and had[column] != type_
    ]
    if faults:
        raise _stuck(engine, publication, old, ", ".join(faults))
    # Readers go on; only who else would write waits.
    engine.send(f"lock table {name} in share row exclusive mode")
    for column, type_ in has.items():
        if column not in had:
            engine.send(f"alter table {name} add column {engine.quote(column)} {type_}")
    _exchange(engine, publication, old, list(has))
    engine.send(f"drop table {hidden}")
    finish_indexes(engine, publication, [])
    engine.send(f"analyze {name}")


def _exchange(
    engine: PostgresEngine, publication: Publication, old: Relation, columns: Sequence[str]
) -> None:
    name, hidden = engine.relation(publication.name), engine.relation(publication.hidden)
    listed = ", ".join(map(engine.quote, columns))
    replaced = []
    if publication.key:
        same = _equal(engine, publication.key)
        replaced.append(f"exists (select 1 from {hidden} as hidden where {same})")
    key = catalog.referenced_key(engine, old.oid)
    if key:
        # A foreign key points here: a row that stays is updated, because deleting it, if only
        # for a moment, would be refused or would take the rows with it that point to it.
        same = _equal(engine, key)
        replaced.append(f"not exists (select 1 from {hidden} as hidden where {same})")
    where = f" where {' and '.join(replaced)}" if replaced else ""
    engine.send(f"delete from {name} as kept{where}")
    others = [engine.quote(column) for column in columns if column not in key]
    if key and others:
        changes = ", ".join(f"{column} = hidden.{column}" for column in others)
        engine.send(f"update {name} as kept set {changes} from {hidden} as hidden where {same}")
    missing = f" where not exists (select 1 from {name} as kept where {same})" if key else ""
    engine.send(f"insert into {name} ({listed}) select {listed} from {hidden} as hidden{missing}")


def _equal(engine: PostgresEngine, key: Sequence[str]) -> str:
    return " and ".join(f"hidden.{column} = kept.{column}" for column in map(engine.quote, key))


def _stuck(
    engine: PostgresEngine, publication: Publication, old: Relation, reason: str
) -> DatabaseError:
    """Return the error for a relation that cannot be replaced, and what to do about it."""
    relation = engine.relation(publication.name)
    others = [*old.blocking, *old.hanging]
    if not others:
        return DatabaseError(
            f"{relation} cannot be replaced: {reason}.",
            hint="Build it anew with --full-refresh."
            if publication.key
            else f"Drop it once and build again: DROP {old.kind.upper()} {relation};",
        )
    views = [other for other in others if other.startswith(("view ", "materialized view "))]
    said = " ".join(
        f"DROP {'MATERIALIZED VIEW' if view.startswith('m') else 'VIEW'}"
        f" {view.partition('view ')[2]};"
        for view in views
    )
    return DatabaseError(
        f"{relation} cannot be replaced: {reason}, and this depends on it: {', '.join(others)}.",
        hint="Keep the columns, or drop what depends on it, build, and make it anew"
        + (f": {said}" if said else "."),
    )


def _comment(engine: PostgresEngine, publication: Publication, former: Mapping[str, str]) -> None:
    """Describe the relation and its columns; one that we say nothing about keeps what it had."""
    relation = engine.relation(publication.name)
    statements = []
    if publication.comment:
        text = engine.literal(publication.comment)
        statements.append(f"comment on {publication.kind} {relation} is {text}")
    oid = catalog.known_relation(engine, publication.name).oid
    for column, _, current in catalog.columns(engine, oid):
        said = publication.column_comments.get(column) or former.get(column)
        if said and said != current:
            statements.append(
                f"comment on column {relation}.{engine.quote(column)} is {engine.literal(said)}"
            )
    if statements:
        engine.send(";\n".join(statements))


def _grant(engine: PostgresEngine, publication: Publication) -> None:
    """Give the configured rights, and the right to use the schema."""
    relation, schema = engine.relation(publication.name), engine.quote(engine.schema)
    for privilege, roles in publication.grants.items():
        for role in roles:
            engine.send(f"grant {privilege.lower()} on {relation} to {_role(engine, role)}")
    for role in dict.fromkeys(role for roles in publication.grants.values() for role in roles):
        if _may_use(engine, role):
            continue
        engine.send(f"grant usage on schema {schema} to {_role(engine, role)}")
        # Whose right to grant is missing only gets a warning from PostgreSQL.
        if not _may_use(engine, role):
            raise DatabaseError(
                f"The role {role} may not use the schema {engine.schema},"
                " and the user of this target may not allow it.",
                hint=f"GRANT USAGE ON SCHEMA {schema} TO {_role(engine, role)};",
            )


def _may_use(engine: PostgresEngine, role: str) -> bool:
    name = "public" if _is_public(role) else role
    return bool(engine.send(_MAY_USE, {"role": name, "schema": engine.schema}).rows[0][0])


def _role(engine: PostgresEngine, role: str) -> str:
    return "public" if _is_public(role) else engine.quote(role)


def _is_public(role: str) -> bool:
    return role.lower() == "public"


def _blocked(
    engine: PostgresEngine, publications: Sequence[Publication], error: DatabaseError
) -> DatabaseError:
    """Return the error for a lock that was not free, with who holds it as far as is visible."""
    names = [publication.name for publication in publications]
    rows = engine.send(_BLOCKERS, {"schema": engine.schema, "names": names}).rows
    holders = "; ".join(described_session(*row) for row in rows) or "a session that just ended"
    target = engine.target
    return DatabaseError(
        f"{', '.join(map(engine.relation, names))} could not be published in"
        f" {target.lock_retries + 1} attempts of {target.lock_timeout:g} s: in use by {holders}.",
        sql=error.sql,
        hint="End that session, or raise lock_timeout or lock_retries of the target.",
    )
