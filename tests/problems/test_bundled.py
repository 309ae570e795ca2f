"""The problems that come with lrbench hold the numbers they promise."""

import numpy as np
import pytest
from scipy.optimize import linprog

from lrbench.errors import RequestError
from lrbench.problems import breast_cancer, diabetes, digits, iris, lecture, linnerud, wine
from lrbench.problems.data import scaled


def test_lecture():
    data = lecture()
    assert (data.X.tolist(), data.y.tolist(), data.intercept, data.scaler) == (
        [[1], [2], [3]],
        [2, 4, 6],
        True,
        None,
    )
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
    with pytest.raises(
        RequestError, match=r"problem\.standardize: must be true or false, but 'yes' was given"
    ):
        diabetes(standardize="yes")


# ---- one class against the rest


def test_breast_cancer():
    data = breast_cancer()
    assert (data.n, data.d, data.target, data.y.sum()) == (569, 30, "malignant", 212)
    assert (data.X[0, :2].tolist(), data.y[0]) == ([17.99, 10.38], 1)
    malignant = data.X[data.y == 1, data.features.index("mean radius")]
    assert malignant.mean() > data.X[:, data.features.index("mean radius")].mean()


@pytest.mark.parametrize(
    ("digit", "count"), list(enumerate([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]))
)
def test_digits(digit, count):
    data = digits(digit=digit)
    assert (data.n, data.d, data.y.sum(), data.target) == (1797, 64, count, str(digit))
    assert np.flatnonzero(np.ptp(data.X, axis=0) == 0).tolist() == [0, 32, 39]


def test_iris():
    for number, name in enumerate(("setosa", "versicolor", "virginica")):
        by_name, by_number = iris(species=name), iris(species=number)
        assert (
            by_name.y.tolist() == by_number.y.tolist() == [float(row // 50 == number) for row in range(150)]
        )
        assert by_number.target == name
    petals = iris(species="setosa")
    assert ((petals.X[:, 2] < 2.5) == petals.y).all()  # setosa can be separated by one feature


def test_wine():
    assert [wine(cultivar=cultivar).y.sum() for cultivar in range(3)] == [59, 71, 48]
    assert wine().X.shape == (178, 13)


def test_linnerud():
    assert [linnerud(target=target).y[0] for target in ("Weight", "Waist", "Pulse")] == [191, 36, 50]
    assert (linnerud().X[0].tolist(), linnerud().features) == ([5, 162, 60], ("Chins", "Situps", "Jumps"))


@pytest.mark.parametrize(
    ("data", "separable"),
    [
        (breast_cancer(), True),
        (digits(digit=0), True),
        (digits(digit=8), False),
        (wine(), True),
        (iris(species=0), True),
        (iris(species=1), False),
    ],
    ids=["breast_cancer", "digits 0", "digits 8", "wine", "setosa", "versicolor"],
)
def test_which_classes_can_be_told_apart_exactly(data, separable):
    signed = (2 * data.y - 1)[:, None] * scaled(data, target=False).design()
    found = linprog(
        np.zeros(data.p), A_ub=-signed, b_ub=-np.ones(data.n), bounds=(None, None)
    )  # is there a w with margins of at least 1?
    assert found.status == (0 if separable else 2)


@pytest.mark.parametrize(
    ("problem", "settings", "message"),
    [
        (
            digits,
            {"digit": 10},
            r"problem\.digit: there is no '10'\. .*There are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\.",
        ),
        (digits, {"digit": True}, r"problem\.digit: there is no 'True'"),
        (
            iris,
            {"species": "virginia"},
            (
                r"problem\.species: there is no 'virginia'\. Did you mean 'virginica'\? There are: 0, "
                r"1, 2, setosa"
            ),
        ),
        (wine, {"cultivar": 3}, r"problem\.cultivar: there is no '3'"),
        (
            linnerud,
            {"target": "weight"},
            (
                r"problem\.target: there is no 'weight'\. Did you mean 'Weight'\? There are: Pulse, "
                r"Waist, Weight"
            ),
        ),
        (linnerud, {"target": 3}, r"problem\.target: there is no '3'"),
        (breast_cancer, {"intercept": 1}, r"problem\.intercept: must be true or false, but 1 was given"),
    ],
)
def test_what_is_not_there(problem, settings, message):
    with pytest.raises(RequestError, match=message):
        problem(**settings)
