"""Adds an evaluation's images and texts to a run's directory for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary

from runner.events import event_files
from runner.logs._events import open_writer
from runner.store import EVALUATION_PREFIX, EVALUATION_SUFFIX


def write_evaluation(folder: Path, figures: Mapping[str, Path], texts: Mapping[str, str], step: int) -> None:
    """Writes PNG files as images, and Markdown texts, under `evaluate/<key>` of the run in `folder`.

    They go to an event file of their own, which replaces an older one. So each tag is there once, however often a run
    is evaluated. A folder of their own would be another run in TensorBoard.
    """
    old = [path for path in event_files(folder) if path.name.endswith(EVALUATION_SUFFIX)]
    with open_writer(folder, filename_suffix=EVALUATION_SUFFIX) as writer:
        for key, path in figures.items():
            with Image.open(path) as picture:
                width, height = picture.size
            image = Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=path.read_bytes())
            summary = Summary(value=[Summary.Value(tag=EVALUATION_PREFIX + key, image=image)])
            writer._get_file_writer().add_summary(summary, step)
        for key, text in texts.items():
            writer.add_text(EVALUATION_PREFIX + key, text, step)
    for path in old:
        path.unlink()
