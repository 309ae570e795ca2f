"""What theory says of a method on a quadratic: arrays in, arrays out, numpy and scipy only.

    descent        exact gap curves of gradient descent and momentum, stability edges, rates, the constants of the textbooks
    stochastic     the exact expected gap with random batches, its floor and its edge
    krylov         the floor under every method that steps along gradients
    oracle         the best constant hyperparameters for a start and a budget
    first_steps    how far the first update of each optimizer moves

The Hessian has the eigenvalues lambda (p,) and the error of w in its eigenbasis is c = V'(w - w*), so that the gap is 1/2 sum lambda c^2.
"""
