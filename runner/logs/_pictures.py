"""Draws pictures for TensorBoard in milliseconds: galleries, filters, confusion matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from runner.classnames import class_labels, font_for
from runner.confusion import shares as matrix_shares

Picture = npt.NDArray[np.uint8]  # height x width x 3
_INK, _PAPER, _RIGHT, _WRONG = (32, 33, 36), (255, 255, 255), (19, 115, 51), (197, 34, 31)
_CARD = 350  # pixels of a picture's width on TensorBoard's pages; wider pictures are shrunk, and unreadable
_COLUMNS, _GAP, _LINE = 4, 6, 14
_TILE = (_CARD - _GAP) // _COLUMNS - _GAP
_NAMED = 40  # a confusion matrix of more classes has no names
_NUMBERED = 22  # pixels of a cell that has room for a number
_LARGEST = 1120  # pixels of the side of a confusion matrix with very many classes


def has_pictures(epoch: int) -> bool:
    """Whether an epoch (from 1) has pictures: 1, 4, 16, 64, ...

    >>> [epoch for epoch in range(1, 100) if has_pictures(epoch)]
    [1, 4, 16, 64]
    """
    return math.log(epoch, 4).is_integer()


def encoded(picture: Picture) -> bytes:
    """Returns the picture as PNG. OpenCV takes a fifth of the time of SummaryWriter.add_image."""
    import cv2

    return cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def gallery(images: npt.NDArray[np.uint8], captions: Sequence[tuple[str, bool | None]]) -> Picture:
    """Draws images (uint8, N x H x W x C) in rows of four, each with a caption of one line or more.

    A caption is green where its bool is true, red where it is false, dark gray where it is None.
    """
    lines = max(text.count("\n") + 1 for text, _ in captions)
    cell = (_TILE + _GAP, _TILE + _LINE * lines + 2 * _GAP)
    rows = -(-len(images) // _COLUMNS)
    # TensorBoard would stretch a narrower picture to the width of its card.
    sheet = Image.new("RGB", (_COLUMNS * cell[0] + _GAP, rows * cell[1] + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (image, (text, right)) in enumerate(zip(images, captions, strict=True)):
        left, top = _GAP + number % _COLUMNS * cell[0], _GAP + number // _COLUMNS * cell[1]
        tile = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")
        sheet.paste(ImageOps.contain(tile, (_TILE, _TILE), Image.Resampling.NEAREST), (left, top))
        color = _INK if right is None else _RIGHT if right else _WRONG
        for line, part in enumerate(text.split("\n")):
            draw.text((left, top + _TILE + 1 + _LINE * line), _cut(part, _TILE), color, _font(12, font_for([part])))
    return np.asarray(sheet)


def captions(classes: Sequence[str]) -> list[str]:
    """Returns a label for each class that fits below an image of a gallery, after "> "."""
    return _labels(tuple(classes), _TILE - int(_length("> ")))


def filters(weights: npt.NDArray[np.float32], columns: int = 6) -> Picture:
    """Draws the weights (units x C x H x W) of the first 36 units; each has its own scale, and 0 is gray."""
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
    """Draws a confusion matrix (int64, true class x predicted class), shaded by each row's shares.

    Numbers and class names are written where there is room. With up to 20 classes the picture is as wide as
    TensorBoard shows it, so that they are readable there.
    """
    count = len(classes)
    margin, top = (70, 46) if count <= _NAMED else (24, 40)
    names = _labels(tuple(classes), margin - 8) if count <= _NAMED else []
    side = _cell_side(count, margin)
    size = side * count
    upright = any(_length(name) > side - 2 for name in names)  # below the columns
    bottom = (margin if upright else 24) if names else 12
    sheet = Image.new("RGB", (margin + max(size, 260) + _GAP, top + size + bottom), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((margin, 4), title, _INK, _font(14))
    draw.text((margin, 24), "row: true class   column: predicted class", (95, 99, 104), _font(12))
    share = matrix_shares(matrix)
    sheet.paste(Image.fromarray(_cells(share, side)), (margin, top))
    font = _font(12 if matrix.max() < 1000 else 10)
    for row, column in np.argwhere(matrix) if side >= _NUMBERED else ():
        place = margin + column * side + side / 2, top + row * side + side / 2
        ink = _PAPER if share[row, column] > 0.5 else _INK
        draw.text(place, str(matrix[row, column]), ink, font, anchor="mm")
    _write_names(sheet, names, (margin, top), side, upright)
    return np.asarray(sheet)


def _cell_side(count: int, margin: int) -> int:
    """Returns the pixels of a cell's side in a matrix of `count` classes."""
    if count > _LARGEST // 5:
        return max(1, _LARGEST // count)
    if count > _NAMED:
        return max(5, 560 // count)
    return min(40, max(12, (_CARD - margin - _GAP) // count))


def _write_names(sheet: Image.Image, names: Sequence[str], corner: tuple[int, int], side: int, upright: bool) -> None:
    """Writes the class names left of the rows and below the columns; `corner` is the matrix's, x and y."""
    left, top = corner
    bottom = top + side * len(names)
    font = _font(12 if side >= 14 else 10, font_for(names))
    draw = ImageDraw.Draw(sheet)
    for number, name in enumerate(names):
        middle = number * side + side / 2
        draw.text((left - 4, top + middle), name, _INK, font, anchor="rm")
        if upright:
            label = Image.new("RGB", (left - 4, side), _PAPER)
            ImageDraw.Draw(label).text((left - 8, side / 2), name, _INK, font, anchor="rm")
            sheet.paste(label.transpose(Image.Transpose.ROTATE_90), (left + number * side, bottom + 2))
        else:
            draw.text((left + middle, bottom + 4), name, _INK, font, anchor="mt")


def _cells(share: npt.NDArray[np.float64], side: int) -> Picture:
    """Draws a square for each share, from white to dark blue; squares of three pixels or more have a white edge."""
    low, high = np.array([244, 247, 251]), np.array([16, 78, 139])
    colors = (low + (high - low) * share[..., None] ** 0.6).astype(np.uint8)
    cells: Picture = colors.repeat(side, axis=0).repeat(side, axis=1)
    if side >= 3:
        cells[side - 1 :: side] = cells[:, side - 1 :: side] = _PAPER
    return cells


def _cut(text: str, width: int) -> str:
    """Cuts a text to `width` pixels at font size 12."""
    return class_labels([text], width, _length)[0]


@cache
def _labels(classes: tuple[str, ...], width: int) -> list[str]:
    return class_labels(classes, width, _length)


def _length(text: str) -> float:
    """Returns a text's width in pixels at font size 12."""
    return _font(12, font_for([text])).getlength(text)


@cache
def _font(size: int, file: Path | None = None) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)
