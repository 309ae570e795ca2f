"""The page, the Markdown and the tables are whole whatever the sweep; nothing in the page leaves it."""

import io
import json
import math
import re
import subprocess
import sys
from html import unescape
from itertools import pairwise

import pandas as pd
import pytest
from conftest import LECTURE, TUNE, run, tuned
from markupsafe import escape
from matplotlib.collections import PolyCollection
from rich.console import Console

import lrbench
from lrbench.cli import main
from lrbench.errors import RequestError
from lrbench.results import report, text
from lrbench.results.one_run import weights
from lrbench.results.report import FIGURES
from lrbench.results.report.captions import CAPTIONS, caption, over
from lrbench.results.report.facts import facts, state
from lrbench.results.report.findings import finding
from lrbench.results.report.glossary import used
from lrbench.results.report.html import SCRIPT, inline, read
from lrbench.results.report.latex import latex
from lrbench.results.terminal import print_ranking
from lrbench.results.verdict import headline

HOSTILE = ["<script>alert(1)</script>", "a\"b'c", "x" * 200, "名前 ünï", "`|*_[x](", 'id="a url(#b #24292f']


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    lines = [
        "optimizer=sgd,adam,rprop",
        "optimizer.lr=0.01,0.1,1",
        "seed=range(3)",
        "steps=30",
        f"results_dir={folder}",
    ]
    return lrbench.sweep(*lines)


@pytest.fixture
def one_figure(monkeypatch):
    """Of the figures only the loss curves: what a test reads is elsewhere."""
    monkeypatch.setattr(report, "FIGURES", FIGURES[:1])


def printed_cells(page: str) -> list[str]:
    return [
        unescape(re.sub(r"<[^>]*>", "", cell))
        for cell in re.findall(r'<(?:td|th scope="row")[^>]*>(.*?)</t[dh]>', page)
    ]


def markup(page: str, scripts: tuple[str, ...] = (SCRIPT,)) -> str:
    """The page without its scripts, which must be the known ones; all others are JSON."""
    found = re.findall(r"<script([^>]*)>(.*?)</script>", page, flags=re.DOTALL)
    assert [code for attributes, code in found if not attributes] == list(map(read, scripts))
    for attributes, data in found:
        assert not attributes or json.loads(data)
    rest = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<script" not in rest.lower()
    return rest


def printed(results) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_ranking(results, console)
    return console.file.getvalue()


def test_the_csv_holds_the_ranking_in_full(swept):
    read = pd.read_csv(swept.store.summary("csv"))
    assert read["gap"].tolist() == swept.ranking["gap"].tolist()
    assert read["optimizer"].tolist() == swept.ranking["optimizer"].tolist()


def test_the_page_is_alone(swept):
    page = markup(swept.store.report.read_text(encoding="utf-8"))
    assert set(re.findall(r"https?://([\w.]+)", page)) <= {"www.w3.org"}
    assert "default-src 'none'; script-src 'sha256-" in unescape(page)
    assert '<html lang="en">' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_hostile_names_are_text(write):
    results = write(*[run(name, 10.0**-k, seed=seed) for k, name in enumerate(HOSTILE) for seed in (0, 1)])
    page = markup(results.report().read_text(encoding="utf-8"))
    assert [name for name in HOSTILE if name not in unescape(page)] == []
    assert max(map(len, printed(results).splitlines())) <= 80


def test_a_report_needs_neither_torch_nor_hydra(swept):
    code = f"import sys; from lrbench.cli import main; main(['report', {str(swept.store.root)!r}]); print(sorted({{'torch', 'hydra'}} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_a_diverged_run_never_wins_and_is_seen(swept):
    best = swept.ranking.groupby("task").head(1)
    assert (best["gap"] < float("inf")).all()
    diverged = int((swept.runs["status"] == "diverged").sum())
    assert diverged > 0
    assert "Runs that went wrong" in swept.store.report.read_text(encoding="utf-8")


def test_the_curves_in_the_figure_are_the_medians_of_the_runs(swept):
    figure = swept.plot_curves()
    drawn = [line.get_ydata() for line in figure.axes[0].get_lines()]
    for row in swept.ranking.to_dict("records"):
        ids = swept.runs.loc[swept.runs["setting_id"] == row["setting_id"], "run_id"]
        median = swept.curves[swept.curves["run_id"].isin(ids)].groupby("step")["gap"].median().to_numpy()
        assert any(len(y) == len(median) and (abs(y / median - 1) < 1e-12).all() for y in drawn)


