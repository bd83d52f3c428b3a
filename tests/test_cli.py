"""The command line: exit codes, what goes where, and every option as an environment variable."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from seg_sql.cli import cli

LINES = """\
customer,number,at,sku,pieces,price
ann,1,2026-01-05,mug,2,4.50
ann,2,2026-02-05,cup,1,3.00
ann,3,2026-03-20,mug,1,4.50
bob,4,2026-01-15,mug,10,4.00
bob,5,2026-01-15,cup,1,3.00
eve,6,2026-03-01,pot,1,30.00
eve,7,2026-03-31,pot,1,30.00
,8,2026-03-31,cup,2,3.00
"""

PROJECT = """\
name: shop
inputs:
  order_lines:
    path: lines.csv
    columns:
      customer_id: customer
      order_id: number
      ordered_at: at
      item_id: sku
      quantity: pieces
      unit_price: price
# Three months of seven customers say too little of lifetime value, and clv would warn of it.
models: {clv: {enabled: false}}
"""


def run(
    *words: str,
    cwd: Path,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seg_sql", *words],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        env={**os.environ, "HOME": str(cwd), "NO_COLOR": "1", **environment},
        timeout=120,
    )


def closed_pipe() -> int:
    """Return the end to write to of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "lines.csv").write_text(LINES)
    (folder / "seg_sql.yml").write_text(PROJECT)
    done = run("build", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_build_says_what_happened_and_nothing_on_stdout(built: Path) -> None:
    done = run("build", cwd=built)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert any("as_of 2026-04-01 (the day after the last order line)" in line for line in lines)
    # 2 x 4.50 + 3 + 4.50 + 40 + 3 + 30 + 30 = 119.50 of customers, 6 of a guest.
    assert any("read 126 = kept 120 + no customer 6" in line for line in lines)
    assert re.search(r"Done\. PASS=\d+ WARN=0 ERROR=0 SKIP=0 TOTAL=\d+$", lines[-1])


def test_quiet_leaves_the_last_line(built: Path) -> None:
    done = run("build", "--quiet", cwd=built)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  Done\. PASS=\d+ .*\n", done.stderr)


def test_show_prints_rows_on_stdout(built: Path) -> None:
    done = run("show", "rfm", "--output", "json", cwd=built)
    rows = {row["customer_id"]: row for row in map(json.loads, done.stdout.splitlines())}
    # By hand from the lines above.
    assert rows["ann"]["monetary"] == 16.5
    assert rows["bob"]["frequency"] == 2
    assert rows["eve"]["recency_days"] == 1
    table = run("show", "rfm_segments", cwd=built)
    assert table.stdout.split()[:2] == ["segment", "segment_order"]
    # What tells the rows apart stands left, also of an output of a fit.
    profile = run("show", "customer_clusters_profile", cwd=built)
    assert profile.stdout.split()[:5] == ["group_key", "cluster_id", "label", "feature", "mean"]
    inline = run(
        "show",
        "--inline",
        "select count(*) as n from {{ ref('orders') }}",
        "--output",
        "csv",
        cwd=built,
    )
    assert inline.stdout == "n\n7\n"
    limited = run("show", "orders", "--limit", "2", cwd=built)
    assert len(limited.stdout.splitlines()) == 3
    assert "2 of 7 rows" in limited.stderr


def test_explain_fits_one_screen(built: Path) -> None:
    done = run("explain", "ann", cwd=built)
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert "Order lines: 3 read, 3 kept (16.50)." in text
    assert "Orders: 3 purchases; net value 16.50." in text
    assert "12 days since the last purchase" in text
    assert "segment " in text
    assert "Lifecycle: " in text
    assert re.search(r"Cluster \d: .*, with \d others?; \d+\.\d\d from its centre", text)
    assert re.search(r"recency_days +12, \w+ \w+ (\w+ )?the cluster's mean of [\d.]+ \(all", text)
    # At 80 columns.
    assert len(text.splitlines()) <= 34
    assert max(map(len, text.splitlines())) <= 120
    missing = run("explain", "an", cwd=built)
    assert missing.returncode == 2
    assert "No order line has the customer 'an'" in missing.stderr
    assert "ann" in missing.stderr


def test_explain_says_when_the_tables_are_older(built: Path) -> None:
    """A line that came after the build is read, and the tables do not have it yet."""
    lines = (built / "lines.csv").read_text()
    try:
        (built / "lines.csv").write_text(f"{lines}zoe,9,2026-03-31,cup,1,3.00\n")
        older = run("explain", "ann", cwd=built)
        assert older.returncode == 0, older.stderr
        assert "The order lines have changed since the tables were built" in older.stdout
        new = run("explain", "zoe", cwd=built)
        assert "the tables do not have this customer" in new.stdout
        assert "RFM" not in new.stdout
    finally:
        (built / "lines.csv").write_text(lines)
    assert "have changed" not in run("explain", "ann", cwd=built).stdout


def test_moves_need_an_earlier_day(built: Path) -> None:
    done = run("show", "segment_moves", "--output", "csv", cwd=built)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "There is no earlier as_of to compare with" in done.stderr
    assert "earlier as_of" not in run("show", "rfm", cwd=built).stderr


def test_forget_without_a_person_to_ask(built: Path) -> None:
    (built / "ids.csv").write_text("ann\n")
    done = run("forget", "--customer-id-file", "ids.csv", cwd=built)
    assert done.returncode == 1
    assert "nothing was deleted.\n  With --yes it does not ask." in done.stderr
    assert "Interrupted" not in done.stderr
    assert "ann" in run("show", "rfm", cwd=built).stdout


def test_a_select_is_given_as_inline(built: Path) -> None:
    done = run("show", "select * from rfm", cwd=built)
    assert done.returncode == 2
    assert "--inline" in done.stderr


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("select * from nope", "A table of ours is {{ ref('rfm') }} there"),
        ("select nope\nfrom {{ ref('rfm') }};", "    1 | select nope\n      |        ^"),
    ],
)
def test_a_select_that_cannot_be_run(built: Path, select: str, said: str) -> None:
    done = run("show", "--inline", select, cwd=built)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_vars_with_a_date_that_does_not_exist(built: Path) -> None:
    done = run("build", "--vars", "{as_of: 2026-02-30}", cwd=built)
    assert done.returncode == 2
    assert "--vars has a date that does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_says_what_goes_with_an_item(built: Path) -> None:
    done = run("explain", "--item", "cup", cwd=built)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Item cup"
    # Orders 2, 5 and the guest's 8 above have a cup, and none of them another item.
    assert "Bought in 3 orders." in done.stdout
    assert "No item goes with it" in done.stdout
    listed = run("explain", "ann", cwd=built).stdout
    assert "Recommendations (" in listed
    assert "among the most bought" in listed
    missing = run("explain", "--item", "cu", cwd=built)
    assert missing.returncode == 2
    assert "No order line has the item 'cu'" in missing.stderr
    assert "cup" in missing.stderr
    both = run("explain", "ann", "--item", "cup", cwd=built)
    assert both.returncode == 2
    assert "either a customer or --item" in both.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "rfmm"], 2, "Did you mean 'rfm'?"),
        (["build", "-s", "rfn"], 2, "Did you mean 'rfm'?"),
        (["build", "--vars", "[1]"], 2, "--vars is not a YAML mapping"),
        (["build", "--vars", "{as_of: soon}"], 2, "Error: --vars: 'as_of': "),
        (["build", "--vars", "{asof: 2026-01-01}"], 2, "Error: --vars: No model reads"),
        (["build", "--vars", "{as_of:2026-01-01}"], 2, "--vars '{as_of: 2026-01-01}'"),
        (["build", "-s", "tag:lifecicle"], 2, "Did you mean 'lifecycle'?"),
        (["ls", "-s", "path:sql/model/rfm"], 2, "Did you mean 'sql/models/rfm'?"),
        (["build", "-s", "@rfm"], 2, "@ is not supported; +rfm+ is"),
        (["build", "-s", "rfm", "orders"], 2, "-s 'rfm customer_360'"),
        (["build", "--no-such"], 2, "No such option"),
        (["biuld"], 2, "No such command"),
        (["retry"], 0, "nothing to retry"),
        (["compile", "--dialect", "snowflak"], 2, "Did you mean 'snowflake'?"),
        (["show"], 2, "Give either the name of a model or --inline"),
        (["build", "--target", "prod"], 2, "no target 'prod'"),
    ],
)
def test_exit_codes(built: Path, words: list[str], code: int, said: str) -> None:
    done = run(*words, cwd=built)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr


