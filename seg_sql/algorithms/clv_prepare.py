"""What a fit of clv knows of its customers before it starts: columns, groups, equal customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Task
from seg_sql.algorithms.clv_options import CLVOptions
from seg_sql.errors import ModelError

if TYPE_CHECKING:
    from seg_sql.step import Steps

NEEDED = ("frequency", "recency", "age")
CALIBRATION = tuple(f"calibration_{name}" for name in (*NEEDED, "monetary_value"))
FULL, CALIBRATED = "full", "calibration"
# How the columns of each part begin.
PREFIX = {FULL: "", CALIBRATED: "calibration_"}
DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375}


@dataclass(frozen=True)
class Part:
    """What one fit is of: a group's customers, over all days or those of the calibration."""

    id: int
    group_key: str
    part: str


@dataclass(frozen=True)
class Customers:
    """The relation of a fit and what was found in it.

    Attributes:
        relation: The user's SELECT as a work table.
        columns: Its columns.
        keys: The columns that identify a row, quoted.
        group_columns: The columns of group_by, quoted.
        parts: What is fitted, by number.
        observed: Ends of the observation and of the calibration, and the like; '' where unknown.
        time_unit: day, week or month.
    """

    relation: str
    columns: frozenset[str]
    keys: tuple[str, ...]
    group_columns: tuple[str, ...]
    parts: Mapping[int, Part]
    observed: Mapping[str, Any]
    time_unit: str

    @property
    def calibrated(self) -> bool:
        """Return whether there is a calibration to fit."""
        return any(part.part == CALIBRATED for part in self.parts.values())

    def of(self, part: str) -> list[Part]:
        """Return the fits of all groups to all days, or to the calibration."""
        return [each for each in self.parts.values() if each.part == part]

    def condition(self, step: Steps, part: str) -> str:
        """Return the condition under which a customer takes part."""
        return condition(step, self.keys, part)

    def select(self, step: Steps, part: str, *, kept: Sequence[str] = ()) -> str:
        """Return the SELECT of the customers that take part, with further columns."""
        return step.sql(
            "customers",
            relation=self.relation,
            columns=self.group_columns,
            fits=[{"group_key": each.group_key, "fit": each.id} for each in self.of(part)],
            prefix=PREFIX[part],
            kept=kept,
            condition=self.condition(step, part),
        )


def condition(step: Steps, keys: Sequence[str], part: str) -> str:
    """Return the condition under which a row of the relation is a customer of a fit."""
    return step.sql("condition", keys=keys, prefix=PREFIX[part])


def customers_of(
    step: Steps, relation: str, task: Task, *, groups: Sequence[str] | None = None
) -> Customers:
    """Look at a relation: its columns, its groups, and whether there is a calibration.

    Args:
        step: Runs the statements.
        relation: Key, frequency, recency, age, monetary_value, and what else is known.
        task: The key and the options.
        groups: The groups, where a fit knows them already.

    Raises:
        ModelError: A column is missing, or there is no customer.
    """
    options: CLVOptions = task.options
    found = step.engine.describe(step.sql("columns", relation=f"{relation} as summary"))
    columns = frozenset(column.name for column in found)
    lines = step.workspace.project.config.inputs.get("order_lines")
    carried = {name.lower(): name for name in (*columns, *(lines.attributes if lines else ()))}
    for name in (*task.key, *NEEDED, "monetary_value", *options.group_by):
        if name not in columns:
            near = carried.get(name.lower())
            raise ModelError(
                f"The SELECT of {task.model} has no column '{name}'.",
                hint=f"Did you mean '{near}'? Small and capital letters differ."
                if near is not None
                else f"Name '{name}' in the attributes of order_lines, or give the model a SELECT"
                f" with it, as sql/models/clv/{task.model}.sql."
                if name in options.group_by
                else "clv_customer_summary shows what a model of buying needs.",
            )
    quote = step.engine.quote
    keys = tuple(f"summary.{quote(name)}" for name in task.key)
    group_columns = tuple(f"summary.{quote(name)}" for name in options.group_by)
    observed = step.row("observed", relation=relation, columns=columns)
    if groups is None:
        groups = ["all"]
        if group_columns:
            rows = step.rows(
                "groups",
                relation=relation,
                columns=group_columns,
                condition=condition(step, keys, FULL),
            )
            groups = [row["group_key"] for row in rows]
    calibrated = (
        options.holdout
        and {*CALIBRATION, "holdout_frequency"} <= columns
        and observed["holdout_length"] is not None
    )
    _check_calibration(observed, task)
    parts = {}
    for number, group in enumerate(groups):
        parts[2 * number] = Part(2 * number, group, FULL)
        if calibrated:
            parts[2 * number + 1] = Part(2 * number + 1, group, CALIBRATED)
    return Customers(
        relation=relation,
        columns=columns,
        keys=keys,
        group_columns=group_columns,
        parts=parts,
        observed=observed,
        time_unit=str(observed.get("time_unit") or step.workspace.project.vars.clv_time_unit),
    )


def _check_calibration(observed: Mapping[str, Any], task: Task) -> None:
    """Stop when the customers were not split where the options say."""
    wanted = task.options.calibration_end
    if wanted is None or "calibration_end" not in observed:
        return
    found = observed["calibration_end"]
    if found is None:
        end = observed.get("observation_end")
        raise ModelError(
            f"The calibration_end {wanted} of {task.model} is not within the observed days"
            f"{f', which end on {end}' if end else ''}.",
            hint="Give a day after the first purchase and before the last observed day.",
        )
    if found != wanted:
        raise ModelError(
            f"{task.model} has calibration_end {wanted}, but its SELECT was split at {found}.",
            hint="clv_customer_summary splits at the calibration_end of the model clv: set it"
            f" there, and build both with -s +{task.model}.",
        )


@dataclass(frozen=True)
class Counted:
    """Equal customers, counted: what the likelihoods are summed over.

    Attributes:
        counts: The work relation of distinct (fit, frequency, recency, age) and their customers.
        tails: How many customers of a fit bought more than j times, for every j.
        sizes: Customers, distinct rows and moments by fit.
    """

    counts: str
    tails: str
    sizes: Mapping[int, Mapping[str, Any]]


def counted(step: Steps, counts: str, *, highest: int | None = None) -> Counted:
    """Measure counted customers and make their tails."""
    sizes = {int(row["fit"]): row for row in step.rows("sizes", counts=counts)}
    if highest is None:
        highest = max((int(row["highest"]) for row in sizes.values()), default=0)
    tails = step.relation(step.table(step.sql("tails", counts=counts, highest=highest)))
    return Counted(counts, tails, sizes)


def count(step: Steps, customers: Customers) -> Counted:
    """Count equal customers of every fit."""
    parts = [customers.select(step, part) for part in PREFIX if customers.of(part)]
    return counted(step, step.relation(step.table(step.sql("counts", parts=parts))))


def sample(step: Steps, all_: Counted, rows: int) -> Counted | None:
    """Return a hash sample of the counted customers, or None where they are few."""
    total = sum(int(row["distinct_rows"]) for row in all_.sizes.values())
    if not rows or total <= 2 * rows:
        return None
    share = max(int(1_000_000 * rows / total), 1)
    table = step.table(step.sql("sample", counts=all_.counts, share=share))
    return counted(step, step.relation(table))
