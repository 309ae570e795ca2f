"""How the sweep was made, as rows of a name and a text: what the head of the report and its protocol tell."""

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrbench.results.report.captions import over
from lrbench.results.statistics import ALPHA, MARGIN
from lrbench.results.text import MISSING, counted, listed, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

Rows = list[tuple[str, str]]
ENGINES = {"fused": "many runs as one compiled program", "reference": "PyTorch's own optimizer, one run at a time"}
ROLES = {"trial": "trials", "evaluation": "evaluation", "default": "defaults"}
METRICS = {
    "gap": "the mean gap over the last epoch, geometric mean over the tuning seeds",
    "evaluations": "the median gradient evaluations to the target",
}
UNITS = {"absolute": "", "oracle": " times the box's unit, which knows the problem's answer"}


def subtitle(results: "Results") -> Rows:
    manifest, counts = results.manifest, results.manifest["counts"]
    ended = [f"{counts[word]} {word}" for word in ("completed", "diverged", "failed") if counts[word]]
    seeds = results.runs["seed"].nunique()
    return [
        ("Problem", listed([_problem(task) for _, task in results.tasks.iterrows()], most=4)),
        ("Runs", f"{counts['planned']} planned: {', '.join(ended) or 'none stored'}; {counted(seeds, 'seed')}"),
        ("Budget", listed([_budget(task) for _, task in results.tasks.drop_duplicates(["steps", "batch_size", "batch_order"]).iterrows()], most=4)),
        ("Made", f"{manifest['created'][:10]} with lrbench {manifest['versions']['lrbench']}, {manifest['state']}"),
    ]


def _problem(task: pd.Series) -> str:
    sizes = f"n = {task['n']}, d = {task['d']}, κ = {number(task['kappa'])}, L = {number(task['L'])}{_noise(task)}"
    dropped = f", {counted(task['dropped'], 'row')} with missing values left out" if task["dropped"] else ""
    return f"{task['task']} ({sizes}{dropped})"


def _noise(task: pd.Series) -> str:
    """Return the noise that made the target, where the problem was asked for with one."""
    noise = json.loads(task["settings"]).get("noise")
    return "" if noise is None else f", noise = {setting_value(float(noise))}"


def _budget(task: pd.Series) -> str:
    rows = "all rows a step" if pd.isna(task["batch_size"]) else f"{counted(int(task['batch_size']), 'row')} a step, {task['batch_order']}"
    return f"{counted(int(task['steps']), 'step')}, {rows}"


def _engines(engines: dict[str, dict[str, int]]) -> str:
    """Say which engine trained what."""
    trained = [f"{engine} ({ENGINES[engine]}): {listed(sorted(optimizers), most=24)}" for engine, optimizers in engines.items()]
    return "; ".join(trained) or MISSING


def _minimum(task: pd.Series) -> str:
    """Say how the infimum was found and how sure it is."""
    certain = f", certain to {task['digits']:.0f} digits" if pd.notna(task["digits"]) else ""
    how = f"{task['task']}: {task['method']}{certain}"
    return how if task["attained"] else f"{how}, attained by no weights"


def protocol(results: "Results") -> Rows:
    """Return data, start, batches, tuning, statistics, versions, machine."""
    manifest, tasks = results.manifest, results.tasks
    starts = listed([str(init) for init in tasks["init"].unique()], most=4)
    return [
        (
            "Data and loss",
            listed([f"{task['task']}: {task['n']} rows, loss {task['loss']}, {task['dtype']}" for _, task in tasks.iterrows()], most=4),
        ),
        ("Minimum", listed([_minimum(task) for _, task in tasks.iterrows()], most=4)),
        *[("Source", listed(notes, most=4)) for notes in [sorted(set(tasks["note"]) - {""})] if notes],
        ("Loss at the minimum", listed([number(task["loss_star"]) for _, task in tasks.iterrows()], most=4)),
        ("Start", f"init = {starts}; a seed fixes start and order of the minibatches, the same for every optimizer"),
        ("Batches", listed([_budget(task) for _, task in tasks.iterrows()], most=4)),
        ("Schedule", listed(sorted(results.runs["schedule"].unique()), most=12) if "schedule" in results.runs else "none"),
        *(_tuning(results) if results.tuned else _grid(results)),
        ("Compared", f"over {over(results)}; the gap of a run is its mean over the last epoch, inf unless it completed"),
        ("Statistics", _statistics(results)),
        ("Target", f"relative gap {setting_value(float(manifest['target']))}: the gap over that of the constant model"),
        ("Diverged", "loss or weights not finite at some step, or the final gap above both the start's and the constant model's; it never wins"),
        ("Gap floor", "below it rounding decides, and all count as tied"),
        ("Engine", _engines(manifest["engines"])),
        ("FLOPs", "of the gradients only: 4 d + 2, and 2 more with an intercept, a row; the update takes some operations a parameter beside them"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())),
        ("Machine", ", ".join(f"{name} {value}" for name, value in manifest["machine"].items())),
    ]


