"""Who waits is told how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # the phase's name, runs done, runs planned


def no_progress(phase: str, done: int, planned: int) -> None:
    """Tell nobody."""
