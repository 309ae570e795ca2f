"""How a sweep was made, as rows of a name and a text: what the head of the report and its protocol tell.

One row: "Tuned", "lr (tune=lr), from 32 trials an optimizer on tuning seeds".
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from lrbench.results.notation import MISSING, counted, listed, number, ranged, setting_value
from lrbench.results.statistics import ALPHA
from lrbench.results.statistics.pairs import MARGIN
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tuning import stages
from lrbench.results.words.phrases import ENDED, seeds_compared, stored_of_planned, varying

Rows = list[tuple[str, str]]

MOST_PROBLEMS = 3  # that the head tells of one by one
ENGINES = {
    "fused": "many runs as one compiled program, a thread for each processor",
    "reference": "PyTorch's own optimizer, one run at a time, one thread",
}
SAMPLERS = {
    "grid": (
        "a grid of {first}, evenly{in_log} over the box",
        "between the neighbours of the best, evenly{in_log} on either side",
    ),
    "sobol": (
        "{first} scrambled Sobol points of seed {seed} over the box",
        "in a third of each side around the best and in a ninth",
    ),
}
AT_AN_END = {
    "grid": "the best of the first {first} is the lowest or the highest lr",
    "sobol": "the lr of the best of the first {first} lies in the outer tenth (in log) of its box",
}
ROLES = {"trial": "trials", "evaluation": "evaluation", "default": "defaults"}
SCORE = "log(evaluations until it arrives / budget), of a run that does not arrive log(level / target)"
UNITS = {"absolute": "", "oracle": " times the box's unit, which knows the problem's answer"}
TESTS = (
    "paired by seed: where all runs of both arrive, t test on log evaluations; where none does and none is "
    "lost, on log levels; else an exact sign test of the order from ten seeds on, exact rank sums below"
)
ORDER = (
    "by arrival at the target in gradient evaluations; a run arrives at the first state whose mean gap over "
    "the last pass is within the target and after which it stays below twice of it; who does not arrive by "
    "the mean gap over the last tenth of the budget"
)
DIVERGED = (
    "loss or weights not finite at some step, or the final gap above both the start's and the constant "
    "model's; it never wins"
)
FLOPS = (
    "of the gradients only: 4 d + 2, and 2 more with an intercept, a row; the update takes some operations "
    "a parameter beside them"
)


# ---- the head


def state(sweep: Sweep) -> str:
    """Say what a sweep that is not complete lacks, and the command that goes on with it; empty of a complete
    one.
    """
    if sweep.complete:
        return ""
    ended = ENDED.get(sweep.manifest["state"], "Not complete")
    stored = stored_of_planned(sweep, number(len(sweep.runs)))
    return f"{ended}: {stored}. This goes on from there: {sweep.manifest['request']['command']}"


def subtitle(sweep: Sweep) -> Rows:
    """Return what the head of the report tells."""
    manifest, counts = sweep.manifest, sweep.manifest["counts"]
    statuses = [status for status in ("completed", "diverged", "failed") if counts[status]]
    ended = ", ".join(f"{number(counts[status])} {status}" for status in statuses) or "none stored"
    budgets = sweep.tasks.drop_duplicates(["steps", "batch_size", "batch_order"])
    made = f"{manifest['created'][:10]} with lrbench {manifest['versions']['lrbench']}, {manifest['state']}"
    return [
        _problems(sweep.problem_list),
        ("Runs", f"{number(sweep.planned)} planned: {ended}; {_seeds(sweep)}"),
        ("Budget", listed([_budget(task) for _, task in budgets.iterrows()], most=12)),
        ("Made", made),
    ]


def _problems(problems: pd.DataFrame) -> tuple[str, str]:
    """Tell of each problem, or of many their names and between which ends their sizes lie."""
    if len(problems) <= MOST_PROBLEMS:
        return "Problem", listed([_problem(problem) for _, problem in problems.iterrows()])
    sizes = {"n": "n", "d": "d", "κ": "kappa", "L": "L"}
    ranges = [f"{word} = {ranged(problems[column])}" for word, column in sizes.items()]
    return "Problems", f"{listed(list(problems['problem']), most=12)}: {', '.join(ranges)}"


def _problem(problem: pd.Series) -> str:
    name = problem["problem"]
    if problem["table"]:
        name = f"{name}: {problem['table']}"
    properties = [f"n = {number(problem['n'])}", f"d = {number(problem['d'])}"]
    properties += [f"κ = {number(problem['kappa'])}", f"L = {number(problem['L'])}"]
    if pd.notna(problem["noise"]):
        properties.append(f"noise = {setting_value(problem['noise'])}")
    if problem["dropped"]:
        properties.append(f"{counted(problem['dropped'], 'row')} with missing values left out")
    scaled = f"; columns standardized: {problem['standardized']}" if problem["standardized"] else ""
    return f"{name} ({', '.join(properties)}{scaled})"


def _seeds(sweep: Sweep) -> str:
    """Count the seeds that are compared, and those of the search beside them."""
    if not sweep.tuned:
        return counted(sweep.runs["seed"].nunique(), "seed")
    evaluated = counted(sweep.reported["seed"].nunique(), "seed")
    return f"{evaluated} and {number(len(sweep.manifest['tune']['seeds']))} for tuning"


def _budget(task: pd.Series) -> str:
    rows = "all rows a step"
    if pd.notna(task["batch_size"]):
        rows = f"{counted(int(task['batch_size']), 'row')} a step, {task['batch_order']}"
    return f"{counted(int(task['steps']), 'step')}, {rows}"


# ---- the protocol


def protocol(sweep: Sweep) -> Rows:
    """Return start, tuning, statistics, versions, machine; of a single problem first its data and minimum."""
    problems = sweep.problem_list
    rows = _one_problem(problems.iloc[0]) if len(problems) == 1 else []
    rows += [("Start", _start(sweep.tasks)), ("Schedule", _schedules(sweep.runs))]
    rows += _tuning(sweep) if sweep.tuned else _grid(sweep)
    rows += _judged(sweep)
    rows += _made_with(sweep.manifest)
    return rows


def _judged(sweep: Sweep) -> Rows:
    """Return what is compared, by which tests, and when a run reaches the target or is lost."""
    several_seeds = sweep.reported["seed"].nunique() > 1
    seeds = f"over {seeds_compared(sweep)}" if several_seeds else "one seed"
    statistics = [("Statistics", sentence) for sentence in _statistics(sweep)]
    return [
        ("Compared", f"{seeds}, {ORDER}"),
        *statistics,
        ("Target", _target(sweep)),
        ("Diverged", DIVERGED),
    ]


def _target(sweep: Sweep) -> str:
    targets = sorted(sweep.tasks["relative_target"].unique())
    written = listed(list(map(setting_value, targets)))
    return f"relative gap {written}: the gap over that of the constant model, never below the gap floor"


def _made_with(manifest: dict[str, Any]) -> Rows:
    """Return the engines, how work is counted, versions and machine."""
    return [
        ("Engine", _engines(manifest["engines"])),
        ("FLOPs", FLOPS),
        ("Versions", _listed(manifest["versions"])),
        ("Machine", _listed(manifest["machine"])),
    ]


def _one_problem(problem: pd.Series) -> Rows:
    """Return what a table tells where there are several: data, minimum, source."""
    data = f"{problem['problem']}: {counted(problem['n'], 'row')}, loss {problem['loss']}, {problem['dtype']}"
    certain = f", certain to {problem['digits']:.0f} digits" if pd.notna(problem["digits"]) else ""
    source = [("Source", problem["source"])] if problem["source"] else []
    floor = f"{number(problem['gap_floor'])}; below it rounding decides, and all count as tied"
    return [
        ("Data and loss", data),
        ("Minimum", f"{problem['minimum']}{certain}"),
        *source,
        ("Loss at the minimum", number(problem["loss_star"])),
        ("Gap floor", floor),
    ]


def _start(tasks: pd.DataFrame) -> str:
    """Say where runs start, and what of a run its seed fixes."""
    fixed = varying(tasks, "the start", "the order of the minibatches")
    seed = "nothing depends on the seed"
    if fixed:
        seed = f"a seed fixes {listed(fixed)}, the same for every optimizer"
    starts = listed([str(init) for init in tasks["init"].unique()], most=4)
    return f"init = {starts}; {seed}"


def _schedules(runs: pd.DataFrame) -> str:
    return listed(sorted(runs["schedule"].unique()), most=12) if "schedule" in runs else "none"


def _engines(engines: dict[str, dict[str, int]]) -> str:
    """Say which engine trained what."""
    trained = []
    for engine, optimizers in engines.items():
        trained.append(f"{engine} ({ENGINES[engine]}): {listed(sorted(optimizers), most=24)}")
    return "; ".join(trained) or MISSING


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _statistics(sweep: Sweep) -> Iterator[str]:
    """Say which tests were made, if any."""
    if len(sweep.pairwise):
        family = "the leader's pairs and over all other pairs" if sweep.tuned else "all pairs"
        shown = (
            f"clear means p < {ALPHA:g} against a difference of {MARGIN:g} times, close against none, as "
            "good an interval within it"
        )
        across = ""
        if len(sweep.across):
            across = " Over six problems or more: Wilcoxon's exact test on mean scores, Holm."
        yield f"{TESTS}; Holm over {family}; {shown}.{across}"
    elif len(sweep.tuned_against_default):
        yield f"{TESTS}; of the tuned setting against the default one"


# ---- how settings were chosen


def _grid(sweep: Sweep) -> Rows:
    rows = [("Settings tried", _numbers(sweep.ranking, "settings"))]
    if (sweep.ranking["settings"] > 1).any():
        chosen = (
            f"for each optimizer the setting with the fewest lost seeds, then the least mean score: {SCORE}; "
            "chosen on the seeds that are shown"
        )
        rows.append(("Selection", chosen))
    return rows


def _numbers(ranking: pd.DataFrame, column: str) -> str:
    """Write how many each optimizer had, from task to task: "32 an optimizer", "adam 12 to 20 and sgd 12"."""
    numbers = ranking.groupby("optimizer", sort=False)[column].agg(ranged)
    if numbers.nunique() == 1:
        return f"{numbers.iloc[0]} an optimizer"
    return listed([f"{name} {count}" for name, count in numbers.items()], most=24)


def _tuning(sweep: Sweep) -> Rows:
    """Return what each optimizer was allowed, what it took, and how its setting was chosen."""
    tune, ranking = sweep.manifest["tune"], sweep.ranking
    spent = sweep.entries.groupby("role")["evaluations"].sum().round()
    known = [role for role in ROLES if role in spent]
    parts = [f"{number(spent[role])} on {ROLES[role]}" for role in known]
    keys = listed(tune["keys"], most=12) if tune["keys"] else "all hyperparameters of the box"
    trials = counted(tune["trials"], "trial")
    lr_box = f"lr {_range(tune['lr'])}{UNITS[tune['units']]}"
    return [
        ("Tuned", f"{keys} (tune={tune['choice']}), from {trials} an optimizer"),
        ("Boxes", listed([lr_box, *_boxes(tune, ranking["optimizer"].unique())], most=24)),
        ("Search", _search(tune)),
        ("Growth", _growth(tune)),
        ("Trials in the end", _numbers(ranking, "trials")),
        ("Tuning seeds", ", ".join(map(str, tune["seeds"]))),
        ("Selection", _selection(tune)),
        ("Spent", f"gradient evaluations: {', '.join(parts)}"),
    ]


def _search(tune: dict[str, Any]) -> str:
    """Tell the stages of a search: "a grid of 16, evenly in log over the box, then ..."."""
    first, *zooms = stages(tune["trials"])
    in_log = " in log" if _tunes_lr(tune) else ""  # any other range has a scale of its own
    numbers = {"first": first, "seed": tune["seed"], "in_log": in_log}
    over_the_box, closer = [text.format(**numbers) for text in SAMPLERS[tune["sampler"]]]
    return f"{over_the_box}, then {' and '.join(map(str, zooms))} {closer}" if zooms else over_the_box


def _tunes_lr(tune: dict[str, Any]) -> bool:
    return tune["keys"] is None or "lr" in tune["keys"]


def _growth(tune: dict[str, Any]) -> str:
    first, *zooms = stages(tune["trials"])
    if not zooms or not _tunes_lr(tune):
        return "none"
    where = AT_AN_END[tune["sampler"]].format(first=first)
    return f"where {where}, {counted(zooms[-1], 'trial')} in the decade beyond it, in place of a zoom"


def _selection(tune: dict[str, Any]) -> str:
    """Tell how a trial is chosen."""
    rises = ""
    if tune["rise"] is not None:
        limit = number(tune["rise"])
        rises = f"; one whose gap rises above {limit} times where it began on any counts as lost on all"
    return (
        f"the trial with the fewest lost tuning seeds, then the least mean score over the others: {SCORE}"
        f"{rises}; never the seeds that are shown"
    )


def _boxes(tune: dict[str, Any], optimizers: Iterable[str]) -> list[str]:
    """Write the boxes of the hyperparameters that were tuned beside the learning rate."""
    texts = []
    for optimizer in optimizers:
        boxes = tune["boxes"].get(optimizer, {})
        tuned = [f"{key} {_box(box)}" for key, box in boxes.items() if _is_tuned(key, tune)]
        if tuned:
            texts.append(f"{optimizer}: {', '.join(tuned)}")
    return texts


def _is_tuned(key: str, tune: dict[str, Any]) -> bool:
    if key in ("unit", "default", "lr"):
        return False
    return tune["keys"] is None or key in tune["keys"]


def _box(box: Any) -> str:
    """Write a box: "one_minus [0.001, 1]"; of a pair both."""
    if isinstance(box, list):
        return " and ".join(map(_box, box))
    return " ".join(f"{scale} {_range(ends)}" for scale, ends in box.items())


def _range(ends: list[float]) -> str:
    return f"[{', '.join(setting_value(float(end)) for end in ends)}]"
