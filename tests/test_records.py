"""Rows of the store."""

from time import perf_counter

from lrbench.plan import plan
from lrbench.records import problem_rows
from lrbench.sweeper.request import read


def test_seconds_of_the_solution_are_measured_and_nothing_else_of_a_problem_differs():
    blocks = read(["problem=lecture,synthetic", "loss=mse,huber"], multirun=True).blocks
    begin = perf_counter()
    one = problem_rows(plan(blocks))
    taken = perf_counter() - begin
    seconds = one["solve_seconds"].to_pylist()
    assert len(seconds) == 4
    assert min(seconds) > 0
    assert sum(seconds) < taken
    assert one.drop_columns("solve_seconds").equals(problem_rows(plan(blocks)).drop_columns("solve_seconds"))
