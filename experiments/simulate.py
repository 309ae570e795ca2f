"""How often a verdict is wrong, measured where the truth is known: `make simulate` fills docs/statistics.md.

Names of studies as arguments do only these. Gaps are drawn from normal logarithms, or from a pool of real
runs. Copies of one optimizer, each on seeds of its own, do not differ, so whatever is shown between them is
an error. Everything is seeded; the same numbers come again.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from build import ROOT, filled, read, write
from numpy.random import Generator, Philox

import lrbench
from lrbench.results import Results
from lrbench.results.pages.markdown import table
from lrbench.results.statistics import (
    ALPHA,
    MARGIN,
    PairedComparison,
    across,
    compare,
    contest,
    geometric_mean,
)

SEED = 20_260
PAGE = ROOT / "docs" / "statistics.md"
POOL = 20_000  # runs that differ in nothing but their seed
BATCHES = ["problem=diabetes", "batch_size=32", "steps=200"]
STARTS = ["problem=synthetic", "problem.kappa=100", "steps=200"]
KAPPAS = (3, 10, 30, 100, 300, 1_000, 3_000, 10_000)

# the protocol: trials of each optimizer on tuning seeds, the best of them on evaluation seeds
TRIALS, TUNING, EVALUATION = 32, 3, 10

# how often each question is asked
INTERVALS, VERDICTS, SCRAMBLES = 10_000, 1_000, 20

COPIES = 3  # across problems: with five, eight problems could show nothing
SPREAD = 0.7  # standard deviation of a normal logarithm
RANDOM_EFFECT = 0.5  # standard deviation of what a copy owes to a problem, in the logarithm

Row = dict[str, object]
Shown = dict[str, bool]  # by kind of verdict, whether a difference is shown; between copies that is wrong
Drawn = tuple[np.ndarray, np.ndarray]  # (n,) gaps of two optimizers on the same n seeds


def main() -> None:
    names = sys.argv[1:]
    chosen = [study for study in STUDIES if not names or study.__name__ in names]
    texts = {}
    with tempfile.TemporaryDirectory() as folder:
        for study in chosen:
            # a generator each, so that a study alone gives the numbers that it gives among others
            rng = Generator(Philox(SEED))
            marker = study.__name__.replace("_", " ")
            texts[marker] = table(study(folder, rng).astype(str))
    write(PAGE, filled(read(PAGE), texts))
    sections = [f"{marker}\n\n{text}" for marker, text in texts.items()]
    print("\n\n".join(sections))


def swept(folder: str, *lines: str) -> Results:
    return lrbench.sweep(*lines, "report=false", f"results_dir={folder}")


def pool(folder: str, *lines: str) -> np.ndarray:
    """Return the final gaps of POOL runs, in the order of their seeds."""
    entries = swept(folder, *lines, f"seed=range({POOL})", "record=2").entries
    return entries.sort_values("seed")["gap"].to_numpy()


# ---- how often the 95 % interval holds the true ratio


class Pairs(NamedTuple):
    """Where paired gaps of two optimizers come from, on how many seeds is asked, and their true ratio."""

    draw: Callable[[int], Drawn]
    ratio: float


def coverage(folder: str, rng: Generator) -> pd.DataFrame:
    rows = []
    for name, pairs in _sources(folder, rng):
        for n in (5, 10, 20):
            holds = [_holds_the_truth(pairs, n) for _ in range(INTERVALS)]
            share = f"{100 * np.mean(holds):.1f} %"
            rows.append({"log ratios": name, "seeds": n, "intervals": INTERVALS, "hold the truth": share})
    return pd.DataFrame(rows)


def _sources(folder: str, rng: Generator) -> Iterator[tuple[str, Pairs]]:
    yield "normal logarithms", _lognormal(rng)

    sgd = pool(folder, *BATCHES, "optimizer=sgd")
    adam = pool(folder, *BATCHES, "optimizer=adam", "optimizer.lr=0.1")
    yield "SGD and Adam, batches of 32", _of_pools(sgd, adam, rng)

    sgd = pool(folder, *STARTS, "optimizer=sgd", "optimizer.lr=1")
    heavy_ball = pool(folder, *STARTS, "optimizer=sgd_momentum", "optimizer.lr=0.3")
    yield "SGD and heavy ball, starts", _of_pools(sgd, heavy_ball, rng)


def _lognormal(rng: Generator) -> Pairs:
    def draw(n: int) -> Drawn:
        a, b = rng.lognormal(0.0, SPREAD, (2, n))
        return a, b

    return Pairs(draw, ratio=1.0)


def _of_pools(a: np.ndarray, b: np.ndarray, rng: Generator) -> Pairs:
    def draw(n: int) -> Drawn:
        seeds = rng.choice(len(a), n, replace=False)
        return a[seeds], b[seeds]

    log_ratios = np.log(b / a)
    return Pairs(draw, ratio=float(np.exp(log_ratios.mean())))


def _holds_the_truth(pairs: Pairs, n: int) -> bool:
    a, b = pairs.draw(n)
    interval = compare(a, b, 0.0)
    return interval.low <= pairs.ratio <= interval.high


# ---- how often something is shown between copies of one optimizer


def errors_of_a_verdict(folder: str, rng: Generator) -> pd.DataFrame:
    """Each copy has TRIALS trials on TUNING seeds.

    The copy with the best of all trials leads, and is compared on EVALUATION other seeds.
    """
    gaps = pool(folder, *BATCHES, "optimizer=sgd")
    rows = []
    for copies in (2, 5, 15):
        verdicts = [_verdict(gaps, copies, rng) for _ in range(VERDICTS)]
        rows.append(_errors(f"{copies} copies", verdicts))
    return pd.DataFrame(rows)


def _verdict(gaps: np.ndarray, copies: int, rng: Generator) -> Shown:
    """Say whether anything is shown between copies, by family of pairs, with the margin and without."""
    runs_of_a_copy = EVALUATION + TRIALS * TUNING
    drawn = rng.choice(gaps, (copies, runs_of_a_copy), replace=False)
    evaluation, tuning = drawn[:, :EVALUATION], drawn[:, EVALUATION:]
    trials = geometric_mean(tuning.reshape(copies, TRIALS, TUNING))  # (copies, TRIALS)
    leader = int(trials.min(axis=1).argmin())
    tuned = contest(evaluation, 0.0, leader=leader)
    untuned = contest(evaluation, 0.0, leader=None)

    leaders_pairs = tuned.family == "leader"
    all_pairs = np.ones(len(leaders_pairs), dtype=bool)
    families = {
        "leader": (tuned, leaders_pairs),
        "all of its ranks": (tuned, all_pairs),
        "untuned": (untuned, all_pairs),
    }
    shown = {}
    for name, (decided, pairs) in families.items():
        shown[name] = _any(decided.better[pairs])
    for name, (decided, pairs) in families.items():
        shown[f"{name}, margin 1"] = _any(decided.p_holm[pairs] < ALPHA)
    return shown


def errors_across_problems(folder: str, rng: Generator) -> pd.DataFrame:
    """Three copies on eight problems, EVALUATION seeds each.

    Then with an effect of its own for each copy on each problem, 0 on average.
    """
    gaps = []
    for kappa in KAPPAS:
        lines = [
            "problem=synthetic",
            f"problem.kappa={kappa}",
            "steps=200",
            "optimizer=sgd",
            "optimizer.lr=1",
        ]
        gaps.append(pool(folder, *lines))
    effects = {
        f"{COPIES} copies on {len(KAPPAS)} problems": 0.0,
        f"the same, random effects of {RANDOM_EFFECT}": RANDOM_EFFECT,
    }
    rows = []
    for name, effect in effects.items():
        verdicts = [_verdict_across(gaps, effect, rng) for _ in range(VERDICTS)]
        rows.append(_errors(name, verdicts))
    return pd.DataFrame(rows)


def _verdict_across(gaps: list[np.ndarray], effect: float, rng: Generator) -> Shown:
    drawn = [rng.choice(of_problem, (COPIES, EVALUATION), replace=False) for of_problem in gaps]
    logs = np.log(drawn).mean(axis=2)  # (problems, COPIES)
    logs += rng.normal(0.0, effect, logs.shape)
    decided = across(logs)
    return {"shown": _any(decided.better), "margin 1": _any(decided.p_holm < ALPHA)}


def _any(pairs: np.ndarray) -> bool:
    return bool(pairs.any())


def _errors(name: str, verdicts: list[Shown]) -> Row:
    """Return a row of counts: between copies whatever is shown is wrong."""
    row: Row = {"no difference between": name, "verdicts": len(verdicts)}
    counts = pd.DataFrame(verdicts).sum()
    for kind, count in counts.items():
        row[f"wrong, {kind}"] = int(count)
    return row


# ---- studies of the protocol


def inclusion(folder: str, rng: Generator) -> pd.DataFrame:
    """SGD's trials are among those of heavy ball (momentum 0): then heavy ball must not end worse."""
    return pd.DataFrame([_inclusion_on(kappa, folder) for kappa in KAPPAS])


