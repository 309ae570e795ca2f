"""The best hyperparameters against closed forms, scipy's minimiser and grids that must not beat them."""

import numpy as np
import pytest
from scipy import optimize

from lrbench.results.theory.descent import asymptotic_heavy_ball, gradient_descent, heavy_ball
from lrbench.results.theory.oracle import best_gradient_descent, best_heavy_ball


def spectrum(p, kappa, seed=0):
    return 5 * np.geomspace(1, 1 / kappa, p), np.random.default_rng(seed).normal(size=p)


def test_after_one_step_it_is_cauchy_s():
    eigenvalues, c = spectrum(6, 1e3)
    g = eigenvalues * c
    assert best_gradient_descent(eigenvalues, c, 1) == pytest.approx(
        g @ g / (g @ (eigenvalues * g)), rel=1e-13
    )


def test_two_eigenvalues_by_hand():
    """The derivative vanishes where |1 - lr b| / |1 - lr a| = (slope_a / slope_b)^(1 / (2T - 1)).

    The slope of an eigenvalue lambda is lambda^2 c^2.
    """
    a, b, T = 5.0, 0.2, 7
    c = np.array([0.3, 2.0])
    q = ((a * c[0]) ** 2 / (b * c[1]) ** 2) ** (1 / (2 * T - 1))
    assert best_gradient_descent(np.array([a, b]), c, T) == pytest.approx((1 + q) / (b + q * a), rel=1e-13)


@pytest.mark.parametrize("kappa", [10, 1e4, 1e8])
@pytest.mark.parametrize("steps", [2, 30, 500, 100_000])
def test_the_best_lr_is_that_of_scipy(kappa, steps):
    """brentq on the derivative in log lr, summed in exponents so that nothing overflows."""
    eigenvalues, c = spectrum(7, kappa, seed=steps)

    def derivative(log_lr):
        factor = 1 - np.exp(log_lr) * eigenvalues
        logs = np.log(eigenvalues**2 * c**2) + (2 * steps - 1) * np.log(np.abs(factor) + 1e-300)
        return float((np.sign(factor) * np.exp(logs - logs.max())).sum())

    expected = np.exp(
        optimize.brentq(derivative, -np.log(eigenvalues[0]), -np.log(eigenvalues[-1]), xtol=1e-14, rtol=1e-14)
    )
    assert best_gradient_descent(eigenvalues, c, steps) == pytest.approx(expected, rel=1e-10)


def test_starts_share_a_call_and_the_flat_and_the_missing_do_not_count():
    eigenvalues = np.array([9.0, 2.0, 0.5, 0.0])
    c = np.array([[[0.0, 1.0, 0.0, 3.0], [1.0, 1.0, 1.0, 1.0]]])
    lr = best_gradient_descent(eigenvalues, c, 20)
    assert lr.shape == (1, 2)
    assert lr[0, 0] == pytest.approx(1 / 2, rel=1e-13)
    assert lr[0, 1] == pytest.approx(best_gradient_descent(eigenvalues[:3], c[0, 1, :3], 20), rel=1e-13)
    assert np.isnan(best_gradient_descent(eigenvalues, np.array([0.0, 0.0, 0.0, 1.0]), 20))


@pytest.mark.parametrize(
    ("p", "kappa", "steps"),
    [(2, 1e4, 10), (3, 100, 10), (5, 1e4, 100), (10, 1e4, 500), (10, 1e6, 100), (30, 1e4, 60)],
)
def test_no_grid_finds_better_heavy_balls(p, kappa, steps):
    """A grid over the box of stability and beyond, and a fine one round what was found; to 1e-6.

    Neither is the code's own.
    """
    eigenvalues, c = spectrum(p, kappa, seed=1)
    lr, momentum = best_heavy_ball(eigenvalues, c, steps)
    best = heavy_ball(eigenvalues, c, steps, lr, momentum)[-1]
    coarse = np.meshgrid(np.linspace(0.01, 4.2, 199) / 5, 1 - np.append(np.geomspace(1, 1e-4, 60), 0))
    fine = np.meshgrid(
        lr * (1 + 0.02 * np.linspace(-1, 1, 41)),
        np.clip(momentum + 0.02 * (1 - momentum) * np.linspace(-1, 1, 41), 0, 1),
    )
    for lrs, momenta in (coarse, fine):
        assert brute_force(eigenvalues, c, steps, lrs, momenta).min() >= best * (1 - 1e-6)


def brute_force(eigenvalues, c, steps, lrs, momenta):
    """Return the gap after the steps of torch's two lines at every point of a grid."""
    s, m = lrs[..., None] * eigenvalues, momenta[..., None]
    w, v = np.broadcast_to(c, s.shape), np.zeros(s.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            v = m * v + s * w
            w = w - v
        gaps = 0.5 * (eigenvalues * w * w).sum(axis=-1)
    return np.where(np.isfinite(gaps), gaps, np.inf)


@pytest.mark.parametrize("steps", [1, 200])
@pytest.mark.parametrize("p", [1, 8])
def test_never_worse_than_gradient_descent_or_polyak(p, steps):
    eigenvalues, c = spectrum(p, 1 if p == 1 else 300)
    eigenvalues, c = np.append(eigenvalues, 0), np.append([c, c[::-1]], np.ones((2, 1)), axis=1)
    lr, momentum = best_heavy_ball(eigenvalues, c, steps)
    polyak = asymptotic_heavy_ball(eigenvalues[0], eigenvalues[-2])
    for start in range(2):
        best = heavy_ball(eigenvalues, c[start], steps, lr[start], momentum[start])[-1]
        plain = gradient_descent(
            eigenvalues, c[start], steps, float(best_gradient_descent(eigenvalues, c[start], steps))
        )[-1]
        known = heavy_ball(eigenvalues, c[start], steps, polyak.lr, polyak.momentum)[-1]
        floor = 1e-30 * heavy_ball(eigenvalues, c[start], 0, 1.0, 0.0)[0]
        assert best <= min(plain, known) * (1 + 1e-9) + floor


def test_two_eigenvalues_are_brought_to_their_minimum_together():
    """Two numbers make P_steps vanish on both eigenvalues: the gap ends at rounding."""
    eigenvalues, c = spectrum(2, 20)
    gaps = heavy_ball(eigenvalues, c, 12, *best_heavy_ball(eigenvalues, c, 12))
    assert gaps[-1] < 1e-25 * gaps[0]
