"""Every number that is printed, in the page, summary.md, tables/*.tex and the terminal, is the one of the CSV
files rounded to the digits shown.

Nothing here formats a number: what is printed is read, and held against the exact value of the float.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import LECTURE, stored_tuned, tuned
from reports import texts_of
from rich.console import Console
from rounding import rounds

from lrbench.results import Results
from lrbench.results.frames.names import displayed
from lrbench.results.terminal.sweep import print_ranking
from lrbench.results.words.tables import MOST_ROWS, TABLES
from lrbench.results.words.verdict import headline
from lrbench.results.words.warnings import notes, warnings

INF = math.inf
TASKS = {f"p{k}": 10.0 ** (k + 1) for k in range(6)}  # kappa
HARD = [0.1 + 0.2, 0.9995, 0.0009995, 1.2345e-22, 0.00123499999, 9.995e-7, 0.1, 2.5e-15, 0.012345]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    """Six problems, one of them at two budgets and one without a relative gap: gaps of 1e-22 and at borders
    of rounding, lost seeds, floors.
    """
    competitors = []
    for k, name in enumerate(TASKS):
        task, turned = {"problem_id": name, "problem": name}, [*HARD[k:], *HARD[:k]]
        lost = [INF] if k == 1 else [1e-31]
        adam = tuned(
            "adam",
            {0.01: [turned[0], 0.5], 0.1: [1e-9, 3e-9], 1.0: [INF, INF]},
            turned[:4],
            turned[4:8],
            hit=3 + k,
            **task,
        )
        sgd = tuned(
            "s_gd",
            {0.001: [1.0, 2.0], 0.123456789: turned[:2]},
            [gap * 7.77 for gap in turned[:4]],
            [INF] * 4,
            hit=5,
            **task,
        )
        rprop = tuned(
            "rprop",
            {0.1: [1e-4, 1e-3]},
            [1e-31, 1e-31, 1e-31, *lost],
            [0.25] * 4,
            evaluations=1234567.5,
            **task,
        )
        for row, _ in rprop:
            row["evaluations_to_1e-2"] = row["seed"] % 2 and 123.456
        competitors += [adam, sgd, rprop]
    for n, name in enumerate(("adam", "s_gd", "rprop")):
        competitors.append(
            tuned(
                name,
                {0.1: [1e-9, 3e-9]},
                HARD[n : n + 4],
                problem_id="p0",
                problem="p0",
                steps=16,
                batch_size=2,
            )
        )
        for row, _ in competitors[-1]:
            row["evaluations_to_1e-3"] = None if row["seed"] % 2 else 12.345
    problems = [
        LECTURE | {"problem_id": name, "problem": name, "kappa": kappa / 3, "gap_floor": 1e-30}
        for name, kappa in TASKS.items()
    ]
    problems[2] |= {"scale": None}
    root = tmp_path_factory.mktemp("numbers") / "study"
    return texts_of(stored_tuned(root, *competitors, problems=tuple(problems))).results


# ---- what a cell must hold: the values of its row in the CSV file, and how many digits at least; 0: as many
# decimals as it shows


def ratio(row: dict, value: str = "ratio", low: str = "low", high: str = "high") -> list[float]:
    """The ratio with its interval, alone where its ends are printed the same: two digits, three below 2."""
    ends = {f"{row[end]:.{2 if row[end] < 2 else 1}e}" for end in (low, high)}
    return [row[value]] if len(ends) == 1 else [row[value], row[low], row[high]]


def arrival(row: dict) -> list[float]:
    """After how many whole evaluations, and on how many seeds where some do not arrive."""
    if not row["arrived"]:
        return []
    return [row["cost"]] if row["arrived"] == row["seeds"] else [row["cost"], row["arrived"], row["seeds"]]


def works(row: dict) -> list[float]:
    """The ends of a range, one of them where it is one rate."""
    return list(dict.fromkeys((row["works_low"], row["works_high"])))


def width(row: dict) -> list[float]:
    return [row["lrs"]] if row["tolerance"] == 0 else [row["tolerance"]]


Cell = tuple[int, Callable[[dict], list[float]]]


def column(name: str, digits: int = 3) -> Cell:
    return digits, lambda row: [row[name]]


def share(hits: str, of: str) -> Cell:
    return 9, lambda row: [row[hits], row[of]]


AXES = ("steps", "evaluations", "samples", "epochs", "flops")
HOLDS: dict[str, dict[str, Cell]] = {
    "ranking": {
        "rank*": column("rank"),
        "arrives after": (0, arrival),
        "times the leader*": (2, lambda row: ratio(row, "ratio", "ratio_low", "ratio_high")),
        "rates that work": (6, works),
        "level": column("level"),
        "from the best fit": (2, lambda row: [100 * row["relative_level"]]),
        "spread": column("spread"),
        "mean over targets": column("area"),
        "diverged": share("diverged", "runs"),
        "p*": column("p", 2),
        "default level": column("default_gap"),
        "gain": column("gain", 2),
        "trials": column("trials"),
        "failed": share("failed", "runs"),
        "test loss": column("test_loss"),
    },
    "costs": {
        **dict(
            zip(
                ("steps", "gradient evaluations", "samples", "epochs", "FLOPs"),
                [column(f"{axis}_to_target") for axis in AXES],
                strict=True,
            )
        ),
        "evaluations, whole run": column("evaluations"),
    },
    "tuned_against_default": {
        "arrives after": column("cost"),
        "default arrives after": column("default_cost"),
        "level": column("gap"),
        "default level": column("default_gap"),
        "default over tuned": (2, lambda row: ratio(row, "gain")),
        "pairs": column("n"),
        "p": column("p", 2),
    },
    "sensitivity": {
        "lrs": column("lrs"),
        "rates that work": (0, width),
        "from": column("lowest_lr", 6),
        "to": column("highest_lr", 6),
        "best lr": column("best_lr", 6),
    },
    "pairwise": {
        "b over a": (2, ratio),
        "a ahead": share("wins", "n"),
        "b ahead": share("losses", "n"),
        "p*": column("p_holm", 2),
        "p beyond 1.25*": column("beyond_holm", 2),
    },
    "across": {
        "problems": column("problems"),
        "a ahead": share("wins", "problems"),
        "b ahead": share("losses", "problems"),
        "mean ranks": (0, lambda row: [row["rank_a"], row["rank_b"]]),
        "p*": column("p_holm", 2),
    },
    "competence": {"κ": column("kappa"), "steps": column("steps"), "gap": column("gap")},
    "overall": {
        "mean rank*": column("mean_rank", 0),
        "leads or as good*": share("led", "tasks"),
        "arrives on": share("solved", "tasks"),
        "lost runs on": share("lost", "tasks"),
    },
    "one_for_all": {
        "at worst*": column("ratio", 2),
        "arrives on": share("solved", "tasks"),
        "lost runs": column("lost"),
    },
    "problems": {
        **{
            "n": column("n"),
            "d": column("d"),
            "κ": column("kappa"),
            "L": column("L"),
            "digits": column("digits", 0),
        },
        **{"loss at the minimum": column("loss_star"), "gap floor": column("gap_floor")},
    },
    "failures": {
        "runs": column("runs"),
        "first bad step": column("first_bad_step"),
        "last finite loss": column("last_finite_loss"),
    },
}
TARGET: Cell = (
    3,
    lambda row: [*filter(math.isfinite, [row["evaluations"]]), row["hits"], row["seeds"], row["ert"]],
)
SUCCESS: Cell = (
    0,
    lambda row: [row["trials_to_success"]] if row["solved"] == "True" else [row["hits"], row["seeds"]],
)
WORDS = {
    "task",
    "optimizer",
    "a",
    "b",
    "test",
    "status",
    "reason",
    "problem",
}  # which the CSV file has under the same name
WIDE = {"targets": TARGET, "success": SUCCESS}  # a column a target, or a task


def holds(text: str, cell: Cell, row: dict) -> bool:
    digits, values = cell[0], [value for value in cell[1](row) if not math.isnan(value)]
    if not values:
        return text in ("–", "pass")
    if text in ("not reached", "< 0.001"):
        return values == [INF] if text == "not reached" else values[0] < 0.001
    shown = re.findall(r"inf|\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text)
    return len(shown) == len(values) and all(
        rounds(one, value, digits) for one, value in zip(shown, values, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "value", "digits", "right"),
    [
        *[
            ("0.300", 0.1 + 0.2, 3, True),
            ("0.301", 0.1 + 0.2, 3, False),
            ("1.23e-22", 1.2345e-22, 3, True),
            ("504", 504.4, 3, True),
        ],
        *[
            ("500", 504.4, 3, False),
            ("1,200", 1234.0, 2, True),
            ("1,300", 1234.0, 2, False),
            ("1.2e-22", 1.2345e-22, 3, False),
        ],
        *[("2.5", 2.44, 0, False), ("2.4", 2.44, 0, True), ("inf", 1e308, 3, False), ("12", 12.0, 9, True)],
    ],
)
def test_the_oracle_tells_right_from_wrong(text, value, digits, right):
    assert rounds(text, value, digits) == right


def csv_rows(path: Path) -> list[dict]:
    """The rows of a CSV file, numbers as the floats that their digits name, what is missing as NaN."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            {name: cell if name in WORDS else number(cell) for name, cell in row.items()}
            for row in csv.DictReader(lines)
        ]


