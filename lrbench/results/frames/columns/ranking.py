"""Frames of who is better: the ranking and the pairs of each task, and what holds over all tasks."""

from lrbench.results.frames.columns.column import (
    DECADES,
    EVALUATIONS,
    FACTOR,
    LOSS,
    NULL,
    PROBLEMS,
    PURE,
    RATE,
    RUNS,
    SEEDS,
    SETTINGS,
    STEPS,
    TASKS,
    Column,
    several,
)
from lrbench.results.frames.columns.runs import OPTIMIZER, TASK

# ---- within a task

IN_WORDS = "in words"
RATIO_MEANS = (
    "its gap over the leader's, geometric mean over the seeds, with a 95 % interval where a paired t test "
    "holds"
)
DEFAULT_MEANS = (
    "geometric mean of the gaps at the optimizer's own defaults; that over `gap`, paired by seed; empty "
    "where nothing was tuned"
)
GAP_MEANS = (
    "geometric mean of the gaps (`level`) over the seeds, not below the floor, inf if a seed did "
    "not complete; a factor, empty for one seed"
)
TOLERANCE_MEANS = (
    "decades of lr at which half of the seeds reach the target; whether they go on beyond an end of the "
    "search"
)
SEARCH_MEANS = "how many settings and learning rates were searched; `trials` equals `settings`"

RANKING = (
    Column("task", "string", PURE, IN_WORDS, heading="task"),
    Column(
        "rank",
        "int64",
        PURE,
        (
            "1 + the number of optimizers of the task that are shown better, with one seed by the digits; "
            "empty where a seed was lost"
        ),
        NULL,
        relative=True,
        heading="rank",
    ),
    Column("optimizer", "string", PURE, IN_WORDS, heading="optimizer"),
    Column("setting", "string", PURE, IN_WORDS, heading="best setting"),
    Column(
        "edge",
        "string",
        PURE,
        (
            "`lowest` or `highest` where the chosen lr lies at that end of what was tried (of a grid three "
            "or more, of `tune=` two), of Sobol points in the outer tenth (in log) of its box"
        ),
    ),
    Column("gap", "double", LOSS, GAP_MEANS, heading="final gap"),
    Column("spread", "double", FACTOR, GAP_MEANS, NULL, heading="spread"),
    Column("relative_gap", "double", PURE, "gap / scale", NULL, heading="relative gap"),
    Column(
        "evaluations_to_target",
        "double",
        EVALUATIONS,
        "until the target: median over the seeds, inf if fewer than half reach it",
        NULL,
        heading="evaluations to target",
    ),
    Column("hits", "int64", SEEDS, "how many seeds reach the target"),
    Column("seeds", "int64", SEEDS, "that are compared: the evaluation seeds of a tuned sweep"),
    Column("completed", "int64", SEEDS, "how many of `seeds` completed"),
    *several("diverged failed runs", "int64", RUNS, "counts over all runs of the optimizer"),
    *several("median q25 q75 iqm", "double", LOSS, "of the gaps; the last is the interquartile mean"),
    Column("at_floor", "bool", PURE, "whether all seeds end at the gap floor"),
    Column(
        "test_loss",
        "double",
        LOSS,
        "median of the final loss over the problem's test rows; empty where it has none",
        NULL,
        heading="test loss",
    ),
    Column("lr", "double", RATE, "the chosen learning rate", NULL),
    *several("settings lrs", "int64", SETTINGS, SEARCH_MEANS),
    Column("trials", "int64", SETTINGS, SEARCH_MEANS, heading="trials"),
    Column("setting_id", "string", PURE, "as in `runs/`"),
    Column("evaluations", "double", EVALUATIONS, "of a whole run, median over the seeds"),
    Column("steps_taken", "double", STEPS, "likewise"),
    Column("steps_to_target", "double", STEPS, "likewise", NULL),
    Column(
        "leader",
        "bool",
        PURE,
        "whom the tuning seeds put first; of a sweep that is not tuned, who stands first",
        relative=True,
    ),
    Column(
        "first", "bool", PURE, "whether it is the leader or not shown worse than the leader", relative=True
    ),
    Column("ratio", "double", FACTOR, RATIO_MEANS, NULL, relative=True),
    Column("ratio_low", "double", FACTOR, RATIO_MEANS, NULL, relative=True),
    Column("ratio_high", "double", FACTOR, RATIO_MEANS, NULL, relative=True),
    Column(
        "at_least",
        "double",
        FACTOR,
        "a bound of that ratio where only a sign test holds",
        NULL,
        relative=True,
    ),
    Column(
        "p",
        "double",
        PURE,
        "of the test against the leader, after Holm",
        NULL,
        relative=True,
        heading="p",
    ),
    Column("default_gap", "double", LOSS, DEFAULT_MEANS, NULL, heading="default gap"),
    Column("gain", "double", FACTOR, DEFAULT_MEANS, NULL, heading="gain"),
    Column("tolerance", "double", DECADES, TOLERANCE_MEANS, NULL),
    Column("tolerance_open", "bool", PURE, TOLERANCE_MEANS, NULL),
)

