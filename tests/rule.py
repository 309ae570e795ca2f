"""The rule by which lrbench says which optimizer is better: a reference in numpy alone, with worked cases.

It is written a run and a pair at a time, with its own t distribution, so that it shares nothing with what it
checks. `cases` holds the worked cases; `python tests/rule.py` runs them.

A run is its gap (T+1,) at the states 0 .. T and the gradient evaluations until each (T+1,). One evaluation is
one pass over all rows: a step on all rows costs 1, a minibatch step its share of the rows, a step of LBFGS
every call of its closure. The budget B is in evaluations, the same for every optimizer. Evaluation runs go on
to 2 B: what happens after B ranks nothing, it only tells who stays.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

MARGIN = 1.25  # smaller ratios do not matter
ROUNDING = 1e-12  # whole costs, as 4 and 5, are often the margin apart: neither within it nor beyond
LOG_MARGIN = math.log(MARGIN) + ROUNDING
STEPS = 2  # nor do differences of fewer steps
LEAVES = 2.0  # a run that has arrived may not exceed this many times the target any more
RISE = 100.0  # a setting whose gap first rises above this many times where it began is not chosen
ALPHA = 0.05
SIGNS = 10  # seeds from which on the sign test has more power than the ranks
TINY = np.finfo(float).tiny
TARGETS = tuple(10.0**-k for k in range(1, 9))

CLEAR = "clear"
CLOSE = "close"
AS_GOOD = "as good"
OPEN = "not settled"
UNTOLD = "cannot be told"
SAME = "the same"
NOBODY = "all lost"
PASSES = "passes through"


# ---- one run


@dataclass(frozen=True)
class Reading:
    """What a run is worth.

    reached: its level is within the target. cost: evaluations until it arrived, B if it did not. step:
    evaluations that a step takes. run: a hash of the curve until B; two runs that are bit for bit the same
    are one. rise: its largest gap until B over where it began, the larger of start and constant model. left:
    it arrived, and exceeds twice the target in (B, 2 B].
    """

    lost: bool
    reached: bool
    cost: float
    level: float
    step: float
    target: float
    budget: float
    run: int
    rise: float = 1.0
    left: bool = False
    scale: float = 0.0

    @property
    def score(self) -> float:
        """Return log(cost / B) <= 0 of a run that arrived, log(level / target) > 0 of one that did not."""
        if self.lost:
            return math.inf
        if self.reached:
            return math.log(self.cost / self.budget)
        return math.log(self.level) - math.log(self.target)


def pass_means(gap: np.ndarray, evaluations: np.ndarray) -> np.ndarray:
    """Return, for each state, the mean gap of the states of the last pass over the rows.

    That is one state where a step takes all rows, and then the state itself: a difference of sums would lose
    the digits of small gaps.
    """
    first = np.searchsorted(evaluations, evaluations - 1 + 1e-9, side="right")
    last = np.arange(len(gap))
    begin = np.minimum(first, last)
    sums = np.concatenate([[0.0], np.cumsum(gap)])
    means = (sums[last + 1] - sums[begin]) / (last + 1 - begin)
    return np.where(first == last, gap, means)


def read(gap, evaluations, budget, target, floor=0.0, scale=0.0) -> Reading:
    """Read a run.

    target: the absolute gap, which is the relative target times scale; 0 where there is none. floor: the gap
    below which all is rounding. scale: the gap of the constant model.
    """
    whole, until = np.asarray(gap, float), np.asarray(evaluations, float)
    steps = np.diff(until)
    step = float(steps[steps > 0].min(initial=math.inf))
    target = max(target, floor, TINY)  # below the floor nothing can be told
    kept = until <= budget + 1e-9  # LBFGS: a step that passes the budget does not count
    later = ~kept & (until <= 2 * budget + 1e-9)
    gap, evaluations = whole[kept], until[kept]
    run, began = hash(gap.tobytes()), max(gap[0], scale, floor, TINY)

    finite = np.isfinite(gap).all()
    rise = float(gap.max() / began) if finite else math.inf
    if not finite or gap[-1] > began:
        return Reading(True, False, budget, math.inf, step, target, budget, run, rise, False, scale)

    window = (evaluations > budget - max(budget / 10, 1) + 1e-9) & (np.arange(len(gap)) > 0)
    window[-1] |= not window.any()  # it stopped by itself before: its last state holds until B
    level = max(float(gap[window].mean()), floor)
    reached = level <= target

    # a window never holds a state that the pass mean does not know: both are arithmetic means
    means = pass_means(gap, evaluations)
    last_outside = np.flatnonzero(means > LEAVES * target).max(initial=-1)
    inside = np.flatnonzero((means <= target) & (np.arange(len(means)) > last_outside))
    cost = float(evaluations[inside[0]]) if reached and len(inside) else budget
    cost = max(cost, min(step, budget))

    finite_ones = np.where(np.isfinite(whole), whole, 1e300)
    beyond = pass_means(finite_ones, until)[later]
    left = bool(reached and (beyond > LEAVES * target).any())
    return Reading(False, reached, cost, level, step, target, budget, run, rise, left, scale)


def passes(runs: list[Reading]) -> bool:
    """Say whether an optimizer only passes through: most of its runs that arrive by B leave again by 2 B."""
    return sum(r.left for r in runs) * 2 > sum(r.reached for r in runs)


def costs(gap, evaluations, budget, scale, floor=0.0) -> list[float]:
    """Return the evaluations until arrival at each of TARGETS; a miss, or a lost run, counts B."""
    return [read(gap, evaluations, budget, t * scale, floor, scale).cost for t in TARGETS]


def mean(values) -> float:
    """Return the geometric mean.

    That of costs over targets is the area; over seeds, of costs at one target, it is the profile.
    """
    return math.exp(np.mean(np.log(values)))


# ---- choice and trials


def too_high(rises, limit=RISE) -> np.ndarray:
    """Say of each trial, rises (trials, seeds), whether it rises above the limit on a seed.

    Then it is neither chosen nor among the rates that work. limit None: any may be.
    """
    highest = math.inf if limit is None else limit
    return (np.asarray(rises, float) > highest).any(1)


def choose(scores, rises=None, limit=RISE) -> int:
    """Return the best of trials, scores (trials, seeds).

    Fewest lost seeds, then the least mean score, then the first (the smallest rate). A trial that rises too
    high counts as lost on every seed.
    """

    def key(trial: int) -> tuple[int, float, int]:
        completed = [score for score in scores[trial] if score < math.inf]
        if rises is not None and too_high(rises, limit)[trial]:
            completed = []
        lost = len(scores[trial]) - len(completed)
        return lost, sum(completed) / max(len(completed), 1), trial

    return min(range(len(scores)), key=key)


def coarse(low: float, high: float, count: int = 16) -> np.ndarray:
    """Return the log10 of the first trials' rates."""
    return np.linspace(math.log10(low), math.log10(high), count)


