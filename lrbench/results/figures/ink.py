"""Style of all figures, who stands in front in them, and the ids by which a page finds what belongs to an
optimizer.

looks.py has how an optimizer looks, which is the same in every figure; the best six stand in front, the
others pale behind them. Text, axes and reference lines have the colour INK, so that a page can put its own in
its place; for the same reason no text stands on paper of its own.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from lrbench.results.figures.looks import Look, looks
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.tasks import COMPETITOR

INK = "#24292f"
PAPER = "#ffffff"
WHITE = "#fefefe"  # not PAPER, which a page leaves out
GREY = "#8b929c"  # of what is no optimizer's
MOST_IN_FRONT = 6
STYLE: Any = {
    # text stays text, and the same figure has the same bytes
    "svg.fonttype": "none",
    "svg.hashsalt": "lrbench",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 18,
    "axes.labelpad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.8,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "path.simplify_threshold": 0.2,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.1,
    "grid.linewidth": 0.8,
}
REFERENCE: dict[str, Any] = {"color": INK, "alpha": 0.6, "linewidth": 1}
NAME = 9  # points: the size of an optimizer's name
SMALL = 8.5
SMALLEST = 7  # of counts

Palette = dict[str, Look]  # optimizer -> how it looks, best first


def palette(ranking: pd.DataFrame) -> Palette:
    """Return how each optimizer looks, best first.

    Of one task its ranking is the order, of several the mean rank of the scores by which optimizers are
    ordered; where these are not in the frame, the mean place.
    """
    several_tasks = ranking["task"].nunique() > 1
    if "order" in ranking and several_tasks:
        place = ranking.groupby("task")["order"].rank()
    else:
        place = ranking.groupby("task").cumcount()
    mean_place = place.groupby(ranking["optimizer"], sort=False).mean()
    order = mean_place.sort_values(kind="stable").index
    found = looks(order)
    return {optimizer: found[optimizer] for optimizer in order}


def compared_palette(difference: Difference) -> Palette:
    """Return `palette` of the optimizers that are compared, in the order of A's rankings, and where only B
    ranked them of B's.
    """
    both = pd.concat([difference.a.ranking, difference.b.ranking])
    ranked = both[[*COMPETITOR, "order"]].drop_duplicates(COMPETITOR)
    return palette(ranked[ranked["optimizer"].isin(difference.rows["optimizer"])])


def in_front(colours: Palette) -> list[str]:
    """Return the optimizers that stand in front, best first."""
    return list(colours)[:MOST_IN_FRONT]


class Pen(NamedTuple):
    """What all that is drawn for an optimizer on an axes needs."""

    ax: Axes
    optimizer: str
    colours: Palette

    @property
    def look(self) -> Look:
        """How the optimizer looks."""
        return self.colours[self.optimizer]

    @property
    def colour(self) -> str:
        """The optimizer's."""
        return self.look.colour

    @property
    def is_behind(self) -> bool:
        """Whether it is none of the best six."""
        return self.optimizer not in in_front(self.colours)

    def gid(self, part: str) -> str | None:
        """Return the id of what is drawn for it, as `gid`."""
        return gid(self.ax, part, [self.optimizer], self.colours)


def gid(ax: Axes, part: str, optimizers: Sequence[str], colours: Palette, shared: bool = False) -> str | None:
    """Return an id, "<part>-<number of the axes>-optimizer-<place in the palette>", by whose end a page finds
    what is drawn for an optimizer.

    Of several optimizers there is an end each: "...-optimizer-2-optimizer-5" is left out where one of them is
    (a cell of two). With `shared` a "-any" stands before the ends, and it is left out where all of them are
    (the label of all that stand behind). It names one thing: of an optimizer on an axes each artist is
    another part. None where a name is no optimizer's.
    """
    places = list(colours)
    if not optimizers or not colours.keys() >= set(optimizers):
        return None
    ends = "".join(f"-optimizer-{places.index(optimizer)}" for optimizer in optimizers)
    number = ax.figure.axes.index(ax)
    rule = "-any" if shared else ""
    return f"{part}-{number}{rule}{ends}"


def back_to_front(frame: pd.DataFrame, ax: Axes, colours: Palette) -> list[tuple[Pen, pd.DataFrame]]:
    """Return the rows of each optimizer, the best last, so that it is drawn on top."""
    rows = {str(optimizer): own for optimizer, own in frame.groupby("optimizer")}
    return [
        (Pen(ax, optimizer, colours), rows[optimizer]) for optimizer in reversed(colours) if optimizer in rows
    ]
