"""The page of a comparison: its numbers are those of the terminal and of the runs; in a browser it filters,
fits and reads as the report does.
"""

import io
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest
from before_and_after import INF, OF_A, OF_B, OTHER, runs, store
from browser import chromium, opened  # noqa: F401
from conftest import LECTURE, run
from reports import HOSTILE
from rich.console import Console
from test_report_page import VIOLATIONS, axe  # noqa: F401

from lrbench import cli
from lrbench.errors import RequestError
from lrbench.results import Comparison, Results, compare
from lrbench.results.figures.ink import compared_palette
from lrbench.results.frames.names import displayed
from lrbench.results.pages import comparison
from lrbench.results.terminal.comparison import print_difference
from lrbench.results.words.cells import changes_text
from lrbench.store import ResultStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def difference(folder) -> Comparison:
    made = compare(store(folder / "before", OF_A), store(folder / "after", OF_B))
    made.report()
    return made


@pytest.fixture(scope="module")
def html(difference, folder) -> str:
    return (folder / "before-against-after.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hostile(folder) -> Comparison:
    """Names that are no plain words: of optimizers, a setting, the problem, folders and the sweeps."""
    sides = []
    for k, name in enumerate(("a <b>&'\"", "b ünï © " + "x" * 200)):
        rows = [
            run(name, 10.0 ** -(j + k), seed=seed, lr=lr, mode=HOSTILE[1])
            for j, name in enumerate(HOSTILE)
            for seed in (0, 1)
            for lr in (0.1, 0.2)
        ]
        sides.append(store(folder / name, [row | {"problem": HOSTILE[2]} for row in rows], name=HOSTILE[k]))
    made = compare(*sides)
    made.report()
    return made


def page_of(difference: Comparison) -> Path:
    return comparison.place(difference.a, difference.b)


def cells(html: str, name: str) -> list[list[str]]:
    """The cells of a table, row by row."""
    table = re.search(rf'<table class="data" data-name="{name}">.*?</table>', html)[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in table.split("<tr")[1:]]
    return [[unescape(re.sub(r"</?span[^>]*>", "", cell)) for cell in row] for row in rows]


def labels(html: str) -> list[str]:
    """What the figures say to those who do not see them."""
    return [unescape(label) for label in re.findall(r'role="img" aria-label="(.*?)"', html)]


def printed(difference: Comparison, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_difference(difference, console)
    return console.file.getvalue()


# ---- what is told


def test_the_table_is_that_of_the_terminal_to_the_last_digit(difference, html):
    texts = changes_text(difference.rows)
    head, *rows = cells(html, "rows")
    assert head == ["optimizer", "setting", "cost A", "cost B", "B / A (95 %)", "p", "said"]
    assert rows == texts.to_numpy().tolist()
    lines = [
        re.split(r" {2,}|(?<=\)) (?=\S)", line.strip()) for line in printed(difference, 200).splitlines()
    ]
    assert all(" ".join(row) in {" ".join(line) for line in lines} for row in rows)


def test_the_sentences_are_those_of_the_terminal(difference, html):
    verdict = re.search(r'<section class="verdict".*?</section>', html, flags=re.DOTALL)[0]
    told = [unescape(sentence) for sentence in re.findall(r"<p>(.*?)</p>", verdict)]
    assert told == difference.sentences
    assert " ".join(told) in " ".join(printed(difference, 80).split())


def test_what_differs_is_told_key_by_key(difference, html):
    assert cells(html, "differences") == [["key", "A", "B"], *difference.differences.to_numpy().tolist()]


def test_the_head_names_both_and_what_is_not_complete(write):
    a = write(*runs("sgd", [1e-3, 2e-3]), folder="a", name="first", versions={"lrbench": "0.9"})
    b = write(
        *runs("sgd", [1e-3]),
        folder="b",
        name="second",
        created="2025-02-03T00:00:00+00:00",
        state="interrupted",
        counts={"planned": 2},
    )
    text = unescape(comparison.page_around(compare(a, b), []))
    assert "<h1>first against second</h1>" in text
    assert f"<dd>first, in {a.store.root}: 2 runs, made 2025-01-02 with lrbench 0.9</dd>" in text
    assert f"<dd>second, in {b.store.root}: 1 run, made 2025-02-03 with lrbench 1.0.0</dd>" in text
    assert re.findall(r'<p class="state">(.): .*1 of 2 planned runs', text) == ["B"]


def test_the_page_says_how_all_is_made_again(write):
    a, b = (
        write(
            *runs("sgd", [1e-3], steps=steps),
            folder=f"{steps} steps",
            request={"overrides": [], "command": f"make {steps}"},
        )
        for steps in (8, 16)
    )
    lines = (
        unescape(comparison.page_around(compare(a, b, anyway=True), []))
        .split("<pre>")[1]
        .split("</pre>")[0]
        .splitlines()
    )
    assert lines == [
        "make 8",
        "make 16",
        f"python -m lrbench compare '{a.store.root}' '{b.store.root}' --anyway",
    ]


def test_of_many_settings_the_first_are_shown_and_the_rest_counted(difference, monkeypatch):
    monkeypatch.setattr(comparison, "MOST_ROWS", 1)
    page = comparison.page_around(difference, [])
    assert cells(page, "rows")[1:] == changes_text(difference.rows).head(1).to_numpy().tolist()
    assert re.search(r"<p class=\"note\">\.\.\. and 3 more settings", page)


def test_sections_without_data_are_absent(write):
    one, failed = (
        write(*rows, folder=name)
        for name, rows in (
            ("one", runs("sgd", [1e-3])),
            ("failed", [run("sgd", status="failed", weights=None)]),
        )
    )
    headings = {
        results.store.name: re.findall(r"<h2>(.*?)</h2>", comparison.page(compare(results, results)))
        for results in (one, failed)
    }
    assert headings["one"] == [
        "Setting by setting",
        "Loss curves",
        "Run by run",
        "What differs",
        "Words on this page",
        "Run it again",
    ]
    assert headings["failed"] == [
        "Setting by setting",
        "Run by run",
        "What differs",
        "Words on this page",
        "Run it again",
    ]


def test_a_notebook_shows_sentences_and_settings_as_text(hostile):
    text = hostile._repr_html_()
    assert not re.search(r"<(?!/?(p|h4|div|table|caption|thead|tbody|tr|th|td|span)\b)", text)
    assert all(name in unescape(text) for name in HOSTILE)
    assert all(sentence in unescape(text) for sentence in hostile.sentences)


def numbers(difference) -> dict[str, str]:
    """Optimizer -> its number in ids."""
    return {name: str(i) for i, name in enumerate(compared_palette(difference))}


def test_where_all_is_lost_it_is_said(write):
    """In the table, and of a figure that has no best rate to tell; also where one side is lost alone."""
    lost = write(*runs("sgd", [INF, INF], lr=0.1), *runs("sgd", [INF, INF], lr=0.2))
    found = write(*runs("sgd", [1.0, 2.0], lr=0.1), *runs("sgd", [1e-3, 1e-3], lr=0.2), folder="found")
    both, one = comparison.page(compare(lost, lost)), comparison.page(compare(found, lost))
    assert cells(both, "rows")[1][2:4] == ["lost", "lost"]
    assert labels(both)[2] == "Sensitivity to the learning rate. lecture: every run is lost."
    assert {row[3] for row in cells(one, "rows")[1:]} == {"lost"}
    assert labels(one)[2].endswith(": best learning rates: SGD 0.2 in A and all lost in B.")


def test_the_words_of_the_page_are_explained_at_its_end(html):
    words = html.split("Words on this page")[1].split("</section>")[0]
    told = [unescape(word) for word in re.findall("<dt>(.*?)</dt>", words)]
    assert {"arrive", "best fit", "clear", "gap", "level", "lost", "seed", "target"} <= set(told)
    assert not {"κ", "trial", "leader", "rank", "passes through"} & set(told)


def test_a_gap_of_0_without_a_floor_is_drawn(write):
    """As of separable labels, whose gaps underflow."""
    problem = LECTURE | {"gap_floor": 0.0}
    sides = [
        runs("sgd", [0.0, 0.0, 1e-9], lr=0.1) + runs("sgd", gaps, lr=0.2)
        for gaps in ([1.0, 1.0, 1.0], [INF, INF, INF])
    ]
    difference = compare(
        *(write(*rows, folder=name, problems=(problem,)) for name, rows in zip("ab", sides, strict=True))
    )
    assert len(comparison.page(difference).split("<figure")) == 4


def test_the_head_names_both_of_two_tasks(write):
    a = write(*runs("sgd", [1e-3, 2e-3], lr=0.1), *runs("sgd", [1e-2, 2e-2], lr=0.2), folder="a")
    b = [run | {"problem": "synthetic", "problem_id": "synthetic64"} for run in OF_A[:6]]
    difference = compare(a, write(*b, folder="b", problems=(OTHER,)), anyway=True)
    page = comparison.page_around(difference, [])
    assert re.search(r"<dd>[^<]* on lecture against synthetic</dd>", page)


def test_alt_texts_say_what_the_figures_show(html):
    """Of who has changed only what a test shows: sgd, each seed of which is twice as far off."""
    assert labels(html) == [
        "Loss curves. lecture: shown worse in B: SGD.",
        "Run by run. lecture: shown worse in B: SGD.",
        "Sensitivity to the learning rate. lecture: best learning rates: Adam 0.1 in A and 0.3 in B and SGD "
        "0.1 in A and 0.3 in B.",
    ]
    assert html.count("<figure") == 3


# ---- the file


@pytest.mark.parametrize(("a", "b"), [("x" * 255, "x" * 254 + "y"), ("ü" * 127, "b"), ("a", "b c")])
def test_the_file_lies_beside_b_under_a_name_that_any_disk_takes(tmp_path, a, b):
    ahead, back = (
        comparison.place(*map(Results, sides))
        for sides in ([ResultStore(tmp_path / "p" / a), ResultStore(tmp_path / b)],) * 2
    )
    other = comparison.place(Results(ResultStore(tmp_path / b)), Results(ResultStore(tmp_path / a)))
    assert ahead == back
    assert ahead.parent == tmp_path
    assert len(ahead.name.encode()) <= 200
    assert ahead.name != other.name
    assert a != "a" or ahead.name == "a-against-b c.html"


def test_a_folder_named_by_a_dot_has_a_name(tmp_path, monkeypatch):
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    assert (
        comparison.place(Results(ResultStore("../a")), Results(ResultStore(".")))
        == tmp_path / "a-against-b.html"
    )


def test_the_same_stores_give_the_same_bytes_and_the_command_the_same_page(difference, html, folder):
    """In another process, folder, time zone and order of hashes; without torch."""
    (folder / "before-against-after.html").unlink()
    code = (
        "import sys; from lrbench.cli import main; code = main(sys.argv[1:]); "
        "print(sorted({'torch', 'hydra', 'numba'} & set(sys.modules))); sys.exit(code)"
    )
    line = [sys.executable, "-c", code, "compare", str(folder / "before"), str(folder / "after")]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder / "after", env=environment)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-2:] == [f"Page: {os.path.join('..', 'before-against-after.html')}", "[]"]
    assert (folder / "before-against-after.html").read_text(encoding="utf-8") == html


