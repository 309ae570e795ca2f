"""The expected gap against every sequence of batches there is, simulated runs, and closed forms.

Closed forms settle what Monte Carlo cannot.
"""

from itertools import product

import numpy as np
import pytest

from lrbench.problems.moments import moments
from lrbench.results.theory import stochastic


def problem(n, p, noise=1.0, seed=0):
    """Return A (n, p), residuals (n,) of a least squares fit and a start's error (p,).

    The residuals are skewed, so that third moments count.
    """
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, p)) + rng.exponential(size=(n, 1))
    y = noise * rng.exponential(size=n) ** 2
    return A, y - A @ np.linalg.lstsq(A, y)[0], rng.normal(size=p)


def gap(A, e):
    return np.mean(np.square(A @ e))  # 1/2 e'He with H = 2 A'A / n


def gradient(A, residuals, batch, e):
    """Return the gradient of the mean squared error of some rows at w* + e, written out row by row."""
    return sum(2 * A[i] * (A[i] @ e - residuals[i]) for i in batch) / len(batch)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("lr", [0.03, 0.9])
def test_the_expected_gap_is_the_mean_over_all_batches(batch_size, lr, reduction):
    """n = 3: 3 steps of 1 or 2 rows have 27 or 729 equally likely courses."""
    A, residuals, e = problem(3, 2)
    unit, stretch = (3, batch_size) if reduction == "sum" else (1, 1)
    ends = [e]
    expected = [unit * gap(A, e)]
    for _ in range(3):
        ends = [
            e - lr * stretch * gradient(A, residuals, batch, e)
            for e in ends
            for batch in product(range(3), repeat=batch_size)
        ]
        expected.append(unit * np.mean([gap(A, e) for e in ends]))
    got = stochastic.expected_gaps(moments(A, residuals), e, 3, lr, batch_size, reduction)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_expected_gap_is_the_mean_of_simulated_runs():
    """Within five standard errors of 20 000 runs at every step."""
    A, residuals, e = problem(40, 4, noise=0.5, seed=1)
    rng, runs, steps, lr, b = np.random.default_rng(2), 20_000, 25, 0.02, 3
    errors = np.tile(e, (runs, 1))
    expected = stochastic.expected_gaps(moments(A, residuals), e, steps, lr, b)
    for t in range(1, steps + 1):
        rows = rng.integers(40, size=(runs, b))
        slopes = 2 * (np.einsum("rbp,rp->rb", A[rows], errors) - residuals[rows])
        errors = errors - lr / b * np.einsum("rb,rbp->rp", slopes, A[rows])
        gaps = np.square(errors @ A.T).mean(axis=1)
        assert gaps.mean() == pytest.approx(expected[t], abs=5 * gaps.std() / runs**0.5)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_all_starts_end_on_the_floor(batch_size):
    A, residuals, e = problem(30, 3)
    m = moments(A, residuals)
    lr = 0.8 * stochastic.stable_lr(m, batch_size)
    curves = stochastic.expected_gaps(m, np.stack([e, 0 * e, -3 * e]), 3000, lr, batch_size)
    floor = stochastic.noise_floor(m, lr, batch_size)
    np.testing.assert_allclose(curves[:, -1], floor, rtol=1e-10)
    assert curves[1, 0] == 0


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_the_largest_stable_lr_is_where_the_spectral_radius_passes_1(batch_size):
    """The second moment operator written out as Kronecker products.

    For batches of one it is the mean over samples of (I - lr h) x (I - lr h).
    """
    A, residuals, _ = problem(12, 3)
    m = moments(A, residuals)
    H, identity = 2 * A.T @ A / 12, np.eye(3)
    edge = stochastic.stable_lr(m, batch_size)

    def radius(lr):
        mean = np.kron(identity - lr * H, identity - lr * H)
        samples = [2 * np.outer(x, x) for x in A]
        spread = np.mean([np.kron(h, h) for h in samples], axis=0) - np.kron(H, H)
        return np.abs(np.linalg.eigvals(mean + lr**2 / batch_size * spread)).max()

    assert radius(edge) == pytest.approx(1, abs=1e-12)
    assert radius(0.99 * edge) < 1 < radius(1.01 * edge)
    assert stochastic.noise_floor(m, 1.01 * edge, batch_size) == np.inf
    assert np.isfinite(stochastic.noise_floor(m, 0.99 * edge, batch_size))


