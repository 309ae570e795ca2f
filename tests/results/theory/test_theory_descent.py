"""Curves against torch.optim.SGD, edges and rates against the iteration's matrix, constants against grids."""

import numpy as np
import pytest
import torch

from lrbench.results.theory import descent

CURVES = {
    "gd": lambda eigenvalues, c, steps, lr, momentum: descent.gradient_descent(eigenvalues, c, steps, lr),
    "heavy_ball": descent.heavy_ball,
    "nesterov": descent.nesterov,
}
EDGES = {
    "gd": lambda L, momentum: descent.edge_gradient_descent(L),
    "heavy_ball": descent.edge_heavy_ball,
    "nesterov": descent.edge_nesterov,
}


def spectrum(p, kappa, seed=0):
    """Return eigenvalues (p,) from 3 to 3 / kappa and an error c (p,)."""
    return 3 * np.geomspace(1, 1 / kappa, p), np.random.default_rng(seed).normal(size=p)


def torch_gaps(method, eigenvalues, c, steps, lr, momentum):
    """Run torch.optim.SGD on 1/2 (w - w*)'H(w - w*), H with random eigenvectors V, the start at w* + V c."""
    rng = np.random.default_rng(9)
    V = np.linalg.qr(rng.normal(size=(len(c), len(c))))[0]
    H, V = torch.tensor(V * eigenvalues @ V.T), torch.tensor(V)
    minimiser = torch.tensor(rng.normal(size=len(c)))
    w = (minimiser + V @ torch.tensor(c)).requires_grad_()
    options = {} if method == "gd" else {"momentum": momentum, "nesterov": method == "nesterov"}
    optimizer = torch.optim.SGD([w], lr=lr, **options)
    gaps = []
    for _ in range(steps + 1):
        error = w.detach() - minimiser
        gaps.append(float((torch.tensor(eigenvalues) * (V.T @ error) ** 2).sum() / 2))
        w.grad = H @ error
        optimizer.step()
    return np.array(gaps)


@pytest.mark.parametrize("method", CURVES)
@pytest.mark.parametrize("kappa", [1, 1e4])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("momentum", [0.5, 0.97])
def test_curves_are_those_of_torch(method, kappa, share, momentum):
    """At shares of the largest stable lr, to 1e-12 of the start's gap.

    Where a run first climbs, here to 80 times that, to 1e-12 of the largest gap.
    """
    eigenvalues, c = spectrum(6, kappa)
    lr = share * EDGES[method](3.0, momentum)
    expected = torch_gaps(method, eigenvalues, c, 500, lr, momentum)
    np.testing.assert_allclose(
        CURVES[method](eigenvalues, c, 500, lr, momentum), expected, rtol=0, atol=1e-12 * expected.max()
    )


@pytest.mark.parametrize("method", CURVES)
def test_where_it_diverges_curves_are_torch_s_and_then_inf(method):
    eigenvalues, c = spectrum(5, 100)
    lr = 2 * EDGES[method](3.0, 0.6)
    gaps = CURVES[method](eigenvalues, c, 1500, lr, 0.6)
    expected = torch_gaps(method, eigenvalues, c, 1500, lr, 0.6)
    finite = expected < 1e290
    np.testing.assert_allclose(gaps[finite], expected[finite], rtol=1e-10)
    assert finite.sum() > 100
    assert gaps[-1] == np.inf
    assert not np.isnan(gaps).any()


@pytest.mark.parametrize("method", CURVES)
def test_directions_that_the_start_lacks_do_not_diverge(method):
    """The steepest direction diverges, but the start has nothing along it; a flat one never has a gap."""
    eigenvalues = np.array([100.0, 1.0, 0.0])
    gaps = CURVES[method](eigenvalues, np.array([0.0, 2.0, 5.0]), 2000, 0.1, 0.5)
    np.testing.assert_allclose(
        gaps, CURVES[method](np.array([1.0]), np.array([2.0]), 2000, 0.1, 0.5), rtol=1e-12
    )
    assert gaps[0] == 2


