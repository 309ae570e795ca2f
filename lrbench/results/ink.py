"""What all figures share: style, colours, axes, reference lines, labels.

An optimizer has one colour in every figure: the best six have their own, the others are grey. Text, axes and reference lines have the colour INK, so
that a page can put its own in its place; for the same reason no text stands on paper of its own.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axes._secondary_axes import SecondaryAxis
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

INK = "#24292f"
PAPER = "#ffffff"
GREY = "#8b929c"
COLOURS = ["#2a7de1", "#d9542b", "#1b9a6a", "#9a5bd6", "#b8860b", "#d1478c"]
STYLE: dict[str, Any] = {
    **{
        "svg.fonttype": "none",
        "svg.hashsalt": "lrbench",
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
    },
    **{
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 18,
        "axes.labelpad": 8,
    },
    **{
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "text.color": INK,
    },
    **{
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.linewidth": 0.8,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
    },
    **{
        "axes.facecolor": "none",
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "path.simplify_threshold": 0.2,
    },
    **{
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": INK,
        "grid.alpha": 0.1,
        "grid.linewidth": 0.8,
    },
}
REFERENCE: dict[str, Any] = {"color": INK, "alpha": 0.6, "linewidth": 1}
SMALL = 8.5
LABEL_HEIGHT = 0.105  # of the axes: the least distance of two labels
WIDEST, SMALLEST, LARGEST = 40, 1e-300, 1e300  # decades of an axis of gaps at most, and its ends
START = 0.4  # decades: the width that an axis of evaluations gives to what is before the first update
MOST_TICKS = 9


def palette(ranking: pd.DataFrame) -> dict[str, str]:
    """Return a colour an optimizer: six for the best, grey for the others; best first.

    Of one task its ranking is the order, of several the mean rank of the gap; where the gap is not in the frame, the mean place.
    """
    by_rank = "gap" in ranking and ranking["task"].nunique() > 1
    place = ranking.groupby("task")["gap"].rank() if by_rank else ranking.groupby("task").cumcount()
    order = place.groupby(ranking["optimizer"], sort=False).mean().sort_values(kind="stable").index
    return {name: COLOURS[i] if i < len(COLOURS) else GREY for i, name in enumerate(order)}


def gid(
    ax: Axes, part: str, name: str | Sequence[str], colours: dict[str, str], shared: bool = False
) -> str | None:
    """Return the id of what is drawn for an optimizer: "<part>-<number of the axes>-optimizer-<place in the palette>", by whose end a page finds it.

    Of several names there is an end each: "...-optimizer-2-optimizer-5" is left out where one of them is (a cell of two). With `shared` a "-any"
    stands before the ends, and it is left out where all of them are (the label of the grey ones).
    It names one thing: of an optimizer on an axes each artist is another part. None where a name is no optimizer's.
    """
    names, places = [name] if isinstance(name, str) else name, list(colours)
    if not names or not colours.keys() >= set(names):
        return None
    ends = "".join(f"-optimizer-{places.index(one)}" for one in names)
    return f"{part}-{ax.figure.axes.index(ax)}{'-any' * shared}{ends}"


def back_to_front(frame: pd.DataFrame, colours: dict[str, str]) -> Iterable[tuple[str, pd.DataFrame]]:
    """Yield the rows of each optimizer, the best last, so that it is drawn on top."""
    groups = dict(list(frame.groupby("optimizer")))
    return [(name, groups[name]) for name in reversed(colours) if name in groups]


def log_range(values: pd.Series | np.ndarray, factor: float) -> tuple[float, float]:
    """Return the ends of a logarithmic axis: what is positive and finite, so many times wider on each side, and no wider than WIDEST decades.

    What lies below the low end, such as a gap of 0, is drawn there by whoever draws. From 0.1 to 10 where there is nothing to show.
    """
    known = np.asarray(values, dtype=float)
    known = known[(known >= SMALLEST) & (known <= LARGEST)]
    if not len(known):
        return 0.1, 10.0
    high = known.max() * factor
    return max(known.min() / factor, high / 10.0**WIDEST), high


def log_axis(axis: Axis, low: float, high: float, headroom: float = 0.0, most: int = MOST_TICKS) -> None:
    """Make an axis logarithmic from low to high, with so many powers of ten as ticks at most; headroom: its share that is left free above high."""
    axis.axes.set(
        **{
            f"{axis.axis_name}scale": "log",
            f"{axis.axis_name}lim": (low, low * (high / low) ** (1 / (1 - headroom))),
        }
    )
    set_ticks(axis, _powers(low, high, most))


def evaluations_axis(ax: Axes, evaluations: pd.Series) -> None:
    """Make the x axis logarithmic from the first update on and linear before it, so that the start at 0 is in the figure."""
    first, last = evaluations[evaluations > 0].min(), evaluations.max()
    if last >= 10 * first:
        ax.set_xscale("symlog", linthresh=first, linscale=START)
        set_ticks(ax.xaxis, [0, *_powers(first, last)])
    ax.set_xlim(0, last)


def units_axis(ax: Axes, smoothness: float, most: int) -> None:
    """Add an axis on top that counts learning rates in units of 1/L; so many ticks at most."""
    low, high = (lr * smoothness for lr in ax.get_xlim())
    inset = (high / low) ** (11 / _width(ax))  # half a number wide, so that none hangs out
    _top_axis(
        ax,
        smoothness,
        "× 1/L",
        [tick for tick in _powers(low, high, most) if low * inset <= tick <= high / inset],
    )


def steps_axis(ax: Axes, steps: float) -> None:
    """Add an axis on top of one made by `evaluations_axis` that counts updates, so many to a gradient evaluation."""
    last = ax.get_xlim()[1] * steps
    top = _top_axis(ax, steps, "steps", [0, *_powers(min(1.0, last), last)])
    if ax.get_xscale() == "symlog":
        first = ax.xaxis.get_transform().linthresh * steps
        top.set_xscale("symlog", linthresh=first, linscale=START)
        set_ticks(top.xaxis, [0, *_powers(first, last)])


def _top_axis(ax: Axes, factor: float, name: str, ticks: Sequence[float]) -> SecondaryAxis:
    top = ax.secondary_xaxis("top", functions=(lambda x: x * factor, lambda x: x / factor))
    set_ticks(top.xaxis, ticks)
    top.spines["top"].set_visible(False)
    top.tick_params(length=2, pad=2, labelsize=SMALL - 1)
    ax.annotate(
        name,
        (0, 1),
        (-6, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        fontsize=SMALL - 1,
    )
    return top


def level(ax: Axes, y: float, label: str) -> None:
    """Draw a horizontal reference line with its name, if it lies within the axes."""
    low, high = ax.get_ylim()
    if low <= y <= high:
        ax.axhline(y, linestyle=(0, (4, 3)), **REFERENCE)
        ax.annotate(
            label,
            (0, y),
            (5, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=SMALL,
            alpha=0.8,
        )


def label_lines(ax: Axes, ends: pd.DataFrame, colours: dict[str, str]) -> None:
    """Write the names beside the axes, each at the height where its line ends or as near as there is room; the grey ones share one.

    ends: a row an optimizer with optimizer, detail (a smaller line of text) and y, NaN for a place on top.
    """
    rows, room = ends.set_index("optimizer", drop=False).to_dict("index"), _margin(ax) - 0.05 * _width(ax) - 3
    front = [rows[name] for name, colour in colours.items() if name in rows and colour != GREY]
    heights = [_height(ax, row["y"]) for row in front]
    labels = [(colours[row["optimizer"]], row["optimizer"], row["detail"]) for row in front]
    owners: list[list[str]] = [[row["optimizer"]] for row in front]
    if len(front) < len(ends):
        owners.append([name for name, colour in colours.items() if name in rows and colour == GREY])
        heights.append(1.0 if ends["y"].isna().all() else -math.inf)
        labels.append((GREY, "others", ""))
    for owner, (colour, name, detail), height in zip(owners, labels, _spread(heights), strict=True):
        own = {
            part: gid(ax, part, owner, colours, shared=len(owner) > 1) for part in ("key", "name", "detail")
        }
        look = {"arrowstyle": "-", "color": colour, "linewidth": 2.4, "gid": own["key"]}
        ax.annotate("", (1.012, height), (1.04, height), xycoords="axes fraction", arrowprops=look)
        place: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "annotation_clip": False,
        }
        ax.annotate(
            fitted(name, 9, room), (1.05, height), (0, 0), va="center", fontsize=9, gid=own["name"], **place
        )
        if detail:
            below = {"va": "center", "fontsize": 7.5, "alpha": 0.75, "gid": own["detail"]}
            ax.annotate(fitted(detail, 7.5, room), (1.05, height), (0, -11), **below, **place)


def name_axis(ax: Axes, names: Sequence[str]) -> None:
    """Make the y axis a row a name, the first on top; row i is centred at y = i."""
    ax.set_ylim(len(names) - 0.5, -0.5)
    room = ax.get_window_extent().x0 / ax.figure.dpi * 72 - 10
    ax.set_yticks(range(len(names)), [fitted(name, 9, room) for name in names], fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def title(ax: Axes, text: str) -> None:
    """Write a title as far as there is room for it."""
    ax.set_title(fitted(text, 11, _width(ax) + _margin(ax), bold=True))


def fitted(text: str, size: float, room: float, bold: bool = False) -> str:
    """Cut a text of a font size to so many points of width, its last sign an ellipsis."""
    if length(text, size, bold) <= room:
        return text
    ends = np.cumsum([_advance(sign, bold) * size for sign in text])
    return text[: np.searchsorted(ends, room - _advance("…", bold) * size, side="right")].rstrip() + "…"


def length(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a text of a font size in points."""
    return size * sum(_advance(sign, bold) for sign in text)


