"""The critical difference diagram of the optimizers that ran on all problems (Demšar, 2006): names at their
mean ranks, a bar over each stretch that is not shown to differ.

`tables.overall.mean_ranks` of `Sweep.across`: optimizer -> mean rank, "adam" 1.4; `not_separated`: the
stretches, ["adam", "sgd"].
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results.figures.ink import INK, NAME, Palette, Pen, gid, palette
from lrbench.results.figures.layout import MARGINS, one_axes
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.texts import fitted
from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed
from lrbench.results.tables.overall import mean_ranks, not_separated
from lrbench.results.tables.sweep import Sweep

ROW = 0.22  # inches
LONGEST_NAME = 108  # points
MARGIN = 0.2  # ranks: how far the axes go beyond the first and the last
BAR_END = 0.06  # ranks: how far a bar goes beyond the ranks that it joins

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw the diagram; the better half is named on the left, the other on the right.

    Raises:
        RequestError: there are fewer than six problems, so no test.
    """
    across = sweep.across
    if across.empty or across["p"].isna().all():
        raise RequestError(f"{sweep.store.root}: ranks over problems are compared from six problems on.")
    ranks, stretches = mean_ranks(across), not_separated(across)
    colours = palette(sweep.ranking)
    height = ROW * (len(stretches) + 1 + _on_the_left(ranks))
    margins = MARGINS._replace(left=MARGINS.right)
    return one_axes(height, lambda ax: _draw_diagram(ranks, stretches, ax, colours), margins)


def _on_the_left(ranks: pd.Series) -> int:
    return (len(ranks) + 1) // 2


def _draw_diagram(ranks: pd.Series, stretches: list[list[str]], ax: Axes, colours: Palette) -> None:
    first_row = len(stretches) + 1  # the bars stand above the names
    last = len(ranks)
    ax.set(xlim=(1 - MARGIN, last + MARGIN), ylim=(first_row + _on_the_left(ranks) - 0.5, -0.1))
    for place, optimizer in enumerate(ranks.index):
        _draw_name(Pen(ax, optimizer, colours), place, ranks, first_row)
    for place, stretch in enumerate(stretches):
        first, end = ranks[stretch[0]] - BAR_END, ranks[stretch[-1]] + BAR_END
        own = gid(ax, f"bar{place}", stretch, colours, shared=True)
        height = place + 0.6
        look = {"color": INK, "linewidth": 4, "solid_capstyle": "butt", "zorder": 4}
        ax.plot([first, end], [height, height], gid=own, **look)
    _draw_axis(ax, last)


def _draw_name(pen: Pen, place: int, ranks: pd.Series, first_row: int) -> None:
    """Draw a line from a rank on the axis down to the name beside the diagram, and the name."""
    rank = ranks.iloc[place]
    name = fitted(displayed(pen.optimizer), NAME, LONGEST_NAME)
    is_left = place < _on_the_left(ranks)
    if is_left:
        row, side, apart = first_row + place, 1 - MARGIN, -5
        label = f"{name}  {rank:.2f}"
    else:
        # from the right in, so that no two lines cross
        row, side, apart = first_row + len(ranks) - 1 - place, len(ranks) + MARGIN, 5
        label = f"{rank:.2f}  {name}"
    look = {"color": pen.colour, "linestyle": pen.look.dashes, "linewidth": 1.4, "clip_on": False}
    pen.ax.plot([rank, rank, side], [0, row, row], gid=pen.gid("line"), **look)
    pen.ax.annotate(
        label,
        (side, row),
        (apart, 0),
        ha="right" if is_left else "left",
        textcoords="offset points",
        va="center",
        fontsize=NAME,
        annotation_clip=False,
        gid=pen.gid("name"),
    )


def _draw_axis(ax: Axes, last: int) -> None:
    """Draw the axis of ranks on top."""
    ax.set_yticks([])
    ax.set_xticks(range(1, last + 1))
    ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.spines["top"].set_visible(True)
    ax.spines["top"].set_bounds(1, last)
    ax.grid(False)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    return (
        f"Mean rank over the {sweep.across['problems'].iloc[0]} problems by the mean score on each: who "
        "arrives in fewer evaluations comes first, then who misses by less. A bar joins optimizers of which "
        "no two are shown to differ."
    )


def finding(sweep: Sweep) -> str:
    """Return of which pairs a test shows who is better."""
    across = sweep.across
    shown = across[across["better"] != ""]
    if shown.empty:
        return f"all problems: of {counted(len(across), 'pair')} none is shown to differ."
    worse = shown["b"].where(shown["better"] == shown["a"], shown["a"])
    better = [f"{displayed(a)} before {displayed(b)}" for a, b in zip(shown["better"], worse, strict=True)]
    return f"all problems: of {counted(len(across), 'pair')} shown: {listed(better)}."


FIGURE = FigureSpec(
    name="mean_ranks",
    title="Mean ranks over the problems",
    method="plot_mean_ranks",
    shows="the critical difference diagram of the optimizers that ran on all tasks",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("across",),
)
