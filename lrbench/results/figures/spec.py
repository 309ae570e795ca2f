"""What a figure is: how it is drawn and told, and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep


@dataclass(frozen=True)
class ComparedSpec:
    """A figure that shows two sets, A and B, on the same axes.

    Attributes:
        name: of its section on the page.
        place: in which order it stands there.
        frame: what it draws; empty where the two have nothing for it.
        finding: what it shows, as a sentence for those who do not see it.
    """

    name: str
    title: str
    place: int
    frame: Callable[[Difference], pd.DataFrame]
    draw: Callable[[Difference], Figure]
    caption: Callable[[Difference], str]
    finding: Callable[[Difference], str]


@dataclass(frozen=True)
class FigureSpec:
    """A figure of a sweep.

    Attributes:
        name: of its files and its section on the page.
        method: the verb of `Results` that draws it.
        shows: what it draws, as the verb's docstring says it.
        draw: raises RequestError where the sweep has nothing for it, and says what to ask for.
        finding: what it shows, as a sentence for those who do not see it.
        tables: the names of those that stand below it.
        slider: what a slider on the page moves along its paths, as data for the page's script.
        compared: the variant that shows two sets, where there is one.
    """

    name: str
    title: str
    method: str
    shows: str
    draw: Callable[[Sweep], Figure]
    caption: Callable[[Sweep], str]
    finding: Callable[[Sweep], str]
    tables: tuple[str, ...] = ()
    slider: Callable[[Sweep, Figure], dict[str, Any]] | None = None
    compared: ComparedSpec | None = None

    def verb(self, sweep: Sweep) -> Callable[[], Figure]:
        """Return the verb that draws this figure of a sweep."""

        def plot() -> Figure:
            return self.draw(sweep)

        plot.__name__ = self.method
        plot.__doc__ = f"Draw {self.shows}; RequestError where the sweep has nothing for it."
        return plot
