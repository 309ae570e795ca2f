"""What a plan says about itself: runs kept once, settings without effect, minima that are not attained."""

from collections.abc import Iterable

import numpy as np

from lrbench.plan.groups import Group
from lrbench.problems.solve import Problem
from lrbench.schedules import ONE_CYCLE

# an update rule of its own step sizes, which torch starts from lr and then adapts
RPROP = "torch.optim.Rprop"

# hyperparameters that draw the weights to 0, so that a run does not end at the problem's minimum
DRAW_TO_ZERO = ("weight_decay", "lambd")

COPIES = (
    "Nothing in these runs depends on the seed (fixed init, fixed order of rows): "
    "a setting runs once; copies are not seeds."
)


def twins_of_another(optimizer: str, earlier: str) -> str:
    """Say that runs of an optimizer are left out, since an earlier one has them."""
    return (
        f"optimizer={optimizer}: some runs equal those of optimizer={earlier} in class and hyperparameters; "
        "they are kept once."
    )


def warnings_of(groups: Iterable[Group], problems: dict[str, Problem]) -> list[str]:
    """Say of the runs that are left what a reader of their results must know."""
    groups = list(groups)
    return _without_effect(groups) + _drawn_to_zero(groups) + _not_attained(groups, problems)


def _without_effect(groups: list[Group]) -> list[str]:
    """Say where torch ignores a learning rate or a schedule."""
    warnings = []
    for group in groups:
        optimizer, schedule = group.labels["optimizer"], group.labels["schedule"]
        if group.shared.get("schedule._target_") == ONE_CYCLE and "optimizer.lr" in group.columns:
            warnings.append(
                f"schedule={schedule} takes the learning rate from schedule.max_lr: "
                f"optimizer.lr has no effect on {optimizer}."
            )
        if "schedule._target_" in group.shared and group.shared["optimizer._target_"] == RPROP:
            warnings.append(
                f"schedule={schedule} has no effect on {optimizer} after the first step: "
                "Rprop takes its step sizes from there on."
            )
    return each_once(warnings)


def _drawn_to_zero(groups: list[Group]) -> list[str]:
    """Say which optimizers end where their own penalty wants them, and not at the minimum."""
    drawn = set()
    for group in groups:
        for name in DRAW_TO_ZERO:
            if any(group.column(f"optimizer.{name}", 0).values):
                drawn.add(f"{group.labels['optimizer']} ({name})")
    if not drawn:
        return []
    return [
        f"{', '.join(sorted(drawn))}: draws the weights to 0, so that the gap ends above 0. "
        "As a part of the problem a penalty is loss.l2."
    ]


def _not_attained(groups: list[Group], problems: dict[str, Problem]) -> list[str]:
    """Say on which problems weights must grow without end."""
    labels = {group.problem_id: group.labels for group in groups}
    return [
        _never_attained(labels[problem_id], problem)
        for problem_id, problem in problems.items()
        if problem_id in labels and not problem.optimum.attained
    ]


def _never_attained(labels: dict[str, str], problem: Problem) -> str:
    growing = np.count_nonzero(np.isinf(problem.optimum.star))
    return (
        f"problem={labels['problem']} loss={labels['loss']}: no weights attain the infimum "
        f"({growing} of {problem.data.n} rows can be fitted ever better by growing weights). "
        "The gap is loss - infimum; loss.l2 above 0 would give it a minimiser."
    )


def each_once(sentences: Iterable[str]) -> list[str]:
    """Return the sentences in their order, none twice."""
    return list(dict.fromkeys(sentences))
