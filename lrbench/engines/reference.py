"""The lecture's rhythm in plain sight: model, criterion, optimizer; forward, loss, zero_grad, backward, step. Runs any torch optimizer."""

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
    """The same for an optimizer that wants to see the gradient of this batch several times within one step (LBFGS)."""
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
    """Train one run and note its states in `curve`, until the last step or the first state that is not finite.

    Raises:
        Exception: whatever the optimizer raises at construction or in a step; the states until then are in `curve`.
    """
    dtype = getattr(torch, run["dtype"])
    X = torch.tensor(problem.data.X, dtype=dtype)  # (n, d)
    y = torch.tensor(problem.data.y, dtype=dtype).reshape(-1, 1)  # (n, 1)

    model = LinearModel(problem.data.d, problem.data.intercept, dtype)
    set_weights(model, start(run["init"], run["seed"], problem.data.d, problem.data.p), dtype)
    criterion = make_criterion(run, problem, model)
    if not measure(curve, 0, problem, model, criterion, X, y, evaluations=0):
        return

    optimizer = build(under(run, "optimizer"), model.parameters())
    scheduler = schedules.make(optimizer, under(run, "schedule"), run["steps"])
    step = update_with_closure if wants_closure(optimizer) else update
    rows_seen = 0
    for t, rows in enumerate(
        batches(problem.data.n, run["batch_size"], run["batch_order"], run["seed"], run["steps"]), start=1
    ):
        x_batch, y_batch = X[rows], y[rows]
        set_mode(optimizer, "train")
        rows_seen += len(x_batch) * step(model, criterion, optimizer, x_batch, y_batch)
        set_mode(optimizer, "eval")
        if not measure(curve, t, problem, model, criterion, X, y, evaluations=rows_seen / problem.data.n):
            return
        if scheduler is not None and t < run["steps"]:
            advance(scheduler, curve.loss[t])


def make_criterion(run: Leaves, problem: Problem, model: LinearModel):
    """Return the criterion of a run, with the penalty on the model's weights where the loss has one."""
    criterion = build({key: value for key, value in under(run, "loss").items() if key not in PENALTY})
    if problem.loss.l2 == 0:
        return criterion
    penalised = list(model.parameters())[: 2 if problem.loss.penalize_intercept else 1]

    def objective(y_pred, y):
        share = problem.loss.penalty_share(len(y), problem.data.n)
        return criterion(y_pred, y) + share * problem.loss.l2 / 2 * sum((w**2).sum() for w in penalised)

    return objective


@torch.no_grad()
def measure(
    curve: Curve, t: int, problem: Problem, model: LinearModel, criterion, X, y, evaluations: float
) -> bool:
    """Note loss (over all rows) and gap of the model as it stands; return whether they were finite."""
    weights = get_weights(model)
    return curve.add(t, criterion(model(X), y).item(), float(problem.gap(weights)), evaluations, weights)


def build(settings: Leaves, *arguments):
    """Make the object of a configuration with `_target_`."""
    given = {key: _numbers(value) for key, value in settings.items() if key != "_target_"}
    return pkgutil.resolve_name(settings["_target_"])(*arguments, **given)


def _numbers(value):
    """Make the whole numbers of a list floats: torch takes betas of [0, 0.999] for a mixture of types."""
    return (
        [float(x) if isinstance(x, int) and not isinstance(x, bool) else x for x in value]
        if isinstance(value, list)
        else value
    )


def advance(scheduler, loss: float) -> None:
    """Let the schedule set the next step's learning rate; ReduceLROnPlateau wants to see the loss."""
    scheduler.step(*[loss] if wants_loss(scheduler) else [])


def wants_loss(scheduler) -> bool:
    return "metrics" in inspect.signature(scheduler.step).parameters


def wants_closure(optimizer) -> bool:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def set_mode(optimizer, mode: str) -> None:
    """Call train() or eval() of an optimizer whose weights differ between training and evaluation (schedule-free ones, say)."""
    if callable(switch := getattr(optimizer, mode, None)):
        switch()


def get_weights(model: LinearModel) -> np.ndarray:
    """Return [weights..., intercept], (p,) float64."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().double().numpy()


def set_weights(model: LinearModel, weights: np.ndarray, dtype: torch.dtype) -> None:
    torch.nn.utils.vector_to_parameters(torch.tensor(weights, dtype=dtype), model.parameters())
