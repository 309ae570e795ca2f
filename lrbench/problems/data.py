"""The data of a regression problem, in the coordinates that are trained, and the way back to its units."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lrbench.errors import RequestError
from lrbench.problems import checks

# Numbers in a block of rows: what is computed from it stays in the processor's cache and needs no new memory.
BLOCK = 12_500


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
    """n samples of d features and what is to be predicted.

    Weights w (p,) are [weights..., intercept], p = d + intercept. Lists and other number types become
    float64. `test` rows are measured, never trained on. Where `standardize` is true, `scaled` standardizes
    the data once the loss is known: labels and counts keep their units.

    Raises:
        RequestError: shapes that do not fit together, no samples or no features, or values that are not
            finite.
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
        X, y = _finite("X", self.X), _finite("y", self.y)
        features = tuple(self.features)
        if X.ndim != 2 or 0 in X.shape or y.shape != X.shape[:1] or len(features) != X.shape[1]:
            raise RequestError(
                "problem: X (n, d), y (n,) and d features with n, d of at least 1 are needed, "
                f"but X has shape {X.shape}, y has shape {y.shape}, and {len(features)} features are named."
            )
        checks.boolean("intercept", self.intercept)
        checks.boolean("standardize", self.standardize)
        d = X.shape[1]
        test = None if self.test is None else _checked_test(*self.test, d)
        w_true = None if self.w_true is None else _checked_weights(self.w_true, d + self.intercept)
        checked = {"X": X, "y": y, "features": features, "test": test, "w_true": w_true}
        for name, value in checked.items():
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
        """Return A (n, p) = [X, 1], or X where there is no intercept: the model is A w.

        Of these rows, or of others in the same coordinates.
        """
        X = self.X if X is None else X
        return np.column_stack([X, np.ones(len(X))]) if self.intercept else X

    def predict(self, w: np.ndarray, rows: ArrayLike) -> np.ndarray:
        """Return the predictions (k,) of w (p,) for rows (k, d), all in the file's units.

        Weights that diverged predict inf or nan.

        Raises:
            RequestError: rows that are not k lists of d finite numbers.
        """
        x = self._rows(rows)
        scaler = self.scaler
        with np.errstate(all="ignore"):
            if scaler is None:
                return self.design(x) @ w
            z = self.design(scaler.x(x)) @ w
            return scaler.y_mean + scaler.y_scale * z

    def to_units(self, w: np.ndarray) -> np.ndarray:
        """Return w (..., p) as it reads in the file's units.

        What one unit of a feature changes in the target, and the prediction for x = 0.
        """
        scaler = self.scaler
        if scaler is None:
            return w
        with np.errstate(all="ignore"):
            weights = w[..., : self.d] * (scaler.y_scale / scaler.x_scale)
            at_means = (weights @ scaler.x_mean)[..., None]
            intercept = scaler.y_mean + scaler.y_scale * w[..., self.d :] - at_means
        return np.concatenate([weights, intercept], axis=-1) if self.intercept else weights

    def _rows(self, rows: ArrayLike) -> np.ndarray:
        names = ", ".join(self.features)
        example = ", ".join(["1"] * self.d)
        wanted = f"predict: must be rows of {self.d} finite numbers each ({names}), such as [[{example}]]"
        try:
            x = np.asarray(rows, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise RequestError(f"{wanted}, but {rows!r} was given.") from error
        if x.ndim != 2 or x.shape[1] != self.d or not np.isfinite(x).all():
            raise RequestError(f"{wanted}, but {rows!r} was given.")
        return x


def scaled(data: Data, target: bool) -> Data:
    """Return the data as they are trained, standardized where they ask for it.

    So is the target where the loss allows it. Features (and the target) then have standard deviation 1 and,
    only where there is an intercept to take it up, mean 0. A constant column keeps its scale. Test rows are
    scaled as the others are.
    """
    if not data.standardize:
        return data
    scaler = _scaler(data, target)
    test = data.test
    if test is not None:
        X_test, y_test = test
        test = scaler.x(X_test), scaler.y(y_test)
    return replace(
        data,
        X=scaler.x(data.X),
        y=scaler.y(data.y),
        scaler=scaler,
        standardize=False,
        test=test,
        w_true=None,
    )


def _scaler(data: Data, target: bool) -> Scaler:
    x_mean, x_scale = _mean_and_deviation(data.X)
    y_mean, y_scale = np.zeros(1), np.ones(1)
    if target:
        y_mean, y_scale = _mean_and_deviation(data.y[:, None])
    return Scaler(
        x_mean=x_mean * data.intercept,
        x_scale=x_scale,
        y_mean=float(y_mean[0] * data.intercept),
        y_scale=float(y_scale[0]),
    )


def _mean_and_deviation(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (d,), 1 for a constant column.

    Numbers are divided by their size first: squares of 1e200 would overflow. Passes over the rows block by
    block, since whole copies of the data would take longer than the arithmetic.
    """
    lowest, highest = columns.min(axis=0), columns.max(axis=0)
    size = _not_zero(np.maximum(highest, -lowest))
    total = sum((block / size).sum(axis=0) for block in _blocks(columns))
    mean = size * (total / len(columns))
    size = _not_zero(np.maximum(highest - mean, mean - lowest))
    squares = sum((((block - mean) / size) ** 2).sum(axis=0) for block in _blocks(columns))
    deviation = size * np.sqrt(squares / len(columns))
    return mean, _not_zero(deviation)


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, BLOCK // rows.shape[1])
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _not_zero(sizes: np.ndarray) -> np.ndarray:
    """Return sizes (d,) of 0 or more, with 1 for each 0."""
    return np.where(sizes > 0, sizes, 1.0)


def _checked_test(X: Any, y: Any, d: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = _finite("the test rows' X", X), _finite("the test rows' y", y)
    if X.shape[1:] != (d,) or y.shape != X.shape[:1] or not len(y):
        raise RequestError(
            f"problem: test rows X (m, {d}) and y (m,) are needed, "
            f"but X has shape {X.shape}, y has {y.shape}."
        )
    return X, y


def _checked_weights(w_true: Any, p: int) -> np.ndarray:
    w_true = _finite("w_true", w_true)
    if w_true.shape != (p,):
        raise RequestError(
            f"problem: w_true must be ({p},) [weights..., intercept], but has shape {w_true.shape}."
        )
    return w_true


def _finite(name: str, values: Any) -> np.ndarray:
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RequestError(f"problem: {name} must hold numbers ({error}).") from error
    is_finite = np.isfinite(array)
    if not is_finite.all():
        raise RequestError(
            f"problem: {name} must hold finite numbers, "
            f"but {np.count_nonzero(~is_finite)} of them are nan or inf."
        )
    return array