def _inclusion_on(kappa: int, folder: str) -> Row:
    lrs = [f"{lr:.3g}" for lr in np.geomspace(0.01, 10, TRIALS)]
    entries = swept(
        folder,
        "problem=synthetic",
        f"problem.kappa={kappa}",
        "steps=200",
        "optimizer=sgd",
        "record=2",
        f"seed=range({TUNING + EVALUATION})",
        f"optimizer.lr={','.join(lrs)}",
        "optimizer.momentum=0,0.5,0.9,0.99",
    ).entries
    sgd = _best_on_tuning_seeds(entries[entries["optimizer.momentum"] == 0])
    heavy_ball = _best_on_tuning_seeds(entries)
    found = compare(
        _gaps_on_evaluation_seeds(entries, heavy_ball),
        _gaps_on_evaluation_seeds(entries, sgd),
        entries["gap_floor"].iloc[0],
    )
    is_significant = found.test == "t" and found.p < ALPHA
    is_worse = is_significant and found.high < 1 / MARGIN
    return {
        "kappa": kappa,
        "SGD": sgd,
        "heavy ball": heavy_ball,
        "ratio": _ratio(found),
        "worse beyond the margin": "yes" if is_worse else "no",
    }


def _ratio(found: PairedComparison) -> str:
    if found.test == "floor":
        return "both at the gap floor"
    if found.test == "sign":
        return f"at least {found.at_least:.3g}"
    interval = f"{found.low:.3g} to {found.high:.3g}"
    return f"{found.ratio:.3g} ({interval})"


