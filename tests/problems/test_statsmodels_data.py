"""The classic regressions give the coefficients that are published for them."""

import sys

import numpy as np
import pytest

from lrbench.errors import RequestError
from lrbench.problems import engel, fair, grunfeld, longley, randhie, stackloss, star98, statecrime
from lrbench.problems.data import scaled


def coefficients(data):
    """Return the least-squares weights in the file's units, by way of the standardized data."""
    trained = scaled(data, target=True)
    return trained.to_units(np.linalg.lstsq(trained.design(), trained.y, rcond=None)[0])


def test_longley_has_the_certified_coefficients():
    # NIST Statistical Reference Datasets, certified values
    slopes = [
        15.0618722713733,
        -0.0358191792925910,
        -2.02022980381683,
        -1.03322686717359,
        -0.0511041056535807,
        1829.15146461355,
    ]
    np.testing.assert_allclose(coefficients(longley()), [*slopes, -3482258.63459582], rtol=1e-9)


@pytest.mark.parametrize(
    ("problem", "published"),
    [
        (stackloss, [0.7156, 1.2953, -0.1521, -39.9197]),  # R: lm(stack.loss ~ .)
        (engel, [0.4852, 147.4754]),  # R, quantreg: lm(foodexp ~ income)
        (statecrime, [0.0109, 0.4121, 0.3059, 0.6374, -44.1024]),  # statsmodels' own example
    ],
)
def test_published_coefficients(problem, published):
    np.testing.assert_allclose(coefficients(problem()), published, atol=5.1e-5)


def test_grunfeld_dummies_take_the_mean_of_each_firm():
    from statsmodels.datasets.grunfeld import load_pandas

    data, table = grunfeld(), load_pandas().data
    within = table.drop(columns="firm") - table.drop(columns="firm").groupby(table["firm"]).transform(
        "mean"
    )  # Frisch, Waugh and Lovell
    theirs = np.linalg.lstsq(
        within[["value", "capital", "year"]].to_numpy(), within["invest"].to_numpy(), rcond=None
    )[0]
    np.testing.assert_allclose(coefficients(data)[:3], theirs, rtol=1e-8)
    assert data.features[3:5] == ("firm=Atlantic Refining", "firm=Chrysler")
    np.testing.assert_allclose(coefficients(grunfeld(intercept=False))[:3], theirs, rtol=1e-8)
    assert grunfeld(intercept=False).X[:, 3:].sum(axis=1).tolist() == [1] * 220


def test_statecrimes_far_state():
    data = statecrime(standardize=False)
    assert (data.y.argmax(), data.y.max()) == (8, 24.2)  # Washington DC; the next is 12
    assert np.sort(data.y)[-2] < 13


def test_counts_and_shares():
    visits = randhie().y
    assert (visits == np.round(visits)).all()
    assert (visits.min(), visits.max(), round(visits.mean(), 2)) == (0, 77, 2.86)
    assert np.count_nonzero(fair().y) == 2053  # of 6366, 32 per cent
    share = star98().y
    assert share[0] == 452 / 807
    assert 0 < share.min() < share.max() < 1


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    with pytest.raises(
        RequestError, match=r"problem: longley comes with statsmodels.*Run: pip install 'lrbench\[data\]'"
    ):
        longley()