def test_eighteen_optimizers_fit_80_columns(write):
    rows = [
        run(f"optimizer_number_{k}", 10.0**-k, seed=seed, lr=10.0**-e)
        for k in range(18)
        for seed in (0, 1)
        for e in (1, 2)
    ]
    assert max(map(len, printed(write(*rows)).splitlines())) <= 80


# ---- stores written by hand


def report_of(results) -> tuple[str, str, pd.DataFrame]:
    """Write the report; return page and Markdown as text, and the parsed summary."""
    page = results.report().read_text(encoding="utf-8")
    return (
        page,
        results.store.summary("md").read_text(encoding="utf-8"),
        pd.read_csv(results.store.summary("csv")),
    )


def test_the_csv_parses_back_with_inf_and_missing(write, one_figure):
    rows = [run("a", 1 / 3e7, seed=seed, hit=2) for seed in (0, 1)] + [
        run("b", status="diverged"),
        run("c", 0.0),
        run("d", status="failed"),
    ]
    results = write(*rows)
    read = report_of(results)[2]
    numbers = results.ranking.select_dtypes("number").columns
    pd.testing.assert_frame_equal(
        read[numbers].astype(float), results.ranking[numbers].astype(float), check_exact=True
    )


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_nothing_completed_is_a_report_all_the_same(write, status, capsys):
    results = write(*[run(lr=lr, status=status, reason="no closure", weights=None) for lr in (0.1, 0.2)])
    page, markdown, read = report_of(results)
    assert "No run completed on lecture" in page
    assert "No run completed on lecture" in markdown
    assert read["gap"].tolist() == [float("inf")]
    assert "<h2>Runs that went wrong</h2>" in page
    assert ("<h2>Explore every run</h2>" in page) == (status == "diverged")  # a failed one left no curve
    assert main(["report", str(results.store.root)]) == 0
    assert capsys.readouterr() == (f"{results.store.report}\n", "")


