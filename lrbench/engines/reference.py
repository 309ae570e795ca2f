"""The lecture's rhythm in plain sight, for any torch optimizer.

Model, criterion, optimizer; forward, loss, zero_grad, backward, step.
"""

import inspect
import pkgutil

import numpy as np
import torch

from lrbench import schedules
from lrbench.config import Leaves, under
from lrbench.engines.curve import Curve
from lrbench.losses import PENALTY
from lrbench.problems.solve import Problem
from lrbench.seeds import batches, start

NO_END = (
    "A schedule counts the optimizer's own steps and ends with the budget, and this optimizer's steps take "
    "as many gradients as it asks of its closure: how many steps the budget holds is not known before."
)


class LinearModel(torch.nn.Module):
    """The lecture's model class: y = x w + b."""

    def __init__(self, d: int, intercept: bool, dtype: torch.dtype):
        super().__init__()
        self.linear = torch.nn.utils.skip_init(torch.nn.Linear, d, 1, bias=intercept, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def update(model, criterion, optimizer, x, y) -> int:
    """One step of the lecture; returns the number of gradients it took."""
    y_pred = model(x)
    loss = criterion(y_pred, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return 1


def update_with_closure(model, criterion, optimizer, x, y) -> int:
    """The same for an optimizer that wants the gradient of this batch several times in one step (LBFGS)."""
    gradients = 0

    def closure():
        nonlocal gradients
        gradients += 1
        y_pred = model(x)
        loss = criterion(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        return loss

    optimizer.step(closure)
    return gradients


def train(problem: Problem, run: Leaves, curve: Curve) -> None:
    """Train one run and note its states in `curve`, until its end or the first state that is not finite.

    Raises:
        Exception: whatever the optimizer raises when made or in a step. The states until then are noted.
    """
    data, dtype = problem.data, getattr(torch, run["dtype"])
    X = torch.tensor(data.X, dtype=dtype)  # (n, d)
    y = torch.tensor(data.y, dtype=dtype).reshape(-1, 1)  # (n, 1)

    model = LinearModel(data.d, data.intercept, dtype)
    set_weights(model, start(run["init"], run["seed"], data.d, data.p), dtype)
    criterion = make_criterion(run, problem, model)

    def measure(t: int, evaluations: float) -> bool:
        """Note loss (over all rows) and gap of the model as it stands; return whether they were finite."""
        with torch.no_grad():
            loss = criterion(model(X), y).item()
        weights = get_weights(model)
        return curve.add(t, loss, float(problem.gap(weights)), evaluations, weights)

    if not measure(0, evaluations=0):
        return

    optimizer = build(under(run, "optimizer"), model.parameters())
    # each step takes one gradient, so that the budget holds so many of them
    scheduler = schedules.make(optimizer, under(run, "schedule"), run["steps"])
    step = update
    if wants_closure(optimizer):
        step = update_with_closure
        if scheduler is not None:
            raise ValueError(NO_END)
    order = batches(data.n, run["batch_size"], run["batch_order"], run["seed"], run["steps"])
    rows_seen = 0
    for t, rows in enumerate(order, start=1):
        x_batch, y_batch = X[rows], y[rows]
        set_mode(optimizer, "train")
        gradients = step(model, criterion, optimizer, x_batch, y_batch)
        set_mode(optimizer, "eval")
        rows_seen += gradients * len(x_batch)
        if not measure(t, evaluations=rows_seen / data.n):
            return
        if scheduler is not None and t < run["steps"]:
            advance(scheduler, curve.loss[t])


def make_criterion(run: Leaves, problem: Problem, model: LinearModel):
    """Return the criterion of a run, with the penalty on the model's weights where the loss has one."""
    settings = under(run, "loss")
    criterion = build({key: value for key, value in settings.items() if key not in PENALTY})
    loss, n = problem.loss, problem.data.n
    if loss.l2 == 0:
        return criterion
    weight, *intercept = model.parameters()
    penalised = [weight, *intercept] if loss.penalize_intercept else [weight]

    def objective(y_pred, y):
        share = loss.penalty_share(len(y), n)
        squares = sum((w**2).sum() for w in penalised)
        return criterion(y_pred, y) + share * loss.l2 / 2 * squares

    return objective


def build(settings: Leaves, *arguments):
    """Make the object of a configuration with `_target_`."""
    given = {key: _numbers(value) for key, value in settings.items() if key != "_target_"}
    return pkgutil.resolve_name(settings["_target_"])(*arguments, **given)


def _numbers(value):
    """Make the whole numbers of a list floats: torch takes betas of [0, 0.999] for a mixture of types."""
    if not isinstance(value, list):
        return value
    return list(map(_as_float, value))


def _as_float(number):
    return float(number) if type(number) is int else number


def advance(scheduler, loss: float) -> None:
    """Let the schedule set the next step's learning rate; ReduceLROnPlateau wants to see the loss."""
    if wants_loss(scheduler):
        scheduler.step(loss)
    else:
        scheduler.step()


def wants_loss(scheduler) -> bool:
    return "metrics" in inspect.signature(scheduler.step).parameters


def wants_closure(optimizer) -> bool:
    """Say whether an optimizer, or a class of them, takes no step without a closure."""
    if not hasattr(optimizer, "step"):
        return False
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def set_mode(optimizer, mode: str) -> None:
    """Call train() or eval() of an optimizer whose weights differ between them (schedule-free ones, say)."""
    switch = getattr(optimizer, mode, None)
    if callable(switch):
        switch()


def get_weights(model: LinearModel) -> np.ndarray:
    """Return [weights..., intercept], (p,) float64."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().double().numpy()


def set_weights(model: LinearModel, weights: np.ndarray, dtype: torch.dtype) -> None:
    torch.nn.utils.vector_to_parameters(torch.tensor(weights, dtype=dtype), model.parameters())
