"""Lines of SQL that was put together from templates, indented as one text.

A template within another brings its own margin, and a line on which a macro wrote nothing stays
blank. Words and comments stay as they are, which a parser's own printing would not leave: only
where lines begin and break is set here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_STEP = 4
_WORD = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|[()\n]|\b(?:case|end)\b""", re.S
)
# These begin a part of a SELECT, and stand at its margin.
_CLAUSE = re.compile(
    r"(with|select|from|where|group by|having|order by|limit|offset|union|values"
    r"|(inner|left|right|full|cross) join)\b"
)
# How far these stand from the line of their `case`.
_ARM = {"when": _STEP, "else": _STEP, "then": 2 * _STEP, "end": 0}
# A line break within a word; a bracket that ends its line, or whose pair does.
_BREAK, _MARK = "\0", "\1"


@dataclass
class _Block:
    """What stands between brackets that end their line.

    Attributes:
        opener: Where the line with the bracket begins; the one that closes it begins there, too.
        margin: Where its lines begin now.
        was: Where they began: the least of its lines.
        is_spaced: Whether its first line is blank, and so the last as well.
    """

    opener: int
    margin: int
    was: int
    is_spaced: bool = False
    cases: list[int] = field(default_factory=list)


def indented(sql: str) -> str:
    r"""Return a SELECT with each bracket's lines four places further in than the bracket's.

    >>> print(indented("select n\nfrom (\nselect 1 as n\n\n      ) as one"))
    select n
    from (
        select 1 as n
    ) as one
    """
    lines = _broken(sql)
    blocks = [_Block(0, 0, _least(lines, 0))]
    written: list[str] = []
    comments: list[str] = []
    for number, line in enumerate(lines):
        text = line.strip()
        if not text:
            if not line and not comments and written and written[-1]:
                blocks[-1].is_spaced |= written[-1].endswith(f"{_MARK}(")
                written.append("")
            continue
        if text.startswith("--"):
            comments.append(text)
            continue
        closes = text.startswith(f"{_MARK})") and len(blocks) > 1
        if closes and not comments and written[-1] == "" and not blocks[-1].is_spaced:
            written.pop()
        column = blocks.pop().opener if closes else _column(line, blocks[-1])
        written += [" " * column + comment for comment in comments]
        comments = []
        written.append(" " * column + text)
        cases = blocks[-1].cases
        for word in _WORD.findall(text):
            if word == "case":
                cases.append(column)
            elif word == "end" and cases:
                cases.pop()
        if text.endswith(f"{_MARK}("):
            blocks.append(_Block(column, column + _STEP, _least(lines, number + 1)))
    return "\n".join([*written, *comments]).replace(_MARK, "").replace(_BREAK, "\n")


def _column(line: str, block: _Block) -> int:
    text = line.strip()
    first = re.match(r"\w*", text)
    arm = _ARM.get(first[0]) if first else None
    if arm is not None and block.cases:
        return block.cases[-1] + arm
    if _CLAUSE.match(text):
        return block.margin
    return block.margin + max(_margin(line) - block.was, 0)


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _least(lines: list[str], start: int) -> int:
    """Return the least margin of the lines of the block that begins at a line."""
    depth, margins = 0, []
    for line in lines[start:]:
        text = line.strip()
        if text.startswith(f"{_MARK})"):
            depth -= 1
            if depth < 0:
                break
        elif text and depth == 0 and not text.startswith("--"):
            margins.append(_margin(line))
        depth += text.endswith(f"{_MARK}(")
    return min(margins, default=0)


def _broken(sql: str) -> list[str]:
    """Return the lines, so that brackets whose content has lines of its own end and begin one."""
    return "".join(_pieces(sql)).split("\n")


def _pieces(sql: str) -> Iterator[str]:
    opened: list[bool] = []
    at, line = 0, ""
    for found in _WORD.finditer(sql):
        word, before = found[0], sql[at : found.start()]
        at = found.end()
        line += before
        yield before
        if word == "(":
            rest = sql[at:].split("\n", 1)[0].strip()
            is_block = not rest or rest.startswith("--")
            opened.append(is_block)
            yield f"{_MARK}(" if is_block else "("
            yield "\n" if is_block and rest else ""
            line = "" if rest and is_block else f"{line}("
        elif word == ")":
            is_block = bool(opened) and opened.pop()
            if is_block and line.strip():
                yield "\n"
                line = ""
            yield f"{_MARK})" if is_block else ")"
            line += ")"
        elif word == "\n":
            yield word
            line = ""
        else:
            kept = word.replace("\n", _BREAK)
            yield kept
            line += kept
    yield sql[at:]
