"""The page, the Markdown and the tables are whole whatever the sweep; nothing in the page leaves it."""

import io
import json
import re
from html import unescape
from itertools import pairwise

import pandas as pd
import pytest
from conftest import LECTURE, block, run
from markupsafe import escape
from reports import HOSTILE, report_of, texts_of
from rich.console import Console

from lrbench.cli import main
from lrbench.results.pages.content import content_of
from lrbench.results.pages.html import SCRIPT, inline, read
from lrbench.results.tables.entries import entries
from lrbench.results.terminal.sweep import print_ranking
from lrbench.results.words.answers import sentence
from lrbench.results.words.cells import RELATIVE_NOTE, pairwise_text, ranking_note, ranking_text
from lrbench.results.words.tables import BELOW_A_FIGURE, SINGLE_RUN, SPECS, tables
from lrbench.results.words.verdict import headline


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
    print_ranking(results, console, is_reported=True)
    return console.file.getvalue()


def test_the_csv_holds_the_ranking_in_full(tuned_sweep):
    summary = pd.read_csv(tuned_sweep.store.summary("csv"), engine="pyarrow")
    assert summary["gap"].tolist() == tuned_sweep.ranking["gap"].tolist()
    assert summary["optimizer"].tolist() == tuned_sweep.ranking["optimizer"].tolist()


def test_the_page_is_alone(tuned_sweep):
    page = markup(tuned_sweep.store.report.read_text(encoding="utf-8"))
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


def test_hostile_names_are_text(hostile_sweep):
    page = markup(hostile_sweep.store.report.read_text(encoding="utf-8"))
    assert [name for name in HOSTILE if name not in unescape(page)] == []
    assert max(map(len, printed(hostile_sweep).splitlines())) <= 80


def test_a_diverged_run_never_wins_and_is_seen(tuned_sweep):
    best = tuned_sweep.ranking.groupby("task").head(1)
    assert (best["gap"] < float("inf")).all()
    diverged = int((tuned_sweep.runs["status"] == "diverged").sum())
    assert diverged > 0
    assert "Runs that went wrong" in tuned_sweep.store.report.read_text(encoding="utf-8")


def test_eighteen_optimizers_fit_80_columns(write):
    rows = [
        run(f"optimizer_number_{k}", 10.0**-k, seed=seed, lr=10.0**-e)
        for k in range(18)
        for seed in (0, 1)
        for e in (1, 2)
    ]
    assert max(map(len, printed(write(*rows)).splitlines())) <= 80


# ---- stores written by hand


def test_the_csv_parses_back_with_inf_and_missing(write):
    rows = [run("a", 1 / 3e7, seed=seed, hit=2) for seed in (0, 1)] + [
        run("b", status="diverged"),
        run("c", 0.0),
        run("d", status="failed"),
    ]
    results = write(*rows)
    summary = texts_of(results).summary
    in_summary = {"steps_taken": "steps"}  # which stand there once, as costs
    ranking = results.ranking.select_dtypes("number").rename(columns=in_summary).astype(float)
    pd.testing.assert_frame_equal(summary[ranking.columns].astype(float), ranking, check_exact=True)
    assert ranking["evaluations_to_target"].isin([float("inf")]).any()
    assert ranking["level"].isna().any()


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_nothing_completed_is_a_report_all_the_same(write, status, capsys):
    results = write(*[run(lr=lr, status=status, reason="no closure", weights=None) for lr in (0.1, 0.2)])
    _, page, markdown, summary = report_of(results)
    counts = {"diverged": 0, "failed": 0} | {status: 2}
    verdict = f"No run completed: {counts['diverged']} diverged and {counts['failed']} failed of 2."
    assert f"<p>{verdict}</p>" in page
    assert verdict in markdown.splitlines()
    assert summary["gap"].tolist() == [float("inf")]
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
    """One run of one optimizer: what it learned, a ranking of one, its curve, its targets and costs; none of
    what compares, tunes or goes wrong.
    """
    _, page, markdown, _ = report_of(write(run(gap=1e-8, hit=3)))
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
            "Who arrives",
        ),
        *("Cost to the target: lecture", "Words", "Protocol", "Run it again"),
    ]


