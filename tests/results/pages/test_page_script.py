"""page.js in a browser, on small pages with the markup that the report's template makes. Skipped where there
is no chromium or playwright.
"""

import html
import io
import json
import math
import re
from contextlib import ExitStack

import numpy as np
import pandas as pd
import pytest
from browser import chromium, document, opened  # noqa: F401
from markdown_it import MarkdownIt
from test_explorer import results

from lrbench.results.pages import explorer

COLOURS = ["#2a7de1", "#d9542b", "#1b9a6a", "#9a5bd6"]
HOSTILE = [
    '<img src=x onerror="hit=1">',
    "</script><script>hit=1</script>",
    "a|b`*_~ \\ {c} $d$ & \"e\", 'f' #1 100 % ^",
    "ünï © 🜁 " + "x" * 200,
]
READY, DRAWN = "#explorer .readout", "#explorer .u-over .runs"


def told(*names: str, tasks: tuple[str, ...] = ("t0",)) -> dict:
    return {
        "optimizers": [{"name": name, "colour": COLOURS[i % 4]} for i, name in enumerate(names)],
        "tasks": list(tasks),
    }


def table(frame: pd.DataFrame, name: str = "ranking-0") -> str:
    """A table of the page: a row an optimizer, all columns but the first stand right."""
    cells = [
        [html.escape(str(cell)) for cell in row] for row in [frame.columns, *frame.itertuples(index=False)]
    ]
    kinds = ["left", *["right"] * (frame.shape[1] - 1)]
    head = "".join(
        f'<th scope="col" class="{kind}">{cell}</th>' for kind, cell in zip(kinds, cells[0], strict=True)
    )
    body = "".join(
        f'<tr data-optimizer="{i}">{"".join(f"<td>{cell}</td>" for cell in row)}</tr>'
        for i, row in enumerate(cells[1:])
    )
    table = (
        f'<table class="data" data-name="{name}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )
    return f'<div class="table"><div class="scroll" tabindex="0">{table}</div><div class="copy"></div></div>'


def block(gaps: dict[tuple[str, float, int], list[float]], **more) -> dict:
    """The explorer's block of runs (optimizer, lr, seed) -> gaps at steps 0, 1, ...; evaluations are twice
    the steps.
    """
    keys = pd.DataFrame(list(gaps), columns=["optimizer", "lr", "seed"])
    ids = {
        "run_id": [f"r{i}" for i in range(len(keys))],
        "setting_id": keys["optimizer"] + keys["lr"].astype(str),
        "setting": [f"lr={lr:g}" for lr in keys["lr"]],
    }
    last = [row[-1] for row in gaps.values()]
    entries = keys.assign(**{**ids, "task": "t0", "status": "completed", "role": "grid", "gap": last, **more})
    parts = [
        pd.DataFrame(
            {"run_id": f"r{i}", "step": range(len(row)), "evaluations": 2.0 * np.arange(len(row)), "gap": row}
        )
        for i, row in enumerate(gaps.values())
    ]
    return explorer.block(results(entries, pd.concat(parts, ignore_index=True)))


@pytest.fixture
def visit(chromium, tmp_path):  # noqa: F811
    yield from visiting(chromium, tmp_path)


def visiting(chromium, folder):  # noqa: F811
    """visit(body, data, block, fragment, **context) -> page; at the end the page must have said nothing and
    asked for nothing but itself.
    """
    path, visits = folder / "page.html", []
    with ExitStack() as stack:

        def open_page(body="", data=None, block=None, fragment="", near=True, **context):
            path.write_text(document('<div id="filter-bar"></div>' + body, data, block), encoding="utf-8")
            visits.append(stack.enter_context(opened(chromium, path, fragment, **context)))
            if block and near and context.get("java_script_enabled", True):
                visits[-1].page.locator(READY).scroll_into_view_if_needed()
                visits[-1].page.wait_for_selector(DRAWN)
            return visits[-1].page

        yield open_page
        for each in visits:
            assert each.console == []
            assert [request.split("#")[0] for request in each.requests] == [path.as_uri()]


def until(page, condition: str) -> None:
    """Wait until JavaScript is true. Not with playwright's wait_for_function, which the page's policy
    forbids.
    """
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {condition}")


def texts(page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


def fragment(page) -> str:
    return page.evaluate("location.hash")


# ---- the page as a whole


TWO = block({("o0", 0.1, 0): [1.0, 0.1, 0.01], ("o1", 0.1, 0): [1.0, 0.5, 0.25]})
CHART = (
    '<figure class="chart"><svg viewBox="0 0 9 9"><g data-optimizer="0"><path d="M0 0L9 9"/></g><g '
    'id="loss-optimizer-1"><path d="M0 0L9 1"/></g><g id="loss-optimizer-11"><path d="M0 0L9 '
    '2"/></g></svg></figure>'
)
RANKED = table(pd.DataFrame({"optimizer": ["o0", "o1", "o2"], "gap": ["0.01", "0.25", "inf"]}))
PATHS = {
    "steps": [0, 1, 10, 100],
    "paths": [
        {"optimizer": 0, "points": [[1, 1], [2, 3], [4, 5], [6, 7]]},
        {"optimizer": 1, "points": [[8, 8], [7, 7], None, None]},
    ],
}
PATH = (
    f'<figure class="chart path" data-paths="{html.escape(json.dumps(PATHS))}"><svg viewBox="0 0 9 '
    '9"></svg></figure>'
)


def test_without_javascript_there_is_no_dead_control(visit):
    page = visit(RANKED + CHART + PATH, told("o0", "o1"), TWO, java_script_enabled=False)
    assert page.locator("button, input, select, form").count() == 0
    assert not page.locator("#explorer").is_visible()
    assert texts(page, "td") == ["o0", "0.01", "o1", "0.25", "o2", "inf"]


@pytest.mark.parametrize("body", ["", RANKED + CHART + PATH])
def test_a_part_may_be_absent(visit, body):
    visit(body)


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(visit):
    page = visit(
        RANKED + PATH, told("o0", "o1", "o2"), block({("o0", 0.1, 0): [1, 0.1], ("o1", 0.1, 1): [1, 0.5]})
    )
    controls = page.evaluate(
        "[...document.querySelectorAll('button, input, select, .plot')].map(c => [c.tabIndex, "
        "(c.labels?.[0] ?? c).textContent.trim() || c.getAttribute('aria-label') || ''])"
    )
    assert len(controls) > 15
    assert all(place == 0 and name for place, name in controls), controls


# ---- filter bar


def test_a_box_hides_its_optimizer_everywhere(visit):
    page = visit(RANKED + CHART + PATH, told("o0", "o1", "o2"), TWO)
    shown = {
        selector: page.locator(selector)
        for selector in (
            '[data-optimizer="0"] path',
            "#loss-optimizer-1",
            "#loss-optimizer-11",
            'tr[data-optimizer="1"]',
            '.moving[data-optimizer="1"]',
        )
    }
    assert all(part.is_visible() for part in shown.values())
    assert page.locator(".count").inner_text() == "Shown here: 2."
    page.get_by_label("o1").uncheck()
    assert [part.is_visible() for part in shown.values()] == [True, False, True, False, False]
    assert page.locator(".count").inner_text() == "Shown here: 1."
    assert fragment(page) == "#off=1"
    page.get_by_role("button", name="none", exact=True).click()
    assert fragment(page) == "#off=0.1.2"
    assert texts(page, "tbody tr:visible") == []
    page.get_by_role("button", name="all", exact=True).click()
    assert fragment(page) == ""
    assert len(texts(page, "tbody tr:visible")) == 3


def test_focus_and_hover_light_an_optimizer(visit):
    page = visit(RANKED + CHART, told("o0", "o1"), TWO)
    lit = "[...document.querySelectorAll('.lit')].map(part => part.id || part.tagName).sort()"
    page.get_by_label("o1").focus()
    assert page.evaluate(lit) == ["TR", "loss-optimizer-1"]
    assert (
        page.locator("#loss-optimizer-1 path").evaluate("path => getComputedStyle(path).strokeWidth")
        == "3.5px"
    )
    assert page.locator(".pale").count() == 1
    page.hover('tr[data-optimizer="0"]')
    assert page.evaluate(lit) == ["TR", "g"]
    page.hover("h1")
    assert page.evaluate(lit) == []


# ---- tables


SORTED = [
    (
        ["1.8 (1.2–2.6)", "12", "inf", "–", "2.5e-3", "not reached"],
        ["2.5e-3", "1.8 (1.2–2.6)", "12", "inf", "–", "not reached"],
    ),
    (
        ["1e-20", "≤ 1e-20", "3.0e-21", "1.14e5", "500", "-2", "−3"],
        ["−3", "-2", "3.0e-21", "1e-20", "≤ 1e-20", "500", "1.14e5"],
    ),
    (["10/10", "3/10", "2/3", "0/10"], ["0/10", "3/10", "2/3", "10/10"]),
    (["0.001", "0.2", "< 0.001", "> 0.2", "1"], ["< 0.001", "0.001", "0.2", "> 0.2", "1"]),
    (["2=", "1", "10", "2="], ["1", "2=", "2=", "10"]),
    (["12 %", "3.5 %", "1,200 %"], ["3.5 %", "12 %", "1,200 %"]),
    (["lr=0.1", "lr=0.02 m=0.9", "lr=10", "–"], ["lr=0.02 m=0.9", "lr=0.1", "lr=10", "–"]),
    (["adam10", "Adam2", "sgd", "2nd"], ["2nd", "Adam2", "adam10", "sgd"]),
]


CLICK_ALL = """() => [...document.querySelectorAll("table")].map((table) => {
  table.querySelector("th button").click();
  const cells = [...table.querySelectorAll("td")].map((cell) => cell.textContent);
  return [cells, table.querySelector("th").getAttribute("aria-sort")];
})"""
TIED = ("≤ 1e-20", "1e-20")  # keep the order in which they were printed


def test_columns_sort_by_what_their_text_means(visit):
    page = visit("".join(table(pd.DataFrame({"x": cells}), f"t-{i}") for i, (cells, _) in enumerate(SORTED)))
    assert page.evaluate(CLICK_ALL) == [[rising, "ascending"] for _, rising in SORTED]
    for (falling, order), (_, rising) in zip(page.evaluate(CLICK_ALL), SORTED, strict=True):
        missing = [cell for cell in rising if cell in ("–", "not reached")]
        expected = [cell for cell in rising[::-1] if cell not in missing] + missing
        assert [cell for cell in falling if cell not in TIED] == [
            cell for cell in expected if cell not in TIED
        ]
        assert order == "descending"
    assert page.evaluate(CLICK_ALL) == [[printed, "none"] for printed, _ in SORTED]


CELLS = pd.DataFrame(
    {
        "optimizer": [*HOSTILE, "=1+1"],
        "final gap *": ["≤ 1.00e-20", "3.1e-12", "inf", "–", "1.8 (1.2–2.6)"],
        'p, "Holm"': ["< 0.001", "", "≥ 3 × κ", "1 µs…", "a_b"],
    }
)


def copied(page, format: str) -> str:
    page.get_by_role("button", name=format).click()
    page.wait_for_selector(".said:text('copied')")
    return page.evaluate("window.took ?? navigator.clipboard.readText()")


LATEX = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"$\leq$": "≤",
    r"$\geq$": "≥",
    r"$\times$": "×",
    r"$\kappa$": "κ",
    r"\textmu{}": "µ",
    r"\dots{}": "…",
    "--": "–",
}
LATEX |= {f"\\{character}": character for character in "&%$#_{}"}


def csv_cells(text: str) -> list[str]:
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return [*frame.columns, *frame.to_numpy().ravel()]


def markdown_cells(text: str) -> list[str]:
    inline = [
        token for token in MarkdownIt("commonmark").enable("table").parse(text) if token.type == "inline"
    ]
    assert {child.type for token in inline for child in token.children} <= {"text"}
    return ["".join(child.content for child in token.children) for token in inline]


def latex_cells(text: str) -> list[str]:
    begin, top, head, middle, *rows, bottom, end = text.splitlines()
    assert [begin, top, middle, bottom, end] == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    assert all(row.endswith(r" \\") for row in [head, *rows])
    cells = [cell for row in [head, *rows] for cell in re.split(r" (?<!\\)& ", row.removesuffix(r" \\"))]
    pattern = "|".join(map(re.escape, LATEX))
    assert not re.search(
        r"[&%$#_{}~^<>\\]", re.sub(pattern, "", "".join(cells))
    )  # nothing that LaTeX would act on
    return [re.sub(pattern, lambda match: LATEX[match[0]], cell) for cell in cells]


@pytest.mark.parametrize("clipboard", [True, False], ids=["clipboard", "execCommand"])
def test_what_is_copied_reads_back(visit, clipboard):
    page = visit(table(CELLS), told(*HOSTILE, "=1+1"), permissions=["clipboard-read", "clipboard-write"])
    if not clipboard:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page.evaluate(
            "document.addEventListener('copy', () => { window.took = document.activeElement.value; })"
        )
    for format, cells in (("CSV", csv_cells), ("Markdown", markdown_cells), ("LaTeX", latex_cells)):
        assert cells(copied(page, format)) == [*CELLS.columns, *CELLS.to_numpy().ravel()], format
        assert page.evaluate(
            "[document.activeElement.textContent, document.querySelectorAll('textarea').length]"
        ) == [format, 0]


def test_what_is_copied_is_what_is_seen(visit):
    page = visit(
        RANKED,
        told("o0", "o1", "o2"),
        fragment="#off=1&sort=ranking-0.1.desc",
        permissions=["clipboard-read", "clipboard-write"],
    )
    assert copied(page, "CSV") == '"optimizer","gap"\n"o2","inf"\n"o0","0.01"\n'


# ---- state


def test_choices_are_in_the_hash_and_come_back(visit):
    runs = block({("o0", 0.1, 3): [1, 0.1], ("o0", 0.5, 4): [1, 0.1], ("o1", 1.0, 3): [1, 0.5]})
    page = visit(RANKED, told("o0", "o1"), runs)
    page.get_by_label("o1").uncheck()
    page.get_by_label("x", exact=True).select_option("evaluations")
    page.get_by_label("log x").uncheck()
    page.get_by_label("lr from").fill("0.2")
    page.get_by_label("lr from").blur()
    page.get_by_label("seed").select_option("4")
    page.get_by_role("button", name="gap", exact=True).click()
    assert fragment(page) == "#off=1&x=evaluations&linear=x&lr=0.2..&seed=4&sort=ranking-0.1.asc"
    again = visit(RANKED, told("o0", "o1"), runs, fragment(page))
    assert not again.get_by_label("o1").is_checked()
    assert again.get_by_label("x", exact=True).input_value() == "evaluations"
    assert [again.get_by_label(label).is_checked() for label in ("log x", "log gap")] == [False, True]
    assert [again.get_by_label(label).input_value() for label in ("lr from", "seed")] == ["0.2", "4"]
    assert again.locator(".count").inner_text() == "Shown here: 1."
    assert again.locator('th[aria-sort="ascending"]').inner_text().startswith("gap")
    again.evaluate("location.hash = '#seed=3'")
    until(again, "document.querySelector('.count').textContent === 'Shown here: 2.'")
    assert again.get_by_label("o1").is_checked()


SEEN = """() => [
  document.querySelectorAll("#filter input:checked").length, document.querySelector(".count").textContent,
  ["explorer-lr-from", "explorer-lr-to", "explorer-x"].map((id) => document.getElementById(id).value),
  [...document.querySelectorAll("th")].map((head) => head.getAttribute("aria-sort")),
]"""


def test_hostile_hashes_are_ignored(visit):
    hashes = [
        "off=99.-1.1e1.<script>hit=1</script>",
        "task=7",
        "task=-1",
        "x=__proto__",
        "linear=z.constructor",
        "lr=-1..2",
        "lr=x..y",
        "lr=2..1",
        "lr=1..2..3",
        "seed=77",
        "seed=1e999",
    ]
    hashes += [
        "sort=ranking-0.9.asc",
        "sort=__proto__.0.asc",
        "sort=ranking-0.0.up",
        "sort=" + "a." * 9999,
        "%E0%A4%A",
        "&&==&off",
        "protocol",
        "off=" + "1" * 5000,
    ]
    page = visit(RANKED, told("o0", "o1"), TWO, f"#{hashes[0]}")
    untouched = page.evaluate(SEEN)
    assert untouched == [2, "Shown here: 2.", ["", "", "steps"], ["none", "none"]]
    for text in hashes:
        page.evaluate(
            "text => { location.hash = text; dispatchEvent(new HashChangeEvent('hashchange')); }", text
        )
        assert page.evaluate(SEEN) == untouched, text
    page.get_by_label("o0").uncheck()
    assert fragment(page) == "#off=0"
    assert page.evaluate("window.hit") is None


# ---- explorer


def over(page, x: float, y: float) -> str:
    """Move the pointer to shares of the plot area, from the left and from the top; return what the page says
    of the run there.
    """
    area = page.locator(".u-over").bounding_box()
    page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"])
    page.wait_for_timeout(60)
    return page.locator(READY).inner_text()


DECADE = {("o0", 0.1, 0): [10.0 ** -(k / 25) for k in range(101)], ("o1", 0.5, 1): [1.0] * 101}


@pytest.fixture(scope="module")
def shared(chromium, tmp_path_factory):  # noqa: F811
    """One page of DECADE, for all who only look at it."""
    visits = visiting(chromium, tmp_path_factory.mktemp("explorer"))
    yield next(visits)("", told("o0", "o1"), block(DECADE))
    next(visits, None)


@pytest.fixture
def explored(shared):
    """explored(fragment) -> the shared page at that state, with the pointer away from it."""

    def at(fragment: str = "#"):
        shared.mouse.move(0, 0)
        shared.evaluate(
            "text => { location.hash = text; dispatchEvent(new HashChangeEvent('hashchange')); }", fragment
        )
        shared.locator(".u-over").scroll_into_view_if_needed()
        return shared

    return at


def test_the_nearest_run_is_named_with_its_step_and_gap(explored):
    page = explored("#linear=x")
    assert over(page, 0.5, 0.5) == "o0 lr=0.1 · seed 0 · step 50 · gap 0.01"
    assert over(page, 0.75, 0.05) == "o1 lr=0.5 · seed 1 · step 75 · gap 1"
    page.mouse.move(0, 0)
    page.wait_for_timeout(60)
    assert page.locator(READY).inner_text() == ""


def test_the_logarithmic_axis_is_linear_before_the_first_update(explored):
    page = explored("#off=1")
    for step in (1, 10, 60):
        share = (0.4 + math.log10(step)) / (0.4 + 2)
        assert f" step {step} " in over(page, share, 0.03 + 0.94 * step / 100)


def test_evaluations_are_an_axis_too(explored):
    assert "step 50 · 100 evaluations · gap 0.01" in over(explored("#off=1&x=evaluations&linear=x"), 0.5, 0.5)


def test_a_linear_gap_stands_as_high_as_it_is(explored):
    """Half way between the runs the nearer one changes."""
    page = explored("#linear=x.y")
    middle = (1 + 10 ** -(3 / 25)) / 2
    for above, name in ((0.012, "o1"), (-0.012, "o0")):
        assert over(page, 0.03, 1 - (middle + above) / 1.03).startswith(f"{name} "), above


def test_dragging_zooms_and_a_double_click_or_the_button_shows_all_again(explored):
    page = explored("#off=1&linear=x")
    area = page.locator(".u-over").bounding_box()
    double_click = lambda: page.mouse.dblclick(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)  # noqa: E731
    for back in (double_click, page.get_by_role("button", name="whole view").click):
        over(page, 0.25, 0.5)
        page.mouse.down()
        over(page, 0.4, 0.51)
        over(page, 0.75, 0.51)
        page.mouse.up()
        assert " step 50 " in over(page, 0.5, 0.5)
        assert " step 35 " in over(page, 0.2, 0.35)
        back()
        assert " step 20 " in over(page, 0.2, 0.2)


def test_lines_have_the_colours_of_what_is_shown(explored):
    count = """() => {
      const canvas = document.querySelector('canvas.runs');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const near = (i, colour) => data[i + 3] > 100 && colour.every((c, k) => Math.abs(data[i + k] - c) < 12);
      const of = (colour) => {
        let n = 0;
        for (let i = 0; i < data.length; i += 4) n += near(i, colour);
        return n;
      };
      return [of([0x2a, 0x7d, 0xe1]), of([0xd9, 0x54, 0x2b])];
    }"""
    assert min(explored().evaluate(count)) > 300
    blue, red = explored("#off=0").evaluate(count)
    assert blue == 0
    assert red > 300


def test_runs_are_drawn_when_a_reader_comes_near(visit):
    """What costs most waits; how many there are is said at once."""
    page = visit(
        '<p style="height: 9000px">',
        told("o0", "o1"),
        block(DECADE) | {"note": "2 of 9 runs, all extremes kept"},
        near=False,
    )
    assert (
        page.locator("#explorer .note")
        .inner_text()
        .startswith("2 of 9 runs, all extremes kept. Shown here: 2. Drag")
    )
    page.get_by_label("o1").uncheck()
    assert page.locator(".count").inner_text() == "Shown here: 1."
    assert page.locator("#explorer canvas").count() == 0
    height = page.evaluate("document.documentElement.scrollHeight")
    page.locator(".plot").scroll_into_view_if_needed()
    page.wait_for_selector(DRAWN)
    assert page.evaluate("document.documentElement.scrollHeight") == height
    page.locator(".plot").press("ArrowUp")
    assert page.locator(READY).inner_text() == "o0 lr=0.1 · seed 0 · step 100 · gap 1.0e-4"


def test_arrow_keys_go_from_run_to_run_and_along(visit):
    gaps = {
        ("o0", 0.1, 0): [1.0, 0.0, 3e-7],
        ("o0", 0.2, 0): [1.0, 1.7e300, np.inf],
        ("o1", 0.1, 0): [1.0, 0.5, 0.25],
    }
    page = visit(
        "",
        told("o0", "o1"),
        block(
            gaps,
            status=["completed", "diverged", "completed"],
            role=["trial", "trial", "evaluation, default"],
        ),
    )
    page.locator(".plot").focus()
    said = []
    for key in ["ArrowUp", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowUp"]:
        page.keyboard.press(key)
        said.append(page.locator(READY).inner_text())
    assert said == [
        "o0 lr=0.1 · seed 0 · step 2 · gap 3.0e-7 · trial",
        "o0 lr=0.1 · seed 0 · step 1 · gap 0 · trial",
        "o0 lr=0.1 · seed 0 · step 2 · gap 3.0e-7 · trial",
        "o1 lr=0.1 · seed 0 · step 2 · gap 0.25 · evaluation, default",
        "o0 lr=0.2 · seed 0 · step 2 · gap inf · trial · diverged",
        "o0 lr=0.2 · seed 0 · step 1 · gap 1.7e300 · trial · diverged",
        "o0 lr=0.2 · seed 0 · step 1 · gap 1.7e300 · trial · diverged",
    ]


def test_learning_rates_and_seeds_choose_runs(visit):
    gaps = {("o0", lr, seed): [1.0, lr] for lr in (0.001, 0.01, 0.1) for seed in (0, 1)}
    page = visit("", told("o0", "o1"), block(gaps), "#lr=0.005..0.05")
    assert page.locator(".count").inner_text() == "Shown here: 2."
    page.get_by_label("seed").select_option("1")
    assert page.locator(".count").inner_text() == "Shown here: 1."


AXIS = """() => {
  const canvas = document.querySelector('.u-wrap > canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) return [data[i], data[i + 1], data[i + 2]];
}"""


def test_the_explorer_follows_scheme_and_width(visit):
    page = visit("", told("o0", "o1"), TWO, width=1000, color_scheme="light")
    page.evaluate(
        "document.documentElement.style.setProperty('--line', 'transparent')"
    )  # so that only text is on uPlot's canvas
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert page.evaluate(AXIS) == pytest.approx([0x9A, 0xA4, 0xAF], abs=6)
    page.set_viewport_size({"width": 390, "height": 800})
    until(page, "document.querySelector('.uplot').clientWidth < 390")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_tap_names_a_run(visit):
    page = visit("", told("o0", "o1"), block(DECADE), "#linear=x", width=390, has_touch=True, is_mobile=True)
    page.locator(".u-over").scroll_into_view_if_needed()
    area = page.locator(".u-over").bounding_box()
    page.touchscreen.tap(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    page.wait_for_selector(".readout b")
    assert re.search(r"^o0 lr=0.1 · seed 0 · step (49|50|51) ", page.locator(READY).inner_text())


def test_names_are_text_and_nothing_else(visit):
    runs = block({(name, 0.1, 0): [1.0, 0.1 + i] for i, name in enumerate(HOSTILE)}, setting=HOSTILE)
    page = visit(
        table(pd.DataFrame({"optimizer": HOSTILE})),
        told(*HOSTILE, tasks=(HOSTILE[0],)),
        runs | {"tasks": HOSTILE[:2]},
    )
    collapsed = [" ".join(name.split()) for name in HOSTILE]
    assert page.locator("#filter .name").all_text_contents() == HOSTILE
    page.locator(".plot").focus()
    for name in collapsed:
        page.keyboard.press("ArrowUp")
        assert page.locator(READY).inner_text().startswith(f"{name} {name} · seed 0")
    assert page.get_by_label("task").locator("option").all_text_contents() == HOSTILE[:2]
    assert page.evaluate("[window.hit, document.scripts.length, document.images.length]") == [None, 4, 0]
    assert page.evaluate("document.documentElement.scrollWidth") == 1100


# ---- path


def test_the_slider_moves_a_dot_along_each_path(visit):
    page = visit(PATH, told("o0", "o1"))
    state = """() => [...document.querySelectorAll('.moving')].map(group => {
      const [line, dot] = group.children, [cx, cy] = ['cx', 'cy'].map((at) => Number(dot.getAttribute(at)));
      return [line.getAttribute('points'), cx, cy, line.style.stroke];
    })"""
    slider = page.get_by_role("slider")
    inks = [f"var(--c-{colour[1:]}, {colour})" for colour in COLOURS]
    assert page.evaluate(state) == [["1,1 2,3 4,5 6,7", 6, 7, inks[0]], ["8,8 7,7", 7, 7, inks[1]]]
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".step").inner_text() == "step 10"
    assert slider.get_attribute("aria-valuetext") == "step 10"
    slider.fill("0")
    assert page.evaluate(state) == [["1,1", 1, 1, inks[0]], ["8,8", 8, 8, inks[1]]]
    assert page.locator(".step").inner_text() == "step 0"
