"""Every field of a configuration with the values that it takes, and where conf/ lies.

A hyperparameter of an optimizer that conf/optimizer/ writes out has its line in HYPERPARAMETERS, a key of a
schedule in SCHEDULES.
"""

from pathlib import Path

from lrbench.config.values import (
    BOOLEAN,
    FOLDER,
    LARGEST_WHOLE,
    NULL,
    NUMBERS,
    ROWS,
    either,
    list_of,
    number,
    one_of,
    sequence,
    text,
    whole,
)

_PACKAGE = Path(__file__).parents[1]
_IN_A_WHEEL = _PACKAGE / "conf"
_IN_THE_REPOSITORY = _PACKAGE.parent / "conf"
CONF = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else _IN_THE_REPOSITORY

GROUPS = ("problem", "loss", "optimizer", "schedule")
OPTIONAL = ("schedule",)  # groups whose default choice is nothing, and leaves nothing

# of every run
RUN = {
    "epochs": whole(1),
    "steps": either(NULL, whole(1)),
    "batch_size": either(NULL, whole(1)),
    "batch_order": one_of("shuffled", "sequential", "replacement"),
    "init": either(one_of("torch", "zeros"), NUMBERS),
    "dtype": one_of("float64", "float32"),
    "seed": whole(0, LARGEST_WHOLE),
}

# how a sweep is asked, and nothing that a run is
REQUEST = {
    "name": either(NULL, FOLDER),
    "results_dir": text("a folder's path"),
    "report": BOOLEAN,
    "fresh": BOOLEAN,
    "baselines": BOOLEAN,
    "engine": one_of("auto", "reference", "fused"),
    "record": either(one_of("all"), whole(2)),
    "target": either(one_of("auto"), number(0, 1, above=True, below=True)),
    "executor": one_of("auto", "local", "processes"),
    "predict": either(NULL, ROWS),
}

_FRACTION = number(0, 1, below=True)
_NOT_NEGATIVE = number(0)
_INSIDE = number(0, 1, above=True, below=True)

HYPERPARAMETERS = {
    "lr": _NOT_NEGATIVE,
    "momentum": _NOT_NEGATIVE,
    "dampening": number(),
    "weight_decay": _NOT_NEGATIVE,
    "nesterov": BOOLEAN,
    "maximize": BOOLEAN,
    "betas": sequence(_FRACTION, _FRACTION),
    "eps": _NOT_NEGATIVE,
    "amsgrad": BOOLEAN,
    "decoupled_weight_decay": BOOLEAN,
    "alpha": _NOT_NEGATIVE,
    "centered": BOOLEAN,
    "lr_decay": _NOT_NEGATIVE,
    "initial_accumulator_value": _NOT_NEGATIVE,
    "rho": number(0, 1),
    "momentum_decay": _NOT_NEGATIVE,
    "etas": sequence(_INSIDE, number(1, above=True)),
    "step_sizes": sequence(number(0, above=True), number(0, above=True)),
    "lambd": number(),
    "t0": number(),
    "beta2_decay": number(high=0),
    "d": number(1),
    "max_iter": whole(1),
    "max_eval": either(NULL, whole(1)),
    "tolerance_grad": _NOT_NEGATIVE,
    "tolerance_change": _NOT_NEGATIVE,
    "history_size": whole(1),
    "line_search_fn": either(NULL, one_of("strong_wolfe")),
    "ns_coefficients": sequence(number(), number(), number()),
    "ns_steps": whole(1),
    "adjust_lr_fn": either(NULL, one_of("original", "match_rms_adamw")),
}

SCHEDULES = {
    "step_size": whole(1),
    "gamma": _NOT_NEGATIVE,
    "milestones": list_of(whole(0), "a list of whole numbers"),
    "T_max": either(NULL, whole(1)),
    "eta_min": _NOT_NEGATIVE,
    "start_factor": number(0, 1, above=True),
    "end_factor": number(0, 1),
    "factor": number(0, 1),
    "total_iters": whole(1),
    "power": _NOT_NEGATIVE,
    "T_0": whole(1),
    "T_mult": whole(1),
    "max_lr": _NOT_NEGATIVE,
    "total_steps": either(NULL, whole(1)),
    "pct_start": number(0, 1),
    "anneal_strategy": one_of("cos", "linear"),
    "cycle_momentum": BOOLEAN,
    "base_momentum": _FRACTION,
    "max_momentum": _FRACTION,
    "div_factor": number(0, above=True),
    "final_div_factor": number(0, above=True),
    "three_phase": BOOLEAN,
    "lr_lambda": text("the dotted path of a function of the step"),
}

SETTINGS = {"optimizer": HYPERPARAMETERS, "schedule": SCHEDULES}
# whose settings are checked by their names: torch's optimizers and schedulers, and optimizers of our own
CHECKED = ("torch.optim.", "lrbench.optimizers.classes.")

EXAMPLES = {
    "problem": "lrbench.problems.synthetic",
    "loss": "torch.nn.MSELoss",
    "optimizer": "torch.optim.Adam",
    "schedule": "torch.optim.lr_scheduler.StepLR",
}

# where a class of torch.optim gives a name another meaning
_ADAFACTORS_EPS = sequence(either(NULL, _NOT_NEGATIVE), _NOT_NEGATIVE)
OWN_HYPERPARAMETERS = {"torch.optim.Adafactor": {"eps": _ADAFACTORS_EPS}}