def test_a_single_run_gives_the_lectures_answer(write):
    """The intercept of the exact minimum, 1e-12, is rounding: the loss without it is less than the gap floor
    of 1e-20 away, 30 / 2 * 1e-24.
    """
    results = write(run(gap=1e-3, weights=[1.5, 0.25]), problems=(LECTURE | {"w_star": [2.0, 1e-12]},))
    _, page, markdown, _ = texts_of(results)
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
    assert content_of(write(run(), run(seed=1), folder="two")).at(SINGLE_RUN) == []


def test_digits_of_the_exact_weights_that_count_are_kept(write):
    problem = LECTURE | {"w_star": [2.0, 1e-10]}  # 30 / 2 * 1e-20 is more than the gap floor
    assert write(run(), problems=(problem,)).weights["exact"].tolist() == [2.0, 1e-10]


def test_what_nobody_reaches_has_a_sentence_for_a_table(write):
    others = [LECTURE | {"problem_id": name, "problem": name} for name in ("p1", "p2", "p3")]
    others[2] |= {"scale": None}  # its target is the gap floor
    rows = [
        run(gap=1e-8, hit=3),
        *(run(gap=1e-3, problem_id=name, problem=name) for name in ("p1", "p2", "p3")),
    ]
    _, page, markdown, _ = texts_of(write(*rows, problems=(LECTURE, *others)))
    assert re.findall(r"Cost to the target: (.*)", markdown) == ["lecture", "p1, p2 and p3"]
    for words in (page, markdown):
        assert words.count("No optimizer comes within 1e-6 with half of its seeds.") == 1
        assert "Learning rates that work" not in words  # one rate each


def test_what_holds_over_all_tasks_comes_first(write):
    """a leads on both tasks, but arrives only on the first; on the second b is lost."""
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    rows = [
        run("a", 1e-8, hit=3),
        run("b", 1e-3),
        run("a", 1e-4, **other),
        run("b", status="diverged", **other),
    ]
    results = write(*rows, problems=(LECTURE, LECTURE | other))
    _, page, markdown, _ = texts_of(results)
    cells = [["a", "1.00", "2/2", "1/2", "0/2"], ["b", "2.00", "0/2", "0/2", "1/2"]]
    assert [
        line.strip("| ").split(" | ")
        for line in markdown.split("## Over all tasks")[1].split("##")[0].splitlines()
        if line[:3] in ("| a", "| b")
    ] == cells
    assert page.index("<h2>Over all tasks</h2>") < page.index("<h2>Ranking: lecture</h2>")
    assert (results.store.root / "tables" / "overall.tex").exists()
    lines = [line.strip() for line in printed(results).splitlines()]
    assert headline(results)[0].startswith(lines[0])
    assert lines.index("Over all 2 tasks") < lines.index("lecture") < lines.index("synthetic")
    assert content_of(write(run("a"), run("b"), folder="one")).tables["overall"] == []


