"""From composed configurations to groups of runs: which runs, with which ids, on which problems.

    blocks.py      what is asked: one composition and the axes swept over it, columns and never a list of runs
    solving.py     the problem of a composition, solved once
    spelling.py    one run, one spelling: budgets as steps, a batch of all rows as none
    groups.py      what is trained: runs that share problem, loss, optimizer class, batches, budget and dtype
    grouping.py    from a piece of a block to a group: the ids of its runs
    distinct.py    each run once
    warnings.py    what a plan says about itself
    planning.py    all of it in order: plan()

Pure, and independent of the order in which anything was asked.
"""

from lrbench.plan.blocks import Block, Column, constant, is_shared
from lrbench.plan.groups import Group, Plan
from lrbench.plan.planning import plan
from lrbench.plan.solving import Solved

__all__ = ["Block", "Column", "Group", "Plan", "Solved", "constant", "is_shared", "plan"]
