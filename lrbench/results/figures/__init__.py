"""The figures: each is one file with its frame, its ink, its words and its `FIGURE`.

A new one is such a file and a line in FIGURES: page, files, Markdown and verbs read them from here.
"""

from lrbench.results.figures import (
    budget,
    directions,
    heat_map,
    loss_curves,
    lr_sensitivity,
    mean_ranks,
    pairs,
    path,
    profile,
    seeds,
    targets,
    tuned_against_default,
)
from lrbench.results.figures.spec import ComparedSpec, FigureSpec

# in the order of the page
FIGURES: tuple[FigureSpec, ...] = (
    loss_curves.FIGURE,
    lr_sensitivity.FIGURE,
    heat_map.FIGURE,
    tuned_against_default.FIGURE,
    targets.FIGURE,
    profile.FIGURE,
    seeds.FIGURE,
    pairs.FIGURE,
    mean_ranks.FIGURE,
    path.FIGURE,
    budget.FIGURE,
    directions.FIGURE,
)

# those that show two sets, in the order of their page
COMPARED: tuple[ComparedSpec, ...] = tuple(
    sorted((figure.compared for figure in FIGURES if figure.compared), key=lambda spec: spec.place)
)
