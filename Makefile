# `make demo` and `make test` do all of their own set-up. What each target does is one command of a Python module.
PYTHON := .venv/bin/python
export PYTHONUNBUFFERED := 1
# Every process that is started would compile all modules again where nothing may be kept of it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo down test test-unit test-database test-lab test-browser bench lint format setup

help:
	@echo "make demo       from nothing to a running Odoo 19 in sixteen steps, with the portal to look at"
	@echo "make down       stop what the demo and the tests started, and nothing else"
	@echo "make test       every test, the lab's included (root); prints pytest's summary"
	@echo "make test-unit  what needs no table; test-database, test-lab, test-browser run the others (ARGUMENTS=… for pytest)"
	@echo "make bench      the measurements of docs/performance.md (ONLY=name for one)"
	@echo "make lint       ruff, import contract, templates; make format rewrites"

setup:
	@sh oecsh/embedded/setup.sh

demo: setup
	@$(PYTHON) -m oecsh.embedded demo

down:
	@test ! -x $(PYTHON) || $(PYTHON) -m oecsh.embedded down

test: setup lint
	@$(PYTHON) -m oecsh.embedded prepare-tests
	@$(PYTHON) -m pytest $(ARGUMENTS)

test-unit: setup
	@$(PYTHON) -m pytest -m "not database and not lab and not browser and not slow" $(ARGUMENTS)

test-database: setup
	@$(PYTHON) -m pytest -m "database and not lab and not browser" $(ARGUMENTS)

test-lab: setup
	@$(PYTHON) -m oecsh.embedded prepare-tests
	@$(PYTHON) -m pytest -m lab $(ARGUMENTS)

test-browser: setup
	@$(PYTHON) -m oecsh.embedded prepare-tests
	@$(PYTHON) -m pytest -m browser $(ARGUMENTS)

bench: setup
	@$(PYTHON) -m oecsh.embedded prepare-tests
	@$(PYTHON) -m tests.bench $(ONLY)

lint: setup
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/lint-imports > .run/import-contract.log || (cat .run/import-contract.log; exit 1)

format:
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format --quiet .
