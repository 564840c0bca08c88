# `make` sets everything up in .venv; `make demo` runs the main job; `make test` proves it.
# The second run of any of them needs no network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := $(VENV)/.demo
# PyTorch's own index has builds without CUDA, which are a tenth as large; nothing here uses a GPU.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: all demo lint ruff types contracts test compile plain check bench wheel clean

all: $(STAMP)

# What the demo needs, and nothing else.
$(DEMO): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): about 0.4 GB to download, 1.4 GB on disk, one to five minutes; once."
	$(PYTHON) -m venv $(VENV)
	@echo "PyTorch, the build for CPUs …"
	@$(BIN)/python -m pip install --retries 1 --timeout 20 --constraint constraints.txt --no-deps \
	    --index-url $(TORCH_INDEX) torch || { \
	    echo "$(TORCH_INDEX) did not give it: taking the default build, which may be 3 GB larger"; \
	    $(BIN)/python -m pip install --constraint constraints.txt torch; }
	@echo "navplan and what its demo needs …"
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[demo]'
	touch $@

# What tests and linters need beside it.
$(STAMP): $(DEMO)
	@echo "Tests and linters: about 0.2 GB more to download, a minute or two; once."
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(DEMO)
	@echo "The demo: eight agents across a hazard; half a minute; the first time a minute or two, for compiling."
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
	$(BIN)/python -c "from navplan.planners import get, names; from navplan.planners.warm_up import warm_up; \
	[warm_up(get(name)(), progress=print) for name in names()]"

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
