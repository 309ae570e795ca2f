"""Optimizers that torch.optim lacks, in its own manner, which the reference engine trains.

A class stands here, its rule in a file beside, as for torch's own classes, and a line of FAMILIES ties the
two. The tests then compare rule and class. CONTRIBUTING.md has the recipe, with Lion as its example.

Nothing in lrbench imports this module but by the dotted path of a class that is asked for: torch takes
seconds to import, and what the fused engine trains does not need it.
"""
