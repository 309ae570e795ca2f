"""How a group of runs is trained."""
