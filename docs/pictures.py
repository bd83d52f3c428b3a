"""Make the pictures of the README: docs/report.png and docs/terminal.svg, of a fresh demo project.

    python docs/pictures.py

Needs the extras report and test, and Chromium.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
COMMAND = [sys.executable, "-m", "seg_sql"]
COLUMNS = 100


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop"
        subprocess.run([*COMMAND, "demo", str(shop)], check=True)
        # An earlier day first, so that the report can say what changed.
        earlier = ["--vars", "{as_of: 2026-06-01}", "-s", "+segment_moves"]
        subprocess.run([*COMMAND, "run", *earlier], cwd=shop, check=True)
        (DOCS / "terminal.svg").write_text(terminal(on_a_terminal("build", shop)), "utf-8")
        subprocess.run([*COMMAND, "report"], cwd=shop, check=True)
        photograph(shop / "report.html")


def on_a_terminal(command: str, folder: Path) -> list[str]:
    """Return the lines that a command leaves on a terminal."""
    child, terminal_ = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ["COLUMNS"] = str(COLUMNS)
        os.execvp(COMMAND[0], [*COMMAND, command])
    fcntl.ioctl(terminal_, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    read = b""
    while True:
        try:
            more = os.read(terminal_, 65536)
        except OSError:  # the end, on Linux
            break
        if not more:
            break
        read += more
    os.waitpid(child, 0)
    # A line that was written over and over stands as it was last.
    lines = [line.rstrip("\r").split("\r")[-1].rstrip() for line in read.decode().split("\n")]
    return [line for line in lines if line]


def terminal(lines: list[str]) -> str:
    console = Console(record=True, width=COLUMNS + 4, file=io.StringIO(), force_terminal=True)
    for line in ["\x1b[1m$ seg-sql build\x1b[0m", *lines]:
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="seg-sql build")
    # A picture loads no fonts.
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    return re.sub(r"[ \t]+\n(\s*\n)*", "\n", svg)


def photograph(report: Path) -> None:
    executable = os.environ.get("SEG_SQL_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 1320}, color_scheme="light")
        page.goto(report.as_uri())
        page.screenshot(path=DOCS / "report.png")
        browser.close()


if __name__ == "__main__":
    main()
