"""What a run knows of its input before it starts: as_of, the fingerprint, and what was dropped."""

from __future__ import annotations

import datetime
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seg_sql.errors import DatabaseError, StartError, sentence
from seg_sql.events import Log, NodeFinished, Said
from seg_sql.inputs import check_ids
from seg_sql.step import Steps
from seg_sql.wording import counted
from seg_sql.workspace import Workspace

# As in sql/tests/too_much_dropped.sql.
MUCH_DROPPED = 0.05
# Dates before it are taken for ones that stand for none, as 1900-01-01 and 1970-01-01 do.
FIRST_YEAR = 1980
# A window that moves on loses some lines; fewer than this share of the last ones are told.
FEWER_LINES = 0.9
_GONE = "the newest order lines of the last build are not there"
_ON_PURPOSE = ("after as_of", "refund", "duplicate")
_WRITTEN = {
    "unreadable date": "Are dates written as date_order says?",
    "unreadable number": "Are numbers written as decimal_comma says (true for 12,50)?",
}


@dataclass(frozen=True)
class AsOf:
    """The first day that is not read, where it comes from, and what the input was.

    `first` and `last` are the days of the first order line, and of the last one that is not in the
    future, where there are dates.
    """

    day: datetime.date | None
    origin: str
    fingerprint: str
    first: datetime.date | None = None
    last: datetime.date | None = None


def settle(workspace: Workspace, steps: Steps, chosen: set[str], log: Log) -> AsOf | None:
    """Find as_of and the fingerprint of the order lines, and let `var('as_of')` say it.

    Raises:
        StartError: If there is no order line, or none with a readable date up to now.
    """
    if not reads_order_lines(workspace, chosen):
        return None
    zone = workspace.project.vars.timezone
    now = today(zone)
    engine = steps.engine
    fixed = workspace.project.vars.as_of
    where = workspace.project.document.where("inputs", "order_lines")
    _check_inputs(workspace, chosen)
    try:
        row = steps.row("fingerprint", now=engine.literal(now))
        _count_broken_rows(workspace, steps, chosen)
    except DatabaseError as error:
        if error.lost:
            raise
        raise StartError(
            f"The input order_lines cannot be read: {sentence(error.message)}",
            where=where,
            hint=error.hint or _told(error),
        ) from error
    last = row["last_known_at"]
    fingerprint = f"{row['line_count']} rows, last {row['last_ordered_at']}, sum {_sum(row)}"
    dated = workspace.input_has("order_lines", "ordered_at")
    if not workspace.limits.empty:
        _check_lines(workspace, row, where)
    again = workspace.day_of_retry if dated else None
    # The first run found these lines beyond the last known day, and judged them so.
    is_ahead = last != row["last_ordered_at"]
    reason = "after as_of" if fixed is not None or (again and not is_ahead) else "future-dated"
    if fixed is not None:
        day, origin = fixed, "given"
    elif again is not None:
        day, origin = datetime.date.fromisoformat(again), "of the run that is done again"
    elif not dated:
        day, origin = None, "no dates are mapped"
    elif last is None and not workspace.limits.empty:
        first = row["first_ordered_at"]
        raise StartError(
            f"Every order line is dated in the future, the first one {first:%Y-%m-%d}.",
            where=where,
            hint="With `vars: {as_of: 2026-12-31}` dates before that day are taken as they are.",
        )
    else:
        seen = last.date() if last is not None else now.date()
        day, origin = seen + datetime.timedelta(days=1), "the day after the last order line"
        if last is None:
            origin = "tomorrow, as no order line is read"
    if day is not None:
        log(Said(f"as_of {day} ({origin})"))
        _warn_if_old(workspace, last, now, log)
        _warn_if_ancient(row["first_ordered_at"], log)
        warn_if_ahead(workspace, day, log)
    workspace.renderer.set_variables({"as_of": day, "as_of_reason": reason})
    first, last = (
        None if moment is None else moment.date() for moment in (row["first_ordered_at"], last)
    )
    return AsOf(day, origin, fingerprint, first, last)


def _check_inputs(workspace: Workspace, chosen: set[str]) -> None:
    """Stop when what the chosen models read cannot be joined."""
    read = workspace.reads(workspace.graph.with_above(chosen)) | {"order_lines"}
    known = [name for name in workspace.project.config.inputs if name in read]
    check_ids({name: workspace.input(name) for name in known}, workspace.project)


def _count_broken_rows(workspace: Workspace, steps: Steps, chosen: set[str]) -> None:
    """Note how many rows of each CSV the reader refused; those of order_lines were just read."""
    read = workspace.reads(workspace.graph.with_above(chosen))
    others = sorted(name for name in read - {"order_lines"} if workspace.input(name).is_csv)
    before = steps.engine.rejected_rows()
    if workspace.input("order_lines").is_csv:
        workspace.broken["order_lines"] = before
    for name in others:
        steps.row("row_count", relation=f"({workspace.input(name).sql})")
        after = steps.engine.rejected_rows()
        workspace.broken[name], before = after - before, after


