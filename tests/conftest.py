import gc
import os

import matplotlib
import pytest
from hypothesis import settings

gc.set_threshold(50_000)  # as in lrbench/__main__.py: a tenth of the time
matplotlib.use("Agg")
settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")
SHARES = {"gw0": "float64", "gw1": "float32"}  # what each of two workers compiles first


@pytest.fixture(scope="session", autouse=True)
def _kernel_of_one_dtype():
    """Where nothing is compiled yet, each worker compiles the kernel of one dtype and finds the other's in the cache."""
    if (worker := os.environ.get("PYTEST_XDIST_WORKER")) in SHARES:
        from lrbench.engines import kernels

        kernels.run(SHARES[worker])


@pytest.fixture(autouse=True)
def _in_a_clean_folder(tmp_path, monkeypatch):
    """Each test works in a folder of its own: what lrbench writes lies under it."""
    monkeypatch.chdir(tmp_path)
