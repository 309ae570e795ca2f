"""What several captions and findings say."""

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from lrbench.results.figures.axes import log_range
from lrbench.results.figures.layout import shown_tasks
from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words.phrases import over_what

CUT = "What lies below the axis, such as a gap of 0, is drawn at its end."


def joined(sentences: Iterable[str]) -> str:
    """Join the sentences that there are."""
    return " ".join(filter(None, sentences))


# ---- tasks


def left_out(tasks: Sequence[str], shown: Sequence[str]) -> str:
    """Say which tasks a figure has no panel for; nothing where it shows all."""
    missing = [task for task in tasks if task not in shown]
    if not missing:
        return ""
    which = f": {listed(shown)}" if len(shown) < len(missing) else f"; not drawn: {listed(missing)}"
    return f"{len(shown)} of {len(tasks)} tasks{which}."


def without_panel(tasks: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Say which of several tasks have no panel in the figure of a frame."""
    if len(tasks) == 1:  # also of a sweep that the figure has nothing for
        return ""
    return left_out(tasks["task"].tolist(), shown_tasks(tasks, frame))


def by_task(frame: pd.DataFrame, shown: Sequence[str], sentence: Callable[[pd.DataFrame], str]) -> str:
    """Say of each task that is shown what its rows show: "lecture: SGD leads."."""
    rows = frame[frame["task"].isin(shown)]
    sentences = [f"{task}: {sentence(own)}" for task, own in rows.groupby("task", sort=False)]
    return f"{listed(sentences)}."


# ---- who


def several(names: list[str], verb: str, plural: str) -> str:
    """Write which optimizers do something: "SGD ends", "SGD and Adam end"."""
    return f"{listed(list(map(displayed, names)))} {verb if len(names) == 1 else plural}"


def only_the_best(optimizers: pd.Series, most: int) -> str:
    """Say that the best are shown, where there are more."""
    count = optimizers.nunique()
    return f"The best {most} of {count} optimizers." if count > most else ""


# ---- settings and seeds


def which_setting(sweep: Sweep) -> str:
    """Say at which setting an optimizer is compared."""
    if sweep.tuned:
        return f"the setting that {_tuning_seeds(sweep)} chose"
    if (sweep.ranking["settings"] > 1).any():
        return "its best setting, chosen on the seeds that are shown"
    return "its only setting"


def on_tuning_seeds(sweep: Sweep) -> str:
    """Say on which seeds settings were searched, where these are others than are compared."""
    return f", on {_tuning_seeds(sweep)}" if sweep.tuned else ""


def _tuning_seeds(sweep: Sweep) -> str:
    return counted(len(sweep.manifest["tune"]["seeds"]), "tuning seed")


# ---- what is not seen where it is


def cut(gaps: pd.Series, tasks: pd.Series) -> str:
    """Say where gaps that do not fit the axis of their task are drawn."""
    for _, own in gaps.groupby(tasks):
        low, _ = log_range(own, 1.0)
        if low > own.min():
            return CUT
    return ""


def is_lost(sweep: Sweep) -> bool:
    """Say whether a run that is compared did not complete."""
    return bool((sweep.reported["status"] != "completed").any())


# ---- two sets


def over_both(difference: Difference) -> str:
    """Say over which seeds what is shown goes."""
    shown, _ = difference.shown
    return f"the {over_what(difference, shown, 'runs')} that both have"


def settings_of_both(difference: Difference) -> str:
    """Say at which settings the optimizers are."""
    shown, _ = difference.shown
    own = ", or where B lacks it each side at its own choice" if (shown["differs"] != "").any() else ""
    return f"Each optimizer is at the setting that A chose{own}."
