"""A proposal as text: seg_sql.yml and profiles.yml, commented, and written only where none is."""

from __future__ import annotations

import os
import re
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seg_sql.config import PROJECT_FILE
from seg_sql.errors import ConfigError
from seg_sql.init.columns import Choice
from seg_sql.init.connection import PASSWORD_VARIABLE, Connection
from seg_sql.init.look import Setting
from seg_sql.init.names import ROLES
from seg_sql.init.sample import template_environment
from seg_sql.init.wording import shown
from seg_sql.profiles import DEFAULT_SCHEMA
from seg_sql.wording import counted

_WIDTH = 90
_KEYS = ("attributes", "where", "date_order", "decimal_comma", "anonymous_ids")
_VARS = ("timezone", "refunds", "not_products")
# What is not there but can be added, and who needs it.
_WANTED = {
    "customer_id": "every table of customers needs it",
    "order_id": "without it, an order is a customer's day",
    "ordered_at": "every table of customers needs it",
    "item_id": "only the tables of items need it",
    "amount": "every table with money needs it, or quantity and unit_price",
}


@dataclass(frozen=True)
class Source:
    """What was looked at: as seg_sql.yml names it, and as the user named it."""

    name: str
    shown: str
    is_file: bool


@dataclass(frozen=True)
class Proposal:
    """A project that can be written.

    Attributes:
        name: The project's name.
        columns: The raw column of each column of order_lines that was decided.
        undecided: Columns of order_lines that could not be decided, with candidates.
        notes: What to know and to check, a few sentences each.
        lines: The whole of it as text for a person, without the files.
        files: The text of each file by its name.
    """

    name: str
    columns: Mapping[str, str]
    undecided: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    lines: tuple[str, ...]
    files: Mapping[str, str]


def propose(
    source: Source,
    looked_at: int,
    choice: Choice,
    found: Sequence[Setting],
    project_dir: Path,
    name: str | None,
    *,
    connection: Connection | None = None,
) -> Proposal:
    """Put a column map and settings into files and sentences."""
    project = name or _project_name(project_dir)
    whys = [Setting(remark.place, why=remark.text) for remark in choice.remarks]
    every = [*whys, *found]
    undecided = {
        role: choice.others.get(role, ())
        for role in _WANTED
        if role not in choice.columns and not (role == "amount" and "unit_price" in choice.columns)
    }
    rows = f"{counted(looked_at, 'line')} of {source.shown}"
    text = (
        template_environment()
        .get_template("seg_sql.yml.jinja")
        .render(
            looked_at=shown_line(rows),
            name=project,
            is_file=source.is_file,
            source=scalar(source.name),
            mapped=bool(choice.columns),
            columns=[_column(role, choice, undecided, every) for role in ROLES],
            sections={key: _section(key, every) for key in ("path", *_KEYS, *_VARS)},
        )
    )
    files = {PROJECT_FILE: text}
    notes = [setting.why for setting in every if setting.why]
    if connection is not None:
        files["profiles.yml"] = _profiles_text(project, connection)
        notes += _about(connection)
    lines = _summary(rows, choice, undecided, notes)
    return Proposal(project, dict(choice.columns), undecided, tuple(notes), tuple(lines), files)


def write_project(proposal: Proposal, project_dir: Path) -> list[Path]:
    """Write the files of a proposal; none of them when one exists already.

    Raises:
        ConfigError: A file exists, or the folder cannot be written to.
    """
    paths = {project_dir / name: text for name, text in proposal.files.items()}
    check_free(project_dir, *proposal.files)
    written: list[Path] = []
    try:
        project_dir.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            _write_new(path, text)
            written.append(path)
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            said = error.strerror or str(error)
            raise ConfigError(
                f"{' and '.join(proposal.files)} cannot be written: {said}.",
                where=str(project_dir.resolve()),
                hint="Choose a folder of yours with --project-dir, and run seg-sql there.",
            ) from error
        raise
    return written


def check_free(project_dir: Path, *names: str) -> None:
    """Raise an error when a folder has one of the files already."""
    for path in (project_dir / name for name in names):
        if path.exists() or path.is_symlink():
            raise _exists(path)


