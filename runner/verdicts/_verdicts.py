"""A question and the runs to a verdict: supported, refuted, practically equivalent or undecided."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runner.spec import Question, dataset_label, read_plan
from runner.stats import ALPHA
from runner.verdicts._comparisons import comparisons, detailed, wins
from runner.verdicts._imbalance import Majority, Narrow
from runner.verdicts._looks import Progress, adjust, family_size, look_at
from runner.verdicts._needed import needed
from runner.verdicts._runs import StudyRuns
from runner.verdicts._track import Track
from runner.verdicts._verdict import Exploratory, Verdict
from runner.verdicts._warnings import TwoGroups, mostly_cut_off, two_groups
from runner.verdicts._weigh import EQUIVALENT, SUPPORTED, UNDECIDED


def judge(data: StudyRuns) -> list[Verdict]:
    """Every question of the study, at the looks that its runs allow, adjusted by Holm.

    Those declared before the runs are adjusted among themselves, each exploratory one among all.
    """
    context = _Context.of(data)
    tracks = _tracks(data)
    look_at(data, tracks)
    reasons = {id(track): why for track in tracks if (why := _reasons(data, track))}
    sequential = data.is_sequential
    for track in _freed(tracks, sequential):
        reasons.setdefault(id(track), []).append(Exploratory.DELETED)
    sizes = {late: family_size(tracks, late, sequential) for late in (False, True)}
    return [
        _verdict(data, track, tuple(reasons.get(id(track), ())), sizes[track.exploratory], context)
        for track in tracks
        if not track.deleted
    ]


def progress(data: StudyRuns) -> Progress:
    """How far the study is: which questions are open, and how many seeds each variant needs now."""
    return look_at(data, _tracks(data))


@dataclass(frozen=True)
class _Context:
    """What every question's answer may have to mention."""

    narrow: list[Narrow]
    majority: Majority | None
    dataset: str
    two_groups: list[TwoGroups]
    unseen: int

    @classmethod
    def of(cls, data: StudyRuns) -> _Context:
        """What this study's answers may have to mention."""
        dataset = dataset_label(str(data.study.baseline.get("dataset", "")))
        groups = [found for name in data.trained if (found := two_groups(data, name))]
        known = {seed for earlier in data.study.earlier_seeds for seeds in earlier.ended.values() for seed in seeds}
        return cls(data.narrow, data.majority, dataset, groups, max([-1, *known, *map(int, data.runs["seed"])]) + 1)


def _tracks(data: StudyRuns) -> list[Track]:
    asked = [Track(declared, _variants(data, declared.question)) for declared in data.questions]
    for track in asked:
        track.exploratory = bool(_reasons(data, track))
    gone = [Track(declared, _variants(data, declared.question), deleted=True) for declared in data.deleted]
    return [*asked, *(track for track in gone if Exploratory.LATE not in _reasons(data, track))]


def _variants(data: StudyRuns, question: Question | None) -> tuple[str, ...]:
    if question is None:
        return ()
    return tuple(data.levels(question.trend, of_all=True)) if question.trend else tuple(question.variants())


def _reasons(data: StudyRuns, track: Track) -> list[Exploratory]:
    """Why a question's verdict is exploratory, whatever its runs say."""
    ends = [end for name in track.variants if (end := data.first_ends.get(name))]
    late = bool(data.study.adopted) or (bool(ends) and track.declared.when > min(ends))
    return [Exploratory.LATE] * late + [Exploratory.SEEDS] * _seeds_changed(data, track.variants)


def _seeds_changed(data: StudyRuns, variants: Sequence[str]) -> bool:
    """Whether the plan has seeds that an earlier plan's verdict on these variants had seen. The first plan stays."""
    plan, earlier = data.plan, data.study.earlier_seeds
    if plan is None or (earlier and earlier[0].seeds == plan.plain()):
        return False
    for before in earlier:
        entries = [data.study.variants.get(name) for name in variants]
        seen = [set(before.ended.get(entry.directory, ())) if entry else set() for entry in entries]
        known = read_plan(before.seeds)
        first = len(known.first) if known else 2  # seeds that a verdict took
        common = set.intersection(*seen) & set(known.seeds if known else plan.seeds) if seen else set()
        if len(common) >= first and common & set(plan.seeds):
            return True
    return False


def _freed(tracks: list[Track], sequential: bool) -> Iterator[Track]:
    """Yields the questions that are decided only because others were deleted; they get the smaller p-values."""
    kept = [track for track in tracks if not track.deleted]
    if len(kept) == len(tracks):
        return
    counted = {id(track): (track.difference.adjusted, track.equivalence.adjusted) for track in kept}
    before = {id(track) for track in kept if track.differs or track.is_equivalent}
    adjust(kept, sequential)
    for track in kept:
        if id(track) not in before and (track.differs or track.is_equivalent):
            yield track
        else:
            track.difference.adjusted, track.equivalence.adjusted = counted[id(track)]


def _verdict(
    data: StudyRuns, track: Track, reasons: tuple[Exploratory, ...], family: int, context: _Context
) -> Verdict:
    question = track.question
    if question is None:
        return Verdict(track.declared, (), UNDECIDED, SUPPORTED, math.nan)
    decides = track.difference if track.differs else track.equivalence if track.is_equivalent else None
    look = decides.look if decides else len(track.looks)
    view, spent = _seen_at(data, look)
    found = track.looks[look - 1] if look else tuple(comparisons(view, question))
    quoted = question.claim_for is None or context.dataset in question.claim_for
    return Verdict(
        track.declared,
        tuple(detailed(view, question, each).at(1 - spent) for each in found),
        _answer(track, question),
        track.leading.leaning or SUPPORTED,
        track.leading.p,
        adjusted=track.leading.adjusted,
        same_p=track.equivalence.p,
        same_adjusted=track.equivalence.adjusted,
        is_small=track.is_equivalent,
        exploratory=reasons,
        family=family,
        level=1 - spent,
        strict=1 - spent / family,
        plan=data.plan,
        looks=len(track.looks),
        decided=track.decided,
        closed=track.closed,
        images=track.images,
        wins=wins(view, question) if found else "",
        missing=tuple(name for name in track.variants if not len(view.finished(name))),
        lost=view.lost(track.variants),
        contradicted=bool(found) and track.contradicted,
        claim=question.claim or "" if quoted else "",
        narrow=tuple(each for each in context.narrow if each.variant in track.variants),
        majority=context.majority if question.measure.over_all else None,
        needed=needed([each.effect for each in found], question, family),
        unseen=context.unseen,
        command=data.study.command,
        cut_off=mostly_cut_off(view, track.variants),
        two_groups=tuple(each for each in context.two_groups if each.variant in track.variants),
    )


def _seen_at(data: StudyRuns, look: int) -> tuple[StudyRuns, float]:
    """The runs that a look sees, and the part of alpha that it spends; look 0 is before the first one."""
    plan = data.plan
    if plan is None or not plan.is_sequential or not look:
        return data.first_look, ALPHA
    return data.first(plan.looks[look - 1]), ALPHA * plan.weights[look - 1]


def _answer(track: Track, question: Question) -> str:
    if track.differs:
        return track.difference.leaning
    if track.is_equivalent:
        return SUPPORTED if question.expect == "equal" else EQUIVALENT
    return UNDECIDED
