"""Who does what CONTRIBUTING.md says, and nothing else, has something that trains, is listed, drawn and told.

All recipes are done to one copy of the tree, which is used and tested in processes of its own.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from recipes import BLOCK, NEW, ROOT, copied, follow, recipes

RECIPES = recipes()
# recipe -> files of lrbench, conf and experiments that it makes, and lines that it adds to others there
COST = {
    "An optimizer": (2, {"lrbench/optimizers/classes.py", "lrbench/optimizers/__init__.py", "conf/tune/all.yaml"}),
}
CHILD = """
import contextlib, io, json, sys
from pathlib import Path
import lrbench
from lrbench import cli

def listed(kind):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        cli.main(["list", kind])
    return out.getvalue()

def gaps(engine):
    asked = ["problem=hilbert", "loss=mse,quantile_huber", "optimizer=lion,sgd", "schedule=linear_decay", "steps=60"]
    results = lrbench.sweep(*asked, f"engine={engine}", f"name={engine}", "report=false")
    runs = results.runs[["run_id", "status", "engine"]].merge(results.curves, on="run_id")
    return {key: own[["status", "engine", "gap"]].to_dict("list") for key, own in runs.groupby("run_id")}

kinds = ("optimizers", "problems", "losses", "schedules", "experiments")
results = lrbench.load("results/falling_rate")
print(json.dumps({
    "package": lrbench.__file__,
    "listed": {kind: listed(kind) for kind in kinds},
    "engines": results.runs.groupby("optimizer")["engine"].unique().map(list).to_dict(),
    "status": results.runs["status"].unique().tolist(),
    "verbs": [verb for verb in dir(results) if verb.startswith("plot_")],
    "axes": results.plot_second_half().axes[0].get_xlabel(),
    "table": results.second_half.to_dict("list"),
    "fused": gaps("fused"),
    "reference": gaps("reference"),
}))
"""