def zoom(best: float, spacing: float, count: int = 8) -> tuple[np.ndarray, float]:
    """Return the log10 of `count` (even) further rates between the neighbours of the best, their spacing."""
    half = count // 2
    finer = spacing / (half + 1)
    steps = [k for k in range(-half, half + 1) if k]
    return best + finer * np.array(steps), finer


# ---- a pair


@dataclass(frozen=True)
class Pair:
    """What two optimizers on the same seeds say.

    test: t, sign, ranks; or none (one start), same, lost. unit of ratio, low, high (b over a, above 1 where a
    is better): evaluations, gap; None: order alone. wins, losses: seeds on which a, or b, is ahead by more
    than the margin. side: who is ahead. p: against no difference. beyond: against a difference of the margin.
    error: standard error of the logarithm of the ratio.
    """

    test: str
    n: int
    wins: int
    losses: int
    unit: str | None = None
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    beyond: float = math.nan
    error: float = math.nan
    few_steps: bool = False
    side: int = 0


def t_tail(t: float, nu: int) -> float:
    """Return the two-sided p of Student's t with whole degrees of freedom.

    Abramowitz and Stegun (1964), 26.7.3 and 26.7.4. Off by some 1e-16, which is all of a p that small.
    """
    if math.isinf(t):
        return 0.0
    angle = math.atan(abs(t) / math.sqrt(nu))
    c, s = math.cos(angle), math.sin(angle)
    even = nu % 2 == 0
    term, total = 1.0 if even else c, 0.0
    for k in range(nu // 2 if even else (nu - 1) // 2):
        total += term
        quotient = (2 * k + 1) / (2 * k + 2) if even else (2 * k + 2) / (2 * k + 3)
        term *= quotient * c * c
    inside = s * total if even else 2 / math.pi * (angle + s * total)
    return max(0.0, 1 - inside)


@cache
def t_quantile(nu: int, alpha: float = ALPHA) -> float:
    low, high = 0.0, 1e4
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, nu) > alpha else (low, middle)
    return low


def sign_p(wins: int, losses: int) -> float:
    n = wins + losses
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**n)


def rank_tail(better: np.ndarray, worse: np.ndarray) -> float:
    """Return the exact one-sided p of n scores lying below n others (Wilcoxon 1945, Mann and Whitney 1947).

    U is the number of pairs in the wrong order, a tie half. The number of arrangements with U <= u comes from
    the Gaussian binomial of 2n over n, in whole numbers.
    """
    n = len(better)
    wrong = (better[:, None] > worse).sum() + (better[:, None] == worse).sum() / 2
    u = math.ceil(wrong)
    counts = [1] + [0] * u
    for i in range(1, n + 1):
        for d in range(u, n + i - 1, -1):
            counts[d] -= counts[d - n - i]
        for d in range(i, u + 1):
            counts[d] += counts[d - i]
    return sum(counts) / math.comb(2 * n, n)


def distinct(a: list[Reading], b: list[Reading]) -> list[tuple[Reading, Reading]]:
    """Return the pairs of runs, those that repeat bit for bit once.

    Never by the costs, which are whole numbers, or by the levels, which the floor makes alike.
    """
    first = {}
    for x, y in zip(a, b, strict=True):
        first.setdefault((x.run, y.run), (x, y))
    return list(first.values())


