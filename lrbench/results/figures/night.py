"""One SVG for light and for dark paper: its colours by night, in a style that browsers alone read.

The colours by day stay in the elements, so that a program that knows no styles draws them.
"""

import re

from lrbench.results.figures.ink import INK, PAPER
from lrbench.results.figures.looks import NIGHTS

NIGHT = NIGHTS | {INK: "#e6edf3", PAPER: "#0f1419"}
STYLE = re.compile(r'<style id="night">.*?</style>')
COLOUR = re.compile(r"(?<=:)#[0-9a-f]{6}\b")


def with_night(svg: str) -> str:
    """Return an SVG, whose styles have no spaces, as `svg.compact` leaves them, with one for dark paper."""
    used = dict.fromkeys(COLOUR.findall(svg))
    rules = "".join(_rules(colour, NIGHT[colour]) for colour in used if colour in NIGHT)
    style = f'<style id="night">@media(prefers-color-scheme:dark){{{rules}}}</style>'
    return re.sub(r"(<svg [^>]*>)", lambda tag: tag[1] + style, svg, count=1)


def without_night(svg: str) -> str:
    """Return an SVG without that style, for a page that has colours of its own by night."""
    return STYLE.sub("", svg)


def _rules(day: str, night: str) -> str:
    return "".join(f'[style*="{part}:{day}"]{{{part}:{night}!important}}' for part in ("fill", "stroke"))