def _check_lines(workspace: Workspace, row: Mapping[str, Any], where: str) -> None:
    """Stop with a reason when no line can be used."""
    lines, broken = int(row["line_count"]), workspace.broken.get("order_lines", 0)
    entry = workspace.project.config.inputs["order_lines"]
    if lines == 0 and broken:
        raise StartError(
            f"None of the {broken:,} rows of order_lines has as many columns as the first line.",
            where=where,
            hint="Is a comma in the numbers or names, and no quotes around them?",
        )
    if lines == 0:
        raise StartError(
            "The input order_lines has no rows.",
            where=where,
            hint="Does any row fulfil its condition (where)?"
            if entry.where
            else "The file has the names of its columns and nothing below them."
            if entry.path
            else None,
        )
    if not workspace.input_has("order_lines", "ordered_at") or row["with_readable_date"]:
        return
    column = entry.columns.get("ordered_at", "ordered_at")
    where = workspace.project.document.where("inputs", "order_lines", "columns", "ordered_at")
    if not row["with_date"]:
        raise StartError(
            f"No order line has a date: '{column}' is empty in all {lines:,} rows.",
            where=where,
            hint="Map ordered_at to another column.",
        )
    raise StartError(
        f"None of the dates in '{column}' can be read with date_order: {entry.date_order}"
        f" ({row['with_date']:,} tried).",
        where=where,
        hint="Write date_order: dmy for dates such as 31/12/2026, mdy for 12/31/2026; the years"
        " must lie between 1600 and 9999.",
    )


def _told(error: DatabaseError) -> str | None:
    """Return what a database says after its first line, in short."""
    rest = [line.strip() for line in error.message.strip().splitlines()[1:] if line.strip()]
    return rest[0] if rest else None


def _sum(row: Mapping[str, float | None]) -> str:
    amount = row["amount"]
    # The last digits of a parallel sum differ from run to run.
    return "none" if amount is None else f"{amount:.10g}"


def reads_order_lines(workspace: Workspace, chosen: set[str]) -> bool:
    """Return whether any of these models reads the order lines, itself or through others."""
    if "order_lines" not in workspace.project.config.inputs:
        return False
    return any(
        "order_lines" in workspace.nodes[name].inputs for name in workspace.graph.with_above(chosen)
    )


def _warn_if_old(
    workspace: Workspace, last: datetime.datetime | None, now: datetime.datetime, log: Log
) -> None:
    limit = workspace.project.vars.max_age_days
    if limit is None or last is None:
        return
    age = (now.date() - last.date()).days
    if age > limit:
        log(
            Said(
                f"The last order line is {age} days old (max_age_days is {limit}).",
                level="warn",
                hint="Has the last load of the input failed?",
            )
        )


def _warn_if_ancient(first: datetime.datetime | None, log: Log) -> None:
    """Say when the first date is one that systems write for none, or before there were any."""
    if first is None or first.year >= FIRST_YEAR:
        return
    log(
        Said(
            f"The first order line is dated {first:%Y-%m-%d}: some systems write such a day where"
            " they know none, and recency, cohorts and clv count from it.",
            level="warn",
            hint="Leave such lines out: `where:` in the input order_lines is a condition on the"
            f" file's own columns, as: day >= '{FIRST_YEAR}-01-01'",
        )
    )


def warn_if_ahead(workspace: Workspace, day: datetime.date, log: Log) -> None:
    """Say when an as_of is later than tomorrow: no order of those days can be there yet."""
    now = today(workspace.project.vars.timezone)
    ahead = (day - now.date()).days - 1
    if ahead > 0:
        log(
            Said(
                f"as_of {day} lies in the future: recency counts {counted(ahead, 'day')} that are"
                " still to come.",
                level="warn",
                hint=f"The first day that is not over is {now.date()}; as_of may be the day after.",
            )
        )


def warn_if_less(
    workspace: Workspace, steps: Steps, as_of: AsOf | None, existing: Container[str], log: Log
) -> None:
    """Say when the input ends earlier, or has fewer lines, than in the run before: one cut off."""
    records, limits = workspace.project.relation_name("seg_sql_runs"), workspace.limits
    if as_of is None or as_of.day is None or records not in existing:
        return
    if limits.empty or limits.sample is not None:
        return
    rows = steps.rows("last_run", runs=steps.engine.relation(records))
    if not rows:
        return
    before = rows[0]["as_of"]
    lines, had = _lines(as_of.fingerprint), _lines(str(rows[0]["input_fingerprint"]))
    if not had:  # --empty, whose as_of is tomorrow
        return
    if as_of.day < before and as_of.origin != "given":
        is_same = as_of.fingerprint == rows[0]["input_fingerprint"]
        log(
            Said(
                f"as_of goes back from {before} to {as_of.day}:"
                f" {'the last build was given its day' if is_same else _GONE}.",
                level="warn",
                hint=f"{'' if is_same else 'Was the export cut off? '}If it was the last build that"
                f" was wrong: `seg-sql forget --as-of {before}` takes that day out of the history.",
            )
        )
        return
    if lines < FEWER_LINES * had:
        log(
            Said(
                f"The input order_lines has {lines:,} lines, and had {had:,} in the last build.",
                level="warn",
                hint="Was the export cut off, or is a file missing?",
            )
        )


