"""The rules of the portable subset that read the syntax tree; each yields rule, message and node.

A check asks the tree only: it is silent where a type is not in the text, so that what it says is
so. Nodes are known by their `key`, the parser's name of the class in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from seg_sql.lint_facts import (
    SET_OPERATIONS,
    Facts,
    arg,
    ctes_of,
    kind_of,
    line_of,
    makes_relation,
    name_of,
    nearest_around,
    not_negative,
    own_columns,
    positive,
    sources_of,
    type_of,
)
from seg_sql.lint_words import KINDS, RANKING, RESERVED

Found = Iterator[tuple[str, str, Any]]

_TYPE = re.compile(r"int|bigint|boolean|date|timestamp|decimal\(.+\)|seg_double|seg_text")


def findings(tree: Any, facts: Facts) -> Iterator[tuple[str, str, int]]:
    """Yield the rule, the message and the line of each place in a tree that breaks a rule."""
    ctes = ctes_of(tree)
    facts = Facts(facts.types, {**facts.relations, **ctes}, frozenset(ctes))
    for node in tree.walk():
        for check in _CHECKS.get(node.key, ()):
            for rule, message, place in check(node, facts):
                yield rule, message, line_of(place)


# Queries -----------------------------------------------------------------------------------------


def _clauses(select: Any, facts: Facts) -> Found:
    """One SELECT without what only one engine has."""
    distinct, with_ = select.args.get("distinct"), arg(select, "with")
    if select.args.get("qualify"):
        said = "No qualify: use row_number() in a subquery."
        yield "dialect-clause", said, select.args["qualify"]
    if distinct is not None and distinct.args.get("on"):
        said = "No distinct on: use row_number() = 1 in a subquery."
        yield "dialect-clause", said, distinct
    if select.args.get("into"):
        yield "one-select", "No select into: the runner makes the table.", select.args["into"]
    if with_ and nearest_around(select, *SET_OPERATIONS) is not None:
        yield "one-select", "CTEs stand at the top of the model only.", with_
    if select.args.get("limit") and not select.args.get("order"):
        yield "limit-order", "A limit without order by takes arbitrary rows.", select.args["limit"]


def _columns(select: Any, facts: Facts) -> Found:
    """Every column named, once; `*` only as the last line, from a CTE."""
    from_ = arg(select, "from")
    last_line = (
        select.parent is None
        and len(select.expressions) == 1
        and not select.args.get("joins")
        and from_ is not None
        and from_.this.name in facts.ctes
    )
    named = makes_relation(select)
    seen: set[str] = set()
    for projection in select.expressions:
        # What the parser calls the name of count(*) or of 1 is not one.
        name = projection.alias_or_name.lower() if projection.key in ("alias", "column") else ""
        if projection.is_star:
            if not (last_line and projection.key == "star" and not any(projection.args.values())):
                said = "Name the columns: * only alone, from a CTE, as the last line."
                yield "select-star", said, projection
        elif named and not name and projection.key != "columns":
            yield "named-columns", "Give the expression a name with as.", projection
        elif name and name in seen:
            said = f"Two columns are called {name}, or differ by case only."
            yield "identifier", said, projection
        seen.add(name)


def _alias_reuse(select: Any, facts: Facts) -> Found:
    """An alias stands for its expression only in GROUP BY and, alone, in ORDER BY."""
    aliased = [projection for projection in select.expressions if projection.key == "alias"]
    names = {projection.alias for projection in aliased}
    sources = sources_of(select, facts) if names else frozenset()
    if sources is None:
        # f(x) as x reads a column x of a source: then x is that column.
        read = ((projection.alias, own_columns(projection.this)) for projection in aliased)
        sources = frozenset(
            name for name, columns in read if any(column.name == name for column in columns)
        )
    names -= sources
    if not names:
        return
    order = select.args.get("order")
    keys = [key.this for key in order.expressions] if order else []
    places = [*select.expressions, *(key for key in keys if key.key != "column")]
    places += [select.args[clause] for clause in ("where", "having") if select.args.get(clause)]
    for column in (column for place in places for column in own_columns(place)):
        if column.name in names:
            said = f"{column.name} is an alias of this SELECT: repeat the expression or use a CTE"
            yield "alias-reuse", f"{said}; if it is a column, qualify it.", column


def _join(join: Any, facts: Facts) -> Found:
    words = {str(join.args.get(name) or "").upper() for name in ("method", "kind", "side")}
    for word in words & {"ASOF", "SEMI", "ANTI", "POSITIONAL", "NATURAL"}:
        said = f"No {word.lower()} join: use exists, or a join on named columns."
        yield "dialect-clause", said, join


def _subquery(subquery: Any, facts: Facts) -> Found:
    inside = subquery.parent.key if subquery.parent is not None else ""
    if inside in ("from", "join") and not subquery.alias:
        said = "A subquery in FROM needs a name: PostgreSQL 15 asks for one."
        yield "dialect-clause", said, subquery


def _set_operation(node: Any, facts: Facts) -> Found:
    if node.args.get("by_name"):
        yield "dialect-clause", "No union by name: list the columns in one order.", node


def _identifier(node: Any, facts: Facts) -> Found:
    name, quoted = node.name, node.args.get("quoted")
    if len(name.encode()) > 63:
        yield "identifier", f"{name} is longer than 63 bytes: PostgreSQL cuts it off.", node
    if not quoted and not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        said = "write lower snake case, or seg_sql.ident for a user's column"
        yield "identifier", f"{name}: {said}.", node
    if not quoted and name in RESERVED:
        yield "identifier", f"{name} is a reserved word: take another name.", node


# Numbers -----------------------------------------------------------------------------------------


def _division(node: Any, facts: Facts) -> Found:
    nonzero = positive(node.right) or node.right.key == "nullif"
    if node.key == "div" and not (nonzero and kind_of(node.left, facts) == "double"):
        yield "division", "Write seg_sql.safe_div(a, b): integers and x / 0 differ.", node
    if node.key == "intdiv":
        yield "division", "No //: write floor(seg_sql.safe_div(a, b)).", node
    if node.key == "mod" and not (node.right.name.isdigit() and positive(node.right)):
        yield "division", "% only by an integer constant: x % 0 differs.", node


def _domain(node: Any, facts: Facts) -> Found:
    if node.key == "exp" and node.this.key not in ("least", "literal"):
        yield "domain", "Write seg_sql.safe_exp(x): PostgreSQL raises on underflow.", node
    # log10(x) is parsed as the logarithm of its second argument to the base of its first.
    if node.key in ("ln", "log") and not positive(node.args.get("expression") or node.this):
        yield "domain", "Write seg_sql.safe_ln(x): ln(0) is an error, NULL or -infinity.", node
    if node.key == "sqrt" and not not_negative(node.this):
        yield "domain", "Write sqrt(greatest(x, 0)): below 0 it is an error or NaN.", node


def _aggregate(node: Any, facts: Facts) -> Found:
    kind = kind_of(node.this, facts)
    if node.key == "avg" and kind in ("integer", "boolean"):
        yield "integer-aggregate", "avg of integers is numeric: average a cast to double.", node
    if node.key == "sum" and kind == "integer":
        around = nearest_around(node, "window", "paren", "coalesce", "filter")
        if around.key != "cast" and not name_of(around).startswith("seg_"):
            said = "Write seg_sql.isum(x); over a window cast(sum(x) over (...) as bigint)"
            yield "integer-aggregate", f"{said}: the type differs.", node


def _window(node: Any, facts: Facts) -> Found:
    named = node.args.get("alias") is not None
    if name_of(node.this) in RANKING and not node.args.get("order") and not named:
        said = "Without order by in its window it numbers rows arbitrarily."
        yield "window-order", said, node
    if node.this.key == "withingroup":
        yield "percentile", "No percentile over a window: group in a CTE and join.", node


def _percentile(node: Any, facts: Facts) -> Found:
    if node.parent.key != "withingroup":
        yield "percentile", "Write percentile_cont(q) within group (order by x).", node


# Types, text and dates ---------------------------------------------------------------------------


def _cast(node: Any, facts: Facts) -> Found:
    to, kind = type_of(node), kind_of(node.this, facts)
    if node.key == "trycast":
        yield "cast", "No try_cast: seg_sql.try_number, try_date or try_timestamp.", node
    elif to in ("double", "text"):
        yield "cast", f"Write the type as {{{{ seg_sql.{to}() }}}}: its name differs.", node
    elif not _TYPE.fullmatch(to):
        yield "cast", f"{to} is not a portable type.", node
    elif kind == "boolean" and KINDS.get(to) in ("integer", "double"):
        yield "cast", "A boolean becomes a number by case when ... then 1 else 0 end.", node
    elif kind == "double" and KINDS.get(to) == "integer":
        yield "cast", "Write cast(floor(x) as integer): some engines round.", node
    elif kind == "double" and to == "seg_text":
        yield "cast", "No text of a double: it is written differently.", node


def _text_order(node: Any, facts: Facts) -> Found:
    for side in (node.this, node.args.get("expression")):
        if side is None or side.key != "column":
            continue
        declared = facts.types.get(side.name)
        if declared in ("id", "text") or (declared is None and side.name.endswith("_id")):
            said = f"Write seg_sql.bin('{side.name}'): text sorts by the database's language"
            yield "text-order", f"{said} (pairs are made by <>, not <).", side


def _date_arithmetic(node: Any, facts: Facts) -> Found:
    if node.key == "interval":
        yield "date-arithmetic", "No intervals: seg_sql.add_days or add_months.", node
    elif {kind_of(node.left, facts), kind_of(node.right, facts)} & {"date", "timestamp"}:
        yield "date-arithmetic", "Write seg_sql.days_between, add_days or add_months.", node


def _date_trunc(node: Any, facts: Facts) -> Found:
    if node.parent.key != "cast" or type_of(node.parent) not in ("date", "timestamp"):
        yield (
            "date-arithmetic",
            "Write seg_sql.month_floor, or cast it to date: types differ.",
            node,
        )


def _date_part(node: Any, facts: Facts) -> Found:
    part = node.name.lower()
    if part not in ("year", "quarter", "month", "day", "hour", "minute"):
        yield "date-arithmetic", f"extract({part} ...) differs between engines.", node
    if nearest_around(node, "add", "sub", "mul", "paren", "neg").key != "cast":
        yield "date-arithmetic", "Write cast(extract(...) as integer): its type differs.", node


def _never(rule: str, message: str) -> tuple[Callable[[Any, Facts], Found]]:
    """Return the check that finds fault with every such node."""

    def check(node: Any, facts: Facts) -> Found:
        yield rule, message, node

    return (check,)


_REGEX = _never("dialect-clause", "No regular expressions, they differ: like, or a macro.")
_CLOCK = _never("function", "Write seg_sql.as_of(): the clock moves between runs.")
_PARAMETER = _never("string", "A parameter is written {{ seg_sql.param('name') }}.")
_SHAPE = _never("dialect-clause", "No sample, pivot or unnest: write columns and joins out.")

_CHECKS: Mapping[str, tuple[Callable[[Any, Facts], Found], ...]] = {
    "select": (_clauses, _columns, _alias_reuse),
    "join": (_join,),
    "subquery": (_subquery,),
    **dict.fromkeys(SET_OPERATIONS, (_set_operation,)),
    "identifier": (_identifier,),
    **dict.fromkeys(("div", "intdiv", "mod"), (_division,)),
    **dict.fromkeys(("exp", "ln", "log", "sqrt"), (_domain,)),
    **dict.fromkeys(("avg", "sum"), (_aggregate,)),
    "window": (_window,),
    **dict.fromkeys(("percentilecont", "percentiledisc"), (_percentile,)),
    **dict.fromkeys(("cast", "trycast"), (_cast,)),
    **dict.fromkeys(("ordered", "min", "max", "lt", "lte", "gt", "gte"), (_text_order,)),
    **dict.fromkeys(("add", "sub", "interval"), (_date_arithmetic,)),
    **dict.fromkeys(("timestamptrunc", "datetrunc", "datetimetrunc"), (_date_trunc,)),
    "extract": (_date_part,),
    "columns": _never("select-star", "No columns(...): name the columns."),
    "collate": _never("text-order", "Write seg_sql.bin(x): names of collations differ."),
    "limitoptions": _never("dialect-clause", "A limit is a number of rows."),
    **dict.fromkeys(("regexplike", "regexpilike", "regexpfullmatch", "glob", "similarto"), _REGEX),
    **dict.fromkeys(("currentdate", "currenttimestamp", "currenttime", "localtimestamp"), _CLOCK),
    **dict.fromkeys(("placeholder", "parameter"), _PARAMETER),
    **dict.fromkeys(("tablesample", "pivot", "unnest"), _SHAPE),
}
