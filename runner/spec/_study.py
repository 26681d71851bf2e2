"""A study: one Python dict in `ablations/`, read, checked and frozen."""

from __future__ import annotations

import ast
import re
import runpy
import traceback
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import Field

from runner.measures import TAKEN
from runner.spec._fields import is_reference
from runner.spec._folders import FOLDER, available, bundled, find_file, folders, is_file, text_of
from runner.spec._namesake import hint_of
from runner.spec._own import OwnTraining
from runner.spec._plain import plain
from runner.spec._problems import Kind, Mistake, Problem, Refusal, RequestError, describe, from_pydantic, shown, suggest
from runner.spec._questions import Question
from runner.spec._seeds import plan_seeds
from runner.spec._settings import Settings
from runner.typed import command

BASELINE = "baseline"
_AGAIN = "fix the file and try again."
_COMMANDS = {"STUDY": "run", "SEARCH": "search"}  # what a file may assign, and the command for it
RESERVED = {"mean"}  # the runner's own directory beside those of the seeds
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=,\[\]-]{0,79}")


class Study(pydantic.BaseModel):
    """The dict as written, with its shape checked. `runner.expand` checks the settings in it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    baseline: dict[str, Any] = Field(description="a dict: the reference settings")
    variants: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description='a dict from a variant\'s name to what it changes, such as {"dropout": 0.5}'
    )
    factors: dict[str, list[Any]] | list[str] = Field(
        default_factory=dict,
        description='a dict from a setting to its levels, such as {"dropout": [0.1, 0.5]}; '
        "for leave_one_out also a list of settings",
    )
    design: Literal["one_at_a_time", "leave_one_out", "factorial"] = Field(
        default="one_at_a_time", description="one of one_at_a_time, leave_one_out, factorial"
    )
    seeds: int | list[int] | dict[str, Any] = Field(
        default=5,
        description="a number of seeds from 1 to 1000, a list of different seeds from 0, or a dict such as "
        '{"first": 5, "most": 27}',
    )
    questions: tuple[dict[str, Any], ...] = Field(default=(), strict=False, description="a list of dicts")
    train: str = Field(default="", description='"package.module:function", called with (settings, run)')
    command: tuple[str, ...] = Field(
        default=(), strict=False, description='a list of texts, such as ["python", "train.py", "--seed", "{seed}"]'
    )
    metrics: dict[str, Literal["more", "less"]] = Field(
        default_factory=dict, description='a dict from a metric\'s name to "more" or "less": which way is better'
    )
    monitor: str = Field(default="", description="one of the metrics")
    time_limit: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="seconds above 0")

    @pydantic.field_validator("seeds")
    @classmethod
    def _seeds_make_sense(cls, value: int | list[int] | dict[str, Any]) -> int | list[int] | dict[str, Any]:
        plan_seeds(value)
        return value

    @pydantic.field_validator("factors")
    @classmethod
    def _factors_have_levels(cls, value: dict[str, list[Any]] | list[str]) -> dict[str, list[Any]] | list[str]:
        empty = [key for key, levels in value.items() if not levels] if isinstance(value, dict) else []
        if empty:
            names = ", ".join(shown(key) for key in empty)
            raise Refusal(Kind.MISSING, f"no levels for {names}; give at least one, or remove the setting.")
        return value

    @pydantic.model_validator(mode="after")
    def _own_training_is_whole(self) -> Study:
        if self.train and self.command:
            raise Refusal(Kind.CONFLICT, 'got "train" and "command"; expected one of them.')
        if self.train and not is_reference(self.train):
            raise Refusal(Kind.VALUE, f'train: got {shown(self.train)}; expected "package.module:function".')
        own = [key for key in ("metrics", "monitor", "time_limit") if getattr(self, key)]
        if own and not (self.train or self.command):
            what = f'"{own[0]}" is for a study with its own "train" or "command"; add one of them, or remove it.'
            raise Refusal(Kind.CONFLICT, what)
        if (self.train or self.command) and not self.metrics:
            what = '"metrics" is missing: say which metrics count, such as {"val/accuracy": "more"}.'
            raise Refusal(Kind.MISSING, what)
        if taken := sorted(TAKEN & self.metrics.keys()):
            what = f'metrics: "{taken[0]}" is a column of the runner\'s own tables; choose another name.'
            raise Refusal(Kind.CONFLICT, what)
        if self.monitor and self.monitor not in self.metrics:
            raise Refusal(Kind.UNKNOWN, f'monitor: got "{self.monitor}". {suggest(self.monitor, self.metrics)}')
        if self.time_limit and not self.command:
            raise Refusal(Kind.CONFLICT, '"time_limit" is for a "command"; a function can look at the time itself.')
        return self

    @property
    def own(self) -> OwnTraining | None:
        """How the study trains its runs itself; None where the runner trains them."""
        if not self.train and not self.command:
            return None
        return OwnTraining(self.train, self.command, self.metrics, self.monitor, self.time_limit)

    @pydantic.model_validator(mode="after")
    def _only_leave_one_out_lists_bare_settings(self) -> Study:
        if isinstance(self.factors, list) and self.design != "leave_one_out":
            what = f'"factors" as a list of settings needs "design": "leave_one_out", not "{self.design}".'
            raise Refusal(Kind.CONFLICT, what)
        return self


def check_name(name: str) -> Mistake | None:
    """Returns why `name` can't name a variant and its directory; None where it can."""
    if not _NAME.fullmatch(name):
        what = (
            f"{shown(name)} can't name a directory; use up to 80 letters, digits and . _ + = , -, "
            "beginning with a letter or digit."
        )
        return Mistake(Kind.VALUE, what)
    if name.lower() in RESERVED:
        return Mistake(Kind.CONFLICT, f'the runner itself uses the name "{name}" for a directory; choose another.')
    return None