def test_a_store_without_a_run_is_no_report(write, capsys):
    results = write(counts={"planned": 4, "completed": 0, "diverged": 0, "failed": 0}, state="interrupted")
    assert main(["report", str(results.store.root)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"{re.escape(str(results.store.root))}: [^\n]*no run[^\n]*\n", error)
    assert not results.store.report.exists()


def test_sections_without_data_are_not_there(write):
    """One run of one optimizer: what it learned, a ranking of one, its curve, its targets and costs; none of what compares, tunes or goes wrong."""
    page, markdown, _ = report_of(write(run(hit=3)))
    found = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    run_alone = ["Loss on the way", "Learned weights", "Prediction"]
    assert found == [
        *(
            "Read before quoting",
            *run_alone,
            "Ranking: lecture",
            "Loss curves",
            "Targets reached",
            "Explore every run",
            "Words on this page",
        ),
        *("Protocol", "Run it again"),
    ]
    assert re.findall(r"^## (.*)$", markdown, flags=re.MULTILINE) == [
        *(
            "Read before quoting",
            *run_alone,
            "Ranking: lecture",
            "On the way to the target",
            "Who reaches the target",
        ),
        *("Cost to the target: lecture", "Words", "Protocol", "Run it again"),
    ]


def test_a_single_run_gives_the_lectures_answer(write, one_figure):
    """The intercept of the exact minimum, 1e-12, is rounding: the loss without it is less than the gap floor of 1e-20 away, 30 / 2 * 1e-24."""
    results = write(run(gap=1e-3, weights=[1.5, 0.25]), problems=(LECTURE | {"w_star": [2.0, 1e-12]},))
    page, markdown, _ = report_of(results)
    for words in (page, markdown):
        assert "For x = 4 the model answers 6.25; exact 8." in words
    assert "| x | 1.5 | 2 |" in markdown
    assert "| intercept | 0.25 | 0 |" in markdown
    assert printed_cells(page)[9:18] == [
        "x",
        "1.5",
        "2",
        "intercept",
        "0.25",
        "0",
        "4",
        "6.25",
        "8",
    ]  # after three rows of the loss on the way
    assert pd.read_csv(results.store.root / "tables" / "weights.csv")["run"].tolist() == [1.5, 0.25]
    assert facts(write(run(), run(seed=1), folder="two")).run == []


def test_digits_of_the_exact_weights_that_count_are_kept(write):
    problem = LECTURE | {"w_star": [2.0, 1e-10]}  # 30 / 2 * 1e-20 is more than the gap floor
    assert weights(write(run(), problems=(problem,)))["exact"].tolist() == [2.0, 1e-10]


def test_what_nobody_reaches_has_a_sentence_for_a_table(write, one_figure):
    others = [LECTURE | {"problem_id": name, "problem": name} for name in ("p1", "p2", "p3")]
    others[2] |= {"scale": None}
    rows = [run(hit=3), *(run(problem_id=name, problem=name) for name in ("p1", "p2", "p3"))]
    page, markdown, _ = report_of(write(*rows, problems=(LECTURE, *others)))
    assert re.findall(r"Cost to the target: (.*)", markdown) == ["lecture", "p1 and p2"]
    for words in (page, markdown):
        assert words.count("No optimizer reaches a relative gap of 1e-6 with half of its seeds.") == 1
    assert "lr tolerance" not in markdown


def test_what_holds_over_all_tasks_comes_first(write, one_figure):
    """One seed, so the digits rank: a leads on both tasks, and on the second b is lost."""
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    rows = [
        run("a", 1e-8, hit=3),
        run("b", 1e-3),
        run("a", 1e-8, **other),
        run("b", status="diverged", **other),
    ]
    results = write(*rows, problems=(LECTURE, LECTURE | other))
    page, markdown, _ = report_of(results)
    cells = [["a", "1.00", "2/2", "1/2", "0/2"], ["b", "2.00", "0/2", "0/2", "1/2"]]
    assert [
        line.strip("| ").split(" | ")
        for line in markdown.split("## Over all tasks")[1].split("##")[0].splitlines()
        if line[:3] in ("| a", "| b")
    ] == cells
    assert page.index("<h2>Over all tasks</h2>") < page.index("<h2>Ranking: lecture</h2>")
    assert (results.store.root / "tables" / "overall.tex").exists()
    assert printed(results).startswith("Over all 2 tasks")
    assert facts(write(run("a"), run("b"), folder="one")).overall == []


def test_a_ranking_that_is_not_in_the_order_of_its_gaps_says_why(write, one_figure):
    """b is ten times above a, seed by seed. c's mean is ten times above b's, but its seeds scatter so that nobody is shown better."""
    scatter = {"a": (1.0, 1.1, 0.9, 1.05, 0.95, 1.02), "b": (10.2, 9.5, 10.5, 9.0, 11.0, 10.0)}
    ordered = [
        run(name, 1e-8 * times, seed=seed)
        for name, each in scatter.items()
        for seed, times in enumerate(each)
    ]
    assert text.ranking_note(write(*ordered).ranking) == ""
    scattered = [run("c", 10.0 ** (-3 - 6 * (seed % 2)), seed=seed) for seed in range(6)]
    results = write(*ordered, *scattered, folder="scattered")
    assert results.ranking[["optimizer", "rank"]].to_numpy().tolist() == [["a", 1], ["c", 1], ["b", 2]]
    for words in (*report_of(results)[:2], " ".join(printed(results).split())):
        assert "so a lower gap may stand below a higher one that fewer are shown to beat." in words
    lost = write(*ordered, run("c"), run("c", status="diverged", seed=1), folder="lost")
    assert text.ranking_note(lost.ranking) == "Who lost a seed has no rank and stands last."


def test_an_interrupted_sweep_says_so_first(write, one_figure):
    results = write(
        run(),
        state="interrupted",
        finished=None,
        counts={"planned": 9, "completed": 1, "diverged": 0, "failed": 0},
    )
    page, markdown, _ = report_of(results)
    assert re.search(r"<li>The sweep was interrupted: 1 of 9 planned runs are stored", page)
    header = page[page.index("<header>") : page.index("</header>")]
    state = "Interrupted: 1 of 9 planned runs are stored. This goes on from there: python -m lrbench -m optimizer=sgd"
    assert f'<p class="state">{state}</p>' in header
    assert "Runs</dt><dd>9 planned: 1 completed; 1 seed</dd>" in header
    assert markdown.splitlines()[2] == f"**{state}**"
    assert 'class="state"' not in report_of(write(run(), folder="whole"))[0]
    assert "- The sweep was interrupted: 1 of 9 planned runs are stored" in markdown


@pytest.mark.parametrize(
    ("ended", "word"), [("running", "Still running, or stopped"), ("complete", "Not complete")]
)
def test_what_lacks_runs_says_how_to_go_on(write, ended, word):
    results = write(run(), state=ended, counts={"planned": 2, "completed": 1, "diverged": 0, "failed": 0})
    assert (
        state(results)
        == f"{word}: 1 of 2 planned runs are stored. This goes on from there: python -m lrbench -m optimizer=sgd"
    )
    assert state(write(run(), folder="whole")) == ""


def test_what_went_wrong_names_its_task_only_where_there_are_several(write):
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    one = write(run(status="diverged", lr=1.0), run())
    assert list(facts(one).failures[0].rows)[0] == "optimizer"
    several = write(
        run(status="diverged", lr=1.0), run(**other), problems=(LECTURE, LECTURE | other), folder="several"
    )
    assert facts(several).failures[0].rows[["task", "optimizer", "runs"]].to_numpy().tolist() == [
        ["lecture", "sgd", "1"]
    ]


def test_what_went_wrong_is_a_row_an_optimizer_with_its_rates_and_its_theory(write):
    """With L = 30 gradient descent diverges from 2/30 on; of two momenta no single rate is known."""
    reasons = {0.1: "not finite at step 4", 1.0: "not finite at step 2", 10.0: "above the start"}
    rows = [
        run(lr=lr, momentum=0.0, status="diverged", reason=reason, first_bad_step=3)
        for lr, reason in reasons.items()
    ]
    rows += [run(lr=0.01, momentum=0.0)]
    quadratic = (LECTURE | {"quadratic": True, "eigenvectors": [1.0, 0.0, 0.0, 1.0]},)
    (table,) = facts(write(*rows, problems=quadratic)).failures
    assert table.rows[["reason", "runs", "settings", "diverges from lr"]].to_numpy().tolist() == [
        ["not finite; above the start", "3", "lr 0.1 to 10, 3 rates", "0.0667"]
    ]
    (table,) = facts(write(*rows, run(lr=0.01, momentum=0.9), problems=quadratic, folder="momenta")).failures
    assert "diverges from lr" not in table.rows


@pytest.mark.parametrize(
    ("intercept", "told"),
    [
        (True, "columns standardized: mean 0, standard deviation 1"),
        (False, "columns standardized: standard deviation 1"),
    ],
)
def test_the_head_names_file_and_target_of_a_table(write, intercept, told):
    settings = '{"path": "data/houses.csv", "target": "price"}'
    problem = LECTURE | {
        "settings": settings,
        "x_scale": [2.0],
        "x_mean": [1.0],
        "intercept": intercept,
        "problem": "csv",
    }
    head = dict(
        facts(write(*[run(problem="csv", seed=seed) for seed in (0, 1)], problems=(problem,))).subtitle
    )
    assert head["Problem"] == f"csv: houses.csv, price (n = 3, d = 1, κ = 37.5, L = 30; {told})"


def test_two_tasks_and_two_figures_keep_their_ids_apart(write):
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    rows = [
        run(name, lr=lr, seed=seed, **task)
        for name in "ab"
        for lr in (0.1, 0.2)
        for seed in (0, 1)
        for task in ({}, other)
    ]
    results = write(*rows, problems=(LECTURE, LECTURE | other))
    page, markdown, read = report_of(results)
    page = markup(page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert [one for one in set(ids) if ids.count(one) > 1] == []
    assert page.count("<svg") == len(list((results.store.figures).glob("*.svg"))) >= 2
    assert len(ids) == len(set(ids))
    assert [line for line in markdown.splitlines() if line.startswith("## Ranking")] == [
        "## Ranking: lecture",
        "## Ranking: synthetic",
    ]
    assert read["task"].tolist() == ["lecture"] * 2 + ["synthetic"] * 2


def test_a_block_of_code_is_not_ended_from_within(write, one_figure):
    results = write(run(), request={"overrides": [], "command": "python -m lrbench name='```\n# no heading'"})
    results.report()
    block = results.store.summary("md").read_text(encoding="utf-8").partition("## Run it again\n\n")[2]
    assert block.startswith("````\n")
    assert block.endswith("\n````\n")
    assert block.count("````") == 2


def test_unequal_seeds_are_a_range_in_captions(write):
    results = write(*[run("a", 1e-3 + seed, seed=seed) for seed in range(3)], run("b"))
    assert over(results) == "1 to 3 seeds (what varies: start)"


@pytest.mark.parametrize("d", [1, 10, 1000])
def test_sizes_are_explained_whatever_their_digits(d):
    assert "n, d" in dict(used([f"lecture (n = 442, d = {d:,}, κ = 470)"]))


def test_hostile_words_are_text_wherever_they_stand(write, one_figure):
    """As a hyperparameter, a reason, a problem, a feature, the sweep's name, its command and a warning."""
    name = " ".join(HOSTILE)
    rows = [
        run(mode=mode, lr=lr, problem=name, seed=seed)
        for mode in (name, "b")
        for lr in (0.1, 0.2)
        for seed in (0, 1)
    ]
    rows += [run("adam", status="failed", reason=name, problem=name, weights=None)]
    problems = (
        LECTURE | {"problem": name, "features": [name], "settings": f'{{"path": {json.dumps(name)}}}'},
    )
    results = write(
        *rows,
        problems=problems,
        name=name,
        warnings=[name],
        request={"overrides": [name], "command": name},
        blocks=[{"optimizer": name}],
    )
    page, markdown, _ = report_of(results)
    page = markup(page)
    around_figures = re.sub(
        r"<svg.*?</svg>", "", page, flags=re.DOTALL
    )  # in the text of an SVG quotes may stand as they are
    assert name not in around_figures
    assert unescape(page).count(name) >= 5
    prose = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    assert "<script" not in prose.replace("\\<", "")
    for line in prose.splitlines():
        assert not line.startswith("|") or len(re.findall(r"(?<!\\)\|", line)) >= 3


# ---- tables, captions, protocol of a comparison


@pytest.fixture
def compared(write_tuned):
    """Two tuned optimizers, one with LaTeX's and Markdown's specials in its name; a seed of the other is lost."""
    adam = tuned(
        "a_d&am",
        {0.001: [1e-3, 1e-3], 0.1: [1e-8, 1e-7], 10.0: [1e-1, 2e-1]},
        [1e-6, 1e-8, 1e-7],
        [1e-3, 1e-2, 1e-4],
    )
    sgd = tuned(
        "sgd",
        {0.001: [1e-2, 1e-2], 1.0: [1e-3, 1e-3], 100.0: [1e-4, 1e-4]},
        [1e-4, 1e-3, math.inf],
        [math.inf, 1e-1, math.inf],
    )
    return write_tuned(adam, sgd, tune=TUNE | {"lr": [1e-5, 1e2]})


def cells(line: str) -> list[str]:
    """Split a row of a tabular, without what LaTeX escapes."""
    plain = line.removesuffix(r" \\").replace(r"\textless{}", "<").replace(r"$\geq$", "≥").replace("--", "–")
    return [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r" (?<!\\)& ", plain)]


def test_the_tables_stand_beside_the_page_in_full_and_as_printed(compared, one_figure):
    page, markdown, _ = report_of(compared)
    folder = compared.store.root / "tables"
    frames = {
        name: getattr(compared, name)
        for name in ("ranking", "targets", "tuned_against_default", "success", "pairwise")
    } | {"failures": None}
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{kind}" for name in frames for kind in ("csv", "tex")
    }
    for name, frame in frames.items():
        read = pd.read_csv(folder / f"{name}.csv")
        if frame is not None:
            numbers = frame.select_dtypes("number").columns
            pd.testing.assert_frame_equal(
                read[numbers].astype(float),
                frame[numbers].astype(float),
                check_exact=True,
                check_index_type=False,
            )
    printed = text.pairwise_text(compared.pairwise)
    head, *rows = [
        line for line in (folder / "pairwise.tex").read_text(encoding="utf-8").splitlines() if " & " in line
    ]
    assert [cells(head), *map(cells, rows)] == [list(printed.columns), *printed.to_numpy().tolist()]
    shown = printed_cells(page)
    for table in facts(compared).compared:
        assert f"## {table.heading}" in markdown
        assert set(table.rows.to_numpy().ravel()) <= set(shown)


