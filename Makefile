# Everything a person types. `make help` lists it.

VENV := .venv
RUN  := $(VENV)/bin/python
DYNO := .venv-dyno
CLIENTS := .venv-clients
OURS := unrot app.py train.py gunicorn.conf.py
# A Python of 3.11 to 3.14 that can make environments; where pyenv does not have what
# .python-version asks platforms for, it is asked for another.
PYTHON ?= $(shell for asked in "$$PYENV_VERSION" 3.12 3.11 3.13 3.14 system; do \
	for name in python3 python3.12 python3.11 python3.13 python3.14 python; do \
	PYENV_VERSION=$$asked $$name -c 'import sys, ensurepip, venv; \
	print(sys.executable) if (3, 11) <= sys.version_info[:2] <= (3, 14) else sys.exit(1)' \
	2>/dev/null && exit; done; done)

.DEFAULT_GOAL := help
.PHONY: help run demo test test-pythons clients shots fuzz drills lock audit licences bench bench-gate bench-poison bench-cause bench-rot bench-steady bench-calm bench-found bench-watching bench-outliers bench-explaining bench-coverage bench-store bench-charts lint clean bench-stores bench-machines bench-away bench-power bench-serving bench-guard bench-anchors bench-freshness bench-growth bench-loads bench-overload bench-pages drill-dyno drill-wheel drill-image

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/serve ## install, train the demo models that are missing, serve on PORT (5000)
	@$(RUN) -m unrot run

demo: $(VENV)/serve ## see a model rot, the finding, the refit and the recovery, in two minutes
	@$(RUN) -m unrot demo

test: $(VENV)/test ## install, then ruff, mypy, bandit and pytest
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict unrot
	$(RUN) -m bandit -q -ll -r $(OURS)
	$(RUN) -m pytest -n auto --dist worksteal

clients: $(CLIENTS)/done ## install other people's clients (Triton's, Google's, Amazon's …) for the tests that use them

test-pythons: $(VENV)/test ## the journeys on every other Python from 3.11 to 3.14 that is found
	@$(RUN) -m tests.pythons

shots: $(VENV)/test ## photograph every page of a made-up home into shots/: two sizes, light and dark
	$(RUN) -m tests.golden.shots shots

fuzz: $(VENV)/test ## 10,000 requests of the document, all hazards at all places, long walks (an hour)
	UNROT_FUZZ_SHARE=1 $(RUN) -m pytest -q tests/web/test_fuzz.py tests/web/test_hazards.py \
	tests/learn/test_registry_walk.py tests/hear/test_feedback_walk.py

drills: $(VENV)/test ## kills, reloads, a full disk, wrong clocks, power cuts, a soak (an hour; SOAK=minutes)
	$(RUN) -m bench.drills --soak $(or $(SOAK),30)

