"""The linter of the portable SQL subset: what means the same on every engine, written in one way.

A model is linted as text in which every macro call is a plain function call (`opaque_macros`), so
that what a macro does for one engine is not held against the model. The rules here read the tokens,
for what the parser normalises away: `::`, `desc` without `nulls last`, functions as written; those
of `lint_tree` read the syntax tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from seg_sql.errors import ParseError
from seg_sql.lint_facts import Facts
from seg_sql.lint_tree import findings
from seg_sql.lint_words import BEFORE_PAREN, FUNCTIONS, INSTEAD


@dataclass(frozen=True)
class Finding:
    """A place that is not portable: the rule's name, what to write instead, and the line."""

    rule: str
    message: str
    line: int


class SqlSyntaxError(ParseError):
    """A text that is not SQL, with the line at which that shows."""

    def __init__(self, message: str, *, line: int, where: str) -> None:
        super().__init__(message, where=where)
        self.line = line


def lint(
    sql: str,
    *,
    shown: str = "<sql>",
    types: Mapping[str, str] | None = None,
    relations: Mapping[str, Iterable[str]] | None = None,
    functions: Iterable[str] = (),
) -> list[Finding]:
    """Return what is not portable in a model's text, by line.

    Two rules go by names where nothing better is known: a column called `..._id` counts as text
    until `types` says otherwise, and a name that is an alias counts as that alias until the columns
    of all sources of its SELECT are known.

    >>> [finding] = lint("select a / b as ratio from orders")
    >>> finding.rule, finding.line
    ('division', 1)

    Args:
        sql: The model, rendered with `opaque_macros`.
        shown: The file as a syntax error names it.
        types: The `data_type` of columns by name, in the words of schema.yml.
        relations: The columns of relations that the text reads, by name.
        functions: Functions that are allowed beside the portable ones.

    Raises:
        SqlSyntaxError: The text cannot be parsed.
    """
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.errors import SqlglotError

    dialect = DuckDB()
    try:
        tokens = dialect.tokenize(sql)
        start = tokens[0].text.lower() if tokens else ""
        if start not in ("with", "select", "from", "("):
            found_word = f" This one begins with '{tokens[0].text}'." if tokens else " It is empty."
            return [
                Finding("one-select", _ONE_SELECT + found_word, tokens[0].line if tokens else 1)
            ]
        found = set(_token_findings(tokens, FUNCTIONS | frozenset(functions)))
        trees = [tree for tree in dialect.parser().parse(tokens, sql) if tree is not None]
    except SqlglotError as error:
        raise _syntax_error(error, sql, shown) from error
    if len(trees) != 1 or trees[0].key not in ("select", "union", "except", "intersect"):
        return [Finding("one-select", _ONE_SELECT, tokens[-1].line)]
    known = {name: frozenset(columns) for name, columns in (relations or {}).items()}
    found |= {Finding(*place) for place in findings(trees[0], Facts(types or {}, known))}
    return sorted(found, key=lambda finding: (finding.line, finding.rule, finding.message))


_ONE_SELECT = "A model is one SELECT, with its CTEs on top and no second statement."


def _syntax_error(error: Exception, sql: str, shown: str) -> SqlSyntaxError:
    details = (getattr(error, "errors", None) or [{}])[0]
    line = int(details.get("line") or sql.count("\n") + 1)
    what = str(details.get("description") or error).split("\n")[0].rstrip(".")
    what = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", what).split(" but got <Token")[0]
    near = f" at '{details['highlight']}'" if details.get("highlight") else ""
    return SqlSyntaxError(f"This is not SQL: {what}{near}.", line=line, where=f"{shown}:{line}")


# Macros ------------------------------------------------------------------------------------------

# The arguments, by position and by name, that are values and not SQL.
_VALUES: Mapping[str, tuple[int | str, ...]] = {
    "date_literal": (0, "text"),
    "matches": (1, "pattern"),
    "param": (0, "name"),
    "read_file": (0, 1, 2, "path", "format", "separator"),
    "try_date": (1, "date_order"),
    "try_timestamp": (1, "date_order"),
}


def opaque_macros(names: Iterable[str]) -> SimpleNamespace:
    """Return what `seg_sql` is in a template that is rendered to be linted.

    >>> macros = opaque_macros(["round", "double", "lit"])
    >>> macros.round(f"cast(x as {macros.double()}) * {macros.lit(0.5)}", 2)
    'seg_round(cast(x as seg_double) * seg_lit(0.5), 2)'
    """
    shaped: dict[str, Callable[..., str]] = {
        "double": lambda: "seg_double",
        "text": lambda: "seg_text",
        "fence": lambda: "",
        "presorted": lambda _: "",
        "gathered": lambda _: "",
        "materialized": lambda: "",
        "ident": lambda name: '"' + str(name).replace('"', '""') + '"',
        "lit": lambda value: (
            _value(value)
            if value is None or value is True or value is False
            else f"seg_lit({_value(value)})"
        ),
        "string_agg": lambda x, separator, order_by: (
            f"seg_string_agg({x}, {separator} order by {order_by})"
        ),
        "months": lambda start, stop: f"(select seg_months({start}, {stop}) as month_start)",
        "numbers": lambda first, last: f"(select seg_numbers({first}, {last}) as n)",
    }
    public = [name for name in names if "__" not in name]
    return SimpleNamespace(**{name: shaped.get(name) or _opaque(name) for name in public})


def _opaque(name: str) -> Callable[..., str]:
    values = _VALUES.get(name, ())

    def call(*arguments: object, **named: object) -> str:
        texts = [
            argument if isinstance(argument, str) and place not in values else _value(argument)
            for place, argument in [*enumerate(arguments), *named.items()]
        ]
        return f"seg_{name}({', '.join(texts)})"

    return call


