"""The program and the functions that it is given, compiled for one dtype.

Each is compiled once a process, and kept on disk for the next one (cache.py).
"""

import functools
import threading
from collections.abc import Callable

import numpy as np
from numba import njit
from numba import types as nt
from numpy import uintp

from lrbench.engines import passes, program, signatures
from lrbench.engines.arguments import Task
from lrbench.engines.cache import cached
from lrbench.engines.jit import JIT
from lrbench.engines.products import multiply_source
from lrbench.losses import Loss
from lrbench.optimizers import Rule

Formula = Callable[..., float]  # of numbers
Compiled = Callable[..., None]

_one_at_a_time = threading.Lock()


def _once(compile: Callable[..., Compiled]) -> Callable[..., Compiled]:
    """Let one of several threads compile, and the others find what it made."""
    remembered = functools.cache(compile)

    @functools.wraps(compile)
    def locked(*arguments):
        with _one_at_a_time:
            return remembered(*arguments)

    return locked


def train(task: Task, dtype: str) -> Compiled:
    """Return the program for tasks of this kind: those of which the same parts are None."""
    parts = frozenset(name for name, part in task._asdict().items() if part is not None)
    return _train(parts, dtype)


@_once
def _train(parts: signatures.Parts, dtype: str) -> Compiled:
    name = "_".join(["train", dtype, *sorted(parts)])
    type = signatures.program(parts, getattr(nt, dtype))
    return cached(type, program.train, name)


@_once
def multiply(dtype: str) -> Compiled:
    """Return y = A x for all lanes."""
    name = f"multiply_{dtype}"
    type = signatures.multiply(getattr(nt, dtype))
    function = _function(name, multiply_source(name))
    return cached(type, function, name)


@_once
def update(rule: Rule, numbers: int, coefficients: int, lanes: int, dtype: str) -> Compiled:
    """Return the step of a tile by this rule.

    Args:
        numbers, coefficients: how many numbers of its run, and how many of the step, the rule unpacks.
    """
    name = f"update_{rule.update.__name__}_{lanes}_{dtype}"
    type = signatures.update(getattr(nt, dtype))
    source = passes.update_source(name, lanes, len(rule.state), numbers, coefficients)
    function = _function(name, source, rule=rule.update)
    return cached(type, function, name, "optimizers")


def slopes(loss: Loss, lanes: int, dtype: str) -> Compiled:
    """Return the pass over the rows of a minibatch."""
    return _slopes(loss.formula("slope"), lanes, dtype)


@_once
def _slopes(slope: Formula, lanes: int, dtype: str) -> Compiled:
    name = f"slopes_{slope.__name__}_{lanes}_{dtype}"
    type = signatures.slopes(getattr(nt, dtype))
    source = passes.slopes_source(name, lanes)
    return cached(type, _function(name, source, slope=slope), name, "losses")


def excess(loss: Loss, lanes: int, dtype: str) -> Compiled:
    """Return the pass over a block of all rows."""
    return _excess(loss.formula("excess"), loss.formula("slope"), lanes, dtype)


@_once
def _excess(excess: Formula, slope: Formula, lanes: int, dtype: str) -> Compiled:
    name = f"excess_{excess.__name__}_{lanes}_{dtype}"
    type = signatures.excess(getattr(nt, dtype))
    source = passes.excess_source(name, lanes)
    return cached(type, _function(name, source, excess=excess, slope=slope), name, "losses")


def _function(name: str, source: str, **formulas: Callable) -> Compiled:
    """Return the function of this name that a source defines, with the formulas that it calls."""
    names: dict = {"uintp": uintp, "float64": np.float64, "__name__": __name__}
    for called, formula in formulas.items():
        names[called] = njit(**JIT)(formula)
    exec(compile(source, __file__, "exec"), names)
    return names[name]
