"""What both sides of the store say for themselves, as neither may import the other."""

from lrbench.results.frames import names
from lrbench.results.tables import ranking, tuning
from lrbench.tuning import competitors, policy, zooming


def test_both_sides_name_the_same_task():
    assert list(competitors.TASK) == names.HOW_RUN


def test_boxes_grow_where_results_warn_of_an_edge():
    assert zooming.OUTER == ranking.OUTER


def test_both_sides_share_out_the_trials_alike():
    assert (policy.ZOOMS, policy.EIGHTH) == (tuning.ZOOMS, tuning.EIGHTH)
    for trials in range(1, 300):
        assert policy.stages(trials) == tuning.stages(trials)
        assert sum(tuning.stages(trials)) == trials
