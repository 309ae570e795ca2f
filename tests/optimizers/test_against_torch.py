"""Every update rule, compiled, against its class: single steps, NaN and inf, and whole runs with schedules.

The class is torch's own, or one in torch's manner; either way it does not know the rule.
"""

import inspect
import pkgutil
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numba import njit, types
from numba.np.numpy_support import from_dtype
from numba.np.unsafe.ndarray import to_fixed_tuple

from lrbench.optimizers import FAMILIES
from lrbench.optimizers.rule import PAIRS

TARGETS = {target.rpartition(".")[2]: target for target in FAMILIES}
CASES = {  # of a class by its name, beside its defaults
    "SGD": [
        {"lr": 0.1, "weight_decay": 0.01},
        {"lr": 0.0, "momentum": 0.9},
        {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.02, "momentum": 1.1, "nesterov": True, "weight_decay": 0.1},
        {"lr": 3.0, "momentum": 0.5, "dampening": -1.0},
        {"lr": 0.3, "maximize": True},
    ],
    "Adamax": [
        {"weight_decay": 0.1, "maximize": True},
        {"lr": 0.0},
        {"lr": 7.0, "betas": (0.0, 0.0), "eps": 0.5},
        {"betas": (0.3, 0.9), "eps": 0.0, "weight_decay": 2.0},
    ],
    "NAdam": [
        {"weight_decay": 0.1, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.0, "decoupled_weight_decay": True},
        {"lr": 2.0, "betas": (0.0, 0.0), "eps": 0.1},
        {"betas": (0.4, 0.9), "momentum_decay": 0.0, "eps": 0.0},
        {"betas": (0.99, 0.5), "momentum_decay": 1.7, "weight_decay": 1.0},
    ],
    "RAdam": [
        {"weight_decay": 0.1, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.0, "decoupled_weight_decay": True},
        {"lr": 2.0, "betas": (0.0, 0.0), "eps": 0.1},
        {"betas": (0.4, 0.6), "eps": 0.0},
        {"betas": (0.99, 2 / 3), "weight_decay": 1.0},
        {"betas": (0.5, 0.9), "eps": 0.0},
    ],
    "RMSprop": [
        {"momentum": 0.9, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.0, "eps": 0.0},
        {"lr": 2.0, "alpha": 0.0, "eps": 0.3},
        {"alpha": 1.0, "weight_decay": 1.0, "eps": 0.5},
        {"centered": True},
        {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True},
        {"centered": True, "lr": 1.0, "alpha": 0.3, "eps": 0.1},
    ],
    "Adagrad": [
        {"weight_decay": 0.1, "maximize": True},
        {"lr": 0.0, "eps": 0.0},
        {"lr": 2.0, "lr_decay": 0.1, "initial_accumulator_value": 0.7, "eps": 0.1},
        {"lr_decay": 1e-3, "weight_decay": 1.0},
    ],
    "Adadelta": [
        {"weight_decay": 0.1, "maximize": True},
        {"lr": 0.0},
        {"lr": 0.3, "rho": 0.0, "eps": 0.1},
        {"rho": 1.0, "weight_decay": 1.0},
        {"rho": 0.95, "eps": 1e-12},
    ],
    "Rprop": [
        {"maximize": True},
        {"lr": 0.0},
        {"lr": 1.0, "etas": (0.3, 1.7), "step_sizes": (1e-3, 2.0)},
        {"step_sizes": (0.5, 0.1)},
    ],
    "ASGD": [
        {"weight_decay": 0.1, "maximize": True},
        {"lr": 0.0},
        {"lr": 0.3, "lambd": 0.01, "alpha": 0.5, "t0": 3},
        {"lr": 0.7, "lambd": 0.0, "t0": 0.0, "weight_decay": 1.0},
        {"lr": 0.7, "lambd": 0.5, "alpha": 1.3, "t0": 50.5},
    ],
}
CASES["Adam"] = [
    {"weight_decay": 0.1, "maximize": True},
    {"weight_decay": 0.1, "decoupled_weight_decay": True},
    {"lr": 0.0, "eps": 0.0},
    {"lr": 2.0, "betas": (0.0, 0.0), "eps": 0.1},
    {"betas": (0.3, 0.9), "eps": 0.0, "weight_decay": 1.0},
    {"amsgrad": True},
    {
        "amsgrad": True,
        "betas": (0.5, 0.3),
        "weight_decay": 0.1,
        "decoupled_weight_decay": True,
        "maximize": True,
    },
]
CASES["AdamW"] = [{k: v for k, v in case.items() if k != "decoupled_weight_decay"} for case in CASES["Adam"]]
CASES = [(name, case) for name in TARGETS for case in [{}, *CASES.get(name, [])]]

