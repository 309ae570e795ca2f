"""What a process that a test interrupts begins with."""

import signal


def hears_ctrl_c() -> None:
    """Make Ctrl-C end it: what a shell started in the background ignores it, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
