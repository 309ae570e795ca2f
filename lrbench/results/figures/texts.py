"""How wide a text is, in points: matplotlib draws one to its end, even beyond the figure."""

from functools import cache

import numpy as np
from matplotlib.font_manager import FontProperties, fontManager, get_font

ELLIPSIS = "…"
BOX = 1.4  # of the font size: the width of a sign that the font lacks, which is drawn as a box
MEASURED = 100  # points: the size at which signs are measured
FIXED = 65536  # FreeType's advances are fixed-point numbers with 16 bits after the point


def fitted(text: str, size: float, room: float, bold: bool = False) -> str:
    """Cut a text of a font size to so many points of width, its last sign an ellipsis."""
    if length(text, size, bold) <= room:
        return text
    ends = np.cumsum([_advance(sign, bold) * size for sign in text])
    left = room - _advance(ELLIPSIS, bold) * size
    kept = np.searchsorted(ends, left, side="right")
    return text[:kept].rstrip() + ELLIPSIS


def length(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a text of a font size in points."""
    return size * sum(_advance(sign, bold) for sign in text)


@cache
def _advance(sign: str, bold: bool) -> float:
    """Return the width of a sign at a font size of 1."""
    weight = "bold" if bold else "normal"
    path = fontManager.findfont(FontProperties(family="DejaVu Sans", weight=weight))
    font = get_font(path)
    font.set_size(MEASURED, 72)
    if not font.get_char_index(ord(sign)):
        return BOX
    return font.load_char(ord(sign)).linearHoriAdvance / FIXED / MEASURED
