"""Criteria that torch.nn lacks, in its own manner: a reduction, called with predictions and target."""

import torch


class LogCoshLoss(torch.nn.Module):
    """log cosh(prediction - target): half the square near the target, the distance less log 2 far from it."""

    def __init__(self, reduction: str = "mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        r = (prediction - target).abs()
        # cosh r = e^r (1 + e^-2r) / 2: nothing overflows, and log1p keeps the digits near 0
        return _reduced(r + torch.log1p(torch.expm1(-2 * r) / 2), self.reduction)


class QuantileLoss(torch.nn.Module):
    """quantile times how far the prediction is too low, or (1 - quantile) times how far it is too high."""

    def __init__(self, quantile: float = 0.5, reduction: str = "mean"):
        super().__init__()
        self.quantile, self.reduction = quantile, reduction

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        r = prediction - target
        # autograd takes the second branch at the kink, and so does the formula in pieces.py
        losses = torch.where(r < 0, -self.quantile * r, (1 - self.quantile) * r)
        return _reduced(losses, self.reduction)


def _reduced(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    return losses.mean() if reduction == "mean" else losses.sum()
