"""What is remembered is read anew where it may have changed: what a program registers, files, packages."""

import os
from dataclasses import dataclass

import pytest
from hydra.core.config_store import ConfigStore

from lrbench.errors import RequestError
from lrbench.sweeper.compose import compose, hydra_session


def lr_of(choice: str, config_dir: str | None = None) -> float:
    with hydra_session(config_dir) as loader:
        return compose(loader, [f"optimizer={choice}"]).optimizer.lr


def test_a_registered_choice_may_change_and_need_not_be_picklable(monkeypatch):
    store = ConfigStore.instance()
    monkeypatch.setattr(
        store, "repo", dict(store.repo) | {"optimizer": dict(store.repo.get("optimizer", {}))}
    )

    @dataclass
    class Mine:
        _target_: str = "torch.optim.SGD"
        lr: float = 0.02

    store.store(group="optimizer", name="mine", node=Mine)
    assert lr_of("mine") == 0.02
    store.store(group="optimizer", name="mine", node=Mine(lr=0.005))
    assert lr_of("mine") == 0.005


def test_a_file_that_comes_later_or_changes_is_found(tmp_path):
    (tmp_path / "optimizer").mkdir()
    with pytest.raises(RequestError, match="there is no optimizer=late"):
        lr_of("late", str(tmp_path))
    for lr in (0.02, 0.005):
        (tmp_path / "optimizer" / "late.yaml").write_text(f"_target_: torch.optim.SGD\nlr: {lr}\n")
        assert lr_of("late", str(tmp_path)) == lr


def test_a_file_that_was_replaced_with_its_time_kept_is_read_anew(tmp_path):
    (tmp_path / "optimizer").mkdir()
    path = tmp_path / "optimizer" / "mine.yaml"
    for lr in (1, 2):
        path.write_text(f"_target_: torch.optim.SGD\nlr: {lr}\n")
        os.utime(path, (1e9, 1e9))
        assert lr_of("mine", str(tmp_path)) == lr


def test_a_package_that_is_searched_is_read_anew(tmp_path, monkeypatch):
    (tmp_path / "mypackage" / "optimizer").mkdir(parents=True)
    (tmp_path / "mypackage" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for lr in (3, 4):
        (tmp_path / "mypackage" / "optimizer" / "mine.yaml").write_text(f"lr: {lr}\n")
        with hydra_session() as loader:
            lines = ["optimizer=mine", "hydra.searchpath=[pkg://mypackage]"]
            assert compose(loader, lines).optimizer.lr == lr
            with pytest.raises(RequestError, match="there is no optimizer=mine"):
                compose(loader, ["optimizer=mine"])


def test_a_folder_of_ones_own_replaces_no_choice(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "adam.yaml").write_text("_target_: torch.optim.Adam\nlr: 9\n")
    assert lr_of("adam", str(tmp_path)) == lr_of("adam")


@pytest.mark.parametrize(
    ("content", "what"), [(b"lr: [1\n", "line 2, column 1"), (b"\xff", "0xff in position 0")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, what):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_bytes(content)
    with pytest.raises(
        RequestError, match=rf"optimizer/mine\.yaml: .*YAML in UTF-8, but .*{what}.*Mend the file"
    ):
        lr_of("mine", str(tmp_path))
