"""What the parser said of a text in an earlier run, kept by the text's checksum.

To load the parser takes a tenth of a second, and to parse a model some milliseconds; from one run
to the next few models change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from seg_sql import __version__

Answer = TypeVar("Answer")

# A project has fewer texts, and a file of so many answers is read in a few milliseconds.
MOST = 1000


class KnownTexts:
    """Answers by question and text, in a JSON file that may be lost at any time.

    Args:
        file: Where they are kept; a file that is not there or cannot be read knows nothing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._answers: dict[str, Any] = {}
        self._is_new = False
        with suppress(OSError, ValueError):
            kept = json.loads(file.read_text("utf-8"))
            self._answers = kept if isinstance(kept, dict) else {}

    def answer(self, question: str, text: str, find: Callable[[], Answer]) -> Answer:
        """Return what is known of a text, or else what `find` finds: something that JSON can keep.

        `text` is all that the answer depends on beside the versions of this package and the parser.
        """
        about = "\n".join([__version__, metadata.version("sqlglot"), question, text])
        key = hashlib.sha256(about.encode()).hexdigest()
        if key not in self._answers:
            self._answers[key] = find()
            self._is_new = True
        found: Answer = self._answers[key]
        return found

    def keep(self) -> None:
        """Write the answers, the latest ones where they are many; a full disk does no harm."""
        if not self._is_new:
            return
        latest = dict(list(self._answers.items())[-MOST:])
        part = self._file.with_name(f"{self._file.name}.part")
        with suppress(OSError):
            part.write_text(json.dumps(latest), "utf-8")
            part.replace(self._file)
