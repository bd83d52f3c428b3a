"""What the syntax tree of a SELECT tells the rules: columns, kinds and signs of its expressions.

Only what stands in the text itself: where it does not tell, the answer is None or False. Nodes are
known by their `key`, the parser's name of the class in lower case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seg_sql.lint_words import COMMON_KIND, FUNCTION_KINDS, KINDS, SAME_KIND

SET_OPERATIONS = ("union", "except", "intersect")


@dataclass(frozen=True)
class Facts:
    """What is known of the names in a text: types of columns, and columns of relations.

    Attributes:
        types: The `data_type` by column name.
        relations: The columns by name of a relation or CTE; None where they are not all named.
        ctes: The names that are CTEs of the text.
    """

    types: Mapping[str, str]
    relations: Mapping[str, frozenset[str] | None]
    ctes: frozenset[str] = frozenset()


def line_of(node: Any) -> int:
    """Return the first line of a node, or of the nearest node around it that has one."""
    while node is not None:
        lines = [part.meta["line"] for part in node.walk() if "line" in part.meta]
        if lines:
            return int(min(lines))
        node = node.parent
    return 1


def arg(node: Any, name: str) -> Any:
    """Return an argument whose name ends in an underscore in newer versions of the parser."""
    return node.args.get(f"{name}_") or node.args.get(name)


def ctes_of(tree: Any) -> dict[str, frozenset[str] | None]:
    """Return the columns of each CTE; None where it does not name them all."""
    with_ = arg(tree, "with")
    return {cte.alias: outputs_of(cte) for cte in with_.expressions} if with_ else {}


def outputs_of(derived: Any) -> frozenset[str] | None:
    """Return the columns of a CTE, subquery or VALUES; None where it does not name them all."""
    alias = derived.args.get("alias")
    if alias is not None and alias.columns:
        return frozenset(column.name for column in alias.columns)
    query = derived.this
    while query is not None and query.key in (*SET_OPERATIONS, "subquery", "paren"):
        query = query.this
    if query is None or query.key != "select" or query.is_star:
        return None
    return frozenset(projection.alias_or_name for projection in query.expressions)


def sources_of(select: Any, facts: Facts) -> frozenset[str] | None:
    """Return the columns that a SELECT can read; None where a source does not tell."""
    from_ = arg(select, "from")
    joins = [*(select.args.get("joins") or ()), *(select.args.get("laterals") or ())]
    columns: set[str] = set()
    for source in [*([from_.this] if from_ else []), *(join.this for join in joins)]:
        table = source.key == "table"
        known = facts.relations.get(source.name) if table else outputs_of(source)
        if known is None:
            return None
        columns |= known
    return frozenset(columns)


def own_columns(node: Any) -> Iterator[Any]:
    """Yield the unqualified columns of an expression, without those of queries inside it."""
    for part in node.walk(prune=lambda inner: inner.key == "select"):
        if part.key == "column" and not part.table:
            yield part


def name_of(node: Any) -> str:
    """Return the parser's name of a function, the same for those that it does not know."""
    if node.key != "anonymous":
        return str(node.key)
    name = str(node.this).lower()
    return name if name.startswith("seg_") else name.replace("_", "")


def type_of(cast: Any) -> str:
    """Return the type of a cast as it is written, in lower case."""
    return str(cast.args["to"].sql("duckdb")).lower()


def kind_of(node: Any, facts: Facts) -> str | None:
    """Return integer, double, boolean, date, timestamp or text, where the text itself tells."""
    if node.key in ("cast", "trycast"):
        return KINDS.get(type_of(node))
    if node.key == "column":
        return KINDS.get(facts.types.get(node.name, ""))
    if node.key == "literal":
        return "text" if node.is_string else "integer" if node.name.isdigit() else "double"
    if node.key in SAME_KIND:
        return kind_of(node.this, facts)
    if node.key in COMMON_KIND:
        return _common_kind(node, facts)
    name = name_of(node)
    return kind_of(node.expressions[0], facts) if name == "seg_lit" else FUNCTION_KINDS.get(name)


def _common_kind(node: Any, facts: Facts) -> str | None:
    """Return the kind of an expression over several: double if one is, else the one they share."""
    if node.key == "case":
        parts = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    else:
        parts = [node.this, node.args.get("expression"), *node.expressions]
    kinds = {kind_of(part, facts) for part in parts if part is not None and part.key != "null"}
    if "double" in kinds:
        return "double"
    if node.key in ("add", "sub") and "date" in kinds:
        return "date" if kinds == {"date", "integer"} else None
    return kinds.pop() if len(kinds) == 1 else None


def positive(node: Any) -> bool:
    """Return whether an expression is above zero for every row, as far as the text tells."""
    if node.key == "literal":
        return not node.is_string and float(node.name) > 0
    if node.key in ("paren", "cast"):
        return positive(node.this)
    if name_of(node) == "seg_lit":
        return positive(node.expressions[0])
    if node.key == "greatest":
        return any(positive(part) for part in (node.this, *node.expressions))
    if node.key == "add":
        sides = (node.left, node.right)
        return any(map(positive, sides)) and all(map(not_negative, sides))
    if node.key in ("mul", "div"):
        return positive(node.left) and positive(node.right)
    return name_of(node) in ("exp", "seg_safe_exp")


def not_negative(node: Any) -> bool:
    """Return whether an expression is zero or above for every row, as far as the text tells."""
    if node.key == "literal":
        return not node.is_string
    if node.key in ("paren", "cast", "sum", "avg"):
        return not_negative(node.this)
    if name_of(node) == "seg_lit":
        return not_negative(node.expressions[0])
    if node.key == "greatest":
        return any(not_negative(part) for part in (node.this, *node.expressions))
    if node.key in ("add", "mul", "div"):
        square = node.key == "mul" and node.left == node.right
        return square or (not_negative(node.left) and not_negative(node.right))
    known = ("abs", "count", "variance", "variancepop", "stddev", "stddevsamp", "stddevpop")
    return name_of(node) in known or positive(node)


def nearest_around(node: Any, *through: str) -> Any:
    """Return the nearest node around one that is not of the given keys."""
    around = node.parent
    while around is not None and around.key in through:
        around = around.parent
    return around


def makes_relation(select: Any) -> bool:
    """Return whether the names of a SELECT's columns are those of a relation."""
    around = select.parent
    while around is not None and around.key in SET_OPERATIONS:
        if around.this is not select:
            return False
        select, around = around, around.parent
    if around is not None and around.key == "subquery":
        around = around.parent
    return around is None or around.key in ("cte", "lateral", "from", "join")
