"""What the table says of a loss to the search for its minimiser, against the loss's own formulas."""

import math

import numpy as np
import pytest

from lrbench.losses import KINDS, Loss
from lrbench.losses.kind import ClippedSlope, Kind, SelfConcordant

LOSSES = [Loss(target, "sum", kind.default) for target, kind in KINDS.items()]
TARGETS = {"real": (0.0, 0.75, -30.0), "label": (0.0, 1.0), "count": (0.0, 1.0, 7.0)}
FAR = 500.0  # a prediction whose exponential still fits float64


def those(behaviour):
    chosen = [loss for loss in LOSSES if isinstance(loss.minimiser, behaviour)]
    return pytest.mark.parametrize("loss", chosen, ids=lambda loss: loss.kind.name)


def predictions(loss, most):
    """(z, y), each prediction for each target that the loss may have."""
    z, y = np.meshgrid(np.linspace(-most, most, 401), TARGETS[loss.kind.targets])
    return z.ravel(), y.ravel()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind.name)
def test_every_loss_says_what_its_minimiser_needs(loss):
    assert isinstance(loss.minimiser, ClippedSlope | SelfConcordant), (
        f"KINDS['{loss.target}'].minimiser must return the clipped slope of a loss in pieces, "
        "or a SelfConcordant with the bend of one that is smooth everywhere"
    )


def test_a_loss_cannot_be_made_without_it():
    formulas = (math.fsum,) * 4
    with pytest.raises(TypeError, match="'minimiser'"):
        Kind(*formulas)
    with pytest.raises(TypeError, match="'width'"):
        ClippedSlope()
    with pytest.raises(TypeError, match="'bend' and 'steepest'"):
        SelfConcordant()


@those(ClippedSlope)
def test_a_slope_is_clipped_where_the_table_says(loss):
    width, low, high = loss.minimiser.width, loss.minimiser.low, loss.minimiser.high
    z, y = predictions(loss, 50)
    z, y = z[z != y], y[z != y]
    residuals = (z - y) / width if width else np.copysign(np.inf, z - y)
    assert loss.slopes(z, y) == pytest.approx(np.clip(residuals, low, high), rel=4e-16)


@those(SelfConcordant)
def test_the_bend_bounds_how_fast_the_curvature_changes(loss):
    """|l'''| <= M l'' says that log l'' has a slope of at most M; and M is no larger than needed."""
    z, y = predictions(loss, 15)
    step = 1e-3
    curvatures, next_ones = loss.curvatures(z, y), loss.curvatures(z + step, y)
    slopes = np.abs(np.log(next_ones / curvatures)) / step
    assert slopes.max() == pytest.approx(loss.minimiser.bend, rel=1e-3)


@those(SelfConcordant)
def test_a_loss_vanishes_where_the_table_says_and_nowhere_else(loss):
    y = np.array(TARGETS[loss.kind.targets])
    vanishes = loss.minimiser.vanishes
    directions = np.zeros(len(y)) if vanishes is None else vanishes(y)
    for sign in (-1, 1):
        losses = loss.values(np.full(len(y), sign * FAR), y)
        assert (losses[directions == sign] < 1e-200).all()
        assert (np.abs(losses[directions != sign]) > 1).all()


@those(SelfConcordant)
def test_a_loss_is_straight_far_away_where_the_table_says(loss):
    straight = loss.minimiser.straight
    y = np.array(TARGETS[loss.kind.targets])
    flat = [loss.curvatures(y + sign * FAR, y) < 1e-6 for sign in (-1, 1)]
    attained = loss.minimiser.vanishes is None
    assert (straight is not None) == (attained and bool(np.all(flat)))
    if straight is None:
        return
    ends = straight.like.low, straight.like.high
    assert loss.slopes(np.array([-FAR, FAR]), np.zeros(2)) == pytest.approx(ends, rel=1e-5)
    slopes = np.linspace(*ends, 9)[1:-1]
    assert loss.slopes(straight.residual(slopes), np.zeros(7)) == pytest.approx(slopes, rel=1e-15)