def _lines(fingerprint: str) -> int:
    """Return the number of lines that a fingerprint tells; 0 for one of another version.

    >>> _lines("57453 rows, last 2026-06-30 00:00:00, sum 1368465"), _lines("None")
    (57453, 0)
    """
    first = fingerprint.partition(" ")[0]
    return int(first) if first.isdigit() else 0


def reconcile(
    workspace: Workspace,
    steps: Steps,
    log: Log,
    *,
    scan: bool,
) -> None:
    """Say in one line where the amount that was read went.

    Where input_quality is not among what was built, that takes a scan of the order lines; without
    `scan` nothing is said then.
    """
    if "order_lines" not in workspace.project.config.inputs or workspace.limits.empty:
        return
    finished = {event.name: event.status for event in log.of(NodeFinished)}
    built = {name for name, status in finished.items() if status == "success"}
    # Where no line is left, order_lines_clean may be all that was built: its test sends here.
    if not built and finished.get("order_lines_clean") != "error":
        return
    if "customer_merges" in finished.keys() - built or "order_lines_checked" not in workspace.nodes:
        return
    if "input_quality" not in built and not scan:
        return
    rows = steps.rows("reconcile", from_table="input_quality" in built)
    steps.engine.rejected_rows()  # lines that cannot be read leave no sum
    others = [row for row in rows if not _plain(row)]
    total = sum(row["amount"] or 0.0 for row in rows)
    kept = sum(row["amount"] or 0.0 for row in rows if _plain(row))
    amounts = [kept, *(row["amount"] or 0.0 for row in others)]
    # Whole numbers where they add up as they are printed, otherwise with the cents.
    adds_up = round(total) == sum(round(amount) for amount in amounts)
    shape = ",.0f" if adds_up else ",.2f"
    parts = [f"kept {kept:{shape}}"]
    parts += [
        f"{row['reason']} {row['amount']:{shape}}"
        for row in sorted(others, key=lambda each: -abs(each["amount"] or 0))
        if row["amount"]
    ]
    without = [row for row in others if row["amount"] is None]
    text = f"amount read {total:{shape}} = {' + '.join(parts)}".replace("+ -", "- ")
    if without:
        listed = ", ".join(f"{row['reason']} {int(row['line_count']):,}" for row in without)
        text += f"   (lines without an amount: {listed})"
    log(Said(text))
    if "clv_customer_summary" in built and workspace.nodes["clv_customer_summary"].model.packaged:
        _say_what_clv_counts(steps, kept, log)
    if "input_quality" not in built:
        _warn_if_much_is_dropped(rows, log)


def _say_what_clv_counts(steps: Steps, kept: float, log: Log) -> None:
    """Say how much refunds on days without a purchase come to, which clv cannot place."""
    purchases = float(steps.row("value_of_purchases")["amount"] or 0.0)
    left_out = purchases - kept
    if round(left_out) <= 0 or kept <= 0:
        return
    share = left_out / kept
    much = round(share, 9) > MUCH_DROPPED
    log(
        Said(
            f"clv counts purchases of {purchases:,.0f}: refunds of {left_out:,.0f} on days without"
            f" a purchase ({share:.1%} of what is kept) are not taken off.",
            level="warn" if much else "info",
            hint="Date them as the orders that they belong to, with `query:` in the input"
            f" order_lines, or let {kept / purchases:.2f} of the value count:"
            f" `models: {{clv: {{margin: {kept / purchases:.2f}}}}}`."
            if much
            else None,
        )
    )


def _warn_if_much_is_dropped(rows: Sequence[Mapping[str, Any]], log: Log) -> None:
    """Say what the data test too_much_dropped would, where its table is not built."""
    dropped = [
        row for row in rows if row["action"] == "dropped" and row["reason"] not in _ON_PURPOSE
    ]
    for what, unit in (("amount", "the amount"), ("line_count", "the lines")):
        total = abs(sum(row[what] or 0 for row in rows))
        share = sum(abs(row[what] or 0) for row in dropped) / total if total else 0.0
        # The last digits of a sum are noise.
        if round(share, 9) > MUCH_DROPPED:
            reasons = {row["reason"] for row in dropped}
            counts = ", ".join(
                f"{row['reason']} ({counted(int(row['line_count']), 'line')})" for row in dropped
            )
            asked = [hint for reason, hint in _WRITTEN.items() if reason in reasons]
            log(
                Said(
                    f"{share:.0%} of {unit} is dropped: {counts}.",
                    level="warn",
                    hint=" ".join(asked) or None,
                )
            )
            return


def _plain(row: Mapping[str, object]) -> bool:
    """Return whether a line counts as kept without remark."""
    return row["action"] == "kept" and row["reason"] not in ("no customer", "anonymous id")


def today(timezone: str) -> datetime.datetime:
    """Return the present moment in a time zone, without its offset."""
    from zoneinfo import ZoneInfo

    return datetime.datetime.now(ZoneInfo(timezone)).replace(tzinfo=None, microsecond=0)
