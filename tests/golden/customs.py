"""Optimizers of a user's own, most of which misbehave: one raises, one is interrupted, one gets worse.

The choices that `sets.py` writes name them.
"""

import torch

REASON = '<script>hit=1</script> & "x" | `*_` ^~ $x_1$ 100 % \\alpha {{ 7 * 7 }} ünï © → 漢'
WHOLE_RUNS = 3  # of Interrupted, before somebody presses Ctrl-C
SLOWDOWN = 0.3
LOST_RUN = 2  # of Versioned in its second version, counted from 0


class Raising(torch.optim.SGD):
    """Raise in the third step."""

    def __init__(self, params, lr: float = 0.01, mode: str = "plain"):
        super().__init__(params, lr=lr)
        self.mode = mode  # only a setting to be told
        self.steps_done = 0

    def step(self, closure=None):
        self.steps_done += 1
        if self.steps_done == 3:
            raise RuntimeError(REASON)
        return super().step(closure)


class Named(torch.optim.SGD):
    """Plain gradient descent with a setting in words."""

    def __init__(self, params, lr: float = 0.01, mode: str = "plain"):
        super().__init__(params, lr=lr)
        self.mode = mode


class Interrupted(torch.optim.SGD):
    """Press Ctrl-C in the first step of one run, always the same one."""

    runs_begun = 0

    def __init__(self, params, lr: float = 0.01):
        super().__init__(params, lr=lr)
        Interrupted.runs_begun += 1

    def step(self, closure=None):
        if Interrupted.runs_begun > WHOLE_RUNS:
            raise KeyboardInterrupt
        return super().step(closure)


class Versioned(torch.optim.SGD):
    """Gradient descent whose second version is slower at the same settings, and fails in one run."""

    version = 1
    runs_begun = 0

    def __init__(self, params, lr: float = 0.01):
        worse = Versioned.version == 2
        if worse and Versioned.runs_begun == LOST_RUN:
            Versioned.runs_begun += 1
            raise RuntimeError("lost in version 2")
        Versioned.runs_begun += 1
        super().__init__(params, lr=lr * SLOWDOWN if worse else lr)


def next_version() -> None:
    """Install the second version of Versioned."""
    Versioned.version = 2
    Versioned.runs_begun = 0
