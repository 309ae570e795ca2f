"""What both figures over the learning rate share: their frame, what of it is marked, and what it shows."""

import numpy as np
import pandas as pd

from lrbench.results.figures.captions import with_lowest
from lrbench.results.figures.layout import rows_or_error
from lrbench.results.notation import number, setting_value
from lrbench.results.tables.settings import lost_count
from lrbench.results.tables.sweep import Sweep


def rates_or_error(sweep: Sweep) -> pd.DataFrame:
    """Return `Sweep.rates`.

    Raises:
        RequestError: there are none.
    """
    advice = "no optimizer ran at two learning rates. Sweep some, such as optimizer.lr=0.001,0.01,0.1."
    return rows_or_error(sweep, sweep.rates, advice)


def loses_runs(rates: pd.DataFrame) -> pd.Series:
    """Say of each setting whether it lost runs."""
    return lost_count(rates) > 0


def is_scattered(sweep: Sweep) -> pd.Series:
    """Return of each optimizer whether its learning rates are not steps of one curve."""
    return sweep.rates.groupby("optimizer")["scattered"].any()


def any_mean(sweep: Sweep) -> bool:
    """Say whether an optimizer has a setting that completed all its seeds."""
    return bool(np.isfinite(sweep.rates["gap"]).any())


def at_an_edge(settings: pd.DataFrame) -> bool:
    """Say whether a best rate is the last of its grid or box."""
    return bool((settings["edge"] != "").any())


def best_rate(rates: pd.DataFrame) -> str:
    """Say which optimizer ends lowest, at which learning rate."""
    best = with_lowest(rates, "gap")  # inf where runs were lost
    if not np.isfinite(best["gap"]):
        return "no learning rate of any optimizer completes all seeds"
    return f"{at_its_rate(best)} ends lowest, at {number(best['gap'])}"


def at_its_rate(setting: pd.Series) -> str:
    """Name an optimizer with a learning rate."""
    return f"{setting['optimizer']} with learning rate {setting_value(setting['lr'])}"
