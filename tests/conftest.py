import gc

import matplotlib
import pytest
from hypothesis import settings

gc.set_threshold(50_000)  # as in lrbench/__main__.py: a tenth of the time
matplotlib.use("Agg")
settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")


@pytest.fixture(autouse=True)
def _in_a_clean_folder(tmp_path, monkeypatch):
    """Each test works in a folder of its own: what lrbench writes lies under it."""
    monkeypatch.chdir(tmp_path)
