# `make` sets everything up in .venv; `make demo` runs the main job; `make test` proves it.
# The second run of any of them needs no network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: all demo lint ruff types contracts test compile plain check bench wheel clean

all: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/navplan demo

lint: ruff types contracts

ruff: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

# First what needs no test's result, side by side; then the tests on all cores, those that measure time after them with the machine
# to themselves. `pytest` alone runs every test too.
test: $(STAMP)
	$(MAKE) --jobs=2 --output-sync=target compile types ruff contracts plain
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -m 'not alone'
	$(BIN)/python -m pytest -m alone $(call marked,alone)

# The files with a marked test: pytest need not import the others.
marked = $(shell grep --recursive --files-with-matches --include='test_*.py' 'mark\.$(1)' tests)

# The planners' kernels, once: else every process of the tests compiles those that it needs before another has put them in the cache.
compile: $(STAMP)
	$(BIN)/python -c "from navplan.planners import names; from navplan.planners.warm_up import compile_planner; \
	[compile_planner(name, 'cost', 'hops') for name in names()]"

# The kernels as plain Python.
plain: $(STAMP)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m kernels $(call marked,kernels)

check: $(STAMP)
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -m kernels $(call marked,kernels)

bench: $(STAMP)
	$(BIN)/navplan bench list

wheel: $(STAMP)
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
