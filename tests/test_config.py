import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from lrbench import config
from lrbench.config import CONF, check, check_leaf, fingerprint, flatten, identifiers
from lrbench.errors import RequestError


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("steps", 0, "null, or a whole number >= 1"),
        ("steps", 2.5, "null, or a whole number >= 1"),
        ("epochs", True, "a whole number >= 1"),
        ("batch_size", 0, "null, or a whole number >= 1"),
        ("batch_order", "random", "shuffled or sequential or replacement"),
        ("dtype", "float16", "float64 or float32"),
        ("init", "normal", "torch or zeros, or a list of finite numbers"),
        ("init", [1, float("nan")], "a list of finite numbers"),
        ("seed", -1, "a whole number >= 0"),
        ("target", 1, "a finite number > 0 and < 1"),
        ("record", 1, "all, or a whole number >= 2"),
        ("predict", [4], "a list of rows of numbers"),
        ("name", "a/b", "a folder's name"),
        ("report", "yes", "true or false"),
        ("seed", 2**63, "a whole number >= 0 and <= 9007199254740992"),
        ("optimizer.lr", 10**400, "a finite number >= 0"),
        ("schedule.step_size", 0, "a whole number >= 1"),
        ("schedule.gamma", -1, "a finite number >= 0"),
        ("optimizer.lr", "fast", "a finite number >= 0"),
        ("optimizer.lr", float("nan"), "a finite number >= 0"),
        ("optimizer.lr", float("inf"), "a finite number >= 0"),
        ("optimizer.lr", -0.1, "a finite number >= 0"),
        ("optimizer.lr", True, "a finite number >= 0"),
        ("optimizer.betas", [0.9, 1], r"\[a finite number >= 0 and < 1, a finite number >= 0 and < 1\]"),
        ("optimizer.betas", 0.9, r"\[a finite number"),
        ("optimizer.etas", [1.5, 1.2], "> 0 and < 1"),
        ("optimizer.nesterov", 1, "true or false"),
        ("optimizer.max_iter", 0, "a whole number >= 1"),
        ("optimizer.line_search_fn", "wolfe", "null, or strong_wolfe"),
        ("sede", 1, "lrbench has no such key. Did you mean 'seed'"),
        ("problem", 3, "no such key"),
    ],
)
def test_what_no_run_can_have_is_refused(path, value, allowed):
    with pytest.raises(RequestError, match=rf"{path}: .*{allowed}"):
        check_leaf(
            path,
            value,
            {"optimizer._target_": "torch.optim.SGD", "schedule._target_": "torch.optim.lr_scheduler.StepLR"},
        )


def test_other_classes_judge_their_own_hyperparameters():
    check_leaf("optimizer.lr", -1, {"optimizer._target_": "somebody.Else"})


def test_adafactor_has_an_eps_of_its_own():
    check_leaf("optimizer.eps", [None, 1e-3], {"optimizer._target_": "torch.optim.Adafactor"})
    with pytest.raises(RequestError, match="null, or a finite number"):
        check_leaf("optimizer.eps", 1e-3, {"optimizer._target_": "torch.optim.Adafactor"})


def test_a_configuration_needs_its_targets():
    with pytest.raises(RequestError, match=r"optimizer\._target_: the dotted path of a optimizer"):
        check({"problem._target_": "a.b", "loss._target_": "a.b", "optimizer.lr": 1})


@pytest.mark.parametrize("path", sorted((CONF / "optimizer").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_hyperparameter_that_is_written_out_has_a_range_and_its_class_default(path):
    import inspect
    import pkgutil

    if path.stem == "custom":
        return
    settings = OmegaConf.to_container(OmegaConf.load(path))
    target = settings.pop("_target_")
    signature = inspect.signature(pkgutil.resolve_name(target)).parameters
    switches = {"params", "foreach", "capturable", "differentiable", "fused"}  # how torch computes, not what
    assert set(settings) == set(signature) - switches
    for key, value in settings.items():
        check_leaf(f"optimizer.{key}", value, {"optimizer._target_": target})
        assert key in config.HYPERPARAMETERS
    own = {
        key
        for key, value in settings.items()
        if value != (list(d) if isinstance(d := signature[key].default, tuple) else d)
    }
    assert own == {
        "sgd": {"lr"},
        "sgd_momentum": {"lr", "momentum"},
        "sgd_nesterov": {"lr", "momentum", "nesterov"},
        "adam_amsgrad": {"amsgrad"},
        "rmsprop_centered": {"centered"},
    }.get(path.stem, set())


def test_flatten():
    assert flatten({"a": {"b": 1, "c": {"d": [1, {"e": 2}]}}, "f": {}}) == {
        "a.b": 1,
        "a.c.d": [1, {"e": 2}],
        "f": {},
    }


LEAVES = st.dictionaries(
    st.text(min_size=1),
    st.one_of(st.none(), st.booleans(), st.integers(-1000, 1000), st.floats(), st.text()),
    min_size=2,
)


def identity(leaves) -> str:
    return identifiers(sum(fingerprint(path, [value])[0] for path, value in leaves.items())[None])[0]


@given(LEAVES)
def test_an_id_does_not_depend_on_order(leaves):
    assert identity(leaves) == identity(dict(reversed(leaves.items())))


@given(LEAVES, st.data())
def test_an_id_changes_with_any_value(leaves, data):
    path = data.draw(st.sampled_from(sorted(leaves)))
    assert identity(leaves) != identity(leaves | {path: "another value"}) or leaves[path] == "another value"


def test_numbers_are_float64_and_types_are_kept_apart():
    same = fingerprint("x", [0, 0.0, -0.0 + 0.0])
    assert (same == same[0]).all()
    assert len(np.unique(fingerprint("x", [1, True, "1", None, [1]]), axis=0)) == 5
    assert (fingerprint("x", [[1, 2]]) == fingerprint("x", [[1.0, 2.0]])).all()
