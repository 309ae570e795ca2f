import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from lrbench.problems.threads import one_thread


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_every_blas_has_one_thread_meanwhile():
    with threadpool_limits(4):
        before = threads()
        if not before:
            pytest.skip("no BLAS whose threads can be limited")
        with one_thread():
            assert threads() == [1] * len(before)
        assert threads() == before
    assert set(before) == {4}


def test_scipys_blas_is_found_whether_or_not_scipy_was_imported():
    code = "import sys; from lrbench.problems.threads import one_thread; "
    code += "context = one_thread(); assert 'scipy' not in sys.modules; context.__enter__(); "
    code += "sys.exit('scipy.linalg' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