@cache
def _advance(sign: str, bold: bool) -> float:
    """Return the width of a sign at a font size of 1; one that the font lacks is drawn as a box."""
    font = get_font(
        fontManager.findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal"))
    )
    font.set_size(100, 72)
    return (
        font.load_char(ord(sign)).linearHoriAdvance / 65536 / 100 if font.get_char_index(ord(sign)) else 1.4
    )


def _width(ax: Axes) -> float:
    """Return the width of axes in points."""
    return ax.get_window_extent().width / ax.figure.dpi * 72


def _margin(ax: Axes) -> float:
    """Return what is free on the right of axes in points."""
    return ax.figure.get_figwidth() * 72 - ax.get_window_extent().x1 / ax.figure.dpi * 72


def _height(ax: Axes, y: float) -> float:
    if math.isnan(y):
        return 1.0
    low, high, at = ax.yaxis.get_transform().transform([*ax.get_ylim(), y])
    return float(np.clip((at - low) / (high - low), 0, 1))


def _spread(heights: Sequence[float]) -> list[float]:
    """Move heights apart to LABEL_HEIGHT, in order, within the axes."""
    order = sorted(range(len(heights)), key=lambda i: -heights[i])
    moved, above = [0.0] * len(heights), 1.0 + LABEL_HEIGHT
    for place, i in enumerate(order):
        lowest = LABEL_HEIGHT * (len(order) - 1 - place) + 0.03
        above = moved[i] = max(min(heights[i], above - LABEL_HEIGHT), lowest)
    return moved


def _powers(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Powers of ten between low and high, so many at most; where there are but two, their multiples by 2 and 5 too."""
    first, last = math.ceil(round(math.log10(low), 6)), math.floor(round(math.log10(high), 6))
    if last > first + 1:
        return [10.0**power for power in range(first, last + 1, math.ceil((last - first) / (most - 1)))]
    return [
        tick
        for power in range(first - 1, last + 1)
        for digit in (1, 2, 5)
        if low <= (tick := digit * 10.0**power) <= high
    ]


def set_ticks(axis: Axis, ticks: Sequence[float]) -> None:
    """Put ticks here and nowhere else."""
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_tick_text))


def _tick_text(x: float, position: int | None = None) -> str:
    if x == 0 or 1e-3 <= x < 1e4:
        return f"{x:g}"
    digit, power = f"{x:.0e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digit == "1" else f"{digit}·10{raised}"
