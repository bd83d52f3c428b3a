"""What a build came to, for a caller in Python: its warnings, or the error that it failed with."""

from __future__ import annotations

from seg_sql.errors import ModelError
from seg_sql.events import Log, NodeFinished, Said, TestFinished


def failure(log: Log) -> ModelError:
    """Return an error that says what went wrong in a build."""
    said = [each.text for each in log.of(Said) if each.level == "error"]
    said += [
        each.message.strip() or f"{each.name} failed."
        for each in log.of(NodeFinished)
        if each.status == "error"
    ]
    said += [
        f"{each.name}: {each.message or each.status}"
        + (f" ({each.failures} rows)" if each.failures else "")
        for each in log.of(TestFinished)
        if each.status in ("fail", "error")
    ]
    first, *others = said or ["The build failed."]
    return ModelError(first, hint="\n  ".join(others) or None)


def warnings_of(log: Log) -> tuple[str, ...]:
    """Return what a person should look at, in a sentence each."""
    said = [each.text for each in log.of(Said) if each.level == "warn"]
    said += [
        f"{each.name}: {each.message or f'{each.failures} rows'}"
        for each in log.of(TestFinished)
        if each.status == "warn"
    ]
    return tuple(said)
