"""What theory says of a method on a quadratic: arrays in, arrays out, numpy and scipy only.

    descent        exact gap curves of gradient descent and momentum, stability edges, rates, the constants of
                   the textbooks
    stochastic     the exact expected gap with random batches, its floor and its edge
    krylov         the floor under every method that steps along gradients
    oracle         the best constant hyperparameters for a start and a budget
    first_steps    how far the first update of each optimizer moves

The Hessian has the eigenvalues lambda (p,) and the error of w in its eigenbasis is c = V'(w - w*), so that
the gap is 1/2 sum lambda c^2.
"""

from lrbench.results.theory.descent import (
    asymptotic_gradient_descent,
    asymptotic_heavy_ball,
    asymptotic_nesterov,
    edge_gradient_descent,
    edge_heavy_ball,
    edge_nesterov,
    gradient_descent,
    heavy_ball,
    nesterov,
)
from lrbench.results.theory.first_steps import FIRST_MOVES, first_step
from lrbench.results.theory.krylov import conjugate_gradients
from lrbench.results.theory.oracle import best_gradient_descent, best_heavy_ball
from lrbench.results.theory.stochastic import expected_gaps, noise_floor, stable_lr

__all__ = [
    "FIRST_MOVES",
    "asymptotic_gradient_descent",
    "asymptotic_heavy_ball",
    "asymptotic_nesterov",
    "best_gradient_descent",
    "best_heavy_ball",
    "conjugate_gradients",
    "edge_gradient_descent",
    "edge_heavy_ball",
    "edge_nesterov",
    "expected_gaps",
    "first_step",
    "gradient_descent",
    "heavy_ball",
    "nesterov",
    "noise_floor",
    "stable_lr",
]
