"""What happens during a run, as plain values: the console and the artifacts are made from them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

Status = Literal["success", "error", "skipped", "pass", "warn", "fail"]
Level = Literal["debug", "info", "warn", "error"]


@dataclass(frozen=True)
class RunStarted:
    """A run begins: what it found and where it writes."""

    run_id: str
    command: str
    version: str
    engine: str
    target: str
    schema: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Said:
    """One sentence for the person who watches."""

    text: str
    level: Level = "info"
    hint: str | None = None


@dataclass(frozen=True)
class NodeStarted:
    """A model or seed is about to be built."""

    index: int
    total: int
    name: str
    kind: str
    relation: str


@dataclass(frozen=True)
class NodeFinished:
    """A model or seed is built and published, has failed, or was skipped."""

    index: int
    total: int
    name: str
    kind: str
    relation: str
    status: Status
    seconds: float
    rows: int | None = None
    tests: int = 0
    message: str = ""
    started_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    notes: str = ""


@dataclass(frozen=True)
class TestFinished:
    """A data test or unit test has an answer."""

    # pytest would take the class for a test of ours.
    __test__ = False

    name: str
    kind: Literal["data", "unit"]
    model: str
    status: Status
    seconds: float
    failures: int = 0
    message: str = ""
    detail: str = ""
    compiled: str = ""


@dataclass(frozen=True)
class Iterated:
    """An iterative algorithm finished one round."""

    name: str
    iteration: int
    figures: Mapping[str, float]
    seconds: float
    stage: str = ""


@dataclass(frozen=True)
class Progressed:
    """A part of a long piece of work is done."""

    done: int
    total: int
    what: str
    rows: Mapping[str, int | None]


@dataclass(frozen=True)
class RunFinished:
    """A run ends."""

    run_id: str
    command: str
    passed: int
    warned: int
    failed: int
    skipped: int
    seconds: float
    seconds_in_database: float

    @property
    def total(self) -> int:
        """Return the number of nodes and tests."""
        return self.passed + self.warned + self.failed + self.skipped


Kind = TypeVar("Kind")

Event = (
    RunStarted
    | Said
    | NodeStarted
    | NodeFinished
    | TestFinished
    | Iterated
    | Progressed
    | RunFinished
)
Emit = Callable[[Event], None]


@dataclass
class Log:
    """Keeps every event of a run and passes each on to its listeners."""

    listeners: list[Emit] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Keep an event and pass it on."""
        self.events.append(event)
        for listener in self.listeners:
            listener(event)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


def as_json(event: Event) -> dict[str, Any]:
    """Return an event as values that JSON knows, with its name."""
    values = {
        key: value.isoformat() if isinstance(value, datetime.datetime) else value
        for key, value in asdict(event).items()
    }
    return {"event": type(event).__name__, **values}
