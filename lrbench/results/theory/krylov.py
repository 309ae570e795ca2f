"""The floor under all methods that step along gradients: conjugate gradients."""

import numpy as np

EPS = np.finfo(float).eps


def conjugate_gradients(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> np.ndarray:
    """Return the smallest gap that k gradients allow, for k = 0 .. steps: (steps + 1,), never rising.

    It is min 1/2 sum lambda c^2 P(lambda)^2 over the polynomials P of degree k with P(0) = 1, which conjugate
    gradients reach (Hestenes and Stiefel 1952). So no method whose iterates lie in the start plus the span of
    its gradients comes below: gradient descent, momentum, Nesterov and LBFGS, at any hyperparameters and
    schedules (Nemirovski and Yudin 1983). It binds no method that scales coordinates, such as Adam; nor noisy
    gradients.

    With f = sqrt(lambda) c it is half the square of what is left of f outside the span of D f, .., D^k f, D =
    diag(lambda). A basis of that span is made one vector at a time, orthogonalised twice against all before,
    and its parts are taken from f. Error: some 1e-15 of the start's gap.

    Args:
        eigenvalues: (p,) of the Hessian; directions with eigenvalue 0 have no gap.
        c: (p,) error of the start in the eigenbasis.
        steps: gradients. From as many as there are different eigenvalues on the floor is 0, here eps^2 of the
            start's gap or 0.
    """
    p = len(eigenvalues)
    remainder = np.sqrt(eigenvalues) * c
    direction = remainder
    basis = np.zeros((0, p))
    gaps = np.zeros(steps + 1)
    gaps[0] = _half_square(remainder)
    for k in range(1, min(steps, p) + 1):
        image = eigenvalues * direction
        new = _orthogonal(image, basis)
        size = np.linalg.norm(new)
        rounding = p * EPS * np.linalg.norm(image)
        if size <= rounding:
            break  # rounding hides the next direction, or there is none: 0 is a floor in both cases
        direction = new / size
        basis = np.vstack([basis, direction])
        remainder = remainder - direction * (direction @ remainder)
        gaps[k] = _half_square(remainder)
    return np.minimum.accumulate(gaps)  # rounding may let it rise


def _half_square(x: np.ndarray) -> float:
    return 0.5 * float(x @ x)


def _orthogonal(x: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return what is left of x (p,) beside a basis (k, p)."""
    for _ in range(2):  # once leaves 1e-9 of the gap after 40 steps
        x = x - basis.T @ (basis @ x)
    return x
