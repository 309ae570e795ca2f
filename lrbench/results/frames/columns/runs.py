"""Frames of the runs of a sweep: as they are stored, as the tables take them, and of a single run."""

from lrbench.results.frames.columns.column import (
    ABSENT,
    CURVATURE,
    EVALUATIONS,
    FACTOR,
    LOSS,
    NULL,
    PURE,
    RATE,
    ROWS,
    RUNS,
    SEEDS,
    STEPS,
    Column,
    several,
    without,
)
from lrbench.results.frames.columns.stored import CURVES as STORED_CURVES
from lrbench.results.frames.columns.stored import PROBLEMS
from lrbench.results.frames.columns.stored import RUNS as STORED_RUNS

TASK = Column("task", "string", PURE, "its label, such as `synthetic kappa=100`", heading="task")
OPTIMIZER = Column(
    "optimizer",
    "string",
    PURE,
    "its name: the choice, or of a custom class its name or path",
    heading="optimizer",
)
SETTING = Column("setting", "string", PURE, "what varies among the settings of its optimizer, in words")

# ---- as they are stored

RUNS_FRAME = (
    *without(STORED_RUNS, "weights"),
    Column("w_*", "double", PURE, "weights at the last step, the intercept last; up to p = 20", ABSENT),
    Column("weights", "list of double", PURE, "the same as one column, where p is larger", ABSENT),
)
CURVES = tuple(column._replace(type=column.type.removeprefix("list of ")) for column in STORED_CURVES)
# by the runs of a task
SHARED = "problem_id steps batch_size batch_order init problem loss dtype relative_target budget"
TASKS = (
    TASK,
    *(column for column in STORED_RUNS if column.name in SHARED.split()),
    *without(PROBLEMS, SHARED),
)
PROBLEM_LIST = (
    Column("problem", "string", PURE, "what tells the problems of the sweep apart"),
    Column("table", "string", PURE, "file and target of a table of one's own, else empty"),
    Column("standardized", "string", PURE, "what the columns then have, else empty"),
    *several("n d", "int64", PURE, "rows, features"),
    Column("kappa", "double", PURE, "L / mu", NULL, heading="κ"),
    Column("L", "double", CURVATURE, "largest eigenvalue of the Hessian at the minimiser"),
    Column("noise", "double", PURE, "as it was asked for", NULL),
    *several("loss dtype", "string", PURE, "the choice, and the dtype of the training"),
    Column("dropped", "int64", ROWS, "left out because a value was missing"),
    Column("minimum", "string", PURE, "how it was found"),
    Column(
        "digits", "double", PURE, "to which the constant model's gap is certain, of those of the dtype", NULL
    ),
    Column("loss_star", "double", LOSS, "the smallest possible loss"),
    Column("gap_floor", "double", LOSS, "below it rounding decides, not the optimizer"),
    Column("source", "string", PURE, "where the data come from, and their licence"),
)

# ---- as the tables take them

