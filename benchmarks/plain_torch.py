"""What one would write without lrbench.

The same runs in a double loop of torch, curves into pandas, one figure of seaborn.

python benchmarks/plain_torch.py FIGURE.png [STEPS]
"""

import sys
from functools import partial

import matplotlib
import pandas as pd
import seaborn as sns
import torch
from torch import nn

matplotlib.use("agg")

STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 500
SEEDS = 5
LRS = (0.01, 0.03, 0.1, 0.3, 1)
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
}


def train(name: str, lr: float, seed: int, X: torch.Tensor, y: torch.Tensor) -> list[float]:
    torch.manual_seed(seed)
    model, criterion, losses = nn.Linear(X.shape[1], 1), nn.MSELoss(), []
    optimizer = OPTIMIZERS[name](model.parameters(), lr=lr)
    for _ in range(STEPS):
        loss = criterion(model(X), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def curves() -> pd.DataFrame:
    torch.manual_seed(0)
    X = torch.randn(100, 10)
    y = X @ torch.randn(10, 1) + 0.1 * torch.randn(100, 1)
    frames = []
    for name in OPTIMIZERS:
        for lr in LRS:
            for seed in range(SEEDS):
                losses = train(name, lr, seed, X, y)
                frames.append(
                    pd.DataFrame(
                        {"optimizer": name, "lr": lr, "seed": seed, "step": range(STEPS), "loss": losses}
                    )
                )
    return pd.concat(frames, ignore_index=True)


if __name__ == "__main__":
    figure = sns.lineplot(
        curves(), x="step", y="loss", hue="optimizer", estimator="median", errorbar=("pi", 50)
    )
    figure.set_yscale("log")
    figure.figure.savefig(sys.argv[1])
