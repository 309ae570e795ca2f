"""`python -m lrbench`, and the command `lrbench`: a process of its own."""

import gc
import sys
from typing import NoReturn


def start() -> NoReturn:
    """Run the command of this process and end with its exit code."""
    # what is imported and composed is kept: looking for garbage in it took a tenth of a small sweep's time
    gc.set_threshold(500_000)
    from lrbench.cli import main

    sys.exit(main())


if __name__ == "__main__":
    start()
