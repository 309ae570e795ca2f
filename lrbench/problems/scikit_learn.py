"""Real data that come with scikit-learn: nothing is downloaded.

Measurements are the original ones (age in years, petals in cm, ...), so that weights and predictions can be
read in these units, as for any table. Of several classes one is told from the rest: y is 1 for it and 0 for
all others.
"""

from typing import Any

import numpy as np

from lrbench.errors import RequestError, did_you_mean
from lrbench.problems.data import Data

COPY = "copied in scikit-learn (BSD-3-Clause)"


def diabetes(intercept: bool = True, standardize: bool = True) -> Data:
    """Return disease progression after a year for n = 442 patients from d = 10 measurements.

    (Efron, Hastie, Johnstone, Tibshirani 2004.) `standardize` gives every column mean 0 and deviation 1;
    scikit-learn's own scaling has columns of length 1 instead, smaller by sqrt(442).
    """
    from sklearn.datasets import load_diabetes

    bunch: Any = load_diabetes(scaled=False)
    note = f"Efron, Hastie, Johnstone and Tibshirani (2004), {COPY}, without a licence of its own."
    return Data(
        X=bunch.data,
        y=bunch.target,
        intercept=intercept,
        features=tuple(bunch.feature_names),
        target="progression",
        standardize=standardize,
        note=note,
    )


def breast_cancer(intercept: bool = True, standardize: bool = True) -> Data:
    """Return whether n = 569 tumours are malignant, y = 1, from d = 30 measurements of cell nuclei.

    (Street, Wolberg, Mangasarian 1993)
    """
    from sklearn.datasets import load_breast_cancer

    note = f"Breast Cancer Wisconsin (Diagnostic), UCI repository (CC BY 4.0), {COPY}."
    return _one_class(load_breast_cancer(), "target", "malignant", intercept, standardize, note)


def digits(digit: int = 0, intercept: bool = True, standardize: bool = True) -> Data:
    """Return whether n = 1797 handwritten digits are the one asked for from d = 64 pixels of 0 to 16.

    (Alpaydin and Kaynak 1998.) Three pixels at the border are 0 in every image, so that three eigenvalues of
    the Hessian are 0.

    Raises:
        RequestError: no such digit.
    """
    from sklearn.datasets import load_digits

    note = f"Optical Recognition of Handwritten Digits, UCI repository (CC BY 4.0), {COPY}."
    return _one_class(load_digits(), "digit", digit, intercept, standardize, note)


def iris(species: int | str = "versicolor", intercept: bool = True, standardize: bool = True) -> Data:
    """Return whether n = 150 irises are of one species, by name or number, from d = 4 sizes (Fisher 1936).

    The sizes are those of sepal and petal, in cm.

    Raises:
        RequestError: no such species.
    """
    from sklearn.datasets import load_iris

    note = f"Iris, UCI repository (CC BY 4.0), {COPY}."
    return _one_class(load_iris(), "species", species, intercept, standardize, note)


def wine(cultivar: int | str = 0, intercept: bool = True, standardize: bool = True) -> Data:
    """Return whether n = 178 wines are of one cultivar, 0 to 2, from d = 13 chemical measurements.

    (Aeberhard, Coomans, de Vel 1992)

    Raises:
        RequestError: no such cultivar.
    """
    from sklearn.datasets import load_wine

    note = f"Wine, UCI repository (CC BY 4.0), {COPY}."
    return _one_class(load_wine(), "cultivar", cultivar, intercept, standardize, note)


def linnerud(target: str = "Weight", intercept: bool = True, standardize: bool = True) -> Data:
    """Return Weight, Waist or Pulse of n = 20 men from d = 3 counts (Tenenhaus 1998).

    The counts are those of chin-ups, sit-ups and jumps.

    Raises:
        RequestError: no such target.
    """
    from sklearn.datasets import load_linnerud

    bunch: Any = load_linnerud()
    if target not in bunch.target_names:
        raise RequestError(
            f"problem.target: there is no '{target}'. {did_you_mean(str(target), bunch.target_names)}"
        )
    y = bunch.target[:, bunch.target_names.index(target)]
    note = f"Linnerud, from Tenenhaus (1998), {COPY}, without a licence of its own."
    return Data(
        X=bunch.data,
        y=y,
        intercept=intercept,
        features=tuple(bunch.feature_names),
        target=target,
        standardize=standardize,
        note=note,
    )


def _one_class(
    bunch: Any, key: str, chosen: int | str, intercept: bool, standardize: bool, note: str
) -> Data:
    """Return y = 1 for the class chosen, by its number or its name, and 0 for the rest."""
    names = [str(name) for name in bunch.target_names]
    numbers = {str(number): number for number in range(len(names))}
    numbers |= {name: number for number, name in enumerate(names)}
    if str(chosen) not in numbers:
        raise RequestError(
            f"problem.{key}: there is no '{chosen}'. {did_you_mean(str(chosen), tuple(numbers))}"
        )
    number = numbers[str(chosen)]
    return Data(
        X=bunch.data,
        y=np.equal(bunch.target, number),
        intercept=intercept,
        features=tuple(map(str, bunch.feature_names)),
        target=names[number],
        standardize=standardize,
        note=note,
    )
