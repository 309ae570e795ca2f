"""What the figures show, in words made from the sweep itself: how many seeds, what they vary, on which of them the settings were chosen."""

from collections.abc import Callable, Iterable, Sequence
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results import curves, expected, figures, ink, landscape, plots, rows
from lrbench.results.directions import parts
from lrbench.results.report.findings import drawn
from lrbench.results.search import TARGETS
from lrbench.results.text import counted, listed

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

CAPTIONS = {
    "loss_curves": "Gap against gradient evaluations, each optimizer at {setting}. {lines}{stops}{theory}{curves_cut}",
    "lr_sensitivity": "Final gap against the learning rate{searched}{panels}. Dots: seeds{dots}{means}{best}{lost}{ticks}{edges}.{searched_cut}",
    "heat_map": "Final gap over the learning rate, all optimizers, best on top{searched}.{coloured}{hatched}{dot}{bars}{redrawn}{searched_cut}",
    "tuned_against_default": "Final gap at the tuned setting (full) and at the default one (hollow): geometric means over {over}. On the right "
    "the gain, paired by seed.{gains_lost}{reported_cut}",
    "targets": "Share of the (seed, target) pairs solved against gradient evaluations, each optimizer at {setting}, over {over} and the relative "
    "gaps {first} to {last}.{unsolved}",
    "profile": "Share of the {profiled} tasks in which an optimizer reaches the target within so many times the fewest gradient evaluations of all. "
    "Medians over {over}; a task that nobody solves counts as unsolved.",
    "seeds": "Final gap of every seed, each optimizer at {setting}, over {over}.{median}{seeds_lost}{floor}{reported_cut}",
    "pairs": "Above the diagonal: how many times higher the column's gap ends than the row's, paired over {over}{shown}{bounds}. Below it: in how "
    "many of the distinct pairs the column ends lower than the row.{compared}",
    "mean_ranks": "Mean rank over the {problems} problems, seeds averaged within a problem. A bar joins optimizers of which no two are shown to "
    "differ.",
    "path": "The way of the weights, one run an optimizer, at {setting}. Dots on the coloured paths: the states that are kept, all at first, then "
    "ever fewer; what lies between two is not shown. {map}{beyond}",
    "budget": "Best gap among so many trials{searched}: median over all choices of the trials; band: 25 to 75 %.{searched_cut}",
    "directions": "What is left of the gap, as a share of the start's, by eigen-direction of the Hessian (steep ones on top) and step; one run an "
    "optimizer, at {setting}.{traced}{stopped}",
}

MAPS = (
    "With one parameter the curve is the gap.",
    "Contours: equal gap, from each to the next inner one a quarter.",
    "With more than two parameters the map is the plane through the minimiser along the flattest and the steepest direction; what the gap has in "
    "other directions lies outside it.",
)


def caption(name: str, results: "Results") -> str:
    """Return the caption of a figure."""
    words = [word for _, word, _, _ in Formatter().parse(CAPTIONS[name]) if word]
    return CAPTIONS[name].format(**{word: WORDS[word](results) for word in words}) + _left_out(name, results)


def _left_out(name: str, results: "Results") -> str:
    tasks = results.tasks["task"].tolist()
    return left_out(tasks, drawn(name, results) if len(tasks) > 1 else tasks)


def left_out(tasks: Sequence[str], shown: Sequence[str]) -> str:
    """Say which tasks a figure has no panel for."""
    missing = [task for task in tasks if task not in shown]
    if not missing:
        return ""
    which = f": {listed(shown)}" if len(shown) < len(missing) else f"; not drawn: {listed(missing)}"
    return f" {len(shown)} of {len(tasks)} tasks{which}."


def over(results: "Results") -> str:
    """Say over how many seeds the compared runs go, and what a seed varies: "10 seeds (what varies: start and minibatches)"."""
    tasks, each = results.tasks, results.reported.groupby(["task", "name"])["seed"].nunique()
    fewest, most = each.min(), each.max()
    seeds = counted(most, "seed") if fewest == most else f"{fewest} to {counted(most, 'seed')}"
    if most == 1:
        return seeds
    start = ["start"] * bool((tasks["init"] == "torch").any())
    batches = ["minibatches"] * bool(
        (tasks["batch_size"].notna() & (tasks["batch_order"] != "sequential")).any()
    )
    return f"{seeds} (what varies: {' and '.join([*start, *batches]) or 'nothing'})"


def _searched(results: "Results") -> str:
    return f", on {_tuning(results)}" if results.tuned else ""


def _tuning(results: "Results") -> str:
    return counted(len(results.manifest["tune"]["seeds"]), "tuning seed")


def _setting(results: "Results") -> str:
    if results.tuned:
        return f"the setting that {_tuning(results)} chose"
    return (
        "its best setting, chosen on the seeds that are shown"
        if (results.ranking["settings"] > 1).any()
        else "its only setting"
    )