def test_a_ranking_says_what_its_columns_do_not(write):
    """b arrives first, but most of its runs leave again; c loses a seed, d all."""

    ordered = [run(name, cost=cost, seed=k) for name, cost in (("a", 6), ("b", 2)) for k in range(4)]
    assert ranking_note(write(*ordered).ranking) == ""
    one_lost = [run("c", cost=7, seed=k, status="completed" if k else "diverged") for k in range(4)]
    all_lost = [run("d", seed=k, status="diverged") for k in range(4)]
    results = write(*ordered, *one_lost, *all_lost, folder="passing")
    gone = results.runs.loc[(results.runs["optimizer"] == "b") & (results.runs["seed"] > 0), "run_id"]
    beyond = pd.DataFrame({"run_id": gone, "beyond": 2.0001 * 8e-6})  # of a target of 8e-6
    vars(results)["entries"] = entries(results.runs, results.tasks, None, beyond)
    ranks = [["a", 1], ["c", 1], ["b", 3], ["d", None]]
    found = results.ranking[["optimizer", "rank"]].astype(object)
    assert found.where(found.notna(), None).to_numpy().tolist() == ranks
    report = texts_of(results)
    for words in (report.page, report.markdown, " ".join(printed(results).split())):
        assert "Who passes through stands behind all that stay." in words
        assert "Who lost every run has no rank and stands last." in words
    assert (
        ranking_note(write(*ordered, *all_lost, folder="lost").ranking)
        == "Who lost every run has no rank and stands last."
    )


def test_an_interrupted_sweep_says_so_first(write):
    results = write(
        run(),
        state="interrupted",
        finished=None,
        counts={"planned": 9, "completed": 1, "diverged": 0, "failed": 0},
    )
    _, page, markdown, _ = texts_of(results)
    assert re.search(r"<li>The sweep was interrupted: 1 of 9 planned runs are stored", page)
    header = page[page.index("<header>") : page.index("</header>")]
    state = (
        "Interrupted: 1 of 9 planned runs are stored. This goes on from there: python -m lrbench -m "
        "optimizer=sgd"
    )
    assert f'<p class="state">{state}</p>' in header
    assert "Runs</dt><dd>9 planned: 1 completed; 1 seed</dd>" in header
    assert markdown.splitlines()[2] == f"**{state}**"
    assert 'class="state"' not in texts_of(write(run(), folder="whole")).page
    assert "- The sweep was interrupted: 1 of 9 planned runs are stored" in markdown


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
    _, page, markdown, summary = report_of(results)
    page = markup(page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert [one for one in set(ids) if ids.count(one) > 1] == []
    assert page.count("<svg") == len(list((results.store.figures).glob("*.svg"))) >= 2
    assert len(ids) == len(set(ids))
    assert [line for line in markdown.splitlines() if line.startswith("## Ranking")] == [
        "## Ranking: lecture",
        "## Ranking: synthetic",
    ]
    assert summary["task"].tolist() == ["lecture"] * 2 + ["synthetic"] * 2


def test_a_block_of_code_is_not_ended_from_within(write):
    results = write(run(), request={"overrides": [], "command": "python -m lrbench name='```\n# no heading'"})
    block = texts_of(results).markdown.partition("## Run it again\n\n")[2]
    assert block.startswith("````\n")
    assert block.endswith("\n````\n")
    assert block.count("````") == 2


def test_hostile_words_are_text_wherever_they_stand(write):
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
        blocks=[block(name) | {"optimizer": name}],
    )
    _, page, markdown, _ = texts_of(results)
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


def cells(line: str) -> list[str]:
    """Split a row of a tabular, without what LaTeX escapes."""
    plain = line.removesuffix(r" \\").replace(r"\textless{}", "<").replace(r"$\geq$", "≥").replace("--", "–")
    return [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r" (?<!\\)& ", plain)]


def test_the_tables_stand_beside_the_page_in_full_and_as_printed(two_tuned):
    _, page, markdown, _ = texts_of(two_tuned)
    folder = two_tuned.store.root / "tables"
    names = ("ranking", "answers", "targets", "tuned_against_default", "success", "pairwise", "costs")
    frames = {name: getattr(two_tuned, name) for name in names} | {"failures": None, "sensitivity": None}
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{kind}" for name in frames for kind in ("csv", "tex")
    }
    for name, frame in frames.items():
        read = pd.read_csv(folder / f"{name}.csv", engine="pyarrow")
        if frame is not None:
            numbers = frame.select_dtypes("number").columns
            pd.testing.assert_frame_equal(
                read[numbers].astype(float),
                frame[numbers].astype(float),
                check_exact=True,
                check_index_type=False,
            )
    printed = pairwise_text(two_tuned.pairwise)
    head, *rows = [
        line for line in (folder / "pairwise.tex").read_text(encoding="utf-8").splitlines() if " & " in line
    ]
    assert [cells(head), *map(cells, rows)] == [list(printed.columns), *printed.to_numpy().tolist()]
    shown = printed_cells(page)
    for table in content_of(two_tuned).at(BELOW_A_FIGURE):
        assert f"## {table.heading}" in markdown
        assert set(table.rows.to_numpy().ravel()) <= set(shown)


