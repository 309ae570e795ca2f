"""The floor under all methods that step along gradients: conjugate gradients."""

import numpy as np


def conjugate_gradients(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> np.ndarray:
    """Return the smallest gap that k gradients allow, for k = 0 .. steps: (steps + 1,), never rising.

    It is min 1/2 sum lambda c^2 P(lambda)^2 over the polynomials P of degree k with P(0) = 1, which conjugate gradients reach (Hestenes and Stiefel
    1952). So no method whose iterates lie in the start plus the span of its gradients comes below: gradient descent, momentum, Nesterov and LBFGS, at
    any hyperparameters and schedules (Nemirovski and Yudin 1983). It binds no method that scales coordinates, such as Adam; nor noisy gradients.

    With f = sqrt(lambda) c it is half the square of what is left of f outside the span of D f, .., D^k f, D = diag(lambda). A basis of that span is
    made one vector at a time, orthogonalised twice against all before, and its parts are taken from f. Error: some 1e-15 of the start's gap.

    Args:
        eigenvalues: (p,) of the Hessian; directions with eigenvalue 0 have no gap.
        c: (p,) error of the start in the eigenbasis.
        steps: gradients. From as many as there are different eigenvalues on the floor is 0, here eps^2 of the start's gap or 0.
    """
    remainder = np.sqrt(eigenvalues) * c
    direction = remainder
    basis = np.zeros((0, len(eigenvalues)))
    gaps = [0.5 * float(remainder @ remainder)]
    for _ in range(min(steps, len(eigenvalues))):
        direction = eigenvalues * direction
        size = np.linalg.norm(direction)
        for _ in range(2):
            direction = direction - basis.T @ (basis @ direction)
        left = np.linalg.norm(direction)
        if left <= len(eigenvalues) * np.finfo(float).eps * size:
            break  # rounding hides the next direction, or there is none: 0 is a floor in both cases
        direction = direction / left
        basis = np.vstack([basis, direction])
        remainder = remainder - direction * (direction @ remainder)
        gaps.append(0.5 * float(remainder @ remainder))
    return np.minimum.accumulate(np.pad(gaps, (0, steps + 1 - len(gaps))))
