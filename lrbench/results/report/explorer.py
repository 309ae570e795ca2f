"""Every run of a sweep for the page's explorer: curves as small whole numbers, deflated, in base64; what a run is, as columns.

`numbers` of a block is read like this, and page.js does so:

    base64 -> zlib -> four planes of bytes: the lowest byte of every number, then the next, ... -> unsigned numbers of 32 bits
    -> zigzag (0, 1, 2, 3 -> 0, -1, 1, -2) -> sums: each number is the difference to the one before it, the first to 0
    -> one after the other: of each grid its steps, then its evaluations in units of the grid; of each run the codes of its gaps, one a step

A code is round(LEVELS * log10(gap)), so a gap is off by at most 1 / (2 * LEVELS) decades: 0.00083, or 0.2 %. ZERO stands for 0, LOST for inf and NaN.
"""

import base64
import zlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lrbench.results import ink
from lrbench.results.text import counted

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_RUNS, MOST_STEPS = 2_000, 500  # of steps beside the start
LEVELS = 600  # codes a decade
ZERO, LOST = -(1 << 20), 1 << 20
FINEST = 1 << 30  # units of the last evaluation, where evaluations are no whole numbers
SEED = 0


def block(results: "Results") -> dict[str, Any] | None:
    """Return the runs as what JSON can hold; None where no run left a curve.

    shown, total: how many of the runs that left a curve; note: a sentence on it; levels, zero, lost: what codes mean; tasks, settings, statuses,
    roles: texts; runs: columns of equal length: task, setting, status, role (places in these texts), optimizer (place in `ink.palette`), seed, lr
    (null where there is none), grid; grids: length and unit of each; numbers: see above.
    """
    entries = results.entries[results.entries["status"] != "failed"]
    runs = entries.drop_duplicates(["run_id", "name"])
    shown, whole = sampled(runs, results.ranking["setting_id"])
    grids, curves = _curves(results.curves_of(shown["run_id"]))
    shown = shown[shown["run_id"].isin(curves)]
    if shown.empty:
        return None
    numbers = [row for step, evaluations, _ in grids for row in (step, evaluations)] + [
        curves[run][1] for run in shown["run_id"]
    ]
    texts, columns = _columns(shown, _roles(entries, shown), results)
    failed = results.entries.loc[results.entries["status"] == "failed", "run_id"].nunique()
    return {
        **{"shown": len(shown), "total": len(runs), "note": _note(len(shown), len(runs), whole, failed)},
        **{
            "levels": LEVELS,
            "zero": ZERO,
            "lost": LOST,
            **texts,
            "runs": columns | {"grid": [curves[run][0] for run in shown["run_id"]]},
        },
        **{
            "grids": [{"length": len(step), "unit": unit} for step, _, unit in grids],
            "numbers": packed(np.concatenate(numbers)),
        },
    }


# ---- which runs, which steps


def sampled(runs: pd.DataFrame, chosen: pd.Series) -> tuple[pd.DataFrame, bool]:
    """Return MOST_RUNS runs at most, in their order, and whether all extremes are among them.

    First the lowest and the highest final gap of each task and optimizer, then the runs of the chosen settings, then a run of each diverged setting,
    then the others; where a kind does not fit whole, an even share of each task's and optimizer's runs, drawn at random.
    """
    groups = [runs["task"], runs["name"]]
    gaps = runs["gap"].groupby(groups)
    extreme = runs.index.isin([*gaps.idxmin(), *gaps.idxmax()])
    lost = runs["status"] == "diverged"
    kind = np.select(
        [extreme, runs["setting_id"].isin(chosen), lost & ~runs["setting_id"].where(lost).duplicated()],
        [0, 1, 2],
        3,
    )
    draws = pd.Series(np.random.Generator(np.random.Philox(SEED)).random(len(runs)), index=runs.index)
    share = draws.groupby([*groups, kind]).rank(pct=True)
    first = np.lexsort([share, kind])[:MOST_RUNS]
    return runs.iloc[np.sort(first)], bool(np.sum(kind < 3) <= MOST_RUNS)


@cache
def log_spaced(last: int) -> np.ndarray:
    """Return steps from 0 to `last`, MOST_STEPS beside the start: as near to a geometric series as whole numbers are, `last` among them."""
    if last <= MOST_STEPS:
        return np.arange(last + 1)
    steps = [0, 1]
    for left in range(MOST_STEPS - 1, 0, -1):
        steps.append(max(steps[-1] + 1, round(steps[-1] * (last / steps[-1]) ** (1 / left))))
    return np.array(steps)


