# Everything a person types. `make help` lists it.

VENV := .venv
RUN  := $(VENV)/bin/python
# A Python that is 3.11 or 3.12 and can make environments.
PYTHON ?= $(shell for name in python3 python3.12 python3.11 python; do \
	$$name -c 'import sys, ensurepip, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
	2>/dev/null && echo $$name && break; done)

.DEFAULT_GOAL := help
.PHONY: help run test bench bench-poison bench-rot bench-watching lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/serve ## install, train the demo models that are missing, serve on PORT (5000)
	@$(RUN) -m unrot run

test: $(VENV)/test ## install, then ruff, mypy and pytest
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict unrot
	$(RUN) -m pytest -n auto --dist worksteal

bench: $(VENV)/serve ## measure the predict path, as ratios in one run
	$(RUN) -m bench.predict

bench-poison: $(VENV)/serve ## let bad verdicts at models that learn by themselves (a quarter of an hour)
	$(RUN) -m bench.poison

bench-rot: $(VENV)/test ## how soon rot is found, and how often a steady model is taken for rotten
	$(RUN) -m bench.rot

bench-watching: $(VENV)/test ## what the data of the monitor page costs over many events
	$(RUN) -m bench.watching

lint: $(VENV)/test ## ruff and mypy only, mending what can be mended
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	$(RUN) -m mypy --strict unrot

clean: ## remove the environment and the caches, not the data in var/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 with venv is needed and was not found. \
	Install it (Debian: apt install python3 python3-venv), or say where: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/serve: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the server needs (about a minute) …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the tests need (about a minute) …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(VENV)/serve $@
