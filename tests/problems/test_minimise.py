"""Exact minimisers against exact arithmetic.

Rational numbers where losses are made of pieces, 50 digits where they are exponentials, closed forms.
"""

from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from lrbench.losses import lookup
from lrbench.problems.clipped import Clipped, duality_gap, unique
from lrbench.problems.minimise import _bound, _terms, minimise
from lrbench.problems.newton import step_from
from lrbench.problems.separation import movable

TARGETS = {
    name: f"torch.nn.{name}Loss" for name in ("MSE", "Huber", "SmoothL1", "L1", "BCEWithLogits", "PoissonNLL")
}
TARGETS |= {name: f"lrbench.losses.criteria.{name}Loss" for name in ("LogCosh", "Quantile")}
EXPONENTIALS, PIECES = (
    ("LogCosh", "BCEWithLogits", "PoissonNLL"),
    ("MSE", "Huber", "SmoothL1", "L1", "Quantile"),
)
NORMAL = np.random.default_rng(0).standard_normal


def loss_of(name, **own):
    return lookup({"_target_": TARGETS[name], **own})


def solved(A, y, name, pen=None, **own):
    A, y = np.asarray(A, dtype=float), np.asarray(y, dtype=float)
    return minimise(
        A, y, loss_of(name, **own), np.zeros(A.shape[1]) if pen is None else np.asarray(pen, dtype=float)
    )


def targets(rng, name, z):
    """Return a target that the loss takes, as predictions z would make it, with heavy tails if it is real."""
    if name == "BCEWithLogits":
        return (rng.random(len(z)) < 1 / (1 + np.exp(-z))).astype(float)
    return rng.poisson(np.exp(z)).astype(float) if name == "PoissonNLL" else z + rng.standard_t(2, len(z))


def balance(A, pen, found, c):
    """Return how far c A'tangent + pen w is from 0, each entry relative to what it is the sum of."""
    total = c * A.T @ found.tangent + pen * found.w
    return np.abs(total / (c * np.abs(A).T @ np.abs(found.tangent) + pen * np.abs(found.w) + 1e-300)).max()


# ---- oracles