def compare(a: list[Reading], b: list[Reading], family: int = 1) -> Pair:
    """Compare two optimizers on the same seeds, in order, one of so many pairs.

    Where some runs arrive and others do not, the order decides: from ten seeds on by the sign test, which
    keeps the pairing; with fewer, or where a clean sweep of the signs could not show anything in this family,
    by the ranks of all scores. Which of the two depends on n and the family alone.
    """
    kept = distinct(a, b)
    n = len(kept)
    runs = [run for both in kept for run in both]
    x = np.array([0.0 if r.score == s.score else s.score - r.score for r, s in kept])
    wins, losses = int((x > LOG_MARGIN).sum()), int((x < -LOG_MARGIN).sum())
    if all(r.lost for r in runs):
        return Pair("lost", n, 0, 0)
    if all(r.run == s.run for r, s in kept):
        return Pair("same", n, 0, 0)
    if n == 1:
        return Pair("none", n, wins, losses)
    everybody = all(r.reached for r in runs)
    nobody = not any(r.reached or r.lost for r in runs)
    if everybody or nobody:
        return by_size(kept, x, everybody)
    if n >= SIGNS and family * 2.0 ** (1 - n) < ALPHA:
        return by_signs(x)
    return by_ranks(kept, wins, losses)


def by_size(kept: list[tuple[Reading, Reading]], x: np.ndarray, arrived: bool) -> Pair:
    """Student's t test (1908) of the logarithms."""
    n = len(x)
    log, error = float(x.mean()), float(x.std(ddof=1)) / math.sqrt(n)
    half = t_quantile(n - 1) * error
    p = t_tail(_over(log, error), n - 1)
    # one-sided: no ratio is on both sides of the margin
    t = _over(abs(log) - LOG_MARGIN, error)
    tail = t_tail(t, n - 1) / 2
    beyond = tail if t > 0 else 1 - tail
    apart = abs(np.mean([s.cost - r.cost for r, s in kept]))
    step = max(run.step for both in kept for run in both)
    return Pair(
        "t",
        n,
        wins=int((x > LOG_MARGIN).sum()),
        losses=int((x < -LOG_MARGIN).sum()),
        unit="evaluations" if arrived else "gap",
        ratio=_exp(log),
        low=_exp(log - half),
        high=_exp(log + half),
        p=p,
        beyond=beyond,
        error=error,
        few_steps=bool(arrived and apart < STEPS * step - 1e-9),
        side=int(np.sign(log)),
    )


def by_signs(x: np.ndarray) -> Pair:
    """The exact sign test: two-sided both times, as arrived or not is a jump that no margin parts."""
    ahead, behind = int((x > 0).sum()), int((x < 0).sum())
    wins, losses = int((x > LOG_MARGIN).sum()), int((x < -LOG_MARGIN).sum())
    p, beyond = sign_p(ahead, behind), sign_p(wins, losses)
    return Pair("sign", len(x), wins, losses, p=p, beyond=beyond, side=int(np.sign(ahead - behind)))


def by_ranks(kept: list[tuple[Reading, Reading]], wins: int, losses: int) -> Pair:
    """The exact rank sum test of all scores."""
    scores, others = np.array([[r.score, s.score] for r, s in kept]).T
    ahead, behind = rank_tail(scores, others), rank_tail(others, scores)
    ahead_beyond = rank_tail(scores + LOG_MARGIN, others)
    behind_beyond = rank_tail(others + LOG_MARGIN, scores)
    p = min(1.0, 2 * min(ahead, behind))
    beyond = min(1.0, 2 * min(ahead_beyond, behind_beyond))
    return Pair("ranks", len(kept), wins, losses, p=p, beyond=beyond, side=1 if ahead <= behind else -1)


def _over(log: float, error: float) -> float:
    if error:
        return log / error
    return math.copysign(math.inf, log) if log else 0.0


def _exp(log: float) -> float:
    return math.exp(max(-700.0, min(log, 700.0)))


def holm(p: list[float]) -> list[float]:
    """Adjust (Holm 1979); NaN, where there was no test, does not count."""
    adjusted, before = [math.nan] * len(p), 0.0
    tested = [i for i in range(len(p)) if not math.isnan(p[i])]
    for place, i in enumerate(sorted(tested, key=lambda i: p[i])):
        before = max(before, p[i] * (len(tested) - place))
        adjusted[i] = min(1.0, before)
    return adjusted


def seeds_needed(family: int) -> int:
    """Return how many seeds the ranks need to show anything in a family of so many pairs."""
    return next(n for n in range(2, 60) if family * 2 / math.comb(2 * n, n) < ALPHA)


def starts_needed(pair: Pair, family: int) -> int | None:
    """Return how many starts would settle an open pair in four cases of five; None where no number would.

    Were its ratio and scatter what they seem. Settled is a ratio off 1, or one within the margin, whichever
    takes fewer.
    """
    if pair.test == "t":
        log, sd = abs(math.log(pair.ratio)), pair.error * math.sqrt(pair.n)
        log = max(log, LOG_MARGIN - log)
    else:
        log = abs(pair.wins - pair.losses) / pair.n
        sd = math.sqrt(max((pair.wins + pair.losses) / pair.n - log * log, 0.0))
    if not log:
        return None
    n = float(pair.n)
    for _ in range(9):
        quantile = t_quantile(min(math.ceil(n), 200) - 1, ALPHA / family)
        n = max(pair.n + 1, ((quantile + 0.84) * sd / log) ** 2)
    return max(math.ceil(n), 0 if pair.test == "t" else seeds_needed(family))