BAR = {"float64": 2e-15, "float32": 4 * 1.2e-7}  # for the error of w, as a share of w or of its change
STATE_BAR = {
    "float64": 4 * 2.2e-16,
    "float32": 4 * 1.2e-7,
}  # for that of a state, as a share of the old or the new one, or of what it adds up
STEPS = 1, 2, 5, 6, 100, 5000
NONNEGATIVE = {"exp_avg_sq", "max_exp_avg_sq", "exp_inf", "square_avg", "acc_delta", "sum", "step_size"}

every_case = pytest.mark.parametrize(
    ("name", "case"),
    CASES,
    ids=lambda x: x if isinstance(x, str) else ",".join(f"{k}={v}" for k, v in x.items()),
)
both = pytest.mark.parametrize("dtype", ["float64", "float32"])


@cache
def compiled(formula, k):
    """The rule as a function of vectors: g (n), w (n), state (k, n) -> the new w and state, (1 + k, n)."""
    update = njit(error_model="numpy")(formula)

    @njit(error_model="numpy")
    def each(g, w, state, run, step):
        new = np.empty((k + 1, w.size), w.dtype)
        for i in range(w.size):
            w_new, state_new = update(g[i], w[i], to_fixed_tuple(state[:, i], k), run, step)
            numbers = (w_new,) + state_new
            for j in range(k + 1):
                new[j, i] = numbers[j]
        return new

    each.update = update
    return each


class Ours:
    """A run of a rule, its numbers made for `steps` steps.

    schedules: factor (of lr), beta1, momentum -> their values, one a step.
    """

    def __init__(self, name, case, dtype, steps, **schedules):
        family = FAMILIES[TARGETS[name]]
        self.dtype, self.numbers = np.dtype(dtype), {}
        for key, value in (family.defaults | family.fixed | case).items():
            self.numbers |= dict(zip(PAIRS[key], value, strict=True)) if key in PAIRS else {key: value}
        self.rule = family.switched if family.switch and self.numbers[family.switch] else family.rule
        run = SimpleNamespace(**{key: np.array([float(value)]) for key, value in self.numbers.items()})
        assert family.covers(run)
        changing = {key: values[:, None] for key, values in ({"factor": np.ones(1)} | schedules).items()}
        changing["lr"] = run.lr * changing["factor"]
        numbers = {key: changing.get(key, getattr(run, key, None)) for key in (*self.rule.column, "factor")}
        step = SimpleNamespace(**{key: np.atleast_2d(x) for key, x in numbers.items()})
        self.update_all = compiled(self.rule.update, len(self.rule.state))
        self.numbers["lr"] *= changing["factor"][0, 0]
        self.run = tuple(self.dtype.type(x[0]) for x in self.rule.run(run))
        self.table = [
            np.broadcast_to(x, (steps, 1))[:, 0].astype(dtype)
            for x in self.rule.step(np.arange(1.0, steps + 1)[:, None], step)
        ]

    def start(self, n):
        starts = [self.numbers[x] if isinstance(x, str) else x for x in self.rule.state.values()]
        return np.repeat(np.array(starts, self.dtype)[:, None], n, axis=1)

    def step(self, g, w, state, t):
        new = self.update_all(g, w, state, self.run, tuple(x[t - 1] for x in self.table))
        return new[0], new[1:]

    def returned(self):
        """The types that the compiled rule returns for numbers of this dtype."""
        signatures = self.update_all.update.nopython_signatures
        return {
            signature.return_type for signature in signatures if signature.args[0] == from_dtype(self.dtype)
        }


