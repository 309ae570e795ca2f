"""The same runs in JAX: vmap over runs of a scan over steps with an optimizer of optax.

It is one program, on one thread.
"""

import functools
import os
from typing import NamedTuple

os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # XLA reads it when it is loaded
)
os.environ["NPROC"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from case import Case, Planned  # noqa: E402

jax.config.update("jax_enable_x64", True)

OPTIMIZERS = {"sgd": optax.sgd, "adam": optax.adam}


class Form(NamedTuple):
    """A way to write the program: which one XLA makes the most of depends on the case."""

    # Products with a matrix as sums over its rows, which XLA fuses with what surrounds them, rather than as
    # matrix products.
    sums: bool
    block: int | None  # runs that go through all steps before the next do; None = all at once


def forms(case: Case) -> list[Form]:
    """Return those that are worth a try: sums over 100 columns take many times what the products take."""
    products = Form(sums=False, block=None)
    if case.d >= 100:
        return [products]
    return [products, Form(sums=True, block=256)]


class Optax:
    """All runs, with the gaps at the recorded steps.

    Between two of them is an inner loop, which computes nothing but gradients.
    """

    def __init__(self, planned: Planned, form: Form):
        self.case, self.form = planned.case, form
        case, problem = planned.case, planned.problem
        to_device = functools.partial(jnp.asarray, dtype=case.dtype)
        self.w_star = to_device(problem.w_star)
        self.hessian = to_device(planned.hessian)
        self.X = to_device(problem.data.X)
        self.y = to_device(problem.data.y)
        seeds = case.seeds if case.batch else 1
        self.start = to_device(planned.starts).reshape(seeds, -1, case.d)
        self.lr = to_device(planned.lr).reshape(seeds, -1)
        if case.batch:
            self.rows = jnp.asarray(planned.rows().transpose(1, 0, 2))
        else:
            self.rows = jnp.zeros((1, case.steps, 0), int)
        self.spans = jnp.asarray(planned.step[:-1]), jnp.asarray(planned.step[1:])
        self._program = self.program()

    def train(self) -> np.ndarray:
        """Return (R, K) gaps, by the program compiled before."""
        return self._gaps(self._program)

    def compile_and_train(self) -> np.ndarray:
        return self._gaps(self.program())

    def program(self):
        """Return the program, compiled anew: jax knows a function by its identity."""
        whole = jax.vmap(self._of_seed) if self.case.batch else self._of_one_seed
        return jax.jit(whole).lower(self.start, self.lr, self.rows).compile()

    def _of_one_seed(self, start: jax.Array, lr: jax.Array, rows: jax.Array) -> jax.Array:
        return self._of_seed(start[0], lr[0], rows[0])

    def _of_seed(self, start: jax.Array, lr: jax.Array, rows: jax.Array) -> jax.Array:
        if self.form.block is None:
            return jax.vmap(self._run, in_axes=(0, 0, None))(start, lr, rows)

        def train(run):
            return self._run(*run, rows)

        return jax.lax.map(train, (start, lr), batch_size=min(self.form.block, len(lr)))

    def _gaps(self, program) -> np.ndarray:
        gaps = program(self.start, self.lr, self.rows).block_until_ready()
        return np.asarray(gaps).reshape(self.case.runs, -1)

    def _run(self, w: jax.Array, lr: jax.Array, rows: jax.Array) -> jax.Array:
        optimizer = optax.inject_hyperparams(OPTIMIZERS[self.case.optimizer])(learning_rate=lr)
        gradient = jax.grad(self._sampled_loss if self.case.batch else self._gap)

        def step(t, carry):
            w, state = carry
            updates, state = optimizer.update(gradient(w, rows[t]), state, w)
            return optax.apply_updates(w, updates), state

        def span(carry, ends):
            carry = jax.lax.fori_loop(*ends, step, carry)
            return carry, self._gap(carry[0])

        _, gaps = jax.lax.scan(span, (w, optimizer.init(w)), self.spans)
        return jnp.concatenate([self._gap(w)[None], gaps])

    def _gap(self, w: jax.Array, rows: jax.Array | None = None) -> jax.Array:
        e = w - self.w_star
        return 0.5 * (e * self._product(self.hessian, e)).sum()

    def _sampled_loss(self, w: jax.Array, rows: jax.Array) -> jax.Array:
        return jnp.mean((self._product(self.X[rows], w) - self.y[rows]) ** 2)

    def _product(self, matrix: jax.Array, vector: jax.Array) -> jax.Array:
        return (matrix * vector).sum(-1) if self.form.sums else matrix @ vector
