"""Hydra's own launchers (joblib, submitit) and sweepers (basic, Optuna): one job a run."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import CompactHydraException
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig

from lrbench.config import CONF, GROUPS
from lrbench.errors import RequestError
from lrbench.options import sweep_options
from lrbench.plan import Block
from lrbench.sweeper.compose import SWEEPER, leaves, offer_sweeper
from lrbench.sweeper.expand import variants
from lrbench.sweeper.grids import into_block
from lrbench.sweeper.request import Request

# how the jobs, processes of their own, know their sweep: Hydra gives each only its own overrides
_OVERRIDES = "LRBENCH_SWEEP_OVERRIDES"


class GridSweeper(Sweeper):
    """The sweep of `expand`, a job for each run, for the launchers of Hydra.

    Without one, lrbench trains the whole plan itself.
    """

    def setup(self, *, hydra_context: Any, task_function: Any, config: DictConfig) -> None:
        self._loader = hydra_context.config_loader
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Any]:
        jobs = [job for variant in variants(arguments, self._loader) for job in variant.jobs()]
        done = self._launcher.launch(jobs, initial_job_idx=0)
        return [job.return_value for job in done]


class Task:
    """What Hydra calls in each job.

    `train` gets the job's request and returns its score, which Optuna minimises.
    """

    __module__ = "lrbench"  # Hydra names the job after it

    def __init__(self, train: Callable[[Request], float]):
        self.train = train

    def __call__(self, config: DictConfig) -> float:
        try:
            return self.train(_request_of_job(config))
        except RequestError as error:
            raise CompactHydraException(str(error)) from None  # Hydra prints others with a traceback


def _request_of_job(config: DictConfig) -> Request:
    job = HydraConfig.get()
    if "sweep" in config and job.sweeper._target_ != SWEEPER:
        sweeper = job.runtime.choices["hydra/sweeper"]
        reason = f"hydra/sweeper={sweeper} does not read the sweep: block"
        raise RequestError(f"sweep: {reason}; leave it out, or use hydra/sweeper=lrbench.")
    base = leaves(config)
    block = Block({group: job.runtime.choices[group] for group in GROUPS}, base, [])
    overrides = json.loads(os.environ[_OVERRIDES])
    return Request(overrides, True, [block], sweep_options(base), native=False)


def run_jobs(arguments: Sequence[str], overrides: Sequence[str], train: Callable[[Request], float]) -> None:
    """Hand the command line to Hydra; its sweeper and launcher run `train` once a job.

    Raises:
        SystemExit: with status 1 where Hydra refused the request or a job; Hydra has printed why.
    """
    Plugins.instance().class_name_to_class[SWEEPER] = GridSweeper
    offer_sweeper()
    with _process_state([into_block(argument) for argument in arguments], overrides):
        program = hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
        program(Task(train))()


@contextmanager
def _process_state(arguments: Sequence[str], overrides: Sequence[str]) -> Iterator[None]:
    """Hydra reads sys.argv, and its jobs inherit the environment."""
    argv = sys.argv
    sys.argv = ["lrbench", *arguments]
    os.environ[_OVERRIDES] = json.dumps(list(overrides))
    try:
        yield
    finally:
        sys.argv = argv
        del os.environ[_OVERRIDES]