def word(pair: Pair, p: float, beyond: float, family: int) -> tuple[str, int]:
    """Return what is said of a pair, and who is better: 1 (a), -1 (b) or 0.

    p, beyond: the pair's, adjusted. Tested in this order.
    """
    untested = {"same": SAME, "lost": NOBODY, "none": UNTOLD}
    if pair.test in untested:
        return untested[pair.test], 0
    by_order = pair.test != "t"
    within = pair.low > 1 / MARGIN + ROUNDING and pair.high < MARGIN - ROUNDING
    if pair.few_steps or within or (by_order and not pair.wins + pair.losses):
        return AS_GOOD, 0
    # the word never contradicts the interval beside it
    outside = by_order or pair.low > MARGIN or pair.high < 1 / MARGIN
    if outside and beyond < ALPHA:
        return CLEAR, pair.side
    if p < ALPHA:
        return CLOSE, pair.side
    return (UNTOLD if by_order and pair.n < seeds_needed(family) else OPEN), 0


# ---- the verdict


@dataclass(frozen=True)
class Verdict:
    """words: of each other optimizer against the leader, 1 where the leader is better.

    first: the leader and all that are as good. open: neither behind nor as good. crossing: rivals that arrive
    first elsewhere, with the relative target at which the order turns.
    """

    leader: str
    words: dict[str, tuple[str, int]]
    pairs: dict[str, Pair]
    first: list[str]
    open: list[str]
    crossing: dict[str, float]


def verdict(
    runs: dict[str, list[Reading]],
    tuned: dict[str, float] | None = None,
    profiles: dict[str, list[float]] | None = None,
) -> Verdict:
    """Say which optimizer is better.

    runs: readings on the evaluation seeds. tuned: by optimizer, the mean score of its chosen trial on the
    tuning seeds. profiles: by optimizer, its mean cost at each of TARGETS on the evaluation seeds.

    The leader is chosen on the tuning seeds and tested on the others, Holm over its pairs. Untuned, it is
    chosen on the same seeds: Holm over all pairs.
    """
    names = list(runs)
    score = tuned or {name: float(np.mean([min(r.score, 1e3) for r in runs[name]])) for name in names}
    passing = {name: passes(runs[name]) for name in names}
    lost = {name: all_lost(runs[name]) for name in names}
    # who only passes through leads nobody who stays, arrived or not
    leader = min(names, key=lambda name: (lost[name], passing[name], score[name]))
    others = [name for name in names if name != leader]

    family = len(others) if tuned else len(names) * len(others) // 2
    pairs = {name: compare(runs[leader], runs[name], family) for name in others}
    further = [] if tuned else itertools.combinations(others, 2)
    rest = [compare(runs[a], runs[b], family) for a, b in further]
    tested = [*pairs.values(), *rest]
    p, beyond = holm([pair.p for pair in tested]), holm([pair.beyond for pair in tested])
    tests = {name: word(pairs[name], p[i], beyond[i], family) for i, name in enumerate(others)}
    words = {name: standing(said, runs[leader], runs[name]) for name, said in tests.items()}

    first = [leader, *(name for name in others if words[name][0] in (AS_GOOD, SAME))]
    undecided = [name for name in others if words[name][0] in (OPEN, UNTOLD)]
    turns = {}
    for name in others if profiles else []:
        said, side = words[name]
        behind = (said, side) == (CLEAR, 1) or said == PASSES
        cheaper = mean(profiles[name]) * MARGIN < mean(profiles[leader])
        if not behind and side >= 0 and cheaper:
            turns[name] = crossing(profiles[leader], profiles[name], runs[leader][0])
    turns = {name: target for name, target in turns.items() if target}
    return Verdict(leader, words, pairs, first, undecided, turns)


def standing(said: tuple[str, int], a: list[Reading], b: list[Reading]) -> tuple[str, int]:
    """Return what is said of a and b, once who passes through stands behind who stays."""
    passing, lost = [[judged(own) for own in (a, b)] for judged in (passes, all_lost)]
    return behind_who_stays(said, passing, lost)


def behind_who_stays(said: tuple[str, int], passing: Sequence[bool], lost: Sequence[bool]) -> tuple[str, int]:
    """passing, lost: of a and of b, whether it passes through, and whether all its runs are lost."""
    for one, other, side in ((0, 1, 1), (1, 0, -1)):
        stays = not passing[one] and not lost[one]
        if stays and passing[other] and said != (CLEAR, side):
            return PASSES, side
    return said


def all_lost(runs: list[Reading]) -> bool:
    return all(r.lost for r in runs)


def crossing(leader: list[float], rival: list[float], run: Reading) -> float:
    """Return the target, nearest to the verdict's own, at which the rival arrives before the leader.

    Not that target itself; 0 where there is none.
    """
    ahead = [t for t, a, b in zip(TARGETS, leader, rival, strict=True) if b < a and run.scale]
    off = {t: abs(math.log(t * run.scale / run.target)) for t in ahead}
    return min((t for t in off if off[t] > 0.1), key=lambda t: off[t], default=0.0)


def one_for_all(table: dict[str, dict[tuple[str, float], float]]) -> tuple[tuple[str, float], float] | None:
    """Return the one setting (optimizer, rate) for all problems, and its worst ratio to a problem's best.

    table: by problem, each tried setting's mean cost, where a miss counts B. A setting counts if it was tried
    on every problem; chosen is that whose worst ratio is least.
    """
    everywhere = [s for s in next(iter(table.values())) if all(s in own for own in table.values())]
    worst = {s: max(own[s] / min(own.values()) for own in table.values()) for s in everywhere}
    return min(worst.items(), key=lambda item: item[1], default=None)


