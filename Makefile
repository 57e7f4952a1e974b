# Shilu. `make` alone lists the targets. Everything runs from .venv, which each target makes if it is missing or stale.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
TO ?= build/pictures
# Each worker has a database of its own. Tests wait for disks and clocks half their time: one worker more than cores.
WORKERS ?= $(shell echo $$(( $$(nproc) + 1 )))
# Where an image forbids Python to keep compiled modules, every start of a program would compile all of Shilu anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo pictures test slow soak lint bench bench-full fuzz drill clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

demo: $(STAMP) ## footage from recorder to verified evidence (ARGS="--exit --json" is passed on)
	@$(BIN)/shilu demo $(ARGS)

# Needs a Chromium. Nothing of it is kept in the tree.
pictures: $(STAMP) ## the console's pages as pictures, both languages, light and dark (TO=folder, else build/pictures)
	@mkdir -p "$(TO)" && SHOTS="$(abspath $(TO))" $(BIN)/python -m pytest -q tests/integration/api/test_console_pictures.py
	@echo "pictures are in $(TO)"

# A file stays with one worker: its service and its browser are started once.
test: $(STAMP) lint ## static checks, then all tests but the slow tier
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

slow: $(STAMP) ## seeded faults and fuzz
	@$(BIN)/python -m pytest -n $(WORKERS) -m slow --timeout 1800 $(ARGS)

soak: $(STAMP) ## the slow tier with all its seeds; hours
	@SOAK=1 $(BIN)/python -m pytest -n $(WORKERS) -m slow --timeout 1800 $(ARGS)

lint: $(STAMP) ## format, style, types, import contracts
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(STAMP) ## every file of benchmarks/, each printing its figures
	@for file in benchmarks/bench_*.py; do $(BIN)/python "$$file" || exit 1; done

bench-full: $(STAMP) ## the same at the sizes that the targets are stated for; 40 minutes, 12 GB below /tmp
	@$(BIN)/python benchmarks/bench_ledger.py --seconds 60 --proof-size 10000000 --curve-size 10000000 --peer-entries 200000
	@$(BIN)/python benchmarks/bench_search.py --sizes 10000,100000,1000000

fuzz: $(STAMP) ## only the fuzzers of the slow tier
	@$(BIN)/python -m pytest -m slow -k fuzz --timeout 1800 $(ARGS)

drill: $(STAMP) ## tampering of every known kind, each found by the check of its victim (ARGS="--trials 500 --json")
	@$(BIN)/python -m tests.drill $(ARGS)

clean: ## remove what the targets made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info

# `pip install -c` pins every version; the stamp makes a second run cost nothing.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Shilu needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing pinned dependencies into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' >&2
	@touch $@
