"""Reads one image file into a uint8 array of a given size and number of channels."""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
_LARGEST_FILE = 2**28  # bytes of one image file: a small archive may unpack to one that fills the memory
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # Windows has no such flag
_NO_PICTURES = ("BUFR", "GRIB", "HDF5", "MPEG")  # Pillow reads their headers but can't decode them
_HEIF = (".heic", ".heif", ".hif")
_GRAY_MODES = ("1", "L", "LA", "La", "I", "F")
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112  # EXIF's tag
_FILTERING = threading.Lock()  # all threads share the filters of warnings


@dataclass(frozen=True)
class Window:
    """The range of gray values that becomes 0 to 255, the same for all images of a data set."""

    low: float
    high: float


@dataclass(frozen=True)
class Header:
    """An image's upright size in pixels, and its mode in Pillow's terms."""

    height: int
    width: int
    mode: str

    @property
    def is_gray(self) -> bool:
        """Whether the image has gray values only."""
        return self.mode in _GRAY_MODES or self.is_deep

    @property
    def is_deep(self) -> bool:
        """Whether the image has gray values that may need more than 8 bits."""
        return self.mode in ("I", "F") or self.mode.startswith("I;")


@cache
def _pillow() -> Any:
    """Returns Pillow's Image module, which also reads HEIC where the package pillow-heif is installed."""
    from PIL import Image

    with suppress(ImportError):
        importlib.import_module("pillow_heif").register_heif_opener()
    return Image


@cache
def suffixes() -> frozenset[str]:
    """Returns the endings of image files' names, in lower case."""
    image = _pillow()
    known = image.registered_extensions()
    readable = {suffix for suffix, name in known.items() if name in image.OPEN and name not in _NO_PICTURES}
    return frozenset(readable | {".avif", *_HEIF})


@contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """Opens a regular file for reading bytes.

    Raises ValueError for anything but a regular file (a pipe would wait for its writer), and as `guard` does.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAIT)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        guard(status.st_size)
        yield file


def read_file(path: Path) -> bytes:
    """Returns a regular file's bytes. Raises as `open_file`."""
    with open_file(path) as file:
        return file.read()


def guard(size: int) -> None:
    """Raises ValueError where `size` (bytes) is too large for an image file."""
    if size > _LARGEST_FILE:
        raise ValueError(f"it has {size / 1e6:,.0f} MB; expected at most {_LARGEST_FILE / 1e6:,.0f} MB")


def read_header(file: IO[bytes], name: str = "") -> Header:
    """Reads an image's header without decoding a pixel. Raises as `open_image`."""
    image = _opened(file, name)
    (width, height), sideways = image.size, False
    if width != height and image.format != "TIFF":  # Pillow gives a TIFF's upright size
        # We call the base class's method: PNG's own method decodes the image to look for EXIF behind its pixels.
        sideways = _pillow().Image.getexif(image).get(_ORIENTATION) in _SIDEWAYS
    return Header(width, height, image.mode) if sideways else Header(height, width, image.mode)


def open_image(data: bytes, name: str = "") -> Any:
    """Returns the PIL image in `data`, decoded and upright.

    Raises ValueError where the data are EPS or no image, Pillow's DecompressionBombWarning or DecompressionBombError
    where the image has too many pixels, and whatever else the decoder raises.
    """
    from PIL import ImageOps

    image = _opened(io.BytesIO(data), name)
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _opened(file: IO[bytes], name: str) -> Any:
    pillow, suffix = _pillow(), Path(name).suffix.lower()
    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        try:
            image = pillow.open(file)
        except pillow.UnidentifiedImageError as error:  # Pillow's message names an address in memory
            if suffix in _HEIF and suffix not in pillow.registered_extensions():
                raise ValueError("HEIC needs one more package: pip install pillow-heif") from error
            raise ValueError("its format is unknown") from error
    if image.format in _NO_PICTURES:
        raise ValueError("its format is unknown")
    if image.format == "EPS":  # decoding would run the file in Ghostscript
        raise ValueError("EPS is a program, not an image; convert it")
    return image


def decode(data: bytes, background: str = "white", window: Window | None = None, name: str = "") -> Images:
    """Decodes an image file's bytes to uint8, H x W x 3. Raises as `open_image` and `pixels`."""
    return pixels(open_image(data, name), background, window)[0]


def pixels(image: Any, background: str, window: Window | None) -> tuple[Images, bool]:
    """Returns a PIL image's pixels, uint8, H x W x 3, and whether any pixel is transparent.

    A gray image gets its value three times. An animation gives its first frame. Transparent pixels show the
    background. Raises ValueError where gray values of more than 8 bits have no window, or are not finite.
    """
    if Header(image.height, image.width, image.mode).is_deep:
        return np.repeat(_gray(image, window)[..., None], 3, axis=2), False
    if not image.has_transparency_data:
        return np.asarray((image.convert("RGBA") if image.mode == "P" else image).convert("RGB")), False
    layer = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    transparent = layer.getchannel("A").getextrema()[0] < 255
    if transparent:
        layer = _pillow().alpha_composite(_pillow().new("RGBA", layer.size, background), layer)
    return np.asarray(layer.convert("RGB")), transparent


def _gray(image: Any, window: Window | None) -> Images:
    values = _finite(image)
    if window is None:
        if _needs_window(image, values):
            raise ValueError("it has more than 8 bits per pixel, but the data set has 8; save it with 8")
        return values.astype(np.uint8)
    scaled = (values - window.low) * (255 / (window.high - window.low))
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


def gray_range(image: Any) -> tuple[float, float, bool]:
    """Returns the lowest and the highest gray value of a deep PIL image, and whether they need a window.

    Raises ValueError where a value is not finite.
    """
    values = _finite(image)
    return float(values.min()), float(values.max()), _needs_window(image, values)


def _finite(image: Any) -> npt.NDArray[np.float64]:
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it has pixels that are not finite")
    return values


def _needs_window(image: Any, values: npt.NDArray[np.float64]) -> bool:
    """Whether gray values need a window: always in a file of 16 bits; in one of 32 bits unless 8 bits suffice."""
    if image.mode not in ("I", "F"):
        return True
    return bool(values.min() < 0 or values.max() > 255 or (values % 1).any())


def digest(image: Images) -> bytes:
    """Returns 16 bytes that identify an image's content before it is resized.

    Images are ordered by it. So the same images give the same runs, whatever their files' names and order. And
    every size and number of channels gives the same split.
    """
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
