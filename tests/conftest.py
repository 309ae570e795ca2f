import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _in_a_clean_folder(tmp_path, monkeypatch):
    """Each test works in a folder of its own: what lrbench writes lies under it."""
    monkeypatch.chdir(tmp_path)
