"""docs/options.md says what the options are: it is made from the models that validate them."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "docs" / "options.py"


def test_the_page_is_that_of_the_options() -> None:
    made = runpy.run_path(str(SCRIPT))

    assert made["PAGE"].read_text("utf-8") == made["page"](), "run: python docs/options.py"
