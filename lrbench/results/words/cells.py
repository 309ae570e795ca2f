"""How the rows of each table are written: a frame of numbers in, a frame of texts with a column a heading
out.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import (
    MISSING,
    cost,
    factor,
    interval,
    learning_rate,
    listed,
    measured,
    number,
    p_value,
    reached,
    setting_value,
    tolerance,
)
from lrbench.results.statistics.verdicts import CLEAR, PASSES
from lrbench.results.tables.costs import AXES
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.results.words.leader import share

MOST_COLUMNS = 8  # of tasks side by side
# headings of the columns that depend on who else is in the sweep
RELATIVE = {
    "rank": "rank*",
    "ratio": "times the leader*",
    "word": "against the leader*",
    "p": "p*",
    "better": "shown better*",
}
# of the ranking: what is read first
BRIEF = [RELATIVE["rank"], "optimizer", "best setting", "arrives after", RELATIVE["ratio"], RELATIVE["word"]]
RELATIVE_NOTE = "* depends on who else is in this sweep"
# the columns of learning rates that theory gives
LRS = {"lr", "largest lr", "diverges from lr"}


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Write every cell: optimizers by their names, learning rates as settings, other numbers by `number`;
    what is missing as a dash.
    """
    writers = {"optimizer": displayed} | dict.fromkeys(LRS, learning_rate)
    cells = {name: frame[name].map(writers.get(str(name), _cell), na_action=None) for name in frame}
    return pd.DataFrame(cells, index=frame.index, dtype=object)


def plain_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Write every cell as `as_text` does; without the task where all rows are of one."""
    text = as_text(frame)
    return without_one_task(text) if "task" in text else text


def as_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """Write every cell as the value of a setting."""
    return frame.map(setting_value)


def _cell(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    return MISSING if pd.isna(cell) else number(cell)


def without_one_task(text: pd.DataFrame) -> pd.DataFrame:
    """Leave out the task where all rows are of one."""
    return text if text["task"].nunique() > 1 else text.drop(columns="task")


# ---- the ranking


def ranking_text(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the ranking of one task as it is printed everywhere; columns that nobody has are left out.

    The first of them, BRIEF, are the answer; the others are for those who unfold them.
    """
    rows = ranking.to_dict("records")
    shared = ranking["rank"].duplicated(keep=False)
    cells = {
        RELATIVE["rank"]: list(map(_rank, ranking["rank"], shared)),
        "optimizer": ranking["optimizer"].map(displayed).tolist(),
        "best setting": list(map(_setting, rows)),
        "arrives after": list(map(_arrives, rows)),
        RELATIVE["ratio"]: list(map(_times, rows)),
        RELATIVE["word"]: list(map(_said, rows)),
        "rates that work": list(map(_works, rows)),
        "level": [f"{_at_most(row)}{number(row['level'])}" for row in rows],
        "from the best fit": list(map(_relative_level, rows)),
        "spread": ranking["spread"].map(number).tolist(),
        "mean over targets": ranking["area"].map(number).tolist(),
        "diverged": [f"{row['diverged']}/{row['runs']}" for row in rows],
    }
    if ranking["p"].notna().any():
        cells[RELATIVE["p"]] = ranking["p"].map(p_value).tolist()
    if ranking["default_gap"].notna().any():
        cells["default level"] = ranking["default_gap"].map(number).tolist()
        cells["gain"] = ranking["gain"].map(factor).tolist()
    cells["trials"] = ranking["trials"].map(number).tolist()
    if ranking["test_loss"].notna().any():
        cells["test loss"] = ranking["test_loss"].map(number).tolist()
    if ranking["failed"].any():
        cells["failed"] = [f"{row['failed']}/{row['runs']}" for row in rows]
    return pd.DataFrame(cells, index=ranking.index, dtype=object)


def _rank(rank: Any, shared: bool) -> str:
    if pd.isna(rank):
        return MISSING
    return f"{number(rank)}=" if shared else number(rank)


def _setting(row: Mapping[Any, Any]) -> str:
    edge = " (edge)" if row["edge"] else ""
    return f"{row['setting']}{edge}" or MISSING


