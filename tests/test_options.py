"""What is asked of a sweep as a whole, as attributes: no key of the configuration is forgotten there."""

from lrbench import options
from lrbench.config import REQUEST
from lrbench.sweeper.request import read


def test_every_key_that_has_one_value_for_a_sweep_is_an_attribute():
    assert set(options.SweepOptions._fields) == set(REQUEST)
    assert set(options.TrainOptions._fields) <= set(REQUEST)


def test_they_are_what_came():
    asked = read(["engine=fused", "record=7", "target=0.1", "predict=[[1]]", "name=mine"]).options
    assert asked == options.SweepOptions(
        "mine", "results", True, False, False, "fused", 7, 0.1, "auto", [[1]]
    )
    assert asked.training == options.TrainOptions("fused", 7, 0.1)
    assert options.stored_training(asked._asdict() | {"state": "complete"}) == asked.training
