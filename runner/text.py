"""Text for people and other tools: Markdown tables, points and lengths of time."""

from __future__ import annotations

import codecs
import datetime
import io
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console

_LATEST = 1e11  # seconds since 1970; the calendar ends later
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")  # from backticks to as many
_ITEM = re.compile(r"(?:(?:[-+*]|\d{1,9}[.)])\s+)*")  # a list's item, or one in another
# What opens anything but a paragraph or a list.
_STARTS = re.compile(
    r"^(?:#{1,6}(?=\s|$)|>|[-=:](?=(?:[-=:\s]|\\\|)*$)|[-+*](?=\s*[-+*]\s*[-+*]))"
)  # of what is no paragraph
_CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], names: int = 1) -> str:
    """A Markdown table; its first `names` columns are words, the others numbers. Empty without rows.

    A cell is one line, whatever is in it: class names and settings may hold anything.
    """
    lines = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in row] for row in (heads, *rows)]
    marks = ["---"] * names + ["--:"] * (len(heads) - names)
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""


def one_line(text: str) -> str:
    """Text on one line: no line breaks, no control characters, no marks that change the direction of writing.

    >>> one_line(" a\\n  b\\x1b[0m ")
    'a b [0m'
    """
    return " ".join(_CONTROLS.sub(" ", text).split())


def escaped(text: object) -> str:
    r"""Any text on one line of Markdown, as it is: no markup, HTML, link or formula comes of it; `code` stays code.

    Only what Markdown would read as markup gets a backslash, so that ordinary text stays legible in the source.

    >>> escaped("a_b, x[0] and 2 < 3 in `a_b`; **No** <b> [t](x)")
    'a_b, x[0] and 2 < 3 in `a_b`; \\*\\*No\\*\\* &lt;b> [t\\](x)'
    """
    line, done = one_line(str(text)), 0
    parts = []
    for span in _CODE.finditer(line):
        parts += [_inert(line[done : span.start()]), span[0]]
        done = span.end()
    return "".join([*parts, _inert(line[done:])])


def _inert(text: str) -> str:
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    text = re.sub(r"\\(?=[!-/:-@\[-`{-~]|$)", r"\\\\", text)
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = re.sub(r"\](?=[(\[:])", r"\\]", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # between letters it is one
    return re.sub(r"[`~$]|(?<!\s)\*|\*(?!\s)", _backslash, text)


def _backslash(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def paragraph(text: str) -> str:
    """Any text as a paragraph or list of Markdown; nothing else comes of it, whatever its lines begin with."""
    lines = [escaped(line).replace("|", r"\|") for line in text.splitlines()]
    return "\n".join(map(_inert_start, filter(None, lines)))


def _inert_start(line: str) -> str:
    """A line that opens no heading, quotation, rule or table; a list's item stays one, and opens none of these."""
    line = _STARTS.sub(_backslash, line)
    end = _ITEM.match(line).end()  # type: ignore[union-attr]  # it matches the empty text as well
    return line[:end] + _STARTS.sub(_backslash, line[end:])


def code(text: object) -> str:
    """Any text as code within a line of Markdown, whatever backticks are in it.

    >>> code("a`b")
    '`` a`b ``'
    """
    line = one_line(str(text))
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


def link(text: object, target: str) -> str:
    """A link of Markdown with any text; `target` is quoted already."""
    inner = re.sub(r"(?<!\\)[\[\]]", _backslash, escaped(text))
    return f"[{inner}]({target})"


def utc(seconds: object) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the second; empty where it is no such number."""
    if not isinstance(seconds, int | float) or not 0 < seconds < _LATEST:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(150)
    '2 min'
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


_SPELLED = {"±": "+/-", "≥": ">=", "≤": "<=", "×": "x", "–": "-", "—": "-", "→": "->", "…": "...", "’": "'"}


def accept_any_text(stream: TextIO) -> None:
    """Has a stream spell, or replace by ?, what its encoding lacks (ASCII has no ±), instead of raising."""
    codecs.register_error("runner.spelled", _spelled)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="runner.spelled")


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_SPELLED.get(character, "?") for character in text), error.end


def plain_console(width: int | None = None) -> Console:
    """A console that prints what it is given as it stands: names, docstrings and causes may hold [brackets]."""
    return Console(width=width, markup=False, highlight=False)
