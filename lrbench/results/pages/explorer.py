"""Every run of a sweep for the page's explorer: curves as small whole numbers, deflated, in base64; what a
run is, as columns.

`numbers` of a block is read like this, and page.js does so:

    base64 -> zlib -> four planes of bytes: the lowest byte of every number, then the next, ... -> unsigned
    numbers of 32 bits -> zigzag (0, 1, 2, 3 -> 0, -1, 1, -2) -> sums: each number is the difference to the
    one before it, the first to 0 -> one after the other: of each grid its steps, then its evaluations in
    units of the grid; of each run the codes of its
       gaps, one a step

A code is round(LEVELS * log10(gap)), so a gap is off by at most 1 / (2 * LEVELS) decades: 0.00083, or 0.2 %.
ZERO stands for 0, LOST for inf and NaN.
"""

import base64
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lrbench.results.figures.ink import palette
from lrbench.results.notation import counted
from lrbench.results.tables.entries import RUN
from lrbench.results.tables.sweep import Sweep

MOST_RUNS, MOST_STEPS = 2_000, 500  # of steps beside the start
LEVELS = 600  # codes a decade
ZERO, LOST = -(1 << 20), 1 << 20
FINEST = 1 << 30  # units of the last evaluation, where evaluations are no whole numbers
SEED = 0


class Grid(NamedTuple):
    """The steps at which runs were recorded, which most runs share."""

    step: np.ndarray  # (K,)
    evaluations: np.ndarray  # (K,), in units
    unit: float


class Curve(NamedTuple):
    """The recorded gaps of a run."""

    grid: int  # place of its grid
    codes: np.ndarray  # (K,)


def block(sweep: Sweep) -> dict[str, Any] | None:
    """Return the runs as what JSON can hold; None where no run left a curve.

    shown, total: how many of the runs that left a curve; note: a sentence on it; levels, zero, lost: what
    codes mean; tasks, settings, statuses, roles: texts; runs: columns of equal length: task, setting, status,
    role (places in these texts), optimizer (place in the palette), seed, lr (null where there is none), grid;
    grids: length and unit of each; numbers: see above.
    """
    entries = sweep.entries[sweep.entries["status"] != "failed"]
    runs = entries.drop_duplicates(RUN)
    shown, whole = sampled(runs, sweep.ranking["setting_id"])
    grids, curves = _curves(sweep.curves_of(shown["run_id"]))
    shown = shown[shown["run_id"].isin(curves)]
    if shown.empty:
        return None
    failed = sweep.entries.loc[sweep.entries["status"] == "failed", "run_id"].nunique()
    texts, columns = _columns(shown, _roles(entries, shown), sweep)
    columns["grid"] = [curves[run].grid for run in shown["run_id"]]
    numbers = [row for grid in grids for row in (grid.step, grid.evaluations)]
    numbers += [curves[run].codes for run in shown["run_id"]]
    return {
        "shown": len(shown),
        "total": len(runs),
        "note": _note(len(shown), len(runs), whole, failed),
        "levels": LEVELS,
        "zero": ZERO,
        "lost": LOST,
        **texts,
        "runs": columns,
        "grids": [{"length": len(grid.step), "unit": grid.unit} for grid in grids],
        "numbers": packed(np.concatenate(numbers)),
    }


# ---- which runs, which steps


def sampled(runs: pd.DataFrame, chosen: pd.Series) -> tuple[pd.DataFrame, bool]:
    """Return MOST_RUNS runs at most, in their order, and whether all extremes are among them.

    First the lowest and the highest final gap of each task and optimizer, then the runs of the chosen
    settings, then a run of each diverged setting, then the others; where a kind does not fit whole, an even
    share of each task's and optimizer's runs, drawn at random.
    """
    competitor = [runs["task"], runs["optimizer"]]
    gaps = runs["gap"].groupby(competitor)
    is_extreme = runs.index.isin([*gaps.idxmin(), *gaps.idxmax()])
    is_chosen = runs["setting_id"].isin(chosen)
    diverged = runs["status"] == "diverged"
    first_diverged = diverged & ~runs["setting_id"].where(diverged).duplicated()
    kind = np.select([is_extreme, is_chosen, first_diverged], [0, 1, 2], 3)
    generator = np.random.Generator(np.random.Philox(SEED))
    draws = pd.Series(generator.random(len(runs)), index=runs.index)
    share = draws.groupby([*competitor, kind]).rank(pct=True)
    first = np.lexsort([share, kind])[:MOST_RUNS]
    return runs.iloc[np.sort(first)], bool(np.sum(kind < 3) <= MOST_RUNS)


