"""Data, the scaler and the way back to the file's units.

The oracle is numpy.linalg.lstsq on the file's own numbers.
"""

from dataclasses import replace

import numpy as np
import pytest

from lrbench.errors import RequestError
from lrbench.problems.data import Data, scaled


def standardized(data):
    return scaled(replace(data, standardize=True), target=True)


@pytest.fixture
def houses(rng):
    X = rng.normal([50.0, 3.0, 1e6], [20.0, 1.0, 1e3], (30, 3))
    return Data(X, X @ [2.0, -1.0, 1e-3] + 5 + rng.normal(size=30), True, ("size", "rooms", "year"), "price")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _lstsq(data):
    return np.linalg.lstsq(data.design(), data.y, rcond=None)[0]


def test_design_and_sizes(houses):
    assert (houses.n, houses.d, houses.p) == (30, 3, 4)
    assert (houses.design()[:, :3] == houses.X).all()
    assert (houses.design()[:, 3] == 1).all()
    without = Data(houses.X, houses.y, False, houses.features, "price")
    assert without.p == 3
    assert without.design() is without.X


def test_standardized_columns(houses):
    data = standardized(houses)
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose([*data.X.std(axis=0), data.y.std()], 1, rtol=1e-12)
    np.testing.assert_allclose(data.scaler.x_mean, houses.X.mean(axis=0))
    np.testing.assert_allclose(
        [*data.scaler.x_scale, data.scaler.y_scale], [*houses.X.std(axis=0), houses.y.std()]
    )


@pytest.mark.parametrize("intercept", [True, False])
def test_the_way_back_to_the_files_units(houses, intercept):
    raw = Data(houses.X, houses.y, intercept, houses.features, houses.target)
    data, rows = standardized(raw), houses.X[:3] + 1
    w_raw, w = _lstsq(raw), _lstsq(data)
    np.testing.assert_allclose(data.to_units(w), w_raw, rtol=1e-8)
    np.testing.assert_allclose(data.to_units(np.stack([w, w])), [w_raw, w_raw], rtol=1e-8)
    for one, weights in ((raw, w_raw), (data, w)):
        np.testing.assert_allclose(one.predict(weights, rows.tolist()), raw.predict(w_raw, rows), rtol=1e-10)
    np.testing.assert_allclose(raw.predict(w_raw, rows), rows @ w_raw[:3] + (w_raw[3] if intercept else 0))
    assert raw.to_units(w_raw) is w_raw


def test_without_an_intercept_nothing_is_centred(houses):
    data = standardized(replace(houses, intercept=False))
    assert (data.scaler.x_mean == 0).all()
    assert data.scaler.y_mean == 0
    np.testing.assert_allclose(data.X, houses.X / houses.X.std(axis=0))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1e200])
def test_a_constant_column_keeps_its_scale(value):
    data = standardized(Data(np.full((3, 1), value), np.arange(3.0), True, ("x",), "y"))
    assert data.scaler.x_scale == [1.0]
    assert data.scaler.x_mean == [value]
    assert (data.X == 0).all()


@pytest.mark.parametrize("size", [1e-200, 1e-12, 1e12, 1e200])
def test_standardizing_any_size(size):
    data = standardized(Data(size * np.array([[1.0], [2.0], [3.0]]), np.arange(3.0), True, ("x",), "y"))
    np.testing.assert_allclose(data.X[:, 0], np.array([-1, 0, 1]) / np.sqrt(2 / 3), rtol=1e-14, atol=1e-15)


def test_diverged_weights_predict_without_a_warning(houses):
    for data in (houses, standardized(houses)):
        assert not np.isfinite(data.predict(np.array([np.inf, -np.inf, np.nan, 1]), [[1, 2, 3]])).any()
        assert not np.isfinite(data.to_units(np.full(4, np.inf))[3])


@pytest.mark.parametrize(
    "rows", [[4], [[1, 2]], [[1, 2, "x"]], [[1, 2, 3], [1]], [[1, 2, None]], 4, None, [[1, 2, np.nan]]]
)
def test_rows_that_do_not_fit(houses, rows):
    with pytest.raises(
        RequestError,
        match=(
            r"predict: must be rows of 3 finite numbers each \(size, rooms, year\), such as \[\[1, 1, "
            r"1\]\], but"
        ),
    ):
        houses.predict(np.zeros(4), rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.ones(3)}, r"X has shape \(3,\)"),
        ({"X": np.ones((3, 0)), "features": ()}, "d of at least 1"),
        ({"X": np.ones((0, 1)), "y": np.ones(0)}, "n, d of at least 1"),
        ({"y": np.ones((3, 1))}, r"y has shape \(3, 1\)"),
        ({"y": np.ones(4)}, r"y has shape \(4,\)"),
        ({"features": ("a", "b")}, "2 features are named"),
        ({"X": [["a"], ["b"], ["c"]]}, "X must hold numbers"),
        ({"y": [1, np.nan, np.inf]}, "y must hold finite numbers, but 2 of them are nan or inf"),
        ({"intercept": "maybe"}, r"problem\.intercept: must be true or false, but 'maybe' was given"),
    ],
)
def test_wrong_data(change, message):
    with pytest.raises(RequestError, match=message):
        Data(
            **{
                "X": np.ones((3, 1)),
                "y": np.ones(3),
                "intercept": True,
                "features": ("x",),
                "target": "y",
                **change,
            }
        )


def test_lists_and_integers_become_float64():
    data = Data([[1], [2]], [True, False], False, ["x"], "y")
    assert (data.X.dtype, data.y.dtype, data.features) == (np.float64, np.float64, ("x",))
