"""All figures: one registry, one palette, the same bytes; captions and findings told from the frames."""

import importlib
import re
import warnings
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import pytest
from conftest import LECTURE, run, tuned
from drawn import (
    caption,
    colours_of,
    compare,
    draw,
    finding,
)
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from walks import AWAY, DOWN, STEPS, TWO
from whole import whole

from lrbench.errors import RequestError
from lrbench.results import figures
from lrbench.results.figures import COMPARED, FIGURES, layout
from lrbench.results.figures.save import save
from lrbench.results.frames.names import displayed


def test_every_file_with_a_figure_is_registered_once():
    """Against the files themselves: a figure that no registry names would be silently absent."""
    found = [
        module.FIGURE
        for file in Path(figures.__file__).parent.glob("*.py")
        if hasattr(module := importlib.import_module(f"lrbench.results.figures.{file.stem}"), "FIGURE")
    ]
    assert sorted(figure.name for figure in found) == sorted(figure.name for figure in FIGURES)
    assert {id(figure) for figure in found} == {id(figure) for figure in FIGURES}
    assert [figure for figure in COMPARED if figure.place != COMPARED.index(figure)] == []
    assert {figure.compared for figure in FIGURES} - {None} == set(COMPARED)


def test_no_two_figures_share_a_name_a_title_or_a_verb():
    for texts in zip(*((figure.name, figure.title, figure.method) for figure in FIGURES), strict=True):
        assert len(set(texts)) == len(FIGURES)
    assert all(re.fullmatch(r"plot_[a-z_]+", figure.method) for figure in FIGURES)
    assert all(figure.shows for figure in FIGURES)
    tables = [table for figure in FIGURES for table in figure.tables]
    assert len(set(tables)) == len(tables)


def test_each_figure_is_drawn_and_told_of_one_store(tmp_path):
    sweep = whole(tmp_path / "study")
    for figure in FIGURES:
        drawn = figure.draw(sweep)
        assert drawn.axes, figure.name
        assert re.fullmatch(r"[A-Z].*\.", figure.caption(sweep)), figure.name
        assert re.fullmatch(r"(p0|all problems|all tasks).*: .*\.", figure.finding(sweep)), figure.name
        if figure.slider:
            assert figure.slider(sweep, drawn)["paths"]
    difference = compare(sweep, sweep)
    for figure in COMPARED:
        assert len(figure.frame(difference))
        assert figure.draw(difference).axes, figure.name
        assert re.fullmatch(r"[A-Z].*\.", figure.caption(difference)), figure.name
        assert re.fullmatch(r"p0.*: .*\.", figure.finding(difference)), figure.name


def test_captions_tell_what_was_done(two_tuned, write):
    assert "the setting that 2 tuning seeds chose" in caption("targets", two_tuned)
    assert "over 3 seeds (what varies: start)" in caption("seeds", two_tuned)
    assert "on 2 tuning seeds" in caption("heat_map", two_tuned)
    assert "default" in caption("lr_sensitivity", two_tuned)
    grid = write(*[run(lr=lr, seed=seed) for lr in (0.1, 0.2) for seed in range(4)], folder="grid")
    assert "its best setting, chosen on the seeds that are shown" in caption("targets", grid)
    assert "median over 4 seeds" in caption("loss_curves", grid)
    assert "default" not in caption("lr_sensitivity", grid)
    assert "Line: one run." in caption("loss_curves", write(run(), folder="one"))


def test_every_figure_can_be_drawn_alone(two_tuned):
    axes = {figure.method: _axes(figure, two_tuned) for figure in FIGURES}
    assert len(axes) == len(FIGURES)
    titles = {method: own[0].get_title(loc="left") for method, own in axes.items() if own}
    assert titles.pop("plot_sensitivity") == two_tuned.ranking["optimizer"].iloc[0]  # a panel an optimizer
    assert set(titles.values()) == {"lecture"}
    assert "plot_targets" in titles
    assert "plot_profile" not in titles  # takes three tasks


def _axes(figure, sweep) -> list:
    try:
        return figure.draw(sweep).axes
    except RequestError:
        return []


