"""Hydra's own launchers (joblib, submitit) and sweepers (basic, Optuna): one job a run, all jobs into one store."""

import json
import os
import sys
from collections.abc import Callable, Sequence
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
from lrbench.plan import Block
from lrbench.sweeper.compose import SWEEPER, leaves, offer_sweeper
from lrbench.sweeper.expand import into_block, variants
from lrbench.sweeper.request import Request, asking

_OVERRIDES = (
    "LRBENCH_SWEEP_OVERRIDES"  # how the jobs, processes of their own, know the sweep that they belong to
)


class GridSweeper(Sweeper):
    """The sweep of `expand`, a job for each run: for the launchers of Hydra. Without one, lrbench trains the whole plan itself."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: DictConfig) -> None:
        self._loader = hydra_context.config_loader
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Any]:
        jobs = [job for variant in variants(arguments, self._loader) for job in variant.jobs()]
        return [job.return_value for job in self._launcher.launch(jobs, initial_job_idx=0)]


class Task:
    """What Hydra calls in each job: `train` gets the job's request and returns its final gap, the value that Optuna minimises."""

    __module__ = "lrbench"

    def __init__(self, train: Callable[[Request], float]):
        self.train = train

    def __call__(self, config: DictConfig) -> float:
        job = HydraConfig.get()
        try:
            if "sweep" in config and job.sweeper._target_ != SWEEPER:
                sweeper = job.runtime.choices["hydra/sweeper"]
                raise RequestError(
                    f"sweep: hydra/sweeper={sweeper} does not read the sweep: block; leave it out, or use hydra/sweeper=lrbench."
                )
            block = Block({group: job.runtime.choices[group] for group in GROUPS}, leaves(config), [])
            return self.train(
                Request(json.loads(os.environ[_OVERRIDES]), True, [block], asking(block.base), native=False)
            )
        except RequestError as error:
            raise CompactHydraException(str(error)) from None  # Hydra prints others with a traceback


def run_jobs(arguments: Sequence[str], overrides: Sequence[str], train: Callable[[Request], float]) -> None:
    """Hand the command line to Hydra; its sweeper and launcher run `train` once a job.

    Raises:
        SystemExit: with status 1 where Hydra refused the request or a job; Hydra has printed why.
    """
    Plugins.instance().class_name_to_class[SWEEPER] = GridSweeper
    offer_sweeper()
    with _process_state([into_block(argument) for argument in arguments], overrides):
        hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")(Task(train))()


@contextmanager
def _process_state(arguments: Sequence[str], overrides: Sequence[str]):
    """Hydra reads sys.argv, and its jobs inherit the environment."""
    argv = sys.argv
    sys.argv = ["lrbench", *arguments]
    os.environ[_OVERRIDES] = json.dumps(list(overrides))
    try:
        yield
    finally:
        sys.argv = argv
        del os.environ[_OVERRIDES]