# ---- worked cases

EVALUATIONS = np.arange(101.0)
NOISE = np.exp(0.03 * np.random.default_rng(0).normal(size=(2, 10)))
UNLIKE = itertools.count()  # two lost runs are never the same run


def falling(rate: float, steps: int = 100, start: float = 1.0) -> np.ndarray:
    return start * np.exp(-rate * np.arange(steps + 1))


def arrived(cost: float, level: float = 1e-9, budget: float = 100.0, scale: float = 0.0) -> Reading:
    """Return a run that arrives; its level tells it from others of the same cost."""
    return Reading(False, True, cost, level, 1.0, 1e-6, budget, hash((cost, level)), scale=scale)


def missed(level: float, scale: float = 0.0) -> Reading:
    return Reading(False, False, 100.0, level, 1.0, 1e-6, 100.0, hash(level), scale=scale)


def lost() -> Reading:
    return Reading(True, False, 100.0, math.inf, 1.0, 1e-6, 100.0, next(UNLIKE))


def arriving(cost: float, levels: np.ndarray) -> list[Reading]:
    return [arrived(cost, level) for level in levels]


def missing(level: float, factors: np.ndarray, scale: float = 0.0) -> list[Reading]:
    return [missed(level * factor, scale) for factor in factors]


def spread(ratio: float, low: float, high: float, n: int = 10) -> tuple[list[Reading], list[Reading]]:
    """Return runs of two optimizers whose ratio is as given with the interval low .. high."""
    half = math.log(high / low) / 2
    z = np.random.default_rng(1).normal(size=n)
    z = (z - z.mean()) / z.std(ddof=1) * half / t_quantile(n - 1) * math.sqrt(n)
    a = [arrived(144.0, 1e-9 * (k + 1), budget=500.0) for k in range(n)]
    b = [arrived(144 * ratio * math.exp(x), 1e-9 * (k + 20), budget=500.0) for k, x in enumerate(z)]
    return a, b


def alone(pair: Pair) -> tuple[str, int]:
    """Return the word of a pair that is a family of its own."""
    return word(pair, pair.p, pair.beyond, 1)


def close(a: float, b: float, rel: float = 1e-9) -> bool:
    return math.isclose(a, b, rel_tol=rel)


def cases_of_a_run() -> None:
    e = EVALUATIONS

    # a steady run arrives at the first state within the target: exp(-0.3 t) <= 1e-6 from t = 47 on
    r = read(falling(0.3), e, 100, 1e-6)
    assert (r.reached, r.cost) == (True, 47.0)
    assert close(r.score, math.log(0.47))

    # a passage is no arrival: within the target at 20, above twice the target from 21 to 60
    g = np.r_[np.full(20, 1.0), 1e-7, np.full(40, 1e-3), np.full(40, 1e-8)]
    assert read(g, e, 100, 1e-6).cost == 61.0
    # ... but up to twice the target it may swing
    g = np.r_[np.full(20, 1.0), 1e-7, np.full(40, 1.9e-6), np.full(40, 1e-8)]
    assert read(g, e, 100, 1e-6).cost == 20.0

    # in a valley of its swing at the stop: within the target for 3 states, its level is not
    g = np.r_[np.full(98, 1e-3), np.full(3, 1e-8)]
    r = read(g, e, 100, 1e-6)
    assert not r.reached
    assert close(r.level, (7e-3 + 3e-8) / 10)
    assert r.score > 0

    # a limit cycle about the target: level within it, never settles below twice it: it has arrived, at the
    # price of the whole budget
    g = np.r_[1.0, np.tile([1e-7, 2.5e-6, 1e-7, 1e-7], 25)]
    g[-3:] = 2.5e-6, 1.5e-6, 1.5e-6
    r = read(g, e, 100, 1e-6)
    assert r == Reading(False, True, 100.0, r.level, 1.0, 1e-6, 100, hash(g.tobytes()))

    # minibatches of a tenth of the rows: the mean of a pass counts, not the lucky state 30 (evaluation 3)
    g = np.r_[np.full(30, 1.0), 1e-3, np.full(9, 1.0), np.full(961, 5e-3)]
    r = read(g, np.arange(1001) / 10, 100, 1e-2)
    assert r.reached
    assert close(r.cost, 4.9)


