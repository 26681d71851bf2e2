"""Questions declared in a study: each is judged by the runs, never by who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from runner.spec.problems import suggest

METRICS = {  # every metric a question may ask about: column of the run table -> what it is
    "val/accuracy": "validation accuracy at the best epoch (lowest validation loss)",
    "val/loss": "validation loss at the best epoch",
    "test/accuracy": "test accuracy of the best epoch's weights",
    "test/loss": "test loss of the best epoch's weights",
    "train_eval/accuracy": "accuracy at the best epoch on a fixed part of train, not augmented",
    "train_eval/loss": "loss at the best epoch on a fixed part of train, not augmented",
    "best_epoch": "epoch of the lowest validation loss",
    "epochs_to": 'epochs until validation accuracy first reaches the question\'s "accuracy"; one more than asked for '
    "where it never does",
    "val_accuracy_area": "mean validation accuracy over the epochs that the compared runs of a seed all have: how fast "
    "and how high together",
    "train_loss_area": "mean training loss over the epochs that the compared runs of a seed all have",
    "train_roughness": "how much the training loss's relative fall changes from one epoch to the next: mean absolute "
    "second difference of its logarithm, over the epochs that the compared runs of a seed all have",
    "generalization_gap": "accuracy on a fixed part of train minus validation accuracy, at the best epoch",
    "first_epoch_loss_max": "largest loss of a step in the first epoch",
    "late_spread": "standard deviation of validation loss around a straight line, over the last five epochs",
    "seconds": "training time of the run",
}
KINDS = ("compare", "interaction", "best_of", "trend", "value")


def named(question: Mapping[str, Any]) -> list[str]:
    """Every variant that a question names, as its dict was declared or as study.json has it."""
    if question.get("compare"):
        first, others = question["compare"]
        return [first, *([others] if isinstance(others, str) else others)]
    if question.get("value"):
        return [question["value"][0]]
    return list(question.get("interaction") or question.get("best_of") or ())


class Question(pydantic.BaseModel):
    """A claim about the study's variants, of exactly one kind."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    ask: str = Field(min_length=1, description="the question in words")
    compare: tuple[str, str | Annotated[tuple[str, ...], Field(strict=False, min_length=1)]] | None = Field(
        default=None,
        strict=False,
        description='["a", "b"] or ["a", ["b", "c"]]: a minus each of the others',
    )
    interaction: tuple[str, str, str, str] | None = Field(
        default=None, strict=False, description="four variants: [both, first only, second only, neither]"
    )
    best_of: tuple[str, ...] | None = Field(
        default=None, strict=False, min_length=2, description="a list of at least two variants"
    )
    trend: str | None = Field(default=None, description="a setting that variants change alone")
    value: tuple[str, float] | None = Field(
        default=None, strict=False, description='["variant", constant]: the variant minus the constant'
    )
    metric: str = Field(default="val/accuracy", description="one of " + ", ".join(METRICS))
    accuracy: float | None = Field(
        default=None, gt=0, le=1, allow_inf_nan=False, description="the validation accuracy to reach, such as 0.9"
    )
    expect: Literal["less", "more", "different", "equal"] = Field(
        default="different", description="one of less, more, different, equal"
    )
    smallest: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="the smallest difference worth knowing, above 0"
    )
    claim: str | None = Field(default=None, description="what is said elsewhere, quoted beside the verdict")

    @pydantic.field_validator("metric")
    @classmethod
    def _metric_is_known(cls, value: str) -> str:
        if value not in METRICS:
            raise ValueError(f'got "{value}"; {suggest(value, METRICS)}')
        return value

    @pydantic.model_validator(mode="after")
    def _has_one_kind(self) -> Question:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"a question has exactly one of {', '.join(KINDS)}; this one has {len(given)}.")
        if (self.metric == "epochs_to") != (self.accuracy is not None):
            raise ValueError('"accuracy" goes with the metric "epochs_to", and that metric needs it.')
        if self.best_of and self.expect in ("less", "equal"):
            raise ValueError(f'"best_of" asks which is best; it has no "expect": "{self.expect}".')
        if self.expect == "equal" and self.smallest is None:
            raise ValueError('expect "equal" needs "smallest": the margin within which they count as equal.')
        return self

    def variants(self) -> list[str]:
        """Every variant that the question names."""
        return named(dict(self))
