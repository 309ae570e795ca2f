"""Sparse features occur as often as they should, and what made y is known."""

import numpy as np
import pytest
from scipy.optimize import brentq

from lrbench.errors import RequestError
from lrbench.problems import sparse
from lrbench.problems.sparse import _frequencies


@pytest.mark.parametrize("d", [1, 2, 10, 300])
@pytest.mark.parametrize("density", [1e-3, 0.1, 0.5, 0.9, 1.0])
def test_frequencies(d, density):
    found = _frequencies(d, density * d)
    ranks = np.arange(1, d + 1)
    c = brentq(lambda c: np.minimum(1, c / ranks).sum() - density * d, 0, 2 * d) if density < 1 else d
    np.testing.assert_allclose(found, np.minimum(1, c / ranks), rtol=1e-9)
    assert found.sum() == pytest.approx(density * d)


def test_features_are_present_that_often():
    data = sparse(n=20_000, d=20, sparsity=0.8)
    wanted = _frequencies(20, 4.0)
    deviation = np.sqrt(wanted * (1 - wanted) / 20_000)
    assert (np.abs((data.X != 0).mean(axis=0) - wanted) <= 4 * deviation).all()
    assert np.std(data.X[data.X != 0]) == pytest.approx(1, rel=0.02)
    assert (sparse(n=50, d=5, sparsity=0).X != 0).all()


@pytest.mark.parametrize("intercept", [True, False])
def test_what_made_y(intercept):
    data = sparse(n=50, noise=0, intercept=intercept, test_rows=30)
    np.testing.assert_allclose(data.design() @ data.w_true, data.y, atol=1e-13)
    X_test, y_test = data.test
    np.testing.assert_allclose(X_test @ data.w_true[:100] + data.w_true[100:].sum(), y_test, atol=1e-13)
    assert (sparse(n=50, intercept=intercept).X == data.X).all()


def test_the_noise_has_the_deviation_asked_for():
    data = sparse(n=20_000, d=5, sparsity=0.5, noise=0.3)
    assert np.std(data.y - data.X @ data.w_true) == pytest.approx(0.3, rel=0.02)


def test_test_rows_are_fresh():
    data = sparse(n=400, d=50, test_rows=400)
    both, expected = (
        np.count_nonzero((data.test[0] != 0) & (data.X != 0)),
        400 * (_frequencies(50, 5.0) ** 2).sum(),
    )
    assert both == pytest.approx(expected, rel=0.2)
    errors = [y - X @ data.w_true for X, y in ((data.X, data.y), data.test)]
    assert abs(np.corrcoef(*errors)[0, 1]) < 0.2  # four deviations of 400 rows


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sparsity": 1}, r"problem\.sparsity: must be the share of zeros, below 1, but 1 was given"),
        ({"sparsity": -0.1}, r"problem\.sparsity: must be a finite number of at least 0, but -0\.1"),
        ({"d": 0}, r"problem\.d: must be a whole number of at least 1, but 0"),
        ({"test_rows": 0.5}, r"problem\.test_rows: must be a whole number of at least 0, but 0\.5"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        sparse(**settings)
