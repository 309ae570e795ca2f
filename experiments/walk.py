"""Carry one row through the house for docs/design.md: from `optimizer.lr=0.1` to the cell in the table.

Beside it stand the arrows between the rooms.

`make docs` writes them; the sweep that the row is of is run here.
"""

import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from marked import filled

from lrbench.bench.run import run_sweep
from lrbench.plan import Block, Group, plan
from lrbench.results.frames.names import displayed
from lrbench.results.notation import number
from lrbench.results.pages.html import table
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words.cells import ranking_text
from lrbench.store import ResultStore
from lrbench.sweeper.request import read

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "design.md"
LINES = ["optimizer=sgd,adam", "optimizer.lr=0.01,0.1", "seed=range(3)", "steps=500"]
OPTIMIZER, LR, SEED = "adam", 0.1, 0  # whose row it is
ARRIVES = "arrives after"  # the column of the ranking whose cell is shown
LONGEST_ID = 8

# what of each row is shown
STORED = ["run_id", "optimizer", "optimizer.lr", "seed", "status", "level", "cost_target", "budget", "score"]
ENTRY = ["task", "optimizer", "setting", "lr", "seed", "role", "arrived", "cost", "gap"]
SETTING = ["task", "optimizer", "setting", "seeds", "lost", "score", "arrived", "cost", "level"]
RANKED = ["task", "rank", "optimizer", "setting", "arrived", "cost", "leader", "ratio"]


# ---- the row, room by room


def blocks() -> dict[str, str]:
    """Return the text of each region of the page."""
    with tempfile.TemporaryDirectory() as folder:
        request = read([*LINES, f"results_dir={folder}"], multirun=True)
        store = run_sweep(request).store
        sweep = Sweep(ResultStore.open(store.root))
        block = next(block for block in request.blocks if block.choices["optimizer"] == OPTIMIZER)
        group = next(group for group in plan(request.blocks).groups if group.labels["optimizer"] == OPTIMIZER)
        return {
            "walk request": _code(shlex.join(["python", "-m", "lrbench", "-m", *LINES])),
            "walk block": _code(_block(block)),
            "walk group": _code(_group(group)),
            "walk store": _row(_where(sweep.runs, {"optimizer.lr": LR, "seed": SEED}), STORED),
            "walk entry": _row(_where(sweep.entries, {"lr": LR, "seed": SEED}), ENTRY),
            "walk setting": _row(_where(sweep.settings, {"lr": LR}), SETTING),
            "walk ranking": _row(_where(sweep.ranking, {}), RANKED),
            "walk cell": _cells(sweep),
            "arrows": arrows(),
        }


def _block(block: Block) -> str:
    axes = [f"{path} in {values}" for axis in block.axes for path, values in axis.items()]
    shared = [f"{path} = {block.base[path]!r}" for path in ("optimizer._target_", "steps", "dtype")]
    return f"a base of {len(block.base)} leaves: {', '.join(shared)} ...\naxes: {'; '.join(axes)}"


def _group(group: Group) -> str:
    column = group.columns["optimizer.lr"]
    rows = [f"optimizer.lr: values {column.values}, codes {column.codes.tolist()}"]
    row = next(row for row in range(len(group)) if _is_the_row(group, row))
    rows.append(f"row {row} of {len(group)}: run_id {group.run_id[row].decode()}")
    return "\n".join(rows)


def _is_the_row(group: Group, row: int) -> bool:
    leaves = group.run(row)
    return leaves["optimizer.lr"] == LR and leaves["seed"] == SEED


def _where(frame: pd.DataFrame, values: Mapping[str, Any]) -> pd.Series:
    """Return the row of the optimizer with these values."""
    rows = frame[frame["optimizer"] == OPTIMIZER]
    for column, value in values.items():
        rows = rows[rows[column] == value]
    (found,) = (row for _, row in rows.iterrows())
    return found


def _cells(sweep: Sweep) -> str:
    text = ranking_text(sweep.ranking)
    own = text[text["optimizer"] == displayed(OPTIMIZER)]
    html = table(own[["best setting", ARRIVES]], "ranking-0", "Ranking", {})
    row = html[html.index("<tbody>") : html.index("</tbody>")].removeprefix("<tbody>")
    return _code(f"{own[ARRIVES].iloc[0]}\n{row}")


# ---- the arrows


def arrows() -> str:
    """Write who may import whom, as the test of the layers holds it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_layers import ALLOWED, ROOMS

    rooms = {room: allowed for room, allowed in ALLOWED.items() if not room.startswith("__")}
    inside = {f"results/{room}": allowed for room, (allowed, _) in ROOMS.items() if not room.startswith("__")}
    lines = [f"| {room} | {_listed(allowed)} |" for room, allowed in (rooms | inside).items()]
    return "\n".join(["| room | may import |", "|---|---|", *lines])


def _listed(rooms: set[str]) -> str:
    return ", ".join(sorted(rooms - {"__init__"})) or "nothing"


# ---- text


def _row(row: pd.Series, columns: list[str]) -> str:
    cells = [_cell(row[column]) for column in columns]
    return "\n".join(
        [
            f"| {' | '.join(f'`{column}`' for column in columns)} |",
            f"|{'---|' * len(columns)}",
            f"| {' | '.join(cells)} |",
        ]
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    text = str(value)
    is_id = len(text) > 2 * LONGEST_ID and " " not in text
    return f"{text[:LONGEST_ID]}…" if is_id else text


def _code(text: str) -> str:
    return f"```\n{text}\n```"


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, blocks()), encoding="utf-8")


if __name__ == "__main__":
    main()
