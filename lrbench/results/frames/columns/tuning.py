"""Frames of what tuning brought, and what each learning rate gave."""

from lrbench.results.frames.columns.column import (
    DECADES,
    EVALUATIONS,
    FACTOR,
    LOSS,
    NULL,
    PURE,
    RATE,
    SEEDS,
    SETTINGS,
    Column,
    several,
    without,
)
from lrbench.results.frames.columns.ranking import INTERVAL, SIDE_OF_PAIR, TEST, UNIT, WORD, P
from lrbench.results.frames.columns.runs import OPTIMIZER, SETTING, TASK
from lrbench.results.frames.columns.runs import SETTINGS as SETTINGS_FRAME

TUNED_AGAINST_DEFAULT = (
    TASK,
    OPTIMIZER,
    SETTING._replace(heading="setting"),
    Column("gap", "double", LOSS, "level at the tuned setting, geometric mean", heading="level"),
    Column("default_gap", "double", LOSS, "at the optimizer's own default", heading="default level"),
    Column("cost", "double", EVALUATIONS, "until arrival at the tuned setting, geometric mean", NULL),
    Column("default_cost", "double", EVALUATIONS, "the same at the default", NULL),
    Column("arrived", "int64", SEEDS, "that arrive at the tuned setting"),
    Column("default_arrived", "int64", SEEDS, "that arrive at the default"),
    UNIT,
    Column("gain", "double", FACTOR, "the default's over the tuned one's, paired by seed", NULL),
    *INTERVAL,
    WORD._replace(relative=False, meaning="what is said of the tuned setting against the default"),
    SIDE_OF_PAIR._replace(
        meaning="1 where the tuned setting is shown better, -1 where the default is, else 0"
    ),
    Column("n", "int64", SEEDS, "distinct pairs of runs; 0 where no seed ran both", heading="pairs"),
    TEST,
    P._replace(heading="p"),
)
GAINS = (
    *without(TUNED_AGAINST_DEFAULT, "n"),
    *several("lost seeds", "int64", SEEDS, "of the tuned setting: that did not complete, of so many"),
    *several("default_lost default_seeds", "int64", SEEDS, "the same of the default"),
)
DEFAULT_RATES = (TASK, OPTIMIZER, Column("lr", "double", RATE, "of the default"))
BUDGET_CURVE = (
    TASK,
    OPTIMIZER,
    Column("trials", "int64", SETTINGS, "so many of all, at random"),
    *several("q25 median q75", "double", PURE, "quartiles of the least score among them, inf without one"),
)
SENSITIVITY_TABLE = (
    TASK,
    OPTIMIZER,
    Column("lrs", "int64", SETTINGS, "learning rates that were searched", heading="lrs"),
    Column(
        "tolerance",
        "double",
        DECADES,
        (
            "from the lowest to the highest of the neighbouring lrs around the best that work; 0 for one lr "
            "alone, null where the best does not work, or neighbours are no curve"
        ),
        NULL,
    ),
    *several("open_low open_high", "bool", PURE, "whether it touches that end of the lrs"),
    *several("lowest_lr highest_lr", "double", RATE, "its ends", NULL),
    Column("best_lr", "double", RATE, "of the best setting", heading="best lr"),
)
RATES = (
    *SETTINGS_FRAME,
    Column(
        "works",
        "bool",
        PURE,
        (
            "whether it loses no seed, first rises no higher than the limit, and costs at most twice the "
            "best, or ends at most twice as high where that does not arrive"
        ),
    ),
    Column("edge", "string", PURE, "that of the ranking"),
    Column("best", "bool", PURE, "whether it is the optimizer's chosen setting"),
    Column(
        "scattered",
        "bool",
        PURE,
        "whether the other hyperparameters were drawn anew at each rate, so that neighbours are no curve",
    ),
)
CELLS = (
    *RATES,
    *several("left right", "double", RATE, "the ends of its cell, half way (in log) to its neighbours"),
)

FRAMES = {
    "tuned_against_default": TUNED_AGAINST_DEFAULT,
    "gains": GAINS,
    "default_rates": DEFAULT_RATES,
    "budget_curve": BUDGET_CURVE,
    "sensitivity_table": SENSITIVITY_TABLE,
    "rates": RATES,
    "cells": CELLS,
}
