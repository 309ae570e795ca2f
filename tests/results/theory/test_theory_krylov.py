"""The floor against sums that cannot cancel, the textbook's method in 300 digits, and under real runs."""

from itertools import combinations

import mpmath
import numpy as np
import pytest
import torch

from lrbench.results.theory.descent import gradient_descent, heavy_ball, nesterov
from lrbench.results.theory.krylov import conjugate_gradients


def least_gaps(eigenvalues, c):
    """Return min over P of degree k with P(0) = 1 of 1/2 sum lambda c^2 P(lambda)^2, k = 0 .. p - 1.

    It is a ratio of Gram determinants. By Cauchy and Binet both determinants are sums over sets of k + 1 or k
    eigenvalues of positive terms: products of weights and of squared differences, with the further eigenvalue
    0 of the condition P(0) = 1 folded in as squares of the eigenvalues below.
    """
    with mpmath.workdps(60):
        lam = [mpmath.mpf(float(value)) for value in eigenvalues]
        weights = [value * mpmath.mpf(float(x)) ** 2 / 2 for value, x in zip(lam, c, strict=True)]

        def determinant(size, power):
            total = mpmath.mpf(0)
            for chosen in combinations(range(len(lam)), size):
                spread = mpmath.fprod((lam[i] - lam[j]) ** 2 for i, j in combinations(chosen, 2))
                total += spread * mpmath.fprod(weights[i] * lam[i] ** power for i in chosen)
            return total

        return np.array([float(determinant(k + 1, 0) / determinant(k, 2)) for k in range(len(lam))])


def least_squares_gaps(eigenvalues, c):
    """Return the same by weighted least squares for the coefficients of P, solved in 120 digits."""
    with mpmath.workdps(120):
        lam = [mpmath.mpf(float(value)) for value in eigenvalues]
        roots = [mpmath.sqrt(value / 2) * mpmath.mpf(float(x)) for value, x in zip(lam, c, strict=True)]
        gaps = [sum(root**2 for root in roots)]
        for k in range(1, len(lam)):
            powers = mpmath.matrix(
                [[root * value ** (j + 1) for j in range(k)] for root, value in zip(roots, lam, strict=True)]
            )
            target = mpmath.matrix(roots)
            left = target - powers * mpmath.lu_solve(powers.T * powers, powers.T * target)
            gaps.append(sum(value**2 for value in left))
        return np.array([float(gap) for gap in gaps])


def spectrum(p, kappa, seed):
    rng = np.random.default_rng(seed)
    return np.sort(np.geomspace(1, 1 / kappa, p) * np.exp(0.2 * rng.normal(size=p)))[::-1], rng.normal(size=p)


@pytest.mark.parametrize("kappa", [1, 10, 1e4, 1e8])
@pytest.mark.parametrize("p", [1, 2, 5, 8])
def test_the_floor_is_the_least_gap_over_polynomials(kappa, p):
    """To 1e-13 of the start's gap, and to 1e-9 of itself where it is not below 1e-6 of that."""
    eigenvalues, c = spectrum(p, kappa, seed=p)
    gaps, expected = conjugate_gradients(eigenvalues, c, p - 1), least_gaps(eigenvalues, c)
    np.testing.assert_allclose(gaps, expected, rtol=0, atol=1e-13 * expected[0])
    large = expected > 1e-6 * expected[0]
    np.testing.assert_allclose(gaps[large], expected[large], rtol=1e-9)


@pytest.mark.parametrize("kappa", [10, 1e8])
def test_the_floor_is_that_of_weighted_least_squares(kappa):
    eigenvalues, c = spectrum(12, kappa, seed=3)
    expected = least_squares_gaps(eigenvalues, c)
    np.testing.assert_allclose(
        conjugate_gradients(eigenvalues, c, 11), expected, rtol=1e-8, atol=1e-15 * expected[0]
    )