def cases_of_ends() -> None:
    e = EVALUATIONS

    # lost: not finite, or ends above the start and the constant model
    assert read(np.r_[falling(0.3)[:50], np.full(51, np.inf)], e, 100, 1e-6).score == math.inf
    rising = np.linspace(1, 2, 101)
    assert read(rising, e, 100, 1e-6, scale=1.5).lost
    assert not read(rising, e, 100, 1e-6, scale=2.5).lost

    # at the floor: what lies below is rounding; a target below the floor becomes the floor
    assert read(np.r_[1.0, np.full(100, 1e-40)], e, 100, 1e-6, floor=1e-28).level == 1e-28
    assert read(falling(0.3), e, 100, 1e-12, floor=1e-6).cost == 47.0
    # infimum not attained: the floor is 0 and the gap underflows; arrival needs no logarithm of 0
    assert read(np.r_[1.0, 0.5, np.zeros(99)], e, 100, 1e-6).score == math.log(2 / 100)

    # the budget is evaluations: LBFGS takes 20 a step, stops by itself after 3 steps, holds its last state
    r = read([1.0, 1e-3, 1e-7, 1e-15], [0, 20, 40, 54], 100, 1e-6)
    assert (r.reached, r.cost, r.level, r.step) == (True, 40.0, 1e-15, 14.0)
    # a step that passes the budget does not count
    assert read([1.0, 1e-3, 1e-7, 1e-15], [0, 20, 40, 54], 30, 1e-6).level == 1e-3
    # it gave up: a level, not a loss
    assert not read([1.0, 1e-3, 1e-4], [0, 20, 40], 100, 1e-6).lost


def cases_of_sizes() -> None:
    # all arrive, far apart: clear, and by how much. Costs repeat as whole numbers do; levels tell runs apart
    a = arriving(40.0, 1e-9 * NOISE[0])
    b = [arrived(80.0 + k % 2, 1e-9 * x) for k, x in enumerate(NOISE[1])]
    pair = compare(a, b)
    assert (pair.test, pair.n, pair.unit) == ("t", 10, "evaluations")
    assert 2.0 < pair.low < pair.ratio < pair.high < 2.03
    assert alone(pair) == (CLEAR, 1)
    assert alone(compare(b, a)) == (CLEAR, -1)

    # all arrive within the margin: any of these. 5 against 6, and 2 against 3 (1.5 times, but one step): too
    # close to matter. 2 against 4: clear
    for few, more, said in SMALL_COSTS:
        pair = compare(arriving(float(few), NOISE[0]), arriving(float(more), NOISE[1]))
        assert alone(pair)[0] == said, (few, more)

    # nobody arrives: the level decides, t test on its logarithm
    pair = compare(missing(1e-3, NOISE[0]), missing(2e-3, NOISE[1]))
    assert (pair.test, pair.unit, pair.wins) == ("t", "gap", 10)
    assert 1.9 < pair.ratio < 2.1
    assert alone(pair) == (CLEAR, 1)

    # wide scatter: not shown, neither equal nor different
    wide = np.exp(np.random.default_rng(3).normal(size=10))
    pair = compare(arriving(40.0, NOISE[0]), [arrived(float(round(44 * x)), x) for x in wide])
    assert alone(pair) == (OPEN, 0)
    assert pair.low < 1 / MARGIN
    assert pair.high > MARGIN

    # all at the floor, with the same whole numbers on every seed: ten runs, not one
    pair = compare(*at_the_floor())
    assert (pair.n, pair.low, pair.high) == (10, pair.ratio, pair.ratio)
    assert close(pair.ratio, 1.5)
    assert alone(pair) == (CLEAR, 1)

    # close: shown, perhaps within the margin
    for ratio, low, high, said in INTERVALS:
        pair = compare(*spread(ratio, low, high))
        assert alone(pair)[0] == said, ratio
        assert close(pair.ratio, ratio)
        assert abs(pair.low - low) < 0.01
    a, b = spread(1.16, 1.04, 1.29)
    pair = compare(a, b)
    assert 0.01 < pair.p < 0.014
    assert pair.beyond > 0.9
    assert alone(compare(b, a)) == (CLOSE, -1)

    # the t tail against tables
    for nu, quantile in ((9, 2.262157), (4, 2.776445), (1, 12.70620)):
        assert math.isclose(t_quantile(nu), quantile, abs_tol=1e-5)

    # the number that would settle it: sd 0.45, 1.16 is .15 off 1 and .075 off the margin:
    # (2.06 + .84) * .45 / .15 squared
    pair = compare(*spread(1.16, 0.84, 1.60))
    assert alone(pair) == (OPEN, 0)
    assert 70 < starts_needed(pair, 1) < 85
    assert starts_needed(pair, 5) > 100


SMALL_COSTS = [
    (5, 6, AS_GOOD),
    (2, 3, AS_GOOD),
    (4, 6, CLEAR),
    (2, 4, CLEAR),
    (100, 124, AS_GOOD),
    (100, 126, CLEAR),
]
# ratio, low, high, word: p of the first is .012, of the second 5e-7
INTERVALS = [
    (1.16, 1.04, 1.29, CLOSE),
    (1.30, 1.24, 1.36, CLOSE),
    (1.10, 1.04, 1.16, AS_GOOD),
    (1.45, 1.27, 1.66, CLEAR),
    (1.16, 0.98, 1.37, OPEN),
]


def at_the_floor() -> tuple[list[Reading], list[Reading]]:
    """Return ten runs that arrive in 4 evaluations and ten in 6, all of them at a gap of 0 afterwards."""

    def runs(steps: int) -> list[Reading]:
        curves = [np.r_[x, np.full(steps - 1, 0.5), np.zeros(101 - steps)] for x in 1 + np.arange(10) / 100]
        return [read(curve, EVALUATIONS, 100, 1e-6, floor=1e-28) for curve in curves]

    return runs(4), runs(6)


