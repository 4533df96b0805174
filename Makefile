# What one types. `make` alone lists it; README.md says more.
# Needs make and Python 3.11 or newer, nothing else: every target makes the .venv it stands on.

PYTHON ?= python3
ARGS ?=

IN := .venv/bin/python
READY := .venv/installed
DEV := .venv/installed-dev
BENCH := .venv/installed-bench
TESTING := DJANGO_SETTINGS_MODULE=tests.settings

.DEFAULT_GOAL := help
.PHONY: help run sandbox test test-all lint bench

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(READY) ## install, prepare and start web and worker (PORT=8000 SANDBOX=1 DATABASE_URL= REDIS_URL= WEB_WORKERS=1)
	@$(IN) -m aggregator.firstrun
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec $(IN) manage.py start

sandbox: $(READY) ## the sandbox's upstreams alone, for a look at them by hand
	@$(IN) -m aggregator.firstrun
	@SANDBOX=1 exec $(IN) manage.py sandbox

test: $(DEV) ## the tests that need nothing else, in under five minutes (ARGS="-k market" picks some)
	@$(IN) -m pytest -n auto --dist loadfile --hypothesis-profile=short -m "not (slow or service or browser)" $(ARGS)

test-all: $(DEV) ## every test: the long ones too, and those of services and browser
	@$(IN) -m pytest -n auto --dist loadfile $(ARGS)

lint: $(DEV) ## format, lint, types, and models in step with their migrations
	@$(IN) -m ruff format --check .
	@$(IN) -m ruff check .
	@$(IN) -m mypy .
	@$(TESTING) $(IN) manage.py makemigrations --check --dry-run

bench: $(BENCH) ## how fast it is beside what one would use instead (ratios)
	@$(IN) -m tests.bench $(ARGS)

# The first prerequisite is what gets installed; pip runs again only when one of them changed.
$(READY): requirements.txt
$(DEV): requirements-dev.txt requirements.txt
$(BENCH): requirements-bench.txt requirements-dev.txt requirements.txt
$(READY) $(DEV) $(BENCH):
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not installed: Aggregator needs Python 3.11 or newer" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Aggregator needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Name another: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" % sys.version_info[:2])'
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: sudo apt install $(notdir $(PYTHON))-venv" >&2; exit 1; }
	@$(IN) -c 'import pip' 2>/dev/null || "$(PYTHON)" -m venv --clear .venv
	@echo "Installing $< into .venv; this takes a minute, and happens once."
	@$(IN) -m pip install --quiet --disable-pip-version-check --no-input -r $<
	@touch $@
