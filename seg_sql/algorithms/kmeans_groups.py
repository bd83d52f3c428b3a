"""Statements on several groups at a time: what is a literal for one is a column for many.

To plan a statement takes longer than to read the few rows of a group. So the rows, or the points,
of many groups are joined with a list that has a row for each group (or for each candidate of it),
and the same templates serve. Where `round.sql` says

    {{ centroid.square }} - {{ twice }} * x0 as d1  from {{ candidate.points }} as points

it reads for one group, whose centroids are literals,

    1.5e0 - 0.7e0 * x0 as d1  from "seg_tmp_1" as points

and for many, whose centroids are listed beside their points (`points_of_groups.sql`),

    seg_0 - seg_1 * x0 as d1  from (select listed.seg_0, listed.seg_1, points.x0 .. from "seg_tmp_1"
        as points join (values (0, 7, 1.5e0, 0.7e0), ..) as listed on listed.seg_key = points.place)

grouped by the number of the candidate too, which is the only column that `by` names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seg_sql.algorithms.kmeans_points import Points
    from seg_sql.step import Steps

# The column that numbers the rows of the list, by which the answers are told apart. Names with this
# prefix are not those of a user's columns.
CANDIDATE = "seg_candidate"

Context = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """The rows of one group, or of several that share their statements.

    Attributes:
        relation: The relation.
        by: The group columns, quoted, where it holds several groups; none where it is one.
    """

    relation: str
    by: Sequence[str] = ()

    def beside(
        self, step: Steps, groups: Sequence[str], contexts: Sequence[Context]
    ) -> tuple[Context, str, list[str]]:
        """Return what a template reads for some groups: a context, the relation, and more columns.

        Args:
            step: Renders it.
            groups: The keys of the groups.
            contexts: What a template reads for each of them.
        """
        if not self.by:
            return contexts[0], self.relation, []
        keys = [step.engine.literal(group) for group in groups]
        context, columns, listed = side_by_side(step, range(len(groups)), keys, contexts)
        relation = step.sql("members", relation=self.relation, columns=self.by, listed=listed)
        return context, relation, columns


def side_by_side(
    step: Steps, numbers: Sequence[int], keys: Sequence[str], contexts: Sequence[Context]
) -> tuple[Any, list[str], str]:
    """Return one context for several of the same form, and the list that is to be joined for it.

    A literal that is the same in all of them stays; the others become columns of the list.

    Args:
        step: Renders the list.
        numbers: What the answers for each are numbered by.
        keys: What each is joined by, as literals.
        contexts: Literals, in maps and sequences.

    Returns:
        The context, the names of the columns, and the SELECT of the list.
    """
    names: list[str] = []
    columns: list[Sequence[str]] = []

    def merged(values: Sequence[Any]) -> Any:
        first = values[0]
        if isinstance(first, Mapping):
            return {key: merged([each[key] for each in values]) for key in first}
        if isinstance(first, (list, tuple)):
            return [merged(each) for each in zip(*values, strict=True)]
        if all(each == first for each in values):
            return first
        names.append(f"seg_{len(names)}")
        columns.append(values)
        return names[-1]

    context = merged(contexts)
    named = {CANDIDATE: list(map(str, numbers)), "seg_key": keys}
    named |= dict(zip(names, columns, strict=True))
    listed = step.sql(
        "literal_rows",
        columns=[
            {"name": name, "data_type": _type_of(values[0])} for name, values in named.items()
        ],
        rows=list(zip(*named.values(), strict=True)),
    )
    return context, [CANDIDATE, *names], listed


def _type_of(literal: str) -> str:
    """Return the type of a literal.

    >>> [_type_of(each) for each in ("'it''s'", "(-2)", "1.5e0", "cast('1.0' as double precision)")]
    ['text', 'integer', 'double', 'double']
    """
    if literal.startswith("'"):
        return "text"
    return "integer" if literal.strip("(-)").isdigit() else "double"


def joined(step: Steps, fits: Sequence[tuple[Points, Context]]) -> list[tuple[Any, str, list[str]]]:
    """Put the points of groups beside what a template reads for each of some fits on them.

    Args:
        step: Renders it.
        fits: Points of groups, and what a template reads.

    Returns:
        For the fits of each form (a number of clusters, mostly) and each work table: the context
        for all of them, the points in parentheses, and their columns of the list, the first of
        which is the place of the fit.
    """
    forms: dict[tuple[str, str], list[int]] = {}
    for number, (points, context) in enumerate(fits):
        forms.setdefault((points.source, _form(context)), []).append(number)
    found = []
    for (source, _), numbers in forms.items():
        those = [fits[number][0] for number in numbers]
        context, columns, listed = side_by_side(
            step,
            numbers,
            [str(points.place) for points in those],
            [
                {"shares": [str(share) for share in points.shares], "of_fit": fits[number][1]}
                for number, points in zip(numbers, those, strict=True)
            ],
        )
        select = step.sql(
            "points_of_groups",
            points=source,
            columns=those[0].columns,
            listed=listed,
            listed_columns=columns,
            shares=context["shares"],
        )
        found.append((context["of_fit"], f"(\n{select}\n)", columns))
    return found


def ask(
    step: Steps,
    template: str,
    fits: Sequence[tuple[Points, Context]],
    *,
    complete: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    **common: Any,
) -> list[list[dict[str, Any]]]:
    """Ask the same of several fits; return the rows that each is answered with.

    Fits on points of their own are parts of one statement, those on the points of groups of as few
    as their forms allow.

    Args:
        step: Runs the statements.
        template: Reads `candidates`, each with a number, points and `by`, the columns that tell its
            parts apart; and what it reads of a fit.
        fits: The points, and what the template reads of each.
        complete: Adds what else the template reads of a candidate.
        common: What is the same for all.
    """
    statements = []
    if fits[0][0].place is None:
        statements.append(
            [
                {"number": number, "points": points.source, "by": [], **context}
                for number, (points, context) in enumerate(fits)
            ]
        )
    else:
        for context, points, columns in joined(step, fits):
            by = columns[:1]
            statements.append([{"number": by[0], "points": points, "by": by, **context}])
    found: list[list[dict[str, Any]]] = [[] for _ in fits]
    for candidates in statements:
        listed = [complete(each) for each in candidates]
        for row in step.rows(template, candidates=listed, **common):
            found[row["candidate"]].append(row)
    return found


def _form(context: Any) -> str:
    """Return the form of a context, the same for those that one template text can serve."""
    if isinstance(context, Mapping):
        return "{" + "".join(key + _form(value) for key, value in context.items()) + "}"
    if isinstance(context, (list, tuple)):
        return "[" + "".join(map(_form, context)) + "]"
    return "."


def padded(lists: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return lists of the same length, by their last elements once more.

    >>> padded([[1, 2, 3], [4], []])
    [[1, 2, 3], [4, 4, 4], []]
    """
    longest = max(map(len, lists))
    return [[*each, *[each[-1]] * (longest - len(each))] if each else [] for each in lists]
