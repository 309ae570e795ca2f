"""report.html in a browser: a tuned sweep's, and one whose names are hostile. Skipped where there is no
chromium or playwright.

A page is opened once for all who can leave it as they found it: `show`; `visit` opens it anew.
"""

import csv
import io
import json
import re
import shutil
import subprocess
import tarfile
from contextlib import ExitStack
from html import unescape

import pandas as pd
import pytest
from browser import chromium, document, opened, template  # noqa: F401
from PIL import Image
from reports import HOSTILE
from rounding import rounds

from lrbench.results.figures import ink
from lrbench.results.frames.names import displayed
from lrbench.results.pages.html import table
from lrbench.results.pages.latex import SPECIAL, latex
from lrbench.results.words.cells import ranking_text

AXE = "axe-core@4.14.1"
CLIPBOARD = ["clipboard-read", "clipboard-write"]
CONTROLS = "button, input, select, textarea, form, .plot"
UNPRINTED = "button:not(.sort), input, select, .plot"


@pytest.fixture(scope="module")
def visit(chromium):  # noqa: F811
    """visit(results, fragment, **context) -> page; at the end it must have said nothing and asked for nothing
    but itself.
    """
    visits = []
    with ExitStack() as stack:

        def open_page(results, fragment="", **context):
            path = results.store.report
            visits.append((path, stack.enter_context(opened(chromium, path, fragment, **context))))
            page = visits[-1][1].page
            if context.get("java_script_enabled", True):
                page.wait_for_selector("#explorer .count:not(:empty)")
            return page

        yield open_page
        for path, each in visits:
            assert each.console == []
            assert [request.split("#")[0] for request in each.requests] == [path.as_uri()]


@pytest.fixture(scope="module")
def show(visit):
    """show(results, fragment, ...) -> its page, opened once, in the state of a fragment, as on a fresh
    screen.
    """
    pages = {}

    def shown(results, fragment="#", width=1100, color_scheme="light"):
        path = results.store.report
        if path not in pages:
            pages[path] = visit(results, permissions=CLIPBOARD)
        page = pages[path]
        page.mouse.move(0, 0)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(media="screen", color_scheme=color_scheme)
        page.evaluate(STATE, fragment)
        return page

    return shown


# set the hash, tell the page of it, and wait until it is drawn anew
STATE = """async (fragment) => {
  document.activeElement.blur();
  location.hash = fragment;
  dispatchEvent(new HashChangeEvent('hashchange'));
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}"""