def test_findings_are_those_of_the_frames(two_tuned):
    leader = two_tuned.ranking.iloc[0]
    assert finding("loss_curves", two_tuned).startswith(f"lecture: {leader['optimizer']} leads")
    counts = two_tuned.targets.groupby("optimizer")["hits"].sum()
    assert f"a_d&am {counts['a_d&am']} of 24" in finding("targets", two_tuned)
    arrived = two_tuned.reported.groupby("optimizer")["arrived"].sum()
    assert f"a_d&am {arrived['a_d&am']} of 3" in finding("seeds", two_tuned)
    shown = (two_tuned.pairwise["better"] != "").sum()
    assert finding("pairs", two_tuned) == f"lecture: one is shown better in {shown} of 1 pair."


NOISE = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.0, 1.03, 0.97]


def at_levels(levels: dict[str, float]) -> list[dict]:
    """Ten seeds of each optimizer that end about a level, in another order each."""
    return [
        run(name, level * x, seed=seed)
        for k, (name, level) in enumerate(levels.items())
        for seed, x in enumerate(np.roll(NOISE, k))
    ]


def test_who_leads_is_told_with_what_a_test_shows_of_the_others(write):
    results = write(*at_levels({"a": 1e-3, "b": 1.02e-3, "c": 5e-3, "d": 8e-3}))
    words = dict(zip(results.ranking["optimizer"], results.ranking["word"], strict=True))
    assert words == {"a": "", "b": "as good", "c": "clear", "d": "clear"}
    assert finding("loss_curves", results) == "lecture: a leads; as good: b; shown behind: c and d."


def test_who_leads_by_nothing_that_is_shown_is_said_to(write):
    results = write(*[run(name, 1e-3 * (1 + k), seed=0) for k, name in enumerate("ab")])
    assert finding("loss_curves", results) == "lecture: a leads; nobody is shown behind."


def test_who_is_shown_ahead_of_the_leader_is_named(write_tuned):
    """a leads by the tuning seeds, and b is ahead on all the others."""
    results = write_tuned(
        tuned("a", {0.1: [1e-4], 0.2: [1e-2]}, [1e-2 * x for x in NOISE]),
        tuned("b", {0.1: [1e-3], 0.2: [1e-2]}, [1e-3 * x for x in NOISE[::-1]]),
    )
    assert finding("loss_curves", results) == "lecture: a leads; shown ahead of it: b."


def test_who_passes_through_is_named_apart(write):
    results = write(*at_levels({"a": 1e-3, "b": 5e-3}))
    ranking = results.ranking.assign(word=["", "passes through"], side=[0, 1])
    vars(results)["ranking"] = ranking
    assert finding("loss_curves", results) == "lecture: a leads; passes through: b."


def test_one_optimizer_is_told_by_itself(write):
    rows = [run(gap=1e-9, hit=4, seed=seed) for seed in range(2)]
    told = "SGD arrives with 2 of 3 seeds, then in 4 gradient evaluations"
    assert finding("loss_curves", write(*rows, run(seed=2))) == f"lecture: {told}."
    missing = finding("loss_curves", write(run(gap=1e-3), folder="misses"))
    assert missing == "lecture: SGD misses the target, its level is 0.00100."


def test_a_finding_of_nothing_completed(write):
    lost = write(*[run(lr=lr, status="diverged", seed=seed) for lr in (0.1, 0.2) for seed in (0, 1)])
    assert finding("loss_curves", lost) == "lecture: every run is lost."
    assert finding("lr_sensitivity", lost) == "lecture: no learning rate works."
    assert finding("seeds", lost) == "lecture: no seed arrives."


def test_crosses_rings_and_means_are_told_of_where_they_are_drawn(write):
    whole, lost = (
        write(*[run(lr=lr) for lr in (0.1, 0.2)], folder="whole"),
        write(run(lr=0.1), run(lr=0.2, status="diverged"), folder="lost"),
    )
    assert [
        name
        for name in ("lr_sensitivity", "heat_map", "targets")
        if re.search("cross|Hatched|complete", caption(name, whole))
    ] == []
    assert "crosses at the top" in caption("lr_sensitivity", lost)
    assert "Hatched" in caption("heat_map", lost)
    assert "Crosses" not in caption("loss_curves", lost)
    assert "Crosses" in caption("loss_curves", write(run(status="diverged"), folder="away"))


