"""How often the verdict is wrong, measured where the truth is known: `make simulate` fills docs/statistics.md; names of studies do only these.

Gaps are drawn from normal logarithms, or from a pool of real runs. Copies of one optimizer, each on seeds of its own, do not differ, so whatever is
shown between them is an error. Everything is seeded; the same numbers come again.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
from build import ROOT, filled

import lrbench
from lrbench.results import Results
from lrbench.results.report.markdown import table
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
INTERVALS, VERDICTS, SCRAMBLES = 10_000, 1_000, 20
EVALUATION, TUNING, TRIALS = 10, 3, 32  # seeds, seeds and trials of the protocol
COPIES = 3  # across problems: with five, eight problems could show nothing
POOL = 20_000  # runs that differ in nothing but their seed
KAPPAS = (3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
BATCHES = ["problem=diabetes", "batch_size=32", "steps=200"]
STARTS = ["problem=synthetic", "problem.kappa=100", "steps=200"]

Draw = Callable[[int], tuple[np.ndarray, np.ndarray]]  # n seeds -> paired gaps of two optimizers


def main() -> None:
    chosen = [study for study in STUDIES if study.__name__ in sys.argv[1:] or not sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        frames = {
            study.__name__.replace("_", " "): study(folder, np.random.Generator(np.random.Philox(SEED)))
            for study in chosen
        }
    blocks = {name: table(frame.astype(str)) for name, frame in frames.items()}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), blocks), encoding="utf-8")
    print("\n\n".join(f"{name}\n\n{text}" for name, text in blocks.items()))


def swept(folder: str, *lines: str) -> Results:
    return lrbench.sweep(*lines, "report=false", f"results_dir={folder}")


def pool(folder: str, *lines: str) -> np.ndarray:
    """Return the final gaps of POOL runs, in the order of their seeds."""
    return (
        swept(folder, *lines, f"seed=range({POOL})", "record=2").entries.sort_values("seed")["gap"].to_numpy()
    )


# ---- how often the 95 % interval holds the true ratio


def coverage(folder: str, rng: np.random.Generator) -> pd.DataFrame:
    cases: dict[str, tuple[Draw, float]] = {
        "normal logarithms": (lambda n: tuple(rng.lognormal(0.0, 0.7, (2, n))), 1.0),
        "SGD and Adam, batches of 32": _of_pools(
            pool(folder, *BATCHES, "optimizer=sgd"),
            pool(folder, *BATCHES, "optimizer=adam", "optimizer.lr=0.1"),
            rng,
        ),
        "SGD and heavy ball, starts": _of_pools(
            pool(folder, *STARTS, "optimizer=sgd", "optimizer.lr=1"),
            pool(folder, *STARTS, "optimizer=sgd_momentum", "optimizer.lr=0.3"),
            rng,
        ),
    }
    return pd.DataFrame(
        {
            "log ratios": name,
            "seeds": n,
            "intervals": INTERVALS,
            "hold the truth": f"{100 * np.mean([_holds(*draw(n), truth) for _ in range(INTERVALS)]):.1f} %",
        }
        for name, (draw, truth) in cases.items()
        for n in (5, 10, 20)
    )


def _of_pools(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> tuple[Draw, float]:
    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        seeds = rng.choice(len(a), n, replace=False)
        return a[seeds], b[seeds]

    return draw, float(np.exp(np.log(b / a).mean()))


def _holds(a: np.ndarray, b: np.ndarray, truth: float) -> bool:
    found = compare(a, b, 0.0)
    return found.low <= truth <= found.high


# ---- how often something is shown between copies of one optimizer


def errors_of_a_verdict(folder: str, rng: np.random.Generator) -> pd.DataFrame:
    """Each copy has TRIALS trials on TUNING seeds; the copy with the best of all trials leads, and is compared on EVALUATION other seeds."""
    gaps = pool(folder, *BATCHES, "optimizer=sgd")
    return pd.DataFrame(
        _errors(f"{k} copies", [_verdict(gaps, k, rng) for _ in range(VERDICTS)]) for k in (2, 5, 15)
    )


def _verdict(gaps: np.ndarray, k: int, rng: np.random.Generator) -> dict[str, bool]:
    drawn = rng.choice(gaps, (k, TRIALS * TUNING + EVALUATION), replace=False)
    trials = geometric_mean(drawn[:, EVALUATION:].reshape(k, TRIALS, TUNING))
    evaluation = drawn[:, :EVALUATION]
    tuned, untuned = (
        contest(evaluation, 0.0, leader=int(trials.min(axis=1).argmin())),
        contest(evaluation, 0.0, leader=None),
    )
    led = tuned.family == "leader"
    every = np.ones(len(led), dtype=bool)
    families = {"leader": (tuned, led), "all of its ranks": (tuned, every), "untuned": (untuned, every)}
    margins = {name: bool(found.better[pairs].any()) for name, (found, pairs) in families.items()}
    return margins | {
        f"{name}, margin 1": bool((found.p_holm[pairs] < ALPHA).any())
        for name, (found, pairs) in families.items()
    }


def errors_across_problems(folder: str, rng: np.random.Generator) -> pd.DataFrame:
    """Three copies on eight problems, EVALUATION seeds each; then with an effect of its own for each copy on each problem, 0 on average."""
    gaps = [
        pool(
            folder,
            "problem=synthetic",
            f"problem.kappa={kappa}",
            "steps=200",
            "optimizer=sgd",
            "optimizer.lr=1",
        )
        for kappa in KAPPAS
    ]
    effects = {f"{COPIES} copies on {len(KAPPAS)} problems": 0.0, "the same, random effects of 0.5": 0.5}
    return pd.DataFrame(
        _errors(name, [_across(gaps, sd, rng) for _ in range(VERDICTS)]) for name, sd in effects.items()
    )


def _across(gaps: list[np.ndarray], sd: float, rng: np.random.Generator) -> dict[str, bool]:
    logs = np.stack(
        [np.log(rng.choice(of_one, (COPIES, EVALUATION), replace=False)).mean(axis=1) for of_one in gaps]
    )  # (P, k)
    logs += rng.normal(0.0, sd, logs.shape)
    found = across(logs)
    return {"shown": bool(found.better.any()), "margin 1": bool((found.p_holm < ALPHA).any())}


def _errors(name: str, verdicts: list[dict[str, bool]]) -> dict[str, object]:
    counts = pd.DataFrame(verdicts).sum()
    return {
        "no difference between": name,
        "verdicts": len(verdicts),
        **{f"wrong, {kind}": int(count) for kind, count in counts.items()},
    }


# ---- studies of the protocol


def inclusion(folder: str, rng: np.random.Generator) -> pd.DataFrame:
    """SGD's trials are among those of heavy ball (momentum 0): then heavy ball must not end worse."""
    rows = []
    for kappa in KAPPAS:
        lines = [
            "problem=synthetic",
            f"problem.kappa={kappa}",
            "steps=200",
            "optimizer=sgd",
            "record=2",
            f"seed=range({TUNING + EVALUATION})",
        ]
        entries = swept(
            folder, *lines, f"optimizer.lr={','.join(_lrs())}", "optimizer.momentum=0,0.5,0.9,0.99"
        ).entries
        small, large = _chosen(entries[entries["optimizer.momentum"] == 0]), _chosen(entries)
        found = compare(_evaluated(entries, large), _evaluated(entries, small), entries["gap_floor"].iloc[0])
        worse = found.test == "t" and found.p < ALPHA and found.high < 1 / MARGIN
        rows.append(
            {
                "kappa": kappa,
                "SGD": small,
                "heavy ball": large,
                "ratio": _ratio(found),
                "worse beyond the margin": "yes" if worse else "no",
            }
        )
    return pd.DataFrame(rows)


