"""A table of text for LaTeX, with the rules of the package booktabs."""

import pandas as pd

SPECIAL = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        **{
            "\\": r"\textbackslash{}",
            "~": r"\textasciitilde{}",
            "^": r"\textasciicircum{}",
            "<": r"\textless{}",
            ">": r"\textgreater{}",
        },
        **{
            "≤": r"$\leq$",
            "≥": r"$\geq$",
            "×": r"$\times$",
            "κ": r"$\kappa$",
            "µ": r"\textmu{}",
            "–": "--",
            "…": r"\dots{}",
            "\n": " ",
        },
    }
)


def latex(text: pd.DataFrame, left: set[str]) -> str:
    """Write a frame of text as a tabular; the columns named in `left` stand left, numbers right."""
    kinds = "".join("l" if column in left else "r" for column in text)
    head, *rows = [
        " & ".join(str(cell).translate(SPECIAL) for cell in line) + r" \\"
        for line in (text.columns, *text.itertuples(index=False))
    ]
    return (
        "\n".join(
            [
                rf"\begin{{tabular}}{{{kinds}}}",
                r"\toprule",
                head,
                r"\midrule",
                *rows,
                r"\bottomrule",
                r"\end{tabular}",
            ]
        )
        + "\n"
    )
