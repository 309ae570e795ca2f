"""The reference engine against closed forms, exact rational arithmetic and plain torch loops."""

import pkgutil
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

import lrbench
from lrbench.config import CONF
from lrbench.engines.curve import Curve, outcome
from lrbench.engines.outcome import NEVER, Outcome, recorded_steps
from lrbench.engines.reference import train
from lrbench.losses import lookup
from lrbench.problems import lecture, load, synthetic
from lrbench.problems.solve import solve
from lrbench.seeds import batches, evaluations, start

RUN = {
    "steps": 50,
    "batch_size": None,
    "batch_order": "sequential",
    "init": "torch",
    "dtype": "float64",
    "seed": 0,
    "loss._target_": "torch.nn.MSELoss",
    "loss.reduction": "mean",
    "optimizer._target_": "torch.optim.SGD",
    "optimizer.lr": 0.1,
}
LECTURE = solve(lecture(), lookup({"_target_": "torch.nn.MSELoss", "reduction": "sum"}))
SYNTHETIC = solve(
    synthetic(n=30, d=4, kappa=50, noise=0.3, intercept=True),
    lookup({"_target_": "torch.nn.MSELoss", "reduction": "mean"}),
)

NAMES = sorted(
    path.stem for path in (CONF / "optimizer").glob("*.yaml") if path.stem not in ("custom", "muon")
)


def trained(problem=SYNTHETIC, budget=None, **changes) -> Curve:
    run = RUN | changes
    n, how = problem.data.n, (run["batch_size"], run["batch_order"])
    curve = Curve(run["steps"], budget or evaluations(n, *how, run["steps"])[-1])
    train(problem, run, curve)
    return curve


def known(curve: Curve, targets=(0.1,)) -> Outcome:
    return outcome(curve, SYNTHETIC, RUN, "all", targets)


def status(curve: Curve) -> str:
    return known(curve).status(SYNTHETIC, "float64")[0].item()


def optimizer_of(name: str) -> dict:
    return {
        f"optimizer.{key}": value
        for key, value in OmegaConf.to_container(OmegaConf.load(CONF / "optimizer" / f"{name}.yaml")).items()
    }


def test_gradient_descent_is_the_closed_form():
    """w_t = w* + (I - lr H)^t (w_0 - w*)"""
    curve = trained(steps=200, **{"optimizer.lr": 0.3})
    A = SYNTHETIC.data.design()
    H = 2 * A.T @ A / SYNTHETIC.data.n
    error = start("torch", 0, 4, 5) - SYNTHETIC.w_star
    eigenvalues, Q = np.linalg.eigh(H)
    t = np.arange(201)[:, None]
    gap = 0.5 * ((1 - 0.3 * eigenvalues) ** (2 * t) * (Q.T @ error) ** 2) @ eigenvalues
    assert np.abs(curve.gap - gap).max() <= 1e-13 * gap[0]
    w = SYNTHETIC.w_star + Q @ ((1 - 0.3 * eigenvalues) ** 200 * (Q.T @ error))
    assert np.abs(curve.weights - w).max() <= 1e-13 * np.abs(error).max()


def test_the_lecture_by_exact_arithmetic():
    """x = 1, 2, 3, y = 2, 4, 6, summed squares, lr 0.01, from zero."""
    w, b, losses = Fraction(0), Fraction(0), []
    for _ in range(31):
        residuals = [(x, w * x + b - 2 * x) for x in (1, 2, 3)]
        losses.append(sum(r * r for _, r in residuals))
        w, b = (
            w - Fraction(1, 100) * sum(2 * r * x for x, r in residuals),
            b - Fraction(1, 100) * sum(2 * r for _, r in residuals),
        )
    curve = trained(LECTURE, steps=30, init="zeros", **{"optimizer.lr": 0.01, "loss.reduction": "sum"})
    exact = np.array([float(loss) for loss in losses])
    assert np.abs(curve.loss - exact).max() <= 1e-14 * exact[0]
    assert np.abs(curve.gap - exact).max() <= 1e-14 * exact[0]


def test_one_sample_at_a_time_by_exact_arithmetic():
    w, b = Fraction(0), Fraction(0)
    for step in range(9):
        x = (1, 2, 3)[step % 3]
        r = w * x + b - 2 * x
        w, b = w - Fraction(1, 100) * 2 * r * x, b - Fraction(1, 100) * 2 * r
    curve = trained(
        LECTURE, steps=9, init="zeros", batch_size=1, **{"optimizer.lr": 0.01, "loss.reduction": "sum"}
    )
    assert curve.weights == pytest.approx([float(w), float(b)], rel=1e-14)
    assert curve.evaluations.tolist() == [t / 3 for t in range(10)]


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_as_in_a_plain_torch_loop(name, batch_size):
    """Bit for bit, losses and weights."""
    settings = optimizer_of(name)
    no_end = 1e9  # of LBFGS, whose steps take several evaluations
    curve = trained(steps=40, budget=no_end, batch_size=batch_size, batch_order="shuffled", **settings)

    X, y = torch.tensor(SYNTHETIC.data.X), torch.tensor(SYNTHETIC.data.y)[:, None]
    layer = torch.nn.Linear(4, 1, dtype=torch.float64)
    w = torch.tensor(start("torch", 0, 4, 5))
    layer.weight.data, layer.bias.data = w[None, :4].clone(), w[4:].clone()
    cls = pkgutil.resolve_name(settings["optimizer._target_"])
    optimizer = cls(
        layer.parameters(),
        **{key[10:]: value for key, value in settings.items() if key != "optimizer._target_"},
    )
    mse, losses = torch.nn.MSELoss(), []
    for rows in batches(30, batch_size, "shuffled", 0, 40):

        def closure(rows=rows):
            optimizer.zero_grad()
            loss = mse(layer(X[rows]), y[rows])
            loss.backward()
            return loss

        losses.append(mse(layer(X), y).item())
        optimizer.step(closure)
    losses.append(mse(layer(X), y).item())
    assert curve.loss.tolist() == losses
    assert curve.weights.tolist() == [*layer.weight.detach().ravel().tolist(), layer.bias.item()]


