"""What the lines of a run say, in a terminal and in a pipe."""

from __future__ import annotations

import datetime
import io
import json
import re

import click
import pytest

from seg_sql.console import Console, print_rows
from seg_sql.engines import Result
from seg_sql.events import Event, Iterated, NodeFinished, Said


def printed(*events: Event, debug: bool = False) -> list[str]:
    """Return the lines of a pipe without the times before them."""
    stream = io.StringIO()
    console = Console(stream=stream, debug=debug)
    for event in events:
        console(event)
    return [re.sub(r"^[\d:]+ +", "", line) for line in stream.getvalue().splitlines()]


def fit(name: str, *iterations: int) -> list[Event]:
    return [Iterated(name, number, {"inertia": 1000.0 / number}, 0.5) for number in iterations]


def line(number: int) -> str:
    return f"iteration {number:<3} inertia {1000 / number:,.6g}   0.50s"


@pytest.mark.parametrize(
    ("iterations", "told"),
    [((1,), [1]), ((1, 2), [1, 2]), ((1, 2, 3, 4), [1, 4]), ((2, 3, 4), [2, 4]), ((2,), [2])],
)
def test_a_pipe_gets_the_first_and_the_last_iteration(
    iterations: tuple[int, ...], told: list[int]
) -> None:
    assert printed(*fit("a", *iterations), Said("done")) == [*map(line, told), "done"]
    assert printed(*fit("a", *iterations), Said("done"), debug=True) == [
        *map(line, iterations),
        "done",
    ]


def test_each_fit_has_its_own_lines() -> None:
    """Of two groups of one model, and of another model."""
    lines = printed(*fit("a", 1, 2, 3), *fit("a", 1, 2), *fit("b", 4, 5, 6), Said("done"))
    assert lines == [*map(line, (1, 3, 1, 2, 4, 6)), "done"]


def test_a_warning_between_two_iterations_keeps_the_order() -> None:
    lines = printed(*fit("a", 1, 2), Said("slow"), *fit("a", 3, 4), Said("done"))
    assert lines == [line(1), line(2), "slow", line(4), "done"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_breaks_before_the_brackets() -> None:
    """In 60 places there is room for the name, and for how it went, but not for both."""
    stream = Terminal()
    moment = datetime.datetime(2026, 1, 1)
    notes = "NDCG@10 0.1335, popularity 0.0930"
    event = NodeFinished(
        21, 24, "m", "model", "s.recommendations_metrics", "success", 0.35, None, 0, "", moment,
        moment, notes,
    )  # fmt: skip
    Console(stream=stream, width=60)(event)
    first, second = click.unstyle(stream.getvalue()).splitlines()
    assert first.endswith("21 of 24 OK created model recommendations_metrics")
    assert second == f"[{notes}, 0.35s]".rjust(60)


def test_events_as_json_say_when() -> None:
    stream = io.StringIO()
    Console(format="json", stream=stream)(Said("done"))
    event = json.loads(stream.getvalue())
    assert event["event"] == "Said"
    at = datetime.datetime.fromisoformat(event["at"])
    assert abs((datetime.datetime.now(datetime.UTC) - at).total_seconds()) < 60


def test_one_row_is_one_row() -> None:
    moment = datetime.datetime(2026, 1, 1)
    events = [
        NodeFinished(
            1, 2, "a", "table", "s.a", "success", 0.35, rows, 0, "", moment, moment
        )
        for rows in (1, 2000)
    ]  # fmt: skip
    assert [said[said.index("[") :] for said in printed(*events)] == [
        "[1 row, 0.35s]",
        "[2,000 rows, 0.35s]",
    ]


def test_counts_have_separators_as_amounts_have_and_ids_have_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = Result(("customer_id", "orders", "revenue"), [(12348, 1234, 5678.5)])
    print_rows(rows, "table", counts={"orders"})
    assert capsys.readouterr().out.splitlines()[1].split() == ["12348", "1,234", "5,678.50"]
    print_rows(rows, "csv", counts={"orders"})
    assert capsys.readouterr().out.splitlines()[1] == "12348,1234,5678.5"


def test_a_pipe_gets_whole_names_in_wide_letters(capsys: pytest.CaptureFixture[str]) -> None:
    """A letter of Japanese takes two places."""
    name = "日本語の商品名です"
    print_rows(Result(("item_id", "item_name"), [("a1", name), ("b2", "cup")]), "table")
    assert name in capsys.readouterr().out
