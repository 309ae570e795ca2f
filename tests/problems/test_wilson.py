"""What Wilson et al. prove about their design, by the pseudo-inverse and by plain loops of the methods."""

import numpy as np
import pytest

from lrbench.errors import RequestError
from lrbench.problems import wilson


@pytest.fixture(
    params=[
        {},
        {"n": 7, "positive": 0.55, "test_rows": 9},
        {"n": 101, "positive": 0.8, "test_rows": 5},
        {"seed": 3},
    ]
)
def data(request):
    return wilson(**request.param)


def test_the_rows_are_the_papers(data):
    X_test, y_test = data.test
    X, y = np.concatenate([data.X, X_test]), np.concatenate([data.y, y_test])
    assert (X[:, 0] == y).all()
    assert (X[:, 1:3] == 1).all()
    assert set(np.unique(X[:, 3:])) == {0, 1}
    assert X[:, 3:].sum(axis=0).tolist() == [1] * (data.d - 3)  # each of its own features has one row
    assert X[:, 3:].sum(axis=1).tolist() == [1 if label == 1 else 5 for label in y]
    assert not data.intercept


def test_the_solution_of_least_norm_tells_new_rows_apart(data):
    X_test, y_test = data.test
    w = np.linalg.pinv(data.X) @ data.y
    np.testing.assert_allclose(data.X @ w, data.y, atol=1e-12)
    assert (np.sign(X_test @ w) == y_test).all()


def test_the_signs_fit_as_well_and_call_every_new_row_positive(data):
    X_test, y_test = data.test
    signs = np.sign(data.X.T @ data.y)
    np.testing.assert_array_equal(data.X @ signs, 4 * data.y)
    assert (X_test @ signs > 0).all()
    assert set(y_test) == {-1, 1}


def test_adagrad_from_zero_finds_the_signs_and_gradient_descent_does_not():
    data = wilson()
    X_test, y_test = data.test
    descent, adagrad, squares = np.zeros(data.d), np.zeros(data.d), np.zeros(data.d)
    for _ in range(3000):
        descent -= 0.2 * 2 / data.n * data.X.T @ (data.X @ descent - data.y)
        gradient = 2 / data.n * data.X.T @ (data.X @ adagrad - data.y)
        squares += gradient**2
        adagrad -= 0.1 * gradient / (np.sqrt(squares) + 1e-10)
    np.testing.assert_allclose(adagrad, np.sign(data.X.T @ data.y) / 4, atol=1e-6)
    assert (X_test @ adagrad > 0).all()
    assert (np.sign(X_test @ descent) == y_test).all()


def test_a_seed_fixes_the_order_alone():
    assert sorted(wilson(seed=1).y) == sorted(wilson(seed=2).y)
    assert (wilson(seed=1).y != wilson(seed=2).y).any()
    assert (wilson().y != wilson().test[1]).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"positive": 0.5},
            (
                r"problem\.positive: must make more than half of problem\.n=20 labels positive, but not "
                r"all, and 0\.5 makes 10 so"
            ),
        ),
        ({"positive": 1}, r"problem\.positive: .* and 1 makes 20 so"),
        ({"n": 1}, r"problem\.positive: .*problem\.n=1 labels"),
        ({"test_rows": 0}, r"problem\.test_rows: must be a whole number of at least 1, but 0"),
        ({"intercept": True}, r"problem\.intercept: must be false, since the design has two columns of ones"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        wilson(**settings)