def _arrives(row: Mapping[Any, Any]) -> str:
    """Write after how many evaluations an optimizer arrives, and on how many seeds where not on all."""
    if row["lost"] == row["seeds"]:
        return "all lost"
    if not row["arrived"]:
        return "not reached"
    cost = number(round(row["cost"])) if row["cost"] >= 1 else "< 1"
    of_all = "" if row["arrived"] == row["seeds"] else f" ({row['arrived']}/{row['seeds']})"
    return f"{cost}{of_all}"


def _times(row: Mapping[Any, Any]) -> str:
    """Write a ratio to the leader: of evaluations where all arrive, of levels where nobody does."""
    written = interval(row, "ratio", "ratio_low", "ratio_high")
    return f"{written} level" if row["unit"] == "gap" else written


def _said(row: Mapping[Any, Any]) -> str:
    """Write the word of an optimizer against the leader: "leads", "clear", or "better here"."""
    if row["leader"]:
        return "leads"
    if row["side"] < 0:
        return f"{row['word']}, ahead here"
    return row["word"] or MISSING


def _works(row: Mapping[Any, Any]) -> str:
    """Write the range of the rates that work."""
    if pd.isna(row["works_low"]):
        return MISSING
    low, high = setting_value(row["works_low"]), setting_value(row["works_high"])
    return low if low == high else f"{low} to {high}"


def _at_most(row: Mapping[Any, Any]) -> str:
    return "≤ " if row["at_floor"] else ""


def _relative_level(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["relative_level"]):
        return MISSING
    return f"{_at_most(row)}{share(row['relative_level'])}"


def ranking_note(ranking: pd.DataFrame) -> str:
    """Explain what of the ranking of one task its columns do not; empty where nothing needs it."""
    notes = []
    if ranking["passes"].any() and not ranking["passes"].all():
        notes.append("Who passes through stands behind all that stay.")
    if ranking["rank"].isna().any():
        notes.append("Who lost every run has no rank and stands last.")
    return " ".join(notes)


# ---- pairs


