"""One image: its file's bytes to uint8 arrays, in the size and the channels asked for."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
_LARGEST_FILE = 2**28  # bytes of one image file; a small archive may hold one that fills the memory
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # Windows has none


def read_file(path: Path) -> bytes:
    """A plain file's bytes; ValueError for a pipe, which would wait for its writer, and as `guarded` raises it."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAIT)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("no plain file")
        return guarded(status.st_size, file.read)


def guarded(size: int, read: Callable[[], bytes]) -> bytes:
    """What `read` gives, if it is of a size (bytes) that an image may have; ValueError otherwise."""
    if size > _LARGEST_FILE:
        raise ValueError(f"{size / 1e6:,.0f} MB; at most {_LARGEST_FILE / 1e6:,.0f} MB are read")
    return read()


def open_image(data: bytes) -> Any:
    """A PIL image, upright; a decompression bomb is an error, not a warning."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(data))
        except UnidentifiedImageError as error:  # its own words name an address in memory
            raise ValueError("in no known format") from error
        if image.format == "EPS":  # decoding one would run it, by Ghostscript
            raise ValueError("EPS is a program, not an image; convert it")
        ImageOps.exif_transpose(image, in_place=True)
        return image


def decode_image(data: bytes, channels: int, size: tuple[int, int]) -> Images:
    """An image file's bytes as uint8 HxWx1 or HxWx3, resized to (height, width).

    Raises whatever its decoder raises where they can't be read as an image.
    """
    return resize(reshape(decode(data), "native", channels), size)


def decode(data: bytes) -> Images:
    """HxWx3 uint8, whatever the mode, a gray image thrice the same; of an animation the first frame; alpha is
    dropped. ValueError where the numbers would become black or white: fractions, more than 16 bits."""
    image = open_image(data)
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64)
        if wide.max() > 65535:
            raise ValueError("more than 16 bits a pixel; save it with 8 or 16")
        # In 32 bits either of two are kept; a file of 16 bits is one, however dark.
        deep = image.mode != "I" or wide.max() > 255
        flat = (wide >> 8 if deep else wide).clip(0, 255).astype(np.uint8)
        return np.repeat(flat[..., None], 3, axis=2)
    if image.mode == "F" and not np.asarray(image).max() > 1:
        raise ValueError("fractions as pixels; save it with 8 or 16 bits a pixel")
    if image.mode == "P":
        image = image.convert("RGBA")
    return np.asarray(image.convert("RGB"))


def resize(image: Images, size: tuple[int, int]) -> Images:
    """To height x width pixels: area averaging where it shrinks, linear where it grows."""
    import cv2

    (height, width), old = size, image.shape
    if old[:2] == size:
        return image
    method = cv2.INTER_AREA if old[0] > height and old[1] > width else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method).reshape(height, width, old[2]).astype(np.uint8)


def digest(image: Images) -> bytes:
    """Stands for an image's content as it came. Images are ordered by it, so that the same pictures give the same
    runs however they came, and their split is the same in every size and number of channels."""
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()


def reshape(image: Images, size: int | str, channels: int | str) -> Images:
    """HxWx1 or HxWx3 in the channels and the side asked for; "native" leaves it as it is."""
    import cv2

    if channels == 1 and image.shape[-1] == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.uint8)
    if channels == 3 and image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=2)
    return image if isinstance(size, str) else resize(image, (size, size))
