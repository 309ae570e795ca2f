"""Regression problems: a function each that returns `Data`, and `load`, which calls the one that is named.

The functions are what `problem._target_` names. A function of your own works as well: any dotted path to one
that returns `Data`.
"""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from lrbench.errors import RequestError, did_you_mean
from lrbench.problems.data import Data
from lrbench.problems.flights import flights
from lrbench.problems.lecture import lecture
from lrbench.problems.scikit_learn import breast_cancer, diabetes, digits, iris, linnerud, wine
from lrbench.problems.sparse import sparse
from lrbench.problems.statsmodels_data import (
    engel,
    fair,
    grunfeld,
    longley,
    randhie,
    stackloss,
    star98,
    statecrime,
)
from lrbench.problems.synthetic import synthetic
from lrbench.problems.table import csv
from lrbench.problems.wilson import wilson

__all__ = [
    "Data",
    "breast_cancer",
    "csv",
    "diabetes",
    "digits",
    "engel",
    "fair",
    "flights",
    "grunfeld",
    "iris",
    "lecture",
    "linnerud",
    "load",
    "longley",
    "randhie",
    "sparse",
    "stackloss",
    "star98",
    "statecrime",
    "synthetic",
    "wilson",
    "wine",
]


def load(settings: Mapping[str, Any]) -> Data:
    """Return the data of the settings `{"_target_": dotted path, ...}`.

    The rest are the function's arguments (`???` = not given).

    Raises:
        RequestError: no such function, an argument that it does not have or still needs, a value that it
            refuses, or a result that is no `Data`.
    """
    given = {key: value for key, value in settings.items() if value != "???"}
    target = str(given.pop("_target_", ""))
    function, parameters = _resolve(target)
    _check_arguments(target, given, parameters)
    data = function(**given)
    if not isinstance(data, Data):
        raise RequestError(
            f"problem._target_: {target} must return lrbench.problems.Data, "
            f"but returned {type(data).__name__}."
        )
    return data


def _resolve(target: str) -> tuple[Callable[..., Any], list[inspect.Parameter]]:
    module, _, name = target.rpartition(".")
    try:
        # With the colon the module is imported as written: an import that fails inside it is told as such.
        function = pkgutil.resolve_name(f"{module}:{name}")
        return function, list(inspect.signature(function).parameters.values())
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise RequestError(
            f"problem._target_: no function at '{target}' ({error}). "
            "Give the dotted path of one that returns lrbench.problems.Data, "
            "such as lrbench.problems.synthetic."
        ) from error


def _check_arguments(target: str, given: Mapping[str, Any], parameters: list[inspect.Parameter]) -> None:
    names = [
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    for key in given:
        if key not in names and not takes_any:
            raise RequestError(f"problem.{key}: {target} has no setting '{key}'. {did_you_mean(key, names)}")
    for parameter in parameters:
        if parameter.name in names and parameter.default is parameter.empty and parameter.name not in given:
            raise RequestError(
                f"problem.{parameter.name}: {target} needs a value here. "
                f"Give it as problem.{parameter.name}=..."
            )
