"""The registry of columns against the frames of real sweeps, and the pages that are made from it."""

import re
import sys
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest
from conftest import swept

from lrbench.results.frames.columns import FRAMES, Column, names, typed
from lrbench.results.frames.columns.column import ABSENT, NULL
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.pairing import pair_tasks, tasks_frame
from lrbench.results.tables.sweep import Sweep

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "experiments"))
import marked  # noqa: E402
import schema  # noqa: E402

OF_ONE_RUN = ("milestones", "weights", "predictions")
SWEEPS = {
    "tuned": schema.TUNED,
    "drawn": schema.DRAWN,
    "single": schema.SINGLE,
    "diverged": schema.DIVERGED,
    "custom": ["optimizer=custom", "optimizer._target_=torch.optim.Adafactor", "steps=3"],
}
OF_A_SWEEP = [name for name in FRAMES if "." not in name]
OF_TWO = [name.partition(".")[2] for name in FRAMES if "." in name]


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory) -> dict[str, Sweep]:
    return {name: swept(tmp_path_factory.mktemp(name), *lines) for name, lines in SWEEPS.items()}


@pytest.fixture(scope="module")
def differences(sweeps, tmp_path_factory) -> list[Difference]:
    """The first with settings of both, the second without a common setting, the third without a common
    task.
    """
    with_decay = swept(tmp_path_factory.mktemp("decay"), *schema.DIVERGED, "optimizer.weight_decay=0.01")
    pairs = (
        (sweeps["tuned"], sweeps["tuned"]),
        (sweeps["diverged"], with_decay),
        (sweeps["tuned"], sweeps["drawn"]),
    )
    return [Difference(a, b, tasks_frame(pair_tasks(a, b), anyway=False)) for a, b in pairs]


def assert_registered(frame: pd.DataFrame, name: str):
    """The columns are those of the registry, in its order where it names each, with its types."""
    columns = FRAMES[name]
    found = {}
    for label in frame:
        matching = [column for column in columns if fnmatchcase(label, column.name)]
        assert matching, f"{name}.{label} is not registered"
        found[label] = next((column for column in matching if column.name == label), matching[0])
    required = [column.name for column in columns if column.may_be != ABSENT and "*" not in column.name]
    assert set(required) <= set(frame), name
    if not any("*" in column.name for column in columns) and name not in ANY_ORDER:
        assert list(frame) == [column.name for column in columns if column.name in frame], name
    for label, column in found.items():
        assert has_type(frame[label], column), f"{name}.{label} is {frame[label].dtype}, not {column.type}"
    assert not {"name", "competitor"} & set(frame), name


# their columns come from the store, in its order
ANY_ORDER = {"problems", "tasks"}


def has_type(cells: pd.Series, column: Column) -> bool:
    """Say whether cells are of a column's type; one that may be null is read as floats or objects there."""
    if column.may_be and cells.isna().all():
        return True
    types = pd.api.types
    if column.type == "string":
        return types.is_string_dtype(cells.dropna())
    if column.type == "int64":
        may_be_float = column.may_be == NULL and types.is_float_dtype(cells)
        return types.is_integer_dtype(cells) or may_be_float
    if column.type == "double":
        return types.is_float_dtype(cells)
    if column.type == "bool":
        return types.is_bool_dtype(cells)
    if column.type.startswith("list"):
        return cells.dropna().map(lambda cell: isinstance(cell, tuple | list)).all()
    return True  # a setting may have any type


@pytest.mark.parametrize("name", OF_A_SWEEP)
def test_a_sweeps_frames_have_the_registered_columns(sweeps, name):
    with_rows = 0
    for sweep in sweeps.values():
        if name not in OF_ONE_RUN or len(sweep.runs) == 1:
            frame = getattr(sweep, name)
            assert_registered(frame, name)
            with_rows += len(frame) > 0
    assert with_rows or name == "impossible"  # no other frame goes unseen


@pytest.mark.parametrize("name", OF_TWO)
def test_the_frames_of_two_sweeps_have_the_registered_columns(differences, name):
    for difference in differences:
        assert_registered(getattr(difference, name), f"difference.{name}")
    assert len(getattr(differences[0], name))


def test_what_is_impossible_has_the_registered_columns(sweeps, monkeypatch):
    from lrbench.results.tables import attainable

    monkeypatch.setattr(attainable, "BELOW", float("inf"))  # so that every honest run is below
    sweep = Sweep(sweeps["single"].store)
    assert len(sweep.impossible)
    assert_registered(sweep.impossible, "impossible")


def test_every_public_frame_is_registered(sweeps, differences):
    for owner, prefix in ((sweeps["single"], ""), (differences[0], "difference.")):
        public = [name for name, prop in vars(type(owner)).items() if isinstance(prop, cached_property)]
        public = [name for name in public if not name.startswith("_")]
        frames = {prefix + name for name in public if isinstance(getattr(owner, name), pd.DataFrame)}
        assert frames <= set(FRAMES)


def test_columns_are_named_once_and_say_what_they_mean():
    for name, columns in FRAMES.items():
        labels = [column.name for column in columns]
        assert len(labels) == len(set(labels)), name
        assert all(column.meaning for column in columns), name


def test_a_frame_without_rows_has_the_types_of_one_with_rows():
    row = ("lecture", "adam", 8, 1.0, 2.0, 3.0)
    empty, full = typed([], "budget_curve"), typed([row], "budget_curve")
    assert list(empty) == list(full) == names("budget_curve")
    assert empty.dtypes.tolist() == full.dtypes.tolist()


# ---- pages


def test_the_schema_of_the_store_is_made_from_the_columns():
    page = schema.STORE_PAGE.read_text(encoding="utf-8")
    blocks = schema.store_blocks()
    assert set(blocks) <= marked.regions(page)
    assert marked.filled(page, blocks) == page, "`make docs` writes it anew"


def test_the_page_of_frames_is_made_from_the_columns():
    """Rows of sweeps are left out: their last digits may differ from one processor to the next."""
    page = schema.FRAMES_PAGE.read_text(encoding="utf-8")
    nothing = dict.fromkeys(FRAMES, pd.DataFrame())
    blocks = schema.frame_blocks(nothing)
    assert set(blocks) == marked.regions(page)
    assert without_rows(marked.filled(page, blocks)) == without_rows(page), "`make docs` writes it anew"


def without_rows(page: str) -> str:
    """The page without the last cell of each line of a table."""
    return re.sub(r"\| [^|]*\|$", "|", page, flags=re.MULTILINE)


def test_a_whole_number_may_be_missing():
    """Who lost every run has no rank; another of the same frame has."""
    filled = {"string": "", "int64": 1, "double": 1.0, "bool": True}
    row = {column.name: filled[column.type] for column in FRAMES["standings"]}
    frame = typed([row | {"rank": None}, row], "standings")
    assert frame["rank"].isna().tolist() == [True, False]
    assert frame["rank"].dtype == "Int64"
