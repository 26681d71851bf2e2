"""Loads, splits and caches data sets as uint8 arrays, and streams their batches for (data settings, seed, epoch).

What makes batches needs torch, which takes seconds to import, so it is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from runner.data._dataset import Dataset, Part, draw_split, is_whole, load, prepare
from runner.data._form import Form, decode_image
from runner.data._images import read_file
from runner.data._trees import image_files

if TYPE_CHECKING:
    from runner.data._augmenter import check_augmentation
    from runner.data._stream import Stream, batches, evaluation_batch

_WITH_TORCH = {
    "Stream": "_stream",
    "batches": "_stream",
    "check_augmentation": "_augmenter",
    "evaluation_batch": "_stream",
}

__all__ = [
    "Dataset",
    "Form",
    "Part",
    "Stream",
    "batches",
    "check_augmentation",
    "decode_image",
    "draw_split",
    "evaluation_batch",
    "image_files",
    "is_whole",
    "load",
    "prepare",
    "read_file",
]


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(name)
    return getattr(import_module(f"runner.data.{_WITH_TORCH[name]}"), name)
