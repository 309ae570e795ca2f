"""How numbers, settings and lists are written: one place, so that terminal, Markdown, page and figures show the same digits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.costs import AXES

MOST_COLUMNS = 8  # of tasks side by side
MISSING = "–"
RELATIVE_HEADINGS = {
    "rank": "rank*",
    "ratio": "times the leader*",
    "p": "p*",
    "better": "shown better*",
}  # columns that depend on who else is there
RELATIVE_NOTE = "* depends on who else is in this sweep"
LRS = {"lr", "largest lr", "diverges from lr"}  # columns that theory gives
ROUNDING = 1e-12  # relative: what lies closer to a whole number is one


def number(x: float) -> str:
    """Write a number with three significant digits, whole numbers below a million whole: 3.10e-12, 0.100, 12.3, 500, 79,459, 114,000, 1.19e6."""
    if pd.notna(x) and abs(x) < 1e6 and math.isclose(x, round(x), rel_tol=ROUNDING):
        return f"{round(x):,}"
    return _digits(x, 3)


def factor(x: float) -> str:
    """Write how many times: two significant digits, three below 2: 1.04, 3.4, 12, 1,200, 1.2e6."""
    return _digits(x, 3 if round(x, 2) < 2 else 2)


def _digits(x: float, digits: int) -> str:
    """Write so many significant digits: plain from 0.001 to below a million, with commas, else with a power of ten."""
    if pd.isna(x):
        return MISSING
    if math.isinf(x) or x == 0:
        return f"{x:.0f}"
    mantissa, power = f"{x:.{digits - 1}e}".split("e")
    return (
        f"{float(f'{x:.{digits}g}'):,.{max(digits - 1 - int(power), 0)}f}"
        if -3 <= int(power) < 6
        else f"{mantissa}e{int(power)}"
    )


def interval(row: Mapping[str, Any], value: str = "ratio", low: str = "low", high: str = "high") -> str:
    """Write how many times: "1.8 (1.2–2.6)" with its interval, "1.8" without or where its ends print the same, or "≥ 1.8", the bound `at_least`."""
    if pd.notna(row[low]) and factor(row[low]) != factor(row[high]):
        return f"{factor(row[value])} ({factor(row[low])}–{factor(row[high])})"
    return factor(row[value]) if pd.notna(row[value]) else bound(row["at_least"])


def bound(ratio: float) -> str:
    """Write a bound of how many times, towards 1: "≥ 1.8", "≤ 0.55"; where most of one side were lost "inf" or "0"."""
    sign = "" if ratio in (0, math.inf) else "≥ " if ratio >= 1 else "≤ "
    return MISSING if pd.isna(ratio) else f"{sign}{factor(ratio)}"


def p_value(p: float) -> str:
    """Write a p value: 0.003, < 0.001."""
    return MISSING if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.2g}"


def decades(width: float, is_open: bool) -> str:
    """Write a width in decades: "2.5 decades", "≥ 2.5 decades" where it goes on."""
    return MISSING if pd.isna(width) else f"{'≥ ' * is_open}{width:.1f} decades"


def tolerance(row: Mapping[str, Any], is_open: bool) -> str:
    """Write a width in decades, "one rate of 3" where it is one of the `lrs` alone."""
    return f"one rate of {row['lrs']}" if row["tolerance"] == 0 else decades(row["tolerance"], is_open)


def setting_value(value: Any) -> str:
    """Write the value of a setting as Hydra reads it, floats to six significant digits: 0.1, 1e-5, true, null, [0.9,0.999]."""
    if isinstance(value, tuple):
        return f"[{','.join(map(setting_value, value))}]"
    if value is None or pd.isna(value):
        return "null"
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def learning_rate(lr: float) -> str:
    """Write a computed learning rate to three significant digits, in the form of a setting: 0.041, 1e-5."""
    return MISSING if pd.isna(lr) else setting_value(float(f"{lr:.3g}"))


def counted(count: int, word: str) -> str:
    """Write a count with its noun: "1 run", "1,740 runs"."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def ranged(values: Iterable[float]) -> str:
    """Write from where to where numbers go: "3 to 442", "3" where all are the same."""
    known = [value for value in values if pd.notna(value)] or [math.nan]
    return " to ".join(dict.fromkeys(map(number, (min(known), max(known)))))