@pytest.fixture
def changed(write, monkeypatch) -> Comparison:
    """B ten times worse; its page has no figures, which takes a moment."""
    monkeypatch.setattr(comparison, "COMPARED", ())
    return compare(
        *(
            write(*runs("sgd", [gap, 1.1 * gap, 1.3 * gap]), folder=name)
            for name, gap in (("a", 1e-3), ("b", 1e-2))
        )
    )


def test_the_command_opens_what_it_wrote(changed, monkeypatch):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    assert cli.main(["compare", "--open", str(changed.a.store.root), str(changed.b.store.root)]) == 1
    assert shown == [page_of(changed).as_uri()]
    assert page_of(changed).is_file()


def test_where_it_cannot_be_written_the_answer_stands(changed, capsys, monkeypatch):
    page_of(changed).mkdir()
    monkeypatch.setattr("webbrowser.open", pytest.fail)
    assert cli.main(["compare", str(changed.a.store.root), str(changed.b.store.root), "--open"]) == 1
    captured = capsys.readouterr()
    assert "ends 10 times as far from the best fit in B" in captured.out
    assert "Page: " not in captured.out
    assert (
        f"{page_of(changed)}: the page cannot be written (Is a directory). It goes beside B" in captured.err
    )
    with pytest.raises(RequestError, match="cannot be written"):
        changed.report()
    assert [path.name for path in page_of(changed).parent.iterdir() if path.name.startswith(".")] == []


