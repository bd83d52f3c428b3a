"""What PostgreSQL's catalog says about the relations of the target schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seg_sql.errors import DatabaseError

if TYPE_CHECKING:
    from seg_sql.engines.postgres import PostgresEngine

_OURS = re.compile(r"_seg_[0-9a-f]{8}$")
_KINDS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table"}

# Settings that only the table itself keeps: row security, the replica identity, storage options,
# a column that may not be null. We never set one; a partitioned table is somebody's too.
_RELATION = """
select
    c.oid::bigint,
    c.relkind::text,
    pg_get_userbyid(c.relowner),
    c.relpersistence = 'u',
    c.relkind <> 'v' and (
        c.relkind = 'p' or c.relrowsecurity or c.relforcerowsecurity or c.relreplident <> 'd'
        or c.reloptions is not null
        or exists (
            select 1
            from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and a.attnotnull and not a.attisdropped
        )
    ),
    coalesce(array_to_string(c.reloptions, ', '), '')
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relname = %(name)s and c.relkind in ('r', 'p', 'v', 'm', 'f')
"""

# All that hangs on a relation: 'n' would stop a DROP, 'a' would go with it. A plain index is
# made again by us; the index of a constraint hangs on the constraint.
_HANGING = """
select distinct
    d.deptype = 'n',
    case
        when r.rulename = '_RETURN'
            then pg_describe_object('pg_class'::regclass, r.ev_class, 0)
        else pg_describe_object(d.classid, d.objid, d.objsubid)
    end
from pg_depend as d
join pg_class as c on c.oid = %(oid)s
left join pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
left join pg_class as i
    on d.classid = 'pg_class'::regclass and i.oid = d.objid and i.relkind in ('i', 'I')
where d.deptype in ('n', 'a') and i.oid is null
    and not (r.oid is not null and r.ev_class = c.oid and r.rulename = '_RETURN')
    and not (d.classid = 'pg_class'::regclass and d.objid = c.oid)
    and (
        (d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid)
        or (d.refclassid = 'pg_type'::regclass and d.refobjid = c.reltype)
    )
order by 1 desc, 2
"""

_COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)
from pg_attribute as a
where a.attrelid = %(oid)s and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""

_INDEXES = """
select
    i.relname,
    pg_get_indexdef(x.indexrelid),
    case when x.indisunique then 'CREATE UNIQUE INDEX' else 'CREATE INDEX' end,
    format('%%I', i.relname),
    array[format('%%I.%%I', n.nspname, t.relname), format('%%I', t.relname)]
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
join pg_class as t on t.oid = x.indrelid
join pg_namespace as n on n.oid = t.relnamespace
where x.indrelid = %(oid)s and x.indisvalid
    and not exists (select 1 from pg_constraint as k where k.conindid = x.indexrelid)
order by i.relname
"""

# Rights of others than the owner on the whole relation (no column) and on single columns.
_RIGHTS = """
select null::text, coalesce(r.rolname, ''), acl.privilege_type, acl.is_grantable
from pg_class as c
cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) as acl
left join pg_roles as r on r.oid = acl.grantee
where c.oid = %(oid)s and acl.grantee <> c.relowner and (r.oid is not null or acl.grantee = 0)
union
select a.attname, coalesce(r.rolname, ''), acl.privilege_type, acl.is_grantable
from pg_attribute as a
cross join lateral aclexplode(a.attacl) as acl
left join pg_roles as r on r.oid = acl.grantee
where a.attrelid = %(oid)s and a.attnum > 0 and not a.attisdropped
    and (r.oid is not null or acl.grantee = 0)
"""

_REFERENCED = """
select array_agg(a.attname::text order by key.place)
from pg_constraint as k
cross join lateral unnest(k.confkey) with ordinality as key (attnum, place)
join pg_attribute as a on a.attrelid = k.confrelid and a.attnum = key.attnum
where k.confrelid = %(oid)s and k.contype = 'f'
group by k.oid
order by 1
limit 1
"""


@dataclass(frozen=True)
class Relation:
    """A relation and what hangs on it.

    Attributes:
        oid: Its number.
        kind: 'table', 'view', 'materialized view' or 'foreign table'.
        owner: The role that owns it.
        unlogged: Whether a crash of the server empties it.
        guarded: Whether it has settings that a new table would not have.
        options: Storage or view options, as `WITH (...)` takes them.
        blocking: Descriptions of what would stop a DROP, such as views.
        hanging: Descriptions of what would go with a DROP, such as triggers.
    """

    oid: int
    kind: str
    owner: str
    unlogged: bool
    guarded: bool
    options: str
    blocking: tuple[str, ...]
    hanging: tuple[str, ...]

    @property
    def replaceable(self) -> bool:
        """Whether another relation can take its place and nobody loses anything."""
        return not (self.guarded or self.blocking or self.hanging)


@dataclass(frozen=True)
class Index:
    """A plain index: its name, the first words of its definition, and all after the table."""

    name: str
    start: str
    rest: str

    @property
    def ours(self) -> bool:
        """Whether we made it, and not somebody else."""
        return _OURS.search(self.name) is not None


@dataclass(frozen=True, order=True)
class Right:
    """A right of a role (public when empty) on a relation, or on one column of it."""

    column: str | None
    role: str
    privilege: str
    grantable: bool


def relation(engine: PostgresEngine, name: str) -> Relation | None:
    """Look a relation of the target schema up."""
    rows = engine.send(_RELATION, {"schema": engine.schema, "name": name}).rows
    if not rows:
        return None
    oid, kind, owner, unlogged, guarded, options = rows[0]
    hanging = engine.send(_HANGING, {"oid": oid}).rows
    return Relation(
        oid=oid,
        kind=_KINDS[kind],
        owner=owner,
        unlogged=unlogged,
        guarded=guarded,
        options=options,
        blocking=tuple(text for blocks, text in hanging if blocks),
        hanging=tuple(text for blocks, text in hanging if not blocks),
    )


def known_relation(engine: PostgresEngine, name: str) -> Relation:
    """Look a relation up that has to be there."""
    found = relation(engine, name)
    if found is None:
        raise DatabaseError(f"{engine.relation(name)} is gone, so it cannot be published.")
    return found


def columns(engine: PostgresEngine, oid: int) -> list[tuple[Any, ...]]:
    """Return name, type and comment of each column."""
    return engine.send(_COLUMNS, {"oid": oid}).rows


def indexes(engine: PostgresEngine, oid: int) -> list[Index]:
    """Return the indexes of a table that belong to no constraint."""
    found = []
    for name, definition, start, quoted, tables in engine.send(_INDEXES, {"oid": oid}).rows:
        # The definition names index and table; only what follows fits another table as well.
        for table in tables:
            prefix = f"{start} {quoted} ON {table} "
            if definition.startswith(prefix):
                found.append(Index(name, start, definition[len(prefix) :]))
    return found


def rights(engine: PostgresEngine, oid: int) -> set[Right]:
    """Return the rights that others than the owner have."""
    return {Right(*row) for row in engine.send(_RIGHTS, {"oid": oid}).rows}


def referenced_key(engine: PostgresEngine, oid: int) -> list[str]:
    """Return the columns by which a foreign key of another table points to this one, if any."""
    rows = engine.send(_REFERENCED, {"oid": oid}).rows
    return list(rows[0][0]) if rows else []
