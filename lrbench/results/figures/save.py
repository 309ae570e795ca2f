"""Figures as files."""

import os
import warnings
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from lrbench.results.figures.ink import STYLE
from lrbench.results.figures.night import with_night
from lrbench.results.figures.svg import compact

DPI = 150  # of pixels


def save(figure: Figure, path: Path) -> Path:
    """Write a figure whole, as the format that the suffix of path names; the same figure gives the same
    bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    is_svg = path.suffix == ".svg"
    metadata = {"Date": None} if is_svg else None  # else two files of one figure differ
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # of a name in a script that DejaVu lacks; the SVG holds it as text
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(beside, format=path.suffix[1:], dpi=DPI, metadata=metadata)
    if is_svg:
        svg = compact(beside.read_text(encoding="utf-8"))
        beside.write_text(with_night(svg), encoding="utf-8")
    os.replace(beside, path)  # nobody sees half a file
    return path
