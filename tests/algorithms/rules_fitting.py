"""Association rules in a table of a test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fits import Fits, Rows

from seg_sql.algorithm import Fit, Task
from seg_sql.algorithms.association_rules import ALGORITHM, AssociationRulesOptions
from seg_sql.events import Said


class Rules(Fits):
    """A shop, and the rules found in it."""

    algorithm = ALGORITHM
    model = "association_rules"
    fitted: Fit | None = None

    def find(
        self,
        lines: Sequence[Sequence[Any]],
        columns: Sequence[str] = ("order_id", "item_id"),
        types: Mapping[str, str] | None = None,
        **options: Any,
    ) -> dict[str, Rows]:
        """Return the rows of each output."""
        self.shop.load(lines, columns, types=types or {})
        return self.again(**options)

    def again(self, **options: Any) -> dict[str, Rows]:
        """As `find`, in the lines that are there."""
        # What is checked by hand has few baskets.
        given = AssociationRulesOptions(**{"min_baskets": 1, **options})
        self.fitted, rows, _ = self.run("raw", Task(self.model, (), given))
        return rows

    @property
    def said(self) -> str:
        return " ".join(f"{each.text} {each.hint}" for each in self.log.of(Said))


def lines_of(baskets: Mapping[Any, Sequence[str]]) -> list[tuple[str, str]]:
    return [(str(order), item) for order, items in baskets.items() for item in items]


def found(rows: Mapping[str, Rows]) -> dict[tuple[frozenset[str], str], dict[str, Any]]:
    """Return each rule by the ids of its antecedent and its consequent."""
    sides: dict[tuple[Any, int], dict[str, set[str]]] = {}
    for row in rows["items"]:
        rule = sides.setdefault(
            (row["group_key"], row["rule_id"]), {"antecedent": set(), "consequent": set()}
        )
        assert row["item_id"] not in rule[row["side"]]
        rule[row["side"]].add(row["item_id"])
    result = {}
    for row in rows[""]:
        rule = sides.pop((row["group_key"], row["rule_id"]))
        [consequent] = rule["consequent"]
        assert row["items"] == len(rule["antecedent"]) + 1
        result[frozenset(rule["antecedent"]), consequent] = row
    assert not sides
    assert len(result) == len(rows[""])
    return result
