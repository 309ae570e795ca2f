"""The page, the Markdown, the table and the terminal tell the same; nothing in the page leaves it."""

import io
import re
import subprocess
import sys
from html import unescape

import pandas as pd
import pytest
from conftest import run
from rich.console import Console

import lrbench
from lrbench.results.terminal import print_ranking

HOSTILE = ["<script>alert(1)</script>", "a\"b'c", "x" * 200, "名前 ünï", "`|*_[x]("]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    lines = ["optimizer=sgd,adam,rprop", "optimizer.lr=0.01,0.1,1", "seed=range(3)", "steps=30", f"results_dir={folder}"]
    return lrbench.sweep(*lines)


def printed(results) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_ranking(results, console)
    return console.file.getvalue()


def test_page_markdown_and_terminal_show_the_same_digits(swept):
    page = swept.store.report.read_text(encoding="utf-8")
    cells = [unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page)]
    markdown = swept.store.summary("md").read_text(encoding="utf-8")
    terminal = printed(swept)
    for row in swept.ranking.to_dict("records"):
        shown = next(cells[i + 2] for i, cell in enumerate(cells) if cell == row["optimizer"])
        assert float(shown) == pytest.approx(row["gap"], rel=0.005)
        assert re.search(rf"\| {row['optimizer']} \| lr={row['lr']:g}[^|]* \| {re.escape(shown)} \|", markdown)
        assert re.search(rf"{row['optimizer']} +lr={row['lr']:g}.* {re.escape(shown)} ", terminal)


def test_the_csv_holds_the_ranking_in_full(swept):
    read = pd.read_csv(swept.store.summary("csv"))
    assert read["gap"].tolist() == swept.ranking["gap"].tolist()
    assert read["optimizer"].tolist() == swept.ranking["optimizer"].tolist()


def test_the_same_store_gives_the_same_bytes(swept):
    def everything():
        lrbench.load(swept.store.root).report()
        files = [swept.store.report, swept.store.summary("md"), swept.store.summary("csv"), *sorted(swept.store.figures.iterdir())]
        return [path.read_bytes() for path in files]

    assert everything() == everything()


def test_the_page_is_alone(swept):
    page = swept.store.report.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([\w.]+)", page)) <= {"www.w3.org"}
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert '<html lang="en">' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)
    assert [int(level) for level in re.findall(r"<h(\d)", page)] == [1] + [2] * (len(re.findall(r"<h\d", page)) - 1)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(write, name):
    results = write(*[run(name, seed=seed) for seed in (0, 1)])
    page = results.report().read_text(encoding="utf-8")
    assert "<script" not in page
    assert name in unescape(page)
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
    rows = [run(f"optimizer_number_{k}", 10.0**-k, seed=seed, lr=10.0**-e) for k in range(18) for seed in (0, 1) for e in (1, 2)]
    assert max(map(len, printed(write(*rows)).splitlines())) <= 80
