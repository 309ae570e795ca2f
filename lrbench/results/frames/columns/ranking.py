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
    only,
    several,
)
from lrbench.results.frames.columns.runs import OPTIMIZER, SETTING, TASK

# ---- within a task

IN_WORDS = "in words"
RATIO_MEANS = (
    "its cost over the leader's where all arrive, its level over the leader's where nobody does (`unit` says "
    "which): geometric mean over the seeds, with a 95 % interval; empty where the order alone is known"
)
DEFAULT_MEANS = (
    "geometric mean of the levels at the optimizer's own defaults; the default's cost over the tuned one's "
    "where all arrive, its level over the other where none does, paired by seed; empty where nothing was "
    "tuned"
)
SIDE_OF_PAIR = Column("side", "int64", PURE, "1 where a is shown better, -1 where b is, else 0")
GAP_MEANS = (
    "geometric mean of the levels over the seeds, not below the floor, inf if a seed was lost; a factor, "
    "empty for one seed"
)
TOLERANCE_MEANS = (
    "decades of lr around the best that work: they cost at most twice as much; whether they go on beyond an "
    "end of the search"
)
WORKS_MEANS = "the lowest and the highest of the tried rates around the best that work"
SEARCH_MEANS = "how many settings and learning rates were searched; `trials` equals `settings`"