def test_a_long_list_of_failures_says_where_the_rest_is(write):
    results = write(run(), *[run(f"o{k}", status="failed", reason="no", weights=None) for k in range(42)])
    _, page, markdown, _ = texts_of(results)
    for words in (page, markdown):
        assert "2 more rows in tables/failures.csv." in words
        shown = words.split("failures.csv")[0].rsplit("first bad step", 1)[1]
        assert len(re.findall(r"\bo\d+\b", shown)) == 40
    assert len(pd.read_csv(results.store.root / "tables" / "failures.csv")) == 42


def test_a_long_table_says_where_the_rest_is(write):
    results = write(*[run(f"o{k}", 10.0**-k) for k in range(10)])
    _, page, markdown, _ = texts_of(results)
    for words in (page, markdown):
        assert "5 more rows in tables/pairwise.csv." in words
    assert len(pd.read_csv(results.store.root / "tables" / "pairwise.csv")) == 45


FAILED = {"status": "failed", "reason": "no closure", "weights": None}  # hardly anything to draw


def test_a_page_can_lie_elsewhere(write, tmp_path):
    results = write(run(**FAILED))
    page = results.report(tmp_path / "elsewhere.html")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not results.store.report.exists()


def test_report_opens_the_page_where_it_is_asked_to(write, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    store = write(run(**FAILED)).store
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
        escape(each) for each in [*headline(results), sentence(results.answers), f"{RELATIVE_NOTE}."]
    ]
    ranked, answering = results.ranking["optimizer"].tolist(), list(results.answers["optimizer"].unique())
    assert [cell for cell in printed_cells(shown) if cell in HOSTILE] == [*ranked, *answering]
    assert sorted(answering) == sorted(ranked) == sorted(HOSTILE)


def test_a_notebook_needs_no_style(write):
    """A heading a table, which is its caption; nothing that only a style or a script makes sense of."""
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    results = write(run(), run(**other), problems=(LECTURE, LECTURE | other))
    shown = results._repr_html_()
    assert re.findall(r">([^<>]+)</caption>", shown) == ["lecture", "synthetic", "Prediction"]
    assert len(re.findall(r">(?:lecture|synthetic)<", shown)) == 2 + sum(
        cell in ("lecture", "synthetic") for cell in printed_cells(shown)
    )
    assert printed_cells(shown) == [
        *(cell for task in ("lecture", "synthetic") for cell in ranking_cells(results, task)),
        *tables(results, SPECS["answers"])[0].rows.to_numpy().ravel(),
    ]
    assert re.findall(r"<(?:style|script|button|h\d)\b", shown) == []


def ranking_cells(results, task: str) -> list[str]:
    return ranking_text(results.ranking[results.ranking["task"] == task]).to_numpy().ravel().tolist()


def test_a_figure_in_the_page_changes_tags_only():
    svg = (
        '<svg viewBox="0 0 1 1"><g id="a" style="fill: #24292f; clip-path: url(#a)"/><text>id="a url(#a '
        "#24292f</text></svg>"
    )
    assert inline(svg, "p").endswith(
        '<g id="p-a" style="fill: currentColor; clip-path: url(#p-a)"/><text>id="a url(#a '
        "#24292f</text></svg>"
    )
