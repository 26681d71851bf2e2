"""Brings an image into the form that the settings give: size and channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.data._images import Images, Window, decode


@dataclass(frozen=True)
class Form:
    """How images that don't fit their square or have transparent pixels are brought into form; as the settings."""

    resize: str = "squeeze"
    background: str = "white"


def decode_image(
    data: bytes, channels: int, size: tuple[int, int], form: Form, window: Window | None, name: str = ""
) -> Images:
    """Decodes an image file's bytes to uint8, H x W x 1 or H x W x 3, resized to `size` (height, width).

    Raises as `decode`.
    """
    return resize(reshape(decode(data, form.background, window, name), "native", channels, form), size, form)


def reshape(image: Images, size: int | str, channels: int | str, form: Form) -> Images:
    """Returns an image (uint8, H x W x 1 or H x W x 3) with that side length and number of channels.

    "native" keeps the size, or the channels, as they are.
    """
    import cv2

    if channels == 1 and image.shape[-1] == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.uint8)
    if channels == 3 and image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=2)
    return image if isinstance(size, str) else resize(image, (size, size), form)


def resize(image: Images, size: tuple[int, int], form: Form) -> Images:
    """Resizes an image (uint8, H x W x C) to `size` (height, width): squeezed, padded or cropped.

    Shrinking averages areas. Growing interpolates linearly.
    """
    (height, width), (old_height, old_width) = size, image.shape[:2]
    if (old_height, old_width) == size:
        return image
    if form.resize == "crop":
        scale = min(old_height / height, old_width / width)
        image = _middle(image, max(1, round(height * scale)), max(1, round(width * scale)))
    if form.resize != "pad":
        return _scaled(image, size)
    scale = min(height / old_height, width / old_width)
    inner = _scaled(image, (max(1, round(old_height * scale)), max(1, round(old_width * scale))))
    padded = np.full((height, width, image.shape[2]), 255 if form.background == "white" else 0, dtype=np.uint8)
    _middle(padded, *inner.shape[:2])[:] = inner
    return padded


def _middle(image: Images, height: int, width: int) -> Images:
    """Returns a view of the middle of an image, H x W x C."""
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def _scaled(image: Images, size: tuple[int, int]) -> Images:
    import cv2

    (height, width), old = size, image.shape
    method = cv2.INTER_AREA if old[0] > height and old[1] > width else cv2.INTER_LINEAR
    scaled = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=method)
    return scaled.reshape(height, width, old[2]).astype(np.uint8)
