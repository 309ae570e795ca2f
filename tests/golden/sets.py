"""The ten result sets: command lines, small enough that both trees make all of them in minutes."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import customs

CHOICES = Path("choices/optimizer")  # for --config-dir, in the folder of the set
OWN = ("--config-dir", "choices")


def _nothing() -> None:
    """Prepare nothing."""


class Request(NamedTuple):
    """A command line after `python -m lrbench`, and what has to be done before."""

    line: tuple[str, ...]
    prepare: Callable[[], None] = _nothing


class GoldenSet(NamedTuple):
    """A result set, or two that are compared."""

    name: str
    requests: tuple[Request, ...]


def _write_choice(name: str, target: str, mode: str | None = None) -> None:
    CHOICES.mkdir(parents=True, exist_ok=True)
    lines = [f"_target_: customs.{target}", "lr: 0.01"]
    if mode is not None:
        escaped = mode.replace("'", "''")
        lines.append(f"mode: '{escaped}'")
    (CHOICES / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---- hostile names

# no slash and no dollar: they name files, and Hydra would interpolate
HOSTILE_NAMES = (
    "<img src=x onerror=hit=1>",
    "a|b`*_&amp;^~#%",
    "{{ 7 * 7 }}",
    "ünï © 漢字 " + "x" * 120,
)
HOSTILE_FEATURES = ("<b>x</b>", "a|b`*_ $x_1$", "100 % \\alpha & {1}", "ünï © " + "y" * 80)
HOSTILE_TARGET = '"y"><script>hit=1</script>'
ROWS = 12


def _write_hostile() -> None:
    """Write choices and a table with names that break what does not escape them."""
    for name in HOSTILE_NAMES:
        _write_choice(name, "Named", mode=name)
    _write_choice("raising", "Raising", mode=HOSTILE_FEATURES[2])
    header = [*HOSTILE_FEATURES, HOSTILE_TARGET]
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in header)
    # powers modulo a prime: a table without a pattern that a generator could change
    numbers = [[pow(base, row + 1, 31) for base in (3, 11, 12, 13, 17)] for row in range(ROWS)]
    cells = [",".join(map(str, row)) for row in numbers]
    Path("hostile.csv").write_text("\n".join([quoted, *cells]) + "\n", encoding="utf-8")


def _in_quotes(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


_HOSTILE_CHOICES = ",".join(map(_in_quotes, (*HOSTILE_NAMES, "raising")))


# ---- the table

SETS = (
    GoldenSet("lecture", (Request(()),)),
    GoldenSet(
        "lecture-tuned",
        (
            Request(
                ("-m", "optimizer=sgd,adam,rmsprop", "tune=lr", "tune.trials=8", "seed=range(4)", "steps=60")
            ),
        ),
    ),
    GoldenSet(
        "diabetes",
        (
            Request(
                (
                    "-m",
                    "problem=diabetes",
                    "optimizer=sgd,sgd_momentum,adam",
                    "tune=lr",
                    "tune.trials=6",
                    "batch_size=64",
                    "epochs=4",
                    "seed=range(4)",
                )
            ),
        ),
    ),
    GoldenSet(
        "grid",
        (
            Request(
                (
                    "-m",
                    "problem=synthetic",
                    "problem.d=3",
                    "optimizer=sgd,adam,adagrad",
                    "optimizer.lr=0.001,0.01,0.1,1,10",
                    "seed=range(3)",
                    "steps=80",
                    "baselines=true",
                )
            ),
        ),
    ),
    GoldenSet(
        "diverged",
        (
            Request(
                ("-m", "optimizer=sgd,sgd_momentum", "optimizer.lr=10,100", "seed=range(3)", "steps=50")
            ),
        ),
    ),
    GoldenSet(
        "hostile",
        (
            Request(
                (
                    *OWN,
                    "-m",
                    "problem=csv",
                    "problem.path=hostile.csv",
                    f"problem.target={_in_quotes(HOSTILE_TARGET)}",
                    f"optimizer={_HOSTILE_CHOICES}",
                    "optimizer.lr=0.01,0.1",
                    "seed=range(2)",
                    "steps=20",
                ),
                _write_hostile,
            ),
        ),
    ),
    GoldenSet(
        "eight-problems",
        (
            Request(
                (
                    "-m",
                    "problem=lecture,diabetes,longley,stackloss,linnerud,engel,synthetic,grunfeld",
                    "optimizer=sgd,adam,rprop",
                    "tune=lr",
                    "tune.trials=4",
                    "seed=range(3)",
                    "steps=40",
                )
            ),
        ),
    ),
    GoldenSet(
        "logistic",
        (
            Request(
                (
                    "-m",
                    "problem=breast_cancer",
                    "loss=logistic",
                    "loss.l2=0.01",
                    "optimizer=sgd_momentum,adam,lbfgs",
                    "optimizer.lr=0.01,0.1",
                    "seed=range(3)",
                    "steps=30",
                )
            ),
        ),
    ),
    GoldenSet(
        "interrupted",
        (
            Request(
                (
                    *OWN,
                    "-m",
                    "optimizer=sgd,interrupted",
                    "optimizer.lr=0.01,0.02",
                    "seed=range(3)",
                    "steps=30",
                ),
                lambda: _write_choice("interrupted", "Interrupted"),
            ),
        ),
    ),
    GoldenSet(
        "compared",
        (
            Request(
                (
                    *OWN,
                    "-m",
                    "name=a",
                    "optimizer=adam,versioned",
                    "optimizer.lr=0.01,0.02",
                    "seed=range(6)",
                    "steps=60",
                ),
                lambda: _write_choice("versioned", "Versioned"),
            ),
            Request(
                (
                    *OWN,
                    "-m",
                    "name=b",
                    "optimizer=adam,versioned",
                    "optimizer.lr=0.01,0.02",
                    "seed=range(5)",
                    "steps=60",
                ),
                customs.next_version,
            ),
        ),
    ),
)