def _ratio(found: PairedComparison) -> str:
    if found.test == "floor":
        return "both at the gap floor"
    return (
        f"at least {found.at_least:.3g}"
        if found.test == "sign"
        else f"{found.ratio:.3g} ({found.low:.3g} to {found.high:.3g})"
    )


def _lrs() -> list[str]:
    return [f"{lr:.3g}" for lr in np.geomspace(0.01, 10, TRIALS)]


def _chosen(entries: pd.DataFrame) -> str:
    gaps = entries[entries["seed"] < TUNING].pivot(index="setting", columns="seed", values="gap")
    return str(gaps.index[geometric_mean(gaps.to_numpy()).argmin()])


def _evaluated(entries: pd.DataFrame, setting: str) -> np.ndarray:
    return (
        entries[(entries["setting"] == setting) & (entries["seed"] >= TUNING)]
        .sort_values("seed")["gap"]
        .to_numpy()
    )


def scrambles(folder: str, rng: np.random.Generator) -> pd.DataFrame:
    """The same comparison with 20 scramblings of the trials: who leads, and who is in the first group."""
    lines = [
        "problem=diabetes",
        "steps=200",
        "optimizer=sgd_momentum,adam,nadam,radam,rmsprop,adagrad",
        "tune=all",
        f"seed=range({EVALUATION})",
    ]
    rankings = [swept(folder, *lines, f"tune.seed={seed}").ranking for seed in range(SCRAMBLES)]
    leads, first = (
        Counter(name for ranking in rankings for name in ranking.loc[ranking[column], "optimizer"])
        for column in ("leader", "first")
    )
    return pd.DataFrame(
        {"optimizer": name, "leads": leads[name], "in the first group": first[name], "of": SCRAMBLES}
        for name in sorted(rankings[0]["optimizer"])
    )


STUDIES = (coverage, errors_of_a_verdict, errors_across_problems, inclusion, scrambles)

if __name__ == "__main__":
    main()
