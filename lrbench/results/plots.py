"""The plots with a line an optimizer, each on one axes: frames in, axes out. Nothing is computed here but where to put things.

seaborn drops inf without a word, so what it is handed is finished and finite; what went to inf is drawn apart, as crosses.
"""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.markers import TICKUP
from matplotlib.transforms import ScaledTranslation

from lrbench.results.curves import BEYOND, evenly, spread_seeds, thinned
from lrbench.results.ink import (
    GREY,
    INK,
    REFERENCE,
    SMALL,
    WIDEST,
    back_to_front,
    evaluations_axis,
    fitted,
    gid,
    label_lines,
    level,
    log_axis,
    log_range,
    set_ticks,
    steps_axis,
    units_axis,
)

STRIP, COUNTS = 14, 8  # points: a row of crosses, and k/n above it
APART = 8  # points: how far crosses of several optimizers at one place stand apart
MOST_POINTS = 200  # of a curve
MOST_BEHIND = 40  # points of a grey line
MOST_DOTS, MOST_MARKED = 300, 60  # seeds of an optimizer; learning rates with a mark on their line
LARGEST = np.finfo(np.float64).max
THEORY = (0, (2, 2))  # dashes
LEAST = "least possible"  # the line of conjugate gradients
LINE = {"estimator": None, "errorbar": None, "legend": False, "sort": False}


def loss_curves(
    frame: pd.DataFrame,
    stops: pd.DataFrame,
    theory: pd.DataFrame,
    ax: Axes,
    colours: dict[str, str],
    task: pd.Series,
    target: float,
) -> Axes:
    """Draw one task of `curves.best_curves`: median gap against gradient evaluations, a band between the quartiles for the coloured.

    theory: lines of `line` ("theory" dashed on top of the curves, any other dotted), a row a point with evaluations and gap.
    stops: `curves.stops` of this task, drawn as crosses. task: its row of the tasks. target: a gap, NaN: none. It and the gap floor are lines where
    they lie in the figure. A minibatch counts its share of the rows: with them evaluations are epochs, and an axis on top counts the steps.
    """
    ax.set_autoscale_on(
        False
    )  # the limits are set below; gaps near the end of float64 overflow matplotlib's margins
    leaps = frame.groupby("optimizer")["evaluations"].agg(lambda evaluations: evaluations.diff().max() > 1)
    leaping = leaps[leaps].index  # gradients a step: between is not known
    finite = thinned(frame[np.isfinite(frame["median"])], MOST_POINTS)
    bottom, top = _range_of_curves(frame, target, BEYOND if len(stops) else 3)
    for name, curve in back_to_front(finite, colours):
        front, several = colours[name] != GREY, "post" if name in leaping else None
        if front:
            upper = curve["q75"].replace(np.inf, LARGEST).clip(lower=bottom)
            band = {"alpha": 0.18, "linewidth": 0, "gid": gid(ax, "band", name, colours)}
            ax.fill_between(
                curve["evaluations"],
                curve["q25"].clip(lower=bottom),
                upper,
                step=several,
                color=colours[name],
                **band,
            )
        look = _look(ax, name, colours)
        between = {"drawstyle": "steps-post"} if several else {}
        shown = curve.assign(median=curve["median"].clip(lower=bottom))
        sns.lineplot(
            shown, x="evaluations", y="median", color=colours[name], ax=ax, **LINE, **look, **between
        )
    _theory(theory, ax, bottom, top, colours)
    log_axis(ax.yaxis, bottom, top)
    evaluations_axis(ax, pd.concat([frame.loc[frame["median"] <= top, "evaluations"], stops["evaluations"]]))
    _stops(stops.assign(gap=stops["gap"].clip(upper=top)), ax, colours)
    level(ax, target, "target")
    level(ax, task["gap_floor"], "gap floor")
    _count_updates(ax, frame, bool(pd.notna(task["batch_size"])))
    ax.set(ylabel=f"gap  (loss − {'minimum' if task['attained'] else 'infimum'})")
    label_lines(
        ax,
        _ends(frame, "median").assign(detail=lambda ends: [_detail(row) for row in ends.to_dict("records")]),
        colours,
    )
    return ax


