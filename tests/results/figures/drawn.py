"""What the tests of the figures share: the figures by name, and what a reader sees of them."""

import numpy as np
from conftest import LECTURE, Write, run, tuned
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lrbench.results.figures import COMPARED, FIGURES
from lrbench.results.figures.ink import GREY, palette
from lrbench.results.figures.looks import NIGHTS
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.pairing import pair_tasks, tasks_frame
from lrbench.results.tables.sweep import Sweep

INF = np.inf
ADAM = {"target_": "torch.optim.Adam"}
BY_NAME = {figure.name: figure for figure in FIGURES}
COMPARED_BY_NAME = {figure.name: figure for figure in COMPARED}


def draw(name: str, sweep: Sweep) -> Figure:
    return BY_NAME[name].draw(sweep)


def caption(name: str, sweep: Sweep) -> str:
    return BY_NAME[name].caption(sweep)


def finding(name: str, sweep: Sweep) -> str:
    return BY_NAME[name].finding(sweep)


def compare(a: Sweep, b: Sweep, anyway: bool = False) -> Difference:
    return Difference(a, b, tasks_frame(pair_tasks(a, b), anyway))


def draw_compared(name: str, difference: Difference) -> Figure:
    return COMPARED_BY_NAME[name].draw(difference)


def colours_of(sweep: Sweep) -> dict[str, str]:
    """Return optimizer -> its colour, best first."""
    return {optimizer: look.colour for optimizer, look in palette(sweep.ranking).items()}


def lines(ax) -> dict[str, np.ndarray]:
    """Return the (x, y) of each data line by its colour."""
    return {
        to_hex(line.get_color()): line.get_xydata()
        for line in ax.lines
        if to_hex(line.get_color()) in (*NIGHTS, GREY) and not (line.get_gid() or "").startswith("key")
    }


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def scattered(ax) -> list[PathCollection]:
    return [mark for mark in ax.collections if isinstance(mark, PathCollection)]


def crosses(ax) -> np.ndarray:
    """Return the (x, y) of all crosses that a reader sees."""
    marks = [
        mark
        for mark in scattered(ax)
        if len(mark.get_offsets()) and mark.get_paths()[0].vertices.shape == (4, 2)
    ]
    return np.concatenate([np.asarray(mark.get_offsets()) for mark in marks]) if marks else np.empty((0, 2))


def offsets(ax, size: float) -> np.ndarray:
    """Return the (x, y) of the marks of one size."""
    return np.concatenate(
        [np.asarray(mark.get_offsets()) for mark in scattered(ax) if mark.get_sizes()[0] == size]
    )


def tasks(count: int) -> tuple[dict, ...]:
    return tuple(LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(count))


def over_tasks(
    gaps: dict[str, list[float]], hits: dict[str, list[int | None]] | None = None, **changes
) -> list[dict]:
    """Runs of each optimizer on the tasks p0, p1, ..., one seed."""
    return [
        run(name, gap, problem_id=f"p{k}", problem=f"p{k}", hit=hits[name][k] if hits else None, **changes)
        for name, own in gaps.items()
        for k, gap in enumerate(own)
    ]


def two_competitors(write_tuned: Write) -> Sweep:
    """adam: tuned 1e-6, default 1e-3; sgd: best at the upper end, one evaluation seed lost, default lost."""
    adam = tuned(
        "adam",
        {0.001: [1e-3, 1e-3], 0.1: [1e-5, 1e-7], 10.0: [1e-1, INF]},
        [1e-6, 1e-5, 1e-7],
        [1e-3, 1e-2, 1e-4],
        **ADAM,
    )
    sgd = tuned(
        "sgd",
        {0.001: [1e-2, 1e-2], 1.0: [1e-3, 1e-3], 100.0: [1e-4, 1e-4]},
        [1e-4, 1e-3, INF],
        [INF, 1e-1, INF],
    )
    return write_tuned(adam, sgd)
