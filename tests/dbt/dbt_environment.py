"""A dbt of its own, in a virtual environment beside ours."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = ["dbt-core>=1.10,<1.12", "dbt-duckdb>=1.9", "dbt-postgres>=1.9"]


def run(command: list[str], **environment: str) -> str:
    """Run a command and return what it prints; an error shows it."""
    done = subprocess.run(
        command,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment() -> Path:
    """Return the dbt of a virtual environment of its own, made on first use and then kept."""
    asked = " ".join([*REQUIREMENTS, sys.version])
    name = f"seg-sql-dbt-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"
    folder = Path(os.environ.get("SEG_SQL_DBT_VENV") or Path(tempfile.gettempdir()) / name)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    ready = folder / "ready.txt"
    folder.mkdir(parents=True, exist_ok=True)
    # Another worker may be making it: the lock of a database file ends with its process.
    lock = sqlite3.connect(folder / "lock.db", timeout=900, isolation_level=None)
    try:
        lock.execute("begin exclusive")
        if not ready.exists() or ready.read_text("utf-8") != asked:
            run([sys.executable, "-m", "venv", str(folder)])
            run([str(scripts / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS])
            ready.write_text(asked, "utf-8")
    finally:
        lock.close()
    return scripts / "dbt"
