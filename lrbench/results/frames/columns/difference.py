"""Frames of two sweeps, A and B, against each other; ratios are B over A."""

from lrbench.results.frames.columns.column import (
    EVALUATIONS,
    LOSS,
    NULL,
    PURE,
    RUNS,
    STEPS,
    Column,
    several,
)
from lrbench.results.frames.columns.ranking import BEYOND, INTERVAL, RATIO, UNIT, WORD, P
from lrbench.results.frames.columns.runs import OPTIMIZER, SETTING, TASK
from lrbench.results.frames.columns.stored import RUNS as STORED_RUNS
from lrbench.results.frames.columns.tuning import RATES

ROLE = Column("role", "string", PURE, "as in `entries`; empty where only one of the two is tuned")
SIDE = Column("side", "string", PURE, "`A` or `B`")
DIFFERS = Column("differs", "string", PURE, "how the two settings differ, empty where they are alike")

TASKS = (
    Column("task", "string", PURE, "its label in A, or both where the two are not the same"),
    *several("task_a task_b", "string", PURE, "its label in A and in B"),
    Column("target", "double", PURE, "the relative gap by whose arrival both are read"),
    *several("target_a target_b", "double", PURE, "the one that each was asked for"),
    *several("budget_a budget_b", "double", EVALUATIONS, "that a run may take"),
    Column("differs", "list of string", PURE, "(key, in A, in B) of what differs"),
)
SETTINGS = (
    TASK,
    OPTIMIZER,
    ROLE,
    SETTING._replace(meaning="that of A, in words"),
    Column("setting_b", "string", PURE, "that of B, in words"),
    *several("setting_id_a setting_id_b", "string", PURE, "their ids"),
    *several("chosen_a chosen_b", "bool", PURE, "whether it stands for its optimizer in A and in B"),
    Column("alike", "bool", PURE, "whether both sets have it; else they are the two chosen ones"),
    DIFFERS,
)
# what two runs must share to be identical
BITS = ["status", "final_loss", "final_gap", "level", "half_level", "rise", "fingerprint"]
BITS += ["first_bad_step", "last_finite_loss", "evaluations"]


def _of_sides(column: Column) -> tuple[Column, Column]:
    """Return what a column of `runs` is in pairs: one of A, one of B."""
    return column._replace(name=f"{column.name}_a"), column._replace(name=f"{column.name}_b")


PAIRS = (
    Column("row", "int64", PURE, "the place of its setting in `settings`"),
    Column("block", "int64", PURE, "the seed, 0 where nothing depends on it"),
    *several("run_id_a run_id_b", "string", PURE, "the two runs"),
    *several("gap_a gap_b", "double", LOSS, "as in `entries`"),
    *several("relative_gap_a relative_gap_b", "double", PURE, "gap / scale", NULL),
    *several("goal_a goal_b", "double", LOSS, "the gap that is the target of both"),
    *several(
        "lost_a lost_b arrived_a arrived_b left_a left_b", "bool", PURE, "as in `entries`, by this target"
    ),
    *several("cost_a cost_b", "double", EVALUATIONS, "until arrival, the budget without one"),
    *several("score_a score_b", "double", PURE, "as in `runs`, by this target and the larger budget"),
    *several("evaluations_per_step_a evaluations_per_step_b", "double", EVALUATIONS, "the fewest of a step"),
    *(side for column in STORED_RUNS if column.name in BITS for side in _of_sides(column)),
)
LEVEL_MEANS = (
    "level / scale, the share of the way from the constant model to the best fit that is left: geometric "
    "mean over the runs that are not lost"
)
ROWS = (
    TASK,
    OPTIMIZER,
    SETTING._replace(heading="setting"),
    ROLE,
    DIFFERS,
    *several(
        "cost_a cost_b", "double", EVALUATIONS, "until arrival, geometric mean over those that do", NULL
    ),
    *several("relative_level_a relative_level_b", "double", PURE, LEVEL_MEANS, NULL),
    *several(
        "gap_a gap_b",
        "double",
        LOSS,
        "geometric mean over the seeds that both have, inf if one is lost",
        NULL,
    ),
    UNIT,
    RATIO._replace(meaning="geometric mean over the seeds, B over A"),
    *INTERVAL,
    Column("error", "double", PURE, "standard error of the ratio's logarithm", NULL),
    Column("n", "int64", RUNS, "distinct pairs"),
    *several("wins losses", "int64", RUNS, "pairs in which A is ahead by more than the margin, or B is"),
    Column(
        "test",
        "string",
        PURE,
        "`t`, `sign`, `ranks`, or why there is none: `none`, `same`, `lost`, `unpaired`",
    ),
    P,
    Column("p_holm", "double", PURE, "after Holm over all rows", NULL, heading="p"),
    BEYOND,
    Column("beyond_holm", "double", PURE, "the same after Holm", NULL),
    WORD._replace(relative=False, meaning="what is said of the two, at one error rate for all rows"),
    Column("change", "string", PURE, "`worse` or `better` where shown, `identical` bit for bit, else empty"),
    Column("runs", "int64", RUNS, "pairs, repeated ones too"),
    *several("arrived_a arrived_b", "int64", RUNS, "of these: that arrive"),
    *several("left_a left_b", "int64", RUNS, "that arrive, and leave again within twice the budget"),
    *several("lost_a lost_b", "int64", RUNS, "that are lost"),
    *several("lost recovered", "int64", RUNS, "pairs that are lost in B alone, in A alone"),
)
DIFFERENCES = (
    Column("key", "string", PURE, "of request, configuration, versions or machine", heading=""),
    *several("a b", "string", PURE, "its value, empty where one has no such key"),
)
LOSSES = (
    TASK,
    OPTIMIZER,
    *several("lost_a runs_a", "int64", RUNS, "of A: that are lost, of so many"),
    *several("lost_b runs_b", "int64", RUNS, "of B likewise"),
)
MEDIAN_CURVES = (
    TASK,
    OPTIMIZER,
    SIDE,
    Column("step", "int64", STEPS, "recorded, 0 is the start"),
    Column("evaluations", "double", EVALUATIONS, "so far, median over the seeds"),
    Column("median", "double", LOSS, "of the gap: not below the floor, inf where so many runs had stopped"),
)
FINALS = (
    TASK,
    OPTIMIZER,
    Column("row", "int64", PURE, "the place of its setting among those that are shown"),
    SIDE,
    Column("gap", "double", LOSS, "of this run: its level, inf if lost"),
    Column("arrived", "bool", PURE, "whether this run arrives at the target"),
    Column("hit", "double", EVALUATIONS, "until it arrives, inf where it does not"),
    Column("median", "double", LOSS, "over the side's runs"),
    *several("lost runs", "int64", RUNS, "of the side: that are lost, of so many"),
)
SIDES_RATES = (*RATES, SIDE)

FRAMES = {
    "difference.tasks": TASKS,
    "difference.settings": SETTINGS,
    "difference.pairs": PAIRS,
    "difference.rows": ROWS,
    "difference.differences": DIFFERENCES,
    "difference.losses": LOSSES,
    "difference.median_curves": MEDIAN_CURVES,
    "difference.finals": FINALS,
    "difference.rates": SIDES_RATES,
}
