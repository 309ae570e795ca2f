"""What a benchmark finds, as a table for the terminal and for a page."""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """Rows of words.

    Attributes:
        title: what was measured.
        reading: one sentence that says how to read it.
        notes: what was left out, and why.
        detail: whether a page may fold it.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    reading: str
    notes: list[str] = field(default_factory=list)
    detail: bool = False

    def text(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [
            " ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.header, *self.rows)
        ]
        return "\n".join([f"\n{self.title}", "", *lines, "", self.reading, *self.notes])

    def markdown(self) -> str:
        lines = [self.header, ["--:"] * len(self.header), *self.rows]
        return "\n".join(
            [
                f"### {self.title}",
                "",
                *(f"| {' | '.join(line)} |" for line in lines),
                "",
                " ".join([self.reading, *self.notes]),
            ]
        )


def digits(value: float | None) -> str:
    """Write three digits, or - for what was not measured."""
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}"


def main(tables: Callable[[bool], Iterable[Table]], description: str) -> None:
    """Measure, print each table when it is there, and keep all where `--json` says."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only to see that it works")
    parser.add_argument("--json", type=Path, help="write the tables to this file, too")
    arguments = parser.parse_args()
    done = []
    for table in tables(arguments.quick):
        print(table.text(), flush=True)
        done.append(asdict(table))
    if arguments.json:
        arguments.json.write_text(json.dumps(done))
