"""The one palette: twelve colors that tell variants apart in figures and in the TensorBoard tab.

No two are closer than 0.15 in Oklab (Ottosson 2020), nor than 0.09 for readers without green receptors (Machado et al.
2009). All are visible on white and on TensorBoard's dark background. The first few are the most unlike.
"""

from __future__ import annotations

PALETTE = (
    "#0c84d8", "#e40024", "#6c00fc", "#f084b4", "#fc7800", "#9c0ca8",
    "#788478", "#9c9cfc", "#f00cc0", "#844860", "#24b46c", "#30780c",
)  # fmt: skip


def color(number: int) -> str:
    """Returns the color of the variant with this number, from 0; after twelve the colors begin again.

    >>> color(0), color(12)
    ('#0c84d8', '#0c84d8')
    """
    return PALETTE[number % len(PALETTE)]
