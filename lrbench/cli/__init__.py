"""The command line.

command.py   which verb, or a request; the help of all
verbs.py     report, reproduce, compare, rerun, time and list
usage.py     how each verb is written, its --help, and what a wrong use is told
request.py   anything else: a request in Hydra's grammar
flags.py     what stands in a request beside key=value
progress.py  the bar while it trains

Exit codes: 0 done (a diverged run is a result, not an error); 1 some runs failed, reproduce found a
difference or compare a regression; 2 the request is wrong, nothing was written;
130 interrupted, all finished runs kept.
"""

from lrbench.cli.command import main

__all__ = ["main"]
