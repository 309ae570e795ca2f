"""The data of a regression problem, in the coordinates that are trained, and the way back to the file's own units."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lrbench.errors import RequestError
from lrbench.problems import checks

BLOCK = 12_500  # numbers in a block of rows: what is computed from it stays in the processor's cache and needs no new memory


@dataclass(frozen=True, eq=False)
class Scaler:
    """How standardized data were made: x = (x_file - x_mean) / x_scale, and so for y."""

    x_mean: np.ndarray  # (d,)
    x_scale: np.ndarray  # (d,) above 0
    y_mean: float
    y_scale: float

    def x(self, rows: np.ndarray) -> np.ndarray:
        x = rows - self.x_mean
        x /= self.x_scale
        return x

    def y(self, values: np.ndarray) -> np.ndarray:
        return (values - self.y_mean) / self.y_scale


@dataclass(frozen=True, eq=False)
class Data:
    """n samples of d features and what is to be predicted. Weights w (p,) are [weights..., intercept], p = d + intercept.

    Lists and other number types become float64. `test` rows are measured, never trained on. Where `standardize` is true, `scaled` standardizes the
    data once the loss is known: labels and counts keep their units.

    Raises:
        RequestError: shapes that do not fit together, no samples or no features, or values that are not finite.
    """

    X: np.ndarray  # (n, d) float64
    y: np.ndarray  # (n,) float64
    intercept: bool
    features: tuple[str, ...]  # d names
    target: str
    scaler: Scaler | None = None  # None: the data are in the file's units
    standardize: bool = False
    w_true: np.ndarray | None = None  # (p,) the weights that made y, where they are known
    test: tuple[np.ndarray, np.ndarray] | None = None  # X (m, d) and y (m,) in the same coordinates
    dropped: int = 0  # rows of the source that are left out, since a value is missing
    note: str = ""  # source and licence

    def __post_init__(self) -> None:
        X, y, features = _finite("X", self.X), _finite("y", self.y), tuple(self.features)
        if X.ndim != 2 or 0 in X.shape or y.shape != X.shape[:1] or len(features) != X.shape[1]:
            raise RequestError(
                "problem: X (n, d), y (n,) and d features with n, d of at least 1 are needed, "
                f"but X has shape {X.shape}, y has shape {y.shape}, and {len(features)} features are named."
            )
        checks.boolean("intercept", self.intercept)
        checks.boolean("standardize", self.standardize)
        test = (
            None
            if self.test is None
            else (_finite("the test rows' X", self.test[0]), _finite("the test rows' y", self.test[1]))
        )
        if test is not None and (
            test[0].shape[1:] != X.shape[1:] or test[1].shape != test[0].shape[:1] or not len(test[1])
        ):
            raise RequestError(
                f"problem: test rows X (m, {X.shape[1]}) and y (m,) are needed, but X has shape {test[0].shape}, y has {test[1].shape}."
            )
        w_true = None if self.w_true is None else _finite("w_true", self.w_true)
        if w_true is not None and w_true.shape != (X.shape[1] + self.intercept,):
            raise RequestError(
                f"problem: w_true must be ({X.shape[1] + self.intercept},) [weights..., intercept], but has shape {w_true.shape}."
            )
        for name, value in (("X", X), ("y", y), ("features", features), ("test", test), ("w_true", w_true)):
            object.__setattr__(self, name, value)

    @property
    def n(self) -> int:
        return self.X.shape[0]

    @property
    def d(self) -> int:
        return self.X.shape[1]

    @property
    def p(self) -> int:
        return self.d + self.intercept

    def design(self, X: np.ndarray | None = None) -> np.ndarray:
        """Return A (n, p) = [X, 1], or X where there is no intercept: the model is A w. Of these rows, or of others in the same coordinates."""
        X = self.X if X is None else X
        return np.column_stack([X, np.ones(len(X))]) if self.intercept else X

    def predict(self, w: np.ndarray, rows: ArrayLike) -> np.ndarray:
        """Return the predictions (k,) of w (p,) for rows (k, d), all in the file's units; weights that diverged predict inf or nan.

        Raises:
            RequestError: rows that are not k lists of d finite numbers.
        """
        x, s = self._rows(rows), self.scaler
        with np.errstate(all="ignore"):
            if s is None:
                return self.design(x) @ w
            return s.y_mean + s.y_scale * (self.design(s.x(x)) @ w)

    def to_units(self, w: np.ndarray) -> np.ndarray:
        """Return w (..., p) as it reads in the file's units: what one unit of a feature changes in the target, and the prediction for x = 0."""
        if self.scaler is None:
            return w
        s = self.scaler
        with np.errstate(all="ignore"):
            weights = w[..., : self.d] * (s.y_scale / s.x_scale)
            intercept = s.y_mean + s.y_scale * w[..., self.d :] - (weights @ s.x_mean)[..., None]
        return np.concatenate([weights, intercept], axis=-1) if self.intercept else weights

    def _rows(self, rows: ArrayLike) -> np.ndarray:
        wanted = f"predict: must be rows of {self.d} finite numbers each ({', '.join(self.features)}), such as [[{', '.join(['1'] * self.d)}]]"
        try:
            x = np.asarray(rows, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise RequestError(f"{wanted}, but {rows!r} was given.") from error
        if x.ndim != 2 or x.shape[1] != self.d or not np.isfinite(x).all():
            raise RequestError(f"{wanted}, but {rows!r} was given.")
        return x


def scaled(data: Data, target: bool) -> Data:
    """Return the data as they are trained: standardized where they ask for it, and the target too where the loss allows it.

    Features (and the target) then have standard deviation 1 and, only where there is an intercept to take it up, mean 0. A constant column keeps its
    scale. Test rows are scaled as the others are.
    """
    if not data.standardize:
        return data
    x_mean, x_scale = _mean_and_deviation(data.X)
    y_mean, y_scale = _mean_and_deviation(data.y[:, None]) if target else (np.zeros(1), np.ones(1))
    scaler = Scaler(x_mean * data.intercept, x_scale, float(y_mean[0] * data.intercept), float(y_scale[0]))
    test = None if data.test is None else (scaler.x(data.test[0]), scaler.y(data.test[1]))
    return replace(
        data, X=scaler.x(data.X), y=scaler.y(data.y), scaler=scaler, standardize=False, test=test, w_true=None
    )


def _mean_and_deviation(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (d,), 1 for a constant column. Divided by their size first: squares of 1e200 would overflow.

    Passes over the rows block by block, since whole copies of the data would take longer than the arithmetic.
    """
    lowest, highest = columns.min(axis=0), columns.max(axis=0)
    size = _not_zero(np.maximum(highest, -lowest))
    mean = size * (sum((block / size).sum(axis=0) for block in _blocks(columns)) / len(columns))
    size = _not_zero(np.maximum(highest - mean, mean - lowest))
    deviation = size * np.sqrt(
        sum((((block - mean) / size) ** 2).sum(axis=0) for block in _blocks(columns)) / len(columns)
    )
    return mean, _not_zero(deviation)


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, BLOCK // rows.shape[1])
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _not_zero(sizes: np.ndarray) -> np.ndarray:
    """Return sizes (d,) of 0 or more, with 1 for each 0."""
    return np.where(sizes > 0, sizes, 1.0)


def _finite(name: str, values: Any) -> np.ndarray:
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RequestError(f"problem: {name} must hold numbers ({error}).") from error
    if not np.isfinite(array).all():
        raise RequestError(
            f"problem: {name} must hold finite numbers, but {np.count_nonzero(~np.isfinite(array))} of them are nan or inf."
        )
    return array
