"""Event files as other programs write them, and TensorBoard's data provider over them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from runner.board.anyruns import AnyQuery, SeriesCache, answer
from runner.board.anyruns._read import Logs, Provider


def write(folder: Path, scalars: Mapping[str, Sequence[float] | Mapping[int, float]], new_style: bool = False) -> None:
    """Writes each tag's values as SummaryWriter does, at steps 0, 1, ... or at those given."""
    with SummaryWriter(str(folder)) as writer:
        for tag, values in scalars.items():
            for step, value in values.items() if isinstance(values, Mapping) else enumerate(values):
                writer.add_scalar(tag, value, step, new_style=new_style)


def write_lightning(folder: Path, settings: Mapping[str, Any], scalars: Mapping[str, Sequence[float]]) -> None:
    """Writes what Lightning's TensorBoardLogger does: hparams in the run's own event file and in hparams.yaml."""
    with SummaryWriter(str(folder)) as writer:
        for summary in hparams(dict(settings), {"hp_metric": -1}):
            writer._get_file_writer().add_summary(summary)
        writer.add_scalar("hp_metric", -1, 0)
        for tag, values in scalars.items():
            for epoch, value in enumerate(values):
                writer.add_scalar(tag, value, 50 * epoch + 49)
                writer.add_scalar("epoch", epoch, 50 * epoch + 49)
    (folder / "hparams.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))


def provider_of(folder: Path) -> Provider:
    """TensorBoard's own reader of the directory, with its limits."""
    multiplexer = EventMultiplexer(tensor_size_guidance={"scalars": 1000})
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider: Provider = MultiplexerDataProvider(multiplexer, str(folder))
    return provider


def logs_of(folder: Path) -> Logs:
    return Logs(provider_of(folder), RequestContext(), "")


class Asked:
    """Asks about one directory; the answers have been through JSON."""

    def __init__(self, folder: Path) -> None:
        self.provider, self.cache = provider_of(folder), SeriesCache()

    def __call__(self, **parameters: str | list[str]) -> dict[str, Any]:
        lists = {key: [value] if isinstance(value, str) else value for key, value in parameters.items()}
        found = answer(self.provider, RequestContext(), "", AnyQuery.parse(lists), self.cache)
        plain: dict[str, Any] = json.loads(json.dumps(found, allow_nan=False))
        assert plain == found
        return plain


def declining(start: float, steps: int = 5) -> list[float]:
    return [start * math.exp(-0.3 * step) for step in range(steps)]