class Torch:
    """A run of the class, from its start."""

    def __init__(self, name, case, w):
        self.w = torch.nn.Parameter(torch.tensor(w))
        optimizer = pkgutil.resolve_name(TARGETS[name])
        plain = {"foreach": False} if "foreach" in inspect.signature(optimizer).parameters else {}
        self.optimizer = optimizer([self.w], **plain, **case)
        self.group, self.state = self.optimizer.param_groups[0], self.optimizer.state[self.w]

    def put(self, names, state, t):
        """Set the state as it may be before step t: these tensors, and the scalars of that step."""
        w = self.w.detach().clone()
        self.step(np.zeros_like(w))
        self.w.data = w
        for key, value in zip(names, state, strict=True):
            if key in self.state:
                self.state[key] = torch.tensor(value)
        scalars = {
            "step": lambda **_: t - 1.0,
            "mu_product": mu_product,
            "eta": eta,
            "mu": lambda t0, **_: 1 / max(1, t - 1 - t0),
        }
        for key in scalars.keys() & self.state.keys():
            self.state[key] = torch.tensor(scalars[key](t=t, **self.group))
        if t == 1 and isinstance(self.optimizer, torch.optim.SGD):
            self.state.clear()  # its first step is told by the missing buffer

    def step(self, g):
        self.w.grad = torch.as_tensor(g)
        self.optimizer.step()
        return self.w.detach().numpy().copy()


def eta(t, lr, lambd, alpha, **_):
    return lr / (1 + lambd * lr * (t - 1)) ** alpha


def mu_product(t, betas, momentum_decay, **_):
    product = torch.tensor(1.0)
    for k in range(1, t):
        product *= betas[0] * (1 - 0.5 * 0.96 ** (k * momentum_decay))
    return product.item()


def decades(rng, n, dtype):
    """Positive numbers, their sizes spread over six decades."""
    return np.abs(rng.normal(size=n) * 10 ** rng.uniform(-3, 3, n)).astype(dtype)


def states(rng, rule, sign, dtype):
    """A state that steps may have led to, with terms of that sign."""
    state = {key: decades(rng, sign.size, dtype) * (1 if key in NONNEGATIVE else sign) for key in rule.state}
    if "grad_avg" in state:  # the square of a mean is no larger than the mean of the squares
        state["square_avg"] = state["grad_avg"] ** 2 * (1 + state["square_avg"])
    if "prev" in state:  # of this only the sign matters
        state["prev"] *= rng.choice([-1, 0, 1], sign.size)
    return np.array([*state.values()], dtype).reshape(-1, sign.size)


def share(error, *sizes):
    """The largest error, as a share of the largest of these sizes of its element."""
    size = np.maximum.reduce(np.abs(sizes))
    return np.max(
        np.divide(np.abs(error), size, out=np.where(error == 0, 0.0, np.inf), where=size > 0), initial=0.0
    )


