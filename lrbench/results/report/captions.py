"""What the figures show, in words made from the sweep itself: how many seeds, what they vary, on which of them the settings were chosen."""

from typing import TYPE_CHECKING

from lrbench.results.search import TARGETS
from lrbench.results.text import counted

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

CAPTIONS = {
    "loss_curves": "Gap against gradient evaluations, each optimizer at {setting}. {lines} Crosses: runs that diverged. Dashes: theory, where the "
    "curve is known beforehand.",
    "lr_sensitivity": "Final gap against the learning rate{searched}. Dots: seeds; line: their geometric mean; ring: the best rate, a diamond "
    "where it is the last of its grid or box; crosses at the top: runs lost; triangles: where theory says that the optimizer stops "
    "converging{ticks}.",
    "heat_map": "Final gap over the learning rate, all optimizers, best on top{searched}. Colour: log10 of the geometric mean over the seeds; "
    "hatched: so many of the seeds diverged or failed. Dot: the best rate, a diamond where it is the last of its grid or box{bars}.",
    "tuned_against_default": "Final gap at the tuned setting (full) and at the default one (hollow): geometric means over {over}. On the right "
    "the gain, paired by seed. Crosses: so many runs of the setting were lost.",
    "targets": "Share of the (seed, target) pairs solved against gradient evaluations, each optimizer at {setting}, over {over} and the relative "
    "gaps {first} to {last}. A run that did not complete solves nothing, so such a line ends below 1.",
    "profile": "Share of the {tasks} tasks in which an optimizer reaches the target within so many times the fewest gradient evaluations of all "
    "(medians over {over}). A task that nobody solves counts as unsolved.",
    "seeds": "Final gap of every seed, each optimizer at {setting}, over {over}. Bar: median. Crosses: so many runs were lost. Dashes: the gap "
    "floor, below which all are tied.",
    "pairs": "Above the diagonal: how many times higher the column's gap ends than the row's, paired over {over}; bold in a frame where the "
    "difference is shown; ≥ where only a bound is. Below it: in how many of the distinct pairs the column ends lower than the row.",
    "mean_ranks": "Mean rank over the {tasks} tasks, seeds averaged within a task. A bar joins optimizers of which no two are shown different.",
    "path": "The way of the weights, one run an optimizer, at {setting}. Dots: the states that are kept, all at first, then ever fewer; what lies "
    "between two is not shown. {map} A cross: from there on the path stays beyond the frame.",
    "budget": "Best gap among so many trials{searched}: median over all choices of the trials; band: 25 to 75 %.",
    "directions": "What is left of the gap, as a share of the start's, by eigen-direction of the Hessian (steep ones on top) and step; one run an "
    "optimizer, at {setting}.",
}

MAPS = (
    "With one parameter the curve is the gap.",
    "Grey lines: equal gap, from each to the next inner one a quarter.",
    "With more than two parameters the map is the plane through the minimiser along the flattest and the steepest direction; what the gap has in "
    "other directions lies outside it.",
)


def caption(name: str, results: "Results") -> str:
    """Return the caption of a figure."""
    return CAPTIONS[name].format(**_words(results))


def over(results: "Results") -> str:
    """Say over how many seeds the compared runs go, and what a seed varies: "10 seeds (what varies: start and minibatches)"."""
    tasks, seeds = results.tasks, results.reported["seed"].nunique()
    start = ["start"] * bool((tasks["init"] == "torch").any())
    batches = ["minibatches"] * bool((tasks["batch_size"].notna() & (tasks["batch_order"] != "sequential")).any())
    return f"{counted(seeds, 'seed')} (what varies: {' and '.join([*start, *batches]) or 'nothing'})"


def _axes(results: "Results") -> tuple[bool, bool, bool]:
    """Say whether there are tasks with one parameter, with several, and with more than two."""
    p = results.tasks["p"]
    return bool((p == 1).any()), bool((p > 1).any()), bool((p > 2).any())


def _words(results: "Results") -> dict[str, object]:
    several = results.reported["seed"].nunique() > 1
    tuning = counted(len(results.manifest["tune"]["seeds"]), "tuning seed") if results.tuned else ""
    return {
        "over": over(results),
        "setting": f"the setting that {tuning} chose" if results.tuned else "its best setting, chosen on the seeds that are shown",
        "lines": f"Line: median over {over(results)}; band: 25 to 75 %." if several else "Line: one run.",
        "searched": f", on {tuning}" if results.tuned else "",
        "ticks": "; ticks: the default rates" if results.tuned else "",
        "bars": "; bar: the default rate" if results.tuned else "",
        "map": " ".join(text for shown, text in zip(_axes(results), MAPS, strict=True) if shown),
        "tasks": results.tasks["task"].nunique(),
        "first": TARGETS[0],
        "last": TARGETS[-1],
    }