def mixed() -> tuple[list[Reading], list[Reading]]:
    """Return ten runs that arrive, and nine that miss with one that arrives too, within the margin."""
    return arriving(40.0, NOISE[0]), [*missing(1e-3, NOISE[1][:9]), arrived(45.0, 1e-9)]


def at_the_border() -> tuple[list[Reading], list[Reading]]:
    """Return costs of 0.99 B against levels 1.01 times the target, and five that arrive as well."""
    a = [arrived(99.0, 1e-7 * x) for x in NOISE[0]]
    b = [missed(1.01e-6)] * 5 + [arrived(99.0, 1e-7 * x) for x in NOISE[1][:5]]
    return a, b


def cases_of_order() -> None:
    # arrived beats not arrived, whatever the level: 9 wins, no loss, a tie; by ranks U = 10
    a, b = mixed()
    pair = compare(a, b)
    assert (pair.test, pair.wins, pair.losses, pair.unit, pair.side) == ("sign", 9, 0, None, 1)
    assert close(pair.beyond, 2 / 2**9)
    assert close(pair.p, 2 / 2**10)
    assert alone(pair) == (CLEAR, 1)
    # 26 * 2 / 2**10 > 0.05; nine seeds
    assert compare(a, b, family=26).test == "ranks"
    assert compare(a[1:], b[1:]).test == "ranks"
    by_hand = 2 * rank_tail(np.arange(10.0), np.r_[np.full(9, 99.0), -1.0])
    assert close(compare(a, b, 26).beyond, by_hand)
    assert close(by_hand, 0.0015047, rel=1e-4)

    # just over the border is no win
    pair = compare(*at_the_border())
    assert (pair.test, pair.wins, pair.losses) == ("sign", 0, 0)
    assert alone(pair)[0] == AS_GOOD

    # all against none: p = 2 / C(2n, n). Three seeds cannot show it (0.1), four can in a family of one, five
    # in a family of up to six
    a, b = arriving(40.0, NOISE[0]), missing(1.0, NOISE[1])
    assert close(compare(a[:5], b[:5]).p, 2 / 252)
    assert compare(a[:5], b[:5]).test == "ranks"
    words = [alone(compare(a[:n], b[:n]))[0] for n in (3, 4, 9, 10)]
    assert words == [UNTOLD, CLEAR, CLEAR, CLEAR]
    assert [seeds_needed(m) for m in (1, 2, 6, 7, 23, 24, 85, 86)] == [4, 5, 5, 6, 6, 7, 7, 8]
    # U = 1: two of the twenty arrangements have U <= 1
    assert close(rank_tail(np.array([1.0, 2, 4]), np.array([3.0, 5, 6])), 2 / 20)


def cases_without_a_test() -> None:
    same = arriving(40.0, NOISE[0])
    assert alone(compare(same, same)) == (SAME, 0)
    # ten seeds that fix nothing are one start
    assert alone(compare([same[0]] * 10, [arrived(90.0)] * 10)) == (UNTOLD, 0)
    assert alone(compare([lost() for _ in range(5)], [lost() for _ in range(5)])) == (NOBODY, 0)
    # lost loses to anything
    assert compare([lost() for _ in range(6)], same[:6]).losses == 6


def cases_of_choice() -> None:
    # fewest lost seeds, then the mean score; who always arrives beats who is faster but misses once by far
    assert choose([[-2.0, -2.0, 9.0], [-0.5, -0.4, -0.6], [-0.4, -0.4, -0.4]]) == 1
    assert choose([[-2.0, -2.0, math.inf], [3.0, 3.0, 3.0]]) == 1
    assert choose([[1.0, 1.0], [1.0, 1.0]]) == 0

    # trials: 16 over the box, 8 between the neighbours of the best, 8 between those of the new best
    points = coarse(1e-5, 1e2)
    assert len(points) == 16
    assert close(points[1] - points[0], 7 / 15)
    near, finer = zoom(points[9], 7 / 15)
    assert len(near) == 8
    assert close(finer, 7 / 75)
    assert close(near[0], points[9] - 4 * 7 / 75)
    assert close(near[4] - near[3], 2 * finer)
    assert close(zoom(near[2], finer)[1], 7 / 375)  # 0.0187 decades, 4.4 %

    # rise: arrives in 4 evaluations after the gap first rose 83,000-fold: not chosen, unless any may be
    g = np.r_[1.0, 8.3e4, 1.0, 1e-3, np.full(97, 1e-9)]
    r = read(g, EVALUATIONS, 100, 1e-6)
    assert r.cost == 4.0
    assert close(r.rise, 8.3e4)
    assert close(read(g, EVALUATIONS, 100, 1e-6, scale=8.3).rise, 1e4)
    scores = [[-0.5, -0.5, -0.5], [-3.2, -3.2, -3.2], [-0.4, -0.4, -0.4]]
    rises = [[1.0, 1.0, 1.0], [8.3e4, 9.0, 9.0], [1.0, 1.0, 1.0]]
    assert choose(scores, rises) == 0
    assert choose(scores, rises, None) == 1
    assert too_high(rises).tolist() == [False, True, False]


def one_of_five() -> tuple[dict[str, list[Reading]], dict[str, float]]:
    """Return a rival whose interval is beyond the margin alone, and four that are at the margin."""
    a, b = spread(1.45, 1.27, 1.66)
    at = spread(1.25, 1.15, 1.36)[1]
    others = [f"other {k}" for k in range(4)]
    runs = {"adam": a, "sgd": b} | dict.fromkeys(others, at)
    return runs, {"adam": -2.0, "sgd": -1.0} | dict.fromkeys(others, -1.0)


