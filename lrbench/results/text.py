"""How numbers, settings and lists are written: one place, so that terminal, Markdown, page and figures show the same digits."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from lrbench.results.costs import AXES

MISSING = "–"


def number(x: float) -> str:
    """Write a number with three significant digits, whole numbers below a million whole: 3.10e-12, 0.100, 12.3, 500, 1.14e5."""
    if pd.isna(x):
        return MISSING
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if abs(x) < 1e6 and x == round(x):
        return f"{x:.0f}"
    mantissa, power = f"{x:.2e}".split("e")
    return f"{x:#.3g}".rstrip(".") if -3 <= int(power) < 3 else f"{mantissa}e{int(power)}"


def setting_value(value: Any) -> str:
    """Write the value of a setting as Hydra reads it, floats to six significant digits: 0.1, 1e-5, true, null, [0.9,0.999]."""
    if isinstance(value, tuple):
        return f"[{','.join(map(setting_value, value))}]"
    if value is None or pd.isna(value):
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def counted(count: int, word: str) -> str:
    """Write a count with its noun: "1 run", "3 runs"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


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
    """Write every cell: numbers by `number`, what is missing as a dash."""
    return pd.DataFrame({column: [_cell(cell) for cell in frame[column]] for column in frame}, index=frame.index, dtype=object)


def ranking_text(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the ranking of one task as it is printed everywhere, a column a heading; `failed` only where some run did."""
    rows = ranking.to_dict("records")
    tied = ranking["rank"].duplicated(keep=False)
    cells = {
        "rank": [f"{_cell(row['rank'])}{'=' * (shared and pd.notna(row['rank']))}" for row, shared in zip(rows, tied, strict=True)],
        "optimizer": [row["optimizer"] for row in rows],
        "best setting": [(row["setting"] + " (edge)" * bool(row["edge"])) or MISSING for row in rows],
        "final gap": ["≤ " * row["at_floor"] + number(row["gap"]) for row in rows],
        "spread": [number(row["spread"]) for row in rows],
        "relative gap": ["≤ " * row["at_floor"] + number(row["relative_gap"]) for row in rows],
        "evaluations to target": [reached(row["evaluations_to_target"]) for row in rows],
        "at target": [MISSING if pd.isna(row["evaluations_to_target"]) else f"{row['hits']}/{row['seeds']}" for row in rows],
        "diverged": [f"{row['diverged']}/{row['runs']}" for row in rows],
    }
    if ranking["test_loss"].notna().any():
        cells["test loss"] = [number(row["test_loss"]) for row in rows]
    if ranking["failed"].any():
        cells["failed"] = [f"{row['failed']}/{row['runs']}" for row in rows]
    return pd.DataFrame(cells, index=ranking.index, dtype=object)


def costs_text(costs: pd.DataFrame) -> pd.DataFrame:
    """Write the costs of one task until the target, and of a whole run in gradient evaluations, a column a heading."""
    until = {title: costs[f"{axis}_to_target"].map(reached) for axis, title in AXES.items()}
    return pd.DataFrame({"optimizer": costs["optimizer"], **until, "evaluations, whole run": costs["evaluations"].map(number)}, dtype=object)


def timings_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Write the times of one task's runs, a column a heading."""
    cells = {
        "optimizer": rows["name"],
        "setting": rows["setting"].replace("", MISSING),
        "µs a step": (rows["step_seconds"] * 1e6).map(lambda x: number(x if x < 100 else round(x, 0))).where(rows["status"] != "failed", "failed"),
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
