"""The answers: a stored sweep as frames, tables, sentences, figures and one page. Right of the store: pandas,
no torch, no Hydra.

    frames/ -> tables/ -> words/ -> figures/ -> pages/, terminal/ -> results.py, comparison.py
               statistics/, theory/

Each room imports from those before it, never from those behind. Nothing is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrbench.results.comparison import Comparison, compare
    from lrbench.results.results import Results, load, newest

__all__ = ["Comparison", "Results", "compare", "load", "newest"]

HOMES = {
    "Comparison": "comparison",
    "compare": "comparison",
    "Results": "results",
    "load": "results",
    "newest": "results",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
