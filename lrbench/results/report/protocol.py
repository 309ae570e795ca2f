"""How the sweep was made, as rows of a name and a text: what the head of the report and its protocol tell."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrbench.results.report.captions import over
from lrbench.results.report.problems import problems
from lrbench.results.statistics import ALPHA, MARGIN
from lrbench.results.text import MISSING, counted, listed, number, ranged, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

Rows = list[tuple[str, str]]
MOST_PROBLEMS = 3  # that the head tells of one by one
ENGINES = {
    "fused": "many runs as one compiled program, a thread for each processor",
    "reference": "PyTorch's own optimizer, one run at a time, one thread",
}
SAMPLERS = {"grid": "a grid, evenly in log", "sobol": "scrambled Sobol points of seed {seed}"}
ROLES = {"trial": "trials", "evaluation": "evaluation", "default": "defaults"}
METRICS = {
    "gap": "the mean gap over the last epoch, geometric mean over the tuning seeds",
    "evaluations": "the median gradient evaluations to the target",
}
UNITS = {"absolute": "", "oracle": " times the box's unit, which knows the problem's answer"}


def subtitle(results: "Results") -> Rows:
    """Return what the head of the report tells."""
    manifest, counts = results.manifest, results.manifest["counts"]
    ended = [f"{number(counts[word])} {word}" for word in ("completed", "diverged", "failed") if counts[word]]
    budgets = results.tasks.drop_duplicates(["steps", "batch_size", "batch_order"])
    return [
        _problems(problems(results)),
        (
            "Runs",
            f"{number(counts['planned'])} planned: {', '.join(ended) or 'none stored'}; {_seeds(results)}",
        ),
        ("Budget", listed([_budget(task) for _, task in budgets.iterrows()], most=12)),
        (
            "Made",
            f"{manifest['created'][:10]} with lrbench {manifest['versions']['lrbench']}, {manifest['state']}",
        ),
    ]


def _problems(rows: pd.DataFrame) -> tuple[str, str]:
    """Tell of each problem, or of many their names and between which ends their sizes lie."""
    if len(rows) <= MOST_PROBLEMS:
        return "Problem", listed([_problem(row) for _, row in rows.iterrows()])
    sizes = (("n", "n"), ("d", "d"), ("κ", "kappa"), ("L", "L"))
    return (
        "Problems",
        f"{listed(list(rows['problem']), most=12)}: {', '.join(f'{word} = {ranged(rows[name])}' for word, name in sizes)}",
    )


def _problem(row: pd.Series) -> str:
    sizes = (
        f"n = {number(row['n'])}, d = {number(row['d'])}, κ = {number(row['kappa'])}, L = {number(row['L'])}"
    )
    noise = "" if pd.isna(row["noise"]) else f", noise = {setting_value(row['noise'])}"
    dropped = f", {counted(row['dropped'], 'row')} with missing values left out" if row["dropped"] else ""
    scaled = f"; columns standardized: {row['standardized']}" if row["standardized"] else ""
    return f"{row['problem']}{': ' * bool(row['table'])}{row['table']} ({sizes}{noise}{dropped}{scaled})"


def _seeds(results: "Results") -> str:
    """Count the seeds that are compared, and those of the search beside them."""
    if not results.tuned:
        return counted(results.runs["seed"].nunique(), "seed")
    return f"{counted(results.reported['seed'].nunique(), 'seed')} and {number(len(results.manifest['tune']['seeds']))} for tuning"


def _budget(task: pd.Series) -> str:
    rows = (
        "all rows a step"
        if pd.isna(task["batch_size"])
        else f"{counted(int(task['batch_size']), 'row')} a step, {task['batch_order']}"
    )
    return f"{counted(int(task['steps']), 'step')}, {rows}"


def _engines(engines: dict[str, dict[str, int]]) -> str:
    """Say which engine trained what."""
    trained = [
        f"{engine} ({ENGINES[engine]}): {listed(sorted(optimizers), most=24)}"
        for engine, optimizers in engines.items()
    ]
    return "; ".join(trained) or MISSING


def _one_problem(row: pd.Series) -> Rows:
    """Return what a table tells where there are several: data, minimum, source."""
    certain = f", certain to {row['digits']:.0f} digits" if pd.notna(row["digits"]) else ""
    return [
        (
            "Data and loss",
            f"{row['problem']}: {counted(row['n'], 'row')}, loss {row['loss']}, {row['dtype']}",
        ),
        ("Minimum", f"{row['minimum']}{certain}"),
        *[("Source", row["source"])] * bool(row["source"]),
        ("Loss at the minimum", number(row["loss_star"])),
        ("Gap floor", f"{number(row['gap_floor'])}; below it rounding decides, and all count as tied"),
    ]


def _start(tasks: pd.DataFrame) -> str:
    """Say where runs start, and what of a run its seed fixes."""
    start = ["the start"] * bool((tasks["init"] == "torch").any())
    batches = ["the order of the minibatches"] * bool(
        (tasks["batch_size"].notna() & (tasks["batch_order"] != "sequential")).any()
    )
    fixes = (
        f"a seed fixes {listed([*start, *batches])}, the same for every optimizer"
        if start or batches
        else "nothing depends on the seed"
    )
    return f"init = {listed([str(init) for init in tasks['init'].unique()], most=4)}; {fixes}"


def _over(results: "Results") -> str:
    return f"over {over(results)}" if results.reported["seed"].nunique() > 1 else "one seed"


def protocol(results: "Results") -> Rows:
    """Return start, tuning, statistics, versions, machine; of a single problem data and minimum before them."""
    manifest, rows = results.manifest, problems(results)
    return [
        *(_one_problem(rows.iloc[0]) if len(rows) == 1 else []),
        ("Start", _start(results.tasks)),
        (
            "Schedule",
            listed(sorted(results.runs["schedule"].unique()), most=12)
            if "schedule" in results.runs
            else "none",
        ),
        *(_tuning(results) if results.tuned else _grid(results)),
        (
            "Compared",
            f"{_over(results)}; the gap of a run is its mean over the last epoch, inf unless it completed",
        ),
        *[("Statistics", told) for told in _statistics(results)],
        (
            "Target",
            f"relative gap {setting_value(float(manifest['target']))}: the gap over that of the constant model",
        ),
        (
            "Diverged",
            "loss or weights not finite at some step, or the final gap above both the start's and the constant model's; it never wins",
        ),
        ("Engine", _engines(manifest["engines"])),
        (
            "FLOPs",
            "of the gradients only: 4 d + 2, and 2 more with an intercept, a row; the update takes some operations a parameter beside them",
        ),
        ("Versions", ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())),
        ("Machine", ", ".join(f"{name} {value}" for name, value in manifest["machine"].items())),
    ]


def _grid(results: "Results") -> Rows:
    chosen = "for each optimizer the setting with the lowest geometric mean of the gap over the seeds, chosen on the seeds that are shown"
    selection = [("Selection", chosen)] * bool((results.ranking["settings"] > 1).any())
    return [("Settings tried", _numbers(results.ranking, "settings")), *selection]


def _numbers(ranking: pd.DataFrame, column: str) -> str:
    """Write how many each optimizer had, from task to task: "32 an optimizer", "adam 12 to 20 and sgd 12"."""
    numbers = ranking.groupby("optimizer", sort=False)[column].agg(ranged)
    return (
        f"{numbers.iloc[0]} an optimizer"
        if numbers.nunique() == 1
        else listed([f"{name} {count}" for name, count in numbers.items()], most=24)
    )


def _tuning(results: "Results") -> Rows:
    """Return what each optimizer was allowed, what it took, and how its setting was chosen."""
    tune, ranking = results.manifest["tune"], results.ranking
    spent = results.entries.groupby("role")["evaluations"].sum().round()
    parts = [f"{number(spent[role])} on {word}" for role, word in ROLES.items() if role in spent]
    drawn = SAMPLERS[tune["sampler"]].format(seed=tune["seed"])
    keys = listed(tune["keys"], most=12) if tune["keys"] else "all hyperparameters of the box"
    return [
        (
            "Tuned",
            f"{keys} (tune={tune['choice']}), from {counted(tune['trials'], 'trial')} an optimizer: {drawn}",
        ),
        (
            "Boxes",
            listed(
                [
                    f"lr {_range(tune['lr'])}{UNITS[tune['units']]}",
                    *_boxes(tune, ranking["optimizer"].unique()),
                ],
                most=24,
            ),
        ),
        ("Growth", _growth(tune["reserve"] // 2)),
        ("Trials in the end", _numbers(ranking, "trials")),
        ("Tuning seeds", ", ".join(map(str, tune["seeds"]))),
        (
            "Selection",
            f"the trial with the lowest value of {METRICS[tune['metric']]}; a lost run counts as inf; never the seeds that are shown",
        ),
        ("Spent", f"gradient evaluations: {', '.join(parts)}"),
    ]


def _growth(trials: int) -> str:
    where = "where the best lr lies in the outer tenth (in log) of its box"
    return f"{where}, by a decade and {counted(trials, 'trial')}, at most twice" if trials else "none"


def _boxes(tune: dict[str, Any], optimizers: Iterable[str]) -> list[str]:
    """Write the boxes of the hyperparameters that were tuned beside the learning rate."""
    boxes = [
        (name, {key: box for key, box in tune["boxes"][name].items() if _tuned(key, tune)})
        for name in optimizers
        if name in tune["boxes"]
    ]
    return [
        f"{name}: {', '.join(f'{key} {_box(box)}' for key, box in own.items())}" for name, own in boxes if own
    ]


def _tuned(key: str, tune: dict[str, Any]) -> bool:
    return key not in ("unit", "default", "lr") and (tune["keys"] is None or key in tune["keys"])


def _box(box: Any) -> str:
    """Write a box: "one_minus [0.001, 1]"; of a pair both."""
    if isinstance(box, list):
        return " and ".join(map(_box, box))
    return " ".join(f"{scale} {_range(ends)}" for scale, ends in box.items())


def _range(ends: list[float]) -> str:
    return f"[{', '.join(setting_value(float(end)) for end in ends)}]"


TESTS = "paired by seed: t test on log ratios where all gaps are finite and above the floor, else an exact sign test"


def _statistics(results: "Results") -> Iterator[str]:
    """Say which tests were made, if any."""
    family = "the leader's pairs and over all other pairs" if results.tuned else "all pairs"
    across = (
        " Over six problems or more: Wilcoxon's exact test on mean log gaps, Holm."
        if len(results.across)
        else ""
    )
    if len(results.pairwise):
        yield f"{TESTS}; Holm over {family}; shown means p < {ALPHA:g} and a ratio that is beyond {MARGIN:g} with its interval or bound.{across}"
    elif len(results.tuned_against_default):
        yield f"{TESTS}; of the tuned setting against the default one"