def test_lbfgs_counts_the_gradients_of_its_closure(monkeypatch):
    calls = 0
    backward = torch.Tensor.backward

    def counting(self, *arguments, **options):
        nonlocal calls
        calls += 1
        return backward(self, *arguments, **options)

    monkeypatch.setattr(torch.Tensor, "backward", counting)
    curve = trained(steps=3, batch_size=15, budget=100, **optimizer_of("lbfgs"))
    assert curve.evaluations[-1] == calls / 2
    assert calls > 3


def test_the_loss_is_measured_in_the_evaluation_mode_of_a_schedule_free_optimizer():
    """Its averaged iterate x, not the point y where it takes gradients (Defazio et al. 2024)."""
    import schedulefree

    settings = {"optimizer._target_": "schedulefree.SGDScheduleFree", "optimizer.lr": 0.3}
    curve = trained(steps=20, **settings)
    X, y = torch.tensor(SYNTHETIC.data.X), torch.tensor(SYNTHETIC.data.y)[:, None]
    layer = torch.nn.Linear(4, 1, dtype=torch.float64)
    w = torch.tensor(start("torch", 0, 4, 5))
    layer.weight.data, layer.bias.data = w[None, :4].clone(), w[4:].clone()
    optimizer = schedulefree.SGDScheduleFree(layer.parameters(), lr=0.3)
    optimizer.train()
    for _ in range(20):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(layer(X), y).backward()
        optimizer.step()
    in_training = torch.nn.functional.mse_loss(layer(X), y).item()
    optimizer.eval()
    assert curve.loss[-1] == pytest.approx(torch.nn.functional.mse_loss(layer(X), y).item(), rel=1e-9)
    assert abs(curve.loss[-1] / in_training - 1) > 1e-6


def test_float32_trains_in_float32_and_measures_its_gap_in_float64():
    curve = trained(dtype="float32", steps=2000, **{"optimizer.lr": 0.4})
    assert curve.weights.tolist() == curve.weights.astype(np.float32).tolist()
    assert 0 < curve.gap[-1] < SYNTHETIC.gap_floor("float32")


def test_a_run_that_explodes_stops_and_is_inf_from_there():
    curve = trained(steps=3000, **{"optimizer.lr": 10.0})
    bad = known(curve).first_bad.item()
    assert np.isfinite(curve.loss[:bad]).all()
    assert np.isinf(curve.loss[bad:]).all()
    assert np.isinf(curve.gap[bad:]).all()
    word, reason = known(curve).status(SYNTHETIC, "float64")
    assert (word.item(), reason.item()) == ("diverged", f"loss or weights not finite at step {bad}")


def test_a_run_that_only_climbs_is_diverged_too():
    curve = trained(steps=20, **{"optimizer.lr": 1.2})
    assert known(curve).first_bad == NEVER
    assert curve.gap[-1] > curve.gap[0]
    assert status(curve) == "diverged"


def test_heavy_ball_may_climb_before_it_converges():
    momentum = 0.98
    # -sqrt(momentum) is a double root for the largest eigenvalue: t sqrt(momentum)^t climbs first.
    lr = (1 + momentum**0.5) ** 2 / SYNTHETIC.L
    curve = trained(steps=4000, **{"optimizer.lr": lr, "optimizer.momentum": momentum})
    assert curve.gap.max() > 10 * curve.gap[0]
    assert status(curve) == "completed"


def test_first_hits_are_relative_to_the_constant_model():
    curve = trained(steps=500, **{"optimizer.lr": 0.9})
    y = SYNTHETIC.data.y
    scale = ((y - y.mean()) ** 2).mean() - SYNTHETIC.loss_star
    targets = (1e-1, 1e-4, 1e-300)
    hits = known(curve, targets).hits[0]
    for target, hit in zip(targets[:2], hits, strict=False):
        assert curve.gap[hit] <= target * scale < curve.gap[hit - 1]
    assert hits[2] == NEVER


def test_no_global_generator_is_touched():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state().clone(), np.random.get_state()[1].copy()
    trained(steps=3, batch_size=7, batch_order="shuffled")
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


class Counting(torch.optim.SGD):
    """Note on how many threads torch works in each step."""

    threads: list[int] = []

    def step(self, closure=None):
        self.threads.append(torch.get_num_threads())
        return super().step(closure)


def test_torch_works_on_one_thread_meanwhile(tmp_path):
    """Sums over rows come out the same on every machine only if one thread makes them."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        optimizer = [f"optimizer._target_={__name__}.Counting", "+optimizer.lr=0.01"]
        lrbench.sweep("optimizer=custom", *optimizer, "steps=2", "report=false", f"results_dir={tmp_path}")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert Counting.threads == [1, 1]


@given(steps=st.integers(1, 5000), record=st.integers(2, 200))
@settings(max_examples=100, deadline=None)
def test_recorded_steps(steps, record):
    kept = recorded_steps(steps, record)
    assert kept[0] == 0
    assert kept[-1] == steps
    assert len(kept) <= record
    assert (np.diff(kept) > 0).all()


def test_all_steps_are_recorded_when_asked():
    assert recorded_steps(500, "all").tolist() == list(range(501))


def test_problems_load_by_settings():
    assert load({"_target_": "lrbench.problems.lecture"}).y.tolist() == [2, 4, 6]