def sensitivity(
    frame: pd.DataFrame,
    seeds: pd.DataFrame,
    marks: tuple[pd.DataFrame, pd.DataFrame],
    ax: Axes,
    name: str,
    colours: dict[str, str],
    smoothness: float | None,
    limits: bool,
) -> Axes:
    """Draw one task of `curves.sensitivity` for one optimizer: final gap against the learning rate, a ring at its best, a diamond if at an edge.

    The other optimizers are grey lines behind; the axes' limits are those of the whole task, so that its panels compare.
    seeds: `tables.entries` of these settings, a dot each of this optimizer's that completed. Where one did not, a cross on top with k/n of the seeds.
    marks: `expected.edges`, a triangle on the axis, and `curves.default_rates`, a tick; of this optimizer.
    smoothness: L, in whose units there is a second axis on top; None: there is no such axis.
    limits: whether lines at 1/L and 2/L belong in the panel.
    """
    width, height = ax.get_window_extent().size / ax.figure.dpi * 72  # points
    reached, lost = seeds.loc[np.isfinite(seeds["gap"]), "gap"], frame["diverged"] + frame["failed"] > 0
    log_axis(
        ax.yaxis,
        *log_range(reached, 3),
        (STRIP + COUNTS) / height if lost.any() else 0.0,
        max(3, int(height / 22)),
    )
    log_axis(ax.xaxis, *log_range(frame["lr"], 2), most=max(3, int(width / 30)))
    for other, line in back_to_front(frame[frame["optimizer"] != name], colours):
        _behind(line, ax, other, colours)
    own = frame[frame["optimizer"] == name]
    _sensitivity_line(own, seeds[seeds["name"] == name], ax, name, colours)
    if not np.isfinite(own["gap"]).any():
        ax.annotate(
            "no setting completed all seeds",
            (0.5, 0.09),
            xycoords="axes fraction",
            ha="center",
            fontsize=SMALL,
            alpha=0.8,
        )
    if not (reached > 0).any():
        ax.set_yticks([])
    if lost[own.index].any():
        _crosses(own[lost[own.index]], ax, name, 1 - (COUNTS + STRIP / 2) / height, colours)
    for factor in (1, 2) if smoothness and limits else ():
        ax.axvline(factor / smoothness, linestyle=":", **REFERENCE)
    if smoothness:
        units_axis(ax, smoothness, max(3, int(width / 30)))
    for marked, part, look in zip(
        marks,
        ("edge", "default"),
        ({"marker": "^", "s": 48}, {"marker": TICKUP, "s": 120, "linewidths": 2}),
        strict=True,
    ):
        _mark(ax, marked[marked["optimizer"] == name], colours, part, look)
    ax.tick_params(labelsize=SMALL)
    key = {"arrowstyle": "-", "color": colours[name], "linewidth": 2.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate(
        "",
        (0, height + 21),
        (16, height + 21),
        xycoords="axes points",
        textcoords="axes points",
        arrowprops=key,
    )
    ax.set_title(
        fitted(name, 10, width - 21),
        x=21 / width,
        fontsize=10,
        fontweight="normal",
        gid=gid(ax, "name", name, colours),
    )
    return ax


def solved(frame: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw one task of `curves.solved`: the share of (seed, target) pairs solved against gradient evaluations, as true steps."""
    _steps(frame, "evaluations", ax, colours)
    evaluations_axis(ax, frame["evaluations"])
    ends = frame.groupby("optimizer", sort=False).last().reset_index()
    counts = [
        f"{share * pairs:.0f}/{pairs}" for share, pairs in zip(ends["share"], ends["pairs"], strict=True)
    ]
    ax.set(xlabel="gradient evaluations", ylabel="share of (seed, target) pairs solved", ylim=(0, 1.02))
    label_lines(ax, ends.assign(y=ends["share"], detail=counts), colours)
    return ax


def profile(frame: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw `curves.profile`: the share of the tasks solved within a ratio of the fewest evaluations that anyone took (Dolan and Moré, 2002)."""
    _steps(frame, "ratio", ax, colours)
    log_axis(ax.xaxis, 1.0, frame["ratio"].max())
    ends = frame.groupby("optimizer", sort=False).last().reset_index()
    counts = [
        f"{share * tasks:.0f} of {tasks} tasks"
        for share, tasks in zip(ends["share"], ends["tasks"], strict=True)
    ]
    ax.set(
        xlabel="evaluations to the target over the fewest of all",
        ylabel="share of tasks solved",
        ylim=(0, 1.02),
    )
    label_lines(ax, ends.assign(y=ends["share"], detail=counts), colours)
    return ax


def budget(frame: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw one task of `Results.budget_curve`: the best gap among so many trials, median over their choice, a band between the quartiles."""
    ax.set_autoscale_on(False)
    values = frame[["q25", "median", "q75"]].to_numpy()
    low, high = log_range(values, 2)
    log_axis(ax.yaxis, low, high)
    finite = frame[np.isfinite(frame["median"])]
    for name, line in back_to_front(
        finite.assign(**finite[["q25", "median", "q75"]].clip(lower=low)), colours
    ):
        if colours[name] != GREY:
            band = {"alpha": 0.1, "linewidth": 0, "gid": gid(ax, "band", name, colours)}
            ax.fill_between(
                line["trials"], line["q25"], line["q75"].replace(np.inf, LARGEST), color=colours[name], **band
            )
        sns.lineplot(
            line, x="trials", y="median", color=colours[name], ax=ax, **LINE, **_look(ax, name, colours)
        )
    log_axis(ax.xaxis, 1, frame["trials"].max())
    set_ticks(ax.xaxis, frame["trials"].unique().tolist())
    ax.set(xlabel="trials", ylabel="best gap among them")
    label_lines(ax, _ends(frame, "median").assign(detail=""), colours)
    return ax


def directions(frame: pd.DataFrame, ax: Axes, lowest: float) -> Axes:
    """Draw one optimizer of `directions.parts` as a heat-map: directions from steep to flat, steps, colour = log10 of the part, cut at `lowest`."""
    grid = frame.pivot(index="direction", columns="step", values="part")
    steps = np.array(grid.columns, dtype=float)
    last = (
        steps[-1] * steps[-1] / max(steps[-2], 1) if len(steps) > 2 else steps[-1] + 1
    )  # as far beyond as the one before is back, in log
    with np.errstate(divide="ignore"):
        logs = np.log10(grid.to_numpy()).clip(lowest, 0)
    ax.pcolormesh(
        np.append(np.maximum(steps, 0.5), last),
        np.arange(len(grid) + 1),
        logs,
        cmap="viridis",
        vmin=lowest,
        vmax=0,
        rasterized=True,
    )
    eigenvalues = frame.drop_duplicates("direction").set_index("direction")["eigenvalue"]
    shown = sorted({0, len(grid) // 2, len(grid) - 1})
    ax.set_yticks([place + 0.5 for place in shown], [f"{eigenvalues[place]:.2g}" for place in shown])
    log_axis(ax.xaxis, 0.5, last)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set(xlabel="step", ylabel="eigenvalue")
    return ax


def _look(ax: Axes, name: str, colours: dict[str, str]) -> dict[str, Any]:
    look = {"linewidth": 1.7, "zorder": 3} if colours[name] != GREY else {"linewidth": 1.1, "alpha": 0.6}
    return look | {"gid": gid(ax, "line", name, colours)}


def _theory(theory: pd.DataFrame, ax: Axes, bottom: float, top: float, colours: dict[str, str]) -> None:
    """Draw the lines of theory, none of a grey optimizer; the least possible gap has its name below its end: there no curve that it bounds can be."""
    shown = theory[(theory["gap"] > 0) & (theory["optimizer"].map(colours) != GREY)]
    for (line, name), points in shown.groupby(["line", "optimizer"], sort=False):
        style, own = (
            THEORY if line == "theory" else ":",
            gid(ax, str(line).partition(" ")[0], str(name), colours),
        )
        ax.plot(
            points["evaluations"],
            points["gap"],
            color=INK,
            linewidth=0.8,
            linestyle=style,
            zorder=3.5,
            gid=own,
        )
    least = shown[(shown["line"] == LEAST) & (shown["gap"] <= top)]
    inside = least[least["gap"] >= bottom]
    if len(least) > 1 and len(inside):
        end, falls = inside.iloc[-1], len(inside) < len(least)
        place = (end["evaluations"], np.sqrt(bottom * end["gap"]) if falls else end["gap"])
        look = {
            "ha": "right",
            "va": "center" if falls else "top",
            "fontsize": SMALL - 1,
            "alpha": 0.9,
            "linespacing": 1.1,
        }
        ax.annotate(
            LEAST.replace(" ", "\n"), place, (-5, 0 if falls else -3), textcoords="offset points", **look
        )


def _stops(stops: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> None:
    """Draw a cross where a run stopped; those of several optimizers at one place stand one below the other, not to hide each other."""
    taken = np.empty((0, 2))
    for name, lost in reversed(list(back_to_front(stops, colours))):
        at, down = ax.transData.transform(lost[["evaluations", "gap"]]) / ax.figure.dpi * 72, 0  # points
        while (np.abs(at[:, None] - taken) < APART).all(axis=2).any() and colours[name] != GREY:
            at, down = at - [0, APART], down + APART
        taken = np.vstack([taken, at])
        below = ax.transData + ScaledTranslation(0, -down / 72, ax.figure.dpi_scale_trans)
        look = {
            "marker": "x",
            "s": 32,
            "linewidths": 1.5,
            "color": colours[name],
            "gid": gid(ax, "stop", name, colours),
        }
        ax.scatter(
            lost["evaluations"],
            lost["gap"],
            zorder=4 if colours[name] != GREY else 2,
            clip_on=False,
            transform=below,
            **look,
        )


def _count_updates(ax: Axes, frame: pd.DataFrame, batches: bool) -> None:
    """Say what a gradient evaluation is, where it is the same to all: a step on all rows, or on minibatches an epoch, with the steps on top."""
    last = (
        frame[np.isfinite(frame["median"]) & (frame["step"] > 0)]
        .groupby("optimizer", sort=False)[["step", "evaluations"]]
        .last()
    )
    steps = (last["step"] / last["evaluations"]).to_numpy()
    same = len(steps) > 0 and np.allclose(
        steps, steps[0], rtol=1 / last["step"].min()
    )  # the last batch of an epoch may be smaller
    ax.set(
        xlabel=f"gradient evaluations{'  (= epochs)' if batches else '  (= steps)' if same and steps[0] == 1 else ''}"
    )
    if batches and same:
        steps_axis(ax, float(steps[0]))


def _range_of_curves(frame: pd.DataFrame, target: float, headroom: float) -> tuple[float, float]:
    """Bottom and top of the axes: all of what completed, room above the start for what diverged, the target unless it lies far below."""
    high = frame.loc[(frame["diverged"] + frame["failed"] == 0) | (frame["step"] == 0), "median"].max()
    low = max(frame.loc[frame["q25"] > 0, "q25"].min(), high / 10.0**WIDEST)
    return (min(low, target) if target > low / 1e4 else low) / 3, high * headroom


def _behind(line: pd.DataFrame, ax: Axes, name: str, colours: dict[str, str]) -> None:
    """Draw another optimizer: a thin line that breaks where a setting was lost; dots where neighbours are not steps of one curve."""
    shown = line.iloc[evenly(len(line), MOST_BEHIND)]
    look = (
        {"marker": ".", "markersize": 3.5, "linestyle": "none", "markeredgewidth": 0}
        if line["scattered"].any()
        else {"linewidth": 0.8}
    )
    ax.plot(
        shown["lr"],
        shown["gap"].replace(np.inf, np.nan).clip(lower=ax.get_ylim()[0]),
        color=GREY,
        alpha=0.45,
        zorder=1.5,
        clip_on=False,
        solid_capstyle="butt",
        gid=gid(ax, "behind", name, colours),
        **look,
    )


def _sensitivity_line(
    line: pd.DataFrame, seeds: pd.DataFrame, ax: Axes, name: str, colours: dict[str, str]
) -> None:
    colour, dots, low = colours[name], spread_seeds(seeds, MOST_DOTS), ax.get_ylim()[0]
    best = line[line["best"] & np.isfinite(line["gap"])]
    look = {"linewidth": 1.9, "markersize": 4.5 if len(line) <= MOST_MARKED else 0, "zorder": 3}
    look |= {"linestyle": "none", "markersize": 4.5} if line["scattered"].any() else {}
    gaps = line["gap"].replace(np.inf, np.nan).clip(lower=low)
    ax.plot(
        line["lr"],
        gaps,
        color=colour,
        marker="o",
        markeredgewidth=0,
        gid=gid(ax, "line", name, colours),
        **look,
    )
    look = {
        "s": 12,
        "alpha": 0.4 if np.isfinite(gaps).any() else 0.9,
        "linewidth": 0,
        "gid": gid(ax, "dots", name, colours),
    }
    ax.scatter(dots["lr"], dots["gap"].clip(lower=low), color=colour, zorder=2, **look)
    shape = "D" if best["edge"].ne("").any() else "o"
    look = {
        "facecolors": "none",
        "edgecolors": colour,
        "linewidths": 1.6,
        "gid": gid(ax, "best", name, colours),
    }
    ax.scatter(best["lr"], best["gap"].clip(lower=low), s=80, marker=shape, zorder=4, **look)


def _steps(frame: pd.DataFrame, x: str, ax: Axes, colours: dict[str, str]) -> None:
    for name, line in back_to_front(frame, colours):
        sns.lineplot(
            line,
            x=x,
            y="share",
            color=colours[name],
            drawstyle="steps-post",
            ax=ax,
            **LINE,
            **_look(ax, name, colours),
        )


def _mark(ax: Axes, marked: pd.DataFrame, colours: dict[str, str], part: str, look: dict[str, Any]) -> None:
    """Put a mark on the axis at each learning rate within it."""
    for name, inside in back_to_front(marked[marked["lr"].between(*ax.get_xlim())], colours):
        place = {
            "transform": ax.get_xaxis_transform(),
            "zorder": 5,
            "clip_on": False,
            "gid": gid(ax, part, name, colours),
        }
        ax.scatter(inside["lr"], np.zeros(len(inside)), color=colours[name], **place, **look)


def _detail(row: dict[str, Any]) -> str:
    """Write what was lost at a setting, and the setting."""
    lost = [f"{row[status]}/{row['seeds']} {status}" for status in ("diverged", "failed") if row[status]]
    return ", ".join([*lost, *filter(None, [row["setting"]])])


def _crosses(lost: pd.DataFrame, ax: Axes, name: str, height: float, colours: dict[str, str]) -> None:
    """Draw a row of crosses, and above it k/n over each stretch of neighbours that lost the same, the longest first, where there is room for it."""
    place, crosses = ax.get_xaxis_transform(), lost.assign(lost=lost["diverged"] + lost["failed"])
    look = {"s": 15, "linewidths": 1.2, "color": colours[name], "gid": gid(ax, "lost", name, colours)}
    ax.scatter(crosses["lr"], np.full(len(crosses), height), marker="x", transform=place, zorder=4, **look)
    counts = crosses["lost"].astype(str) + "/" + crosses["seeds"].astype(str)
    stretches = crosses.assign(count=counts).groupby((counts != counts.shift()).cumsum(), sort=False)
    ends = stretches.agg(
        count=("count", "first"), first=("lr", "min"), last=("lr", "max"), size=("lr", "size")
    )
    taken: list[tuple[float, float]] = []
    for text, first, last, _ in ends.sort_values("size", ascending=False, kind="stable").itertuples(
        index=False
    ):
        (begin, _), (end, _) = ax.transData.transform([(first, 1), (last, 1)]) / ax.figure.dpi * 72  # points
        middle, half = (begin + end) / 2, 2.6 * len(text)
        if all(abs(middle - other) > half + wide for other, wide in taken):
            look = {
                "va": "bottom",
                "ha": "center",
                "fontsize": 7,
                "color": INK,
                "gid": gid(ax, f"count{len(taken)}", name, colours),
            }
            ax.annotate(
                text,
                (np.sqrt(first * last), height),
                (0, 4),
                xycoords=place,
                textcoords="offset points",
                **look,
            )
            taken.append((middle, half))


def _ends(frame: pd.DataFrame, y: str) -> pd.DataFrame:
    """A row an optimizer, y the last finite value of its line or NaN."""
    return (
        frame.assign(y=frame[y].where(np.isfinite(frame[y])))
        .groupby("optimizer", sort=False)
        .last()
        .reset_index()
    )
