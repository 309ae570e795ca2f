"""The critical difference diagram: mean ranks, and bars over what is not shown to differ."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from drawn import draw, finding, over_tasks, tasks, texts

from lrbench.errors import RequestError
from lrbench.results.tables.overall import mean_ranks, not_separated


@pytest.fixture
def seven(write):
    """a and b are ahead of c everywhere, and of each other by turns."""
    gaps = {"a": [1e-4] * 7, "b": [2e-4, 5e-5] * 3 + [2e-4], "c": [1e-3 * (1 + k) for k in range(7)]}
    return write(*over_tasks(gaps), problems=tasks(7))


def test_mean_ranks_stand_beside_the_names_and_bars_join_what_is_not_separated(seven):
    ranks = mean_ranks(seven.across)
    scores = seven.reported.pivot_table(index="task", columns="optimizer", values="score")
    expected = scores.rank(axis=1).mean()
    pd.testing.assert_series_equal(ranks.sort_index(), expected.sort_index(), check_names=False)
    stretches = not_separated(seven.across)
    (ax,) = draw("mean_ranks", seven).axes
    assert {text for text in texts(ax) if "a" in text} == {f"a  {ranks['a']:.2f}"}
    bars = [line for line in ax.lines if line.get_linewidth() == 4]
    assert [len(stretch) for stretch in stretches] == [2]
    for bar, stretch in zip(bars, stretches, strict=True):
        low, high = bar.get_xdata()
        assert [name for name, rank in ranks.items() if low <= rank <= high] == stretch


def test_the_finding_names_the_pairs_that_are_shown(seven):
    assert finding("mean_ranks", seven) == "all problems: of 3 pairs shown: a before c and b before c."


def test_a_finding_where_no_pair_is_shown(write):
    gaps = {"a": [1e-3, 1e-4] * 3, "b": [1e-4, 1e-3] * 3}
    results = write(*over_tasks(gaps), problems=tasks(6))
    assert finding("mean_ranks", results) == "all problems: of 1 pair none is shown to differ."


def test_stretches_are_the_longest_without_a_shown_pair():
    """Against all stretches: those without a shown pair that lie in no longer one."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        names = list("abcdef")
        rows = [
            (a, b, a if rng.random() < 0.4 else "", 1.0 + names.index(a), 1.0 + names.index(b))
            for a, b in combinations(names, 2)
        ]
        across = pd.DataFrame(rows, columns=["a", "b", "better", "rank_a", "rank_b"])
        shown = {(a, b) for a, b, better, *_ in rows if better}
        free = [
            names[i:j]
            for i in range(6)
            for j in range(i + 2, 7)
            if not shown & set(combinations(names[i:j], 2))
        ]
        assert not_separated(across) == [
            one for one in free if not any(set(one) < set(other) for other in free)
        ]


def test_five_tasks_have_no_diagram(write):
    with pytest.raises(RequestError, match="six problems"):
        draw("mean_ranks", write(*over_tasks({"a": [1e-3] * 5, "b": [1e-4] * 5}), problems=tasks(5)))