def _grid(results: "Results") -> Rows:
    grids = [f"{row['optimizer']} {row['settings']}" for row in results.ranking.drop_duplicates("optimizer").to_dict("records")]
    chosen = "for each optimizer the setting with the lowest geometric mean of the gap over the seeds, chosen on the seeds that are shown"
    return [("Settings tried", listed(grids, most=24)), ("Selection", chosen)]


def _tuning(results: "Results") -> Rows:
    """Return what each optimizer was allowed, what it took, and how its setting was chosen."""
    tune, ranking = results.manifest["tune"], results.ranking.drop_duplicates("optimizer")
    trials = [f"{name} {count}" for name, count in zip(ranking["optimizer"], ranking["trials"], strict=True)]
    spent = results.entries.groupby("role")["evaluations"].sum()
    keys = listed(tune["keys"], most=12) if tune["keys"] else "all hyperparameters of the box"
    return [
        (
            "Tuned",
            f"{keys} (tune={tune['choice']}), from {counted(tune['trials'], 'trial')} an optimizer: a {tune['sampler']} of seed {tune['seed']}",
        ),
        ("Boxes", listed([f"lr {_range(tune['lr'])}{UNITS[tune['units']]}", *_boxes(tune, ranking["optimizer"])], most=24)),
        ("Growth", f"where the best lr lies in the outer tenth (in log) of its box, by a decade and {tune['reserve'] // 2} trials, at most twice"),
        ("Trials in the end", listed(trials, most=24)),
        ("Tuning seeds", ", ".join(map(str, tune["seeds"]))),
        ("Selection", f"the trial with the lowest value of {METRICS[tune['metric']]}; a lost run counts as inf; never the seeds that are shown"),
        ("Spent", ", ".join(f"{number(spent[role])} gradient evaluations on {word}" for role, word in ROLES.items() if role in spent)),
    ]


def _boxes(tune: dict[str, Any], optimizers: pd.Series) -> list[str]:
    """Write the boxes of the hyperparameters that were tuned beside the learning rate."""
    boxes = [(name, {key: box for key, box in tune["boxes"][name].items() if _tuned(key, tune)}) for name in optimizers if name in tune["boxes"]]
    return [f"{name}: {', '.join(f'{key} {_box(box)}' for key, box in own.items())}" for name, own in boxes if own]


def _tuned(key: str, tune: dict[str, Any]) -> bool:
    return key not in ("unit", "default", "lr") and (tune["keys"] is None or key in tune["keys"])


def _box(box: Any) -> str:
    """Write a box: "one_minus [0.001, 1]"; of a pair both."""
    if isinstance(box, list):
        return " and ".join(map(_box, box))
    return " ".join(f"{scale} {_range(ends)}" for scale, ends in box.items())


def _range(ends: list[float]) -> str:
    return f"[{', '.join(setting_value(float(end)) for end in ends)}]"


def _statistics(results: "Results") -> str:
    family = "the leader's pairs and over all other pairs" if results.tuned else "all pairs"
    across = " Over six problems or more: Wilcoxon's exact test on mean log gaps, Holm." if len(results.across) else ""
    return (
        f"paired by seed: t test on log ratios where all gaps are finite and above the floor, else an exact sign test; Holm over {family}; shown "
        f"means p < {ALPHA:g} and a ratio that is beyond {MARGIN:g} with its interval or bound.{across}"
    )