RANKING = (
    Column("task", "string", PURE, IN_WORDS, heading="task"),
    Column(
        "rank",
        "int64",
        PURE,
        (
            "1 + the number of optimizers of the task that are shown better; who passes through stands "
            "behind all that stay; empty where every seed was lost"
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
    Column(
        "arrived",
        "int64",
        SEEDS,
        "how many of `seeds` arrive: their level is within the target",
    ),
    Column(
        "cost",
        "double",
        EVALUATIONS,
        "until arrival: geometric mean over the seeds that arrive; empty where none does",
        NULL,
        heading="arrives after",
    ),
    Column(
        "level",
        "double",
        LOSS,
        "geometric mean of the levels of the seeds that are not lost, not below the floor",
        NULL,
        heading="level",
    ),
    Column("relative_level", "double", PURE, "level / scale", NULL, heading="from the best fit"),
    Column("score", "double", PURE, "mean over the seeds that are not lost, inf where all are"),
    Column(
        "order",
        "double",
        PURE,
        "mean score over the seeds that all have, by which those of one rank stand; a lost seed counts 1000",
        relative=True,
    ),
    Column("lost", "int64", SEEDS, "how many of `seeds` are lost: diverged or failed"),
    Column("rise", "double", FACTOR, "the most by which a seed's gap first rises above where it began"),
    Column("gap", "double", LOSS, GAP_MEANS),
    Column("spread", "double", FACTOR, GAP_MEANS, NULL, heading="spread"),
    Column("relative_gap", "double", PURE, "gap / scale", NULL),
    Column(
        "evaluations_to_target",
        "double",
        EVALUATIONS,
        "until arrival: median over the seeds, inf if fewer than half arrive",
        NULL,
    ),
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
    Column(
        "leader",
        "bool",
        PURE,
        "whom the tuning seeds put first; of a sweep that is not tuned, who has the least score",
        relative=True,
    ),
    Column("first", "bool", PURE, "whether it is the leader or as good", relative=True),
    Column(
        "word",
        "string",
        PURE,
        "what is said of it against the leader; docs/statistics.md has the words",
        relative=True,
        heading="against the leader",
    ),
    Column(
        "side",
        "int64",
        PURE,
        "1 where the leader is better, or stays where it passes through, -1 where it is, else 0",
        relative=True,
    ),
    Column(
        "passes",
        "bool",
        PURE,
        "whether most of its seeds that arrive, of those that all have, leave again within twice the budget",
        relative=True,
    ),
    Column(
        "crossing",
        "double",
        PURE,
        "the target at which it arrives before the leader, where the mean over all targets favours it",
        NULL,
        relative=True,
    ),
    Column(
        "area",
        "double",
        EVALUATIONS,
        (
            "until arrival, geometric mean over the targets 1e-1 to 1e-8 and the seeds that all have; a miss "
            "counts the budget; empty where relative gaps are undefined"
        ),
        NULL,
        relative=True,
        heading="mean over targets",
    ),
    Column(
        "unit",
        "string",
        PURE,
        "what is compared with the leader: `evaluations` or `gap`",
        NULL,
        relative=True,
    ),
    Column("ratio", "double", FACTOR, RATIO_MEANS, NULL, relative=True, heading="times the leader"),
    Column("ratio_low", "double", FACTOR, RATIO_MEANS, NULL, relative=True),
    Column("ratio_high", "double", FACTOR, RATIO_MEANS, NULL, relative=True),
    *(
        Column(
            name,
            "int64",
            SEEDS,
            "on which the leader is ahead by more than the margin, or is behind",
            relative=True,
        )
        for name in ("wins", "losses")
    ),
    Column(
        "starts",
        "double",
        SEEDS,
        "how many would about settle it against the leader, where it is not",
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
    Column("default_gap", "double", LOSS, DEFAULT_MEANS, NULL, heading="default level"),
    Column("gain", "double", FACTOR, DEFAULT_MEANS, NULL, heading="gain"),
    Column("works_low", "double", RATE, WORKS_MEANS, NULL, heading="rates that work"),
    Column("works_high", "double", RATE, WORKS_MEANS, NULL),
    Column("tolerance", "double", DECADES, TOLERANCE_MEANS, NULL),
    Column("tolerance_open", "bool", PURE, TOLERANCE_MEANS, NULL),
)

# of a paired comparison, side b over side a
UNIT = Column(
    "unit", "string", PURE, "what the ratio is of: `evaluations` until arrival, or `gap`, the levels", NULL
)
RATIO = Column("ratio", "double", FACTOR, "geometric mean over the seeds, b over a", NULL)
INTERVAL = several("low high", "double", FACTOR, "its 95 % interval", NULL)
WORD = Column("word", "string", PURE, "what is said of the two", relative=True, heading="said")
TEST = Column(
    "test",
    "string",
    PURE,
    "`t`, `sign`, `ranks`, or why there is none: `none` (one pair), `same` (bit for bit), `lost`",
    heading="test",
)
P = Column("p", "double", PURE, "of this test alone", NULL)
BEYOND = Column("beyond", "double", PURE, "p against a difference of the margin", NULL)
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
    UNIT,
    RATIO,
    *INTERVAL,
    *several("wins losses", "int64", SEEDS, "in which a is ahead by more than the margin, or b is"),
    P,
    P_HOLM,
    BEYOND,
    Column("beyond_holm", "double", PURE, "the same after Holm", NULL, relative=True),
    WORD,
    Column("starts", "double", SEEDS, "how many would about settle it, where it is not", NULL),
    Column("family", "string", PURE, "of tests that share an error rate: `all`, or `leader` and `rest`"),
    BETTER,
    Column(
        "improvement",
        "double",
        PURE,
        "probability that a run of a has a lower score than one of b",
    ),
)

# ---- over all tasks

ACROSS = (
    Column("a", "string", PURE, "the optimizer with the lower mean rank", heading="a"),
    Column("b", "string", PURE, "the other", heading="b"),
    Column("problems", "int64", PROBLEMS, "that both ran on", heading="problems"),
    *several("wins losses", "int64", PROBLEMS, "on which a has the lower mean score, on which b has"),
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
    Column("led", "int64", TASKS, "on which it leads or is as good", relative=True),
    Column("solved", "int64", TASKS, "on which at least half of its seeds arrive"),
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
        "who leads and who is as good, best first",
        relative=True,
        heading="first",
    ),
    Column("cost", "double", EVALUATIONS, "of the first of them, until arrival", NULL, heading="evaluations"),
    Column("gap", "double", LOSS, "of the first of them", heading="gap"),
)
ONE_FOR_ALL = (
    OPTIMIZER,
    SETTING._replace(meaning="the one that does best on all tasks, in words", heading="setting"),
    Column("lr", "double", RATE, "of it, NaN where the optimizer has none", NULL),
    Column(
        "ratio",
        "double",
        FACTOR,
        (
            "its cost over the least of any optimizer and setting, on the task where that is worst; of "
            "geometric means over the seeds, where a miss counts the budget"
        ),
        relative=True,
        heading="at worst",
    ),
    Column("worst", "string", PURE, "the task where that is", relative=True, heading="on"),
    Column("solved", "int64", TASKS, "on which at least half of its seeds arrive", heading="arrives on"),
    Column("lost", "int64", RUNS, "of any role, on all tasks", heading="lost runs"),
    Column(
        "left",
        "int64",
        RUNS,
        "of any role, on all tasks, that arrive and leave again within twice the budget",
        heading="leave again",
    ),
    Column("tasks", "int64", TASKS, "on all of which it was tried"),
)

STANDINGS = (
    TASK,
    OPTIMIZER,
    *only(RANKING, "rank leader first word side passes crossing area"),
    *only(RANKING, "unit ratio ratio_low ratio_high p wins losses starts"),
    *only(RANKING, "order"),
)

FRAMES = {
    "ranking": RANKING,
    "standings": STANDINGS,
    "pairwise": PAIRWISE,
    "across": ACROSS,
    "overall": OVERALL,
    "competence": COMPETENCE,
    "one_for_all": ONE_FOR_ALL,
}
