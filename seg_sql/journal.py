"""The finished statements of a fit under way, kept in a file so that `retry` goes on after them.

A fit asks the database a few hundred questions whose answers are small; each answer is written down
when it comes. A fit is deterministic: done again with the same questions it is given the answers
that are known, finds the work tables that were made, and goes on where it was interrupted.
"""

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from seg_sql.errors import ModelError


@dataclass
class Journal:
    """What a fit has done so far, in a file of a line each.

    Attributes:
        path: The file.
        work: Eight hexadecimal digits that name the fit's work tables.
        asked: What was to be fitted; another fit cannot go on with these answers.
        known: What is known from before: the kind, a digest of the text, and the answer.
    """

    path: Path
    work: str
    asked: Mapping[str, Any]
    known: list[tuple[str, str, Any]] = field(default_factory=list)
    _place: int = 0

    @property
    def replaying(self) -> bool:
        """Return whether answers from before are left."""
        return self._place < len(self.known)

    @property
    def iteration(self) -> int:
        """Return the last iteration that was told before; each part of a fit begins at 1."""
        told = [answer for kind, _, answer in self.known if kind == "iteration"]
        return told[-1] if told else 0

    @property
    def tables(self) -> dict[str, int | None]:
        """Return the work relations that should be there, with their number of rows.

        Those that ended with the connection are not among them: the fit makes them again.
        """
        found: dict[str, int | None] = {}
        for kind, _, answer in self.known:
            if kind == "table" and answer["lasts"]:
                found[answer["name"]] = answer["rows"]
            elif kind == "append":
                found[answer["name"]] = (found[answer["name"]] or 0) + answer["rows"]
            elif kind == "drop":
                found.pop(answer, None)
        return found

    def begin(self) -> None:
        """Write the first line; nothing is known."""
        self.known.clear()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        first = json.dumps({"work": self.work, "asked": self.asked})
        self.path.write_text(f"{first}\n", encoding="utf-8")

    def recall(self, kind: str, text: str) -> tuple[bool, Any]:
        """Return whether the next answer is known, and the answer.

        Raises:
            ModelError: The next known answer is that of another question.
        """
        if not self.replaying:
            return False, None
        known, digest, answer = self.known[self._place]
        if (known, digest) != (kind, _digest(text)):
            self.refuse()
        self._place += 1
        return True, answer

    def refuse(self) -> NoReturn:
        """Raise the ModelError of a fit that takes another course than before."""
        raise ModelError(
            "The interrupted fit cannot be continued: it takes another course now.",
            hint="Run `seg-sql build`, which begins anew.",
        )

    def keep(self, kind: str, text: str, answer: Any) -> None:
        """Write an answer down; after one that JSON cannot hold the fit is not kept any more."""
        if not self.path.exists():
            return
        try:
            line = json.dumps([kind, _digest(text), answer], default=_as_json)
        except TypeError:
            self.end()
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def end(self) -> None:
        """Remove the file: the fit is done, or failed for good."""
        self.path.unlink(missing_ok=True)


def read(path: Path) -> Journal | None:
    """Return what a file says of a fit; None when there is none, or it is not ours to read."""
    try:
        first, *lines = path.read_text("utf-8").splitlines()
        begun = json.loads(first)
        journal = Journal(path, begun["work"], begun["asked"])
        for line in lines:
            kind, digest, answer = json.loads(line, object_hook=_from_json)
            journal.known.append((kind, digest, answer))
    except json.JSONDecodeError:
        # The process was killed while it wrote the last line.
        return journal if lines and line == lines[-1] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return journal


def works(folder: Path) -> set[str]:
    """Return the names, without their numbers, of the work tables that journals speak of."""
    return {found.work for path in folder.glob("*.jsonl") if (found := read(path)) is not None}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _as_json(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    raise TypeError(f"no answer of a step: {value!r}")


def _from_json(value: dict[str, Any]) -> Any:
    if value.keys() == {"decimal"}:
        return decimal.Decimal(value["decimal"])
    if value.keys() == {"datetime"}:
        return datetime.datetime.fromisoformat(value["datetime"])
    if value.keys() == {"date"}:
        return datetime.date.fromisoformat(value["date"])
    return value
