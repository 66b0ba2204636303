# `make run` computes everything; `make test` runs the tests. Both build .venv by themselves.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# Compiled modules are worth 5 s of CPU in each process that imports JAX.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
CONFIG ?= config/config.yaml
PORT ?= 5000
TESTS ?= tests

BIN := .venv/bin
STAMP := .venv/installed
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)
# What goes to one process, and in which order, says tests/conftest.py.
TOGETHER := --dist loadscope --no-loadscope-reorder
# Checks the configuration, and removes what a run has left that was killed.
START := $(BIN)/python -m gradaudit.pipeline.start $(CONFIG)

.PHONY: help install run report unlock ui test test-conformance test-slow test-pythons test-slurm docs check format lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
		| while IFS=$$'\t' read -r name text; do printf '  make %-17s %s\n' "$$name" "$$text"; done
	@echo
	@echo '  Variables: CONFIG=config/quick.yaml, CORES=4, PYTHON=python3.12, PORT=5000, TESTS=tests'

install: $(STAMP) ## Build .venv from the lock

run: $(STAMP) ## Compute everything that is missing or out of date
	@$(START)
	$(SNAKEMAKE)

report: $(STAMP) ## Compute what the report needs, and the report
	@$(START)
	$(SNAKEMAKE) --until report

unlock: $(STAMP) ## Remove the lock of a run that was killed; make run does so, too
	@$(BIN)/python -m gradaudit.pipeline.start --unlock

ui: $(STAMP) ## Show the runs in MLflow at http://127.0.0.1:5000
	@$(BIN)/python -m gradaudit.tracking.ui --port $(PORT) $(CONFIG)

test: $(STAMP) ## Run the quick tests
	$(BIN)/pytest -n $(CORES) $(TOGETHER) -m "not slow and not conformance"

test-conformance: $(STAMP) ## Run the cases of the PEtab test suite, with their gradients
	$(BIN)/pytest -n $(CORES) $(TOGETHER) -m "conformance and not slow"

test-slow: $(STAMP) ## Run the other tests; TESTS=tests/solvers those of a folder
	$(BIN)/pytest -n $(CORES) $(TOGETHER) -m slow $(TESTS)

test-pythons: $(STAMP) ## Run some tests under the other Pythons, 3.11 to 3.13
	bash workflow/scripts/pythons.sh -m "not slow" tests/contract/test_api.py tests/records tests/pipeline/config

test-slurm: $(STAMP) ## Run the quick study on a Slurm node, against a local run
	bash workflow/scripts/slurm.sh $(BIN)/pytest -q -p no:cacheprovider tests/workflow/test_slurm.py

docs: $(STAMP) ## Build the documentation as a site, build/site/index.html
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/site

check: $(STAMP) ## Check format, style, types, imports and the workflow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/python -m gradaudit.pipeline.generate --check
	$(BIN)/snakemake --lint

format: $(STAMP) ## Format code and workflow, and write what is generated
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow
	$(BIN)/python -m gradaudit.pipeline.generate

lock: $(STAMP) ## Write requirements.lock again, after a change of dependencies
	@command -v uv > /dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	PATH="$(CURDIR)/$(BIN):$$PATH" uv pip compile --universal --generate-hashes --extra dev \
		--no-header --no-emit-index-url --no-emit-find-links --quiet pyproject.toml \
		--output-file requirements.lock

clean: ## Remove caches, and what was built; results and .venv stay
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml workflow/scripts/install.sh
	@bash workflow/scripts/install.sh "$(PYTHON)" .venv
	@touch $@