@pytest.fixture(scope="session")
def axe(request) -> str:
    """The source of axe-core, a linter of accessibility; fetched once by npm and kept in pytest's cache."""
    folder = request.config.cache.mkdir(AXE)
    if not list(folder.glob("*.tgz")):
        if not shutil.which("npm"):
            pytest.skip(f"npm is not there to fetch {AXE}: apt install npm")
        fetched = subprocess.run(
            ["npm", "pack", AXE, "--pack-destination", str(folder)], capture_output=True, text=True
        )
        if fetched.returncode:
            pytest.skip(f"npm could not fetch {AXE}: {fetched.stderr.splitlines()[-1:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


def texts(page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


def cells(page, name: str) -> list[list[str]]:
    """The cells of a table as they are seen, row by row."""
    return page.evaluate(
        """name => {
          const rows = [...document.querySelectorAll(`table[data-name="${name}"] tr`)];
          const text = (cell) => cell.textContent.replace(/\\s+/g, " ").trim();
          return rows.filter((row) => row.checkVisibility()).map((row) => [...row.cells].map(text));
        }""",
        name,
    )


def rows_of(frame: pd.DataFrame) -> list[list[str]]:
    return [list(frame.columns), *frame.to_numpy().tolist()]


# ---- the whole page


def test_axe_finds_nothing(show, tuned_sweep, hostile_sweep, axe):
    """All rules in the light, and in the dark the one that colours can break."""
    for results, width in ((tuned_sweep, 1100), (hostile_sweep, 390)):
        page = show(results, width=width, color_scheme="light")
        page.evaluate(axe)
        assert page.evaluate(VIOLATIONS, None) == []
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(VIOLATIONS, ["color-contrast"]) == []


VIOLATIONS = """async (rules) => {
  const {violations, passes} = await axe.run(rules ? {runOnly: rules} : {});
  const found = violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))]);
  return passes.length ? found : "no rule applies";
}"""


def test_nothing_is_wider_than_the_window_or_the_paper(show, tuned_sweep, hostile_sweep):
    """1031 pixels are between the margins of A4 on its side."""
    for results in (tuned_sweep, hostile_sweep):
        page = show(results, width=390, color_scheme="dark")
        width = "document.documentElement.scrollWidth"
        assert page.evaluate(width) == 390
        page.set_viewport_size({"width": 1031, "height": 900})
        page.emulate_media(media="print")
        assert page.evaluate(width) == 1031
        assert (
            page.evaluate(
                f"[...document.querySelectorAll('{UNPRINTED}')].filter(part => "
                "part.getClientRects().length).length"
            )
            == 0
        )
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_javascript_all_can_be_read_and_nothing_is_dead(visit, tuned_sweep):
    page = visit(tuned_sweep, java_script_enabled=False)
    assert page.locator(CONTROLS).count() == 0
    assert not page.locator("#explorer").is_visible()
    figures = page.locator("figure svg")
    assert figures.count() == len(list(tuned_sweep.store.figures.glob("*.svg"))) > 8
    assert all(figures.nth(i).bounding_box()["height"] > 100 for i in range(figures.count()))
    ranked = [displayed(name) for name in tuned_sweep.ranking["optimizer"]]
    assert texts(page, 'table[data-name="ranking-0"] tbody th') == ranked
    assert all(page.locator("table").nth(i).is_visible() for i in range(page.locator("table").count()))


def test_figures_say_what_they_show(show, tuned_sweep):
    page = show(tuned_sweep)
    ranking, pairs = tuned_sweep.ranking, tuned_sweep.pairwise
    assert ranking["word"].tolist() == ["", "not settled", "not settled"]
    first = displayed(ranking["optimizer"].iloc[0])
    assert not ranking["arrived"].any()
    gains = tuned_sweep.tuned_against_default
    pays = gains.loc[gains["word"].isin(["clear", "close"]) & (gains["side"] == 1), "optimizer"].tolist()
    paying = list(map(displayed, pays))
    assert len(pays) == 2
    shown_better = (pairs["better"] != "").sum()
    said = {
        "Loss curves": f"{first} leads; nobody is shown behind.",
        "Seed by seed": "no seed arrives.",
        "Tuned against default": f"{' and '.join(paying)} are shown better tuned than at the default.",
        "Pair by pair": f"one is shown better in {shown_better} of {len(pairs)} pairs.",
    }
    for title, finding in said.items():
        label = page.get_by_role("img", name=f"{title}.").get_attribute("aria-label")
        assert label == f"{title}. lecture: {finding}"
    assert page.locator("[role=img]").count() == page.locator("figure").count()


def test_hostile_names_are_text(show, hostile_sweep):
    page = show(hostile_sweep)
    names = list(ink.palette(hostile_sweep.ranking))
    assert sorted(names) == sorted(HOSTILE)
    assert page.locator("#filter .name").all_text_contents() == names
    assert page.title() == f"{HOSTILE[1]} · lrbench"
    assert [row[1] for row in cells(page, "ranking-0")[1:]] == hostile_sweep.ranking["optimizer"].tolist()
    assert page.evaluate("[window.hit, document.images.length, document.scripts.length]") == [None, 0, 4]
    page.locator(".plot").focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".readout b").text_content() in names


def test_figures_lie_on_the_pages_own_paper(show, tuned_sweep):
    page = show(tuned_sweep, color_scheme="dark")
    paper = tuple(
        map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor")))
    )
    for figure in page.locator(".figure").all():
        assert Image.open(io.BytesIO(figure.screenshot())).convert("RGB").getpixel((2, 2)) == paper


def test_a_link_within_the_page_leaves_the_readers_choice(show, tuned_sweep):
    page = show(tuned_sweep, "#off=1")
    page.get_by_role("navigation").get_by_role("link", name="Words on this page").click()
    assert page.evaluate("[document.activeElement.id, location.hash]") == ["words", "#off=1"]
    links = page.evaluate(
        "[...document.querySelectorAll('nav a:not([hidden])')].map(link => [link.hash.slice(1), "
        "link.textContent])"
    )
    headings = "ids => ids.map(id => document.getElementById(id).querySelector('h2').textContent)"
    told = page.evaluate(headings, [target for target, _ in links])
    assert ["Ranking", *told[1:]] == [text for _, text in links]
    assert told[0].startswith("Ranking: ")
    assert ["explorer", "Explore every run"] in links


def test_the_explorer_shows_what_the_runs_were_for(show, tuned_sweep):
    page = show(tuned_sweep, "#role=evaluation")
    evaluated = len(tuned_sweep.reported)
    assert page.locator("#explorer .count").inner_text() == f"Shown here: {evaluated}."
    page.get_by_label("runs", exact=True).select_option("default")
    assert page.locator("#explorer .count").inner_text() == f"Shown here: {len(tuned_sweep.defaults)}."
    assert page.evaluate("location.hash") == "#role=default"


# ---- the check boxes


def runs_of(tuned_sweep, names) -> int:
    """How many runs of these optimizers left a curve."""
    entries = tuned_sweep.entries
    own = entries[entries["optimizer"].isin(names) & (entries["status"] != "failed")]
    return len(own.drop_duplicates(["run_id", "optimizer"]))


# [[name, colour], ...] -> of each figure and optimizer how many parts that are seen have its name or its
# colour; not what belongs to two of them
SHOWN = """optimizers => [...document.querySelectorAll('figure svg')].map(svg => {
  const seen = [...svg.querySelectorAll('path, use, text')].filter(part =>
    part.getClientRects().length && !/optimizer-\\d+-optimizer-/.test(part.closest('[id]')?.id));
  const inks = seen.map(part => [getComputedStyle(part).fill, getComputedStyle(part).stroke]);
  return optimizers.map(([name, colour]) => {
    const rgb = `rgb(${[1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16)).join(', ')})`;
    return seen.filter((part, k) => part.textContent === name || inks[k].includes(rgb)).length;
  });
})"""

# the ids of what is seen of a pair of optimizers
CELLS_OF_TWO = """[...document.querySelectorAll('[id^=pairs-cell]')]
  .filter(part => part.getClientRects().length).map(part => part.id)"""


def test_a_box_takes_its_optimizer_out_of_figures_tables_and_explorer(show, tuned_sweep):
    page, looks = show(tuned_sweep), ink.palette(tuned_sweep.ranking)
    colours = {displayed(name): look.colour for name, look in looks.items()}
    names = list(colours)
    before = page.evaluate(SHOWN, list(colours.items()))
    assert len(before) > 8
    assert all(all(counts) for counts in before), (names, before)
    of_pairs = page.evaluate(CELLS_OF_TWO)
    assert len({one.partition("-0-")[2] for one in of_pairs}) == 3
    page.get_by_role("checkbox", name=names[1], exact=True).uncheck()
    assert page.evaluate(SHOWN, list(colours.items())) == [[one, 0, other] for one, _, other in before]
    left_of_pairs = [one for one in of_pairs if one.endswith("-0-optimizer-0-optimizer-2")]
    assert page.evaluate(CELLS_OF_TWO) == left_of_pairs
    assert {"pairs-cell", "pairs-cellratio"} <= {one.partition("-0-")[0] for one in left_of_pairs}
    left = [name for name in tuned_sweep.ranking["optimizer"] if displayed(name) != names[1]]
    shown = list(map(displayed, left))
    for name in ("ranking-0", "targets", "tuned_against_default", "success"):
        head, *rows = cells(page, name)
        assert [displayed(row[head.index("optimizer")]) for row in rows] == shown, name
    assert page.locator("#explorer .count").inner_text() == f"Shown here: {runs_of(tuned_sweep, left)}."
    assert runs_of(tuned_sweep, left) < runs_of(tuned_sweep, list(looks))


def test_what_two_make_goes_with_either_and_what_they_share_with_the_last(chromium, tmp_path):  # noqa: F811
    ids = [
        "f-cell-0-optimizer-0-optimizer-12",
        "f-name-0-any-optimizer-0-optimizer-12",
        "f-line-0-optimizer-1",
        "f-line-0-optimizer-12",
    ]
    parts = "".join(f'<g id="{one}"><path d="M0 0L9 9"/></g>' for one in ids)
    file = tmp_path / "page.html"
    told = {"optimizers": [{"name": f"o{k}", "colour": "#2a7de1"} for k in range(13)], "tasks": ["t"]}
    file.write_text(
        document(
            f'<div id="filter-bar"></div><figure class="chart"><svg viewBox="0 0 9 9">{parts}</svg></figure>',
            told,
        )
    )
    seen = (
        "[...document.querySelectorAll('figure g')].filter(part => part.getClientRects().length).map(part => "
        "part.id)"
    )
    for off, left in (("", ids), ("#off=12", ids[1:3]), ("#off=0", ids[1:]), ("#off=0.12", ids[2:3])):
        with opened(chromium, file, off) as one:
            assert one.page.evaluate(seen) == left


def test_the_boxes_come_back_from_the_hash(visit, tuned_sweep):
    page = visit(tuned_sweep, "#off=0.2&sort=ranking-0.1.desc")
    assert [row[1] for row in cells(page, "ranking-0")[1:]] == [
        displayed(list(ink.palette(tuned_sweep.ranking))[1])
    ]


# ---- what is copied


def copied(page, name: str, format: str) -> str:
    page.locator(f'.table:has(table[data-name="{name}"])').get_by_role("button", name=format).click()
    page.wait_for_selector(f'.table:has(table[data-name="{name}"]) .said:text("copied")')
    return page.evaluate("navigator.clipboard.readText()")


def latex_row(line: str) -> list[str]:
    plain = (
        line.removesuffix(r" \\")
        .replace(r"\textless{}", "<")
        .replace(r"$\geq$", "≥")
        .replace(r"$\leq$", "≤")
        .replace("--", "–")
    )
    return [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r" (?<!\\)& ", plain)]


