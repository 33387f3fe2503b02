# Two commands are enough: `make serve` runs medsearch, `make test` checks it. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MEDSEARCH := $(BIN)/medsearch

SAMPLE := data/sample
DATA ?= $(SAMPLE)
DATASETS ?=
INDEXES ?= indexes
HOST ?= 127.0.0.1
PORT ?= 8000

.PHONY: help serve test check index bench eval clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | \
	  awk -F '\t' '{ printf "  make %-8s %s\n", $$1, $$2 }'
	@echo
	@echo "  Variables: DATA=$(DATA) DATASETS='mura medqa' INDEXES=$(INDEXES) HOST=$(HOST) PORT=$(PORT)"

# The stamp makes an unchanged environment free: pip runs again only when pyproject.toml changes.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"medsearch needs Python 3.11 or newer; this is {v.major}.{v.minor}. Try: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing medsearch into $(VENV) (several minutes on a slow network) ..."
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

serve: $(VENV)/.installed ## Install, build the sample indexes if there are none, start the service
	@compgen -G '$(INDEXES)/*/CURRENT' > /dev/null || { \
	  echo "No index in $(INDEXES)/ yet: building those of the synthetic sample corpus."; \
	  $(MAKE) --no-print-directory index DATA=$(SAMPLE) DATASETS=; }
	@exec $(MEDSEARCH) serve --indexes $(INDEXES) --host $(HOST) --port $(PORT)

# Three processes for two cores: they wait a quarter of their time, for browsers and other processes.
# One thread in each: threads that outnumber the cores wait for each other.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((3 * (os.cpu_count() or 1) + 1) // 2)')
test: $(VENV)/.installed ## Run the offline test suite
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed ## Lint, formatting and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

index: $(VENV)/.installed ## Rebuild indexes: make index DATA=dir DATASETS="mura medqa"
	@test '$(DATA)' != '$(SAMPLE)' || $(MEDSEARCH) sample $(SAMPLE)
	$(MEDSEARCH) index $(DATASETS) --data $(DATA) --indexes $(INDEXES)

bench: $(VENV)/.installed ## Measure indexing, queries and the store; prints ratios
	$(BIN)/python -m tests.benchmarks $(BENCH)

eval: $(VENV)/.installed ## Measure how well the built indexes answer
	$(MEDSEARCH) eval --indexes $(INDEXES)

clean: ## Remove the virtual environment and caches; indexes and data stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build ./*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
