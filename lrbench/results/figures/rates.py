"""What both figures over the learning rate share: their frame, what of it is marked, and what it shows."""

import numpy as np
import pandas as pd

from lrbench.errors import RequestError
from lrbench.results.notation import number, setting_value
from lrbench.results.tables.sweep import Sweep


def rates_or_error(sweep: Sweep) -> pd.DataFrame:
    """Return `Sweep.rates`.

    Raises:
        RequestError: there are none.
    """
    if sweep.rates.empty:
        advice = "no optimizer ran at two learning rates. Sweep some, such as optimizer.lr=0.001,0.01,0.1."
        raise RequestError(f"{sweep.store.root}: {advice}")
    return sweep.rates


def lost_settings(rates: pd.DataFrame) -> pd.Series:
    """Say of each setting whether it lost runs."""
    return rates["diverged"] + rates["failed"] > 0


def stretches_that_lost_alike(settings: pd.DataFrame) -> pd.Series:
    """Number the stretches of neighbouring settings that lost the same k of n."""
    counts = settings[["lost", "seeds"]]
    return (counts != counts.shift()).any(axis=1).cumsum()


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
    best = rates.loc[rates["gap"].idxmin()]
    if not np.isfinite(best["gap"]):
        return "no learning rate of any optimizer completes all seeds"
    which = f"{best['optimizer']} with learning rate {setting_value(best['lr'])}"
    return f"{which} ends lowest, at {number(best['gap'])}"