# ---- curves


def _curves(
    frame: pd.DataFrame,
) -> tuple[list[tuple[np.ndarray, np.ndarray, float]], dict[str, tuple[int, np.ndarray]]]:
    """Return the grids (steps, evaluations in units, the unit) and of each run its grid and its codes."""
    grids: dict[tuple[bytes, bytes], int] = {}
    found, curves = [], {}
    for run, step, evaluations, code in _runs(frame):
        key = (step.tobytes(), evaluations.tobytes())
        if key not in grids:
            grids[key] = len(grids)
            found.append((step, *_whole(evaluations)))
        curves[run] = (grids[key], code)
    return found, curves


def _runs(frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield run_id, steps, evaluations and codes of each run, thinned."""
    if frame.empty:
        return
    numbers, ids = pd.factorize(frame["run_id"])
    ends = [*np.flatnonzero(np.diff(numbers)) + 1, len(frame)]
    step, evaluations, codes = (
        frame["step"].to_numpy(),
        frame["evaluations"].to_numpy(),
        coded(frame["gap"].to_numpy()),
    )
    begin = 0
    for run, end in zip(ids, ends, strict=True):
        steps = step[begin:end]
        kept = (
            begin + np.unique(np.searchsorted(steps, log_spaced(int(steps[-1]))))
            if len(steps) > MOST_STEPS + 1
            else slice(begin, end)
        )
        yield run, step[kept], evaluations[kept], codes[kept]
        begin = end


def coded(gap: np.ndarray) -> np.ndarray:
    """Return the codes of gaps, (n,) whole numbers."""
    with np.errstate(divide="ignore"):
        decades = np.log10(np.where(np.isfinite(gap), gap, 1.0))
    return np.select(
        [~np.isfinite(gap), gap == 0], [LOST, ZERO], np.rint(LEVELS * np.where(gap > 0, decades, 0.0))
    ).astype(np.int64)


def _whole(evaluations: np.ndarray) -> tuple[np.ndarray, float]:
    """Return evaluations in units, as whole numbers, and the unit: 1 where they are whole."""
    unit = 1.0 if np.all(evaluations == np.rint(evaluations)) else float(evaluations[-1]) / FINEST
    return np.rint(evaluations / unit).astype(np.int64), unit


def packed(numbers: np.ndarray) -> str:
    """Return whole numbers as text: differences, zigzag, planes of bytes, zlib, base64."""
    differences = np.diff(numbers, prepend=0)
    zigzag = (differences << 1) ^ (differences >> 63)
    planes = zigzag.astype("<u4").view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes())).decode()


# ---- what a run is


def _columns(
    runs: pd.DataFrame, roles: pd.Series, results: "Results"
) -> tuple[dict[str, list[str]], dict[str, list]]:
    """Return the texts and the columns of places in them."""
    optimizers = list(ink.palette(results.ranking))
    texts: dict[str, list[str]] = {"tasks": results.tasks["task"].tolist()}
    columns = {"task": pd.Index(texts["tasks"]).get_indexer(runs["task"]).tolist()}
    for name, several, column in (
        ("setting", "settings", runs["setting"]),
        ("status", "statuses", runs["status"]),
        ("role", "roles", roles),
    ):
        places, distinct = pd.factorize(column)
        texts[several], columns[name] = distinct.tolist(), places.tolist()
    columns["optimizer"] = pd.Index(optimizers).get_indexer(runs["name"]).tolist()
    columns["seed"] = runs["seed"].tolist()
    columns["lr"] = [None if pd.isna(lr) else float(f"{lr:.6g}") for lr in runs["lr"]]
    return texts, columns


def _roles(entries: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """Return what each run is for; a run may be several things."""
    keys = ["run_id", "name"]
    rows = entries[entries["run_id"].isin(runs["run_id"])]
    return runs[keys].merge(rows.groupby(keys)["role"].agg(", ".join).reset_index(), on=keys)["role"]


def _note(shown: int, total: int, whole: bool, failed: int) -> str:
    extremes = "all extremes kept" if whole else "not all extremes among them"
    runs = (
        counted(total, "run")
        if shown == total == 1
        else f"{total:,} runs"
        if shown == total
        else f"{shown:,} of {total:,} runs, {extremes}"
    )
    return f"{runs}; {counted(failed, 'run')} failed and left no curve" if failed else runs