def _lines(results: "Results") -> str:
    return (
        f"Line: median over {over(results)}; band: 25 to 75 %."
        if results.reported["seed"].nunique() > 1
        else "Line: one run."
    )


def _theory(results: "Results") -> str:
    """Name the lines of theory that are drawn."""
    coloured = [name for name, colour in ink.palette(results.ranking).items() if colour != ink.GREY]
    least = expected.least_possible(results)
    known, floors = (
        frame["optimizer"].isin(coloured).any()
        for frame in (expected.curves(results), expected.noise_floors(results))
    )
    lines = (
        (known, "Dashes: theory, where the curve is known beforehand."),
        (
            (least[least["gap"] > 0].groupby("task").size() > 1).any(),
            "Dotted, least possible: conjugate gradients, below which nothing ends that steps along gradients of all rows.",
        ),
        (floors, "Dotted and level: the noise floor, where SGD on minibatches ends on average."),
    )
    return _those(lines)


def _those(sentences: Iterable[tuple[object, str]]) -> str:
    """Join the sentences that apply, each after a space."""
    return "".join(f" {sentence}" for applies, sentence in sentences if applies)


def _cut(gaps: pd.Series, tasks: pd.Series) -> str:
    """Say where gaps that do not fit their axis are drawn."""
    cut = any(ink.log_range(own, 1.0)[0] > own.min() for _, own in gaps.groupby(tasks))
    return " What lies below the axis, such as a gap of 0, is drawn at its end." if cut else ""


def _curves_cut(results: "Results") -> str:
    runs = results.reported
    return _cut(pd.concat([runs["gap"], runs["start_gap"]]), pd.concat([runs["task"]] * 2))


def _scattered(results: "Results") -> pd.Series:
    """Return of each optimizer whether its learning rates are not steps of one curve."""
    return curves.sensitivity(results).groupby("optimizer")["scattered"].any()


def _means(results: "Results") -> str:
    scattered = _scattered(results)
    if not _any_best(results):
        return ""
    if not scattered.any():
        return "; line: their geometric mean"
    dots = "large dots: their geometric mean, no line where other hyperparameters change from rate to rate"
    return f"; {'' if scattered.all() else 'line or '}{dots}"


def _any_best(results: "Results") -> bool:
    """Say whether an optimizer has a setting that completed all its seeds."""
    return bool(np.isfinite(curves.sensitivity(results)["gap"]).any())


def _best(results: "Results") -> str:
    return f"; ring: the best rate{_diamond(results)}" if _any_best(results) else ""


def _diamond(results: "Results") -> str:
    return (
        ", a diamond where it is the last of its grid or box" if (results.ranking["edge"] != "").any() else ""
    )


def _lost(results: "Results") -> str:
    """Say what the crosses of the panels are, where there are some."""
    frame = curves.sensitivity(results)
    lost = frame.loc[frame["diverged"] + frame["failed"] > 0, ["task", "optimizer"]].itertuples(
        index=False, name=None
    )
    panels = {
        (task, name) for task, own in figures.sensitivity_panels(results, frame).items() for name in own
    }
    return (
        "; crosses at the top: so many runs lost, written where there is room" if panels & set(lost) else ""
    )


def _hatched(results: "Results") -> str:
    frame = curves.sensitivity(results)
    return (
        " Hatched: so many of the seeds diverged or failed."
        if (frame["diverged"] + frame["failed"] > 0).any()
        else ""
    )


def _floor(results: "Results") -> str:
    """Say what the dashes are, where the gap floor lies within an axis."""
    runs, tasks = results.reported, results.tasks.set_index("task")
    ends = {
        task: ink.log_range(gaps, rows.SIDES)
        for task, gaps in runs.groupby("task")["gap"]
        if task in drawn("seeds", results)
    }
    within = any(low <= tasks.loc[task, "gap_floor"] <= high for task, (low, high) in ends.items())
    return " Dashes: the gap floor, below which all are tied." if within else ""


def _most(names: pd.Series, most: int) -> str:
    """Say that the best are shown, where there are more."""
    return f" The best {most} of {names.nunique()} optimizers." if names.nunique() > most else ""


def _panels(results: "Results") -> str:
    frame = curves.sensitivity(results)
    panels = figures.sensitivity_panels(results, frame)
    optimizers = frame.groupby("task")["optimizer"].nunique()
    if optimizers.max() == 1:
        return ""
    left_out = any(optimizers[task] > len(own) for task, own in panels.items())
    best = (
        f" (the best {max(map(len, panels.values()))}{' over the tasks' if len(panels) > 1 else ''})"
        if left_out
        else ""
    )
    return f", a panel an optimizer{best}; grey lines: the others"


