"""What the compiled program is made of, against numpy."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from lrbench.engines import compiled, gaps
from lrbench.engines.arguments import Moved
from lrbench.engines.geometry import Geometry, _extent
from lrbench.engines.products import Matrix
from lrbench.losses import lookup
from lrbench.problems import Data
from lrbench.problems.solve import solve

LANES = 4
ALL_ROWS = SimpleNamespace(of_all_rows=True, batches=lambda real, order: None)  # as Minibatches
MSE = lookup({"_target_": "torch.nn.MSELoss", "reduction": "mean"})


@njit
def measure(quadratic, w, moved, gap, multiply):
    """As the program calls it."""
    gaps.measure(quadratic, w, moved, gap, multiply)


@njit
def exact_gap(quadratic, w, u, lane, lanes):
    """As the program calls it."""
    return gaps.exact_gap(quadratic, w, u, lane, lanes)


def multiplied(A, x):
    """A (m, k) times x (k, lanes), by the kernel."""
    y = np.full(len(A) * x.shape[1], 7.0)
    multiply = compiled.multiply("float64")
    multiply(Matrix(A, *_extent(A)), np.ascontiguousarray(x).ravel(), y, x.shape[1])
    return y.reshape(len(A), -1)


def sparse(rng, m, k):
    """Whole numbers, so that every sum is exact, with zeros at random: anywhere, or in an upper or lower
    triangle.
    """
    A = rng.integers(-9, 10, (m, k)) * (rng.random((m, k)) < rng.choice([0.1, 0.5, 1.0]))
    return np.ascontiguousarray(rng.choice([lambda A: A, np.triu, np.tril])(A), dtype=float)


@pytest.mark.parametrize("m", range(1, 10))
def test_multiply_is_the_product(m):
    rng = np.random.default_rng(m)
    for k in range(1, 10):
        for lanes in (LANES, 3, 1):
            for A in (sparse(rng, m, k), sparse(rng, m, k), np.zeros((m, k))):
                x = rng.integers(-99, 100, (k, lanes)).astype(float)
                assert np.array_equal(multiplied(A, x), A @ x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_multiply_lets_nan_and_infinity_through_and_keeps_them_in_their_lane(bad):
    rng = np.random.default_rng(0)
    for m, k in rng.integers(1, 10, (50, 2)):
        A, x, j = sparse(rng, m, k), rng.normal(size=(k, LANES)), rng.integers(k)
        clean = multiplied(A, x)
        x[j, 1] = bad
        y = multiplied(A, x)
        assert np.array_equal(np.delete(y, 1, axis=1), np.delete(clean, 1, axis=1))
        assert not np.isfinite(y[A[:, j] != 0, 1]).any()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_extents_hold_all_that_is_not_zero_in_four_rows(m, k, seed):
    A = sparse(np.random.default_rng(seed), m, k)
    first, last = _extent(A)
    for i in range(m):
        columns = np.flatnonzero(A[i : i + 4].any(axis=0))
        assert 0 <= first[i] < k
        assert 0 < last[i] <= k
        if len(columns):
            assert (first[i], last[i]) == (columns[0], columns[-1] + 1)
        assert not A[i : i + 4, : first[i]].any()
        assert not A[i : i + 4, last[i] :].any()


def random_problem(n, d, intercept, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.7)
    return solve(
        Data(X, X.sum(axis=1) + rng.normal(size=n), intercept, [f"x{j}" for j in range(d)], "y"), MSE
    )


@pytest.mark.parametrize(
    ("n", "d", "intercept"), [(20, 1, False), (20, 4, True), (20, 13, False), (3, 6, True), (9, 8, True)]
)
def test_measure_and_gradient_are_those_of_the_problem(n, d, intercept):
    problem = random_problem(n, d, intercept)
    geometry = Geometry.of(problem, "float64", ALL_ROWS)
    quadratic = geometry.task.quadratic
    p, rank = problem.data.p, problem.rank
    w = np.random.default_rng(1).normal(size=(p, LANES))
    own_w = w[geometry.order].ravel()
    e, u, g, gap = np.empty(p * LANES), np.empty(rank * LANES), np.empty(p * LANES), np.empty(LANES)
    multiply = compiled.multiply("float64")
    measure(quadratic, own_w, Moved(e, u), gap, multiply)
    multiply(geometry.task.R_T, u, g, LANES)
    one_by_one = [exact_gap(quadratic, own_w, u.copy(), lane, LANES) for lane in range(LANES)]
    assert one_by_one == gap.tolist()
    A = problem.data.design()
    gradient = 2 * MSE.factor(n) * A.T @ (A @ w - problem.data.y[:, None])
    assert geometry.task.exact is None
    bar = 50 * p * np.finfo(float).eps
    assert np.abs(gap / problem.gap(w.T) - 1).max() <= bar
    assert (
        np.abs(g.reshape(p, LANES) - gradient[geometry.order]).max()
        <= bar * problem.L * np.abs(w - problem.w_star[:, None]).max()
    )


@pytest.mark.parametrize(("n", "d", "intercept"), [(20, 4, True), (3, 6, True)])
def test_the_geometry_is_an_ordering_of_the_problem(n, d, intercept):
    problem = random_problem(n, d, intercept)
    for dtype in ("float64", "float32"):
        geometry = Geometry.of(problem, dtype, ALL_ROWS)
        w_star, (R, _, _) = geometry.task.quadratic
        exact = geometry.task.exact
        assert sorted(geometry.order) == list(range(problem.data.p))
        assert np.array_equal(w_star, problem.w_star[geometry.order])
        assert np.array_equal(R, problem.R[:, geometry.order].astype(dtype))
        assert np.array_equal(geometry.task.R_T.A, R.T)
        assert dtype == "float64" or np.array_equal(exact.R.A, problem.R[:, geometry.order])


def test_a_thread_is_stopped_while_it_trains():
    """Three million steps would take a second or more."""
    from lrbench.engines import fused
    from lrbench.plan import plan
    from lrbench.sweeper.request import read

    todo = plan(read(["optimizer=sgd", "steps=3000000"]).blocks)
    ((rule, chunk),) = fused.chunks(todo.groups[0], *todo.problems.values(), 2)
    stop, out = np.zeros(1, np.int64), []
    steps = np.array([0, 3_000_000])
    (problem,) = todo.problems.values()
    short = plan(read(["optimizer=sgd", "steps=1"]).blocks).groups[0]
    fused.train(rule, short, problem, fused.Kept(np.array([0, 1]), [0.1]), stop)  # compiles

    def work():
        out.append(fused.train(rule, chunk, problem, fused.Kept(steps, [0.1]), stop))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.05)
    stop[0] = 1
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert out[0].gap.shape == (1, 2)