def a_passage() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return evaluations until twice the budget, a gap that arrives and leaves at 150, and one that stays."""
    gone = np.r_[falling(0.3, 149), np.full(51, 1e-3)]
    return np.arange(201.0), gone, falling(0.2, 200)


def one_passes() -> tuple[dict[str, list[Reading]], dict[str, float]]:
    twice, gone, stays = a_passage()
    runs = {
        "rmsprop": [read(gone * x, twice, 100, 1e-6, scale=1.0) for x in NOISE[0]],
        "sgd": [read(stays * x, twice, 100, 1e-6, scale=1.0) for x in NOISE[1]],
    }
    return runs, {"rmsprop": -0.75, "sgd": -0.35}


PROFILES = {
    "sgd": [40.0, 60, 80, 100, 120, 144, 170, 200],
    "adam": [20.0, 30, 40, 50, 60, 167, 190, 220],
}
HARDLY_CHEAPER = [35.0, 52, 70, 90, 110, 167, 190, 220]


def not_settled() -> tuple[dict[str, list[Reading]], dict[str, float]]:
    """Return runs that the target 1e-6 does not settle, where the problem has a scale."""
    sides = []
    for runs in spread(1.16, 0.98, 1.37):
        sides.append([arrived(r.cost, r.level, budget=500.0, scale=1.0) for r in runs])
    return dict(zip(["sgd", "adam"], sides, strict=True)), {"sgd": -1.24, "adam": -1.1}


def cases_of_verdicts() -> None:
    # two within the margin lead together
    runs = {
        "sgd": arriving(50.0, NOISE[0]),
        "adam": arriving(55.0, NOISE[1]),
        "rmsprop": missing(1e-3, NOISE[0]),
    }
    found = verdict(runs, {"sgd": -0.7, "adam": -0.6, "rmsprop": 6.9})
    assert found.first == ["sgd", "adam"]
    assert found.words["rmsprop"] == (CLEAR, 1)

    # clear is held against the margin, by Holm: beyond it alone, but not as one of five
    runs, tuned = one_of_five()
    two = {name: runs[name] for name in ("adam", "sgd")}
    assert verdict(two, {"adam": -2.0, "sgd": -1.0}).words["sgd"] == (CLEAR, 1)
    found = verdict(runs, tuned)
    assert found.words["sgd"] == (CLOSE, 1)
    assert found.pairs["sgd"].low > MARGIN

    # passes through: within the target from 47 on, at B = 100 it has arrived; from 150 on above twice of it
    twice, gap, other = a_passage()
    gone, stays = read(gap, twice, 100, 1e-6, scale=1.0), read(other, twice, 100, 1e-6, scale=1.0)
    assert (gone.reached, gone.cost, gone.left) == (True, 47.0, True)
    assert (stays.cost, stays.left) == (70.0, False)
    assert not read(gap, twice, 60, 1e-6).left  # gone after 2 B only
    until = read(gap[:101], EVALUATIONS, 100, 1e-6)
    assert not until.left  # no states beyond B: nothing known
    assert gone.run == until.run  # what comes after B makes no run another
    assert not passes([gone] * 5 + [stays] * 5)
    assert passes([gone] * 6 + [stays] * 4)
    assert not passes([missed(1e-3)])
    found = verdict(*one_passes())
    assert (found.leader, found.words["rmsprop"], found.first) == ("sgd", (PASSES, 1), ["sgd"])


def cases_of_targets() -> None:
    # the area: exp(-0.3 t) is within 1e-1 .. 1e-8 from these on; with B = 50 the last two count 50
    hits = [8, 16, 24, 31, 39, 47, 54, 62]
    assert costs(falling(0.3), EVALUATIONS, 100, 1.0) == hits
    assert costs(falling(0.3), EVALUATIONS, 50, 1.0)[6:] == [50, 50]
    assert close(mean(hits), np.exp(np.mean(np.log(hits))))

    # the area vetoes: at 1e-6 not settled, at the others the rival needs half: the nearest at which it leads
    runs, tuned = not_settled()
    assert verdict(runs, tuned, PROFILES).crossing == {"adam": 1e-5}
    assert not verdict(runs, tuned, PROFILES | {"adam": HARDLY_CHEAPER}).crossing

    # one setting for all: the least worst ratio to each problem's best; only what was tried everywhere
    easy = {("sgd", 0.1): 10.0, ("adam", 0.1): 30.0, ("adam", 0.2): 5.0}
    hard = {("sgd", 0.1): 500.0, ("adam", 0.1): 120.0, ("sgd", 0.3): 100.0}
    assert one_for_all({"easy": easy, "hard": hard}) == (("sgd", 0.1), 5.0)
    assert one_for_all({"easy": easy}) == (("adam", 0.2), 1.0)


CASES = [
    cases_of_a_run,
    cases_of_ends,
    cases_of_sizes,
    cases_of_order,
    cases_without_a_test,
    cases_of_choice,
    cases_of_verdicts,
    cases_of_targets,
]


if __name__ == "__main__":
    for case in CASES:
        case()
    print("all cases hold")
