"""Twelve colors are distinguishable, on light and dark pages and by readers without green receptors."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runner.palette import PALETTE
from runner.plot import saved

Floats = npt.NDArray[np.float64]
_TO_CONES = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
_TO_LAB = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
_NO_GREEN = np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]])
_DARK = 0x30 / 255  # TensorBoard's dark background, gray


def linear(values: Floats) -> Floats:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def rgb() -> Floats:
    """The colors in linear light, 12 x 3."""
    return linear(np.array([[int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)] for text in PALETTE]))


def closest(colors: Floats) -> float:
    """The smallest distance of two colors in Oklab."""
    lab = np.cbrt(colors @ _TO_CONES.T) @ _TO_LAB.T
    return min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(lab, 2))


def test_no_two_colors_look_alike() -> None:
    assert len(set(PALETTE)) == 12
    assert closest(rgb()) > 0.15
    assert closest(np.clip(rgb() @ _NO_GREEN.T, 0, 1)) > 0.09


def test_every_color_is_visible_on_light_and_dark_pages() -> None:
    luminance = rgb() @ [0.2126, 0.7152, 0.0722]
    dark = float(linear(np.array([_DARK]))[0])
    assert (1.05 / (luminance + 0.05)).min() > 2.3
    assert ((luminance + 0.05) / (dark + 0.05)).min() > 1.8


def test_figures_draw_variants_in_the_palettes_colors(tmp_path: Path) -> None:
    with saved(tmp_path / "figure.png", 1, 1, (3, 2)) as (_, axes):
        colors = [axes.plot([0, 1], [number, number])[0].get_color() for number in range(12)]
    assert tuple(colors) == PALETTE
