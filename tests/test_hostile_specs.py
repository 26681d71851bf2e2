"""Specs that nobody means well with: each is answered in words, exit 2, and nothing is written."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runner.__main__ import main
from runner.expand import Overrides, resolve
from runner.metrics import METRICS
from runner.spec import Kind, Problem, RequestError, Settings
from tests.problems import one, problems_of_exit
from tests.studies import BASE

QUESTION: dict[str, Any] = {"ask": "?", "compare": ["v", "baseline"]}
STUDY: dict[str, Any] = {
    "baseline": BASE, "variants": {"v": {"dropout": 0.5}}, "factors": {"lr": [0.1]}, "seeds": 1, "questions": [QUESTION]
}  # fmt: skip
SEARCH: dict[str, Any] = {"baseline": BASE, "space": {"lr": [0.1, 0.2]}}


class Evil:
    """Raises whenever it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("don't look")

    __str__ = __iter__ = __len__ = __bool__ = __getitem__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("don't compare")

    def __hash__(self) -> int:
        return 1


class EvilDict(dict[str, Any]):
    """A dict by name."""

    def __repr__(self) -> str:
        sys.exit(0)

    items = keys = __iter__ = __getitem__ = __repr__  # type: ignore[assignment]


def nested(levels: int, kind: type) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


def cycle(kind: type) -> Any:
    own: Any = kind()
    own.append(own) if kind is list else own.update(a=own)
    return own


def doubling() -> Any:
    """Small in memory, without end to whoever walks it."""
    value: Any = [1]
    for _ in range(18):
        value = [value] * 10
    return value


HOSTILE: dict[str, Callable[[], Any]] = {
    "nan": lambda: float("nan"), "inf": lambda: float("inf"), "-inf": lambda: -float("inf"), "negative": lambda: -1,
    "huge": lambda: 10**5000, "-huge": lambda: -(10**5000), "2^64": lambda: 2**64, "bytes": lambda: b"x",
    "set": lambda: {1}, "object": object, "evil": Evil, "evil dict": lambda: EvilDict(x=Evil()),
    "lambda": lambda: lambda: 1, "type": lambda: int, "complex": lambda: 1j, "generator": lambda: iter([1]),
    "range": lambda: range(10**12), "cyclic list": lambda: cycle(list), "cyclic dict": lambda: cycle(dict),
    "5,000 lists": lambda: nested(5000, list), "20,000 dicts": lambda: nested(20_000, dict), "doubling": doubling,
    "long list": lambda: list(range(200_000)), "long text": lambda: "x" * 20_000, "surrogate": lambda: "\ud800",
    "number as key": lambda: {1: 2}, "None as key": lambda: {None: 1}, "evil key": lambda: {Evil(): 1},
    "nul": lambda: "a\0b", "lines": lambda: "a\nb", "escape": lambda: "\x1b[31m", "right to left": lambda: "\u202ex",
    "path": lambda: "../../etc/passwd", "unicode": lambda: "ß漢\U0001f600",
}  # fmt: skip
LARGE = {"doubling", "long list", "20,000 dicts"}  # they take their time to be made
NO_DATA = {  # refused before anything looks at them
    "bytes", "set", "object", "evil", "evil dict", "lambda", "type", "complex", "generator", "range", "surrogate",
    "number as key", "None as key", "evil key",
}  # fmt: skip
TOO_LARGE = {
    "huge", "-huge", "2^64", "cyclic list", "cyclic dict", "5,000 lists", "20,000 dicts", "doubling", "long list",
    "long text",
}  # fmt: skip
FREE_TEXT = {"nul", "lines", "escape", "right to left", "path", "unicode"}  # fine in a question's own words


def cases(value: Callable[[], Any], text: bool) -> Iterator[tuple[str, Any]]:
    """The value in every place of a study: the place's last name, and the dict."""
    yield "", value()
    for key in (*STUDY, "design", "extra"):
        yield key, STUDY | {key: value()}
    for key in Settings.model_fields:
        yield key, STUDY | {"baseline": BASE | {key: value()}}
    for key in ("dropout", "hidden", "augment", "model_args", "dataset"):
        yield key, STUDY | {"variants": {"v": {key: value()}}}
        yield key, STUDY | {"factors": {key: [value(), value()]}}
    for key in ("compare", "interaction", "best_of", "trend", "value", "metric", "accuracy", "expect", "smallest", "x"):
        yield key, STUDY | {"questions": [QUESTION | {key: value()}]}
    if not text:
        yield "ask", STUDY | {"questions": [{"ask": value(), "best_of": ["v", "baseline"]}]}
    yield "v", STUDY | {"variants": {"v": value()}}
    yield "augment", STUDY | {"baseline": BASE | {"augment": [value()]}}
    yield "augment", STUDY | {"baseline": BASE | {"augment": [{"Affine": {"rotate": value()}}]}}
    yield "seeds", STUDY | {"seeds": [0, value()]}
    try:
        hash(value())
    except (TypeError, RuntimeError):
        return
    yield "", STUDY | {value(): 1}
    yield "baseline", STUDY | {"baseline": BASE | {value(): 1}}
    yield "variants", STUDY | {"variants": {value(): {"dropout": 0.1}}}
    yield "factors", STUDY | {"factors": {value(): [1]}}
    yield "optimizer_args", STUDY | {"baseline": BASE | {"optimizer_args": {value(): 1}}}