ENTRIES = (
    TASK,
    OPTIMIZER,
    SETTING,
    Column("lr", "double", RATE, "of the optimizer, NaN where it has none", NULL),
    Column("gap", "double", LOSS, "the level, not below the floor; inf if lost"),
    Column("half", "double", LOSS, "the same within half of the budget, also of a run that was lost later"),
    Column("lost", "bool", PURE, "diverged or failed"),
    Column("goal", "double", LOSS, "the gap that is the target, or the floor where that is higher"),
    Column("arrived", "bool", PURE, "whether the level is within the target"),
    Column("hit", "double", EVALUATIONS, "until arrival at the target, inf without one"),
    Column("cost", "double", EVALUATIONS, "the same, the budget without one"),
    Column("left", "bool", PURE, "arrived, and above twice the target again within twice the budget"),
    Column("role", "string", PURE, "`grid`, `trial`, `evaluation` or `default`"),
    Column("trial", "double", PURE, "number of the setting among its optimizer's", NULL),
    *several("lr_low lr_high", "double", RATE, "the range that a trial's lr was drawn from", NULL),
    Column("gap_floor", "double", LOSS, "of the problem"),
    Column("scale", "double", LOSS, "of the problem: the gap of the constant model", NULL),
    *without(RUNS_FRAME, "optimizer"),
)
SETTINGS = (
    TASK,
    OPTIMIZER,
    SETTING,
    Column("lr", "double", RATE, "of the optimizer, NaN where it has none", NULL),
    Column("seeds", "int64", SEEDS, "that it ran with"),
    Column("score", "double", PURE, "mean over the seeds that are not lost, inf where all are"),
    Column("lost", "int64", SEEDS, "that are lost"),
    Column("arrived", "int64", SEEDS, "that arrive at the target"),
    Column("cost", "double", EVALUATIONS, "until arrival, geometric mean over those; NaN without", NULL),
    Column("level", "double", LOSS, "geometric mean of the gaps of the seeds that are not lost", NULL),
    Column("rise", "double", FACTOR, "the most by which a seed's gap first rises above where it began"),
    Column("gap", "double", LOSS, "geometric mean over the seeds, inf if any is lost"),
    Column("spread", "double", FACTOR, "by which seeds lie apart, NaN for one seed", NULL),
    *several("median q25 q75 iqm", "double", LOSS, "of the gaps; the last is the interquartile mean"),
    *several("relative_gap relative_level", "double", PURE, "gap / scale, level / scale", NULL),
    Column(
        "evaluations_to_target",
        "double",
        EVALUATIONS,
        "until arrival, median over the seeds, inf if fewer than half arrive",
        NULL,
    ),
    Column("evaluations", "double", EVALUATIONS, "median of the whole runs"),
    Column("steps_taken", "double", STEPS, "likewise"),
    Column("test_loss", "double", LOSS, "median of the final loss over the test rows", NULL),
    *several("completed diverged failed", "int64", SEEDS, "how they ended"),
    Column("at_floor", "bool", PURE, "whether all seeds end at the gap floor"),
    Column("trial", "double", PURE, "its number, the first if there are several", NULL),
    Column("setting_id", "string", PURE, "as in `runs`"),
)
DIVERGES_FROM_LR = Column("diverges_from_lr", "double", RATE, "where theory says it stops converging", ABSENT)
FAILURES = (
    TASK,
    OPTIMIZER,
    Column("status", "string", PURE, "`diverged` or `failed`", heading="status"),
    Column("reason", "string", PURE, "why, in words, the most frequent first", heading="reason"),
    Column("runs", "int64", RUNS, "each once whatever its roles", heading="runs"),
    Column("first_bad_step", "int64", STEPS, "the earliest; null of failed runs", NULL),
    Column("last_finite_loss", "double", LOSS, "the largest", NULL),
    Column("settings", "string", PURE, "at which, in words", heading="settings"),
    DIVERGES_FROM_LR,
)

ANSWERS = (
    TASK,
    OPTIMIZER,
    Column("given", "string", PURE, "the row that was asked for, its features in the units of the data"),
    Column("answer", "double", PURE, "the prediction, median over the seeds that are not lost", NULL),
    *several("lowest highest", "double", PURE, "over these seeds", NULL),
    Column("seeds", "int64", SEEDS, "all that are compared"),
    Column("lost", "int64", SEEDS, "those of them that answer nothing"),
    Column("exact", "double", PURE, "the prediction of the exact minimiser", NULL),
)

# ---- a single run

MILESTONES = (
    Column("step", "int64", STEPS, "the start, the powers of ten and the end, as far as they are recorded"),
    *several("loss gap", "double", LOSS, "there"),
)
RUN = Column("run", "double", PURE, "of the run's last weights", heading="run")
EXACT = Column("exact", "double", PURE, "of the exact minimiser, where there is one", ABSENT, heading="exact")
WEIGHTS = (
    Column("parameter", "string", PURE, "a feature, or the intercept", heading="parameter"),
    RUN,
    EXACT,
    Column("*, in units", "double", PURE, "both in the units of the data as they came", ABSENT),
)
PREDICTIONS = (
    Column("*", "double", PURE, "each feature as it was asked for, in the units of the data as they came"),
    RUN._replace(meaning="the prediction of the run's last weights"),
    EXACT._replace(meaning="the prediction of the exact minimiser"),
)

FRAMES = {
    "runs": RUNS_FRAME,
    "curves": CURVES,
    "problems": PROBLEMS,
    "tasks": TASKS,
    "problem_list": PROBLEM_LIST,
    "entries": ENTRIES,
    "searched": ENTRIES,
    "reported": ENTRIES,
    "defaults": ENTRIES,
    "settings": SETTINGS,
    "chosen": SETTINGS,
    "failures": FAILURES,
    "answers": ANSWERS,
    "milestones": MILESTONES,
    "weights": WEIGHTS,
    "predictions": PREDICTIONS,
}
