# Each target sets up .venv by itself; the versions are pinned in constraints.txt. `lowest` has .venv-lowest,
# with the lowest versions that pyproject.toml promises; of all of these only Python 3.11 has wheels.
PYTHON ?= python3
BIN := .venv/bin
LOWEST := .venv-lowest/bin

.PHONY: demo test lowest golden lint check docs experiments simulate bench

demo: $(BIN)/ready
	$(BIN)/python -m lrbench -m optimizer=sgd,adam tune=lr 'seed=range(10)'

test: $(BIN)/ready
	$(BIN)/python -m pytest -n 2 --dist worksteal

lowest: $(LOWEST)/ready
	$(LOWEST)/python -m pytest -n 2 --dist worksteal

golden: $(BIN)/ready
	$(BIN)/python tests/golden/compare.py '$(BASE)'

lint: $(BIN)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

check: lint test

docs: $(BIN)/ready
	$(BIN)/python experiments/schema.py
	$(BIN)/python experiments/walk.py

experiments: $(BIN)/ready
	$(BIN)/python experiments/build.py

simulate: $(BIN)/ready
	$(BIN)/python experiments/simulate.py

bench: $(BIN)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt jax optax
	$(BIN)/python benchmarks/report.py

$(BIN)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("lrbench needs Python >= 3.11, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(LOWEST)/ready: pyproject.toml constraints.txt tests/lowest.py
	$(PYTHON) -m venv .venv-lowest
	$(LOWEST)/python tests/lowest.py > .venv-lowest/constraints.txt
	$(LOWEST)/python -m pip install --quiet --constraint .venv-lowest/constraints.txt --editable '.[dev]'
	touch $@
