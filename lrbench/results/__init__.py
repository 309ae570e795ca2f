"""The answers: a stored sweep as frames, tables, sentences, figures and one page. Right of the store: pandas, no torch, no Hydra.

    frames -> tables -> verdict, text -> terminal, report
                  \\-> curves  -> plots, figures -> report

Nothing is imported until it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrbench.results.result_set import Results, load, newest

__all__ = ["Results", "load", "newest"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lrbench.results import result_set

    return getattr(result_set, name)
