"""Where work is done, by the interface of concurrent.futures.

    local       threads of this process: for what lets go of the interpreter's lock, as compiled code does
    processes   processes of their own (loky): for what holds it, as torch's own loops do

Given tasks, it gives what they return, as they are done.
"""

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from lrbench.errors import RequestError

# Of workers without work: between two phases of a tuned sweep they stay, and they are gone before somebody
# has changed a module of theirs.
IDLE_SECONDS = 5


class Task(NamedTuple):
    """What a worker does.

    Attributes:
        name: told to people.
        subject: what it is about, for whoever takes its result; workers do not see it.
    """

    name: str
    act: Callable[..., Any]
    arguments: tuple
    subject: Any = None


Done = tuple[Task, Any]  # with what it returned
UnderWay = dict[Future[Any], Task]


def processors() -> int:
    """Return how many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def as_done(executor: str, next_task: Callable[[], Task | None], most: int) -> Generator[Done, None, None]:
    """Do tasks, and yield each with what it returned: threads in their order, processes as they are done.

    Args:
        executor: "local" or "processes".
        next_task: asked for one whenever there is room, None where there is none; more may come once what
            another returned was taken.
        most: how many are under way or wait at once.

    Raises:
        RequestError: a worker process died.
        Exception: what a task raised.
    """
    under_way: UnderWay = {}
    begin, next_of = _EXECUTORS[executor]
    with begin() as pool:
        try:
            while True:
                while len(under_way) < most and (task := next_task()):
                    under_way[pool.submit(task.act, *task.arguments)] = task
                if not under_way:
                    return
                yield from next_of(under_way)
        except KeyboardInterrupt:
            yield from _finished(under_way)
            raise
        except BrokenExecutor as error:
            yield from _finished(under_way)
            raise _died(under_way) from error


# a result leaves what is under way only when it is taken: an interruption does not lose it


def _oldest(under_way: UnderWay) -> Iterator[Done]:
    """Wait for the task that was begun first."""
    future, task = next(iter(under_way.items()))
    yield task, future.result()
    del under_way[future]


def _first_done(under_way: UnderWay) -> Iterator[Done]:
    """Wait for whatever is done: one long run does not hold up what others hand in."""
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        yield under_way[future], future.result()
        del under_way[future]


def _finished(under_way: UnderWay) -> Iterator[Done]:
    for future in list(under_way):
        if future.done() and not future.cancelled() and not future.exception():
            yield under_way[future], future.result()
            del under_way[future]


def _died(under_way: UnderWay) -> RequestError:
    names = " or ".join(sorted({task.name for task in under_way.values()}))
    reason = "it crashed, ended itself, or was ended by the system, for want of memory perhaps"
    advice = (
        "What was done before is stored; the same request with executor=local trains the rest in one process."
    )
    return RequestError(f"executor: a worker process died under runs of {names}: {reason}. {advice}")


# ---- the executors


@contextmanager
def _threads() -> Iterator[Executor]:
    pool = ThreadPoolExecutor(processors())
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _processes() -> Iterator[Executor]:
    from loky import get_reusable_executor  # not before somebody needs processes

    # an empty entry stands for the folder that this process is in now, not for the one that it began in
    paths = [path or os.getcwd() for path in sys.path]
    pool = get_reusable_executor(
        processors(), timeout=IDLE_SECONDS, initializer=_begin_worker, initargs=(paths,)
    )
    try:
        yield pool
    except BaseException:  # given up, interrupted or broken: what is under way is worth nothing
        pool.shutdown(kill_workers=True)
        raise


class _Kind(NamedTuple):
    begin: Callable[[], AbstractContextManager[Executor]]
    next_of: Callable[[UnderWay], Iterator[Done]]


_EXECUTORS = {"local": _Kind(_threads, _oldest), "processes": _Kind(_processes, _first_done)}


def _begin_worker(paths: list[str]) -> None:
    sys.path[:] = paths
    # a terminal sends Ctrl-C to all processes: the one that asked for the work ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
