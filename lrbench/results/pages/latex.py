"""A table of text for LaTeX, with the rules of the package booktabs."""

from collections.abc import Collection, Iterable

import pandas as pd

SPECIAL = str.maketrans(
    {
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "×": r"$\times$",
        "κ": r"$\kappa$",
        "µ": r"\textmu{}",
        "–": "--",
        "…": r"\dots{}",
        "\n": " ",
    }
)


def latex(text: pd.DataFrame, left: Collection[str]) -> str:
    """Write a frame of text as a tabular; the columns named in `left` stand left, numbers right."""
    kinds = "".join(_side(column, left) for column in text)
    rows = [_line(cells) for cells in text.itertuples(index=False)]
    lines = [
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        _line(text.columns),
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _side(column: object, left: Collection[str]) -> str:
    return "l" if column in left else "r"


def _line(cells: Iterable[object]) -> str:
    return " & ".join(str(cell).translate(SPECIAL) for cell in cells) + r" \\"
