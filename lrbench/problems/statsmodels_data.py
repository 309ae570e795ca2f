"""Classic regressions that come with statsmodels (the extra `data`): nothing is downloaded."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lrbench.errors import RequestError
from lrbench.problems.data import Data
from lrbench.problems.dummies import dummies


def longley(intercept: bool = True, standardize: bool = True) -> Data:
    """Return US employment in n = 16 years from d = 6 economic series, nearly dependent (Longley 1967)."""
    table = _load("longley")
    note = "Longley (1967), from statsmodels, public domain."
    return _data(table.exog, table.endog, "TOTEMP", intercept, standardize, note)


def stackloss(intercept: bool = True, standardize: bool = True) -> Data:
    """Return a plant's loss of ammonia on n = 21 days from d = 3 settings, with outliers (Brownlee 1965)."""
    table = _load("stackloss")
    note = "Brownlee (1965), from statsmodels, public domain."
    return _data(table.exog, table.endog, "STACKLOSS", intercept, standardize, note)


def statecrime(intercept: bool = True, standardize: bool = True) -> Data:
    """Return the murder rate of n = 51 US states in 2009 from d = 4 shares of their people.

    One of them, Washington DC, is far from all others.
    """
    table = _load("statecrime")
    note = "American Statistical Abstracts for 2009, from statsmodels, public domain."
    return _data(table.exog, table.endog, "murder", intercept, standardize, note)


def grunfeld(intercept: bool = True, standardize: bool = True) -> Data:
    """Return the investment of 11 firms over 20 years, n = 220 (Grunfeld 1950).

    The features are value, capital, year and a dummy a firm. d = 13, and 14 without an intercept: beside one,
    the first firm, American Steel, has no dummy.
    """
    table = _load("grunfeld")
    firms, of_firm = dummies("firm", table.exog["firm"], first=not intercept)
    names = ["value", "capital", "year"]
    X = np.column_stack([table.exog[names], of_firm])
    note = "Grunfeld (1950) as restored by Kleiber and Zeileis (2008), from statsmodels, public domain."
    return Data(
        X=X,
        y=np.asarray(table.endog),
        intercept=intercept,
        features=(*names, *firms),
        target="invest",
        standardize=standardize,
        note=note,
    )


def engel(intercept: bool = True, standardize: bool = True) -> Data:
    """Return what n = 235 Belgian households spent on food from their income, d = 1, in francs (Engel 1857).

    The spread grows with the income: the example of quantile regression (Koenker and Bassett 1982).
    """
    table = _load("engel").data
    note = "Engel (1857), from statsmodels, public domain."
    return _data(table[["income"]], table["foodexp"], "foodexp", intercept, standardize, note)


def randhie(intercept: bool = True, standardize: bool = True) -> Data:
    """Return n = 20,190 yearly counts of visits to a doctor from d = 9 facts on insurance and health.

    (Cameron and Trivedi 2005)
    """
    table = _load("randhie")
    note = "RAND Health Insurance Experiment, a part of it from statsmodels, public domain."
    return _data(table.exog, table.endog, "mdvis", intercept, standardize, note)


def fair(intercept: bool = True, standardize: bool = True) -> Data:
    """Return the time that n = 6,366 married women spent on affairs, mostly 0, from 8 answers (Fair 1978)."""
    table = _load("fair")
    note = "Fair (1978), from statsmodels, with permission of the author."
    return _data(table.exog, table.endog, "affairs", intercept, standardize, note)


def star98(intercept: bool = True, standardize: bool = True) -> Data:
    """Return the share of pupils above the national median in mathematics (Gill 2001).

    Of n = 303 Californian districts.

    The d = 20 features are 12 facts on schools and 8 of their products, which makes them nearly dependent.
    """
    table = _load("star98")
    above, below = table.data["NABOVE"], table.data["NBELOW"]
    note = (
        "STAR programme of California 1998, from statsmodels, with permission of Jeff Gill, "
        "who retains all rights."
    )
    return _data(table.exog, above / (above + below), "share_above", intercept, standardize, note)


def _load(name: str) -> Any:
    """Return a data set of statsmodels, whose `data`, `exog` and `endog` are frames."""
    try:
        from statsmodels import datasets
    except ImportError as error:
        raise RequestError(
            f"problem: {name} comes with statsmodels, which cannot be imported ({error}). "
            "Run: pip install 'lrbench[data]'"
        ) from error
    return getattr(datasets, name).load_pandas()


def _data(X: Any, y: ArrayLike, target: str, intercept: bool, standardize: bool, note: str) -> Data:
    return Data(
        X=X.to_numpy(),
        y=np.asarray(y),
        intercept=intercept,
        features=tuple(X.columns),
        target=target,
        standardize=standardize,
        note=note,
    )
