"""One configuration from override lines, inside another Hydra program and in threads alike.

Given ["optimizer=adam", "optimizer.lr=0.1"], it gives Hydra's configuration, and from that the leaves of a
run: {"optimizer._target_": "torch.optim.Adam", "optimizer.lr": 0.1, ..., "steps": None, "seed": 0, ...}.
"""

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime, setup_globals
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from lrbench.config import CONF, GROUPS, OPTIONAL, Leaves, flatten
from lrbench.errors import RequestError
from lrbench.sweeper.messages import missing_value, unreadable, unreadable_file, wrong_composition

SWEEPER = "hydra_plugins.lrbench.GridSweeper"
HYDRAS_OWN = "hydra.conf"  # the package of its configuration

_hydra_is_ours = RLock()


@contextmanager
def hydra_session(config_dir: str | None = None) -> Iterator[ConfigLoaderImpl]:
    """Yield a loader of lrbench's configuration.

    Hydra's four singletons are set aside meanwhile: it works inside another Hydra program, and in threads.
    """
    with _hydra_is_ours, _hydra_set_aside():
        setbase("1.3")
        setup_globals()
        offer_sweeper()
        JobRuntime.instance().set("name", "lrbench")
        search_path = create_config_search_path(str(CONF))
        if config_dir is not None:
            _search_too(config_dir, search_path)
        loader = ConfigLoaderImpl(search_path)
        loader.repository = _Remembering(search_path)
        yield loader


@contextmanager
def _hydra_set_aside() -> Iterator[None]:
    singletons = (GlobalHydra, HydraConfig, JobRuntime, VersionBase)
    aside = {cls: Singleton._instances.pop(cls, None) for cls in singletons}
    try:
        yield
    finally:
        for cls, instance in aside.items():
            Singleton._instances.pop(cls, None)
            if instance is not None:
                Singleton._instances[cls] = instance


def _search_too(config_dir: str, search_path: ConfigSearchPath) -> None:
    """Let a folder be searched after lrbench's own, as Hydra does: no choice of lrbench's is replaced."""
    if not Path(config_dir).is_dir():
        raise RequestError(f"--config-dir: {config_dir} is no folder.")
    before = SearchPathQuery(provider="schema")
    search_path.prepend("command-line", f"file://{Path(config_dir).absolute()}", before)


def offer_sweeper() -> None:
    """Make the choice `hydra/sweeper=lrbench` known to Hydra."""
    ConfigStore.instance().store(
        group="hydra/sweeper", name="lrbench", node={"_target_": SWEEPER}, provider="lrbench"
    )


class _Remembering(ConfigRepository):
    """Hydra's repository, but a file is parsed once, and again when it has changed, not once a composition.

    Parsing YAML is a third of a composition.
    """

    def load_config(self, config_path: str) -> ConfigResult | None:
        """Return a copy: Hydra puts its nodes into what it composes.

        OmegaConf copies five times as fast through pickle as by itself.
        """
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None:
            return None
        version = _version(source, config_path)
        if version is None:
            return self._parse(source, config_path)
        key = (source.provider, source.path, config_path, version)
        if key not in _parsed:
            _parsed[key] = pickle.dumps(self._parse(source, config_path))
        return pickle.loads(_parsed[key])

    def _parse(self, source: ConfigSource, config_path: str) -> ConfigResult | None:
        try:
            return super().load_config(config_path)
        except (YAMLError, UnicodeDecodeError) as error:
            raise unreadable_file(f"{source.path}/{config_path}.yaml", error) from error

    def __deepcopy__(self, memo: dict) -> "_Remembering":
        """Copy the list of sources alone, for each composition: `hydra.searchpath` gives another."""
        return copy(self)


_parsed: dict[tuple, bytes] = {}


def _version(source: ConfigSource, config_path: str) -> tuple[int, ...] | None:
    """Return what changes with a file; None where nothing tells, or what is read need not be picklable."""
    if source.path == HYDRAS_OWN:
        return ()
    if source.scheme() != "file":
        return None
    try:
        status = Path(source.path, f"{config_path.removesuffix('.yaml')}.yaml").stat()
    except OSError:  # Hydra looks for itself, and says what is wrong
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def compose(loader: ConfigLoaderImpl, lines: Sequence[str]) -> DictConfig:
    """Compose the configuration of these override lines, once a session: it takes about 30 ms.

    Raises:
        RequestError: saying which key or choice is wrong and what there is instead.
    """
    try:
        return _compose(loader, tuple(lines))
    except RequestError:
        raise
    # ValueError: a group that is null
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise wrong_composition(error, lines, lambda lines: compose(loader, lines)) from error


@lru_cache(maxsize=64)
def _compose(loader: ConfigLoaderImpl, lines: tuple[str, ...]) -> DictConfig:
    config = loader.load_configuration("config", list(lines), RunMode.MULTIRUN)
    OmegaConf.set_readonly(config, True)
    return config


def parse(lines: Sequence[str], loader: ConfigLoaderImpl) -> list[Override]:
    """Parse override lines with Hydra's grammar."""
    try:
        return OverridesParser.create(config_loader=loader).parse_overrides(list(lines))
    except HydraException as error:
        raise unreadable(error) from error


def choices(config: DictConfig) -> dict[str, str]:
    """Return what was chosen in each group."""
    return {group: config.hydra.runtime.choices[group] for group in GROUPS}


def without_hydra(config: DictConfig) -> DictConfig:
    """Return what a run reads: without Hydra's own node, the sweep: block and how it is tuned."""
    read_by_runs = [str(key) for key in config if key not in ("hydra", "sweep", "tune")]
    return OmegaConf.masked_copy(config, read_by_runs)


def leaves(config: DictConfig) -> Leaves:
    """Resolve a configuration into flat leaves; an optional group whose choice is nothing leaves none."""
    try:
        tree: Any = OmegaConf.to_container(without_hydra(config), resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise missing_value(error) from error
    chosen = {key: value for key, value in tree.items() if value or key not in OPTIONAL}
    return flatten(chosen)
