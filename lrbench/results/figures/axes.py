"""Axes that are logarithmic within limits, with ticks at powers of ten; widths of axes in points."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axes._secondary_axes import SecondaryAxis
from matplotlib.axis import Axis
from matplotlib.scale import SymmetricalLogTransform
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lrbench.results.figures.ink import SMALL

INCH = 72  # points
WIDEST = 40  # decades of an axis of gaps at most
SMALLEST_GAP, LARGEST_GAP = 1e-300, 1e300  # its ends
EMPTY = 0.1, 10.0  # its ends where there is nothing to show
LARGEST_FLOAT = np.finfo(np.float64).max  # what is drawn for inf where a band goes on beyond the axes
START = 0.4  # decades: the width that an axis of evaluations gives to what is before the first update
MOST_TICKS, ENOUGH_TICKS = 9, 3
MULTIPLES = (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)  # of powers of ten, where there are but two of these
HALF_NUMBER = 11  # points: half the width of a tick's number at most
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


# ---- sizes in points


def size(ax: Axes) -> tuple[float, float]:
    """Return width and height of axes in points."""
    extent, dpi = ax.get_window_extent(), ax.figure.dpi
    return extent.width / dpi * INCH, extent.height / dpi * INCH


def right_margin(ax: Axes) -> float:
    """Return what is free on the right of axes in points."""
    free = ax.figure.bbox.width - ax.get_window_extent().x1
    return free / ax.figure.dpi * INCH


def left_margin(ax: Axes) -> float:
    """Return what is free on the left of axes in points."""
    return ax.get_window_extent().x0 / ax.figure.dpi * INCH


def in_points(ax: Axes, places: Sequence | pd.DataFrame) -> np.ndarray:
    """Return places in data, (n, 2), as points from the figure's corner."""
    return ax.transData.transform(places) / ax.figure.dpi * INCH


# ---- logarithmic axes


def log_range(values: pd.Series | np.ndarray, factor: float) -> tuple[float, float]:
    """Return the ends of a logarithmic axis: what is positive and finite, so many times wider on each side,
    and no wider than WIDEST decades.

    What lies below the low end, such as a gap of 0, is drawn there by whoever draws. From 0.1 to 10 where
    there is nothing to show.
    """
    shown = drawable(values)
    if not len(shown):
        return EMPTY
    high = shown.max() * factor
    return max(shown.min() / factor, high / 10.0**WIDEST), high


def drawable(values: pd.Series | np.ndarray) -> np.ndarray:
    """Return what has a place on a logarithmic axis: neither 0 nor lost, nor at the ends of float64."""
    numbers = np.asarray(values, dtype=float)
    return numbers[(numbers >= SMALLEST_GAP) & (numbers <= LARGEST_GAP)]


def log_axis(axis: Axis, low: float, high: float, headroom: float = 0.0, most: int = MOST_TICKS) -> None:
    """Make an axis logarithmic from low to high, with so many powers of ten as ticks at most; headroom: its
    share that is left free above high.
    """
    ax = axis.axes
    top = low * (high / low) ** (1 / (1 - headroom))
    if axis is ax.xaxis:
        ax.set_xscale("log")
        ax.set_xlim(low, top)
    else:
        ax.set_yscale("log")
        ax.set_ylim(low, top)
    set_ticks(axis, powers(low, high, most))


# ---- gradient evaluations


def evaluations_axis(ax: Axes, evaluations: pd.Series) -> None:
    """Make the x axis logarithmic from the first update on and linear before it, so that the start at 0 is in
    the figure; up to the first evaluation where no update was made.
    """
    after_start = evaluations[evaluations > 0]
    if after_start.empty:
        ax.set_xlim(0, 1)
        return
    first, last = after_start.min(), after_start.max()
    if last >= 10 * first:
        ax.set_xscale("symlog", linthresh=first, linscale=START)
        set_ticks(ax.xaxis, [0, *powers(first, last)])
    ax.set_xlim(0, last)


# ---- a second axis on top


def units_axis(ax: Axes, smoothness: float, most: int) -> None:
    """Add an axis on top that counts learning rates in units of 1/L; so many ticks at most."""
    low, high = (lr * smoothness for lr in ax.get_xlim())
    width, _ = size(ax)
    inset = (high / low) ** (HALF_NUMBER / width)  # so that no number hangs out
    ticks = powers(low, high, most)
    inside = [tick for tick in ticks if low * inset <= tick <= high / inset]
    _top_axis(ax, smoothness, "× 1/L", inside)


def steps_axis(ax: Axes, steps: float) -> None:
    """Add an axis on top of one made by `evaluations_axis` that counts updates, so many to a gradient
    evaluation.
    """
    last = ax.get_xlim()[1] * steps
    top = _top_axis(ax, steps, "steps", [0, *powers(min(1.0, last), last)])
    scale = ax.xaxis.get_transform()
    if isinstance(scale, SymmetricalLogTransform):
        first = scale.linthresh * steps
        top.set_xscale("symlog", linthresh=first, linscale=START)
        set_ticks(top.xaxis, [0, *powers(first, last)])


def _top_axis(ax: Axes, factor: float, name: str, ticks: Sequence[float]) -> SecondaryAxis:
    there, back = (lambda x: np.multiply(x, factor)), (lambda x: np.divide(x, factor))
    top = ax.secondary_xaxis("top", functions=(there, back))
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


# ---- ticks


def powers(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return powers of ten between low and high, so many at most; where there are but two, their multiples by
    2 and 5 too, and finer ones where these are fewer than three.
    """
    first, last = math.ceil(_exponent(low)), math.floor(_exponent(high))
    if last > first + 1:
        step = math.ceil((last - first) / (most - 1))
        return [10.0**power for power in range(first, last + 1, step)]
    decades = [10.0**power for power in range(first - 1, last + 1)]
    between: list[float] = []
    for digits in MULTIPLES:
        multiples = [digit * decade for decade in decades for digit in digits]
        between = [tick for tick in multiples if low <= tick <= high]
        if len(between) >= ENOUGH_TICKS:
            break
    return between


def _exponent(x: float) -> float:
    return round(math.log10(x), 6)  # what rounding puts beside a power is one


def set_ticks(axis: Axis, ticks: Sequence[float]) -> None:
    """Put ticks here and nowhere else."""
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_tick_text))


def _tick_text(x: float, position: int | None = None) -> str:
    if x == 0 or 1e-3 <= x < 1e4:
        return f"{x:g}"
    digit, power = f"{x:.0e}".split("e")
    raised = str(int(power)).translate(RAISED)
    return f"10{raised}" if digit == "1" else f"{digit}·10{raised}"