def test_a_program_gets_an_error_as_a_line_of_its_own(built: Path) -> None:
    done = run("build", "-s", "rfn", "--log-format", "json", cwd=built)

    [line] = done.stderr.splitlines()
    said = json.loads(line)
    assert (done.returncode, said["level"]) == (2, "error")
    assert said["hint"] == "Did you mean 'rfm'?"


def test_a_failing_test_exits_1_and_leaves_the_table(built: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    (folder / "sql" / "tests").mkdir(parents=True)
    (folder / "sql" / "tests" / "no_eve.sql").write_text(
        "select customer_id from {{ ref('rfm') }} where customer_id = 'eve'"
    )
    done = run("build", cwd=folder)
    assert done.returncode == 1
    assert "FAIL test no_eve 1 row" in done.stderr
    shown = run("show", "rfm", "--output", "csv", cwd=folder)
    assert "eve" in shown.stdout
    results = json.loads((folder / "target" / "run_results.json").read_text())
    assert {r["status"] for r in results["results"]} >= {"fail", "error", "skipped", "pass"}


def test_ls_and_compile(built: Path) -> None:
    listed = run("ls", "-s", "+rfm", cwd=built).stdout.split()
    assert listed.index("orders") < listed.index("rfm_values") < listed.index("rfm")
    row = json.loads(run("ls", "-s", "rfm", "--output", "json", cwd=built).stdout)
    assert row["depends_on"] == ["rfm_values", "rfm_cut_points", "rfm_segment_map"]
    compiled = run("compile", "-s", "rfm", cwd=built)
    assert compiled.stdout.startswith("-- Each customer's recency")
    assert "{{" not in compiled.stdout
    translated = run("compile", "-s", "rfm", "--dialect", "snowflake", cwd=built)
    assert "unverified" in translated.stdout.splitlines()[0]
    unit = run("ls", "--resource-type", "unit_test", "-s", "rfm", cwd=built).stdout
    assert "rfm::a_value_on_a_cut_scores_below_it" in unit


@pytest.mark.parametrize(
    "words", [["ls"], ["explain", "ann"], ["show", "rfm"], ["compile", "-s", "rfm"], ["--help"]]
)
def test_a_reader_that_goes_early_is_no_failure(built: Path, words: list[str]) -> None:
    done = run(*words, cwd=built, stdout=closed_pipe())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_build_goes_on_when_nobody_reads_along(built: Path) -> None:
    results = built / "target" / "run_results.json"
    results.unlink()
    done = run("build", "-s", "orders", cwd=built, stderr=closed_pipe())
    assert done.returncode == 0
    assert {row["status"] for row in json.loads(results.read_text())["results"]} <= {
        "success",
        "pass",
    }


def test_debug_checks_what_a_build_needs(built: Path) -> None:
    done = run("debug", cwd=built)
    assert done.returncode == 0
    assert "made and dropped a table in schema seg_sql" in done.stdout


def test_options_come_from_the_environment(built: Path) -> None:
    done = run("show", "rfm", cwd=built, SEG_SQL_OUTPUT="csv", SEG_SQL_LIMIT="1")
    assert len(done.stdout.splitlines()) == 2
    far = run("build", cwd=built.parent, SEG_SQL_PROJECT_DIR=str(built), SEG_SQL_SELECT="orders")
    assert "Found 1 model, " in far.stderr, far.stderr


def commands() -> Iterator[tuple[str, click.Command]]:
    yield from cli.commands.items()


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_option_is_an_environment_variable(name: str, command: click.Command) -> None:
    assert command.help, name
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            long = max(parameter.opts, key=len)
            assert parameter.envvar == "SEG_SQL_" + long[2:].upper().replace("-", "_"), name
            assert parameter.help or parameter.name in ("output", "limit", "customers"), long


def test_help_loads_nothing_heavy() -> None:
    """--help is quick because nothing slow is imported for it."""
    code = (
        "import sys\nfrom seg_sql.cli import main\nsys.argv = ['seg-sql', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'duckdb', 'pandas', 'numpy', 'sqlglot', 'psycopg', 'pydantic', 'jinja2', 'rich'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"
