"""What a wrong request is told: which key or choice, what is allowed, what came, what to do."""

import re
import shlex
from collections.abc import Callable, Sequence

from hydra.core.override_parser.types import Override
from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lrbench.errors import RequestError, did_you_mean


def unreadable(error: Exception) -> RequestError:
    swept = "swept values are key=a,b or 'key=range(10)', in quotes where the shell would read them"
    return RequestError(f"{error}\nAn override is key=value; {swept}.")


def unreadable_file(path: str, error: Exception) -> RequestError:
    what_and_where = " ".join(str(error).split())
    return RequestError(f"{path}: a configuration is YAML in UTF-8, but {what_and_where}. Mend the file.")


def missing_value(error: OmegaConfBaseException) -> RequestError:
    key = error.full_key
    if "Missing mandatory value" in str(error):
        advice = f"give {key}=... on the command line"
        return RequestError(f"{key}: nothing came, and a value is needed; {advice}.")
    return RequestError(f"{key}: {error.msg}")


def sweep_without_multirun(swept: str, overrides: Sequence[str]) -> RequestError:
    advice = "One value that is a list is written key=[a,b]."
    return RequestError(
        f"{swept}: several values make a sweep, and a sweep needs -m:\n  {_as_sweep(overrides)}\n{advice}"
    )


def tune_without_multirun(choice: str, overrides: Sequence[str]) -> RequestError:
    reason = f"tune={choice} tries many settings, which makes a sweep, and a sweep needs -m"
    return RequestError(f"tune: {reason}:\n  {_as_sweep(overrides)}")


def _as_sweep(overrides: Sequence[str]) -> str:
    return " ".join(["python -m lrbench -m", *map(shlex.quote, overrides)])


def twice(key: str, text: str) -> RequestError:
    reason = f"{text} stands there twice; the same run gives the same numbers"
    return RequestError(f"{key}: {reason}. Remove one (repeats are seeds: 'seed=range(10)').")


def given_again(key: str, lines: Sequence[str]) -> RequestError:
    reason = f"a sweep follows one line for each key, but {len(lines)} came: {' and '.join(lines)}"
    return RequestError(f"{key}: {reason}. Keep the one that you mean.")


def target_without_custom(override: Override, choice: str) -> RequestError:
    line = override.input_line
    return RequestError(
        f"{line}: another class would inherit the hyperparameters of optimizer={choice}; "
        "a class of your own needs optimizer=custom:\n"
        f"  optimizer=custom {line} +optimizer.lr=0.01"
    )


def wrong_composition(
    error: Exception, lines: Sequence[str], compose: Callable[[list[str]], DictConfig]
) -> RequestError:
    """Explain an error of Hydra's.

    `compose` composes the configuration without the line at fault, to see what is allowed there.
    """
    if isinstance(error, MissingConfigException) and error.options and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        there_are = did_you_mean(choice, list(error.options))
        return RequestError(f"{group}: there is no {group}={choice}. {there_are}")
    # the error has no attribute for the key that it names
    if unknown := re.search(r"Could not override '(.+?)'", str(error)):
        path = unknown[1]
        others = [line for line in lines if line.lstrip("+~").partition("=")[0] != path]
        config = compose(others)
        if message := _unknown_key(path, config):
            return RequestError(message)
    cause = f" ({error.__cause__})" if isinstance(error.__cause__, OmegaConfBaseException) else ""
    return RequestError(f"{error}{cause}")


def _unknown_key(path: str, config: DictConfig) -> str:
    """Say what there is beside the first unknown key of a path.

    Nothing is said where something that is no mapping stands above it.
    """
    parent, key = _first_unknown(path.split("."), config)
    node = OmegaConf.select(config, parent) if parent else config
    if not isinstance(node, DictConfig):
        return ""
    if not node:
        return _without_settings(path, parent, key, config)
    known = [str(known) for known in node if known not in ("_target_", "hydra")]
    if not known:  # a class of one's own, of which only _target_ is known
        return f"{path}: this choice has only what is added to it. Write +{path}=..."
    has_no = f"{parent or 'lrbench'} has no key"
    if parent == "optimizer":
        has_no = f"{node.get('_target_')} has no hyperparameter"
    hint = "" if parent else _nested_hint(key, config)
    return f"{path}: {has_no} '{key}'. {hint}{did_you_mean(key, known)}"


def _first_unknown(keys: list[str], config: DictConfig) -> tuple[str, str]:
    """Return the part of a path that there is, and the key behind it."""
    known = len(keys) - 1
    while known and OmegaConf.select(config, ".".join(keys[:known])) is None:
        known -= 1
    return ".".join(keys[:known]), keys[known]


def _nested_hint(key: str, config: DictConfig) -> str:
    """Name the first group that has this key."""
    for group in map(str, config):
        if group == "hydra":
            continue
        node = OmegaConf.select(config, group)
        if isinstance(node, DictConfig) and key in node:
            return f"Did you mean '{group}.{key}'? "
    return ""


def _without_settings(path: str, group: str, key: str, config: DictConfig) -> str:
    """Say that the choice of a group, such as schedule=none, holds nothing."""
    choice = config.hydra.runtime.choices.get(group)
    if group == "tune":
        return f"{path}: tune={choice} has no settings. Choose what is tuned with it: tune=lr or tune=all."
    advice = f"Choose another {group}, or give those that have it a grid of their own"
    return f"{path}: {group}={choice} has no settings. {advice}: sweep.{group}.<choice>.{key}=..."
