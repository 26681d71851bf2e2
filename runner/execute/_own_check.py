"""What is wrong with a study's own training, as far as it shows before a run."""

from __future__ import annotations

import shutil
from pathlib import Path

from runner.execute._placeholders import placeholders
from runner.expand import Run
from runner.spec import Kind, OwnTraining, Problem, call_mistake, suggest

_GIVEN = ("seed", "folder")  # placeholders that every command has
_SCRIPTS = (".py", ".sh", ".R", ".jl")  # the ends of arguments that name a program's text


def own_problems(run: Run) -> list[Problem]:
    """Returns the problems of a run's own training: a function that can't be called, a command that can't run."""
    training = run.own
    if training is None:
        return []
    if training.train:
        mistake = call_mistake(training.train, "(settings, run)", {}, None)
        return [mistake.at(f"{run.study}: train")] if mistake else []
    return _command_problems(run, training)


def _command_problems(run: Run, training: OwnTraining) -> list[Problem]:
    where, known = f"{run.study}: command", [*run.variant.settings.plain(), *_GIVEN]
    names = placeholders(training.command)
    problems = [
        Problem(Kind.UNKNOWN, where, f"there is no setting {{{name}}}. {suggest(name, known)} A brace is {{{{.")
        for name in names
        if name not in known
    ]
    if unused := [key for key in run.variant.changes if key not in names]:
        what = f"{', '.join(unused)} is not in the command, so it changes nothing; add {{{unused[0]}}} to an argument."
        problems.append(Problem(Kind.IGNORED, where, what))
    if "seed" not in names:
        what = "it has no {seed}, so all seeds would be the same; add it to an argument."
        problems.append(Problem(Kind.MISSING, where, what))
    program, *arguments = training.command
    if "{" not in program and not shutil.which(program):
        problems.append(Problem(Kind.PATH, where, f'there is no program "{program}" here; write its path.'))
    problems += [
        Problem(Kind.PATH, where, f"{text} is not there; commands run where you typed yours, in {Path.cwd()}.")
        for text in arguments
        if text.endswith(_SCRIPTS) and "{" not in text and not Path(text).is_file()
    ]
    return problems