def number(cell: str) -> float | str:
    try:
        return float(cell or "nan")
    except ValueError:
        return cell


# ---- the tables as each document has them: rows of a heading's text


Table = list[dict[str, str]]


def rows_of(lines: list[list[str]]) -> Table:
    head, *rows = lines
    return [dict(zip(head, row, strict=True)) for row in rows]


class Page(HTMLParser):
    """tables: data-name -> rows; sentences: those of the verdict, of the warnings and of the folded notes."""

    def __init__(self, page: str):
        super().__init__()
        self.lines: dict[str, list[list[str]]] = {}
        self.sentences: dict[str, list[str]] = {"verdict": [], "warnings": [], "notes": []}
        self.table = self.section = ""
        self.text: str | None = None
        self.feed(page)

    @property
    def tables(self) -> dict[str, Table]:
        return {name: rows_of(lines) for name, lines in self.lines.items()}

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "section":
            self.section = told.get("class") or ""
        elif tag == "details" and self.section == "warnings":
            self.section = "notes"
        elif tag == "table":
            self.table = told["data-name"]
            self.lines[self.table] = []
        elif tag == "tr":
            self.lines[self.table].append([])
        elif tag in ("td", "th", "p", "li"):
            self.text = ""

    def handle_data(self, data):
        if self.text is not None:
            self.text += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.lines[self.table][-1].append(self.text)
        elif tag in ("p", "li") and self.section in self.sentences:
            self.sentences[self.section].append(self.text)
        if tag in ("td", "th", "p", "li"):
            self.text = None