def test_latex_escapes_what_it_would_read():
    table = pd.DataFrame(
        {"a_b": ["50 % & more", r"\x{y}", "< 0.001", "≥ 2 κ"], "n#": ["$1", "~^", "1–2", "µ"]}
    )
    body = latex(table, {"a_b"}).splitlines()
    assert body[0] == r"\begin{tabular}{lr}"
    assert body[2] == r"a\_b & n\# \\"
    assert body[4:8] == [
        r"50 \% \& more & \$1 \\",
        r"\textbackslash{}x\{y\} & \textasciitilde{}\textasciicircum{} \\",
        r"\textless{} 0.001 & 1--2 \\",
        r"$\geq$ 2 $\kappa$ & \textmu{} \\",
    ]


def test_every_figure_has_a_caption():
    assert [name for name, *_ in FIGURES] == list(CAPTIONS)


def test_captions_tell_what_was_done(compared, write):
    assert "the setting that 2 tuning seeds chose" in caption("targets", compared)
    assert "over 3 seeds (what varies: start)" in caption("seeds", compared)
    assert "on 2 tuning seeds" in caption("heat_map", compared)
    assert "default" in caption("lr_sensitivity", compared)
    grid = write(*[run(lr=lr, seed=seed) for lr in (0.1, 0.2) for seed in range(4)], folder="grid")
    assert "its best setting, chosen on the seeds that are shown" in caption("targets", grid)
    assert "median over 4 seeds" in caption("loss_curves", grid)
    assert "default" not in caption("lr_sensitivity", grid)
    assert "Line: one run." in caption("loss_curves", write(run(), folder="one"))


