"""What both figures over the learning rate share: their frame, what of it is marked, and what it shows."""

import numpy as np
import pandas as pd

from lrbench.results.figures.layout import rows_or_error
from lrbench.results.figures.scales import scales_of
from lrbench.results.figures.standing import of_each
from lrbench.results.notation import number, setting_value
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task


def rates_or_error(sweep: Sweep) -> pd.DataFrame:
    """Return `Sweep.rates`.

    Raises:
        RequestError: there are none.
    """
    advice = "no optimizer ran at two learning rates. Sweep some, such as optimizer.lr=0.001,0.01,0.1."
    return rows_or_error(sweep, sweep.rates, advice)


def loses_runs(rates: pd.DataFrame) -> pd.Series:
    """Say of each setting whether it lost runs."""
    return rates["lost"] > 0


def rises_too_high(rates: pd.DataFrame, sweep: Sweep) -> pd.Series:
    """Say of each setting whether its gap first rises so high that it is not chosen."""
    limit = np.inf if sweep.rise_limit is None else sweep.rise_limit
    return (rates["rise"] > limit) & ~loses_runs(rates)


def which_rise(sweep: Sweep) -> str:
    """Say what is pale, where something is: the end of a sentence."""
    if not rises_too_high(sweep.rates, sweep).any():
        return ""
    times = number(float(sweep.rise_limit or 0))
    return f"pale: the gap first rises above {times} times where it began, so the setting is not chosen"


def any_miss(sweep: Sweep) -> bool:
    """Say whether a setting misses with a seed, on a task where some setting arrives."""
    return any(
        scale.miss(of_task(sweep.rates, task)).any() for task, scale in scales_of(sweep.searched).items()
    )


def is_scattered(sweep: Sweep) -> pd.Series:
    """Return of each optimizer whether its learning rates are not steps of one curve."""
    return sweep.rates.groupby("optimizer")["scattered"].any()


def any_mean(sweep: Sweep) -> bool:
    """Say whether an optimizer has a setting that completed all its seeds."""
    return bool((sweep.rates["lost"] == 0).any())


def at_an_edge(settings: pd.DataFrame) -> bool:
    """Say whether a best rate is the last of its grid or box."""
    return bool((settings["edge"] != "").any())


def rates_that_work(tolerances: pd.DataFrame) -> str:
    """Say which learning rates of each optimizer work; rows of `Sweep.sensitivity_table`."""
    searched = tolerances[tolerances["lrs"] > 1]
    working = searched[searched["lowest_lr"].notna()]
    if working.empty:
        return "no learning rate works"
    return f"learning rates that work: {of_each(working, _range)}"


def _range(row: pd.Series) -> str:
    low, high = setting_value(row["lowest_lr"]), setting_value(row["highest_lr"])
    return f"{low} alone" if low == high else f"{low} to {high}"