@pytest.mark.parametrize("method", CURVES)
def test_starts_share_a_call(method):
    eigenvalues, _ = spectrum(4, 50)
    c = np.random.default_rng(1).normal(size=(2, 3, 4))
    together = CURVES[method](eigenvalues, c, 20, 0.3, 0.8)
    assert together.shape == (2, 3, 21)
    for start in np.ndindex(2, 3):
        np.testing.assert_allclose(
            together[start], CURVES[method](eigenvalues, c[start], 20, 0.3, 0.8), rtol=1e-13
        )


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 64, 500, 1023])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.97, 1.0])
def test_the_last_polynomial_by_squaring_is_that_by_steps(steps, momentum):
    """The gap of a single eigenvalue 2 and error 1 is P^2; to 1e-12 of the largest P on the way."""
    s = np.array([1e-8, 1e-4, 0.01, 0.3, 1.0, 1.9, 2.0 + 1.9 * momentum])
    polynomials = descent.final_polynomial(s, np.array(momentum), steps)
    for value, P in zip(s, polynomials, strict=True):
        curve = descent.heavy_ball(np.array([2.0]), np.array([1.0]), steps, value / 2, momentum)
        np.testing.assert_allclose(P**2, curve[-1], rtol=1e-11, atol=1e-12 * curve.max())


def matrix(method, s, momentum):
    """Return the matrix of a step in (w, lr v) for the eigenvalue times lr, s, from torch's own two lines."""
    v = np.array([s, momentum])
    w = np.array([1.0, 0.0]) - (np.array([s, 0.0]) + momentum * v if method == "nesterov" else v)
    return np.array([w, v])


def radius(method, s, momentum):
    return np.abs(np.linalg.eigvals(matrix(method, s, 0.0 if method == "gd" else momentum))).max()


@pytest.mark.parametrize("method", CURVES)
@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9, 0.999])
def test_at_the_edge_the_spectral_radius_passes_1(method, momentum):
    edge = EDGES[method](5.0, momentum)
    assert radius(method, 5 * edge, momentum) == pytest.approx(1, abs=1e-9)
    assert radius(method, 5 * edge * 0.9999, momentum) < 1 < radius(method, 5 * edge * 1.0001, momentum)


@pytest.mark.parametrize("method", ["heavy_ball", "nesterov"])
@pytest.mark.parametrize("momentum", [0.0, 0.4, 0.95])
@pytest.mark.parametrize("lr", [0.001, 0.2, 0.7, 3.0])
def test_the_rate_is_the_largest_spectral_radius(method, momentum, lr):
    eigenvalues = np.array([1.7, 0.4, 0.003, 0.0])
    expected = max(radius(method, lr * value, momentum) for value in eigenvalues[:3])
    assert descent.rate(eigenvalues, lr, momentum, nesterov=method == "nesterov") == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 1e6])
def test_the_constants_have_the_rates_they_name(kappa):
    """To 1e-7: at the best constants two roots meet."""
    eigenvalues = 7 * np.geomspace(1, 1 / kappa, 30)
    ends = 7.0, 7 / kappa
    gd, polyak, lessard = (
        descent.asymptotic_gradient_descent(*ends),
        descent.asymptotic_heavy_ball(*ends),
        descent.asymptotic_nesterov(*ends),
    )
    assert descent.rate(eigenvalues, gd.lr) == pytest.approx(1 - gd.lag, abs=1e-12)
    assert descent.rate(eigenvalues, polyak.lr, polyak.momentum) == pytest.approx(1 - polyak.lag, abs=1e-7)
    assert descent.rate(eigenvalues, lessard.lr, lessard.momentum, nesterov=True) == pytest.approx(
        1 - lessard.lag, abs=1e-7
    )
    assert (gd.momentum, 1 - gd.lag) == (0, pytest.approx((kappa - 1) / (kappa + 1), abs=1e-12))
    assert 1 - polyak.lag == pytest.approx((kappa**0.5 - 1) / (kappa**0.5 + 1), abs=1e-12)


@pytest.mark.parametrize("kappa", [4.0, 50.0])
def test_no_other_constants_have_a_better_rate(kappa):
    eigenvalues = np.geomspace(1, 1 / kappa, 9)
    lrs = np.linspace(0.02, 4, 150)
    assert (
        min(descent.rate(eigenvalues, lr) for lr in lrs)
        >= 1 - descent.asymptotic_gradient_descent(1, 1 / kappa).lag
    )
    for nesterov, best in (
        (False, descent.asymptotic_heavy_ball(1, 1 / kappa)),
        (True, descent.asymptotic_nesterov(1, 1 / kappa)),
    ):
        rates = [
            descent.rate(eigenvalues, lr, momentum, nesterov=nesterov)
            for lr in lrs
            for momentum in np.linspace(0, 0.98, 50)
        ]
        assert 1 - best.lag <= min(rates) <= 1.05 - best.lag
