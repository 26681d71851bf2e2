"""Any text in Markdown stays text: rendered, it is what it was."""

from __future__ import annotations

import html
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runner.text import accept_any_text, code, escaped, link, one_line, paragraph, plain_console, table

RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render
HOSTILE = [
    "<script>alert(1)</script>", "[t](javascript:alert(1))", "![x](http://a/b.png)", "**bold** and __bold__ and *i*",
    "a_b_c _d_ __init__", "\\*x\\* \\", "`open", "a\\`b` c", "&lt;b&gt; &#60;", "<!-- -->", "~~gone~~", "[a]: http://b",
    "] (x) [", "2 < 3 > 1 & 4", "<https://a.b>", "_", "*", "``", "a`b``c`d",
]  # fmt: skip


def visible(rendered: str) -> str:
    return html.unescape(re.sub(r"</?(?:p|code)>\n?", "", rendered))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    shown = RENDER(f"x {escaped(text)} y")
    assert set(re.findall(r"</?[a-z]+", shown)) <= {"<p", "</p", "<code", "</code"}
    if "`" not in text:
        assert visible(shown).strip() == f"x {text} y"


@given(st.text(alphabet="ab _*`[]()<>&\\!~#|-.1:\"'", max_size=25))
def test_no_text_becomes_markup(text: str) -> None:
    shown = RENDER(f"**{one_line('q')}** {escaped(text)} `after`")
    tags = re.findall(r"</?[a-z]+", shown)
    assert set(tags) <= {"<p", "</p", "<strong", "</strong", "<code", "</code"}
    assert tags.count("<strong") == 1
    assert shown.rstrip().endswith("<code>after</code></p>")  # no backtick of the text swallows what follows


@example("|\n:-")
@example("- > quoted")
@given(st.text(alphabet="a_*`[]<\\!~#|-=:>1. \n", max_size=40))
def test_a_paragraph_opens_nothing(text: str) -> None:
    shown = RENDER(f"# title\n\n{paragraph(text)}\n\n## Answers\n\n- real")
    assert not re.search("<(h[3-6]|a|img|em|strong|hr|table|blockquote|pre|script)", shown)
    assert len(re.findall("<h[12]>", shown)) == 2
    assert "<h2>Answers</h2>" in shown


def test_ordinary_text_is_not_changed() -> None:
    for text in (
        "Is `lr` = 0.01 better than 1e-3, by 2 * 3 points?", "weight_decay, dropout=0.1,batch_norm=True and x[0]",
        "AT&T, 5 < 6 (n = 3): 60.8% together -- isn't it?", "Does it get 90% right? See https://a.b/c_d.",
    ):  # fmt: skip
        assert escaped(text) == text
        assert paragraph(text) == text


def test_a_list_in_a_docstring_stays_one() -> None:
    assert paragraph("What follows:\n- one\n  - two\n1. three") == "What follows:\n- one\n- two\n1. three"


def test_one_line_has_no_control_characters() -> None:
    assert one_line(" a\n\tb\x1b[31m\u202ec\u2028d ") == "a b [31m c d"


@pytest.mark.parametrize("text", ["a", "a`b", "``", "`a`"])
def test_code_is_code(text: str) -> None:
    assert RENDER(code(text)) == f"<p><code>{text}</code></p>\n"


@pytest.mark.parametrize("text", ["a", "x[y]", "a](http://b) c", "]", "<b>"])
def test_a_link_goes_where_it_says(text: str) -> None:
    assert RENDER(link(text, "there")) == f'<p><a href="there">{html.escape(text)}</a></p>\n'


def test_escaped_text_is_one_cell() -> None:
    assert RENDER(table(["n", "m"], [[escaped("a|b <i> `c|d`"), 1]])).count("<td") == 2


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "96.0 +- 0.4 - >= 1 ?"), ("latin-1", "96.0 ± 0.4 - >= 1 ?"), ("utf-8", "96.0 ± 0.4 – ≥ 1 猫")],
)
def test_what_a_terminal_cannot_show_is_spelled_or_replaced(encoding: str, shown: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    accept_any_text(stream)
    console = plain_console(80)
    console.file = stream
    console.print("96.0 ± 0.4 – ≥ 1 猫")
    stream.flush()
    assert raw.getvalue().decode(encoding) == f"{shown}\n"
