"""seg-sql backfill: the history of days gone by, as builds on those days would have written it."""

from __future__ import annotations

import datetime
import io
import random
from pathlib import Path
from typing import Any

import pytest
from build_shop import BuildShop
from retail import load_retail

from seg_sql import backfill as backfill_
from seg_sql.console import Console
from seg_sql.errors import SelectionError, StartError
from seg_sql.events import Log, Progressed, Said
from seg_sql.session import Settings

SOURCES = ("rfm", "customer_lifecycle")
HISTORIES = ("customer_segment_history", "segment_cut_points")


def backfill(
    shop: BuildShop, first: str, last: str, every: Any = "month", *models: str, **more: Any
) -> int:
    shop.log = Log()
    return backfill_.backfill(
        Settings(project_dir=shop.folder, profiles_dir=shop.folder),
        shop.log,
        models or SOURCES,
        first=datetime.date.fromisoformat(first),
        last=datetime.date.fromisoformat(last),
        every=every,
        **more,
    )


def kept(shop: BuildShop) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of the history, in order."""
    return {
        name: sorted((tuple(row.values()) for row in shop.rows(name)), key=repr)
        for name in HISTORIES
    }


def forget_history(shop: BuildShop) -> None:
    shop.execute(*(f"drop table {shop.schema_}.{name}" for name in HISTORIES))


@pytest.fixture
def orders(shop: BuildShop) -> BuildShop:
    """A shop with 60 customers and 400 orders, one in ten a refund, from January to June."""
    chance = random.Random(7)
    lines = [
        (
            f"c{chance.randrange(60)}",
            f"o{number}",
            datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=chance.randrange(24 * 180)),
            "mug",
            -1 if number % 10 == 0 else chance.randrange(1, 6),
            chance.randrange(100, 900) / 100,
        )
        for number in range(400)
    ]
    shop.load(lines)
    shop.write(models={"customer_clusters": {"k": 2}})
    return shop


def test_equals_separate_builds(orders: BuildShop) -> None:
    shop = orders
    days = ("2026-04-01", "2026-05-01", "2026-06-01")
    models = (*SOURCES, "customer_clusters")
    for day in days:
        shop.build(*(f"+{name}" for name in models), vars={"as_of": day})
    wanted = kept(shop)
    assert len({row[0] for row in wanted["customer_segment_history"]}) == 3
    shop.build()
    # The record of runs is of what readers see, and a backfill changes nothing of it.
    before = {name: shop.rows(name) for name in (*models, "seg_sql_runs")}
    forget_history(shop)
    assert backfill(shop, "2026-04-01", "2026-06-20", "month", *models) == 0
    assert kept(shop) == wanted
    # What readers see of today is as it was, and nothing else is left.
    assert {name: shop.rows(name) for name in before} == before
    assert not [name for name in shop.names() if name.startswith(("seg_past", "seg_tmp"))]
    progress = shop.log.of(Progressed)
    assert [(each.done, each.total, each.what) for each in progress] == [
        (1, 3, "as_of 2026-04-01"),
        (2, 3, "as_of 2026-05-01"),
        (3, 3, "as_of 2026-06-01"),
    ]


@pytest.mark.parametrize("refit", ["never", "monthly"])
def test_keeps_the_fit_as_builds_would(orders: BuildShop, refit: str) -> None:
    shop = orders
    shop.write(models={"rfm": {"refit": refit}})
    for day in ("2026-05-20", "2026-05-27", "2026-06-03", "2026-06-10"):
        shop.build("+rfm", vars={"as_of": day})
    wanted = kept(shop)
    fits = {str(row["fitted_as_of"]) for row in shop.rows("segment_cut_points")}
    assert fits == ({"2026-05-20"} if refit == "never" else {"2026-05-20", "2026-06-03"})
    forget_history(shop)
    assert backfill(shop, "2026-05-20", "2026-06-10", "week", "rfm") == 0
    assert kept(shop) == wanted


def test_goes_on_where_it_was_interrupted(
    orders: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = orders
    shop.write(models={"rfm": {"refit": "never"}})
    assert backfill(shop, "2026-03-01", "2026-06-01") == 0
    wanted = kept(shop)
    forget_history(shop)
    write = backfill_._write

    def interrupted(workspace: Any, order: Any, day: datetime.date, target: Any) -> Log:
        if day.month == 5:
            raise KeyboardInterrupt
        return write(workspace, order, day, target)

    with monkeypatch.context() as patched:
        patched.setattr(backfill_, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            backfill(shop, "2026-03-01", "2026-06-01")
    assert backfill(shop, "2026-03-01", "2026-06-01") == 0
    assert [each.what for each in shop.log.of(Progressed)] == [
        "as_of 2026-05-01",
        "as_of 2026-06-01",
    ]
    assert "2 of 4 as_of are in the history already." in [each.text for each in shop.log.of(Said)]
    assert kept(shop) == wanted
    # All of it is there: nothing is left to do, unless it is asked for.
    assert backfill(shop, "2026-03-01", "2026-06-01") == 0
    assert shop.log.of(Progressed) == []
    assert backfill(shop, "2026-03-01", "2026-06-01", full_refresh=True) == 0
    assert len(shop.log.of(Progressed)) == 4
    assert kept(shop) == wanted


def test_one_scan_of_the_lines_for_each_as_of(
    orders: BuildShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = orders
    from seg_sql.engines.duckdb import DuckDBEngine
    from seg_sql.engines.postgres import PostgresEngine

    kind = PostgresEngine if shop.is_postgres else DuckDBEngine
    send, sent = kind.send, []

    def noted(self: Any, sql: str, *given: Any, **named: Any) -> Any:
        sent.append(sql)
        return send(self, sql, *given, **named)

    monkeypatch.setattr(kind, "send", noted)
    backfill(shop, "2026-03-01", "2026-06-01")
    view = '"seg_past_order_lines_clean"'
    made = [sql for sql in sent if sql.startswith("create") and "table" in sql.splitlines()[0]]
    assert len([sql for sql in made if view in sql]) == 4
    # as_of and the fingerprint take one scan for all of them; else only the view reads the lines.
    raw = [sql for sql in sent if "raw_raw" in sql and not sql.startswith(("create view", "descr"))]
    raw = [sql for sql in raw if not sql.startswith("create or replace view")]
    assert len(raw) == 1
    assert "line_count" in raw[0]


def test_what_cannot_be_backfilled(orders: BuildShop) -> None:
    with pytest.raises(SelectionError, match=r"'orders' keeps no history\.\n.*rfm"):
        backfill(orders, "2026-03-01", "2026-04-01", "month", "orders")
    with pytest.raises(SelectionError, match="is later than"):
        backfill(orders, "2026-03-02", "2026-03-01")


@pytest.mark.slow
def test_a_year_of_online_retail(shop: BuildShop, shared_data: Path) -> None:
    """Monthly over the year: the same rows as twelve separate builds."""
    load_retail(shop, shared_data)
    days = [f"2011-{month:02}-01" for month in range(1, 13)]
    for day in days:
        assert shop.run("run", "+rfm", "+customer_lifecycle", vars={"as_of": day}) == 0
    wanted = kept(shop)
    assert len({row[0] for row in wanted["customer_segment_history"]}) == 12
    forget_history(shop)
    assert backfill(shop, days[0], days[-1]) == 0
    assert kept(shop) == wanted
    # Each month's moves count every customer of either day once.
    shop.build("+segment_moves", "segment_moves", vars={"as_of": "2011-12-01"})


def test_command_line(orders: BuildShop) -> None:
    shop = orders
    days = ("--from", "2026-05-01", "--to", "2026-06-01")
    done = shop.command("backfill", "rfm", *days)
    assert done.returncode == 0, done.stderr
    assert "1 of 2 as_of 2026-05-01   rfm " in done.stderr
    assert done.stdout == ""
    # Every option is an environment variable as well.
    done = shop.command("backfill", "rfm", SEG_SQL_FROM="2026-05-01", SEG_SQL_TO="2026-06-01")
    assert "2 of 2 as_of are in the history already." in done.stderr
    assert shop.command("backfill", "rfm", "--from", "may", "--to", "2026-06-01").returncode == 2
    assert shop.command("build", "-s", "+segment_moves").returncode == 0
    done = shop.command("show", "segment_moves", *days, "--output", "csv")
    assert done.stdout.splitlines()[1].endswith(",rfm,2026-05-01,2026-06-01")
    assert shop.command("show", "rfm", *days).returncode == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal() -> None:
    """A bar of twenty places in a line that changes; 3 of 4 are fifteen."""
    stream = Terminal()
    Console(stream=stream, width=80)(Progressed(3, 4, "as_of 2026-03-01", {"rfm": 1234}))
    shown = stream.getvalue()
    assert f"[{'#' * 15}{'.' * 5}] 3 of 4 as_of 2026-03-01   rfm 1,234 rows" in shown
    assert shown.startswith("\r")
    assert not shown.endswith("\n")


def test_days_before_the_first_order_are_left_out(orders: BuildShop) -> None:
    """Nobody was a customer then; a history that begins with nobody makes everybody new."""
    assert backfill(orders, "2025-11-01", "2026-03-01", "month", "rfm") == 0
    assert {row["as_of"] for row in orders.rows("customer_segment_history")} == {
        datetime.date(2026, 2, 1),
        datetime.date(2026, 3, 1),
    }
    assert "3 of 5 as_of are before any order: the first is of 2026-01-01." in orders.said()


def test_days_to_come_are_refused(orders: BuildShop) -> None:
    """The day after today is the last as_of that all orders of are known."""
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    later = tomorrow + datetime.timedelta(days=1)
    with pytest.raises(StartError, match=f"as_of {later} lies in the future") as error:
        backfill(orders, "2026-05-01", str(later), "day", "rfm")
    assert error.value.hint == f"Give --to {tomorrow}, or an earlier day."
    assert "customer_segment_history" not in orders.names()


def test_days_after_the_last_order_are_warned_of(orders: BuildShop) -> None:
    orders.execute(f"delete from {orders.raw('raw')} where ordered_at >= '2026-05-01'")
    orders.execute(
        f"insert into {orders.raw('raw')} values ('c1', 'x', '2026-04-30', 'mug', 1, 5.0)"
    )
    assert backfill(orders, "2026-04-01", "2026-06-01", "month", "rfm") == 0
    [said] = [each for each in orders.log.of(Said) if each.level == "warn"]
    assert said.text == (
        "1 of 3 as_of are after the last order line, of 2026-04-30: as if nobody had bought since."
    )
    assert "give --to 2026-05-01" in str(said.hint)