@pytest.mark.parametrize(
    ("changes", "varies"),
    [
        ({}, "start"),
        ({"init": "zeros"}, "nothing"),
        ({"init": "zeros", "batch_size": 2, "batch_order": "shuffled"}, "minibatches"),
        ({"batch_size": 2, "batch_order": "replacement"}, "start and minibatches"),
        ({"batch_size": 2}, "start"),
    ],
)
def test_what_a_seed_varies(write, changes, varies):
    assert over(write(*[run(seed=seed, **changes) for seed in (0, 1)])) == f"2 seeds (what varies: {varies})"


def test_the_protocol_of_a_tuned_sweep(compared):
    told = dict(facts(compared).protocol)
    assert told["Tuned"] == "lr (tune=lr), from 3 trials an optimizer: a grid, evenly in log"
    assert told["Boxes"] == "lr [1e-5, 100]"
    assert told["Tuning seeds"] == "100, 101"
    assert told["Growth"].endswith(", by a decade and 1 trial, at most twice")
    assert told["Trials in the end"] == "3 an optimizer"
    assert told["Spent"] == "gradient evaluations: 96 on trials, 48 on evaluation, 48 on defaults"
    assert told["Start"] == "init = torch; a seed fixes the start, the same for every optimizer"
    assert dict(facts(compared).subtitle)["Runs"].endswith("; 3 seeds and 2 for tuning")
    assert "Settings tried" not in told


