"""Questions as study.json has them: typed once, or with the reason why one can't be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from runner.measures import OURS, MetricSet
from runner.spec import Question, from_pydantic
from runner.store import as_declared


@dataclass(frozen=True)
class Declared:
    """A question that a study declared.

    question   None where it is malformed: an older version accepted it, or study.json was edited by hand
    malformed  what is wrong with it then
    deleted    whether the study no longer asks it; `after_runs`: whether runs that it judges had ended by then
    when       when it was declared (UTC, ISO 8601); empty where study.json does not say
    """

    ask: str
    question: Question | None
    malformed: str = ""
    when: str = ""
    deleted: bool = False
    after_runs: bool = False


def declared(entry: Mapping[str, Any], metrics: MetricSet = OURS) -> Declared:
    """Reads one question of study.json; `metrics` are the study's."""
    given, when = as_declared(entry), str(entry.get("declared") or "")
    deleted, after_runs = bool(entry.get("deleted")), entry.get("after_runs") is True
    try:
        question = Question.model_validate(given, context=metrics)
    except pydantic.ValidationError as error:
        why = "; ".join(str(problem) for problem in from_pydantic(error, "question", Question))
        return Declared(str(given.get("ask")), None, why, when, deleted, after_runs)
    return Declared(question.ask, question, when=when, deleted=deleted, after_runs=after_runs)