def markdown_row(line: str) -> list[str]:
    return [unescape(re.sub(r"\\(.)", r"\1", cell)) for cell in line[2:-2].split(" | ")]


def test_every_table_is_copied_as_it_is_printed(show, tuned_sweep):
    page = show(tuned_sweep)
    names = page.evaluate(
        "[...document.querySelectorAll('table[data-name]')].map(table => table.dataset.name)"
    )
    assert {"ranking-0", "pairwise", "failures"} < set(names)
    for name in names:
        printed = cells(page, name)
        assert list(csv.reader(io.StringIO(copied(page, name, "CSV")))) == printed
        head, _, *rows = copied(page, name, "Markdown").splitlines()
        assert [markdown_row(line) for line in (head, *rows)] == printed
        assert [
            latex_row(line) for line in copied(page, name, "LaTeX").splitlines() if line.endswith(r"\\")
        ] == printed
    assert cells(page, "ranking-0") == rows_of(ranking_text(tuned_sweep.ranking))


def test_what_is_copied_has_the_numbers_of_the_summary(show, tuned_sweep):
    page = show(tuned_sweep)
    with tuned_sweep.store.summary("csv").open(encoding="utf-8", newline="") as lines:
        summary = list(csv.DictReader(lines))
    tex = [
        latex_row(line) for line in copied(page, "ranking-0", "LaTeX").splitlines() if line.endswith(r"\\")
    ]
    head, _, *rows = map(markdown_row, copied(page, "ranking-0", "Markdown").splitlines())
    for lines in (tex, [head, *rows]):
        columns = dict(zip(lines[0], zip(*lines[1:], strict=True), strict=True))
        assert columns["optimizer"] == tuple(displayed(row["optimizer"]) for row in summary)
        for heading, name, digits in (
            ("level", "level", 3),
            ("spread", "spread", 3),
            ("mean over targets", "area", 3),
            ("default level", "default_gap", 3),
            ("gain", "gain", 2),
        ):
            shown = [
                (cell.removeprefix("≤ "), row[name])
                for cell, row in zip(columns[heading], summary, strict=True)
            ]
            assert [
                (cell, value)
                for cell, value in shown
                if (not rounds(cell, float(value), digits) if value else cell != "–")
            ] == []


