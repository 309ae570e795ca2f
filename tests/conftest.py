import gc
import os

# there is a worker a core; BLAS reads it when numpy is imported, and processes that tests start read it too
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from lrbench.results.pages import report  # noqa: E402

gc.set_threshold(500_000)  # as in lrbench/__main__.py
matplotlib.use("Agg")
settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")
FORMATS = report.FORMATS
# a PNG of each figure takes half the time and shows nothing more; see `both_formats`
report.FORMATS = ("svg",)


def pytest_collection_finish():
    """Leave modules and tests out of every later collection."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _in_a_clean_folder(tmp_path, monkeypatch):
    """Each test works in a folder of its own: what lrbench writes lies under it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def formats():
    """Return the suffixes of a figure's files in a user's report."""
    return FORMATS


@pytest.fixture
def both_formats(monkeypatch, formats):
    """Reports of this test have their figures as PNG too, as a user's have."""
    monkeypatch.setattr(report, "FORMATS", formats)