def test_the_protocol_names_the_boxes_that_were_tuned(write_tuned):
    box = {
        "unit": "gradient",
        "default": {"lr": 0.001},
        "momentum": {"one_minus": [0.001, 1]},
        "betas": [{"log": [1, 2]}, {"log": [3, 4]}],
    }
    tune = TUNE | {"keys": None, "choice": "all", "boxes": {"sgd": box, "other": box}, "units": "oracle"}
    told = dict(facts(write_tuned(tuned("sgd", {0.1: [1e-3]}, [1e-3]), tune=tune)).protocol)
    assert told["Boxes"].endswith("sgd: momentum one_minus [0.001, 1], betas log [1, 2] and log [3, 4]")
    assert "times the box's unit" in told["Boxes"]


def test_the_protocol_of_tasks_that_were_not_searched_alike(write_tuned):
    other = {"problem_id": "p1", "problem": "p1"}
    few, many = {0.1: [1e-3]}, {0.1: [1e-3], 0.2: [1e-2], 0.3: [1e-2]}
    competitors = (
        tuned("sgd", few, [1e-3]),
        tuned("sgd", many, [1e-3], **other),
        tuned("adam", few, [1e-3]),
        tuned("adam", few, [1e-3], **other),
    )
    results = write_tuned(
        *competitors,
        problems=(LECTURE, LECTURE | other),
        tune=TUNE | {"reserve": 1, "sampler": "sobol", "seed": 7},
    )
    told = dict(facts(results).protocol)
    assert told["Trials in the end"] == "adam 1 and sgd 1 to 3"
    assert told["Growth"] == "none"
    assert told["Tuned"].endswith("scrambled Sobol points of seed 7")


def test_the_protocol_of_several_problems_is_a_table(write, one_figure):
    names = ("p", "q", "r", "r")
    problems = [
        LECTURE | {"problem_id": f"p{k}", "problem": name, "kappa": 10.0**k, "digits": 15.0 + k}
        for k, name in enumerate(names)
    ]
    problems[1] |= {"settings": '{"noise": 0.25}', "dropped": 1200, "note": "by hand."}
    problems[2] |= {"attained": False, "dtype": "float32"}
    shared = [
        {name: one[name] for name in ("problem_id", "problem", "dtype")} | {"problem__kappa": one["kappa"]}
        for one in problems
    ]
    rows = [run(steps=steps, **one) for k, one in enumerate(shared) for steps in ((8, 16), (16, 8))[k % 2]]
    results = write(*rows, problems=tuple(problems))
    found = facts(results)
    (table,) = found.problems
    shown = (
        table.rows[["problem", "κ", "noise", "rows left out", "minimum", "digits", "source"]]
        .to_numpy()
        .tolist()
    )
    assert shown == [
        ["p", "1", "–", "0", "QR", "15", "–"],
        ["q", "10", "0.25", "1,200", "QR", "16", "by hand"],
        ["r kappa=100 dtype=float32", "100", "–", "0", "QR, attained by no weights", "7", "–"],
        ["r kappa=1000 dtype=float64", "1,000", "–", "0", "QR", "16", "–"],
    ]
    assert found.subtitle[0] == (
        "Problems",
        "p, q, r kappa=100 dtype=float32 and r kappa=1000 dtype=float64: n = 3, d = 1, κ = 1 to 1,000, L = 30",
    )
    assert dict(found.subtitle)["Budget"] == "8 steps, all rows a step and 16 steps, all rows a step"
    assert {"Minimum", "Source", "Gap floor", "Batches"} & set(dict(found.protocol)) == set()
    page, markdown, _ = report_of(results)
    assert (
        page.index("<h2>Protocol</h2>")
        < page.index("<h3>Problems</h3>")
        < page.index("<h2>Run it again</h2>")
    )
    assert "## Problems" in markdown
    assert pd.read_csv(results.store.root / "tables" / "problems.csv")["kappa"].tolist() == [1, 10, 100, 1000]


