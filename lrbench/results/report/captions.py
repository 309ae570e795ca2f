"""What the figures show, in words made from the sweep itself: how many seeds, what they vary, on which of them the settings were chosen."""

from collections.abc import Callable
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np

from lrbench.results import curves, expected, figures, landscape, plots
from lrbench.results.search import TARGETS
from lrbench.results.text import counted

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

CAPTIONS = {
    "loss_curves": "Gap against gradient evaluations, each optimizer at {setting}. {lines} Crosses: runs that diverged.{theory}",
    "lr_sensitivity": "Final gap against the learning rate{searched}{panels}. Dots: seeds{dots}; line: "
    "their geometric mean; ring: the best rate, a diamond where it is the last of its grid or box; crosses at the top: runs lost{ticks}{edges}.",
    "heat_map": "Final gap over the learning rate, all optimizers, best on top{searched}. Colour: log10 of the geometric mean over the seeds; "
    "hatched: so many of the seeds diverged or failed. Dot: the best rate, a diamond where it is the last of its grid or box{bars}.",
    "tuned_against_default": "Final gap at the tuned setting (full) and at the default one (hollow): geometric means over {over}. On the right "
    "the gain, paired by seed. Crosses: so many runs of the setting were lost.",
    "targets": "Share of the (seed, target) pairs solved against gradient evaluations, each optimizer at {setting}, over {over} and the relative "
    "gaps {first} to {last}. A run that did not complete solves nothing, so such a line ends below 1.",
    "profile": "Share of the {profiled} tasks in which an optimizer reaches the target within so many times the fewest gradient evaluations of all "
    "(medians over {over}). A task that nobody solves counts as unsolved.",
    "seeds": "Final gap of every seed, each optimizer at {setting}, over {over}. Bar: median. Crosses: so many runs were lost. Dashes: the gap "
    "floor, below which all are tied.",
    "pairs": "Above the diagonal: how many times higher the column's gap ends than the row's, paired over {over}; bold in a frame where the "
    "difference is shown; ≥ where only a bound is. Below it: in how many of the distinct pairs the column ends lower than the row.",
    "mean_ranks": "Mean rank over the {problems} problems, seeds averaged within a problem. A bar joins optimizers of which no two are shown to "
    "differ.",
    "path": "The way of the weights, one run an optimizer, at {setting}. Dots on the coloured paths: the states that are kept, all at first, then "
    "ever fewer; what lies between two is not shown. {map}{beyond}",
    "budget": "Best gap among so many trials{searched}: median over all choices of the trials; band: 25 to 75 %.",
    "directions": "What is left of the gap, as a share of the start's, by eigen-direction of the Hessian (steep ones on top) and step; one run an "
    "optimizer, at {setting}.",
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
    return CAPTIONS[name].format(**{word: WORDS[word](results) for word in words})


def over(results: "Results") -> str:
    """Say over how many seeds the compared runs go, and what a seed varies: "10 seeds (what varies: start and minibatches)"."""
    tasks, seeds = results.tasks, results.reported["seed"].nunique()
    start = ["start"] * bool((tasks["init"] == "torch").any())
    batches = ["minibatches"] * bool((tasks["batch_size"].notna() & (tasks["batch_order"] != "sequential")).any())
    return f"{counted(seeds, 'seed')} (what varies: {' and '.join([*start, *batches]) or 'nothing'})"


def _searched(results: "Results") -> str:
    return f", on {_tuning(results)}" if results.tuned else ""


def _tuning(results: "Results") -> str:
    return counted(len(results.manifest["tune"]["seeds"]), "tuning seed")


def _setting(results: "Results") -> str:
    return f"the setting that {_tuning(results)} chose" if results.tuned else "its best setting, chosen on the seeds that are shown"


def _lines(results: "Results") -> str:
    return f"Line: median over {over(results)}; band: 25 to 75 %." if results.reported["seed"].nunique() > 1 else "Line: one run."


def _theory(results: "Results") -> str:
    """Name the lines of theory that are drawn."""
    lines = (
        (expected.curves, "Dashes: theory, where the curve is known beforehand."),
        (expected.least_possible, "Dotted, least possible: conjugate gradients, below which nothing ends that steps along gradients of all rows."),
        (expected.noise_floors, "Dotted and level: the noise floor, where SGD on minibatches ends on average."),
    )
    return "".join(f" {sentence}" for frame, sentence in lines if len(frame(results)))


def _panels(results: "Results") -> str:
    frame = curves.sensitivity(results)
    panels = figures.sensitivity_panels(results, frame)
    optimizers = frame.groupby("task")["optimizer"].nunique()
    if optimizers.max() == 1:
        return ""
    left_out = any(optimizers[task] > len(own) for task, own in panels.items())
    best = f" (the best {max(map(len, panels.values()))}{' over the tasks' if len(panels) > 1 else ''})" if left_out else ""
    return f", a panel an optimizer{best}; grey lines: the others"


def _dots(results: "Results") -> str:
    completed = results.searched[np.isfinite(results.searched["gap"])]
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
    parts = (
        (back, "A path that leaves the frame and comes back is cut off in between."),
        (len(cuts), "A cross: from there on the path stays beyond the frame."),
    )
    return "".join(f" {sentence}" for drawn, sentence in parts if drawn)


# word of a caption -> how it is made
WORDS: dict[str, Callable[["Results"], object]] = {
    "over": over,
    "setting": _setting,
    "lines": _lines,
    "searched": _searched,
    "theory": _theory,
    "panels": _panels,
    "dots": _dots,
    "edges": _edges,
    "ticks": lambda results: "; tick: the default rate" if results.tuned else "",
    "bars": lambda results: "; bar: the default rate" if results.tuned else "",
    "map": _map,
    "beyond": _beyond,
    "profiled": lambda results: curves.profile(results)["tasks"].iloc[0],
    "problems": lambda results: results.across["problems"].iloc[0],
    "first": lambda results: TARGETS[0],
    "last": lambda results: TARGETS[-1],
}
