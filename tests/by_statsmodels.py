"""Holm's adjustment by statsmodels, which every adjusted p of lrbench is held against."""

from unittest.mock import patch

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.stats.multitest import multipletests


def holm(p: ArrayLike) -> list[float]:
    """Return p values adjusted for their family; NaN, where there is no test, stay and count for nothing."""
    adjusted = np.array(p, float)
    tested = ~np.isnan(adjusted)
    if tested.any():
        # it collects garbage at each call, over all that other tests keep: a second for nothing
        with patch("gc.collect"):
            adjusted[tested] = multipletests(adjusted[tested], method="holm")[1]
    return adjusted.tolist()