def test_one_parameter_by_hand():
    """p = 1: M <- (1 - 2 lr h + lr^2 (h^2 + (F - h^2) / b)) M + lr^2 S / b, so all is a fraction.

    h = E[2 x^2], F = E[4 x^4], S = E[4 r^2 x^2].
    """
    x, b, lr = np.array([1.0, 2.0, -3.0]), 2, 0.05
    y = np.array([1.0, -1.0, 0.5])
    r = y - x * (x @ y) / (x @ x)
    h, F, S = 2 * np.mean(x**2), 4 * np.mean(x**4), 4 * np.mean(r**2 * x**2)
    B = h * h + (F - h * h) / b
    m = moments(x[:, None], r)
    assert stochastic.stable_lr(m, b) == pytest.approx(2 * h / B, rel=1e-14)
    assert stochastic.noise_floor(m, lr, b) == pytest.approx(h / 2 * lr * S / b / (2 * h - lr * B), rel=1e-14)
    assert stochastic.stable_lr(m, b, "sum") == pytest.approx(h / B, rel=1e-14)
    assert stochastic.noise_floor(m, lr / b, b, "sum") == pytest.approx(
        3 * stochastic.noise_floor(m, lr, b), rel=1e-14
    )


def test_large_batches_are_gradient_descent():
    A, residuals, e = problem(20, 4)
    m = moments(A, residuals)
    eigenvalues, V = np.linalg.eigh(2 * A.T @ A / 20)
    lr = 1.5 / eigenvalues[-1]
    descent = 0.5 * (
        eigenvalues * (V.T @ e) ** 2 * (1 - lr * eigenvalues) ** (2 * np.arange(31)[:, None])
    ).sum(axis=1)
    np.testing.assert_allclose(
        stochastic.expected_gaps(m, e, 30, lr, 10**15), descent, rtol=1e-11, atol=1e-12 * descent[0]
    )
    assert stochastic.stable_lr(m, 10**15) == pytest.approx(2 / eigenvalues[-1], rel=1e-12)


def test_without_noise_there_is_no_floor():
    A, residuals, e = problem(30, 3, noise=0)
    m = moments(A, 0 * residuals)
    lr = 0.5 * stochastic.stable_lr(m, 1)
    assert stochastic.noise_floor(m, lr, 1) == 0
    gaps = stochastic.expected_gaps(m, e, 4000, lr, 1)
    assert gaps[-1] < 1e-20 * gaps[0]


def test_beyond_the_edge_the_expected_gap_overflows_quietly():
    A, residuals, e = problem(10, 2)
    gaps = stochastic.expected_gaps(moments(A, residuals), e, 3000, 50.0, 1)
    assert gaps[-1] == np.inf
    assert not np.isnan(gaps).any()


def test_moments_are_flat_numbers_and_means_over_samples():
    """Against sums over samples: <Z, F M> = E[4 (x'M x)(x'Z x)] and the like, for symmetric Z and M."""
    A, residuals, e = problem(7, 3)
    m = moments(A, residuals)
    assert {key: value.shape for key, value in m.items()} == {
        "samples": (1,),
        "curvature": (6,),
        "fourth": (36,),
        "third": (18,),
        "noise": (6,),
    }
    assert all(value.dtype == np.float64 for value in m.values())
    rng = np.random.default_rng(3)
    M, Z = (B + B.T for B in rng.normal(size=(2, 3, 3)))
    m_vec, z_vec = (
        np.concatenate([[B[0, 0], 2**0.5 * B[0, 1], 2**0.5 * B[0, 2], B[1, 1], 2**0.5 * B[1, 2], B[2, 2]]])
        for B in (M, Z)
    )
    xMx, xZx = (np.array([x @ B @ x for x in A]) for B in (M, Z))
    assert m["samples"][0] == 7
    assert z_vec @ m["curvature"] == pytest.approx(np.mean(2 * xZx), rel=1e-13)
    assert z_vec @ m["fourth"].reshape(6, 6) @ m_vec == pytest.approx(np.mean(4 * xMx * xZx), rel=1e-13)
    assert z_vec @ m["third"].reshape(6, 3) @ e == pytest.approx(
        np.mean(8 * residuals * (A @ e) * xZx), rel=1e-12
    )
    assert z_vec @ m["noise"] == pytest.approx(np.mean(4 * residuals**2 * xZx), rel=1e-13)