def test_python_may_say_where(changed, tmp_path):
    path = changed.report(tmp_path / "new" / "page.html")
    assert path.read_text(encoding="utf-8") == comparison.page(changed)
    assert not page_of(changed).exists()


# ---- in a browser


@pytest.fixture
def visit(chromium):  # noqa: F811
    """visit(path, **context) -> page, as a context; at the end it has said nothing and asked for nothing but
    itself.
    """

    @contextmanager
    def open_page(path, **context):
        with opened(chromium, path, **context) as visit:
            yield visit.page
            assert visit.console == []
            assert visit.requests == [path.as_uri()]

    return open_page


def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(visit, difference, hostile, axe):  # noqa: F811
    for one, width in ((difference, 1100), (hostile, 390)):
        with visit(page_of(one), width=width, color_scheme="light") as page:
            page.evaluate(axe)
            assert page.evaluate(VIOLATIONS, None) == []
            page.emulate_media(color_scheme="dark")
            assert page.evaluate(VIOLATIONS, ["color-contrast"]) == []
            for small in (390, 1100):
                page.set_viewport_size({"width": small, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") == small


def test_hostile_names_are_text(visit, hostile):
    with visit(page_of(hostile)) as page:
        assert page.title() == f"{HOSTILE[0]} against {HOSTILE[1]} · lrbench"
        assert sorted(page.locator("#filter .name").all_text_contents()) == sorted(HOSTILE)
        assert page.evaluate("[window.hit, document.images.length, document.scripts.length]") == [None, 0, 2]
        assert (
            page.locator('table[data-name="rows"] tbody th').all_text_contents()
            == hostile.rows["optimizer"].tolist()
        )


def test_without_javascript_all_can_be_read_and_nothing_is_dead(visit, difference):
    with visit(page_of(difference), java_script_enabled=False) as page:
        assert page.locator("button, input, select, form").count() == 0
        assert page.locator("figure svg").count() == 3
        assert all(page.locator("figure svg").nth(i).bounding_box()["height"] > 80 for i in range(3))
        assert page.locator('table[data-name="rows"] tbody tr').count() == len(difference.rows)


def test_a_box_takes_its_optimizer_out_of_figures_and_table(visit, difference):
    visible = """i => {
      const parts = [...document.querySelectorAll(`figure [id$='optimizer-${i}']`)];
      return parts.filter(part => part.getClientRects().length).length;
    }"""
    with visit(page_of(difference)) as page:
        names = list(numbers(difference))
        before = [page.evaluate(visible, i) for i in range(len(names))]
        page.get_by_role("checkbox", name="Adam", exact=True).uncheck()
        off = names.index("adam")
        assert [page.evaluate(visible, i) for i in range(len(names))] == [
            0 if i == off else count for i, count in enumerate(before)
        ]
        assert min(before) > 5
        shown = page.locator('table[data-name="rows"] tbody tr:visible th').all_text_contents()
        assert shown == [displayed(name) for name in difference.rows["optimizer"] if name != "adam"]
        assert not any("Adam" in text for text in page.locator("figure svg text:visible").all_text_contents())
