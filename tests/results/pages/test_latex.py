"""Tables for LaTeX."""

import pandas as pd

from lrbench.results.pages.latex import latex


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
