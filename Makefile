# `make help` lists the targets. Needs only make and Python 3.11 or newer; all else goes into .venv.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-deep test-chaos coverage mutants peers check bench picture rules-doc format lock clean

PACKAGES := domain projections services infra
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Arguments passed on to the program of the target: make test ARGS="-k wash -x".
ARGS ?=
# One benchmark instead of all: make bench ONLY=replay.
ONLY ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.runtime ## install what the demo needs, then run it
	@$(BIN)/thresher demo $(ARGS)

test: .venv/.dev ## run all tests (more: ARGS="-k wash -x")
	@$(BIN)/python -m pytest -n 2 $(ARGS)

test-deep: .venv/.dev ## compare the engine with the second simulator on 20,000 histories
	@THRESHER_HISTORIES=20000 $(BIN)/python -m pytest -n 2 -q tests/domain/test_against_oracle.py $(ARGS)

test-chaos: .venv/.dev ## break processes, servers and connections of the streams, 50 rounds
	@THRESHER_ROUNDS=50 $(BIN)/python -m pytest -n 2 -q tests/chaos/test_chaos.py $(ARGS)

coverage: .venv/.dev ## hold the tests of domain/ to every branch of it
	@$(BIN)/coverage run -m pytest -n 0 --quiet tests/domain tests/law $(ARGS)
	@$(BIN)/coverage report

mutants: .venv/.dev ## change domain/ bit by bit, count what its tests notice (one file: ONLY=days)
	@THRESHER_HISTORIES=5 $(BIN)/mutmut run --max-children 2 $(if $(ONLY),"domain.$(ONLY).*")
	@$(BIN)/mutmut results --all true | $(BIN)/python -m tests.mutants

peers: .venv/.dev .venv-peers/.peers ## compare lots with other programs that count them
	@$(BIN)/python -m pytest -n 0 tests/peers $(ARGS)

check: .venv/.dev ## format, lint, types and import contracts, as CI does
	@$(BIN)/ruff format --check --quiet --output-format concise . || \
		{ echo "not formatted: run make format"; exit 1; }
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/mypy --strict $(PACKAGES) $(wildcard benchmarks tests)
	@report=$$($(BIN)/lint-imports) || { echo "$$report"; exit 1; }

picture: .venv/.dev ## draw docs/demo.svg anew from the demo's real output
	@$(BIN)/python -m infra.demo.picture

rules-doc: .venv/.dev ## write docs/RULES.md anew from its template and the law's data
	@$(BIN)/python -m infra.rules_page

bench: .venv/.dev ## run the benchmarks (one of them: ONLY=replay)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

format: .venv/.dev ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

# Each stamp is as new as the lock it was installed from, so an unchanged lock installs nothing.
.venv/.runtime: requirements.lock
.venv/.dev: requirements-dev.lock
.venv/.runtime .venv/.dev: pyproject.toml $(BIN)/python
	@echo "installing $(filter %.lock,$^) into .venv ..." >&2
	@$(PIP) install --require-hashes -r $(filter %.lock,$^)
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# Kept apart: no part of the product may ever find them.
.venv-peers/.peers: requirements-peers.lock $(BIN)/python
	@echo "installing $< into .venv-peers ..." >&2
	@$(BIN)/python -m venv --clear .venv-peers
	@.venv-peers/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r $<
	@touch $@

# The first Python that is new enough and can make an environment; PYTHON=... goes before all.
PYTHON ?=
candidates := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11
first-that-runs = $(firstword $(shell for p in $(candidates); do \
	"$$p" -c '$(1)' >/dev/null 2>&1 && echo "$$p"; done; :))
recent = import sys; sys.exit(sys.version_info < (3, 11))
recent-python = $(call first-that-runs,$(recent))
able = import venv, ensurepip; $(recent)
able-python = $(call first-that-runs,$(able))
no-python = $(error thresher needs Python 3.11 or newer: install it \
	(Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python))
no-venv = $(error $(1) cannot make a virtual environment: install its venv package \
	(Debian, Ubuntu: apt install $(notdir $(1))-venv))
complain = $(if $(1),$(call no-venv,$(1)),$(no-python))

$(BIN)/python:
	@$(or $(able-python),$(call complain,$(recent-python))) -m venv --clear .venv

lock: .venv-lock/bin/uv ## pin the dependencies anew (newer ones: ARGS=--upgrade)
	@$(COMPILE) --group dev --output-file requirements-dev.lock $(ARGS)
	@$(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock
	@$(COMPILE_GROUPS) peers --output-file requirements-peers.lock $(ARGS)

# Universal: one lock for every platform and Python from 3.11 on. It names no index.
COMPILE = $(UV) pyproject.toml --group build
COMPILE_GROUPS = $(UV) --group
UV = .venv-lock/bin/uv --quiet --no-config pip compile \
	--universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.venv-lock/bin/uv: | $(BIN)/python
	@$(BIN)/python -m venv --clear .venv-lock
	@.venv-lock/bin/python -m pip --quiet --disable-pip-version-check install 'uv>=0.13,<0.14'

clean: ## remove environments, caches and builds (never a ledger)
	@rm -rf .venv .venv-lock .venv-peers mutants .coverage build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
