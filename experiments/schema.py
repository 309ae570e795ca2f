"""Write the tables of columns into results/README.md and docs/frames.md: `make docs`.

Names, types, units and meanings come from lrbench/results/frames/columns/, what each frame is from the
docstring of its property, the example of one row from sweeps that are run here.
"""

import re
import tempfile
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from marked import filled

from lrbench.bench.run import keep_paths, run_sweep
from lrbench.results.frames.columns import FRAMES, STORED, Column
from lrbench.results.frames.columns.column import SECONDS
from lrbench.results.notation import number
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.pairing import pair_tasks, tasks_frame
from lrbench.results.tables.sweep import Sweep
from lrbench.store import ResultStore
from lrbench.sweeper.request import read

ROOT = Path(__file__).parents[1]
STORE_PAGE = ROOT / "results" / "README.md"
FRAMES_PAGE = ROOT / "docs" / "frames.md"

# frames that have all columns of another: only the others are shown
EXTENDS = {
    "tasks": "problems",
    "entries": "runs",
    "rates": "settings",
    "cells": "rates",
    "difference.rates": "rates",
}
NOT_A_PROPERTY = {"difference.tasks": "The tasks of both."}
LAST_ROW = "difference.differences"  # is shown, since its first one names folders
OF_TWO = "difference."  # how the names of the frames of two sweeps begin
PANDAS = {"double": "float64", "see below": "as stored"}  # what a stored type is in a frame
ORDER = ["task", "optimizer", "role", "setting", "run_id_a", "run_id", "step"]  # of rows
MOST_NAMES = 5  # that stand in a cell one by one
MOST_CHARACTERS = 24  # of a text in an example
MOST_VALUES = 3  # of a list in an example

# so that every frame but that of impossible states has a row in one of them
TUNED = ["problem=synthetic", "problem.kappa=10,100,1000", "problem.noise=1", "optimizer=sgd,adam", "tune=lr"]
TUNED += ["tune.trials=8", "seed=range(5)", "steps=60"]
DRAWN = ["problem=synthetic", "problem.d=3", "problem.noise=1", "optimizer=sgd", "optimizer.lr=0.1"]
DRAWN += ["batch_size=5", "batch_order=replacement", "loss.reduction=mean", "seed=range(4)", "steps=60"]
SINGLE = ["optimizer=sgd", "steps=50", "predict=[[4]]"]
DIVERGED = ["optimizer=sgd", "optimizer.lr=1", "steps=50"]
GRID = ["optimizer=sgd,adam", "optimizer.lr=0.01,0.1", "seed=range(5)", "steps=60"]
WITH_DECAY = [*GRID, "optimizer.weight_decay=0.01"]


# ---- the sweeps that rows are taken from


def swept(folder: Path, *lines: str) -> Sweep:
    """Run a sweep into a folder and keep the paths of its best runs; no page is made of it."""
    request = read([*lines, f"results_dir={folder}"], multirun=True)
    finished = run_sweep(request)
    sweep = Sweep(ResultStore.open(finished.store.root))
    keep_paths(finished, sweep.shown_runs, request.options.training)
    return sweep


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    """Run the sweeps and return each frame, of the first sweep that has rows for it."""
    sweeps = [swept(folder / str(k), *lines) for k, lines in enumerate((TUNED, DRAWN, SINGLE, DIVERGED))]
    a = swept(folder / "a", *GRID)
    b = swept(folder / "b", *WITH_DECAY)
    difference = Difference(a, b, tasks_frame(pair_tasks(a, b), anyway=False))
    return {name: _frame(name, sweeps, difference) for name in FRAMES}


def _frame(name: str, sweeps: Iterable[Sweep], difference: Difference) -> pd.DataFrame:
    if name.startswith(OF_TWO):
        return getattr(difference, name.removeprefix(OF_TWO))
    found = pd.DataFrame()
    for sweep in sweeps:
        # of several runs nothing is known of "the" run
        if name not in ("milestones", "weights", "predictions") or len(sweep.runs) == 1:
            found = getattr(sweep, name)
        if len(found):
            break
    return found


# ---- pages


def store_blocks() -> dict[str, str]:
    """Return the tables of the stored columns, by the files that hold them."""
    return {_marker(file): _stored_table(file, columns) for file, columns in STORED.items()}


