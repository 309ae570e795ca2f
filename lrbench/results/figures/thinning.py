"""What of many points is drawn: so many that nobody can tell them from all."""

import numpy as np
import pandas as pd

ENDS = 2  # the lowest and the highest: what is kept of a stretch, and at least of a learning rate


def thinned(curves: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the rows of `Sweep.best_curves` that a reader of the figure can tell apart: of each optimizer
    and task so many at most.

    All where it has fewer. Else the evaluations are cut into stretches of one width, in log from the first
    update on, and of each stretch the lowest and the highest median stay; the start and the last step are
    stretches of their own.
    """
    competitors = [curves["task"], curves["optimizer"]]
    are_few = curves.groupby(competitors)["step"].transform("size") <= most
    # less 1, as a share of 1 makes the last step a stretch of its own beside these
    stretches = most // ENDS - 1
    stretch = np.floor(_share_of_the_way(curves) * stretches)
    medians = curves.groupby([*competitors, stretch], sort=False)["median"]
    is_lowest = curves.index.isin(medians.idxmin())
    is_highest = curves.index.isin(medians.idxmax())
    return curves[are_few | is_lowest | is_highest]


def _share_of_the_way(curves: pd.DataFrame) -> pd.Series:
    """Return how far along its curve each row lies, in log of the evaluations, from 0 to 1."""
    competitors = [curves["task"], curves["optimizer"]]
    evaluations = curves["evaluations"]
    first_update = evaluations.where(evaluations > 0).groupby(competitors).transform("min")
    way = pd.Series(np.log1p(evaluations / first_update))
    return way / way.groupby(competitors).transform("max")


def spread_seeds(runs: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the runs of one optimizer that are drawn as dots: all that have a place, or where there are more
    than so many, some of them.

    Then of each rate the lowest and the highest and others evenly between in rank; of rates evenly many.
    runs: with lr and place, inf without one.
    """
    placed = runs[np.isfinite(runs["place"])].sort_values(["lr", "place"], kind="stable")
    if len(placed) <= most:
        return placed
    rates = placed["lr"].unique()
    kept_rates = rates[evenly(len(rates), most // ENDS)]
    kept = placed[placed["lr"].isin(kept_rates)]
    of_each = max(ENDS, most // len(kept_rates))
    groups = kept.groupby("lr", group_keys=False)[kept.columns.tolist()]
    return groups.apply(lambda own: own.iloc[evenly(len(own), of_each)])


def evenly(count: int, most: int) -> np.ndarray:
    """Return at most so many places of `count`, evenly spaced, the first and the last among them."""
    places = np.linspace(0, count - 1, min(count, most))
    return np.unique(places.round().astype(int))
