"""python -m lrbench"""

import gc
import sys

# what is imported and composed is kept: looking for garbage in it took a tenth of the time of a small sweep
gc.set_threshold(50_000)

from lrbench.cli import main  # noqa: E402

sys.exit(main())