# of a paired comparison, side b over side a
RATIO = Column("ratio", "double", FACTOR, "of the gaps, geometric mean over the seeds, b over a", NULL)
INTERVAL = several("low high", "double", FACTOR, "its 95 % interval where the t test holds", NULL)
AT_LEAST = Column("at_least", "double", FACTOR, "a bound of it where only the sign test holds", NULL)
TEST = Column(
    "test",
    "string",
    PURE,
    "`t`, `sign`, or why there is none: `none`, `identical`, `floor`, `lost`",
    heading="test",
)
P = Column("p", "double", PURE, "of this test alone", NULL)
P_HOLM = Column("p_holm", "double", PURE, "after Holm over its family", NULL, relative=True, heading="p")
BETTER = Column(
    "better",
    "string",
    PURE,
    "a name where a test shows it, else empty",
    relative=True,
    heading="shown better",
)
PAIRWISE = (
    TASK,
    Column("a", "string", PURE, "the optimizer that is ranked before b", heading="a"),
    Column("b", "string", PURE, "the other", heading="b"),
    Column("n", "int64", SEEDS, "distinct pairs of runs; 0 where they share no seed", heading="pairs"),
    TEST,
    RATIO,
    *INTERVAL,
    AT_LEAST,
    *several("wins losses ties", "int64", SEEDS, "in which a ends lower, b does, neither"),
    P,
    P_HOLM,
    Column("family", "string", PURE, "of tests that share an error rate: `all`, or `leader` and `rest`"),
    BETTER,
    Column(
        "improvement",
        "double",
        PURE,
        "probability that a run of a ends below one of b",
        heading="P(a lower)",
    ),
)

# ---- over all tasks

ACROSS = (
    Column("a", "string", PURE, "the optimizer with the lower mean rank", heading="a"),
    Column("b", "string", PURE, "the other", heading="b"),
    Column("problems", "int64", PROBLEMS, "that both ran on", heading="problems"),
    Column(
        "ratio",
        "double",
        FACTOR,
        "exp of the median difference of their mean log gaps, b over a",
        NULL,
        heading="b over a",
    ),
    *several("wins losses", "int64", PROBLEMS, "on which a is lower, on which b is"),
    P._replace(meaning="of Wilcoxon's exact test, from six problems on"),
    P_HOLM,
    BETTER,
    *several("rank_a rank_b", "double", PURE, "Friedman's mean ranks"),
)
OVERALL = (
    OPTIMIZER,
    Column(
        "mean_rank",
        "double",
        PURE,
        "over the problems, as in `across`; null where it did not run on all",
        NULL,
        relative=True,
        heading="mean rank",
    ),
    Column("tasks", "int64", TASKS, "on which it ran"),
    Column("led", "int64", TASKS, "on which it is not shown worse than the leader", relative=True),
    Column("solved", "int64", TASKS, "on which at least half of its seeds reach the target"),
    Column("targets", "int64", TASKS, "that have a target"),
    Column("lost", "int64", TASKS, "on which it lost a seed"),
)
COMPETENCE = (
    TASK,
    Column("family", "string", PURE, "the problem", heading="problem"),
    Column("kappa", "double", PURE, "condition number", NULL, heading="κ"),
    Column("steps", "int64", STEPS, "the budget", heading="steps"),
    Column(
        "optimizers",
        "list of string",
        PURE,
        "who is not shown worse than the leader, best first",
        relative=True,
        heading="first",
    ),
    Column("gap", "double", LOSS, "of the first of them", heading="gap"),
)

FRAMES = {
    "ranking": RANKING,
    "pairwise": PAIRWISE,
    "across": ACROSS,
    "overall": OVERALL,
    "competence": COMPETENCE,
}