def _write_new(path: Path, text: str) -> None:
    """Write a whole file or none, and never over another."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        os.close(handle)
        Path(draft).write_text(text, encoding="utf-8", newline="\n")
        Path(draft).chmod(0o666 & ~_umask())
        try:
            os.link(draft, path)
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # a file system without hard links
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    finally:
        with suppress(OSError):
            Path(draft).unlink()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _exists(path: Path) -> ConfigError:
    return ConfigError(
        f"There is a {path.name} already, and init overwrites nothing.",
        where=str(path.parent.resolve()),
        hint="Move it away, or choose another folder with --project-dir.",
    )


def _project_name(project_dir: Path) -> str:
    """Return the name of a folder as the name of a project.

    >>> _project_name(Path("/data/My Shop 2"))
    'my_shop_2'
    """
    words = re.findall(r"[a-z0-9]+", project_dir.absolute().name.casefold())
    name = "_".join(words).lstrip("0123456789_")[:40].rstrip("_")
    return name or "shop"


def _column(
    role: str,
    choice: Choice,
    undecided: Mapping[str, tuple[str, ...]],
    found: Sequence[Setting],
) -> list[str]:
    said = _section(role, found)
    others = choice.others.get(role, ())
    if role in choice.columns:
        line = f"{role}: {scalar(choice.columns[role])}"
        return [*said, f"{line}  # or {', '.join(map(shown_line, others))}" if others else line]
    if role not in undecided:
        return said
    if not others:
        return [*said, f"# {role}: ...  # {_WANTED[role]}"]
    more = f"  # or {', '.join(map(shown_line, others[1:]))}" if others[1:] else ""
    why = _comments(f"Not decided: {role}; {_WANTED[role]}.")
    return [*said, *why, f"# {role}: {scalar(others[0])}{more}"]


def _section(key: str, found: Sequence[Setting]) -> list[str]:
    """Return what is written of a key: each sentence above the line that it is about."""
    section = []
    for setting in found:
        if setting.key == key:
            section += _comments(setting.why)
            if setting.value is not None and setting.value != []:
                lines = _lines(key, setting.value)
                section += lines if setting.active else [f"# {line}" for line in lines]
    return section


def _comments(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_long_words=False)]


def _lines(key: str, value: object) -> list[str]:
    if key != "where":
        return [f"{key}: {scalar(value)}"]
    text = str(value)
    if not text.isprintable() or "\\" in text:
        return [f"where: {scalar(text)}"]
    # A condition reads best as it is: in quotes of the kind that it does not have, or in a block.
    return [f'where: "{text}"'] if '"' not in text else ["where: >-", f"  {text}"]


def scalar(value: object) -> str:
    """Return a value as YAML on one line.

    >>> scalar("a: b"), scalar("yes"), scalar([0, "GUEST"]), scalar(True)
    ("'a: b'", "'yes'", '[0, GUEST]', 'true')
    """
    import yaml

    if isinstance(value, list | tuple):
        return f"[{', '.join(scalar(item) for item in value)}]"
    quoted = isinstance(value, str) and not value.isprintable()
    text: str = yaml.safe_dump(
        [value],
        default_flow_style=True,
        default_style='"' if quoted else None,
        allow_unicode=not quoted,
        width=2**20,
    )
    return text.strip()[1:-1]


def shown_line(text: str) -> str:
    """Return a text that cannot leave its line."""
    return text if text.isprintable() else shown(text)


def _profiles_text(project: str, connection: Connection) -> str:
    fields = {key: scalar(value) for key, value in connection.fields().items()}
    template = template_environment().get_template("profiles.yml.jinja")
    return template.render(
        name=project, fields=fields, variable=PASSWORD_VARIABLE, schema=DEFAULT_SCHEMA
    )


def _about(connection: Connection) -> list[str]:
    notes = []
    if connection.password is not None:
        notes.append(
            "The password of the URL is not written anywhere: set it in the environment as"
            f" {PASSWORD_VARIABLE}."
        )
    if connection.left_out:
        notes.append(f"Not kept from the URL: {', '.join(map(shown, connection.left_out))}.")
    return notes


def _summary(
    rows: str, choice: Choice, undecided: Mapping[str, tuple[str, ...]], notes: Sequence[str]
) -> list[str]:
    lines = [f"Looked at {shown_line(rows)}.", ""]
    width = max(map(len, ROLES))
    lines += [
        f"  {role:<{width}}  {shown_line(choice.columns[role])}"
        for role in ROLES
        if role in choice.columns
    ]
    for role, names in undecided.items():
        could = f"perhaps {', '.join(map(shown_line, names))}; " if names else ""
        lines.append(f"  {role:<{width}}  not decided: {could}{_WANTED[role]}")
    if notes:
        lines += ["", "Please check:"]
        lines += [f"  - {note}" for note in notes]
    return lines