def test_latex_is_written_alike_by_the_page_and_by_the_files(chromium, tmp_path):  # noqa: F811
    """A cell for each character that either of them replaces, and for all others that stand in the script's
    own table.
    """
    script = template("page.js")
    [replaced] = re.findall(r"const TEX = new Map\(\[(.*?)\n  \]\);", script, flags=re.DOTALL)
    characters = sorted({*map(chr, SPECIAL), *replaced} - {"\n"})
    assert len(characters) > len(SPECIAL)
    frame = pd.DataFrame(
        {"optimizer": [f"x{character}y" for character in characters], "…": "≥ 1", "a_b": "50 %"}
    )
    path = tmp_path / "page.html"
    path.write_text(document(str(table(frame, "t", "t", {}))), encoding="utf-8")
    with opened(chromium, path, permissions=["clipboard-read", "clipboard-write"]) as visit:
        assert copied(visit.page, "t", "LaTeX") == latex(frame, {"optimizer"})


# ---- the path


def test_the_slider_ends_where_the_drawn_paths_end(visit, tuned_sweep):
    page = visit(tuned_sweep)
    ends = """() => [...document.querySelectorAll('.moving')].map(group => {
      const path = document.querySelector(`#path-path-0-optimizer-${group.dataset.optimizer} path`);
      const {x, y} = path.getPointAtLength(path.getTotalLength()), dot = group.querySelector('circle');
      return [x - dot.getAttribute('cx'), y - dot.getAttribute('cy')];
    })"""
    assert page.evaluate(ends) == [pytest.approx([0, 0], abs=0.1)] * 3
    look = (
        "[...document.querySelectorAll('.moving polyline, #path-path-0-optimizer-0')].map(part => "
        "[getComputedStyle(part).display, getComputedStyle(part).opacity])"
    )
    assert page.evaluate(look) == [["inline", "1"], *[["none", "1"]] * 3]
    page.get_by_role("slider").fill("5")
    assert page.evaluate(look) == [["inline", "0.15"], *[["inline", "1"]] * 3]
    page.get_by_role("slider").fill("0")
    starts = page.evaluate(
        "[...document.querySelectorAll('.moving circle')].map(dot => [dot.getAttribute('cx'), "
        "dot.getAttribute('cy')])"
    )
    assert len({*map(tuple, starts)}) == 1  # the same start for all
    assert page.locator(".step").inner_text() == "step 0"


def test_what_a_slider_moves_along_is_in_the_page(tuned_sweep):
    [data] = re.findall(r'data-paths="([^"]*)"', tuned_sweep.store.report.read_text(encoding="utf-8"))
    paths = json.loads(unescape(data))
    assert paths["steps"][0] == 0
    assert paths["steps"][-1] == 30
    assert {len(path["points"]) for path in paths["paths"]} == {len(paths["steps"])}