def test_a_tuned_sweep_is_drawn_on_the_seeds_that_are_compared_and_searched_on_the_others(write_tuned):
    trials = {0.01: [1e-2, 1e-2], 0.1: [1e-5, 1e-5], 1.0: [1e-3, 1e-3]}
    results = write_tuned(tuned("sgd", trials, [1e-6, 1e-4, 1e-5], [1e-1, 1e-1, 1e-1]))
    assert results.best_curves["median"].iloc[-1] == pytest.approx(1e-5)
    frame = results.rates
    assert dict(zip(frame["lr"], frame["gap"], strict=True)) == pytest.approx(
        {0.01: 1e-2, 0.1: 1e-5, 1.0: 1e-3}
    )
    assert frame.loc[frame["best"], "lr"].tolist() == [0.1]
    assert results.default_rates["lr"].tolist() == [0.001]
    assert set(results.solved["pairs"]) == {3 * 8}
    assert sorted(results.finals["gap"]) == [1e-6, 1e-5, 1e-4]


def test_a_panel_a_task_and_six_at_most(write):
    tasks = [LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(8)]
    rows = [run("adam", problem_id=task["problem_id"], problem=task["problem"]) for task in tasks]
    results = write(*rows, problems=tuple(tasks))
    titles = [ax.get_title(loc="left") for ax in draw("loss_curves", results).axes]
    assert titles == [f"p{k}" for k in range(6)]
    assert caption("loss_curves", results).endswith(" 6 of 8 tasks; not drawn: p6 and p7.")
    assert "p6" not in finding("loss_curves", results)
    assert "tasks;" not in caption("profile", results)


def test_no_name_runs_out_of_a_figure(write):
    long = "W" * 80
    problems = tuple(LECTURE | {"problem_id": name, "problem": name} for name in (long, "short"))
    rows = [
        run(
            name,
            1e-3 / (1 + k),
            lr=lr,
            seed=seed,
            problem_id=task["problem_id"],
            problem=task["problem"],
            kind="v" * 90 if lr > 0.1 else "",
        )
        for task in problems
        for k, name in enumerate((long, long + "2", "c"))
        for lr in (0.1, 0.2)
        for seed in range(2)
    ]
    results = write(*rows, problems=problems)
    for name in ("loss_curves", "lr_sensitivity", "heat_map", "seeds", "pairs"):
        figure = draw(name, results)
        figure.set_dpi(600)  # signs have whole pixels
        figure.draw_without_rendering()
        seen = [text for text in figure.findobj(Text) if text.get_visible() and "…" in text.get_text()]
        assert len(seen) >= 3, name
        for text in seen:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= figure.bbox.width, (name, text.get_text())


def test_figures_leave_no_global_state_and_give_the_same_bytes(write, tmp_path):
    results = write(*[run(lr=lr, seed=seed) for lr in (0.1, 0.2) for seed in range(2)])
    before = dict(matplotlib.rcParams)
    files = [
        save(draw(name, results), tmp_path / f"{k}{name}.svg")
        for k in range(2)
        for name in ("loss_curves", "lr_sensitivity")
    ]
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []
    one, two, three, four = [file.read_bytes() for file in files]
    assert (one, two) == (three, four)