def markdown_tables(markdown: str) -> dict[str, Table]:
    found = {}
    for part in markdown.split("\n## ")[1:]:
        heading, lines = part.split("\n")[0], [line for line in part.split("\n") if line.startswith("| ")]
        if lines:
            cells = [
                [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r"(?<!\\) \| ", line[2:-2])]
                for line in lines
            ]
            found[re.sub(r"\\(.)", r"\1", heading)] = rows_of([cells[0], *cells[2:]])
    return found


UNTEX = {
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"$\geq$": "≥",
    r"$\leq$": "≤",
    r"$\kappa$": "κ",
    r"\textmu{}": "µ",
    "--": "–",
    r"\_": "_",
}


def latex_table(text: str) -> Table:
    for written, character in UNTEX.items():
        text = text.replace(written, character)
    return rows_of([line.removesuffix(r" \\").split(" & ") for line in text.splitlines() if " & " in line])


def named(tables: dict[str, Table]) -> dict[str, Table]:
    """The tables of the page, or of the Markdown by heading, under the names of the CSV files; rankings and
    costs of all tasks below each other.
    """
    headings = {spec.heading: spec.name for spec in TABLES}
    found: dict[str, Table] = {}
    for name, table in tables.items():
        kind = (
            "ranking"
            if name.lower().startswith("ranking")
            else "costs"
            if name.lower().startswith("cost")
            else headings.get(name, name)
        )
        found[kind] = found.get(kind, []) + table
    return found


# ---- the tests