@cache
def log_spaced(last: int) -> np.ndarray:
    """Return steps from 0 to `last`, MOST_STEPS beside the start.

    As near to a geometric series as whole numbers are, `last` among them.
    """
    if last <= MOST_STEPS:
        return np.arange(last + 1)
    steps = [0, 1]
    for left in range(MOST_STEPS - 1, 0, -1):
        ratio = (last / steps[-1]) ** (1 / left)
        steps.append(max(steps[-1] + 1, round(steps[-1] * ratio)))
    return np.array(steps)


# ---- curves


def _curves(frame: pd.DataFrame) -> tuple[list[Grid], dict[str, Curve]]:
    """Return the grids, and of each run its curve."""
    places: dict[tuple[bytes, bytes], int] = {}
    grids: list[Grid] = []
    curves = {}
    for run, step, evaluations, codes in _runs(frame):
        key = (step.tobytes(), evaluations.tobytes())
        if key not in places:
            places[key] = len(grids)
            grids.append(Grid(step, *_whole(evaluations)))
        curves[run] = Curve(places[key], codes)
    return grids, curves


def _runs(frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield run_id, steps, evaluations and codes of each run, thinned."""
    if frame.empty:
        return
    places, ids = pd.factorize(frame["run_id"])
    ends = [*np.flatnonzero(np.diff(places)) + 1, len(frame)]
    step = frame["step"].to_numpy()
    evaluations = frame["evaluations"].to_numpy()
    codes = coded(frame["gap"].to_numpy())
    begin = 0
    for run, end in zip(ids, ends, strict=True):
        kept = begin + _kept(step[begin:end])
        yield run, step[kept], evaluations[kept], codes[kept]
        begin = end


def _kept(steps: np.ndarray) -> np.ndarray:
    """Return which places of the recorded steps are kept."""
    if len(steps) <= MOST_STEPS + 1:
        return np.arange(len(steps))
    return np.unique(np.searchsorted(steps, log_spaced(int(steps[-1]))))


def coded(gap: np.ndarray) -> np.ndarray:
    """Return the codes of gaps, (n,) whole numbers."""
    is_finite = np.isfinite(gap)
    with np.errstate(divide="ignore"):
        decades = np.log10(np.where(is_finite, gap, 1.0))
    codes = np.rint(LEVELS * np.where(gap > 0, decades, 0.0))
    return np.select([~is_finite, gap == 0], [LOST, ZERO], codes).astype(np.int64)


def _whole(evaluations: np.ndarray) -> tuple[np.ndarray, float]:
    """Return evaluations in units, as whole numbers, and the unit: 1 where they are whole."""
    are_whole = np.all(evaluations == np.rint(evaluations))
    unit = 1.0 if are_whole else float(evaluations[-1]) / FINEST
    return np.rint(evaluations / unit).astype(np.int64), unit


def packed(numbers: np.ndarray) -> str:
    """Return whole numbers as text: differences, zigzag, planes of bytes, zlib, base64."""
    differences = np.diff(numbers, prepend=0)
    zigzag = (differences << 1) ^ (differences >> 63)
    planes = zigzag.astype("<u4").view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes())).decode()


# ---- what a run is


def _columns(
    runs: pd.DataFrame, roles: pd.Series, sweep: Sweep
) -> tuple[dict[str, list[str]], dict[str, list]]:
    """Return the texts and the columns of places in them."""
    tasks = sweep.tasks["task"].tolist()
    optimizers = list(palette(sweep.ranking))
    setting, settings = pd.factorize(runs["setting"])
    status, statuses = pd.factorize(runs["status"])
    role, distinct_roles = pd.factorize(roles)
    texts = {
        "tasks": tasks,
        "settings": settings.tolist(),
        "statuses": statuses.tolist(),
        "roles": distinct_roles.tolist(),
    }
    columns = {
        "task": pd.Index(tasks).get_indexer(pd.Index(runs["task"])).tolist(),
        "setting": setting.tolist(),
        "status": status.tolist(),
        "role": role.tolist(),
        "optimizer": pd.Index(optimizers).get_indexer(pd.Index(runs["optimizer"])).tolist(),
        "seed": runs["seed"].tolist(),
        "lr": list(map(_six_digits, runs["lr"])),
    }
    return texts, columns


def _six_digits(lr: float) -> float | None:
    """Round a learning rate; None, which JSON has, where there is none."""
    return None if pd.isna(lr) else float(f"{lr:.6g}")


def _roles(entries: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """Return what each run is for; a run may be several things."""
    rows = entries[entries["run_id"].isin(runs["run_id"])]
    roles = rows.groupby(RUN)["role"].agg(", ".join).reset_index()
    return runs[RUN].merge(roles, on=RUN)["role"]


def _note(shown: int, total: int, whole: bool, failed: int) -> str:
    extremes = "all extremes kept" if whole else "not all extremes among them"
    runs = f"{shown:,} of {total:,} runs, {extremes}"
    if shown == total:
        runs = counted(total, "run")
    return f"{runs}; {counted(failed, 'run')} failed and left no curve" if failed else runs
