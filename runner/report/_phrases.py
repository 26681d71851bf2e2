"""What a verdict's answer carries with it: in short, for one line, and as a sentence, for its section."""

from __future__ import annotations

from runner.catalog import MONITORS
from runner.spec import Question
from runner.store import StudyFile
from runner.verdicts import (
    EQUIVALENT,
    FAILED_RUNS,
    FEW_IMAGES,
    HOPELESS,
    REFUTED,
    UNDECIDED,
    Exploratory,
    Verdict,
)

Phrase = tuple[str, str]  # in short, and as a sentence
_NOTHING: Phrase = ("", "")
WHY: dict[Exploratory, Phrase] = {
    Exploratory.LATE: (
        "declared after the runs",
        "The question was declared after runs that it judges, so it is exploratory.",
    ),
    Exploratory.SEEDS: (
        "seeds changed after a verdict",
        "The planned seeds were changed after a verdict had been seen, so it is exploratory: looking again after "
        "adding seeds errs more often than .05.",
    ),
    Exploratory.DELETED: (
        "another question was deleted after the runs",
        "It is decided only because another question was deleted after its runs, so it is exploratory.",
    ),
}


def standing(verdict: Verdict) -> Phrase:
    """At which look a question was decided, or why it is open or gets no more seeds."""
    plan = verdict.plan
    if plan is None:
        return _NOTHING
    most = plan.looks[-1]
    if not plan.is_sequential:
        return _NOTHING if verdict.looks else (f"; so far {verdict.ended} of {most} planned seeds", "")
    if verdict.decided:
        seeds, look = plan.looks[verdict.decided - 1], verdict.decided
        return (
            f" (at look {look}, {seeds} seeds)",
            f"It was decided at look {look} of {len(plan.looks)}, with {seeds} seeds.",
        )
    if verdict.answer != UNDECIDED:
        return _NOTHING
    if not verdict.looks:
        return f"; the first look is at {plan.looks[0]} seeds", ""
    seeds = plan.looks[verdict.looks - 1]
    reasons: dict[str, Phrase] = {
        FEW_IMAGES: (
            f"; whatever the number of seeds, that takes about {verdict.images:,} images",
            f"More seeds would not decide it. New images count as random too, and that takes about {verdict.images:,} "
            "of them.",
        ),
        FAILED_RUNS: (
            f" after {seeds} seeds, because of failed runs",
            "It asks for no more seeds, because failed runs leave it open.",
        ),
        HOPELESS: (
            f" after {seeds} seeds; {most} would very likely not decide it",
            f"Even if differences vary as little as is plausible, {most} seeds would hardly decide it. So it gets no "
            "more seeds.",
        ),
    }
    if verdict.closed in reasons:
        return reasons[verdict.closed]
    count = f"all {most}" if seeds == most else f"{seeds} of at most {most}"
    return f" after {count} seeds", f"It has used {count} seeds."


def size(verdict: Verdict) -> Phrase:
    """What an answer says about the smallest difference that matters. Yes and no are about zero."""
    several, refuted = len(verdict.comparisons) > 1, verdict.answer == REFUTED
    small = number_text(verdict.question.smallest or 0.0, verdict.question, sign=False)
    if verdict.answer == EQUIVALENT:
        return (f", all within {small} of each other" if verdict.question.best_of else f", within {small}"), ""
    if verdict.too_small:
        what = "all differences are" if several else "the difference is"
        return f", but smaller than the {small} that matter", f"But {what} smaller than the {small} that matter."
    if verdict.at_least is None:
        return _NOTHING
    if verdict.at_least:
        each = "At least one difference in that direction is" if refuted else "Each difference is"
        shown = f"{each if several else 'It is'} shown to be at least the {small} that matter."
        return f", by at least the {small} that matter", shown
    each = "No difference in that direction is" if refuted else "Not every difference is"
    return (
        f", but not shown to be at least {small}",
        f"{each if several else 'It is not'} shown to be at least the {small} that matter.",
    )


def number_text(value: float, question: Question, sign: bool = True, unit: bool = True) -> str:
    """A value of the question's metric, with its unit."""
    return question.measure.unit.text(value, sign, unit)


def best_epoch(study: StudyFile) -> str:
    """Returns which epoch is a run's best one, such as "the epoch of the lowest validation loss"."""
    named = {str(variant.settings.get("monitor", "val/loss")) for variant in study.variants.values()}
    if len(named) > 1 or not named <= MONITORS.keys():
        return "the best epoch, which each variant's setting `monitor` chooses"
    return f"the epoch of the {MONITORS[named.pop()].meaning}"
