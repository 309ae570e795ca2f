"""Update rules of optimizers, a family a file, and the table that ties classes to them.

A class is known by its dotted path, so that none is imported: torch takes seconds to import. Classes that
torch lacks stand in classes.py.
"""

from lrbench.optimizers.adadelta import ADADELTA
from lrbench.optimizers.adagrad import ADAGRAD
from lrbench.optimizers.adam import ADAM, ADAMW
from lrbench.optimizers.adamax import ADAMAX
from lrbench.optimizers.asgd import ASGD
from lrbench.optimizers.nadam import NADAM
from lrbench.optimizers.radam import RADAM
from lrbench.optimizers.rmsprop import RMSPROP
from lrbench.optimizers.rprop import RPROP
from lrbench.optimizers.rule import Family, Rule
from lrbench.optimizers.sgd import SGD

__all__ = ["FAMILIES", "Family", "Rule"]

FAMILIES: dict[str, Family] = {
    "torch.optim.SGD": SGD,
    "torch.optim.Adam": ADAM,
    "torch.optim.AdamW": ADAMW,
    "torch.optim.Adamax": ADAMAX,
    "torch.optim.NAdam": NADAM,
    "torch.optim.RAdam": RADAM,
    "torch.optim.RMSprop": RMSPROP,
    "torch.optim.Adagrad": ADAGRAD,
    "torch.optim.Adadelta": ADADELTA,
    "torch.optim.Rprop": RPROP,
    "torch.optim.ASGD": ASGD,
}
