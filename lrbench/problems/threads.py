"""BLAS on one thread.

With more, the bits of a product depend on how many there are, and a problem is known by the bits of its data:
the same request on a machine with other cores would be another problem. Nothing is lost by it, since each
problem is made and solved once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS to one thread; as a decorator, during the call."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries once: it takes milliseconds, as making and solving a small problem does."""
    from scipy import linalg  # noqa: F401 (its BLAS is another than numpy's, and found only once it is loaded)

    return ThreadpoolController()
