"""The protocol of a fair comparison: each optimizer's settings are chosen on tuning seeds, with as many trials for all, and reported on others.

    boxes.py      what is tuned and where: the policy of conf/tune/, read and checked
    sampling.py   points of a box
    protocol.py   trials, choice, growth of a box, evaluation: which runs a tuned sweep is made of

Nothing here trains or stores.
"""

from lrbench.tuning.boxes import Tune, check_blocks, evaluation_seeds, read
from lrbench.tuning.protocol import Phase, phases

__all__ = ["Phase", "Tune", "check_blocks", "evaluation_seeds", "phases", "read"]