def test_the_protocol_of_one_problem_and_one_setting_has_no_choice(write):
    found = facts(
        write(run(init="zeros", batch_size=2), problems=(LECTURE | {"digits": 18.0, "note": "by hand."},))
    )
    told = dict(found.protocol)
    assert told["Minimum"] == "QR, certain to 16 digits"
    assert told["Source"] == "by hand"
    assert told["Gap floor"].startswith("1.00e-20; ")
    assert told["Start"] == "init = zeros; nothing depends on the seed"
    assert told["Settings tried"] == "1 an optimizer"
    assert told["Compared"].startswith("one seed; ")
    assert {"Selection", "Statistics"} & set(told) == set()
    assert found.problems == []
    shuffled = facts(write(run(batch_size=2, batch_order="shuffled"), folder="shuffled"))
    assert dict(shuffled.protocol)["Start"].startswith(
        "init = torch; a seed fixes the start and the order of the minibatches, "
    )


def test_a_long_list_of_failures_says_where_the_rest_is(write, one_figure):
    results = write(run(), *[run(f"o{k}", status="failed", reason="no", weights=None) for k in range(42)])
    page, markdown, _ = report_of(results)
    for words in (page, markdown):
        assert "2 more rows in tables/failures.csv." in words
        shown = words.split("failures.csv")[0].rsplit("first bad step", 1)[1]
        assert len(re.findall(r"\bo\d+\b", shown)) == 40
    assert len(pd.read_csv(results.store.root / "tables" / "failures.csv")) == 42


def test_a_long_table_says_where_the_rest_is(write, one_figure):
    results = write(*[run(f"o{k}", 10.0**-k) for k in range(10)])
    page, markdown, _ = report_of(results)
    for words in (page, markdown):
        assert "5 more rows in tables/pairwise.csv." in words
    assert len(pd.read_csv(results.store.root / "tables" / "pairwise.csv")) == 45