def frame_blocks(examples: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return a section a frame."""
    return {_marker(name): _section(name, examples[name]) for name in FRAMES}


def _marker(name: str) -> str:
    """Return the name of a region: of runs/*.parquet it is "columns runs.parquet"."""
    return f"columns {name.replace('/*', '')}"


def _stored_table(file: str, columns: tuple[Column, ...]) -> str:
    has_types = not file.endswith(".csv")
    header = ["column", "type", "meaning"] if has_types else ["column", "meaning"]
    rows = []
    for together in _told_together(columns, has_types):
        first = together[0]
        types = [first.type] if has_types else []
        rows.append([_names(together), *types, first.meaning])
    return _table(header, rows)


def _section(name: str, example: pd.DataFrame) -> str:
    """Return what a frame is, its columns, and the cells of its first row."""
    same = next(other for other in FRAMES if FRAMES[other] is FRAMES[name])
    heading = f"### {name.removeprefix(OF_TWO)}\n\n{_what_it_is(name)}"
    if same != name:
        return f"{heading} Columns as `{same}`."
    columns = FRAMES[name]
    if name in EXTENDS:
        known = {column.name for column in FRAMES[EXTENDS[name]]}
        columns = tuple(column for column in columns if column.name not in known)
        heading += f" The columns of `{EXTENDS[name]}`, and:"
    shown = example.tail(1) if name == LAST_ROW else _in_order(example)
    rows = []
    for together in _told_together(columns):
        first = together[0]
        units = dict.fromkeys(column.unit for column in together if column.unit)
        kind = "tuple" if first.type.startswith("list") else PANDAS.get(first.type, first.type)
        values = [_example(column, shown) for column in together]
        cells = ", ".join(filter(None, values))
        rows.append([_names(together), kind, "; ".join(units), _meaning(together), cells])
    return f"{heading}\n\n{_table(['column', 'type', 'unit', 'meaning', 'a row'], rows)}"


def _what_it_is(name: str) -> str:
    """Return the first sentence of the property that gives a frame, without where its code is."""
    if name in NOT_A_PROPERTY:
        return NOT_A_PROPERTY[name]
    owner = Difference if name.startswith(OF_TWO) else Sweep
    prop: cached_property = vars(owner)[name.removeprefix(OF_TWO)]
    first = " ".join((prop.__doc__ or "").split("\n\n")[0].split())
    return re.sub(r"[;:] (see )?`[\w.]+`\.$", ".", first)


def _told_together(columns: tuple[Column, ...], by_type: bool = True) -> list[list[Column]]:
    """Return the columns, neighbours of one meaning together."""
    groups = groupby(columns, key=lambda column: (column.meaning, column.type if by_type else ""))
    return [list(group) for _, group in groups]


def _names(columns: list[Column]) -> str:
    names = [f"`{column.name}`{'*' if column.relative else ''}" for column in columns]
    return ", ".join(names) if len(names) <= MOST_NAMES else f"{names[0]} ... {names[-1]}"


def _meaning(columns: list[Column]) -> str:
    """Return what columns mean, and under which headings they are printed where these are others."""
    printed = [column.heading for column in columns if column.heading not in ("", column.name)]
    shown = f" (printed as {', '.join(printed)})" if printed else ""
    return columns[0].meaning + shown


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


# ---- the cells of an example


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort a frame, so that its first row is always the same: the parts of a store come in any order."""
    keys = [key for key in ORDER if key in frame]
    return frame.sort_values(keys, kind="stable") if keys else frame


def _example(column: Column, frame: pd.DataFrame) -> str:
    differs_every_time = column.unit == SECONDS
    if frame.empty or column.name not in frame or differs_every_time:
        return ""
    return _cell(frame[column.name].iloc[0])


def _cell(value: Any) -> str:
    """Write a cell shortly; what is missing is empty."""
    if isinstance(value, tuple | list):
        shown = [_cell(part) for part in value[:MOST_VALUES]]
        more = ["..."] if len(value) > MOST_VALUES else []
        return f"({', '.join([*shown, *more])})"
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, float):
        return number(value)
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."


def write(page: Path, blocks: dict[str, str]) -> None:
    """Fill the regions of one page."""
    page.write_text(filled(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    write(STORE_PAGE, store_blocks())
    with tempfile.TemporaryDirectory() as folder:
        write(FRAMES_PAGE, frame_blocks(frames(Path(folder))))