def _value(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


# Tokens ------------------------------------------------------------------------------------------


def _token_findings(tokens: Any, functions: frozenset[str]) -> Iterator[Finding]:
    # Two empty words at the end stand for what follows the last one, and precedes the first.
    words = [*(token.text.lower() for token in tokens), "", ""]
    kinds = [*(token.token_type.name for token in tokens), "", ""]
    for place, token in enumerate(tokens):
        kind = kinds[place]
        found = _SYMBOLS.get(kind)
        if kind in _TOKEN_CHECKS:
            found = _TOKEN_CHECKS[kind](place, words, kinds)
        elif kinds[place + 1] == "L_PAREN" and not _may_call(place, words, functions):
            found = ("function", _instead(words[place]))
        if found:
            yield Finding(*found, token.line)


_Said = tuple[str, str] | None
_PLAIN_STRING = ("string", "Write a plain string in single quotes, or seg_sql.lit.")
_SYMBOLS: Mapping[str, tuple[str, str]] = {
    "ARROW": ("nested-value", "No JSON and no lambdas: rows and columns instead."),
    "BYTE_STRING": _PLAIN_STRING,
    "CARET": ("power", "Write x * x or power(x, n): ^ is not a power everywhere."),
    "COLON": ("dialect-clause", "Write expression as name: only DuckDB has name: expression."),
    "DARROW": ("nested-value", "No JSON and no lambdas: rows and columns instead."),
    "DCOLON": ("cast", "Write cast(x as T): :: binds differently."),
    "DSTAR": ("power", "Write x * x or power(x, n): PostgreSQL has no **."),
    "HEREDOC_STRING": _PLAIN_STRING,
    "L_BRACE": ("nested-value", "No structs and maps: rows and columns instead."),
    "L_BRACKET": ("nested-value", "No lists and indexes: rows and columns instead."),
    "NATIONAL_STRING": _PLAIN_STRING,
    "RAW_STRING": _PLAIN_STRING,
    "UNICODE_STRING": _PLAIN_STRING,
}


def _number(place: int, words: list[str], kinds: list[str]) -> _Said:
    before = [word for word in words[max(place - 3, 0) : place] if word != "-"]
    exempt = ("seg_lit", "percentile_cont", "percentile_disc", "cast")
    if words[place].isdigit() or (before[-1:] == ["("] and before[-2:-1] and before[-2] in exempt):
        return None
    return "float-literal", f"Write {{{{ seg_sql.lit({words[place]}) }}}}: numeric is slow."


def _string(place: int, words: list[str], kinds: list[str]) -> _Said:
    if "\\" in words[place] and words[place - 2] != "seg_lit":
        return "string", "A string with a backslash goes through seg_sql.lit."
    return None


def _equality(place: int, words: list[str], kinds: list[str]) -> _Said:
    return ("dialect-clause", "Write = for equality.") if words[place] == "==" else None


def _by_all(place: int, words: list[str], kinds: list[str]) -> _Said:
    if words[place + 1] != "all":
        return None
    return "dialect-clause", f"Name the columns: only DuckDB has {words[place]} all."


def _descending(place: int, words: list[str], kinds: list[str]) -> _Said:
    if words[place + 1] == "nulls":
        return None
    return "order-nulls", "Write desc nulls last: PostgreSQL puts NULL first."


def _from_first(place: int, words: list[str], kinds: list[str]) -> _Said:
    if words[place - 1] not in ("", "("):
        return None
    return "dialect-clause", "Write select first, then from."


def _comma(place: int, words: list[str], kinds: list[str]) -> _Said:
    if kinds[place + 1] not in ("R_PAREN", "FROM", "WHERE", "GROUP_BY", "ORDER_BY", "HAVING", ""):
        return None
    return "trailing-comma", "No comma after the last item."


def _filter(place: int, words: list[str], kinds: list[str]) -> _Said:
    if kinds[place + 1] != "L_PAREN" or words[place + 2] == "where":
        return None
    return "filter", "Write filter (where ...), or a case inside the aggregate."


def _alias(place: int, words: list[str], kinds: list[str]) -> _Said:
    if "materialized" not in (words[place + 1], words[place + 2]):
        return None
    return "dialect-clause", "Instead of materialized end the CTE with {{ seg_sql.fence() }}."


_TOKEN_CHECKS: Mapping[str, Callable[[int, list[str], list[str]], _Said]] = {
    "ALIAS": _alias,
    "COMMA": _comma,
    "DESC": _descending,
    "EQ": _equality,
    "FILTER": _filter,
    "FROM": _from_first,
    "GROUP_BY": _by_all,
    "NUMBER": _number,
    "ORDER_BY": _by_all,
    "STRING": _string,
}


def _may_call(place: int, words: list[str], functions: frozenset[str]) -> bool:
    """Return whether the word before a parenthesis may stand there."""
    word, before = words[place], words[place - 1]
    if word in functions or word.startswith("seg_") or not re.match(r"[a-z_]", word):
        return True
    if word.split()[-1] in BEFORE_PAREN or before in ("as", "with"):
        return True
    closing, depth = place + 1, 1
    while depth and closing < len(words) - 3:
        closing += 1
        depth += {"(": 1, ")": -1}.get(words[closing], 0)
    # The head of a CTE that names its columns: name (column, ...) as (.
    return words[closing + 1] == "as" and words[closing + 2] in ("(", "materialized", "not")


def _instead(name: str) -> str:
    if name in INSTEAD:
        return f"Instead of {name} write {INSTEAD[name]}."
    return f"{name} is not among the portable functions: a macro can have a form per dialect."
