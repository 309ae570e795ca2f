"""The plots with a row an optimizer, each on one axes: frames in, axes out. What went to inf is a cross at the right or a hatched cell, with k/n."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize, to_rgba
from matplotlib.patches import Rectangle

from lrbench.results.ink import GREY, INK, REFERENCE, SMALL, fitted, gid, log_axis, log_range, name_axis
from lrbench.results.text import factor, interval

LOST = 0.09  # of the axes, at the right: where crosses and their counts stand
HALF = 0.44  # of a row: half the height of a cell
WIDEST_RATIO = 2.0  # decades at which the colours of the matrix end
HIGHER, LOWER, STRONGEST = (
    "#d6452b",
    "#2a7de1",
    0.55,
)  # of these colours, on white and on black: text on it has a contrast of 6 at least
LONGEST_COLUMN, LONGEST_SIDE = 95, 108  # points: names on a slant, and beside the ranks
SLANT = 40  # degrees
SIDES = 2.0  # how much wider than the gaps their axis is, on each side
WHITE = "#fefefe"  # not PAPER, which a page leaves out
WITHOUT_RATIO = {"identical": "=", "floor": "floor", "lost": "lost"}


def heat_map(
    frame: pd.DataFrame, defaults: pd.DataFrame, ax: Axes, names: list[str], colours: dict[str, str]
) -> ScalarMappable | None:
    """Draw one task of `curves.cells`: a cell a learning rate, colour = log10 of the final gap; hatched with k/n where runs were lost.

    names: the rows, best first. defaults: `curves.default_rates`, a bar in the row. A dot marks the best rate, a diamond the best at an edge.
    Returns the scale of the colours; None where no cell has one.
    """
    lowest, _ = log_range(frame["gap"], 1.0)
    frame = frame.assign(
        row=frame["optimizer"].map(names.index), log=np.log10(frame["gap"].clip(lower=lowest))
    )
    log_axis(ax.xaxis, frame["left"].min(), frame["right"].max())
    _name_rows(ax, names, colours)
    logs = frame.loc[np.isfinite(frame["log"]), "log"]
    scale = ScalarMappable(Normalize(logs.min(), logs.max()) if len(logs) else None, "viridis")
    bars = defaults[defaults["lr"].between(*ax.get_xlim())].set_index("optimizer")["lr"]
    for name, cells in frame.groupby("optimizer", sort=False):
        _heat_row(ax, cells, bars.get(str(name)), scale, str(name), colours)
    ax.grid(False)
    ax.set(xlabel="learning rate")
    return scale if len(logs) else None


def tuned_against_default(frame: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw one task of `curves.gains`: the final gap at the default setting (hollow) and tuned (full), a line between, the gain beside."""
    _gap_axis(ax, frame[["gap", "default_gap"]].to_numpy(), frame["optimizer"].tolist(), colours)
    for y, row in enumerate(frame.to_dict("records")):
        _dumbbell(ax, y, row, colours)
    ax.annotate(
        "gain",
        (1.02, 1),
        (0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=SMALL,
        alpha=0.8,
    )
    ax.set(xlabel="final gap  (hollow: default, full: tuned)")
    return ax


def seeds(frame: pd.DataFrame, ax: Axes, colours: dict[str, str], floor: float) -> Axes:
    """Draw one task of `curves.finals`: a dot a seed, a bar at their median; floor: the gap below which all are tied."""
    low, high = _gap_axis(ax, frame["gap"].to_numpy(), frame["optimizer"].drop_duplicates().tolist(), colours)
    for y, (_, own) in enumerate(frame.groupby("optimizer", sort=False)):
        _strip(ax, y, own, colours)
    if low <= floor <= high:
        ax.axvline(floor, linestyle=(0, (4, 3)), **REFERENCE)
    ax.set(xlabel="final gap")
    return ax


def pairs(frame: pd.DataFrame, ax: Axes, names: list[str], colours: dict[str, str]) -> Axes:
    """Draw one task of `Results.pairwise` as a matrix, names in the order of the ranking.

    Above the diagonal: how many times higher the column's gap ends than the row's, coloured by it, bold and framed where the difference is shown.
    Below: in how many of the pairs the column ends lower than the row.
    """
    size, room = (
        min(9.0, 120 / len(names)),
        2 * HALF * ax.get_window_extent().width / ax.figure.dpi * 72 / len(names),
    )
    _name_rows(ax, names, colours)
    ax.set_xlim(-0.5, len(names) - 0.5)
    for row in frame.to_dict("records"):
        _pair(ax, row, (names.index(row["a"]), names.index(row["b"])), size, room, colours)
    ax.set_xticks(
        range(len(names)),
        [fitted(name, 9, LONGEST_COLUMN) for name in names],
        fontsize=9,
        rotation=SLANT,
        ha="left",
        rotation_mode="anchor",
    )
    ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    for label, name in zip(ax.get_xticklabels(), names, strict=True):
        label.set_gid(gid(ax, "column", name, colours))
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax


def mean_ranks(ranks: pd.Series, stretches: list[list[str]], ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw a critical difference diagram (Demšar, 2006): names at their mean ranks, a bar over each stretch that is not shown to differ.

    ranks: `curves.mean_ranks`; stretches: `curves.not_separated`. The better half is named on the left, the other on the right.
    """
    count, left = len(ranks), (len(ranks) + 1) // 2
    first = len(stretches) + 1  # row of the first name; the bars stand above
    ax.set(xlim=(0.8, count + 0.2), ylim=(first + left - 0.5, -0.1))
    for place, (name, rank) in enumerate(ranks.items()):
        on_left = place < left
        row, side = first + (place if on_left else count - 1 - place), 0.8 if on_left else count + 0.2
        line, text = (gid(ax, part, str(name), colours) for part in ("line", "name"))
        ax.plot(
            [rank, rank, side],
            [0, row, row],
            color=colours[str(name)],
            linewidth=1.4,
            clip_on=False,
            gid=line,
        )
        shown = fitted(str(name), 9, LONGEST_SIDE)
        label = f"{shown}  {rank:.2f}" if on_left else f"{rank:.2f}  {shown}"
        place_of = {"textcoords": "offset points", "va": "center", "fontsize": 9, "annotation_clip": False}
        ax.annotate(
            label,
            (side, row),
            (-5 if on_left else 5, 0),
            ha="right" if on_left else "left",
            gid=text,
            **place_of,
        )
    for place, stretch in enumerate(stretches):
        ends = ranks[[stretch[0], stretch[-1]]].to_numpy() + [-0.06, 0.06]
        own = gid(ax, f"bar{place}", stretch, colours, shared=True)
        ax.plot(ends, [place + 0.6] * 2, color=INK, linewidth=4, solid_capstyle="butt", zorder=4, gid=own)
    ax.set_yticks([])
    ax.set_xticks(range(1, count + 1))
    ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.spines["top"].set_visible(True)
    ax.spines["top"].set_bounds(1, count)
    ax.grid(False)
    return ax


def _heat_row(
    ax: Axes,
    cells: pd.DataFrame,
    default: float | None,
    scale: ScalarMappable,
    name: str,
    colours: dict[str, str],
) -> None:
    """Draw the cells of one optimizer, what is written over them and its marks."""
    y, lost, whole = cells["row"].iloc[0], cells[np.isinf(cells["gap"])], cells[np.isfinite(cells["gap"])]
    within = {"linewidths": 0.4, "clip_on": False}
    if len(whole):
        own = {
            "array": whole["log"],
            "norm": scale.norm,
            "cmap": scale.cmap,
            "edgecolors": "face",
            "gid": gid(ax, "cells", name, colours),
        }
        ax.add_collection(PolyCollection(_boxes(whole), **own, **within), autolim=False)
    if len(lost):
        own = {
            "facecolors": "none",
            "edgecolors": GREY,
            "hatch": "////",
            "alpha": 0.6,
            "gid": gid(ax, "lostcells", name, colours),
        }
        ax.add_collection(PolyCollection(_boxes(lost), **own, **within), autolim=False)
    for place, (_, stretch) in enumerate(lost.groupby(_stretches(cells).loc[lost.index], sort=False)):
        _count(ax, stretch, gid(ax, f"count{place}", name, colours))
    if default is not None:
        for part, colour, width in (
            ("default", "#000000", 3.2),
            ("defaultcore", WHITE, 1.4),
        ):  # seen on dark cells and on light ones
            ax.vlines(
                default,
                y - HALF,
                y + HALF,
                color=colour,
                linewidth=width,
                zorder=3,
                gid=gid(ax, part, name, colours),
            )
    best = whole[whole["best"]]
    look = {
        "s": 26,
        "marker": "D" if best["edge"].ne("").any() else "o",
        "facecolors": WHITE,
        "edgecolors": "#000000",
        "linewidths": 0.9,
    }
    ax.scatter(best["lr"], best["row"], zorder=4, gid=gid(ax, "best", name, colours), **look)


def _boxes(frame: pd.DataFrame) -> np.ndarray:
    """Return the corners of each cell, (cells, 4, 2)."""
    left, right, row = frame["left"], frame["right"], frame["row"]
    x, y = (
        np.stack([left, right, right, left], axis=1),
        np.stack([row - HALF, row - HALF, row + HALF, row + HALF], axis=1),
    )
    return np.stack([x, y], axis=2)


def _stretches(cells: pd.DataFrame) -> pd.Series:
    """Number the stretches of neighbouring cells of a row that lost the same k of n."""
    same = cells[["lost", "seeds"]]
    return (same != same.shift()).any(axis=1).cumsum()


def _count(ax: Axes, stretch: pd.DataFrame, own: str | None) -> None:
    """Write k/n once over a stretch of cells, upright where it is narrow."""
    text = f"{stretch['lost'].iloc[0]}/{stretch['seeds'].iloc[0]}"
    left, right = stretch["left"].min(), stretch["right"].max()
    (begin, _), (end, _) = ax.transData.transform([(left, 0), (right, 0)])
    narrow = (end - begin) / ax.figure.dpi < 0.065 * len(text)
    place = (np.sqrt(left * right), stretch["row"].iloc[0])
    ax.annotate(
        text,
        place,
        ha="center",
        va="center",
        fontsize=5.5 if narrow else 7,
        rotation=90 if narrow else 0,
        gid=own,
    )


def _pair(
    ax: Axes, row: dict[str, Any], at: tuple[int, int], size: float, room: float, colours: dict[str, str]
) -> None:
    """Draw what a pair has in the matrix: the ratio in row i and column j, the wins in row j and column i; room: the width of a cell in points."""
    i, j = at
    cell, ratio, wins = (
        gid(ax, part, (row["a"], row["b"]), colours) for part in ("cell", "cellratio", "cellwins")
    )
    times, shown = row["ratio"] if np.isfinite(row["ratio"]) else row["at_least"], row["better"] != ""
    if shown or np.isfinite(times):
        strength = STRONGEST * min(abs(np.log10(times)) / WIDEST_RATIO, 1.0) if times > 0 else STRONGEST
        face = to_rgba(HIGHER if times > 1 else LOWER, strength) if np.isfinite(times) else "none"
        look = {"facecolor": face, "edgecolor": INK if shown else "none", "linewidth": 1.1}
        ax.add_patch(Rectangle((j - HALF, i - HALF), 2 * HALF, 2 * HALF, clip_on=False, gid=cell, **look))
    centred = {"ha": "center", "va": "center", "fontsize": size}
    ax.text(
        j, i, _ratio(row, size, room, shown), fontweight="bold" if shown else "normal", gid=ratio, **centred
    )
    ax.text(i, j, WITHOUT_RATIO.get(row["test"], f"{row['wins']}/{row['n']}"), alpha=0.8, gid=wins, **centred)


def _dumbbell(ax: Axes, y: int, row: dict[str, Any], colours: dict[str, str]) -> None:
    name, end = row["optimizer"], ax.get_xlim()[1]
    line, default, tuned, gain = (
        gid(ax, part, name, colours) for part in ("line", "default", "tuned", "gain")
    )
    low = ax.get_xlim()[0]
    tuned_gap, default_gap = max(row["gap"], low), max(row["default_gap"], low)
    ends = [min(tuned_gap, end), min(default_gap, end)]
    ax.hlines(y, *ends, color=colours[name], linewidth=2, alpha=0.55, zorder=2, gid=line)
    ax.scatter(
        default_gap,
        y,
        s=46,
        facecolors="none",
        edgecolors=colours[name],
        linewidths=1.6,
        zorder=3,
        gid=default,
    )
    ax.scatter(tuned_gap, y, s=46, color=colours[name], zorder=3, gid=tuned)
    side = "" if np.isinf(row["gap"]) else "default_"
    if np.isinf(row[f"{side}gap"]):
        _cross(ax, y, f"{row[f'{side}lost']}/{row[f'{side}seeds']}", name, colours)
    place = {
        "xycoords": ("axes fraction", "data"),
        "va": "center",
        "fontsize": SMALL,
        "annotation_clip": False,
    }
    ax.annotate(WITHOUT_RATIO.get(row["test"]) or interval(row, "gain"), (1.02, y), gid=gain, **place)


def _strip(ax: Axes, y: int, own: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draw the seeds of one optimizer, the first on top, and behind them the bar."""
    low, own = ax.get_xlim()[0], own.sort_values("seed", kind="stable")
    row, name = own.iloc[0], own["optimizer"].iloc[0]
    heights = y + (np.linspace(-0.25, 0.25, len(own)) if len(own) > 1 else np.zeros(1))
    finite = np.isfinite(own["gap"].to_numpy())
    dots, bar = (gid(ax, part, name, colours) for part in ("dots", "bar"))
    ax.scatter(
        own["gap"][finite].clip(lower=low),
        heights[finite],
        color=colours[name],
        s=22,
        alpha=0.8,
        linewidth=0,
        zorder=2,
        gid=dots,
    )
    if np.isfinite(row["median"]):
        ax.vlines(
            max(row["median"], low),
            y - 0.42,
            y + 0.42,
            color=INK,
            linewidth=1.3,
            alpha=0.7,
            zorder=1.8,
            gid=bar,
        )
    if row["lost"]:
        _cross(ax, y, f"{row['lost']}/{row['seeds']}", name, colours)


def _name_rows(ax: Axes, names: list[str], colours: dict[str, str]) -> None:
    name_axis(ax, names)
    for label, name in zip(ax.get_yticklabels(), names, strict=True):
        label.set_gid(gid(ax, "name", name, colours))


def _gap_axis(ax: Axes, gaps: np.ndarray, names: list[str], colours: dict[str, str]) -> tuple[float, float]:
    """Make the axes for rows of gaps: logarithmic in x with room at the right for what was lost, a row a name; return where the gaps end."""
    low, high = log_range(gaps, SIDES)
    log_axis(ax.xaxis, low, high, headroom=LOST * np.isinf(gaps).any())
    _name_rows(ax, names, colours)
    completed = np.isfinite(gaps)
    if not (completed & (gaps > 0)).any():
        ax.set_xticks([])
        told = "all gaps are 0" if completed.any() else "no run completed"
        ax.annotate(told, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", alpha=0.8)
    return low, high


def _cross(ax: Axes, y: int, count: str, name: str, colours: dict[str, str]) -> None:
    place, x = ax.get_yaxis_transform(), 1 - LOST / 2 - 0.02
    cross, text = (gid(ax, part, name, colours) for part in ("cross", "count"))
    ax.scatter(
        x, y, marker="x", s=30, linewidths=1.6, color=colours[name], transform=place, zorder=4, gid=cross
    )
    ax.annotate(
        count, (x, y), (7, 0), xycoords=place, textcoords="offset points", va="center", fontsize=7, gid=text
    )


def _ratio(row: dict, size: float, room: float, bold: bool) -> str:
    """Write a ratio as the tables do, with one digit and a power of ten where there is not so much room: 1.3, 24, 310, 2e7."""
    ratio = row["ratio"] if np.isfinite(row["ratio"]) else row["at_least"]
    if not np.isfinite(ratio):
        return WITHOUT_RATIO.get(row["test"], "")
    sign = "" if np.isfinite(row["ratio"]) else "≥" if ratio >= 1 else "≤"
    long = sign + factor(ratio)
    if fitted(long, size, room, bold) == long:
        return long
    if sign:  # one digit of a bound must not promise more
        ratio = float(Context(1, ROUND_FLOOR if ratio >= 1 else ROUND_CEILING).create_decimal(ratio))
    digit, power = f"{ratio:.0e}".split("e")
    return f"{sign}{ratio:.1g}" if 1e-3 <= ratio < 1 else f"{sign}{digit}e{int(power)}"
