"""Studies with their own training: their settings are any plain data, and the baseline names all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.expand._cells import slug
from runner.expand._overrides import Overrides
from runner.expand._runs import Variant
from runner.spec import BASELINE, FreeSettings, Kind, OwnTraining, Problem, Question, RequestError, shown, suggest

_LONGEST_NAME = 200  # bytes; disks take 255, and some files add to the name
_TAKEN = ("seed", "folder")  # placeholders of a command that the runner fills


def check_own_variants(
    declared: Sequence[tuple[str, dict[str, Any]]],
    training: OwnTraining,
    written: dict[str, Any],
    overrides: Overrides,
    where: str,
) -> tuple[list[Variant], list[Problem]]:
    """Returns the variants of a study with its own training, and every problem of their settings."""
    forced = overrides.forced()
    problems = _check_keys(declared, written, overrides, where)
    baseline = written | forced
    reference = FreeSettings(baseline, training)
    variants: list[Variant] = []
    names_of: dict[str, str] = {}
    for name, changes in declared:
        settings = FreeSettings(baseline | changes, training)
        twin = names_of.setdefault(settings.digest(), name)
        if twin != name:
            what = f'its settings equal those of "{twin}"; change a setting, or remove the variant.'
            problems.append(Problem(Kind.DUPLICATE, f'{where}: variant "{name}"', what))
        variants.append(Variant(name, settings, settings.differences(reference)))
    return variants, problems


def _check_keys(
    declared: Sequence[tuple[str, dict[str, Any]]], written: dict[str, Any], overrides: Overrides, where: str
) -> list[Problem]:
    """Returns the problems of settings that the baseline does not name, and of --dataset, which has no meaning here."""
    problems = []
    if overrides.dataset is not None:
        what = "the study trains its runs itself, so it has no data set to choose; use --set, or remove --dataset."
        problems.append(Problem(Kind.CONFLICT, "--dataset", what))
    places = {f'{where}: variant "{name}"': changes for name, changes in declared if name != BASELINE}
    for place, changes in {**places, "--set": overrides.settings}.items():
        for key in changes.keys() - written.keys():
            what = f"unknown setting: the baseline does not name it. {suggest(key, written)}"
            problems.append(Problem(Kind.UNKNOWN, f"{place}: {shown(key)[1:-1]}", what))
    for key in written:
        if key in _TAKEN:
            what = f'"{key}" is what the runner gives to every run; choose another name.'
            problems.append(Problem(Kind.CONFLICT, f"{where}: {BASELINE}: {key}", what))
    return problems


def about_new_images(questions: Mapping[int, Question], where: str) -> list[Problem]:
    """Returns a problem for each question about new images: own training leaves no predictions of each image."""
    what = '"images": "new" needs the predictions of each image, which own training does not leave; remove it.'
    return [
        Problem(Kind.CONFLICT, f"{where}: question {number}: images", what)
        for number, question in questions.items()
        if question.images == "new"
    ]


def own_name(file: Path, forced: dict[str, Any]) -> str:
    """Returns the study's name: its file's, and +key=value for each setting that the command line gives.

    Raises RequestError where this can't name a directory.
    """
    given = [f"{key}={slug(value)}" for key, value in sorted(forced.items()) if key != "dataset"]
    return checked_name(file, "+".join([file.stem, *given]))


def checked_name(file: Path, name: str) -> str:
    """Returns the name of a study's directory. Raises RequestError where it can't be one."""
    if len(name.encode()) > _LONGEST_NAME or not file.stem.isprintable():
        what = f"its runs' directory would be {shown(name)}, which is too long or not printable; rename the file, "
        raise RequestError([Problem(Kind.VALUE, str(file), what + "or write the --set values into it.")])
    return name
