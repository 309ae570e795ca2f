"""The ranking of many optimizers on a window of common width, and on a phone."""

import numpy as np
import pytest
from browser import chromium, opened  # noqa: F401
from conftest import tuned
from reports import texts_of

from lrbench.results.words.cells import ranking_text

NAMES = [
    "sgd",
    "sgd_momentum",
    "rmsprop",
    "rmsprop_centered",
    "adam",
    "adam_amsgrad",
    "adamw",
    "adagrad",
    "adadelta",
    "adamax",
    "nadam",
    "radam",
]
OVERFLOW = "[...document.querySelectorAll('.ranking .scroll')].map(box => box.scrollWidth - box.clientWidth)"


@pytest.mark.parametrize(("lowest", "widest_ratio"), [(-18, 18), (0, 20)])  # in the second nobody arrives
def test_the_whole_ranking_fits_1100_pixels_and_scrolls_on_a_phone(
    write_tuned,
    chromium,  # noqa: F811
    lowest,
    widest_ratio,
):
    rng = np.random.default_rng(1)
    rows = []
    for k, name in enumerate(NAMES):
        gaps = 10.0 ** (rng.normal(0, 2, 6) + k + lowest)
        found, hit = (1e-7, {"hit": 103}) if k % 2 else (1e-3, {})  # half of them reach the target
        rows.append(
            tuned(
                name,
                {0.00862: [found, found], 0.01: [2 * found] * 2, 0.02: [3 * found] * 2},
                gaps,
                [0.00312 * gap for gap in range(1, 7)],
                **hit,
            )
        )
    results = texts_of(write_tuned(*rows)).results
    text = ranking_text(results.ranking)
    assert len(text.columns) == 16
    assert text["times the leader*"].str.len().max() > widest_ratio
    assert text["rates that work"].str.contains(" to ").any()
    assert results.ranking["arrived"].any() == (lowest < 0)
    with opened(chromium, results.store.report, width=1100) as visit:
        assert visit.page.evaluate(OVERFLOW) == [0]
        visit.page.set_viewport_size({"width": 390, "height": 900})
        assert visit.page.evaluate(OVERFLOW)[0] > 0
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
