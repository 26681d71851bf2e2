"""A data set's name to uint8 arrays and splits, cached; the stream of batches for (data settings, seed, epoch)."""

from runner.data.dataset import CACHE, Dataset, Part, load, prepare
from runner.data.images import decode_image
from runner.data.stream import Batch, Stream, batches, check_augmentation, evaluation_batch

__all__ = [
    "CACHE", "Batch", "Dataset", "Part", "Stream", "batches", "check_augmentation", "decode_image",
    "evaluation_batch", "load", "prepare",
]  # fmt: skip
