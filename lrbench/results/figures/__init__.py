"""The figures: each is one file with its frame, its ink, its words and its `FIGURE`.

A new one is such a file and a line in FILES: page, files, Markdown and verbs read them from here.
"""

from importlib import import_module

from lrbench.results.figures.spec import ComparedSpec, FigureSpec

# those of this folder that hold a figure, in the order of the page
FILES = (
    "loss_curves",
    "lr_sensitivity",
    "heat_map",
    "tuned_against_default",
    "targets",
    "profile",
    "seeds",
    "pairs",
    "mean_ranks",
    "path",
    "budget",
    "directions",
)
FIGURES: tuple[FigureSpec, ...] = tuple(import_module(f"{__package__}.{file}").FIGURE for file in FILES)

# those that show two sets, in the order of their page
COMPARED: tuple[ComparedSpec, ...] = tuple(
    sorted((figure.compared for figure in FIGURES if figure.compared), key=lambda spec: spec.place)
)
