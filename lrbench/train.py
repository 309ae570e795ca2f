"""Train a group of runs: the one place that chooses an engine."""

import inspect
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from lrbench.config import under
from lrbench.engines.curve import Curve
from lrbench.errors import RequestError, did_you_mean
from lrbench.plan import Group, Plan
from lrbench.problems.solve import Problem
from lrbench.records import curve_rows, run_rows

ENGINE = "reference"


def train(group: Group, problem: Problem, record: str | int, target: float) -> tuple[pa.Table, pa.Table]:
    """Train the runs of a group; return their rows for runs/ and curves/ of the store."""
    from lrbench.engines import reference

    curves = []
    for row in range(len(group)):
        run = group.run(row)
        curve = Curve(run["steps"])
        with _one_thread(), np.errstate(over="ignore", invalid="ignore"):
            try:
                reference.train(problem, run, curve)
            except Exception as error:  # a third party's construction and steps; the run becomes a row that says why
                curve.failure = f"{type(error).__name__}: {error}"
        curves.append(curve)
    return run_rows(group, curves, problem, target, ENGINE), curve_rows(group, curves, record)


def check_optimizers(plan: Plan) -> None:
    """Refuse optimizers that do not exist and hyperparameters that they do not have.

    Raises:
        RequestError: naming the dotted path, or the hyperparameter and those that there are.
    """
    for group in plan.groups:
        target = group.shared["optimizer._target_"]
        optimizer = _resolve(target)
        parameters = inspect.signature(optimizer).parameters
        names = list(parameters)[1:]  # the first takes the model's parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            continue
        for key in under(group.run(0), "optimizer"):
            if key != "_target_" and key not in names:
                raise RequestError(f"optimizer.{key}: {target} has no hyperparameter '{key}'. {did_you_mean(key, names)}")


def _resolve(target: str):
    allowed = "the dotted path of a class such as torch.optim.Adam is allowed"
    try:
        optimizer = pkgutil.resolve_name(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise RequestError(f"optimizer._target_: {allowed}, but {target} cannot be had: {error}.") from error
    if not callable(optimizer):
        raise RequestError(f"optimizer._target_: {allowed}, but {target} is a {type(optimizer).__name__}.")
    return optimizer


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over many rows come out the same on every machine only if one thread makes them."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