def test_a_page_can_lie_elsewhere(write, tmp_path, one_figure):
    results = write(run())
    assert (
        results.report(tmp_path / "elsewhere.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    )
    assert not results.store.report.exists()


def test_report_opens_the_page_where_it_is_asked_to(write, one_figure, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    store = write(run()).store
    assert main(["report", str(store.root)]) == 0
    assert shown == []
    assert main(["report", "--open", str(store.root)]) == 0
    assert shown == [store.report.as_uri()]
    assert main(["report", str(store.root), "--closed"]) == 2
    assert "report [FOLDER] [--open]" in capsys.readouterr().err


def test_a_notebook_shows_verdict_and_rankings(write):
    results = write(*[run(name, 10.0**-k, seed=seed) for k, name in enumerate(HOSTILE) for seed in (0, 1)])
    shown = markup(results._repr_html_(), ())
    assert re.findall(r"<p>(.*?)</p>", shown) == [
        escape(sentence) for sentence in [*headline(results), f"{text.RELATIVE_NOTE}."]
    ]
    assert [cell for cell in printed_cells(shown) if cell in HOSTILE] == results.ranking["optimizer"].tolist()


def test_a_notebook_needs_no_style(write):
    """A heading a table, which is its caption; nothing that only a style or a script makes sense of."""
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    results = write(run(), run(**other), problems=(LECTURE, LECTURE | other))
    shown = results._repr_html_()
    assert re.findall(r">([^<>]+)</caption>", shown) == ["lecture", "synthetic"]
    assert re.findall(r">(lecture|synthetic)<", shown) == ["lecture", "synthetic"]
    assert printed_cells(shown) == [
        cell for task in ("lecture", "synthetic") for cell in ranking_cells(results, task)
    ]
    assert re.findall(r"<(?:style|script|button|h\d)\b", shown) == []


def ranking_cells(results, task: str) -> list[str]:
    return text.ranking_text(results.ranking[results.ranking["task"] == task]).to_numpy().ravel().tolist()


def test_every_figure_can_be_drawn_alone(compared):
    plots = {name: getattr(compared, name) for name in dir(compared) if name.startswith("plot_")}
    assert len(plots) == len(FIGURES)
    titles = {name: axes[0].get_title(loc="left") for name, plot in plots.items() if (axes := _axes(plot))}
    assert titles.pop("plot_sensitivity") == compared.ranking["optimizer"].iloc[0]  # a panel an optimizer
    assert set(titles.values()) == {"lecture"}
    assert "plot_targets" in titles
    assert "plot_profile" not in titles  # takes three tasks
    assert all(plot.__doc__.startswith("Draw ") for plot in plots.values())


def _axes(plot) -> list:
    try:
        return plot().axes
    except RequestError:
        return []


def test_findings_are_those_of_the_frames(compared):
    """Of `compared`: sqrt(1e-8 1e-7) = 3.16e-8; the median of 1e-6, 1e-8, 1e-7; gains by seed of 1e3, 1e6, 1e3, so 1e4; one pair, which is not tested."""
    assert (
        finding("lr_sensitivity", compared)
        == "lecture: a_d&am with learning rate 0.1 ends lowest, at 3.16e-8."
    )
    assert finding("seeds", compared) == "lecture: a_d&am has the lowest median, 1.00e-7."
    assert (
        finding("tuned_against_default", compared) == "lecture: a_d&am gains most from tuning, 10,000 times."
    )
    pairs = compared.targets.groupby("optimizer")["hits"].sum()
    assert finding("targets", compared) == f"lecture: a_d&am solves most, {pairs['a_d&am']} of 24 pairs."
    assert finding("pairs", compared) == "lecture: a difference is shown for 0 of 1 pair."


def test_a_finding_of_nothing_completed(write):
    lost = write(*[run(lr=lr, status="diverged", seed=seed) for lr in (0.1, 0.2) for seed in (0, 1)])
    assert finding("loss_curves", lost) == "lecture: no optimizer completed all its seeds."
    assert (
        finding("lr_sensitivity", lost) == "lecture: no learning rate of any optimizer completes all seeds."
    )
    assert finding("seeds", lost) == "lecture: no median is finite."


def test_curves_are_read_part_by_part_each_run_once(write):
    results = write(*[run(name, seed=seed) for name in "abc" for seed in (0, 1)])
    store = results.store
    store.append(results.store.runs()[0], store.curves().slice(0, 3))  # stored twice
    ids = results.runs["run_id"].iloc[[4, 0, 3]]
    rows = store.curves().to_pandas().drop_duplicates("run_id")
    expected = rows[rows["run_id"].isin(ids)].explode(
        ["step", "evaluations", "loss", "gap"], ignore_index=True
    )[list(results.curves)]
    pd.testing.assert_frame_equal(results.curves_of(ids), expected.astype(results.curves.dtypes))


def test_a_figure_in_the_page_changes_tags_only():
    svg = '<svg viewBox="0 0 1 1"><g id="a" style="fill: #24292f; clip-path: url(#a)"/><text>id="a url(#a #24292f</text></svg>'
    assert inline(svg, "p").endswith(
        '<g id="p-a" style="fill: currentColor; clip-path: url(#p-a)"/><text>id="a url(#a #24292f</text></svg>'
    )


def test_gaps_up_to_the_end_of_float64_are_drawn_without_a_warning():
    results = lrbench.sweep("optimizer=sgd,asgd", "optimizer.lr=10,100", "seed=range(3)", "steps=400")
    assert (results.runs["status"] == "diverged").all()
    assert results.curves["gap"].replace(float("inf"), 0).max() > 1e300
    assert results.store.report.exists()
    bands = [
        band.get_paths()[0].vertices
        for band in results.plot_curves().axes[0].collections
        if isinstance(band, PolyCollection)
    ]
    assert len(bands) == 2
    for row in results.ranking.to_dict("records"):
        ids = results.runs.loc[results.runs["setting_id"] == row["setting_id"], "run_id"]
        median = results.curves[results.curves["run_id"].isin(ids) & (results.curves["step"] == 1)][
            "gap"
        ].median()
        assert all(band[band[:, 0] == 1, 1].min() < median < band[band[:, 0] == 1, 1].max() for band in bands)
