"""The plots, each on one axes: frames in, axes out. Nothing is computed here but where to put things.

seaborn drops inf without a word, so what it is handed is finished and finite; what went to inf is drawn apart, as crosses.
"""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from lrbench.results.curves import BEYOND
from lrbench.results.ink import GREY, INK, REFERENCE, SMALL, back_to_front, evaluations_axis, label_lines, level, log_axis

STRIP_ROW = 0.05  # of the axes: a row of crosses
LARGEST = np.finfo(np.float64).max
LINE = {"estimator": None, "errorbar": None, "legend": False, "sort": False}


def loss_curves(frame: pd.DataFrame, stops: pd.DataFrame, ax: Axes, colours: dict[str, str], target: float, floor: float) -> Axes:
    """Draw one task of `curves.best_curves`: median gap against gradient evaluations, a band between the quartiles for the coloured.

    stops: `curves.stops` of this task, drawn as crosses. target and floor are gaps, each a line where it lies in the figure; NaN: none.
    """
    ax.set_autoscale_on(False)  # the limits are set below; gaps near the end of float64 overflow matplotlib's margins
    finite = frame[np.isfinite(frame["median"])]
    bottom, top = _range_of_curves(frame, target, BEYOND if len(stops) else 3)
    for name, curve in back_to_front(finite, colours):
        front = colours[name] != GREY
        if front:
            ax.fill_between(curve["evaluations"], curve["q25"], curve["q75"].replace(np.inf, LARGEST), color=colours[name], alpha=0.18, linewidth=0)
        look = {"linewidth": 1.7, "zorder": 3} if front else {"linewidth": 1.1, "alpha": 0.6}
        sns.lineplot(curve, x="evaluations", y="median", color=colours[name], ax=ax, **LINE, **look)
    crosses = stops["optimizer"].map(colours).tolist()
    ax.scatter(stops["evaluations"], stops["gap"].clip(upper=top), marker="x", s=32, linewidths=1.5, c=crosses, zorder=4, clip_on=False)
    log_axis(ax.yaxis, bottom, top)
    evaluations_axis(ax, pd.concat([frame.loc[frame["median"] <= top, "evaluations"], stops["evaluations"]]))
    level(ax, target, "target")
    level(ax, floor, "gap floor")
    ax.set(xlabel="gradient evaluations", ylabel="gap  (loss − infimum)")
    label_lines(ax, _ends(frame, "median"), colours)
    return ax


def lr_sensitivity(frame: pd.DataFrame, seeds: pd.DataFrame, ax: Axes, colours: dict[str, str], smoothness: float | None) -> Axes:
    """Draw one task of `curves.sensitivity`: final gap against the learning rate, a line an optimizer, a ring at its best.

    seeds: `tables.entries` of these settings, a dot each that completed. Where one did not, a cross on top with k/n of the seeds.
    smoothness: L where lines at 1/L and 2/L belong in the figure, else None.
    """
    rows = _strip(frame, colours)
    broken = frame.assign(segment=np.isinf(frame["gap"]).groupby(frame["optimizer"]).cumsum())
    for name, line in back_to_front(broken[np.isfinite(broken["gap"])], colours):
        _sensitivity_line(line, seeds[seeds["name"] == name], ax, colours[name])
    reached = seeds.loc[np.isfinite(seeds["gap"]), "gap"]
    log_axis(ax.yaxis, *_widened(reached, 3), headroom=STRIP_ROW * (len(rows) + 0.5))
    if reached.empty:
        ax.set_yticks([])
        ax.annotate("no run completed", (0.5, 0.5), xycoords="axes fraction", ha="center", alpha=0.8)
    log_axis(ax.xaxis, *_widened(frame["lr"], 2))
    for place, (colour, crosses) in enumerate(rows):
        _crosses(ax, crosses, colour, 1 - STRIP_ROW * (place + 0.5))
    for factor in (1, 2) if smoothness else ():
        ax.axvline(factor / smoothness, linestyle=":", **REFERENCE)
        ax.annotate(
            f"{factor}/L",
            (factor / smoothness, 1),
            (0, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
        )
    ax.set(xlabel="learning rate", ylabel="final gap")
    label_lines(ax, _ends(frame, "gap").assign(setting="", diverged=0, failed=0, y=np.nan), colours)
    return ax


def _range_of_curves(frame: pd.DataFrame, target: float, headroom: float) -> tuple[float, float]:
    """Bottom and top of the axes: all of what completed, room above the start for what diverged, the target unless it lies far below."""
    low = frame.loc[frame["q25"] > 0, "q25"].min()
    high = frame.loc[(frame["diverged"] + frame["failed"] == 0) | (frame["step"] == 0), "median"].max()
    return (min(low, target) if target > low / 1e4 else low) / 3, high * headroom


def _sensitivity_line(line: pd.DataFrame, seeds: pd.DataFrame, ax: Axes, colour: str) -> None:
    front = colour != GREY
    look = {"linewidth": 1.9, "markersize": 4.5, "zorder": 3} if front else {"linewidth": 1.1, "markersize": 2.5, "alpha": 0.6}
    sns.lineplot(line, x="lr", y="gap", units="segment", color=colour, marker="o", markeredgewidth=0, ax=ax, **LINE, **look)
    if front:
        dots = seeds[np.isfinite(seeds["gap"])]
        sns.scatterplot(dots, x="lr", y="gap", color=colour, s=12, alpha=0.35, linewidth=0, legend=False, ax=ax)
        best = line[line["best"]]
        ax.scatter(best["lr"], best["gap"], s=110, facecolors="none", edgecolors=colour, linewidths=1.6, zorder=4)


def _strip(frame: pd.DataFrame, colours: dict[str, str]) -> list[tuple[str, pd.DataFrame]]:
    """The rows of crosses, best optimizer on top: its colour and lr, lost, seeds; the grey ones share the last."""
    lost = frame.assign(lost=frame["diverged"] + frame["failed"], colour=frame["optimizer"].map(colours))
    lost = lost[lost["lost"] > 0]
    shades = [colour for colour in dict.fromkeys(colours.values()) if colour in set(lost["colour"])]
    return [(shade, lost[lost["colour"] == shade].groupby("lr", as_index=False)[["lost", "seeds"]].sum()) for shade in shades]


def _crosses(ax: Axes, crosses: pd.DataFrame, colour: str, height: float) -> None:
    place = ax.get_xaxis_transform()
    ax.scatter(crosses["lr"], np.full(len(crosses), height), marker="x", s=26, linewidths=1.5, color=colour, transform=place, zorder=4)
    for lr, lost, seeds in zip(crosses["lr"], crosses["lost"], crosses["seeds"], strict=True):
        ax.annotate(f"{lost}/{seeds}", (lr, height), (6, 0), xycoords=place, textcoords="offset points", va="center", fontsize=7, color=INK)


def _ends(frame: pd.DataFrame, y: str) -> pd.DataFrame:
    """A row an optimizer, y the last finite value of its line or NaN."""
    return frame.assign(y=frame[y].where(np.isfinite(frame[y]))).groupby("optimizer", sort=False).last().reset_index()


def _widened(values: pd.Series, factor: float) -> tuple[float, float]:
    return (values.min() / factor, values.max() * factor) if len(values) else (0.1, 10.0)
