"""The options that commands share, and what is made of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seg_sql.errors import ConfigError

if TYPE_CHECKING:
    from seg_sql.console import Console
    from seg_sql.session import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """Declare an option that can also be given as SEG_SQL_<NAME>."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = f"SEG_SQL_{long.removeprefix('--').replace('-', '_').upper()}"
    settings.setdefault("envvar", variable)
    settings.setdefault("show_envvar", False)
    return click.option(*names, **settings)


def group_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return one decorator that adds several options."""

    def decorate(command: Command) -> Command:
        return functools.reduce(lambda made, each: each(made), reversed(options), command)

    return decorate


folder = click.Path(path_type=Path, file_okay=False)
day = click.DateTime(formats=["%Y-%m-%d"])
common = group_of(
    option("--project-dir", type=folder, help="Folder of seg_sql.yml; default: here or above."),
    option("--profiles-dir", type=folder, help="Folder of profiles.yml."),
    option("-t", "--target", help="Target of the profile to use."),
    option("--vars", "given_vars", help="Project variables as YAML: '{as_of: 2026-06-30}'."),
    option("--target-path", type=folder, help="Folder for compiled SQL and run results."),
    option("--threads", type=click.IntRange(min=1), help="Threads of the database."),
    option("-q", "--quiet", is_flag=True, help="Print only warnings and errors."),
    option(
        "-d", "--debug", is_flag=True, help="Print more: each start, iteration and passing test."
    ),
    option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        help="Lines for people or for programs.",
    ),
)
selection = group_of(
    option(
        "-s", "--select", multiple=True, help="Models: a name, +name, tag:rfm, state:modified+."
    ),
    option("--exclude", multiple=True, help="Models to leave out, in the same words."),
    option("--state", type=folder, help="Folder with the manifest.json to compare with."),
)
waiting = option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for another build of the same target.",
)
running = group_of(
    option("-x", "--fail-fast", is_flag=True, help="Stop at the first failure."),
    option("--warn-error", is_flag=True, help="Treat warnings as errors."),
    option(
        "--junit",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Also write the results as JUnit XML.",
    ),
    option("--store-failures", is_flag=True, help="Keep the rows that fail a test in tables."),
    option("--empty", is_flag=True, help="Read no rows: checks SQL and types only."),
    option(
        "--sample",
        type=click.FloatRange(0, 1, min_open=True),
        help="Read this share of the customers, as in 0.01.",
    ),
    waiting,
)


_OUTPUT = ("log_format", "quiet", "debug")


def settings_from(given: dict[str, Any]) -> Settings:
    """Take the common options out of a command's arguments, those about output included."""
    from seg_sql.inputs import Limits
    from seg_sql.session import Settings, find_project_dir

    for name in _OUTPUT:
        given.pop(name, None)
    project_dir = given.pop("project_dir")
    return Settings(
        project_dir=project_dir or find_project_dir(Path.cwd()),
        profiles_dir=given.pop("profiles_dir"),
        target_path=given.pop("target_path"),
        target=given.pop("target"),
        vars=_yaml_vars(given.pop("given_vars")),
        threads=given.pop("threads"),
        limits=Limits(empty=given.pop("empty", False), sample=given.pop("sample", None)),
        wait=given.pop("wait", 0.0),
    )


def _yaml_vars(text: str | None) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(text) if text else {}
    except yaml.YAMLError:
        values = None
    except ValueError as error:
        raise ConfigError(
            f"--vars has a date that does not exist: {error}.", hint="Write it as 2026-12-31."
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"--vars is not a YAML mapping: {text}", hint="Write --vars '{as_of: 2026-06-30}'."
        )
    for key, value in values.items():
        if value is None and isinstance(key, str) and ":" in key:
            name, _, given = key.partition(":")
            raise ConfigError(
                f"--vars: a space is missing after the colon of '{key}'.",
                hint=f"Write --vars '{{{name}: {given}}}'.",
            )
    return values


def console_from(given: dict[str, Any]) -> Console:
    """Take the options about output out of a command's arguments."""
    from seg_sql.console import Console

    return Console(
        format=given.pop("log_format"),
        quiet=given.pop("quiet"),
        debug=given.pop("debug"),
        width=terminal_width(),
    )


def terminal_width() -> int:
    """Return how long a line may be."""
    import shutil

    return min(max(shutil.get_terminal_size().columns, 80), 120)
