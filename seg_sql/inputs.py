"""The inputs of a project as the database has them: each becomes one typed SELECT."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from seg_sql.config import INPUT_COLUMNS, InputConfig
from seg_sql.engines import Column, Engine
from seg_sql.errors import ConfigError, did_you_mean, refused_as
from seg_sql.project import Project
from seg_sql.raw_relations import is_csv, raw_columns, relation_of, render_step
from seg_sql.render import Renderer

# Which kinds of raw column can be read as each type; an id may be anything.
_READABLE: dict[str, tuple[str, ...]] = {
    "number": ("number", "text"),
    "timestamp": ("timestamp", "date", "text"),
    "date": ("date", "timestamp", "text"),
    "boolean": ("boolean", "text", "number"),
}
_FLAGGED = ("ordered_at", "quantity", "unit_price", "amount")
# Names that the models of base/ give to columns of their own.
_TAKEN = {
    "customers": {"copy_number"},
    "order_lines": {
        "order_date",
        "given_amount",
        "reason",
        "action",
        "copy_number",
        "is_anonymous",
        *(f"has_{column}" for column in _FLAGGED),
    },
}


@dataclass(frozen=True)
class Input:
    """An input as models see it.

    Attributes:
        name: Its name in seg_sql.yml.
        sql: The SELECT that yields its known columns, typed.
        source: The raw relation.
        columns: The known columns that are mapped.
        attributes: The carried columns, as quoted identifiers.
        is_csv: Whether rows may have been rejected by the reader.
        ids: The type of each mapped id, and what kind of type it is.
        over: Gives the same SELECT over another relation with the same raw columns.
    """

    name: str
    sql: str
    source: str
    columns: frozenset[str]
    attributes: tuple[str, ...]
    is_csv: bool
    ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    over: Callable[[str], str] = field(default=str, repr=False, compare=False)


@dataclass(frozen=True)
class Limits:
    """How much of each input a run reads: everything, nothing, or a share of the customers."""

    empty: bool = False
    sample: float | None = None


def mapped_columns(project: Project) -> dict[str, set[str]]:
    """Return, by input, the columns that the configuration alone says are there."""
    return {
        name: set(entry.columns) or set(INPUT_COLUMNS.get(name, {}))
        for name, entry in project.config.inputs.items()
    }


def resolve(
    name: str, project: Project, engine: Engine, renderer: Renderer, limits: Limits
) -> Input:
    """Look an input up in the database and return it as a typed SELECT."""
    entry = project.config.inputs.get(name)
    if entry is None:
        raise ConfigError(
            f"There is no input '{name}'.",
            where=str(project.document.path),
            hint=did_you_mean(name, project.config.inputs)
            or f"Add it under inputs: {name}: relation: schema.table",
        )
    where = project.document.where("inputs", name)
    source = relation_of(entry, project, engine, renderer, where)
    raw = raw_columns(entry, engine, renderer, source, where)
    lookup = {column.name: column for column in raw}
    conditions = _conditions(entry, limits, renderer, project, name, lookup)
    if name not in INPUT_COLUMNS:
        names = [
            f"{engine.quote(raw_name)} as {engine.quote(column)}"
            for column, raw_name in entry.columns.items()
        ] or [engine.quote(column.name) for column in raw]
        over = partial(_over, "limited", renderer, {"columns": names, "conditions": conditions})
        sql = over(source)
        _check_condition(name, entry, sql, engine, project)
        mapped = frozenset(entry.columns or lookup)
        return Input(name, sql, source, mapped, (), is_csv(entry), over=over)
    columns = _columns(name, entry, raw, engine, project)
    attributes = _attributes(name, entry, lookup, engine, project)
    customer = next((c for c in columns if c["name"] == "customer_id" and c["raw"]), None)
    context = {
        "columns": columns,
        "attributes": attributes,
        "anonymous_ids": _anonymous_ids(entry, customer["raw_kind"]) if customer else [],
        "customer_id": customer["raw"] if customer else None,
        "decimal_comma": entry.decimal_comma,
        "date_order": entry.date_order,
        "conditions": conditions,
    }
    over = partial(_over, "mapped", renderer, context)
    sql = over(source)
    _check_condition(name, entry, sql, engine, project)
    return Input(
        name=name,
        sql=sql,
        source=source,
        columns=frozenset(c["name"] for c in columns if c["raw"]),
        attributes=tuple(attributes),
        is_csv=is_csv(entry),
        ids={
            c["name"]: (c["raw_type"], c["raw_kind"])
            for c in columns
            if c["raw"] and c["type"] == "id"
        },
        over=over,
    )


def _attributes(
    name: str, entry: InputConfig, lookup: Mapping[str, Column], engine: Engine, project: Project
) -> list[str]:
    """Return the carried columns, as quoted identifiers."""
    for attribute in entry.attributes:
        if attribute.lower() in _TAKEN.get(name, ()):
            raise ConfigError(
                f"An attribute of {name} cannot be called '{attribute}': the models have a column"
                " of this name.",
                where=project.document.where("inputs", name, "attributes"),
                hint="Read a view in which it has another name.",
            )
    found = [_find(each, lookup, project, name, "attributes") for each in entry.attributes]
    return [engine.quote(column.name) for column in found]


def check_ids(inputs: Mapping[str, Input], project: Project) -> None:
    """Stop when an id is a number in one input and text in another: they cannot be joined."""
    first: dict[str, tuple[str, str, tuple[str, str]]] = {}
    for name, found in inputs.items():
        for column, type_ in found.ids.items():
            means = "customer_id" if column == "merged_into" else column
            known = first.setdefault(means, (name, column, type_))
            if known[2][1] != type_[1]:
                raise ConfigError(
                    f"{column} is {type_[0]} in {name}, but {known[1]} is {known[2][0]} in"
                    f" {known[0]}: they cannot be compared.",
                    where=project.document.where("inputs", name, "columns", column),
                    hint="Read a view that casts one of them to the type of the other.",
                )


def _check_condition(
    name: str, entry: InputConfig, sql: str, engine: Engine, project: Project
) -> None:
    if entry.where is None:
        return
    with refused_as(
        ConfigError,
        f"The condition of {name} cannot be used",
        where=project.document.where("inputs", name, "where"),
        hint="It is SQL on the columns of the raw relation, as in: \"Status\" <> 'cancelled'"
        + ("; those of a CSV are text: cast(price as double) > 0" if is_csv(entry) else ""),
    ):
        engine.describe(sql)


def _anonymous_ids(entry: InputConfig, kind: str) -> list[str | int]:
    """Return the ids to look for among customer ids of a kind: numbers as numbers, 0 for 0.0."""
    texts = [str(id_) for id_ in entry.anonymous_ids]
    if kind != "number":
        return list(texts)
    return [int(text) for text in texts if re.fullmatch(r"[+-]?\d{1,18}", text)]


def _over(step: str, renderer: Renderer, context: Mapping[str, Any], source: str) -> str:
    return render_step(step, renderer, **context, source=source)


def _columns(
    name: str, entry: InputConfig, raw: Sequence[Column], engine: Engine, project: Project
) -> list[dict[str, Any]]:
    lookup = {column.name: column for column in raw}
    # An input without `columns` passes its columns as they are.
    mapping = entry.columns or {
        column: column for column in INPUT_COLUMNS[name] if column in lookup
    }
    if not entry.columns and {"amount", "quantity", "unit_price"} <= mapping.keys():
        raise ConfigError(
            f"{name} has amount, and quantity and unit_price: it is not clear which is the money.",
            where=project.document.where("inputs", name),
            hint="Write the ones to use under columns:, without amount or without unit_price.",
        )
    if not mapping:
        raise ConfigError(
            f"The input {name} has none of the columns that seg-sql knows:"
            f" {', '.join(INPUT_COLUMNS[name])}.",
            where=project.document.where("inputs", name),
            hint=f"Map them under columns:. The relation has: {', '.join(lookup)}.",
        )
    result = []
    for column, kind in INPUT_COLUMNS[name].items():
        found = (
            _find(mapping[column], lookup, project, name, "columns", column)
            if column in mapping
            else None
        )
        if found is not None and found.kind not in _READABLE.get(kind, (found.kind,)):
            raise ConfigError(
                f"{column} must be a {kind}, and '{found.name}' is {found.type}.",
                where=project.document.where("inputs", name, "columns", column),
                hint=_kind_hint(kind, found.kind) or f"Map {column} to another column.",
            )
        result.append(
            {
                "name": column,
                "type": kind,
                "raw": engine.quote(found.name) if found else None,
                "raw_kind": found.kind if found else None,
                "raw_type": found.type.lower() if found else "",
                "flagged": bool(found) and name == "order_lines" and column in _FLAGGED,
            }
        )
    return result


def _kind_hint(kind: str, raw_kind: str) -> str | None:
    if kind in ("timestamp", "date") and raw_kind == "number":
        return "Make a view that turns the number into a timestamp, and read that."
    return None


def _find(raw_name: str, lookup: Mapping[str, Column], project: Project, *keys: str) -> Column:
    found = _named(raw_name, lookup)
    if found is not None:
        return found
    raise ConfigError(
        f"The input {keys[0]} has no column '{raw_name}'.",
        where=project.document.where("inputs", *keys),
        hint=did_you_mean(raw_name, lookup),
    )


def _named(raw_name: str, lookup: Mapping[str, Column]) -> Column | None:
    """Return the column of this name; letters may differ in case where that leaves one only."""
    folded = [column for name, column in lookup.items() if name.lower() == raw_name.lower()]
    return lookup.get(raw_name) or (folded[0] if len(folded) == 1 else None)


def _conditions(
    entry: InputConfig,
    limits: Limits,
    renderer: Renderer,
    project: Project,
    name: str,
    lookup: Mapping[str, Column],
) -> list[str]:
    # On a line of its own: it may end in a comment.
    conditions = [f"({entry.where}\n    )"] if entry.where else []
    if limits.empty:
        conditions.append("1 = 0")
    customer = entry.columns.get("customer_id", "customer_id" if not entry.columns else None)
    found = None if customer is None else _named(customer, lookup)
    if limits.sample is not None and found is not None:
        rendered = renderer.render(
            "{{ seg_sql.hash01(seg_sql.ident(customer)) }} < {{ seg_sql.lit(share) }}",
            project.document.where("inputs", name),
            customer=found.name,
            share=limits.sample,
        )
        conditions.append(rendered.sql)
    return conditions
