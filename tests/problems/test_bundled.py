"""The problems that come with lrbench hold the numbers they promise."""

import numpy as np
import pytest

from lrbench.errors import RequestError
from lrbench.problems import diabetes, lecture
from lrbench.problems.data import scaled


def test_lecture():
    data = lecture()
    assert (data.X.tolist(), data.y.tolist(), data.intercept, data.scaler) == ([[1], [2], [3]], [2, 4, 6], True, None)
    assert data.predict(np.array([2.0, 0.0]), [[4]]).tolist() == [8]
    assert lecture(intercept=False).p == 1


def test_diabetes_in_its_own_units():
    data = diabetes(standardize=False)
    assert (data.n, data.d, data.scaler, data.target) == (442, 10, None, "progression")
    assert data.features[:4] == ("age", "sex", "bmi", "bp")
    assert data.X[0, :4].tolist() == [59, 2, 32.1, 101]
    assert data.y[0] == 151


def test_diabetes_standardized_is_scikit_learns_scaling_but_for_a_factor():
    from sklearn.datasets import load_diabetes

    theirs = load_diabetes(return_X_y=True)[0]
    np.testing.assert_allclose(scaled(diabetes(), target=True).X / np.sqrt(442), theirs, atol=1e-12)


def test_diabetes_predicts_in_the_files_units():
    from sklearn.linear_model import LinearRegression

    raw, data = diabetes(standardize=False), scaled(diabetes(), target=True)
    theirs = LinearRegression().fit(raw.X, raw.y)
    w = np.linalg.lstsq(data.design(), data.y, rcond=None)[0]
    np.testing.assert_allclose(data.predict(w, raw.X[:5]), theirs.predict(raw.X[:5]))
    np.testing.assert_allclose(data.to_units(w), [*theirs.coef_, theirs.intercept_])


def test_wrong_settings():
    with pytest.raises(RequestError, match=r"problem\.standardize: must be true or false, but 'yes' was given"):
        diabetes(standardize="yes")