def _dots(results: "Results") -> str:
    runs = results.searched[results.searched["setting_id"].isin(curves.sensitivity(results)["setting_id"])]
    completed = runs[np.isfinite(runs["gap"])]
    most = completed.groupby(["task", "name"]).size().max() if len(completed) else 0
    return " (of many the lowest, the highest and some between)" if most > plots.MOST_DOTS else ""


def _edges(results: "Results") -> str:
    """Name what theory marks in the panels."""
    panels, edges = figures.sensitivity_panels(results, curves.sensitivity(results)), expected.edges(results)
    runs, quadratic = results.searched, results.tasks.loc[results.tasks["quadratic"].astype(bool), "task"]
    plain = runs[expected.is_plain_descent(runs) & runs["task"].isin(quadratic)]
    shown = {(task, name) for task, own in panels.items() for name in own}
    marks = (
        (edges[["task", "optimizer"]], "; triangle: where theory says that the optimizer stops converging"),
        (plain[["task", "name"]], "; dotted: 1/L, and 2/L, where gradient descent stops converging"),
    )
    return "".join(words for marked, words in marks if shown & set(marked.itertuples(index=False, name=None)))


def _map(results: "Results") -> str:
    p = results.tasks["p"]
    kinds = (p == 1).any(), (p > 1).any(), (p > 2).any()
    return " ".join(text for shown, text in zip(kinds, MAPS, strict=True) if shown)


def _beyond(results: "Results") -> str:
    """Say what is not seen of the paths that leave the map."""
    points = landscape.points(results)
    cuts = landscape.cuts(points, landscape.maps(results, points))
    left = points.loc[~points["inside"], ["task", "optimizer"]].drop_duplicates()
    back = len(left) > len(cuts)
    sentences = (
        (back, "A path that leaves the frame and comes back is cut off in between."),
        (len(cuts), "A cross: from there on the path stays beyond the frame."),
    )
    return _those(sentences)


def _is_lost(results: "Results") -> bool:
    return bool((results.reported["status"] != "completed").any())


# word of a caption -> how it is made
WORDS: dict[str, Callable[["Results"], object]] = {
    "over": over,
    "setting": _setting,
    "lines": _lines,
    "stops": lambda results: (
        " Crosses: runs that diverged." if (results.reported["status"] == "diverged").any() else ""
    ),
    "curves_cut": _curves_cut,
    "searched_cut": lambda results: _cut(results.searched["gap"], results.searched["task"]),
    "reported_cut": lambda results: _cut(results.reported["gap"], results.reported["task"]),
    "searched": _searched,
    "theory": _theory,
    "panels": _panels,
    "dots": _dots,
    "means": _means,
    "best": _best,
    "lost": _lost,
    "edges": _edges,
    "coloured": lambda results: (
        " Colour: log10 of the geometric mean over the seeds." if _any_best(results) else ""
    ),
    "hatched": _hatched,
    "dot": lambda results: f" Dot: the best rate{_diamond(results)}." if _any_best(results) else "",
    "median": lambda results: " Bar: median." if np.isfinite(results.ranking["median"]).any() else "",
    "redrawn": lambda results: (
        " Other hyperparameters change from cell to cell." if _scattered(results).any() else ""
    ),
    "gains_lost": lambda results: (
        " Crosses: so many runs of the setting were lost."
        if np.isinf(results.tuned_against_default[["gap", "default_gap"]]).any(axis=None)
        else ""
    ),
    "unsolved": lambda results: (
        " A run that did not complete solves nothing, so such a line ends below 1."
        if _is_lost(results)
        else ""
    ),
    "seeds_lost": lambda results: " Crosses: so many runs were lost." if _is_lost(results) else "",
    "floor": _floor,
    "shown": lambda results: (
        "; bold in a frame where the difference is shown" if (results.pairwise["better"] != "").any() else ""
    ),
    "bounds": lambda results: (
        "; ≥ or ≤ where only a bound is known" if results.pairwise["at_least"].notna().any() else ""
    ),
    "compared": lambda results: _most(results.ranking["optimizer"], figures.MOST_COMPARED),
    "traced": lambda results: _most(parts(results)["optimizer"], figures.MOST_PANELS),
    "stopped": lambda results: " Empty: the run had stopped." if parts(results)["part"].isna().any() else "",
    "ticks": lambda results: "; tick: the default rate" if results.tuned else "",
    "bars": lambda results: " Bar: the default rate." if results.tuned else "",
    "map": _map,
    "beyond": _beyond,
    "profiled": lambda results: curves.profile(results)["tasks"].iloc[0],
    "problems": lambda results: results.across["problems"].iloc[0],
    "first": lambda results: TARGETS[0],
    "last": lambda results: TARGETS[-1],
}