lock: $(VENV)/test ## write requirements.lock: all that a server installs, with hashes
	{ echo '# All that a server installs, with hashes; made by `make lock` of requirements.txt.'; \
	$(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url requirements.txt; } > requirements.lock

audit: $(VENV)/test ## known holes in requirements.lock (wants the network)
	$(RUN) deploy/audit.py

licences: $(VENV)/test ## write docs/licences.md
	$(RUN) deploy/licences.py

bench: $(VENV)/serve ## measure the predict path, as ratios in one run
	$(RUN) -m bench.predict

bench-serving: $(VENV)/test ## serve one model with nine servers side by side (wrk and taskset; an hour)
	$(RUN) -m bench.serving

bench-guard: $(VENV)/test ## has a prediction become slower beside the constant answer? (under a minute)
	@$(RUN) -W ignore -m bench.guard

bench-freshness: $(VENV)/test ## from a vote, or a promote, to the last worker (three minutes)
	$(RUN) -m bench.freshness

bench-loads: $(VENV)/test ## what hostile clients can do to honest ones (ten minutes; SERVER=gthread: to those)
	$(RUN) -W ignore -m bench.loads --server $(or $(SERVER),granian)

bench-overload: $(VENV)/test ## what is left of its speed when ten and sixty times as much is wanted (ten minutes)
	$(RUN) -m bench.overload

bench-pages: $(VENV)/test ## how soon home, model and monitor are painted on a poor phone (a minute)
	$(RUN) -m bench.pages

bench-growth: $(VENV)/test ## what grows with stored events, models and features (ten minutes)
	$(RUN) -W ignore -m bench.growth

bench-gate: $(VENV)/test ## how often the gate errs over whole lines, on simulated answers (a quarter of an hour)
	$(RUN) -m bench.gate

bench-poison: $(VENV)/serve ## let bad verdicts at models that learn by themselves (a quarter of an hour)
	$(RUN) -m bench.poison

bench-charts: $(VENV)/test ## our charts beside Vega-Lite's (it says what to install for that)
	$(RUN) -m bench.charts

bench-rot: $(VENV)/test ## how soon rot is found, and how often a steady model is taken for rotten
	$(RUN) -m bench.rot
	$(RUN) -m bench.verdicts

bench-cause: $(VENV)/test ## what a fall is put down to: a changed rule, broken rows, other rows (half an hour)
	$(RUN) -m bench.cause

bench-steady: $(VENV)/serve ## what all monitors say of models that are well, and of rotting ones (half an hour)
	$(RUN) -m bench.steady

bench-calm: $(VENV)/serve ## count false alarms on ten days of calm traffic of fifteen kinds (an hour)
	$(RUN) -m bench.calm

bench-found: $(VENV)/serve ## how soon falls, lost slices and spoilt rows are found (three hours)
	$(RUN) -m bench.found

bench-watching: $(VENV)/test ## what the data of the monitor page costs over many events
	$(RUN) -m bench.watching

bench-stores: $(VENV)/test ## the stories and the kills on Postgres and the Firestore emulator (ten minutes)
	UNROT_TEST_STORES=all $(RUN) -m pytest -rA -k "postgres or datastore" tests/test_rot_story.py \
	tests/test_journey.py tests/run/test_killed.py tests/run/test_killed_online.py tests/learn/test_stream.py

bench-machines: $(VENV)/test ## kill two machines on one Postgres and one emulator under load (ten minutes)
	$(RUN) -m bench.machines

bench-away: $(VENV)/test ## take the store away for half a minute under load, each in each way (ten minutes)
	$(RUN) -m bench.away

drill-dyno: $(VENV)/test $(DYNO)/done ## a dyno of 512 MB: boot, load, SIGTERM, a wiped home, boot again (ten minutes)
	$(RUN) -m bench.dyno

drill-wheel: $(VENV)/test ## build wheel and sdist, install each into an empty environment, use it (five minutes)
	$(RUN) -m bench.wheel

drill-image: $(VENV)/test ## run what the Dockerfile runs, into a clean folder, and serve from there (a minute)
	UNROT_WHOLE_BUILD=1 $(RUN) -m pytest -k clean_folder tests/test_deploy.py

bench-power: $(VENV)/test ## 600 kills and 1,000 simulated power cuts on SQLite (ten minutes; wants strace)
	$(RUN) -m bench.power

bench-coverage: $(VENV)/serve ## how often sets and intervals hold the truth, on twelve tables and in a drift (two minutes)
	$(RUN) -m bench.coverage

bench-outliers: $(VENV)/serve ## tell odd rows apart, beside scikit-learn's detectors (ten seconds)
	$(RUN) -m bench.outliers

bench-explaining: $(VENV)/test ## what exact contributions cost, beside shap (ten minutes)
	$(RUN) -m bench.explaining

bench-anchors: $(VENV)/test ## do the rules that hold answers hold in fresh rows, table by table (ten minutes)
	$(RUN) -W ignore -m bench.anchors

bench-store: $(VENV)/serve ## what the store and the caretaker cost: disk, shipping, questions (two minutes)
	$(RUN) -m bench.store

lint: $(VENV)/test ## ruff and mypy only, mending what can be mended
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	$(RUN) -m mypy --strict unrot

clean: ## remove the environment and the caches, not the data in var/
	rm -rf $(VENV) .venv-* .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 with venv is needed and was not found. \
	Install it (Debian: apt install python3 python3-venv), or say where: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/serve: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the server needs (about a minute) …"
	@$(RUN) -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test: requirements.txt requirements-dev.txt requirements-data.txt | $(VENV)/bin/python
	@echo "Installing what the tests need (about a minute) …"
	@$(RUN) -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@$(RUN) -m pip install -qq --disable-pip-version-check --no-deps -r requirements-data.txt
	@touch $(VENV)/serve $@

# What a dyno has and nothing beside it.
$(DYNO)/done: requirements.txt | $(VENV)/bin/python
	@$(RUN) -m venv $(DYNO)
	@$(DYNO)/bin/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@$(DYNO)/bin/python -m unrot.run.sparing
	@touch $@

# Vendors pin what they stand on: the clients have environments of their own.
$(CLIENTS)/done: tests/clients/requirements.txt tests/clients/requirements-seldon.txt | $(VENV)/test
	@echo "Installing other people's clients (about a minute) …"
	@$(RUN) -m uv venv -q --clear --python $(RUN) $(CLIENTS)/main
	@$(RUN) -m uv pip install -q --python $(CLIENTS)/main/bin/python -r tests/clients/requirements.txt
	@$(RUN) -m uv venv -q --clear --python $(RUN) $(CLIENTS)/seldon
	@$(RUN) -m uv pip install -q --python $(CLIENTS)/seldon/bin/python -r tests/clients/requirements-seldon.txt
	@touch $@
