from scipy import linalg  # noqa: F401 (its BLAS is to be kept to one thread too)
from threadpoolctl import threadpool_info, threadpool_limits

from lrbench.problems.threads import one_thread


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_every_blas_has_one_thread_meanwhile():
    with threadpool_limits(4):
        before = threads()
        with one_thread():
            assert threads() == [1] * len(before)
        assert threads() == before
    assert set(before) == {4}
