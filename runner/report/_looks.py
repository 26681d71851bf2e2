"""How a sequential design went: what each look decided, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from runner.text import counted, escaped, table
from runner.verdicts import StudyRuns, Verdict


def looks(data: StudyRuns, verdicts: Sequence[Verdict]) -> str:
    """A table with a row for each look taken, and what fixed designs would have cost. Empty for a fixed one."""
    plan = data.plan
    if not plan or not plan.is_sequential:
        return ""
    asked = [verdict for verdict in verdicts if not verdict.declared.malformed]
    taken = max((verdict.looks for verdict in asked), default=0)
    rows, before = [], 0
    for number, seeds in enumerate(plan.looks[:taken], start=1):
        added = data.runs[data.runs["seed"].isin(plan.seeds[before:seeds])]
        decided = [escaped(each.declared.ask) for each in asked if each.decided == number]
        rows.append([str(number), str(seeds), str(added["variant"].nunique()), str(len(added)), " ".join(decided)])
        before = seeds
    cells = [[row[0], row[4] or "-", *row[1:4]] for row in rows]
    count, variants = len(data.runs), len(data.variants)
    fixed = " and ".join(f"{counted(variants * n, 'run')} with {n} seeds" for n in (plan.looks[0], plan.looks[-1]))
    answered = sum(verdict.decided > 0 for verdict in asked)
    summary = (
        f"{answered} of {counted(len(asked), 'question')} {'is' if answered == 1 else 'are'} decided, with "
        f"{counted(count, 'run')}. Fixed designs take {fixed}."
    )
    return table(["look", "decided at it", "seeds", "variants", "new runs"], cells, names=2) + f"\n\n{summary}"


def unplanned(data: StudyRuns) -> str:
    """Says that runs of seeds outside the plan don't count."""
    count = data.unplanned
    if not count:
        return ""
    return (
        f"{counted(count, 'finished run')} of seeds outside the plan {'does' if count == 1 else 'do'} not count here."
    )
