"""BLAS on one thread.

With more, the bits of a product depend on how many there are, and a problem is known by the bits of its data:
the same request on a machine with other cores would be another problem. Nothing is lost by it, since each
problem is made and solved once.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS to one thread; as a decorator, during the call."""
    with threadpool_limits(1, user_api="blas"):
        yield
