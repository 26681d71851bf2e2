"""Writes text for people and other tools: Markdown tables, points and lengths of time."""

from __future__ import annotations

import codecs
import datetime
import io
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console

_LATEST = 1e11  # seconds since 1970: the year 5138; datetime ends with the year 9999
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")  # from backticks to the same number of backticks
_ITEM = re.compile(r"(?:(?:[-+*]|\d{1,9}[.)])\s+)*")  # the start of a list's item, also of nested ones
# The start of a line that is neither a paragraph nor a list.
_STARTS = re.compile(r"^(?:#{1,6}(?=\s|$)|>|[-=:](?=(?:[-=:\s]|\\\|)*$)|[-+*](?=\s*[-+*]\s*[-+*]))")
_CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], names: int = 1) -> str:
    """Returns a Markdown table, or an empty text where there are no rows.

    The first `names` columns are words, the others numbers. A cell becomes one line, whatever characters it has.

    >>> print(table(["model", "runs"], [("mlp", 5)]))
    | model | runs |
    | --- | --: |
    | mlp | 5 |
    """
    lines = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in row] for row in (heads, *rows)]
    marks = ["---"] * names + ["--:"] * (len(heads) - names)
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""


def counted(number: int, thing: str) -> str:
    """Returns a number with its noun in the singular or the plural.

    >>> counted(1, "image"), counted(2000, "image")
    ('1 image', '2,000 images')
    """
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def one_line(text: str) -> str:
    """Puts a text on one line, without control characters and marks that change the direction of writing.

    >>> one_line(" a\\n  b\\x1b[0m ")
    'a b [0m'
    """
    return " ".join(_CONTROLS.sub(" ", text).split())


def escaped(text: object) -> str:
    r"""Escapes any text for one line of Markdown, so that it shows as it is. `code` stays code.

    Only characters that Markdown would read as markup get a backslash, so ordinary text stays readable in the source.

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
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # between letters Markdown shows it as it is
    return re.sub(r"[`~$]|(?<!\s)\*|\*(?!\s)", _backslash, text)


def _backslash(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def paragraph(text: str) -> str:
    """Escapes any text for Markdown, so that it shows as a paragraph or a list and as nothing else."""
    lines = [escaped(line).replace("|", r"\|") for line in text.splitlines()]
    return "\n".join(map(_inert_start, filter(None, lines)))


def _inert_start(line: str) -> str:
    """Escapes the start of a line that would open a heading, quotation, rule or table. A list's item stays one."""
    line = _STARTS.sub(_backslash, line)
    end = _ITEM.match(line).end()  # type: ignore[union-attr]  # it matches an empty text, too
    return line[:end] + _STARTS.sub(_backslash, line[end:])


def code(text: object) -> str:
    """Returns any text as code within a line of Markdown, whatever backticks it has.

    >>> code("a`b")
    '`` a`b ``'
    """
    line = one_line(str(text))
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


def link(text: object, target: str) -> str:
    """Returns a Markdown link with any text; `target` must be quoted.

    >>> link("a [b]", "c.md")
    '[a \\\\[b\\\\]](c.md)'
    """
    inner = re.sub(r"(?<!\\)[\[\]]", _backslash, escaped(text))
    return f"[{inner}]({target})"


def utc(seconds: object) -> str:
    """Returns seconds since 1970 as ISO 8601 in UTC; an empty text where they are no valid time.

    >>> utc(1e9)
    '2001-09-09T01:46:40+00:00'
    """
    if not isinstance(seconds, int | float) or not 0 < seconds < _LATEST:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def duration(seconds: float) -> str:
    """Returns seconds as text, in the unit that a person would choose.

    >>> duration(5), duration(600), duration(5400)
    ('5 s', '10 min', '1.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def about(seconds: float | None) -> str:
    """Returns an estimate as text; None is unknown.

    >>> about(600), about(None)
    ('about 10 min', 'unknown time')
    """
    return "unknown time" if seconds is None else f"about {duration(seconds)}"


_SPELLED = {"±": "+-", "≥": ">=", "≤": "<=", "×": "x", "–": "-", "—": "-", "→": "->", "…": "...", "’": "'"}


def accept_any_text(stream: TextIO) -> None:
    """Makes a stream spell characters that its encoding lacks (ASCII has no ±), or replace them by ?."""
    codecs.register_error("runner.spelled", _spelled)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="runner.spelled")


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_SPELLED.get(character, "?") for character in text), error.end


def plain_console(width: int | None = None) -> Console:
    """Returns a console that prints text without changes: names and messages may have [brackets]."""
    return Console(width=width, markup=False, highlight=False)
