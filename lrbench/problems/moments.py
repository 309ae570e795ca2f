"""What of the data decides how gradient descent on random batches moves, on average and in its spread.

These are moments of the samples up to the fourth.
"""

import numpy as np


def moments(A: np.ndarray, residuals: np.ndarray) -> dict[str, np.ndarray]:
    """Return the moments of the samples for the mean squared error at its minimiser.

    They are flat float64 arrays, which a row of a table can hold.

    The gradient of sample i at w* + e is g_i(e) = 2 x_i (x_i'e - r_i). With s_i = svec(x_i x_i'),
    q = p (p + 1) / 2 numbers, and E the mean over samples:

    samples (1,)        n
    curvature (q,)      E[2 s], which is svec of the Hessian H
    fourth (q q,)       E[4 s s'], which takes svec(M) to svec(E[4 (x'M x) x x'])
    third (q p,)        E[8 r s x'], which takes e to svec(E[8 r (x'e) x x'])
    noise (q,)          E[4 r^2 s], which is svec of the covariance of the g_i at the minimiser

    svec writes the upper triangle row by row, what lies off the diagonal times sqrt 2, so that products of
    matrices <M, N> = tr MN are products of vectors (Bach and Moulines 2013 and Ma, Bassily and Belkin 2018
    work with these operators). Memory: n q + q^2 numbers.

    Args:
        A: (n, p) samples with independent columns, in the basis that errors will be given in. In the
            eigenbasis of the Hessian, A V, curves keep most digits.
        residuals: (n,) y - A w* at the minimiser, so A'r = 0: the moments hold for no other point.
    """
    n, p = A.shape
    row, column = np.triu_indices(p)
    weight = np.where(row == column, 1.0, np.sqrt(2))
    s = A[:, row] * A[:, column] * weight  # (n, q)
    r = residuals[:, None]
    return {
        "samples": np.array([float(n)]),
        "curvature": 2 * s.mean(axis=0),
        "fourth": (4 / n * (s.T @ s)).ravel(),
        "third": (8 / n * (s.T @ (r * A))).ravel(),
        "noise": 4 * (r * r * s).mean(axis=0),
    }