def textbook(eigenvalues, c, steps):
    """Return the gaps of conjugate gradients as Hestenes and Stiefel wrote them, in 300 digits.

    With 80 it has lost its way after 50 steps.
    """
    with mpmath.workdps(300):
        lam, e = (mpmath.matrix([float(value) for value in values]) for values in (eigenvalues, c))
        g = hadamard(lam, e)
        d, gaps = -g, [dot(hadamard(lam, e), e) / 2]
        for _ in range(steps):
            squared = dot(g, g)
            e += squared / dot(hadamard(lam, d), d) * d
            g = hadamard(lam, e)
            d = dot(g, g) / squared * d - g
            gaps.append(dot(g, e) / 2)
        return np.array([float(gap) for gap in gaps])


def dot(a, b):
    return mpmath.fsum(x * y for x, y in zip(a, b, strict=True))


def hadamard(a, b):
    return mpmath.matrix([x * y for x, y in zip(a, b, strict=True)])


@pytest.mark.parametrize("kappa", [1e4, 1e12])
def test_many_steps_keep_the_floor(kappa):
    """Where a basis that is orthogonalised once would be 1e-9 off.

    Each gap above 1e-9 of the start's to 1e-9 of itself.
    """
    eigenvalues, c = spectrum(60, kappa, seed=0)
    gaps, expected = conjugate_gradients(eigenvalues, c, 40), textbook(eigenvalues, c, 40)
    np.testing.assert_allclose(gaps, expected, rtol=0, atol=1e-14 * expected[0])
    large = expected > 1e-9 * expected[0]
    np.testing.assert_allclose(gaps[large], expected[large], rtol=1e-9)


def test_with_as_many_steps_as_eigenvalues_the_floor_is_0():
    eigenvalues, c = np.array([4.0, 4.0, 1.0, 1.0, 1.0, 0.0]), np.arange(1.0, 7.0)
    gaps = conjugate_gradients(eigenvalues, c, 9)
    assert gaps.shape == (10,)
    assert gaps[0] == pytest.approx(0.5 * (4 + 16 + 9 + 16 + 25))
    assert gaps[1] > 1e-3 * gaps[0]
    assert (gaps[2:] < 1e-30 * gaps[0]).all()
    assert (np.diff(gaps) <= 0).all()
    assert (conjugate_gradients(eigenvalues, 0 * c, 3) == 0).all()


@pytest.mark.parametrize("kappa", [10, 1e4, 1e8])
def test_no_method_along_gradients_comes_below(kappa):
    eigenvalues, c = spectrum(20, kappa, seed=1)
    L = eigenvalues[0]
    floor = conjugate_gradients(eigenvalues, c, 15) * (1 - 1e-9)
    assert (gradient_descent(eigenvalues, c, 15, 1.9 / L) >= floor).all()
    for momentum in (0.3, 0.9):
        assert (heavy_ball(eigenvalues, c, 15, 1.5 / L, momentum) >= floor).all()
        assert (nesterov(eigenvalues, c, 15, 1 / L, momentum) >= floor).all()


def test_lbfgs_stays_above():
    """torch's LBFGS with line searches: the loss at its k-th evaluation knows k gradients."""
    eigenvalues, c = spectrum(20, 1e4, seed=2)
    lam, w = torch.tensor(eigenvalues.copy()), torch.tensor(c).requires_grad_()
    gaps = []

    def closure():
        loss = (lam * w.detach() ** 2).sum() / 2
        gaps.append(float(loss))
        w.grad = lam * w.detach()
        return loss

    torch.optim.LBFGS(
        [w], max_iter=20, line_search_fn="strong_wolfe", tolerance_change=0, tolerance_grad=0
    ).step(closure)
    floor = conjugate_gradients(eigenvalues, c, len(gaps) - 1)
    assert (np.array(gaps) >= floor * (1 - 1e-9)).all()
    assert gaps[-1] < 0.1 * gaps[0]
