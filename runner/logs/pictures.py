"""Pictures for TensorBoard, drawn in milliseconds: galleries, filters, confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

Picture = npt.NDArray[np.uint8]  # height x width x 3
_INK, _PAPER, _RIGHT, _WRONG = (32, 33, 36), (255, 255, 255), (19, 115, 51), (197, 34, 31)
_TILE, _CAPTION, _GAP = 84, 30, 6


def gallery(images: npt.NDArray[np.uint8], captions: Sequence[tuple[str, bool | None]], columns: int = 8) -> Picture:
    """Images (N x H x W x C, uint8), each with a caption: green where it is right, red where wrong."""
    rows = -(-len(images) // columns)
    cell = (_TILE + _GAP, _TILE + _CAPTION + _GAP)
    sheet = Image.new("RGB", (min(columns, len(images)) * cell[0] + _GAP, rows * cell[1] + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (image, (text, right)) in enumerate(zip(images, captions, strict=True)):
        left, top = _GAP + number % columns * cell[0], _GAP + number // columns * cell[1]
        tile = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")
        sheet.paste(ImageOps.contain(tile, (_TILE, _TILE), Image.Resampling.NEAREST), (left, top))
        color = _INK if right is None else _RIGHT if right else _WRONG
        for line, part in enumerate(text.split("\n")[:2]):
            draw.text((left, top + _TILE + 1 + 13 * line), _cut(part, _TILE), color, _font(12))
    return np.asarray(sheet)


def filters(weights: npt.NDArray[np.float32], columns: int = 6) -> Picture:
    """The first 36 units' weights (units x C x H x W), each on its own scale around a gray zero."""
    units = np.nan_to_num(weights[:36], posinf=0.0, neginf=0.0)
    scale = np.abs(units).max(axis=(1, 2, 3), keepdims=True)
    pixels = (127.5 + 127.5 * units / np.where(scale > 0, scale, 1)).astype(np.uint8).transpose(0, 2, 3, 1)
    if pixels.shape[-1] not in (1, 3):
        pixels = pixels[..., :1]
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=3)
    zoom = max(1, 56 // max(pixels.shape[1:3]))
    pixels = pixels.repeat(zoom, axis=1).repeat(zoom, axis=2)
    rows = -(-len(pixels) // columns)
    height, width = pixels.shape[1] + 2, pixels.shape[2] + 2
    sheet = np.full((rows * height, columns * width, 3), 255, dtype=np.uint8)
    for number, tile in enumerate(pixels):
        top, left = number // columns * height + 1, number % columns * width + 1
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


def confusion(matrix: npt.NDArray[np.int64], classes: Sequence[str], title: str) -> Picture:
    """Counts (true x predicted), each row shaded by its share; numbers where there is room for them."""
    count = len(classes)
    side = 46 if count <= 12 else max(5, 560 // count)
    margin, top = (92, 52) if count <= 40 else (24, 40)
    size = side * count
    sheet = Image.new("RGB", (margin + size + 12, top + size + (26 if count <= 40 else 12)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((margin, 6), title, _INK, _font(15))
    draw.text((margin, 26), "row: true class   column: predicted class", (95, 99, 104), _font(12))
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for row in range(count):
        for column in range(count):
            value = float(share[row, column])
            left, upper = margin + column * side, top + row * side
            draw.rectangle((left, upper, left + side - 2, upper + side - 2), _shade(value))
            if side >= 30 and matrix[row, column]:
                ink = _PAPER if value > 0.5 else _INK
                draw.text((left + side / 2, upper + side / 2), str(matrix[row, column]), ink, _font(13), anchor="mm")
        if count <= 40:
            middle = row * side + side / 2
            font = _font(12 if side >= 14 else 9)
            draw.text((margin - 5, top + middle), _cut(classes[row], margin - 8), _INK, font, anchor="rm")
            if side >= 30:
                draw.text((margin + middle, top + size + 4), _cut(classes[row], side - 2), _INK, font, anchor="mt")
    return np.asarray(sheet)


def _shade(value: float) -> tuple[int, int, int]:
    """White to deep blue."""
    low, high = np.array([244, 247, 251]), np.array([16, 78, 139])
    red, green, blue = (low + (high - low) * value**0.6).astype(int)
    return int(red), int(green), int(blue)


def _cut(text: str, width: int) -> str:
    """Text that fits `width` pixels at size 12."""
    font = _font(12)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
