"""Frames of the way down: curves, what theory says of them, errors by direction, paths on a map."""

from lrbench.results.frames.columns.column import (
    CURVATURE,
    EVALUATIONS,
    LOSS,
    NULL,
    PURE,
    RATE,
    SEEDS,
    STEPS,
    WEIGHTS,
    Column,
    several,
)
from lrbench.results.frames.columns.runs import CURVES as RECORDED
from lrbench.results.frames.columns.runs import DIVERGES_FROM_LR, OPTIMIZER, SETTING, TASK

# ---- measured

BEST_CURVES = (
    TASK,
    OPTIMIZER,
    SETTING,
    *several("diverged failed seeds", "int64", SEEDS, "how many diverged and failed at it, of so many"),
    Column("step", "int64", STEPS, "recorded, 0 is the start"),
    Column("evaluations", "double", EVALUATIONS, "so far, median over the seeds"),
    *several(
        "median q25 q75",
        "double",
        LOSS,
        "of the gap over the seeds: not below the floor, inf where so many runs had stopped",
    ),
)
STOPS = (
    TASK,
    OPTIMIZER,
    Column("run_id", "string", PURE, "a diverged run of the chosen setting"),
    Column("evaluations", "double", EVALUATIONS, "when its gap is first above 30 times the start's, or last"),
    Column("gap", "double", LOSS, "there"),
)
FINALS = (
    TASK,
    OPTIMIZER,
    Column("median", "double", LOSS, "of the gaps of the setting"),
    Column("seeds", "int64", SEEDS, "of the setting"),
    Column("lost", "int64", SEEDS, "of the setting: that did not complete"),
    Column("seed", "int64", PURE, "of this run"),
    Column("gap", "double", LOSS, "of this run: its level, inf if lost"),
    Column("arrived", "bool", PURE, "whether this run arrives at the target"),
    Column("hit", "double", EVALUATIONS, "until it arrives, inf where it does not"),
)

# ---- what theory says

PREDICTED_CURVES = (
    TASK,
    OPTIMIZER,
    Column("evaluations", "double", EVALUATIONS, "so far"),
    Column(
        "gap",
        "double",
        LOSS,
        "on all rows the median over the starts; on batches the mean over the starts of the expected gap",
    ),
)
NOISE_FLOORS = (TASK, OPTIMIZER, Column("gap", "double", LOSS, "where it ends on average"))
STABILITY_EDGES = (
    TASK,
    OPTIMIZER,
    Column("lr", "double", RATE, "from which on it stops converging, its momentum kept"),
)
DIVERGING = (TASK, OPTIMIZER, DIVERGES_FROM_LR._replace(may_be=""))
METHOD = Column("method", "string", PURE, "in words", heading="method")
LR = Column("lr", "double", RATE, "its constant learning rate", NULL, heading="lr")
MOMENTUM = Column("momentum", "double", PURE, "its constant momentum", NULL, heading="momentum")
LIMITS = (
    TASK,
    METHOD,
    LR._replace(meaning="asymptotically best learning rate"),
    MOMENTUM._replace(meaning="asymptotically best momentum"),
    Column(
        "steps to a tenth",
        "double",
        STEPS,
        "until the error is a tenth, with these",
        heading="steps to a tenth",
    ),
    Column("largest lr", "double", RATE, "that converges", heading="largest lr"),
)
FIRST_STEPS = (
    TASK,
    OPTIMIZER,
    Column("lr", "double", RATE, "of the chosen setting", heading="lr"),
    Column(
        "largest move",
        "double",
        WEIGHTS,
        "how far the first update moves a coordinate at most",
        heading="largest move",
    ),
    Column("way to go", "double", WEIGHTS, "of a coordinate from start to minimiser", heading="way to go"),
)
LEAST_POSSIBLE = (
    TASK,
    Column("evaluations", "double", EVALUATIONS, "so far"),
    Column("gap", "double", LOSS, "of conjugate gradients, the median over the starts"),
)
BASELINES = (
    TASK,
    METHOD,
    LR._replace(meaning="its constant learning rate, median over the starts"),
    MOMENTUM._replace(meaning="its constant momentum, median over the starts"),
    Column("gap", "double", LOSS, "after the task's budget, geometric mean over the starts", heading="gap"),
)
IMPOSSIBLE = (
    *RECORDED,
    TASK,
    OPTIMIZER,
    SETTING,
    Column("seed", "int64", PURE, "of the run"),
    Column("least", "double", LOSS, "the gap that is possible there"),
)

# ---- by direction, and on a map

DIRECTIONS = (
    TASK,
    OPTIMIZER,
    Column("direction", "int64", PURE, "from steep to flat, from 0; many are joined into bands"),
    Column("step", "int64", STEPS, "traced"),
    Column("eigenvalue", "double", CURVATURE, "of the direction, of a band the steepest"),
    Column("part", "double", PURE, "eigenvalue c² / 2 over the sum of these at the start"),
)
REMAINING = (
    TASK,
    OPTIMIZER,
    *several(
        "steep middle flat",
        "double",
        PURE,
        "share of the last gap in that third of the directions, by the width of the spectrum in log",
        NULL,
    ),
    Column(
        "largest at eigenvalue",
        "double",
        CURVATURE,
        "of the direction with the largest part",
        NULL,
        heading="largest at eigenvalue",
    ),
)
STATISTICAL = (
    TASK,
    OPTIMIZER,
    Column("left", "double", WEIGHTS, "|w - w*| at the last state", NULL, heading="left"),
    Column(
        "from data",
        "double",
        WEIGHTS,
        "|w* - w_true|, the error that no optimizer can undo",
        heading="from data",
    ),
    Column(
        "pointless from",
        "double",
        STEPS,
        "the first traced step from which on `left` stays below `from data`, inf if it does not",
        heading="pointless from",
    ),
)
# one parameter: x is it and y the gap; two: the weights; more: the flattest and the steepest direction
PLACE = several("x y", "double", PURE, "on the map", NULL)
POINTS = (
    TASK,
    OPTIMIZER,
    Column("step", "int64", STEPS, "of a kept state"),
    *PLACE,
    Column("inside", "bool", PURE, "whether it lies in the frame of the map"),
)
MAPS = (
    TASK,
    *several("x_name y_name", "string", PURE, "of the axes"),
    *several("left right bottom top", "double", PURE, "the ends of the frame"),
    *several("x_star y_star", "double", PURE, "the minimiser"),
)
LEVELS = (
    TASK,
    Column("gap", "double", LOSS, "of the line; null of the parabola of one parameter", NULL),
    *several("x y", "double", PURE, "of a vertex of the line"),
)
CUTS = (
    TASK,
    OPTIMIZER,
    Column("step", "int64", STEPS, "of the first kept state beyond"),
    *several("x y", "double", PURE, "where the path leaves its map for good"),
)

FRAMES = {
    "best_curves": BEST_CURVES,
    "stops": STOPS,
    "finals": FINALS,
    "predicted_curves": PREDICTED_CURVES,
    "noise_floors": NOISE_FLOORS,
    "stability_edges": STABILITY_EDGES,
    "diverging": DIVERGING,
    "limits": LIMITS,
    "first_steps": FIRST_STEPS,
    "least_possible": LEAST_POSSIBLE,
    "baselines": BASELINES,
    "impossible": IMPOSSIBLE,
    "directions": DIRECTIONS,
    "remaining": REMAINING,
    "statistical": STATISTICAL,
    "points": POINTS,
    "maps": MAPS,
    "levels": LEVELS,
    "cuts": CUTS,
}