def disagreements(name: str, printed: Table, full: list[dict]) -> Iterator[str]:
    """Name the cells that are not what the CSV file says."""
    if name in WIDE:
        yield from wide_disagreements(name, printed, full)
        return
    assert len(printed) in (len(full), MOST_ROWS), name
    for cells, row in zip(printed, full, strict=False):
        for heading, text in cells.items():
            if heading in HOLDS[name]:
                if not holds(text, HOLDS[name][heading], row):
                    yield f"{name}: {heading} of {row}: {text}"
            elif heading in WORDS & row.keys() and displayed(text) != displayed(row[heading]):
                yield f"{name}: {heading} {text} is {row[heading]}"


def wide_disagreements(name: str, printed: Table, full: list[dict]) -> Iterator[str]:
    rows = {(row["task"], displayed(row["optimizer"]), row.get("target")): row for row in full}
    seen = 0
    for cells in printed:
        for heading, text in cells.items():
            if heading in ("task", "optimizer"):
                continue
            optimizer = displayed(cells["optimizer"])
            at_target = (cells.get("task"), optimizer, float(heading)) if name == "targets" else None
            key = at_target or (heading, optimizer, None)
            seen += key in rows
            if text != "–" if key not in rows else not holds(text, WIDE[name], rows[key]):
                yield f"{name}: {heading} of {cells}: {text}"
    if seen != len(rows):
        yield f"{name}: {seen} of {len(rows)} rows are printed"


def reached(costs: list[dict]) -> list[dict]:
    """The rows of the tasks in which an optimizer reaches the target: the others have a sentence."""
    tasks = {row["task"] for row in costs if math.isfinite(row["evaluations_to_target"])}
    return [row for row in costs if row["task"] in tasks]


def test_page_markdown_latex_and_csv_hold_the_same_numbers(results):
    folder = results.store.root / "tables"
    files = {path.stem: csv_rows(path) for path in folder.glob("*.csv")}
    full = files | {"costs": reached(csv_rows(results.store.summary("csv")))}
    summary = results.store.summary("md").read_text(encoding="utf-8")
    page = Page(results.store.report.read_text(encoding="utf-8"))
    latex = {path.stem: latex_table(path.read_text(encoding="utf-8")) for path in folder.glob("*.tex")}
    documents = {"page": named(page.tables), "markdown": named(markdown_tables(summary)), "latex": latex}
    assert set(full) == set(HOLDS) | set(WIDE)
    for document, tables in documents.items():
        assert set(tables) >= set(full), document
        rows = files if document == "latex" else full
        wrong = [cell for name in full for cell in disagreements(name, tables[name], rows[name])]
        assert wrong == [], document
    checked = {
        name: {heading for cells in documents["page"][name] for heading in cells} & set(columns)
        for name, columns in HOLDS.items()
    }
    assert {
        name: set(HOLDS[name]) - found for name, found in checked.items() if set(HOLDS[name]) - found
    } == {"ranking": {"test loss", "failed"}}


def test_the_terminal_shows_the_cells_and_the_sentences_of_the_page(results):
    page = Page(results.store.report.read_text(encoding="utf-8"))
    markdown = re.sub(r"\\(.)", r"\1", results.store.summary("md").read_text(encoding="utf-8"))
    folded = notes(results)
    assert folded
    assert page.sentences == {
        "verdict": headline(results),
        "warnings": warnings(results),
        "notes": folded,
    }
    sentences = [*headline(results), *warnings(results)]
    assert [sentence for sentence in [*sentences, *folded] if sentence not in markdown] == []
    for width in (80, 200):
        console = Console(file=io.StringIO(), width=width)
        print_ranking(results, console, is_reported=True)
        printed = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
        assert [
            row for row in named(page.tables)["ranking"] if " ".join(terminal_cells(row)) not in printed
        ] == []
        assert [
            sentence for sentence in sentences if sentence not in " ".join(printed).replace(" ! ", " ")
        ] == []


def terminal_cells(row: dict[str, str]) -> list[str]:
    """The cells of a row of the page that a terminal shows; an interval only where it has room."""
    ratio = row["times the leader*"]
    shown = ratio if len(ratio) <= 15 else ratio.partition(" (")[0]
    return [
        row["rank*"],
        row["optimizer"],
        row["best setting"],
        row["arrives after"],
        shown,
        row["against the leader*"],
    ]
