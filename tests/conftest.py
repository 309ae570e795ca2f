import gc
import os

# there is a worker a core; BLAS reads it when numpy is imported, and processes that tests start read it too
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

gc.set_threshold(500_000)  # as in lrbench/__main__.py
matplotlib.use("Agg")
settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")


def pytest_collection_finish():
    """Leave modules and tests out of every later collection."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _in_a_clean_folder(tmp_path, monkeypatch):
    """Each test works in a folder of its own: what lrbench writes lies under it."""
    monkeypatch.chdir(tmp_path)
