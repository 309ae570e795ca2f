"""What page and Markdown both tell, as text: nothing is computed or rounded after this."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.results import tables, verdict
from lrbench.results.directions import remaining, statistical
from lrbench.results.expected import first_steps, limits
from lrbench.results.text import MISSING, as_text, costs_text, counted, listed, number, ranking_text

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Drawing:
    """A saved figure: figures/<name>.svg and .png."""

    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Facts:
    """The report in words. Tables are frames of text."""

    title: str
    subtitle: Rows
    headline: list[str]
    warnings: list[str]
    rankings: list[tuple[str, pd.DataFrame]]  # (task, table)
    costs: list[tuple[str, pd.DataFrame]]  # (task, table)
    insights: list[tuple[str, str, pd.DataFrame]]  # (heading, what the columns are, table)
    failures: pd.DataFrame
    protocol: Rows
    command: str
    folder: str
    configuration: str  # JSON


def facts(results: "Results") -> Facts:
    manifest, failures = results.manifest, tables.failures(results.entries)
    return Facts(
        title=manifest["name"],
        subtitle=_subtitle(results),
        headline=verdict.headline(results),
        warnings=verdict.warnings(results),
        rankings=[(str(task), ranking_text(rows)) for task, rows in results.ranking.groupby("task", sort=False)],
        costs=[(str(task), costs_text(rows)) for task, rows in results.costs.groupby("task", sort=False)],
        insights=insights(results),
        failures=as_text(failures.rename(columns=lambda name: name.replace("_", " "))) if len(failures) else failures,
        protocol=_protocol(results),
        command=manifest["request"]["command"],
        folder=str(results.store.root),
        configuration=json.dumps(manifest["blocks"], indent=1, ensure_ascii=False),
    )


INSIGHTS = (
    (
        "What tuning could at best have found",
        "Gap after the budget, geometric mean over the starts. An oracle minimises the closed-form gap at this budget from each start; lr and "
        "momentum are medians. No method that steps along gradients can be below conjugate gradients.",
        lambda results: results.baselines if results.manifest.get("baselines") else pd.DataFrame(),
    ),
    (
        "Where the gap is left",
        "Share of the last gap in the directions of steep, middle and flat curvature (thirds of the spectrum's width in log), one run an optimizer.",
        remaining,
    ),
    (
        "When to stop",
        "left: distance of the last weights from the minimiser. from data: distance of the minimiser from the weights that made the data. pointless "
        "from: the step after which the first stays below the second.",
        statistical,
    ),
    (
        "The first update",
        "How far the first update moves a coordinate at most, beside the longest way that a coordinate has to go from start to minimiser.",
        first_steps,
    ),
    (
        "What theory allows",
        "Constants with the best rate in the long run (asymptotically best), the factor by which they shrink the error a step, and the learning rate "
        "at which the method stops converging.",
        limits,
    ),
)


def insights(results: "Results") -> list[tuple[str, str, pd.DataFrame]]:
    """Return what theory and paths tell, as text, a table each; only what the sweep can fill."""
    found = [(heading, sentence, frame(results)) for heading, sentence, frame in INSIGHTS]
    single = results.tasks["task"].nunique() == 1
    return [(heading, sentence, as_text(rows.drop(columns=["task"] * single))) for heading, sentence, rows in found if len(rows)]


def _subtitle(results: "Results") -> Rows:
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
    sizes = f"n = {task['n']}, d = {task['d']}, κ = {number(task['kappa'])}, L = {number(task['L'])}"
    dropped = f", {counted(task['dropped'], 'row')} with missing values left out" if task["dropped"] else ""
    return f"{task['task']} ({sizes}{dropped})"


def _budget(task: pd.Series) -> str:
    rows = "all rows a step" if pd.isna(task["batch_size"]) else f"{counted(int(task['batch_size']), 'row')} a step, {task['batch_order']}"
    return f"{counted(int(task['steps']), 'step')}, {rows}"


ENGINES = {"fused": "many runs as one compiled program", "reference": "PyTorch's own optimizer, one run at a time"}


def _engines(engines: dict[str, dict[str, int]]) -> str:
    """Say which engine trained what."""
    trained = [f"{engine} ({ENGINES[engine]}): {listed(sorted(optimizers), most=24)}" for engine, optimizers in engines.items()]
    return "; ".join(trained) or MISSING


def _minimum(task: pd.Series) -> str:
    """Say how the infimum was found and how sure it is."""
    certain = f", certain to {task['digits']:.0f} digits" if pd.notna(task["digits"]) else ""
    how = f"{task['task']}: {task['method']}{certain}"
    return how if task["attained"] else f"{how}, attained by no weights"


def _protocol(results: "Results") -> Rows:
    manifest, tasks = results.manifest, results.tasks
    grids = [f"{row['optimizer']} {row['settings']}" for row in results.ranking.drop_duplicates("optimizer").to_dict("records")]
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
        ("Settings tried", listed(grids, most=24)),
        (
            "Selection",
            "for each optimizer the setting with the lowest geometric mean of the final gap over the seeds, chosen on the seeds that are shown",
        ),
        ("Target", f"relative gap {manifest['target']:g}: the gap over that of the constant model"),
        ("Diverged", "loss or weights not finite at some step, or the final gap above both the start's and the constant model's; it never wins"),
        ("Gap floor", "below it rounding decides, and all count as tied"),
        ("Engine", _engines(manifest["engines"])),
        ("FLOPs", "of the gradients only: 4 d + 2, and 2 more with an intercept, a row; the update takes some operations a parameter beside them"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())),
        ("Machine", ", ".join(f"{name} {value}" for name, value in manifest["machine"].items())),
    ]
