"""The ten result sets as command lines, so small that both trees make all of them in a few minutes.

Each stands for something that people meet; the whole of them executes nearly every line of lrbench.results.
"""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import customs


def _nothing() -> None:
    """Prepare nothing."""


class Request(NamedTuple):
    """What stands after `python -m lrbench`, and what has to be done before."""

    line: str
    prepare: Callable[[], None] = _nothing

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)


class GoldenSet(NamedTuple):
    """One request, or several; where `compared`, the first result set is compared with each of the others."""

    name: str
    requests: list[Request]
    compared: bool = False


# ---- choices of a user's own

CHOICES = Path("choices")  # in the folder of the set
OWN = f"--config-dir {CHOICES}"


def _write_choice(name: str, target: str, mode: str | None = None) -> None:
    """Write optimizer=<name>, a class of `customs`."""
    lines = [f"_target_: customs.{target}", "lr: 0.01"]
    if mode is not None:
        in_yaml = mode.replace("'", "''")
        lines.append(f"mode: '{in_yaml}'")
    folder = CHOICES / "optimizer"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_interrupted() -> None:
    _write_choice("interrupted", "Interrupted")


def _write_versioned() -> None:
    _write_choice("versioned", "Versioned")


# ---- hostile names

# without a slash or a dollar: these name files, and Hydra would interpolate
HOSTILE_CHOICES = (
    "<img src=x onerror=hit=1>",
    "a|b`*_&amp;^~#%",
    "{{ 7 * 7 }}",
    "ünï © 漢字 " + "x" * 120,
)
HOSTILE_FEATURES = (
    "<b>x</b>",
    "a|b`*_ $x_1$",
    "100 % \\alpha & {1}",
    "ünï © " + "y" * 80,
)
HOSTILE_TARGET = '"y"><script>hit=1</script>'
BASES, PRIME, ROWS = (3, 11, 12, 13, 17), 31, 12  # the table holds powers of the bases modulo the prime


def _write_hostile() -> None:
    """Write choices and a table whose names break whatever does not escape them."""
    for name in HOSTILE_CHOICES:
        _write_choice(name, "Named", mode=name)
    _write_choice("raising", "Raising", mode=HOSTILE_FEATURES[2])
    header = [name.replace('"', '""') for name in (*HOSTILE_FEATURES, HOSTILE_TARGET)]
    lines = [",".join(f'"{name}"' for name in header)]
    for power in range(1, ROWS + 1):
        lines.append(",".join(str(pow(base, power, PRIME)) for base in BASES))
    Path("hostile.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_hydra(name: str) -> str:
    """Quote a name in Hydra's grammar."""
    escaped = name.replace("'", "\\'")
    return f"'{escaped}'"


def _hostile_line() -> str:
    names = [*HOSTILE_CHOICES, "raising"]
    chosen = ",".join(map(_in_hydra, names))
    hostile = [f"problem.target={_in_hydra(HOSTILE_TARGET)}", f"optimizer={chosen}"]
    plain = f"{OWN} -m problem=csv problem.path=hostile.csv optimizer.lr=0.01,0.1 seed=range(2) steps=20"
    return f"{plain} {shlex.join(hostile)}"


# ---- the table

SETS = [
    GoldenSet(
        "lecture",
        [
            Request(""),
            Request("problem=stackloss optimizer=adam steps=200 predict=[[70,20,90],[50,18,80]]"),
        ],
    ),
    GoldenSet(
        "lecture-tuned",
        [
            Request(
                "-m optimizer=sgd,adam,rmsprop tune=lr tune.trials=8 seed=range(4) steps=60 target=1e-3",
            ),
        ],
    ),
    GoldenSet(
        "diabetes",
        [
            Request(
                "-m problem=diabetes optimizer=sgd,sgd_momentum,adam tune=lr tune.trials=6"
                " batch_size=64 epochs=4 seed=range(4)",
            ),
        ],
    ),
    GoldenSet(
        "grid",
        [
            Request(
                "-m problem=synthetic problem.d=3 problem.test_rows=20 optimizer=sgd,adam,adagrad"
                " optimizer.lr=0.001,0.01,0.1,1,10 seed=range(3) steps=80 baselines=true",
            ),
        ],
    ),
    GoldenSet(
        "diverged",
        [
            Request("-m optimizer=sgd,sgd_momentum optimizer.lr=10,100 seed=range(3) steps=50"),
        ],
    ),
    GoldenSet("hostile", [Request(_hostile_line(), _write_hostile)]),
    GoldenSet(
        "eight-problems",
        [
            Request(
                "-m problem=lecture,diabetes,longley,stackloss,linnerud,engel,synthetic,grunfeld"
                " optimizer=sgd,adam,rprop tune=lr tune.trials=4 seed=range(3) steps=40",
            ),
        ],
    ),
    GoldenSet(
        "logistic",
        [
            Request(
                "-m problem=breast_cancer loss=logistic loss.l2=0.01 dtype=float32 schedule=cosine"
                " optimizer=sgd_momentum,adam,lbfgs optimizer.lr=0.01,0.1 seed=range(3) steps=30",
            ),
        ],
    ),
    GoldenSet(
        "interrupted",
        [
            Request(
                f"{OWN} -m optimizer=sgd,interrupted optimizer.lr=0.01,0.02 seed=range(3) steps=30",
                _write_interrupted,
            ),
        ],
    ),
    GoldenSet(
        "compared",
        [
            Request(
                f"{OWN} -m name=a optimizer=sgd,adam,versioned optimizer.lr=0.01,0.02 seed=range(6)"
                " batch_size=null,2 batch_order=replacement steps=60 baselines=true",
                _write_versioned,
            ),
            # at the same settings one optimizer is worse, and a seed is missing
            Request(
                f"{OWN} -m name=b optimizer=sgd,adam,versioned optimizer.lr=0.01,0.02 seed=range(5)"
                " batch_size=null,2 batch_order=replacement steps=60 baselines=true",
                customs.next_version,
            ),
            # no setting in common
            Request(
                "-m name=c optimizer=sgd,adam tune=lr tune.trials=5 seed=range(6)"
                " batch_size=null,2 batch_order=replacement steps=60 report=false"
            ),
            # another budget, so that it compares only with --anyway
            Request(
                "-m name=d optimizer=sgd,adam optimizer.lr=0.01,0.02 seed=range(6)"
                " batch_size=null,2 batch_order=replacement steps=30 report=false"
            ),
        ],
        compared=True,
    ),
]
