# `make` alone lists what can be done here.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
MANAGE := $(PYTHON) manage.py
UV_LOCK := $(PYTHON) -m uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: help env demo demo-check test check format lock bench screenshots serve worker sandbox-image clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

env: ## Make .venv and node_modules from the locks (does nothing when they are up to date)
	@scripts/env dev

demo: ## Evaluate the baselines on sample incidents and serve the pages; Ctrl-C ends it (ARGS="--port 8000")
	@scripts/env base
	@$(MANAGE) demo $(ARGS)

demo-check: ## The demo in a temporary folder: ask every page for its content, end with 0 or 1
	@scripts/env base
	@$(MANAGE) demo --check $(ARGS)

test: env ## Run all tests; the end lists what was skipped, and for want of what (ARGS="-k shell")
	@$(PYTHON) -m pytest -n 2 --dist worksteal $(ARGS)

check: env ## Check format, lint, types, imports, migrations, templates, settings and locks; runs no tests
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@.venv/bin/lint-imports --no-logo
	@$(PYTHON) -m mypy .
	@$(MANAGE) makemigrations --check --dry-run
	@ITBENCH_HTTPS=True $(MANAGE) check --deploy --fail-level WARNING
	@$(PYTHON) -m djlint --lint --quiet templates
	@$(PYTHON) -m pytest --no-header tests/evals/test_house.py

format: env ## Format the code
	@$(PYTHON) -m ruff check --fix --quiet . || true
	@$(PYTHON) -m ruff format .

lock: ## Lock requirements/*.in and package.json anew, with hashes and without addresses (ARGS="--upgrade")
	@for set in base dev node; do $(UV_LOCK) $(ARGS) requirements/$$set.in -o requirements/$$set.txt; done
	@$(subst 3.11,3.12,$(UV_LOCK)) --no-deps $(ARGS) requirements/harbor.in -o requirements/harbor.txt
	@npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

bench: env ## Measure speed (run by a person, not by tests; ARGS="runs", "pages" or "trajectories" for one)
	@$(PYTHON) -m benchmarks $(ARGS)

screenshots: env ## Pictures of a running demo for docs/images (ARGS=http://127.0.0.1:8000)
	@$(PYTHON) scripts/screenshots.py $(ARGS)

serve: ## Serve the pages at http://127.0.0.1:8000 (ARGS="--host 0.0.0.0 --port 80")
	@scripts/env base
	@scripts/serve $(ARGS)

worker: ## Run queued evaluations
	@scripts/env base
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) run_huey

sandbox-image: ## Build the image agents work in
	@sandbox/build.sh

clean: ## Remove caches, .venv, .harbor and node_modules; the data in var/ stays
	@rm -rf .venv .harbor node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
