"""Turns a study's dict and the command line into checked variants, runs and questions; reports all problems at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from runner.catalog import MODEL_SETTINGS, reads
from runner.expand._cells import declared_cells, slug
from runner.expand._overrides import Overrides
from runner.expand._own import about_new_images, check_own_variants, checked_name, own_name
from runner.expand._runs import ResolvedStudy, Variant
from runner.spec import (
    BASELINE,
    NO_LIMIT,
    FreeSettings,
    Kind,
    Mistake,
    Problem,
    Question,
    RequestError,
    Settings,
    dataset_label,
    level_of,
    mistake_of,
    neutral_values,
    own_code,
    parse,
    parse_questions,
    parse_settings,
    plan_seeds,
    problems_of,
    shown,
    suggest,
)


def resolve(
    file: Path, data: Any, doc: str, overrides: Overrides, trained: Callable[[str], bool] = lambda _: False
) -> ResolvedStudy:
    """Resolves one study's dict with the command line's changes. Raises RequestError with every problem.

    `trained` says whether a variant's directory of this name has a finished run. Then torch and Albumentations, which
    take seconds to import, are not asked again whether they know the variant's settings.
    """
    where = str(file)
    study = parse(data, where)
    forced = overrides.forced()
    declared, problems = declared_cells(study, forced, where)
    if study.own:
        variants, more = check_own_variants(declared, study.own, study.baseline, overrides, where)
    else:
        variants, more = _check_variants(declared, study.baseline, forced, where, trained)
    questions, wrong = parse_questions(study, where)
    wrong += about_new_images(questions, where) if study.own else []
    names = [name for name, _ in declared]
    problems += more + wrong + _check_questions(questions, names, variants, where)
    selected, wrong = _select(overrides.variants, names)
    problems += wrong
    try:
        seeds = plan_seeds(overrides.seeds if overrides.seeds is not None else study.seeds, overrides.first_seed)
    except ValueError as error:
        problems.append(mistake_of(error).at("--seeds"))
    else:
        if seeds.is_sequential and not study.questions:
            what = "seeds are added until questions are answered, and the study asks none; add some, or give a number."
            problems.append(Problem(Kind.MISSING, f"{where}: questions", what))
    if problems:
        raise RequestError(problems)
    by_name = {variant.name: variant for variant in variants}
    return ResolvedStudy(
        name=own_name(file, forced) if study.own else run_name(file, by_name[BASELINE].ours, study.baseline, forced),
        file=file,
        doc=doc,
        variants=tuple(variants),
        selected=tuple(by_name[name] for name in selected),
        seeds=seeds,
        questions=_with_data(questions.values(), study.baseline.get("dataset"), by_name[BASELINE]),
        own=study.own,
    )


def _check_variants(
    declared: list[tuple[str, dict[str, Any]]],
    written: dict[str, Any],
    forced: dict[str, Any],
    where: str,
    trained: Callable[[str], bool],
) -> tuple[list[Variant], list[Problem]]:
    """Returns checked variants, and every problem once, where it was written."""
    baseline = written | forced
    variants: list[Variant] = []
    problems: list[Problem] = []
    said: set[tuple[str, Mistake]] = set()  # problems of the baseline, which its variants inherit
    names_of: dict[str, str] = {}
    reference: Settings | None = None
    for name, changes in declared:
        place = f"{where}: {BASELINE}" if name == BASELINE else f'{where}: variant "{name}"'
        settings, wrong = parse_settings(baseline | changes, place)
        inherited = {f"{place}: {key}" for key in baseline.keys() - changes.keys()} if name != BASELINE else set()
        missing = {p for p in wrong if name != BASELINE and p.kind is Kind.MISSING and reference is None}
        problems += [p for p in wrong if p.where not in inherited and p not in missing]
        if settings is None:
            continue
        if name == BASELINE:
            models = [str(own["model"]) for _, own in declared if "model" in own]
            idle = ignored_settings(settings, effective(settings, written, forced), models)
        else:
            idle = ignored_settings(settings, changes)
        asked = own_code(settings) or not trained(f"{name}-{settings.digest()}")  # your code may have changed
        for key, mistake in ((problems_of(settings) if asked else {}) | idle).items():
            if (key, mistake) not in said:
                problems.append(mistake.at(f"{place}: {key}"))
            if name == BASELINE:
                said.add((key, mistake))
        reference = settings if name == BASELINE else reference
        twin = names_of.setdefault(settings.digest(), name)
        if twin != name:
            what = f'its settings equal those of "{twin}"; change a setting, or remove the variant.'
            problems.append(Problem(Kind.DUPLICATE, place, what))
        differences = settings.differences(reference) if reference else dict(changes)
        variants.append(Variant(name, settings, differences))
    return variants, problems


def effective(settings: Settings, written: dict[str, Any], forced: dict[str, Any]) -> list[str]:
    """Returns the settings of a baseline that must have an effect: those that are not neutral.

    Where the command line names another model, these are only settings that the command line names.
    """
    given = forced if forced.get("model", written.get("model")) != written.get("model") else written | forced
    plain, neutral = settings.plain(), neutral_values()
    return [key for key in given if key not in neutral or plain[key] != neutral[key]]


def ignored_settings(settings: Settings, changes: Iterable[str], heirs: Iterable[str] = ()) -> dict[str, Mistake]:
    """Returns the changed settings without effect: neither the model nor the models of `heirs` read them."""
    own, *others = (reads(model) for model in (settings.model, *heirs))
    what = f'the model "{settings.model}" ignores this setting; remove it. It reads {", ".join(sorted(own))}.'
    return {
        key: Mistake(Kind.IGNORED, what) for key in changes if key in MODEL_SETTINGS and key not in own.union(*others)
    }


def _with_data(questions: Iterable[Question], declared: object, baseline: Variant) -> tuple[Question, ...]:
    """Returns the questions; a claim that names no data set is about the one in the study's file."""
    if isinstance(baseline.settings, FreeSettings):
        return tuple(questions)
    own = dataset_label(declared if isinstance(declared, str) else baseline.settings.dataset)
    return tuple(
        question.model_copy(update={"claim_for": (own,)}) if question.claim and not question.claim_for else question
        for question in questions
    )