@pytest.mark.parametrize("gap", [0.0, 8.0, 1e-300, 1e100])
def test_extreme_gaps_are_drawn_without_a_warning(write, tmp_path, gap):
    results = write(*[run(gap=gap, lr=lr) for lr in (0.1, 0.2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(draw("loss_curves", results), tmp_path / "a.svg")
        save(draw("lr_sensitivity", results), tmp_path / "b.png")


SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def everything(write_tuned):
    """Two optimizers on six tasks, tuned, with a default each, paths, and runs lost at some rates: all
    figures can be drawn.
    """
    return _everything(write_tuned, TWO, 1e-6, 1e-8)


def _everything(write_tuned, problem, sgd_best, adam_best):
    """sgd_best: a gap of it at its chosen rate, on the tuning seeds; adam_best: on the others."""
    competitors = []
    for k in range(6):
        task = {"problem_id": f"p{k}", "problem": f"p{k}"}
        sgd = {
            0.01: [1e-2, 1e-1],
            0.1: [1e-5, sgd_best],
            1.0: [1e-3, np.inf],
            10.0: [np.inf, np.inf],
            0.001: [1e-1, 1e-1],
        }
        competitors += [
            tuned("sgd", sgd, [1e-5, 1e-6, np.inf], [1e-1, np.inf, 1e-1], momentum=0.0, **task),
            tuned(
                "adam",
                {lr: [g / 9 for g in own] for lr, own in sgd.items()},
                [1e-7, adam_best, 1e-9],
                [1e-2] * 3,
                target_="torch.optim.Adam",
                **task,
            ),
        ]
    results = write_tuned(
        *competitors, problems=tuple(problem | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(6))
    )
    runs = results.reported.drop_duplicates(["task", "optimizer"])
    ways = {"sgd": AWAY.ravel().tolist(), "adam": DOWN.ravel().tolist()}
    paths = [
        {"run_id": row.run_id, "step": STEPS, "weights": ways[row.optimizer]} for row in runs.itertuples()
    ]
    results.store.write_paths(pa.Table.from_pylist(paths))
    return results


def test_gaps_of_nothing_are_drawn_at_the_end_of_the_axis(write_tuned, monkeypatch):
    """A loss without a minimiser has no floor, and its gap may fall to 0: every figure is drawn, and no dot
    lies beyond its axes.
    """
    monkeypatch.setattr(layout, "MOST_PANELS", 1)
    with np.errstate(divide="ignore"):
        results = _everything(write_tuned, TWO | {"gap_floor": 0.0, "attained": False}, 0.0, 1e-310)
        drawn = {figure.name: figure.draw(results) for figure in FIGURES}
    for name, figure in drawn.items():
        figure.draw_without_rendering()
        assert caption(name, results)
    for name in ("seeds", "tuned_against_default", "lr_sensitivity"):
        for ax in drawn[name].axes:
            (left, _), (low, _) = ax.get_xlim(), ax.get_ylim()
            marks = [
                mark
                for mark in ax.collections
                if isinstance(mark, PathCollection) and mark.get_offset_transform() == ax.transData
            ]
            offsets = np.concatenate([np.ma.filled(mark.get_offsets(), np.inf) for mark in marks])
            assert (offsets >= ([left, -1] if name != "lr_sensitivity" else [left, low])).all(), name
    assert [name for name in drawn if "drawn at its end" in caption(name, results)] == ["loss_curves"]


def test_one_set_of_boxes_filters_every_figure(everything, tmp_path, monkeypatch):
    """What has an optimizer's colour or name lies in a group whose id ends in its place, and no id is
    given twice.
    """
    monkeypatch.setattr(layout, "MOST_PANELS", 2)
    for figure in FIGURES:
        name = figure.name
        root = ElementTree.parse(save(figure.draw(everything), tmp_path / f"{name}.svg")).getroot()
        ids = [
            part.get("id") for part in root.iter() if part.get("id") and part.tag != f"{SVG}image"
        ]  # a page drops those of images
        assert len(ids) == len(set(ids)), name
        ends = {one: {int(place) for place in re.findall(r"-optimizer-(\d+)", one)} for one in ids}
        assert set().union(*ends.values()) == {0, 1}, name
        for i, (optimizer, colour) in enumerate(colours_of(everything).items()):
            inside = {
                id(part)
                for group in root.iter(f"{SVG}g")
                if i in ends.get(group.get("id"), ())
                for part in group.iter()
            }
            own = [
                part
                for part in root.iter()
                if colour in (part.get("style") or "") or displayed(optimizer) in (part.text or "")
            ]
            assert own, name
            assert {id(part) for part in own} <= inside, (name, optimizer)
