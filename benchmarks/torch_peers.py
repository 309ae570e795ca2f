"""The same runs in torch.

The lecture's loop, one run after another; and all runs at once as rows of one tensor, eagerly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from case import Planned

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8

torch.set_num_threads(1)


def loop(planned: Planned, run: int = 0) -> torch.nn.Linear:
    """Train one run with nothing but what a step needs; no loss is kept."""
    case = planned.case
    data = planned.problem.data
    dtype = getattr(torch, case.dtype)
    X = torch.tensor(data.X, dtype=dtype)
    y = torch.tensor(data.y, dtype=dtype).reshape(-1, 1)
    all_rows = [slice(None)] * case.steps
    rows = torch.randint(case.n, (case.steps, case.batch)) if case.batch else all_rows
    model = torch.nn.Linear(case.d, 1, bias=False, dtype=dtype)
    criterion = torch.nn.MSELoss()
    optimizer = OPTIMIZERS[case.optimizer](model.parameters(), lr=float(planned.lr[run]))
    for of_step in rows:
        loss = criterion(model(X[of_step]), y[of_step])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@dataclass
class Batched:
    """All runs as the rows of W (seeds, runs of a seed, p); gaps at the recorded steps.

    What does not change with the runs is made beforehand.
    """

    planned: Planned

    def __post_init__(self):
        planned, case = self.planned, self.planned.case
        data = planned.problem.data
        seeds = case.seeds if case.batch else 1

        def tensor(array: np.ndarray) -> torch.Tensor:
            return torch.tensor(array, dtype=getattr(torch, case.dtype))

        self.start = tensor(planned.starts).reshape(seeds, -1, case.d)
        self.lr = tensor(planned.lr).reshape(seeds, -1, 1)
        self.w_star = tensor(planned.problem.w_star)
        self.hessian = tensor(planned.hessian)
        self.X = tensor(data.X)
        self.y = tensor(data.y.reshape(-1, 1))
        self.rows = torch.tensor(planned.rows()) if case.batch else None
        self.recorded = set(planned.step.tolist())

    def train(self) -> np.ndarray:
        """Return (R, K) gaps."""
        case = self.planned.case
        W = self.start.clone()
        m, v = torch.zeros_like(W), torch.zeros_like(W)
        gaps = []
        for t in range(case.steps + 1):
            if self.rows is None or t in self.recorded:
                E = W - self.w_star
                g = E @ self.hessian
            if t in self.recorded:
                gaps.append(0.5 * (E * g).sum(-1))
            if t == case.steps:
                break
            if self.rows is not None:
                g = self._sampled(W, self.rows[t])
            if case.optimizer == "sgd":
                descend(W, g, self.lr)
            else:
                adam(W, g, self.lr, (m, v), t + 1)
        return torch.stack(gaps, -1).reshape(-1, len(gaps)).numpy()

    def _sampled(self, W: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        X, y = self.X[rows], self.y[rows]  # (seeds, batch, p), (seeds, batch, 1)
        return (2 / rows.shape[1]) * (W @ X.mT - y.mT) @ X


def descend(W: torch.Tensor, g: torch.Tensor, lr: torch.Tensor) -> None:
    W.sub_(g.mul_(lr))


def adam(W: torch.Tensor, g: torch.Tensor, lr: torch.Tensor, means: tuple, t: int) -> None:
    """Take step t, 1 for the first; `means` are those of the gradients and of their squares."""
    m, v = means
    m.lerp_(g, 1 - BETA1)
    v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
    below = v.sqrt().div_((1 - BETA2**t) ** 0.5).add_(EPS)
    W.sub_((m * (lr / (1 - BETA1**t))).div_(below))


def multiplication(planned: Planned) -> tuple:
    """Return H and E (p, R): what `torch.mm` multiplies as the yardstick of arithmetic."""
    dtype = getattr(torch, planned.case.dtype)
    hessian = torch.tensor(planned.hessian, dtype=dtype)
    starts = torch.tensor(planned.starts.T.copy(), dtype=dtype)
    return hessian, starts