def _check_questions(
    questions: dict[int, Question], names: list[str], variants: list[Variant], where: str
) -> list[Problem]:
    """Returns the problems of questions about unknown variants or settings, and of questions that occur twice."""
    problems = []
    first: dict[str, int] = {}
    for number, question in questions.items():
        if first.setdefault(question.ask, number) != number:
            what = f'got the words of question {first[question.ask]}, "{question.ask}"; expected different words.'
            problems.append(Problem(Kind.DUPLICATE, f"{where}: question {number}: ask", what))
        problems += [
            Problem(
                Kind.UNKNOWN, f"{where}: question {number}", f'there is no variant "{name}". {suggest(name, names)}'
            )
            for name in question.variants()
            if name not in names
        ]
        known = variants[0].settings.plain() if variants else {}
        if question.trend and known and question.trend not in known:
            what = f'unknown setting "{question.trend}". {suggest(question.trend, known)}'
            problems.append(Problem(Kind.UNKNOWN, f"{where}: question {number}: trend", what))
        elif question.trend and (wrong := _no_trend(question.trend, variants)):
            problems.append(wrong.at(f"{where}: question {number}: trend"))
    return problems


def _no_trend(key: str, variants: list[Variant]) -> Mistake | None:
    """Returns why a slope over a setting can't be computed; None where it can."""
    levels = [variant.settings.plain()[key] for variant in variants if variant.changes.keys() <= {key}]
    if len(levels) < 2:
        what = f'no variant changes only "{key}", so there is no trend; add such variants.'
        return Mistake(Kind.MISSING, what)
    odd = [level for level in levels if level_of(key, level) in (None, math.inf)]
    if not odd:
        return None
    meaning = f", which means {NO_LIMIT[key]}," if key in NO_LIMIT else ""
    what = f'"{key}" has the value {shown(odd[0])}{meaning} among its levels; expected numbers in a trend.'
    return Mistake(Kind.VALUE, what)


def _select(asked: str | Sequence[str] | None, names: list[str]) -> tuple[list[str], list[Problem]]:
    """Returns the variants to train in the study's order, always with the baseline, and the unknown names."""
    if not asked:
        return names, []
    if isinstance(asked, str):
        asked = _listed(asked, names)
    unknown = {name: f'there is no variant "{name}". {suggest(name, names)}' for name in asked if name not in names}
    problems = [Problem(Kind.UNKNOWN, "--variants", what) for what in unknown.values()]
    return [name for name in names if name == BASELINE or name in asked], problems


def _listed(text: str, names: list[str]) -> list[str]:
    """Splits a list at its commas. Names may contain commas, so the longest known name wins."""
    found = []
    while text:
        known = [name for name in names if text == name or text.startswith(f"{name},")]
        name = max(known, key=len, default=text.partition(",")[0])
        found.append(name.strip())
        text = text[len(name) + 1 :].lstrip()
    return found


def run_name(file: Path, baseline: Settings, declared: dict[str, Any], forced: dict[str, Any]) -> str:
    """Returns <study>-<dataset>, and +key=value for each setting that the command line really changed.

    Raises RequestError where this can't name a directory.
    """
    plain = baseline.plain()
    neutral = neutral_values()
    changed = {key for key in forced if key != "dataset" and plain[key] != declared.get(key, neutral.get(key))}
    parts = [
        f"{file.stem}-{slug(dataset_label(baseline.dataset))}",
        *(f"{key}={slug(plain[key])}" for key in sorted(changed)),
    ]
    return checked_name(file, "+".join(parts))
