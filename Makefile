# `make` sets everything up in .venv; `make demo` runs the main job; `make test` proves it.
# The second run of any of them needs no network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: all demo test lint check bench wheel clean

all: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/navplan demo

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint
	$(BIN)/python -m pytest
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m kernels

check: $(STAMP)
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -m kernels

bench: $(STAMP)
	$(BIN)/navplan bench list

wheel: $(STAMP)
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
