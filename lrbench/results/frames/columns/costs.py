"""Frames of when targets are reached, and at what cost."""

from lrbench.results.frames.columns.column import (
    EVALUATIONS,
    FACTOR,
    NULL,
    PURE,
    SEEDS,
    SETTINGS,
    TASKS,
    Column,
    without,
)
from lrbench.results.frames.columns.ranking import RANKING
from lrbench.results.frames.columns.runs import OPTIMIZER, TASK

TARGETS = (
    TASK,
    OPTIMIZER,
    Column("target", "double", PURE, "a relative gap: 1e-1 ... 1e-8"),
    Column("hits", "int64", SEEDS, "that arrive at it"),
    Column("seeds", "int64", SEEDS, "that are compared"),
    Column("evaluations", "double", EVALUATIONS, "until then, median; inf if fewer than half arrive"),
    Column(
        "ert",
        "double",
        EVALUATIONS,
        "expected running time of minibatch tasks where some seeds arrive and some miss",
        NULL,
    ),
)
SUCCESS = (
    TASK,
    OPTIMIZER,
    Column("solved", "bool", PURE, "whether at least half of the seeds arrive at the target"),
    Column("hits", "int64", SEEDS, "that arrive at it"),
    Column("seeds", "int64", SEEDS, "that are compared"),
    Column(
        "trials_to_success",
        "double",
        SETTINGS,
        "in random order until one arrives at the target, on average; null where none does",
        NULL,
    ),
    Column("trials", "double", SETTINGS, "that were searched"),
)
SOLVED = (
    TASK,
    OPTIMIZER,
    Column("evaluations", "double", EVALUATIONS, "from the start to the budget; a step at each"),
    Column("share", "double", PURE, "of the pairs that are solved by then"),
    Column("pairs", "int64", PURE, "(seed, target) pairs, over the targets 1e-1 ... 1e-8"),
)
PROFILE = (
    OPTIMIZER,
    Column("ratio", "double", FACTOR, "evaluations to the target over the fewest of any optimizer"),
    Column("share", "double", PURE, "of the tasks that are solved within it"),
    Column("tasks", "int64", TASKS, "that all of the compared ran on"),
)
COST_MEANS = (
    "of a whole run: updates; gradient evaluations (median over the seeds), times n; steps over the steps of "
    "a pass; FLOPs of the gradients"
)
TO_TARGET_MEANS = "the same until arrival: medians over the seeds, inf if fewer than half arrive"
# axis -> its unit, and its heading
AXES = {
    "steps": "steps",
    "evaluations": "gradient evaluations",
    "samples": "samples",
    "epochs": "epochs",
    "flops": "FLOPs",
}
COSTS = (
    TASK,
    OPTIMIZER,
    *(Column(axis, "double", unit, COST_MEANS) for axis, unit in AXES.items()),
    *(
        Column(f"{axis}_to_target", "double", unit, TO_TARGET_MEANS, NULL, heading=unit)
        for axis, unit in AXES.items()
    ),
)
SUMMARY = (
    *without(RANKING, "evaluations steps_taken evaluations_to_target"),
    *without(COSTS, "task optimizer"),
)

FRAMES = {
    "targets": TARGETS,
    "success": SUCCESS,
    "solved": SOLVED,
    "profile": PROFILE,
    "costs": COSTS,
}