def listed(words: Sequence[str], most: int = 6) -> str:
    """Write a list: "a", "a and b", "a, b and 9 others"."""
    words = list(words)
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} others"]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def shortened(text: str, most: int) -> str:
    """Cut a text to `most` characters, the last one an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def named(optimizer: str, setting: str) -> str:
    """Write an optimizer with its setting: "sgd (lr=0.1)"."""
    return f"{optimizer} ({setting})" if setting else optimizer


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Write every cell: learning rates as settings, other numbers by `number`, what is missing as a dash."""
    cells = {
        column: frame[column].map(learning_rate if column in LRS else _cell, na_action=None)
        for column in frame
    }
    return pd.DataFrame(cells, index=frame.index, dtype=object)


def ranking_text(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the ranking of one task as it is printed everywhere, a column a heading; `failed` only where some run did."""
    rows = ranking.to_dict("records")
    tied = ranking["rank"].duplicated(keep=False)
    cells = {
        RELATIVE_HEADINGS["rank"]: [
            f"{_cell(row['rank'])}{'=' * (shared and pd.notna(row['rank']))}"
            for row, shared in zip(rows, tied, strict=True)
        ],
        "optimizer": [row["optimizer"] for row in rows],
        "best setting": [(row["setting"] + " (edge)" * bool(row["edge"])) or MISSING for row in rows],
        "final gap": ["≤ " * row["at_floor"] + number(row["gap"]) for row in rows],
        "spread": [number(row["spread"]) for row in rows],
        "relative gap": [
            "≤ " * (row["at_floor"] and pd.notna(row["relative_gap"])) + number(row["relative_gap"])
            for row in rows
        ],
        "evaluations to target": [reached(row["evaluations_to_target"]) for row in rows],
        "at target": [
            MISSING if pd.isna(row["evaluations_to_target"]) else f"{row['hits']}/{row['seeds']}"
            for row in rows
        ],
        "diverged": [f"{row['diverged']}/{row['runs']}" for row in rows],
    }
    cells[RELATIVE_HEADINGS["ratio"]] = [interval(row, "ratio", "ratio_low", "ratio_high") for row in rows]
    if ranking["p"].notna().any():
        cells[RELATIVE_HEADINGS["p"]] = [p_value(row["p"]) for row in rows]
    if ranking["default_gap"].notna().any():
        cells |= {
            "default gap": [number(row["default_gap"]) for row in rows],
            "gain": [factor(row["gain"]) for row in rows],
        }
    if ranking["tolerance"].notna().any():
        cells["lr tolerance"] = [tolerance(row, row["tolerance_open"]) for row in rows]
    cells["trials"] = [number(row["trials"]) for row in rows]
    if ranking["test_loss"].notna().any():
        cells["test loss"] = [number(row["test_loss"]) for row in rows]
    if ranking["failed"].any():
        cells["failed"] = [f"{row['failed']}/{row['runs']}" for row in rows]
    return pd.DataFrame(cells, index=ranking.index, dtype=object)


def ranking_note(ranking: pd.DataFrame) -> str:
    """Say why the ranking of one task is not in the order of its gaps, where it is not; empty else."""
    gaps = ranking.loc[ranking["rank"].notna(), "gap"]
    notes = {
        "A rank is 1 and the number of optimizers that are shown better, and only within a rank the lower gap stands first: so a lower gap may stand "
        "below a higher one that fewer are shown to beat.": not gaps.is_monotonic_increasing,
        "Who lost a seed has no rank and stands last.": 0 < len(gaps) < len(ranking),
    }
    return " ".join(note for note, applies in notes.items() if applies)


def overall_text(overall: pd.DataFrame) -> pd.DataFrame:
    """Write what each optimizer does over all tasks, a column a heading; no mean rank where there is one problem only."""
    rows = overall.to_dict("records")
    cells = {
        "optimizer": overall["optimizer"],
        "mean rank*": overall["mean_rank"].map(lambda rank: MISSING if pd.isna(rank) else f"{rank:.2f}"),
        "leads*": [f"{row['led']}/{row['tasks']}" for row in rows],
        "reaches the target": [f"{row['solved']}/{row['targets']}" for row in rows],
        "lost seeds on": [f"{row['lost']}/{row['tasks']}" for row in rows],
    }
    return pd.DataFrame(cells, dtype=object).drop(
        columns=["mean rank*"] * bool(overall["mean_rank"].isna().all())
    )


def pairwise_text(pairwise: pd.DataFrame) -> pd.DataFrame:
    """Write the pairs, a column a heading; a pair without a test says why there is none."""
    rows = pairwise.to_dict("records")
    cells = {
        "task": pairwise["task"],
        **{name: pairwise[name] for name in ("a", "b", "test")},
        "pairs": pairwise["n"].map(number),
        "b over a": [interval(row) for row in rows],
        "a lower": [f"{row['wins']}/{row['n']}" for row in rows],
        "P(a lower)": pairwise["improvement"].map(lambda p: f"{p:.2f}"),
        RELATIVE_HEADINGS["p"]: pairwise["p_holm"].map(p_value),
        RELATIVE_HEADINGS["better"]: pairwise["better"].replace("", MISSING),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


def across_text(across: pd.DataFrame) -> pd.DataFrame:
    """Write the pairs over all problems, a column a heading."""
    rows = across.to_dict("records")
    cells = {
        **{name: across[name] for name in ("a", "b")},
        "problems": across["problems"].map(number),
        "b over a": across["ratio"].map(factor),
        "a lower": [f"{row['wins']}/{row['problems']}" for row in rows],
        "mean ranks": [f"{row['rank_a']:.2f}, {row['rank_b']:.2f}" for row in rows],
        RELATIVE_HEADINGS["p"]: across["p_holm"].map(p_value),
        RELATIVE_HEADINGS["better"]: across["better"].replace("", MISSING),
    }
    return pd.DataFrame(cells, dtype=object)


def targets_text(targets: pd.DataFrame) -> pd.DataFrame:
    """Write a row a task and optimizer, a column a target: "120 (10/10)", and in brackets the expected running time where there is one."""
    cells = targets.assign(
        cell=[_target(row) for row in targets.to_dict("records")],
        heading=targets["target"].map(lambda target: f"1e{math.log10(target):.0f}"),
    )
    wide = cells.pivot(index=["task", "optimizer"], columns="heading", values="cell")
    order = pd.MultiIndex.from_frame(targets[["task", "optimizer"]].drop_duplicates())
    return without_one_task(
        wide.loc[order, list(cells["heading"].unique())].rename_axis(columns=None).reset_index()
    )


def _target(row: Mapping[str, Any]) -> str:
    share = f"{row['hits']}/{row['seeds']}"
    cost = f"{number(row['evaluations'])} ({share})" if math.isfinite(row["evaluations"]) else share
    return cost if pd.isna(row["ert"]) else f"{cost} [{number(row['ert'])}]"


def tuned_text(gains: pd.DataFrame) -> pd.DataFrame:
    """Write each tuned setting beside its default, a column a heading."""
    cells = {
        **{name: gains[name] for name in ("task", "optimizer")},
        "setting": gains["setting"].replace("", MISSING),
        "gap": gains["gap"].map(number),
        "default gap": gains["default_gap"].map(number),
        "gain": [interval(row, "gain") for row in gains.to_dict("records")],
        "pairs": gains["n"].map(number),
        "test": gains["test"],
        "p": gains["p"].map(p_value),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


def sensitivity_text(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Write over which learning rates the target is reached, a column a heading."""
    rows = sensitivity.to_dict("records")
    cells = {
        **{name: sensitivity[name] for name in ("task", "optimizer")},
        "lrs": sensitivity["lrs"].map(number),
        "tolerance": [tolerance(row, row["open_low"] or row["open_high"]) for row in rows],
        "from": [_end(row["lowest_lr"], row["open_low"], "≤ ") for row in rows],
        "to": [_end(row["highest_lr"], row["open_high"], "≥ ") for row in rows],
        "best lr": sensitivity["best_lr"].map(setting_value),
    }
    return without_one_task(pd.DataFrame(cells, dtype=object))


def _end(lr: float, is_open: bool, sign: str) -> str:
    return MISSING if pd.isna(lr) else sign * is_open + setting_value(lr)


def success_text(success: pd.DataFrame) -> pd.DataFrame:
    """Write "pass (1.3 trials)", "pass" where no search found it, else how many seeds reach the target: a row an optimizer, a column a task.

    Above MOST_COLUMNS tasks a row a task and optimizer.
    """
    cells = success.assign(cell=[_passed(row) for row in success.to_dict("records")])
    if success["task"].nunique() > MOST_COLUMNS:
        return cells[["task", "optimizer", "cell"]].rename(columns={"cell": "target"})
    wide = cells.pivot(index="optimizer", columns="task", values="cell").fillna(MISSING)
    return (
        wide.loc[success["optimizer"].unique(), success["task"].unique()]
        .rename_axis(columns=None)
        .reset_index()
    )


def _passed(row: Mapping[str, Any]) -> str:
    if not row["solved"]:
        return f"{row['hits']}/{row['seeds']}"
    return "pass" if pd.isna(row["trials_to_success"]) else f"pass ({row['trials_to_success']:.1f} trials)"


def competence_text(competence: pd.DataFrame) -> pd.DataFrame:
    """Write who leads at which condition number and budget, a column a heading."""
    cells = {
        "problem": competence["family"],
        "κ": competence["kappa"].map(number),
        "steps": competence["steps"].map(number),
        "first*": competence["optimizers"].map(listed),
        "gap": competence["gap"].map(number),
    }
    return pd.DataFrame(cells, dtype=object)


def without_one_task(text: pd.DataFrame) -> pd.DataFrame:
    """Leave out the task where all rows are of one."""
    return text if text["task"].nunique() > 1 else text.drop(columns="task")


def costs_text(costs: pd.DataFrame) -> pd.DataFrame:
    """Write the costs of one task until the target, and of a whole run in gradient evaluations, a column a heading."""
    until = {title: costs[f"{axis}_to_target"].map(reached) for axis, title in AXES.items()}
    return pd.DataFrame(
        {
            "optimizer": costs["optimizer"],
            **until,
            "evaluations, whole run": costs["evaluations"].map(number),
        },
        dtype=object,
    )


def timings_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Write the times of one task's runs, a column a heading."""
    cells = {
        "optimizer": rows["name"],
        "setting": rows["setting"].replace("", MISSING),
        "µs a step": (rows["step_seconds"] * 1e6)
        .map(lambda x: number(x if x < 100 else round(x, 0)))
        .where(rows["status"] != "failed", "failed"),
        "spread": rows["step_spread"].map(lambda x: MISSING if pd.isna(x) else f"{100 * x:.1f} %"),
        "seconds to target": rows["seconds_to_target"].map(reached),
        "evaluations to target": rows["hit"].map(reached),
    }
    return pd.DataFrame(cells, dtype=object)


def reached(cost: float) -> str:
    """Write a cost until the target."""
    return "not reached" if cost == math.inf else number(cost)


def _cell(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    return MISSING if pd.isna(cell) else number(cell)