def read_file(name: str, folder: Path | None = None, constant: str = "STUDY") -> tuple[Path, Any, str]:
    """Runs a spec file, given by name or path; returns its path, its STUDY (or SEARCH) and its docstring.

    Without `folder`, a name is looked up in `ablations/`, and then among the studies that come with the package.

    Raises RequestError where it can't be read.
    """
    file = find_file(name, folder)
    if not is_file(file):
        what = f"there is no such {constant.lower()}. {suggest(name, available(folder, constant))}"
        raise RequestError([Problem(Kind.UNKNOWN, str(file), what)])
    try:
        module = runpy.run_path(str(file))
    except BaseException as error:  # a spec file may raise anything, even SystemExit
        if isinstance(error, KeyboardInterrupt):
            raise
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else (lines or [None])[-1]
        where = f"{file}:{line}" if line else str(file)
        raise RequestError(
            [Problem(Kind.CODE, where, f"the file raised {describe(error)}; {hint_of(error) or _AGAIN}")]
        ) from error
    if constant not in module:
        other = next((c for c in _COMMANDS if c in module), None)
        hint = f"it assigns a {other}: {command(_COMMANDS[other], name)}" if other else f"write {constant} = {{...}}"
        raise RequestError([Problem(Kind.MISSING, str(file), f"the file assigns no {constant}; {hint}.")])
    doc = module.get("__doc__")
    return file, module[constant], doc if isinstance(doc, str) else ""


def parse(data: Any, where: str) -> Study:
    """Returns the dict as a Study. Raises RequestError with every problem of its outer shape."""
    data = plain(data, where)
    if not isinstance(data, dict):
        raise RequestError([Problem(Kind.VALUE, where, f"STUDY is {shown(data)}; expected a dict.")])
    try:
        return Study.model_validate(data)
    except pydantic.ValidationError as error:
        raise RequestError(from_pydantic(error, where, Study)) from error


def parse_settings(data: dict[str, Any], where: str) -> tuple[Settings | None, list[Problem]]:
    """Returns checked settings, or None and what is wrong with them."""
    try:
        return Settings.model_validate(data), []
    except pydantic.ValidationError as error:
        return None, from_pydantic(error, where, Settings)


def parse_questions(study: Study, where: str) -> tuple[dict[int, Question], list[Problem]]:
    """Returns the study's questions by number (from 1), and the problems of those that can't be read."""
    questions: dict[int, Question] = {}
    problems: list[Problem] = []
    for number, data in enumerate(study.questions, start=1):
        try:
            questions[number] = Question.model_validate(data, context=study.own.measures if study.own else None)
        except pydantic.ValidationError as error:
            problems += from_pydantic(error, f"{where}: question {number}", Question)
    return questions, problems


def listing() -> list[str]:
    """Returns lines: each folder with studies, and what each of its studies and searches asks."""
    lines: list[str] = []
    seen: set[str] = set()
    for folder in folders():
        names = sorted({*available(folder), *available(folder, "SEARCH")})
        if not names:
            continue
        lines += [""] if lines else []
        lines.append(f"with the package, in {folder}:" if folder == bundled() else f"in {folder}/:")
        for name in names:
            asked = f"({FOLDER}/ has another)" if name in seen else first_line(folder / f"{name}.py")
            lines.append(f"  {name:<20} {asked}")
        seen |= set(names)
    return lines


def first_line(file: Path) -> str:
    """Returns the first line of a spec file's docstring, without running the file."""
    try:
        return (ast.get_docstring(ast.parse(text_of(file))) or "").partition("\n")[0]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return "(can't be read)"