def _best_on_tuning_seeds(entries: pd.DataFrame) -> str:
    """Return the setting of the lowest geometric mean over the first TUNING seeds."""
    tuning = entries[entries["seed"] < TUNING]
    gaps = tuning.pivot(index="setting", columns="seed", values="gap")
    best = geometric_mean(gaps.to_numpy()).argmin()
    return str(gaps.index[best])


def _gaps_on_evaluation_seeds(entries: pd.DataFrame, setting: str) -> np.ndarray:
    is_evaluation = entries["seed"] >= TUNING
    own = entries[(entries["setting"] == setting) & is_evaluation]
    return own.sort_values("seed")["gap"].to_numpy()


def scrambles(folder: str, rng: Generator) -> pd.DataFrame:
    """The same comparison with SCRAMBLES scramblings of the trials: who leads, who is in the first group."""
    lines = [
        "problem=diabetes",
        "steps=200",
        "optimizer=sgd_momentum,adam,nadam,radam,rmsprop,adagrad",
        "tune=all",
        f"seed=range({EVALUATION})",
    ]
    leads, first = Counter(), Counter()
    names: set[str] = set()
    for seed in range(SCRAMBLES):
        ranking = swept(folder, *lines, f"tune.seed={seed}").ranking
        names.update(ranking["optimizer"])
        leads.update(ranking.loc[ranking["leader"], "optimizer"])
        first.update(ranking.loc[ranking["first"], "optimizer"])
    in_order = sorted(names)
    return pd.DataFrame(
        {
            "optimizer": in_order,
            "leads": [leads[name] for name in in_order],
            "in the first group": [first[name] for name in in_order],
            "of": SCRAMBLES,
        }
    )


STUDIES = (coverage, errors_of_a_verdict, errors_across_problems, inclusion, scrambles)

if __name__ == "__main__":
    main()
