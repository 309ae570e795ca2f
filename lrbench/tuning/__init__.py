"""The protocol of a fair comparison: settings are chosen on tuning seeds, with as many trials for all.

What is chosen is reported on other seeds.

    policy.py        what is tuned, and where it may lie
    boxes.py         the policy as conf/tune/ holds it: read, and checked against a sweep
    sampling.py      points of a box, and the settings that they are
    units.py         the range of a learning rate, in units of the problem's where that is asked
    competitors.py   who competes, and what each tries
    choice.py        the best trial; of what is not tuned, the best setting
    zooming.py       where a search goes on: closer around the best, or beyond an end of its range
    evaluation.py    the chosen settings on other seeds, and what each run is for
    protocol.py      all of it in order, a phase at a time

Nothing here trains or stores.
"""

from lrbench.tuning.boxes import check_blocks, evaluation_seeds, read
from lrbench.tuning.choice import best_settings
from lrbench.tuning.policy import Tune
from lrbench.tuning.protocol import Phase, phases

__all__ = ["Phase", "Tune", "best_settings", "check_blocks", "evaluation_seeds", "phases", "read"]