@both
@every_case
def test_a_step_from_anywhere(name, case, dtype):
    """w, g and their means have one sign, so that no term cancels another.

    The bars are for arithmetic, not for the condition of a sum.
    """
    rng = np.random.default_rng(len(name) + len(case))
    ours = Ours(name, case, dtype, max(STEPS))
    for t in STEPS:
        n = int(rng.integers(40, 60))
        sign = rng.choice([-1, 1], n).astype(dtype)
        w, g = (
            sign * decades(rng, n, dtype),
            sign * decades(rng, n, dtype) * (-1 if case.get("maximize") else 1),
        )
        state = states(rng, ours.rule, sign, dtype)
        if name == "SGD" and t == 1:
            state[:] = 0
        theirs = Torch(name, case, w)
        theirs.put(ours.rule.state, state, t)
        there = theirs.step(g)
        here, after = ours.step(g, w, state, t)

        condition, good = np.ones_like(w), np.full(n, True)
        if "grad_avg" in theirs.state:
            v, a = theirs.state["square_avg"].numpy(), theirs.state["grad_avg"].numpy()
            good = v - a**2 > 1e-3 * v
            condition[good] = (v / (v - a**2))[good]  # by which the difference multiplies the rounding of v
            assert np.array_equal(np.isnan(here), np.isnan(there))
        assert share((here - there)[good], w[good], ((there - w) * condition)[good]) <= BAR[dtype]
        for key, old, new in zip(ours.rule.state, state, after, strict=True):
            if key not in theirs.state:
                assert (key, ours.numbers["momentum"]) == ("momentum_buffer", 0)
                continue
            expected = theirs.state[key].numpy()
            terms = {"momentum_buffer": (expected - old) * condition, "ax": w}.get(key, old)
            bar = STATE_BAR[dtype] * (
                2 if key == "acc_delta" else 1
            )  # the square of a step, so twice its error
            assert share((new - expected)[good], old[good], expected[good], terms[good]) <= bar, (t, key)
    number = from_dtype(ours.dtype)
    assert ours.returned() == {types.Tuple((number, types.UniTuple(number, len(state))))}


@both
@every_case
def test_nan_and_infinity(name, case, dtype):
    """w stays finite where torch's does: each number that a rule reads is NaN or inf in turn."""
    ours, bad = Ours(name, case, dtype, 10), np.array([np.nan, np.inf, -np.inf])
    names = ["g", "w", *ours.rule.state]
    numbers = np.full((len(names), 3 * len(names)), 0.7, dtype)
    for i, key in enumerate(names):
        if key != "momentum_buffer" or case.get("momentum"):  # without, torch has no buffer
            numbers[i, 3 * i : 3 * i + 3] = np.abs(bad) if key in NONNEGATIVE else bad
    g, w, *state = numbers
    for t in 2, 10:
        theirs = Torch(name, case, w)
        theirs.put(ours.rule.state, state, t)
        here, _ = ours.step(g, w, np.array(state, dtype).reshape(-1, w.size), t)
        there = theirs.step(g)
        assert np.array_equal(np.isfinite(here), np.isfinite(there))
        assert not np.any(
            np.isnan(there) & ~np.isnan(here)
        )  # where torch's w is inf ours may be NaN: it does not skip 0 * inf


SCHEDULES = {
    "none": lambda t: {},
    "lr": lambda t: {"factor": 1 / t + 0.1},
    "momentum": lambda t: {
        "momentum": 0.95 - 0.1 * t / t.size,
        "beta1": 0.95 - 0.1 * t / t.size,
        "factor": 1 - 0.9 * t / t.size,
    },
}


@both
@pytest.mark.parametrize("schedule", SCHEDULES)
@every_case
def test_twenty_steps(name, case, schedule, dtype):
    """From torch's start, with gradients of either sign, lr and momentum changing as by OneCycleLR."""
    rng = np.random.default_rng(len(name) + len(case))
    n, steps = 30, 20
    w = rng.choice([-1, 1], n).astype(dtype) * decades(rng, n, dtype)
    schedules = SCHEDULES[schedule](np.arange(1.0, steps + 1))
    ours, theirs = Ours(name, case, dtype, steps, **schedules), Torch(name, case, w)
    here, there, state, lr, size = w, w, ours.start(n), theirs.group["lr"], np.abs(w)
    for t in range(1, steps + 1):
        now = {key: values[t - 1] for key, values in schedules.items()}
        theirs.group["lr"] = lr * now.get("factor", 1)
        if "beta1" in now and "betas" in theirs.group:
            theirs.group["betas"] = now["beta1"], theirs.group["betas"][1]
        if "momentum" in now and (name == "RMSprop" or theirs.group.get("momentum")):
            theirs.group["momentum"] = now["momentum"]
        g = rng.normal(size=n).astype(dtype)
        before, there = there, theirs.step(g)
        here, state = ours.step(g, here, state, t)
        size = np.maximum.reduce([size, np.abs(there), np.abs(there - before)])
    assert here.dtype == dtype
    assert share(here - there, size) <= 4 * BAR[dtype]
