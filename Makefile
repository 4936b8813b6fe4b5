# `make help` lists the targets. All but help, web and clean first create or update .venv if necessary.

PYTHON ?= python3.11
PORT ?= 8000
BIN := .venv/bin
PYTEST := python -m pytest --numprocesses auto
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup workspace repro comparators plots retrain schedule ui demo web test test-unit test-services test-web lint format \
        lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(BIN)/.made ## create the environment .venv from requirements.lock

$(BIN)/.made: requirements.lock bootstrap.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r bootstrap.lock
	uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes --requirement requirements.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

workspace: setup # verify that DVC can use this folder, before anything runs
	python -m pipelines.workspace_check

data/incoming: | workspace
	if grep -q 'nfiles: 0$$' $@.dvc; then mkdir -p $@ && dvc add --quiet $@; else dvc pull $@; fi

repro: setup data/incoming ## run the stages that are out of date, log them to MLflow, show the comparison
	splitpose settings
	dvc repro
	splitpose sync
	splitpose compare

comparators: setup data/incoming ## measure the networks of the paper's Figure 1 (minutes) and add them to the report
	find src -name __pycache__ -prune -exec rm -r {} + # they would be part of the deps; .dvcignore does not apply here
	PYTHONDONTWRITEBYTECODE=1 dvc --cd comparators repro
	dvc repro --force --single-item report

plots: setup .dvc/vega/node_modules/.made ## plot training and PCK of all variants with DVC (requires Node.js and npm)
	dvc plots show

.dvc/vega/node_modules/.made: .dvc/vega/package.json .dvc/vega/package-lock.json .dvc/vega/.npmrc
	@command -v npm > /dev/null || { echo "error: DVC's plots require Node.js and npm (Debian: apt install npm)"; exit 1; }
	cd .dvc/vega && npm ci --silent
	touch $@

retrain: setup ## train the champion on new data, and promote the result if it passes the gate
	splitpose retrain

schedule: setup ## run the schedules of prefect.yaml on this machine until Ctrl-C (Prefect UI on 127.0.0.1:4200)
	splitpose schedule

ui: setup ## serve MLflow's UI on 127.0.0.1:5000 until Ctrl-C, and open the comparison of the present runs
	splitpose ui

demo: setup web ## serve the web page with your models on 127.0.0.1 (PORT=8000)
	splitpose demo --port $(PORT)

web: web/dist/index.html ## build the web page into web/dist (requires Node.js and npm)

web/dist/index.html: web/node_modules/.made web/build.mjs $(wildcard web/src/*)
	cd web && npm run --silent build

web/node_modules/.made: web/package.json web/package-lock.json web/.npmrc
	@command -v npm > /dev/null || { echo "error: the web page requires Node.js and npm (Debian: apt install npm)"; exit 1; }
	cd web && npm ci --silent
	touch $@

test: setup ## run all tests except those of several machines, with branch coverage
	$(PYTEST) --dist loadfile --no-loadscope-reorder --ignore tests/services --cov --cov-report=
	@echo "branch coverage (%):" && coverage report --format=total

test-unit: setup ## run the unit tests (a minute)
	$(PYTEST) --dist worksteal -m unit

test-services: setup ## run the tests of several machines on loopback (requires Debian's postgresql)
	python -m pytest tests/services

test-web: setup ## run the tests of the web page (requires Debian's npm and chromium)
	python -m pytest tests/vectors tests/web

lint: setup ## check format, style, types and package layers
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory web/node_modules/.made && cd web && npm run --silent types; \
	else echo "skipped: the types of web/src (npm is not installed)"; fi

format: setup ## fix format and style
	ruff format .
	ruff check --fix .

lock: setup ## update the versions in requirements.lock and bootstrap.lock
	uv pip compile --quiet --upgrade --python-version 3.11.0 --generate-hashes --extra dev pyproject.toml --output-file requirements.lock
	echo uv | uv pip compile --quiet --upgrade --generate-hashes - --output-file bootstrap.lock

clean: ## delete the pipeline's outputs (not .venv, data/incoming, decisions or MLflow's runs)
	git clean -dfXq --exclude='!/reports/decisions.jsonl' data/raw data/annotations data/crops data/fingerprints models reports
