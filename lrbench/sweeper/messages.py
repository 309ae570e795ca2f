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
    return RequestError(
        f"{error}\nAn override is key=value; swept values are key=a,b or 'key=range(10)', in quotes where the shell would read them."
    )


def missing_value(error: OmegaConfBaseException) -> RequestError:
    key = error.full_key
    if "Missing mandatory value" in str(error):
        return RequestError(
            f"{key}: nothing came, and a value is needed; give {key}=... on the command line."
        )
    return RequestError(f"{key}: {error.msg}")


def sweep_without_multirun(swept: str, overrides: Sequence[str]) -> RequestError:
    command = " ".join(["python -m lrbench -m", *map(shlex.quote, overrides)])
    return RequestError(
        f"{swept}: several values make a sweep, and a sweep needs -m:\n  {command}\nOne value that is a list is written key=[a,b]."
    )


def tune_without_multirun(choice: str, overrides: Sequence[str]) -> RequestError:
    command = " ".join(["python -m lrbench -m", *map(shlex.quote, overrides)])
    return RequestError(
        f"tune: tune={choice} tries many settings, which makes a sweep, and a sweep needs -m:\n  {command}"
    )


def twice(key: str, text: str) -> RequestError:
    return RequestError(
        f"{key}: {text} stands there twice; the same run gives the same numbers. Remove one (repeats are seeds: 'seed=range(10)')."
    )


def target_without_custom(override: Override, choice: str) -> RequestError:
    return RequestError(
        f"{override.input_line}: another class would inherit the hyperparameters of optimizer={choice}; a class of your own needs optimizer=custom:\n"
        f"  optimizer=custom {override.input_line} +optimizer.lr=0.01"
    )


def wrong_composition(
    error: Exception, lines: Sequence[str], compose: Callable[[list[str]], DictConfig]
) -> RequestError:
    """Explain an error of Hydra's. `compose` composes the configuration without the line at fault, to see what is allowed there."""
    if isinstance(error, MissingConfigException) and error.options and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return RequestError(
            f"{group}: there is no {group}={choice}. {did_you_mean(choice, list(error.options))}"
        )
    if unknown := re.search(r"Could not override '(.+?)'", str(error)):
        path = unknown[1]
        config = compose([line for line in lines if line.lstrip("+~").partition("=")[0] != path])
        if message := _unknown_key(path, config):
            return RequestError(message)
    cause = f" ({error.__cause__})" if isinstance(error.__cause__, OmegaConfBaseException) else ""
    return RequestError(f"{error}{cause}")


def _unknown_key(path: str, config: DictConfig) -> str:
    """Say what there is beside the first unknown key of a path; nothing where something that is no mapping stands above it."""
    keys = path.split(".")
    known = next(
        count
        for count in reversed(range(len(keys)))
        if count == 0 or OmegaConf.select(config, ".".join(keys[:count])) is not None
    )
    parent, key = ".".join(keys[:known]), keys[known]
    node = OmegaConf.select(config, parent) if parent else config
    if not isinstance(node, DictConfig):
        return ""
    if node:
        what = (
            f"{node.get('_target_')} has no hyperparameter"
            if parent == "optimizer"
            else f"{parent or 'lrbench'} has no key"
        )
        groups = [str(group) for group in node if not parent and group != "hydra"]
        nested = [
            group
            for group in groups
            if isinstance(own := OmegaConf.select(config, group), DictConfig) and key in own
        ]
        hint = f"Did you mean '{nested[0]}.{key}'? " if nested else ""
        return f"{path}: {what} '{key}'. {hint}{did_you_mean(key, [str(k) for k in node if k not in ('_target_', 'hydra')])}"
    choice = config.hydra.runtime.choices.get(parent)
    if parent == "tune":
        return f"{path}: tune={choice} has no settings. Choose what is tuned with it: tune=lr or tune=all."
    advice = f"Choose another {parent}, or give those that have it a grid of their own: sweep.{parent}.<choice>.{key}=..."
    return f"{path}: {parent}={choice} has no settings. {advice}"