def solve_exactly(M, b):
    """Return x with M x = b in rational numbers, None where M is singular."""
    rows = [[Fraction(v) for v in row] + [Fraction(v)] for row, v in zip(M, b, strict=True)]
    for i in range(len(rows)):
        pivot = next((k for k in range(i, len(rows)) if rows[k][i]), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [v / rows[i][i] for v in rows[i]]
        rows = [
            row if k == i else [a - row[i] * b for a, b in zip(row, rows[i], strict=True)]
            for k, row in enumerate(rows)
        ]
    return [row[-1] for row in rows]


def exact_pieces(A, y, pen, width, low, high):
    """Return the minimiser of a sum of losses with slopes clip(r / width, low, high) and of the penalty.

    It is found by trying which rows are where. A row is below (slope low), above (high), or between, where r
    = width slope; given that, stationarity is linear.
    """
    A, y, pen = (
        [[Fraction(float(v)) for v in row] for row in A],
        [Fraction(float(v)) for v in y],
        [Fraction(float(v)) for v in pen],
    )
    width, low, high, n, p = Fraction(width), Fraction(low), Fraction(high), len(A), len(pen)
    for sides in product((0, -1, 1), repeat=n):
        between = [i for i in range(n) if not sides[i]]
        slopes = {i: high if sides[i] > 0 else low for i in range(n) if sides[i]}
        M = [[pen[j] * (j == k) for k in range(p)] + [A[i][j] for i in between] for j in range(p)]
        M += [A[i] + [-width * (i == k) for k in between] for i in between]
        x = solve_exactly(
            M, [-sum(s * A[i][j] for i, s in slopes.items()) for j in range(p)] + [y[i] for i in between]
        )
        if x is None:
            continue
        w, inner = x[:p], x[p:]
        r = [sum(a * v for a, v in zip(A[i], w, strict=True)) - y[i] for i in range(n)]
        if all(low <= s <= high for s in inner) and all(
            r[i] * sides[i] >= width * abs(s) for i, s in slopes.items()
        ):
            return w, r
    raise AssertionError("no sides fit")


def precise_newton(A, y, pen, name, start):
    """Return the minimiser of losses and penalty in 50 digits, from a start that is near, and the minimum."""
    value, slope, curvature = {
        "BCEWithLogits": (
            lambda z, t: mpmath.log1p(mpmath.exp(z)) - t * z,
            lambda z, t: 1 / (1 + mpmath.exp(-z)) - t,
            lambda z, t: 1 / (2 + 2 * mpmath.cosh(z)),
        ),
        "PoissonNLL": (
            lambda z, t: mpmath.exp(z) - t * z,
            lambda z, t: mpmath.exp(z) - t,
            lambda z, t: mpmath.exp(z),
        ),
        "LogCosh": (
            lambda z, t: mpmath.log(mpmath.cosh(z - t)),
            lambda z, t: mpmath.tanh(z - t),
            lambda z, t: mpmath.sech(z - t) ** 2,
        ),
    }[name]
    with mpmath.workdps(50):
        A, w, pen, t = (
            mpmath.matrix(A.tolist()),
            mpmath.matrix(start.tolist()),
            mpmath.diag(pen.tolist()),
            [mpmath.mpf(float(v)) for v in y],
        )
        for _ in range(8):
            z = A * w
            g = A.T * mpmath.matrix([slope(a, b) for a, b in zip(z, t, strict=True)]) + pen * w
            w -= mpmath.lu_solve(
                A.T * mpmath.diag([curvature(a, b) for a, b in zip(z, t, strict=True)]) * A + pen, g
            )
        assert mpmath.norm(g) < mpmath.mpf(10) ** -35 * mpmath.norm(A)
        return w, sum(value(a, b) for a, b in zip(A * w, t, strict=True)) + (w.T * pen * w)[0] / 2


# ---- pieces


CLIPS = {
    "Huber": (1.0, -0.75, 0.75),
    "SmoothL1": (0.375, -1, 1),
    "L1": (0.0, -1, 1),
    "Quantile": (0.0, -0.25, 0.75),
}
OWN = {"Huber": {"delta": 0.75}, "SmoothL1": {"beta": 0.375}, "Quantile": {"quantile": 0.25}}


@pytest.mark.parametrize("name", ["Huber", "SmoothL1", "L1", "Quantile"])
@pytest.mark.parametrize("l2", [0.0, 0.25])
@pytest.mark.parametrize("seed", range(3))
def test_pieces_agree_with_rational_numbers(name, l2, seed):
    rng = np.random.default_rng(seed)
    A, y = np.column_stack([rng.standard_normal((5, 1)), np.ones(5)]), 2 * rng.standard_normal(5)
    pen = np.array([l2, 0.0])
    try:
        w, r = exact_pieces(A, y, pen, *CLIPS[name])
    except AssertionError:
        pytest.skip("several minimisers, none of them at a corner of the pieces")
    found = solved(A, y, name, pen, reduction="sum", **OWN.get(name, {}))
    exact = (
        sum(loss_of(name, **OWN.get(name, {})).values(np.array([float(v) for v in r]), np.zeros(5)))
        + 0.5 * l2 * float(w[0]) ** 2
    )
    assert found.infimum == pytest.approx(exact, rel=1e-14)
    assert found.bound <= 1e-15 * exact
    assert balance(A, pen, found, 1.0) < 1e-14
    if found.kind == "unique":
        assert found.w == pytest.approx([float(v) for v in w], rel=1e-13, abs=1e-14)
    if name in ("L1", "Quantile"):
        assert (found.star == y).tolist() == [not v for v in r] or found.kind == "set"


@pytest.mark.parametrize("pen", [0.0, 0.3])
def test_squares_are_least_squares(pen):
    A, y = NORMAL((30, 4)), NORMAL(30)
    found = solved(A, y, "MSE", np.full(4, pen), reduction="sum")
    w = np.linalg.lstsq(np.vstack([A, np.sqrt(pen / 2) * np.eye(4)]), np.append(y, np.zeros(4)))[0]
    assert found.w == pytest.approx(w, rel=1e-12)
    assert found.infimum == pytest.approx(((A @ w - y) ** 2).sum() + 0.5 * pen * w @ w, rel=1e-14)


@pytest.mark.parametrize(("name", "k", "low", "high"), [("L1", None, -1, 1), ("Quantile", 0.3, -0.3, 0.7)])
@pytest.mark.parametrize("seed", range(6))
def test_ties_agree_with_a_linear_programme(name, k, low, high, seed):
    """Whole numbers and rows that repeat: more residuals of 0 than parameters."""
    rng = np.random.default_rng(seed)
    A, y = (
        np.column_stack([rng.integers(-1, 2, (40, 3)), np.ones(40)]).astype(float),
        rng.integers(-2, 3, 40).astype(float),
    )
    found = solved(A, y, name, **({} if k is None else {"quantile": k}))
    cost = np.concatenate([np.zeros(4), np.full(40, high), np.full(40, -low)])
    free, positive = [(None, None)] * 4, [(0, None)] * 80
    programme = optimize.linprog(
        cost, A_eq=np.column_stack([A, -np.eye(40), np.eye(40)]), b_eq=y, bounds=free + positive
    )
    assert found.infimum == pytest.approx(programme.fun / 40, rel=1e-9)
    assert found.bound < 1e-15
    assert balance(A, np.zeros(4), found, 1 / 40) < 1e-13
    assert ((low <= found.tangent) & (found.tangent <= high)).all()


@pytest.mark.parametrize("q", [0.1, 0.5, 0.77])
def test_of_an_intercept_alone_a_quantile_is_that_of_the_target(q):
    y = NORMAL(101)
    found = solved(np.ones((101, 1)), y, "Quantile", quantile=q)
    assert found.w[0] == pytest.approx(np.quantile(y, q, method="inverted_cdf"), rel=1e-15)
    assert found.kind == "unique"
    assert found.star[np.argsort(y)[int(np.ceil(101 * q)) - 1]] == found.w[0]


def test_a_median_between_two_targets_is_one_of_many():
    for name in ("L1", "Huber"):
        found = solved(np.ones((4, 1)), [0, 1, 90, 100], name)
        assert found.kind == "set"
        assert 1 <= found.w[0] <= 90
        assert found.bound < 1e-14
        assert found.infimum == pytest.approx((189 / 4) if name == "L1" else (189 - 2) / 4, rel=1e-15)
    assert solved(np.ones((4, 1)), [0, 1, 2, 100], "Huber").kind == "unique"
    assert (
        solved(np.ones((2, 1)), [0, 2], "Huber").kind == "unique"
    )  # two rows at the end of the square piece pin it from both sides
    assert solved(np.ones((2, 1)), [0, 2.5], "Huber").kind == "set"


def test_a_residual_of_0_holds_on_one_side_only():
    """Slopes at an end let the prediction go on, away from the target.

    Two rows that go opposite ways hold each other.
    """
    ones, zeros = np.full((2, 1), np.sqrt(0.5)), np.zeros(2)
    for y, s, only in (
        ([0, 0], [1, -1], True),
        ([0, 1], [1, -1], False),
        ([0, 1], [0.5, -0.5], True),
        ([-1, 1], [1, -1], False),
    ):
        rows = Clipped(np.array(y, dtype=float), zeros, zeros - 1, zeros + 1)
        assert unique(ones, rows, zeros, np.array(s, dtype=float)) == only


def test_the_duality_gap_is_what_fenchel_and_young_say():
    """f(v) + f*(s) - v s with f*(s) = y s + width s^2 / 2 within the interval."""
    y, v, s = NORMAL(50), 3 * NORMAL(50), np.random.default_rng(1).uniform(-0.75, 0.75, 50)
    for name, (width, low, high) in ((name, CLIPS[name]) for name in ("Huber", "L1")):
        rows = Clipped(y, np.full(50, width), np.full(50, low), np.full(50, high))
        gap = loss_of(name, **OWN.get(name, {})).values(v, y) + y * s + 0.5 * width * s**2 - v * s
        assert duality_gap(rows, v, s) == pytest.approx(gap.sum(), rel=1e-13)


@pytest.mark.parametrize("name", PIECES)
def test_targets_without_noise_are_fitted_exactly(name):
    A, w = NORMAL((50, 5)), np.arange(1.0, 6.0)
    found = solved(A, A @ w, name)
    assert found.w == pytest.approx(w, rel=1e-13)
    assert found.infimum == 0 if name in ("L1", "Quantile") else found.infimum < 1e-28
    assert found.kind == "unique"
    assert found.bound < 1e-14
    assert np.abs(A.T @ found.tangent).max() < 1e-12


def test_outliers_and_a_narrow_huber_take_few_steps():
    A = np.column_stack([NORMAL((400, 5)), np.ones(400)])
    y = A @ np.ones(6) + NORMAL(400)
    y[::9] += 1e9
    found = solved(A, y, "Huber", delta=1e-6)
    assert found.bound < 1e-15 * found.infimum
    assert found.w == pytest.approx(np.ones(6), abs=0.5)
    assert balance(A, np.zeros(6), found, 1 / 400) < 1e-13 * 1e9


# ---- exponentials


@pytest.mark.parametrize("name", EXPONENTIALS)
@pytest.mark.parametrize("l2", [0.0, 0.5])
@pytest.mark.parametrize("scales", [(1.0, 1.0), (1e8, 1e-8)])
def test_exponentials_agree_with_50_digits(name, l2, scales):
    rng = np.random.default_rng(3)
    A, pen = (
        np.column_stack([rng.standard_normal((25, 2)) * scales, np.ones(25)]),
        l2 * np.array([*np.square(scales), 0.0]),
    )
    y = targets(rng, name, A @ ([1, -1, 0.5] / np.append(scales, 1)))
    found = solved(A, y, name, pen, reduction="sum")
    w, minimum = precise_newton(A, y, pen, name, found.w)
    assert max(abs(a - b) / abs(b) for a, b in zip(found.w, w, strict=True)) < 1e-13
    assert abs(found.infimum - minimum) < 1e-14 * (1 + abs(minimum))
    assert found.bound < 1e-28 * (1 + abs(minimum))
    assert found.kind == "unique"
    assert balance(A, pen, found, 1.0) < 1e-13


def test_the_bound_holds_and_is_tight():
    """F in 50 digits at w, less its minimum, is below the bound.

    Away from the minimum the bound of a Newton step is not much more than that.
    """
    rng = np.random.default_rng(1)
    Q, _ = np.linalg.qr(rng.standard_normal((30, 2)))
    for name in EXPONENTIALS:
        y, loss = targets(rng, name, Q @ [1.0, 1.0]), loss_of(name)
        w, minimum = precise_newton(Q, y, np.zeros(2), name, solved(Q, y, name).w)
        for size in (0.2, 1e-3, 1e-7):
            u = np.array([float(v) for v in w]) + size * np.array([0.6, 0.8])
            gap = loss.values(Q @ u, y).sum() - float(minimum) if size > 1e-4 else None
            bound = _bound(Q, y, step_from(Q, u, _terms(y, loss)), loss)
            excess = loss.excesses(
                Q @ u - Q @ [float(v) for v in w],
                Q @ u,
                y,
                Q @ [float(v) for v in w],
                loss.slopes(Q @ [float(v) for v in w], y),
            ).sum()
            assert gap is None or gap == pytest.approx(excess, rel=1e-6)
            assert excess <= bound < 1.5 * excess


def test_of_an_intercept_alone_the_mean_is_fitted():
    ones = np.ones((8, 1))
    assert solved(ones, [1, 1, 1, 0, 0, 0, 0, 0], "BCEWithLogits").w[0] == pytest.approx(
        np.log(3 / 5), rel=1e-14
    )
    assert solved(ones, [1, 0, 4, 0, 9, 0, 0, 1e8], "PoissonNLL").w[0] == pytest.approx(
        np.log((1e8 + 14) / 8), rel=1e-14
    )
    cells = np.repeat(np.eye(2), 4, axis=0)
    counts = np.array([1, 2, 3, 4, 0, 0, 0, 1.0])
    assert solved(cells, counts, "PoissonNLL").w == pytest.approx(np.log([2.5, 0.25]), rel=1e-14)


@pytest.mark.parametrize("name", EXPONENTIALS + PIECES)
def test_a_column_that_stands_twice_shares_its_weight(name):
    rng = np.random.default_rng(2)
    A = np.column_stack([rng.standard_normal(41), np.ones(41)])
    y = targets(rng, name, A @ [0.5, 0.3])
    once, twice = solved(A, y, name), solved(A[:, [0, 0, 1]], y, name)
    assert twice.w == pytest.approx([once.w[0] / 2, once.w[0] / 2, once.w[1]], rel=1e-12)
    assert (once.kind, twice.kind) == ("unique", "affine")
    assert twice.infimum == pytest.approx(once.infimum, rel=1e-14)


def test_more_parameters_than_samples():
    rng = np.random.default_rng(2)
    A = rng.standard_normal((6, 10))
    y = rng.standard_normal(6)
    for name in ("Huber", "L1", "LogCosh"):
        found = solved(A, y, name)
        assert found.w == pytest.approx(np.linalg.pinv(A) @ y, rel=1e-11)
        assert found.infimum < 1e-14
    separable = solved(A, [1, 0, 1, 1, 0, 0], "BCEWithLogits")
    assert np.isinf(separable.star).all()


def test_log_cosh_far_from_its_targets():
    """Between two targets 2000 apart it is flat but for e^-2000.

    The answer is any point there, and the bound knows.
    """
    found = solved(np.ones((2, 1)), [-1000, 1000], "LogCosh")
    assert found.bound < 1e-12 * found.infimum
    assert found.infimum == pytest.approx(1000 - np.log(2), rel=1e-14)
    valley = solved(np.ones((4, 1)), [0, 1, 90, 100], "LogCosh")
    assert valley.bound < 1e-12 * valley.infimum
    assert valley.infimum == pytest.approx(189 / 4 - np.log(2), rel=1e-14)
    far = solved(np.column_stack([NORMAL(200), np.ones(200)]), 1e6 + 1e5 * NORMAL(200), "LogCosh")
    assert far.bound < 1e-12 * far.infimum


# ---- infima that are not attained


def test_separable_labels_have_no_minimiser():
    A, y = np.column_stack([[-2, -1, 1, 2.0], np.ones(4)]), np.array([0, 0, 1, 1.0])
    found = solved(A, y, "BCEWithLogits")
    assert (found.attained, found.kind, found.infimum, found.bound) == (False, "none", 0, 0)
    assert found.star.tolist() == [-np.inf, -np.inf, np.inf, np.inf]
    assert not found.tangent.any()
    assert not found.w.any()
    penalised = solved(A, y, "BCEWithLogits", [1e-3, 0])
    assert penalised.attained
    w, minimum = precise_newton(A, y, np.array([4e-3, 0]), "BCEWithLogits", penalised.w)
    assert penalised.w == pytest.approx([float(v) for v in w], rel=1e-13, abs=1e-15)
    assert abs(4 * penalised.infimum - minimum) < 1e-15


def test_one_overlap_makes_it_attained():
    """By 1e-5 of the spread of x: the minimiser is far away, but it is there."""
    x, y = np.array([-2, -1, 1e-5, -1e-5, 1, 2]), np.array([0, 0, 0, 1, 1, 1.0])
    found = solved(np.column_stack([x, np.ones(6)]), y, "BCEWithLogits")
    assert found.attained
    w, _ = precise_newton(np.column_stack([x, np.ones(6)]), y, np.zeros(2), "BCEWithLogits", found.w)
    assert found.w == pytest.approx([float(v) for v in w], rel=1e-12, abs=1e-14)
    assert not solved(
        np.column_stack([-x, np.ones(6)])[[0, 1, 4, 5]], y[[0, 1, 4, 5]], "BCEWithLogits"
    ).attained


def test_quasi_separable_labels_leave_the_rows_on_the_edge():
    """At x = 0 both labels occur: there the log odds are fitted, all others leave."""
    x, y = np.array([-2, -1, 0, 0, 0, 1, 2.0]), np.array([0, 0, 0, 1, 1, 1, 1.0])
    found = solved(np.column_stack([x, np.ones(7)]), y, "BCEWithLogits")
    assert (found.attained, found.kind) == (False, "none")
    assert found.star == pytest.approx(
        [-np.inf, -np.inf, np.log(2), np.log(2), np.log(2), np.inf, np.inf], rel=1e-14
    )
    assert found.infimum == pytest.approx((3 * np.log(3) - 2 * np.log(2)) / 7, rel=1e-14)
    assert found.bound < 1e-28
    for size in (10, 30, 300):  # F on the way there, from above
        F = loss_of("BCEWithLogits").values(np.column_stack([x, np.ones(7)]) @ [size, np.log(2)], y).mean()
        assert 0 <= F - found.infimum + 1e-16 <= np.exp(-size) + 1e-15


def test_separation_in_stages_is_found_whole():
    """Most margins grow fastest along the first feature alone.

    The rows that it leaves on the edge are separated by the second, against the others.
    """
    A = np.array(
        [[1, -5], [1, -5.1], [1.1, -5], [-1, 5], [-1, 5.1], [-1.1, 5], [0, 1], [0, -1], [0, 0], [0, 0]]
    )
    found = solved(np.column_stack([A, np.ones(10)]), [1, 1, 1, 0, 0, 0, 1, 0, 1, 0], "BCEWithLogits")
    assert np.isinf(found.star).tolist() == [True] * 8 + [False] * 2
    assert found.star[8:] == pytest.approx([0, 0], abs=1e-15)


def test_what_stands_still_at_first_may_move_later():
    """The margins of the first three rows are largest along (1, 0), where the fourth stands still.

    Once they are gone it moves along (0, 1).
    """
    rows = np.array([[1, -5], [1, -5.1], [1.1, -5], [0, 1], [0, 0]]) / 8
    fixed, signs = np.zeros(5, dtype=bool), np.ones(5)
    assert movable(rows, fixed, signs).tolist() == [True] * 4 + [False]
    assert movable(rows, np.arange(5) == 3, signs).tolist() == [True] * 3 + [False] * 2
    assert not movable(np.vstack([rows, -rows]), np.zeros(10, dtype=bool), np.ones(10)).any()


def test_a_single_class_or_no_counts_at_all():
    A = np.column_stack([NORMAL(9), np.ones(9)])
    for name, y, end in (
        ("BCEWithLogits", np.ones(9), np.inf),
        ("BCEWithLogits", np.zeros(9), -np.inf),
        ("PoissonNLL", np.zeros(9), -np.inf),
    ):
        found = solved(A, y, name)
        assert (found.star == end).all()
        assert (found.infimum, found.bound, found.attained) == (0, 0, False)


def test_an_empty_cell_of_counts_leaves_alone():
    cells, y = np.repeat(np.eye(3), 3, axis=0), np.array([1, 2, 6, 0, 0, 0, 4, 0, 0.0])
    found = solved(cells, y, "PoissonNLL")
    assert np.isinf(found.star).tolist() == [False] * 3 + [True] * 3 + [False] * 3
    assert found.w == pytest.approx([np.log(3), 0, np.log(4 / 3)], rel=1e-14)
    assert found.infimum == pytest.approx((9 - 9 * np.log(3) + 4 - 4 * np.log(4 / 3)) / 9, rel=1e-14)
    held = solved(cells, y, "PoissonNLL", [0, 1e-3, 0])
    assert held.attained
    assert 3 * np.exp(held.w[1]) / 9 == pytest.approx(-1e-3 * held.w[1], rel=1e-12)


def test_separation_agrees_with_another_linear_programme():
    """Margins t_i of 0 to 1, as many as possible.

    Whole labels on whole numbers, where many data are separable in part.
    """
    parts = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        A = np.column_stack([rng.integers(0, 2, (12, 4)), np.ones(12)]).astype(float)
        y = (rng.random(12) < 0.4).astype(float)
        signs = np.where(y > 0, 1, -1)[:, None]
        cost, bounds = np.append(np.zeros(5), -np.ones(12)), [(None, None)] * 5 + [(0, 1)] * 12
        programme = optimize.linprog(
            cost, A_ub=np.column_stack([-signs * A, np.eye(12)]), b_ub=np.zeros(12), bounds=bounds
        )
        separated = programme.x[5:] > 0.5
        assert np.isinf(solved(A, y, "BCEWithLogits").star).tolist() == separated.tolist()
        parts += 0 < separated.sum() < 12
    assert parts > 5


# ---- any loss


@pytest.mark.parametrize("name", EXPONENTIALS + PIECES)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), l2=st.sampled_from([0.0, 0.1]), spread=st.sampled_from([0, 6]))
def test_nothing_is_below_and_the_excesses_are_the_gap(name, seed, l2, spread):
    rng = np.random.default_rng(seed)
    scales = np.append(10.0 ** rng.uniform(-spread, spread, 3), 1)
    A, pen = (
        np.column_stack([rng.standard_normal((60, 3)), np.ones(60)]) * scales,
        np.append(l2 * scales[:3] ** 2, 0),
    )
    loss = loss_of(name)
    y = targets(rng, name, 0.5 * A @ (rng.standard_normal(4) / scales))
    found = minimise(A, y, loss, pen)
    constant = optimize.minimize_scalar(lambda b: loss.values(np.full(60, b), y).mean(), bracket=(-1, 1)).fun
    assert found.attained
    assert found.bound <= 1e-12 * (constant - found.infimum)
    assert balance(A, pen, found, 1 / 60) < 1e-12
    for size in (1e-2, 1.0, 10.0):
        w = found.w + size * rng.standard_normal(4) / scales
        gap = loss.values(A @ w, y).mean() + 0.5 * pen @ w**2 - found.infimum
        moved = (
            loss.excesses(A @ (w - found.w), A @ w, y, found.star, found.tangent).mean()
            + 0.5 * pen @ (w - found.w) ** 2
        )
        assert gap > 0
        assert moved == pytest.approx(gap, rel=1e-8)


def test_twice_the_same_is_the_same():
    A = NORMAL((100, 4))
    for name in EXPONENTIALS + PIECES:
        y = targets(np.random.default_rng(0), name, A[:, 0])
        first, second = solved(A, y, name), solved(A, y, name)
        assert (first.w == second.w).all()
        assert first.bound == second.bound
