"""What both sides of the store say for themselves, as neither may import the other."""

from lrbench.results.frames import names
from lrbench.results.tables import ranking
from lrbench.tuning import choice, competitors


def test_both_sides_name_the_same_task():
    assert list(competitors.TASK) == names.HOW_RUN


def test_boxes_grow_where_results_warn_of_an_edge():
    assert choice.OUTER == ranking.OUTER
