"""Trained runs and their problems as rows of the store; results/README.md documents every column.

arrays.py     Arrow arrays from numpy, without an object for each row
runs.py       a row a run: settings and what it reached; its curve; its weights; how it goes on
problems.py   a row a problem and dtype: size, spectrum, minimiser, scaler
"""

from lrbench.records.problems import problem_rows
from lrbench.records.runs import beyond_rows, curve_rows, path_rows, run_rows, targets

__all__ = ["beyond_rows", "curve_rows", "path_rows", "problem_rows", "run_rows", "targets"]
