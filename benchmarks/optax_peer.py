"""The same runs in JAX: vmap over runs of a scan over steps with an optimizer of optax, compiled as one program for one thread."""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # XLA reads it when it is loaded
os.environ["NPROC"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from case import Planned  # noqa: E402

jax.config.update("jax_enable_x64", True)

OPTIMIZERS = {"sgd": optax.sgd, "adam": optax.adam}


class Optax:
    """All runs, with the gaps at the recorded steps: between two of them an inner loop, which computes nothing but gradients."""

    def __init__(self, planned: Planned):
        self.case, problem = planned.case, planned.problem
        shape = (self.case.seeds if self.case.batch else 1, -1)
        to_device = jax.tree_util.Partial(jnp.asarray, dtype=self.case.dtype)
        self.w_star, self.hessian, self.X, self.y = map(to_device, (problem.w_star, planned.hessian, problem.data.X, problem.data.y))
        self.start, self.lr = to_device(planned.starts).reshape(*shape, self.case.d), to_device(planned.lr).reshape(shape)
        rows = planned.rows().transpose(1, 0, 2) if self.case.batch else np.zeros((1, self.case.steps, 0), np.int64)
        self.rows, self.spans = jnp.asarray(rows), (jnp.asarray(planned.step[:-1]), jnp.asarray(planned.step[1:]))
        self._program = self.program()

    def train(self) -> np.ndarray:
        """Return (R, K) gaps, by the program compiled before."""
        return self._gaps(self._program)

    def compile_and_train(self) -> np.ndarray:
        jax.clear_caches()
        return self._gaps(self.program())

    def program(self):
        of_seed = jax.vmap(self._run, in_axes=(0, 0, None))
        return jax.jit(jax.vmap(of_seed))

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
        return 0.5 * e @ (self.hessian @ e)

    def _sampled_loss(self, w: jax.Array, rows: jax.Array) -> jax.Array:
        return jnp.mean((self.X[rows] @ w - self.y[rows]) ** 2)
