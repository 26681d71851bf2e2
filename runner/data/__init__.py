"""Loads, splits and caches data sets as uint8 arrays, and streams their batches for (data settings, seed, epoch)."""

from runner.data._augmenter import check_augmentation
from runner.data._dataset import Dataset, Part, draw_split, load, prepare
from runner.data._form import Form, decode_image
from runner.data._images import read_file
from runner.data._stream import Stream, batches, evaluation_batch
from runner.data._trees import image_files

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
    "load",
    "prepare",
    "read_file",
]