class Asked:
    """What the spec file hands out."""

    spec: Any = None


def answer(place: Path, command: str = "run", case: str = "case") -> list[Problem]:
    """What is wrong, as the command says on its way to exit status 2, having written nothing."""
    before = sorted(place.rglob("*"))
    said, out = io.StringIO(), io.StringIO()
    with redirect_stderr(said), redirect_stdout(out), pytest.raises(SystemExit) as caught:
        main([command, case])
    text = said.getvalue()
    problems = problems_of_exit(caught.value)
    assert all(str(problem) in text for problem in problems)
    assert "Traceback" not in text + out.getvalue()
    assert text.replace("\n", "").isprintable()
    assert len(text) < 100_000
    assert [path for path in sorted(place.rglob("*")) if "__pycache__" not in path.parts] == before
    return problems


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a spec file that hands out whatever this test has put into `Asked`."""
    (tmp_path / "ablations").mkdir()
    text = "from tests.test_hostile_specs import Asked\nSTUDY = SEARCH = Asked.spec\n"
    (tmp_path / "ablations" / "case.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check_kinds(name: str, problems: list[Problem]) -> None:
    """That what is no plain data, or too large, was refused for that."""
    kinds = {problem.kind for problem in problems}
    if name in NO_DATA:
        assert kinds == {Kind.VALUE}, problems
    if name in TOO_LARGE:
        is_key = all('"int"' in problem.what for problem in problems)  # keys are texts
        assert kinds == {Kind.VALUE if is_key else Kind.LIMIT}, problems
    assert kinds.isdisjoint({Kind.PATH, Kind.BUSY, Kind.DATA, Kind.MACHINE, Kind.STATE}), problems


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_anywhere_in_a_study_is_refused_in_words(place: Path, name: str) -> None:
    """Every other place for each value, the others for the next: 1,000 dicts in all."""
    count = 0
    step = 9 if name in LARGE else 2
    for key, spec in islice(cases(HOSTILE[name], name in FREE_TEXT), [*HOSTILE].index(name) % step, None, step):
        if (key, name) == ("augment", "negative") and "Affine" in repr(spec):
            continue  # an angle may be below 0
        Asked.spec = spec
        problems = answer(place)
        assert all(problem.where.startswith(str(Path("ablations", "case.py"))) for problem in problems)
        assert any(key in str(problem) for problem in problems), (key, problems)
        check_kinds(name, problems)
        count += 1
    assert count >= (5 if name in LARGE else 25)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_anywhere_in_a_search_is_refused_in_words(place: Path, name: str) -> None:
    value = HOSTILE[name]
    keys = ("baseline", "space", "runs", "seed", "fresh_seeds", "sampler", "pruner", "random_on", "claim", "x")
    for key in keys[:: 4 if name in LARGE else 1]:
        Asked.spec = SEARCH | {key: value()}
        assert any(key in problem.where for problem in answer(place, "search"))
    for space in (value(), [value(), value()], {"uniform": value()}, {"uniform": [0, value()]}, {"loguniform": [1, 2]}):
        Asked.spec = SEARCH | {"space": {"lr": space}}
        assert any("lr" in problem.where for problem in answer(place, "search"))


@pytest.mark.parametrize(
    ("spec", "kind", "where", "value"),
    [
        ({"variants": {"../up": {"dropout": 0.1}}}, Kind.VALUE, "variants", "'../up'"),
        ({"variants": {"/etc": {"dropout": 0.1}}}, Kind.VALUE, "variants", "'/etc'"),
        ({"variants": {"..": {"dropout": 0.1}}}, Kind.VALUE, "variants", "'..'"),
        ({"variants": {"a\0": {"dropout": 0.1}}}, Kind.VALUE, "variants", r"'a\x00'"),
        ({"variants": {"mean": {"dropout": 0.1}}}, Kind.CONFLICT, "variants", '"mean"'),
        ({"variants": {"v": {"dropout": 0.1}, "V": {"dropout": 0.2}}}, Kind.DUPLICATE, 'variant "V"', ""),
        ({"variants": {"v": {"dropout": 0.1}, "w": {"dropout": 0.1}}}, Kind.DUPLICATE, 'variant "w"', '"v"'),
        ({"variants": {"v": {}}}, Kind.DUPLICATE, 'variant "v"', '"baseline"'),
        ({"factors": {key: list(range(50)) for key in ("lr", "dropout", "epochs")}, "design": "factorial"}, Kind.LIMIT,
         "factors", "132,651"),
        ({"factors": {"lr": [k / 1e5 for k in range(1, 20_000)]}}, Kind.LIMIT, "factors", "19,999"),
        ({"factors": {key: ["x" * 59] for key in Settings.model_fields}, "design": "factorial"}, Kind.LIMIT, "factors",
         "10,000"),
        ({"seeds": 1001}, Kind.VALUE, "seeds", "1001"),
        ({"seeds": [1, 1]}, Kind.DUPLICATE, "seeds", "[1, 1]"),
        ({"questions": [QUESTION | {"compare": ["nobody", "baseline"]}]}, Kind.UNKNOWN, "question 1", '"nobody"'),
        ({"questions": [{"ask": "?"}]}, Kind.CONFLICT, "question 1", "compare, interaction, best_of, trend, value"),
        ({"questions": [QUESTION | {"metric": m} for m in ("x", *METRICS)]}, Kind.UNKNOWN, "question 1: metric", '"x"'),
        ({"baseline": BASE | {"dataset": "no.such:thing"}}, Kind.CODE, "baseline: dataset", "ModuleNotFoundError"),
        ({"baseline": BASE | {"dataset": "tests.hostile_module:leave"}}, Kind.CODE, "baseline: dataset", "SystemExit"),
        ({"baseline": BASE | {"model": "os:environ"}}, Kind.CODE, "baseline: model", "os:environ"),
        ({"baseline": BASE | {"model": "shutil:copyfil"}}, Kind.CODE, "baseline: model", '"copyfile"'),
        ({"baseline": BASE | {"dataset": f"folder:/{'x' * 200}"}, "bad": 1}, Kind.UNKNOWN, "bad", ""),
        ({"baseline": {}}, Kind.MISSING, "baseline: dataset", "mnist5k"),
    ],
)  # fmt: skip
def test_a_malformed_study_is_refused_in_words(
    place: Path, spec: dict[str, Any], kind: Kind, where: str, value: str
) -> None:
    Asked.spec = STUDY | {"questions": []} | spec
    one(answer(place), kind, where, value)


def test_a_search_of_too_many_data_sets_is_refused(place: Path) -> None:
    sizes = {"image_size": list(range(4, 100)), "images_per_class": list(range(1, 100))}
    Asked.spec = {"baseline": BASE, "space": sizes}
    one(answer(place, "search"), Kind.LIMIT, "space", "9,504", "1,000")


@pytest.mark.parametrize(
    ("text", "kind", "where", "value"),
    [
        ("raise ValueError('oh')", Kind.CODE, "case.py:1", "ValueError: oh"),
        ("import sys\nsys.exit(0)", Kind.CODE, "case.py:2", "SystemExit"),
        ("raise SystemExit", Kind.CODE, "case.py:1", "SystemExit"),
        ("raise BaseException", Kind.CODE, "case.py:1", "BaseException"),
        ("raise GeneratorExit('x')", Kind.CODE, "case.py:1", "GeneratorExit"),
        ("raise ExceptionGroup('many', [ValueError('a'), TypeError('b')])", Kind.CODE, "case.py:1", "ExceptionGroup"),
        ("class E(Exception):\n    def __str__(self): raise KeyError\nraise E", Kind.CODE, "case.py:3", "E"),
        ("raise ValueError('x' * 10**6 + chr(27))", Kind.CODE, "case.py:1", "ValueError: xxx"),
        ("def f(): return f()\nSTUDY = f()", Kind.CODE, "case.py:1", "RecursionError"),
        ("STUDY = " + "[" * 5000 + "]" * 5000, Kind.CODE, "case.py", ""),
        ("STUDY = " + "-" * 20_000 + "1", Kind.CODE, "case.py", ""),
        ("STUDY = {", Kind.CODE, "case.py:1", "SyntaxError"),
        ("STUDY = {'a': 1", Kind.CODE, "case.py:1", "SyntaxError"),
        ("\x00", Kind.CODE, "case.py", "null bytes"),
        ("import no_such_module", Kind.CODE, "case.py:1", "'no_such_module'"),
        ("STUDY: dict", Kind.MISSING, "case.py", "STUDY = {...}"),
        ("__doc__ = 5\nSTUDY = 5", Kind.VALUE, "case.py", "5"),
        ("SEARCH = {}", Kind.MISSING, "case.py", "python -m runner search case"),
        ("STUDY = None", Kind.VALUE, "case.py", "None"),
        ("# -*- coding: nonsense -*-\nSTUDY = {}", Kind.CODE, "case.py", "SyntaxError"),
        ("import sys\nsys.setrecursionlimit(60)\nSTUDY = {}", Kind.CODE, "case.py", ""),
    ],
)
def test_a_spec_file_that_cannot_be_run_is_refused_in_words(
    place: Path, text: str, kind: Kind, where: str, value: str
) -> None:
    (place / "ablations" / "case.py").write_text(text)
    limit = sys.getrecursionlimit()
    try:
        one(answer(place), kind, where, value)
    finally:
        sys.setrecursionlimit(limit)


def test_files_that_are_none_are_refused_in_words(place: Path) -> None:
    file = place / "ablations" / "case.py"
    file.write_bytes(b"STUDY = '\xff\xfe'")
    one(answer(place), Kind.CODE, "case.py", "SyntaxError")
    file.unlink()
    file.mkdir()
    one(answer(place), Kind.UNKNOWN, "case.py")
    file.rmdir()
    file.symlink_to(file)
    one(answer(place), Kind.UNKNOWN, "case.py")
    for case, where in (("../" * 50 + "etc/passwd", "etc/passwd"), ("x" * 5000, "xxx"), ("a\0b", "a\0b")):
        one(answer(place, case=case), Kind.UNKNOWN, where)


def test_a_study_with_a_name_that_no_directory_can_have_is_refused(place: Path) -> None:
    for stem in ("x" * 240, "a\nb"):
        (place / "ablations" / f"{stem}.py").write_text(f"STUDY = {STUDY!r}")
        one(answer(place, case=stem), Kind.VALUE, f"{stem}.py", repr(f"{stem}-digits")[1:40])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from(["v", "lr"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    | st.dictionaries(st.sampled_from([*STUDY, *Settings.model_fields, *QUESTION]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.sampled_from([*STUDY, "design"]), anything)
def test_whatever_stands_there_it_is_a_study_or_refused(key: str, value: Any) -> None:
    problems: list[Problem] = []
    try:
        resolve(Path("case.py"), STUDY | {key: value}, "", Overrides())
    except RequestError as error:
        problems = error.problems
    assert all(str(problem).isprintable() for problem in problems)


@pytest.mark.parametrize(
    ("options", "kind", "where", "value"),
    [
        (["--set", "lr=" + "9" * 5000], Kind.VALUE, "baseline: lr", "9999"),
        (["--set", "lr=" + "[" * 5000 + "]" * 5000], Kind.VALUE, "baseline: lr", "[[["),
        (["--set", "lr={1: 2}"], Kind.VALUE, "command line: lr", '"int"'),
        (["--set", "model_args=b'x'"], Kind.VALUE, "command line: model_args", '"bytes"'),
        (["--set", "=1"], Kind.VALUE, "--set =1", "KEY=VALUE"),
        (["--set", "\udcff=1"], Kind.VALUE, "command line", ""),
        (["--dataset", "\udcff"], Kind.VALUE, "command line: dataset", ""),
        (["--dataset", "folder:\0"], Kind.PATH, "\0", ""),
        (["--seeds", "9" * 5000], Kind.VALUE, "--seeds", "9999"),
        (["--seeds", "²"], Kind.VALUE, "--seeds", "²"),
        (["--seeds", "-1"], Kind.VALUE, "--seeds", '"-1"'),
        (["--variants", "../x"], Kind.UNKNOWN, "--variants", '"../x"'),
    ],
)
def test_a_hostile_command_line_is_refused_in_words(
    place: Path, options: list[str], kind: Kind, where: str, value: str
) -> None:
    (place / "ablations" / "case.py").write_text(f"STUDY = {STUDY!r}")
    before, said = sorted(place.rglob("*")), io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit) as caught:
        main(["run", "case", *options])
    one(problems_of_exit(caught.value), kind, where, value)
    assert said.getvalue().replace("\n", "").isprintable()
    assert [path for path in sorted(place.rglob("*")) if "__pycache__" not in path.parts] == before
