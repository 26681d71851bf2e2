"""Questions that a study declares before its runs answer them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from runner.measures import OURS, MetricSet
from runner.metrics import CLASS_METRICS, Metric, Unit
from runner.spec._problems import Kind, Refusal, shown, suggest
from runner.text import one_line

_LEAST, _MOST = 1e-9, 1e6  # the smallest difference and the largest value that a question may name
PER_IMAGE = {"val/accuracy": "val", "test/accuracy": "test"}  # metrics that each image has, and its part
KINDS = ("compare", "interaction", "best_of", "trend", "value")


class Question(pydantic.BaseModel):
    """A claim about the study's variants, of exactly one kind."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)
    _measure: Metric = pydantic.PrivateAttr()

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
    value: tuple[str, Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        default=None, strict=False, description='["variant", constant]: the variant minus the constant, a number'
    )
    metric: str = Field(default="val/accuracy", description="one of " + ", ".join([*OURS.table, *CLASS_METRICS]))
    accuracy: float | None = Field(
        default=None, gt=0, le=1, allow_inf_nan=False, description="the validation accuracy to reach, such as 0.9"
    )
    expect: Literal["less", "more", "different", "equal"] = Field(
        default="different", description="one of less, more, different, equal"
    )
    smallest: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="the smallest difference that matters, above 0"
    )
    images: Literal["same", "new"] = Field(
        default="same", description='"same" or "new": whether the answer is for these images or for new ones too'
    )
    claim: str | None = Field(default=None, description="what is claimed elsewhere, quoted beside the verdict")
    claim_for: tuple[Annotated[str, Field(min_length=1)], ...] | None = Field(
        default=None,
        strict=False,
        min_length=1,
        description='a list of data sets that the claim is about, such as ["cifar10"]',
    )

    @pydantic.field_validator("ask", "claim")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        if value is not None and not (value := one_line(value)):
            raise ValueError("got a blank text; expected words.")
        return value

    @pydantic.model_validator(mode="before")
    @classmethod
    def _asks_about_the_main_metric(cls, data: Any, info: pydantic.ValidationInfo) -> Any:
        known = _known(info.context)
        return data if known is OURS or not isinstance(data, dict) else {"metric": known.main, **data}

    @pydantic.field_validator("metric")
    @classmethod
    def _metric_is_known(cls, value: str, info: pydantic.ValidationInfo) -> str:
        known = _known(info.context)
        if not known.find(value):
            names = [*known.table, *(CLASS_METRICS if known.is_ours else ())]
            raise Refusal(Kind.UNKNOWN, f'got "{value}". {suggest(value, names)}')
        return value

    def model_post_init(self, context: Any, /) -> None:
        """Keeps what the metric is. Validation with a MetricSet as its context takes the metrics from there."""
        self._measure = _known(context)[self.metric]

    @property
    def measure(self) -> Metric:
        """The metric that the question is about."""
        return self._measure

    @pydantic.model_validator(mode="after")
    def _has_one_kind(self) -> Question:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise Refusal(Kind.CONFLICT, f"got {len(given)} of {', '.join(KINDS)}; expected exactly one of them.")
        if (self.metric == "epochs_to") != (self.accuracy is not None):
            raise Refusal(Kind.CONFLICT, '"accuracy" and the metric "epochs_to" need each other; give both or neither.')
        if self.best_of and self.expect in ("less", "equal"):
            what = f'"best_of" asks which variant is best, not "expect": "{self.expect}"; remove "expect".'
            raise Refusal(Kind.CONFLICT, what)
        if self.expect == "equal" and self.smallest is None:
            what = '"expect": "equal" needs "smallest"; give the margin within which values count as equal.'
            raise Refusal(Kind.CONFLICT, what)
        if self.images == "new" and self.metric not in PER_IMAGE:
            what = f'"images": "new" needs a metric of each image, {" or ".join(PER_IMAGE)}; got "{self.metric}".'
            raise Refusal(Kind.CONFLICT, what)
        if self.claim_for and self.claim is None:
            raise Refusal(Kind.CONFLICT, '"claim_for" names the data of a "claim"; give the claim, or remove it.')
        return self

    @pydantic.model_validator(mode="after")
    def _variants_differ(self) -> Question:
        twice = [name for name, count in Counter(self.variants()).items() if count > 1]
        if twice:
            raise Refusal(Kind.DUPLICATE, f'"{twice[0]}" is named more than once; expected different variants.')
        return self

    @pydantic.model_validator(mode="after")
    def _numbers_are_possible(self) -> Question:
        is_share = self.measure.unit is Unit.SHARE
        most = 1.0 if is_share and not self.trend else _MOST  # a slope may be steep
        if self.value and abs(self.value[1]) > most:
            what = f"expected a number from {-most:g} to {most:g} for {self.metric}."
            raise ValueError(f"value: got {shown(self.value[1])}; {what}")
        if self.smallest is not None and not _LEAST <= self.smallest <= most:
            what = f"expected a difference of {self.metric} from {_LEAST:g} to {most:g}."
            raise ValueError(f"smallest: got {shown(self.smallest)}; {what}")
        return self

    def key(self) -> str:
        """Returns what identifies the question: neither its words, nor claims, nor default values are part of it."""
        return self.model_dump_json(exclude_defaults=True, exclude={"ask", "claim", "claim_for"})

    @property
    def direction(self) -> int:
        """The sign of the expected difference: 1 for more, -1 for less, 0 where either sign will do."""
        return 0 if self.best_of else {"more": 1, "less": -1}.get(self.expect, 0)

    def variants(self) -> list[str]:
        """Returns every variant that the question names."""
        if self.compare:
            first, others = self.compare
            return [first, *([others] if isinstance(others, str) else others)]
        return [self.value[0]] if self.value else list(self.interaction or self.best_of or ())


def _known(context: Any) -> MetricSet:
    """Returns the metrics of a validation's context; without one, the runner's own."""
    return context if isinstance(context, MetricSet) else OURS