def pairwise_text(pairwise: pd.DataFrame) -> pd.DataFrame:
    """Write the pairs; a pair without a test says why there is none."""
    rows = pairwise.to_dict("records")
    cells = {
        "task": pairwise["task"],
        "a": pairwise["a"].map(displayed),
        "b": pairwise["b"].map(displayed),
        "said": list(map(_said_of_pair, rows)),
        "b over a": list(map(interval, rows)),
        "of": pairwise["unit"].map(UNITS, na_action="ignore").fillna(MISSING),
        "a ahead": [f"{row['wins']}/{row['n']}" for row in rows],
        "b ahead": [f"{row['losses']}/{row['n']}" for row in rows],
        "test": pairwise["test"],
        RELATIVE["p"]: pairwise["p_holm"].map(p_value),
        "p beyond 1.25*": pairwise["beyond_holm"].map(p_value),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


UNITS = {"evaluations": "evaluations", "gap": "level"}


def _said_of_pair(row: Mapping[Any, Any]) -> str:
    """Write the word of a pair, with who is better where one is, or who passes through."""
    if row["word"] == PASSES:
        return f"{row['word']}: {displayed(row['b'])}"  # who stays is ranked first
    return f"{row['word']}: {displayed(row['better'])}" if row["better"] else row["word"]


def across_text(across: pd.DataFrame) -> pd.DataFrame:
    """Write the pairs over all problems."""
    rows = across.to_dict("records")
    cells = {
        "a": across["a"].map(displayed),
        "b": across["b"].map(displayed),
        "problems": across["problems"].map(number),
        "a ahead": [f"{row['wins']}/{row['problems']}" for row in rows],
        "b ahead": [f"{row['losses']}/{row['problems']}" for row in rows],
        "mean ranks": [f"{row['rank_a']:.2f}, {row['rank_b']:.2f}" for row in rows],
        RELATIVE["p"]: across["p_holm"].map(p_value),
        RELATIVE["better"]: across["better"].map(displayed).replace("", MISSING),
    }
    return pd.DataFrame(cells, dtype=object)


def overall_text(overall: pd.DataFrame) -> pd.DataFrame:
    """Write what each optimizer does over all tasks; no mean rank where there is one problem only."""
    rows = overall.to_dict("records")
    ranks = overall["mean_rank"]
    cells = {"optimizer": overall["optimizer"].map(displayed)}
    if ranks.notna().any():
        cells["mean rank*"] = ranks.map("{:.2f}".format).where(ranks.notna(), MISSING)
    cells |= {
        "leads or as good*": [f"{row['led']}/{row['tasks']}" for row in rows],
        "arrives on": [f"{row['solved']}/{row['tasks']}" for row in rows],
        "lost runs on": [f"{row['lost']}/{row['tasks']}" for row in rows],
    }
    return pd.DataFrame(cells, dtype=object)


def one_for_all_text(settings: pd.DataFrame) -> pd.DataFrame:
    """Write the one setting of each optimizer for all tasks."""
    cells = {
        "optimizer": settings["optimizer"].map(displayed),
        "setting": settings["setting"].replace("", MISSING),
        "at worst*": settings["ratio"].map(factor),
        "on*": settings["worst"],
        "arrives on": [f"{row['solved']}/{row['tasks']}" for row in settings.to_dict("records")],
        "lost runs": settings["lost"].map(number),
        "leave again": settings["left"].map(number),
    }
    return pd.DataFrame(cells, dtype=object)


def competence_text(competence: pd.DataFrame) -> pd.DataFrame:
    """Write who leads at which condition number and budget."""
    cells = {
        "problem": competence["family"],
        "κ": competence["kappa"].map(number),
        "steps": competence["steps"].map(number),
        "first*": [listed(list(map(displayed, first))) for first in competence["optimizers"]],
        "gap": competence["gap"].map(number),
    }
    return pd.DataFrame(cells, dtype=object)


# ---- targets and costs


def targets_text(targets: pd.DataFrame) -> pd.DataFrame:
    """Write a row a task and optimizer, a column a target: "120 (10/10)", in square brackets the expected
    running time.
    """
    long = targets[COMPETITOR].assign(
        heading=[f"1e{math.log10(target):.0f}" for target in targets["target"]],
        cell=[_target(row) for row in targets.to_dict("records")],
    )
    wide = long.pivot(index=COMPETITOR, columns="heading", values="cell")
    order = pd.MultiIndex.from_frame(long[COMPETITOR].drop_duplicates())
    text = wide.loc[order, list(long["heading"].unique())]
    return without_one_task(_displayed(text.rename_axis(columns=None).reset_index()))


def _displayed(text: pd.DataFrame) -> pd.DataFrame:
    return text.assign(optimizer=text["optimizer"].map(displayed))


def _target(row: Mapping[Any, Any]) -> str:
    share = f"{row['hits']}/{row['seeds']}"
    cost = f"{number(row['evaluations'])} ({share})" if math.isfinite(row["evaluations"]) else share
    return cost if pd.isna(row["ert"]) else f"{cost} [{number(row['ert'])}]"


def success_text(success: pd.DataFrame) -> pd.DataFrame:
    """Write a row an optimizer, a column a task; above MOST_COLUMNS tasks a row a task and optimizer.

    "pass (1.3 trials)", "pass" where no search found it, else how many seeds reach the target.
    """
    long = success[COMPETITOR].assign(target=[_passed(row) for row in success.to_dict("records")])
    if success["task"].nunique() > MOST_COLUMNS:
        return _displayed(long)
    wide = long.pivot(index="optimizer", columns="task", values="target").fillna(MISSING)
    in_order = wide.loc[success["optimizer"].unique(), success["task"].unique()]
    return _displayed(in_order.reset_index().rename_axis(columns=None))


def _passed(row: Mapping[Any, Any]) -> str:
    if not row["solved"]:
        return f"{row['hits']}/{row['seeds']}"
    if pd.isna(row["trials_to_success"]):
        return "pass"
    return f"pass ({row['trials_to_success']:.1f} trials)"


def costs_text(costs: pd.DataFrame) -> pd.DataFrame:
    """Write the costs until the target, and of a whole run in gradient evaluations."""
    cells = {"task": costs["task"], "optimizer": costs["optimizer"].map(displayed)}
    for axis, heading in AXES.items():
        cells[heading] = costs[f"{axis}_to_target"].map(reached)
    cells["evaluations, whole run"] = costs["evaluations"].map(number)
    return without_one_task(pd.DataFrame(cells, dtype=object))


# ---- tuning and learning rates


def tuned_text(gains: pd.DataFrame) -> pd.DataFrame:
    """Write each tuned setting beside its default."""
    rows = gains.to_dict("records")
    cells = {
        "task": gains["task"],
        "optimizer": gains["optimizer"].map(displayed),
        "setting": gains["setting"].replace("", MISSING),
        "arrives after": gains["cost"].map(number),
        "default arrives after": gains["default_cost"].map(number),
        "level": gains["gap"].map(number),
        "default level": gains["default_gap"].map(number),
        "default over tuned": [interval(row, "gain") for row in rows],
        "said": list(map(_said_of_gain, rows)),
        "pairs": gains["n"].map(number),
        "p": gains["p"].map(p_value),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


def _said_of_gain(row: Mapping[Any, Any]) -> str:
    better = {1: ": tuned", -1: ": default"}
    return f"{row['word']}{better.get(row['side'], '')}"


def sensitivity_text(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Write over which learning rates the settings work."""
    rows = sensitivity.to_dict("records")
    cells = {
        "task": sensitivity["task"],
        "optimizer": sensitivity["optimizer"].map(displayed),
        "lrs": sensitivity["lrs"].map(number),
        "rates that work": [tolerance(row, row["open_low"] or row["open_high"]) for row in rows],
        "from": [_end(row["lowest_lr"], row["open_low"], "≤ ") for row in rows],
        "to": [_end(row["highest_lr"], row["open_high"], "≥ ") for row in rows],
        "best lr": sensitivity["best_lr"].map(setting_value),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


def _end(lr: float, is_open: bool, sign: str) -> str:
    if pd.isna(lr):
        return MISSING
    return f"{sign}{setting_value(lr)}" if is_open else setting_value(lr)


# ---- what the models answer

EXACT = "exact minimum"  # the row below the optimizers


def answers_text(answers: pd.DataFrame) -> pd.DataFrame:
    """Write a row an optimizer, a column a row that was asked for, and last the exact minimum."""
    parts = [_answers_of(task, rows) for task, rows in answers.groupby("task", sort=False)]
    return without_one_task(pd.concat(parts, ignore_index=True).fillna(MISSING))


def _answers_of(task: Any, answers: pd.DataFrame) -> pd.DataFrame:
    """Write the answers on one task."""
    by_optimizer = {name: {"task": task, "optimizer": displayed(name)} for name in answers["optimizer"]}
    exact = {"task": task, "optimizer": EXACT}
    for row in answers.to_dict("records"):
        by_optimizer[row["optimizer"]][row["given"]] = answer(row)
        exact[row["given"]] = number(row["exact"])
    is_known = answers["exact"].notna().any()
    return pd.DataFrame([*by_optimizer.values(), *([exact] if is_known else [])], dtype=object)


def answer(row: Mapping[Any, Any]) -> str:
    """Write an answer: "8.00", "8.00 (7.91 to 8.03)" where the seeds differ, "8.00, 2 lost"."""
    if row["lost"] == row["seeds"]:
        return "all lost"
    low, high = measured(row["lowest"]), measured(row["highest"])
    between = "" if low == high else f" ({low} to {high})"
    lost = f", {row['lost']} lost" if row["lost"] else ""
    return f"{measured(row['answer'])}{between}{lost}"


# ---- problems, failures, times


def problems_text(problems: pd.DataFrame) -> pd.DataFrame:
    """Write the problems; noise, rows left out and sources only where some problem has them."""
    noise, dropped, source = problems["noise"], problems["dropped"], problems["source"]
    cells = {
        "problem": problems["problem"],
        "n": problems["n"].map(number),
        "d": problems["d"].map(number),
        "κ": problems["kappa"].map(number),
        "L": problems["L"].map(number),
        "noise": noise.map(setting_value).where(noise.notna(), MISSING),
        "loss": problems["loss"],
        "dtype": problems["dtype"],
        "rows left out": dropped.map(number),
        "minimum": problems["minimum"],
        "digits": problems["digits"].map("{:.0f}".format).where(problems["digits"].notna(), MISSING),
        "loss at the minimum": problems["loss_star"].map(number),
        "gap floor": problems["gap_floor"].map(number),
        "source": source.replace("", MISSING),
    }
    is_empty = {
        "noise": noise.isna().all(),
        "rows left out": (dropped == 0).all(),
        "source": (source == "").all(),
    }
    left_out = [heading for heading, empty in is_empty.items() if empty]
    return pd.DataFrame(cells, dtype=object).drop(columns=left_out)


def failures_text(failures: pd.DataFrame) -> pd.DataFrame:
    """Write what went wrong."""
    headings = failures.columns.str.replace("_", " ")
    return without_one_task(as_text(failures.set_axis(headings, axis=1)))


def timings_text(timings: pd.DataFrame) -> pd.DataFrame:
    """Write the times of one task's runs."""
    cells = {
        "optimizer": timings["optimizer"].map(displayed),
        "setting": timings["setting"].replace("", MISSING),
        "µs a step": (timings["step_seconds"] * 1e6)
        .map(_microseconds)
        .where(timings["status"] != "failed", "failed"),
        "spread": timings["step_spread"].map(_percent),
        "seconds to target": timings["seconds_to_target"].map(reached),
        "evaluations to target": timings["hit"].map(reached),
    }
    return pd.DataFrame(cells, dtype=object)


def _microseconds(x: float) -> str:
    return number(x) if x < 100 else number(round(x, 0))


def _percent(share: float) -> str:
    return MISSING if pd.isna(share) else f"{100 * share:.1f} %"


# ---- two sweeps


def differences_text(differences: pd.DataFrame) -> pd.DataFrame:
    """Write what was asked otherwise."""
    return differences.rename(columns={"a": "A", "b": "B"})


def changes_text(changes: pd.DataFrame) -> pd.DataFrame:
    """Write what changed from A to B, setting by setting; the task where there are several."""
    rows = changes.to_dict("records")
    cells = {
        "task": changes["task"].tolist(),
        "optimizer": changes["optimizer"].map(displayed).tolist(),
        "setting": list(map(_changed_setting, rows)),
        "cost A": [_cost_of(row, "a") for row in rows],
        "cost B": [_cost_of(row, "b") for row in rows],
        "B / A (95 %)": list(map(interval, rows)),
        "p": changes["p_holm"].map(p_value).tolist(),
        "said": list(map(_said_of_b, rows)),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


# what stands in the two columns of costs
COSTS_NOTE = (
    "Cost: gradient evaluations until arrival at the target, and in brackets of how many runs where not of "
    "all; in %, where none arrives: how much of the way to the best fit is left at the end."
)


def _changed_setting(row: Mapping[Any, Any]) -> str:
    setting = row["differs"] or row["setting"] or MISSING
    return f"{setting} (default)" if row["role"] == "default" else setting


def _cost_of(row: Mapping[Any, Any], side: str) -> str:
    """Write what one side costs: "88", "88 (9/10)", "0.30 %", "lost"."""
    arrived, runs = row[f"arrived_{side}"], row["runs"]
    if arrived:
        share_of_runs = f" ({arrived}/{runs})" if arrived < runs else ""
        return f"{cost(row[f'cost_{side}'])}{share_of_runs}"
    if runs and row[f"lost_{side}"] == runs:
        return "lost"
    level = row[f"relative_level_{side}"]
    return MISSING if pd.isna(level) else share(level)


def _said_of_b(row: Mapping[Any, Any]) -> str:
    """Write what is said of B against A: "clearly worse", "worse, close", "3 lost", "as good"."""
    word, change = row["word"], row["change"]
    if change == "identical":
        return change
    if change:
        return f"clearly {change}" if word == CLEAR else f"{change}, {word}"
    return f"{row['lost']} lost" if row["lost"] else word or MISSING
