"""What a column is: its name, its type, its unit and what it means."""

from typing import NamedTuple

# units
LOSS = "of the loss"  # the square of the target's unit for squared errors; of standardized data a pure number
EVALUATIONS = "gradient evaluations"
STEPS = "steps"
ROWS = "rows of data"
RATE = "of the learning rate"
CURVATURE = "of the loss's curvature"
DECADES = "decades of lr"
FACTOR = "factor"
RUNS = "runs"
SEEDS = "seeds"
SETTINGS = "settings"
TASKS = "tasks"
PROBLEMS = "problems"
WEIGHTS = "of the weights"
SECONDS = "seconds"
PURE = ""  # a word, a flag, a share or a plain number

# what stands in a column that not every row or sweep has
NULL = "null"  # no value: null in the store, NaN or None in a frame
ABSENT = "absent"  # the whole column is missing where no row has a value


class Column(NamedTuple):
    """One column of a frame or of a stored table."""

    name: str  # with * where many columns are told at once
    type: str  # as Arrow names it, in the store; pandas reads lists as tuples
    unit: str
    meaning: str  # columns of one meaning are told in one row
    may_be: str = ""
    relative: bool = False  # to who else is in the sweep: printed with a star
    heading: str = ""  # of the printed column that shows it alone; of a relative one without its star


def several(names: str, type: str, unit: str, meaning: str, may_be: str = "") -> tuple[Column, ...]:
    """Return the columns that share all but their names."""
    return tuple(Column(name, type, unit, meaning, may_be) for name in names.split())


def only(columns: tuple[Column, ...], names: str) -> tuple[Column, ...]:
    """Return the columns of these names, in their order."""
    by_name = {column.name: column for column in columns}
    return tuple(by_name[name] for name in names.split())


def without(columns: tuple[Column, ...], names: str) -> tuple[Column, ...]:
    """Return the columns but those of these names."""
    left_out = names.split()
    return tuple(column for column in columns if column.name not in left_out)
