# `make help` lists the words. Each makes the environment .venv first, if it is not there or no longer fits.

PYTHON ?= python3.11
PORT ?= 8000
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup repro comparators flow retrain schedule ui demo web test test-services test-web lint format lock clean

help: ## list these words
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(BIN)/.made ## make the environment .venv from requirements.lock

$(BIN)/.made: requirements.lock bootstrap.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r bootstrap.lock
	uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes --requirement requirements.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

repro: setup ## run what changed of the whole pipeline, record it in MLflow, show the comparison
	splitpose settings
	dvc repro
	python -m splitpose.tracking
	splitpose compare

comparators: setup ## time the networks of the paper's Figure 1 beside ours (minutes), and show them in the report
	find src -name __pycache__ -prune -exec rm -r {} + # DVC would take them for code; .dvcignore does not reach here
	PYTHONDONTWRITEBYTECODE=1 dvc --cd comparators repro
	dvc repro --force --single-item report

flow: setup ## the same as a Prefect flow
	python -m pipelines.reproduce

retrain: setup ## new data in, everything made anew, the better model becomes champion
	python -m pipelines.retrain

schedule: setup ## serve prefect.yaml's schedules from this machine until Ctrl-C (Prefect on loopback, port 4200)
	python -m pipelines.schedule

ui: setup ## MLflow's pages of all runs, on loopback, port 5000
	mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000

demo: setup web ## the page: the models on a picture, a video or the camera, on loopback (PORT=8000)
	python -m splitpose.web.demo --port $(PORT)

web: web/dist/index.html ## build the page into web/dist, which any static host can serve (Node.js, npm)

web/dist/index.html: web/node_modules/.made web/build.mjs $(wildcard web/src/*)
	cd web && npm run --silent build

web/node_modules/.made: web/package.json web/package-lock.json web/.npmrc
	@command -v npm > /dev/null || { echo "error: the page needs Node.js and npm (Debian: apt install npm)"; exit 1; }
	cd web && npm ci --silent
	touch $@

test: setup ## run all tests but those of test-services, on all cores
	python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --ignore tests/services

test-services: setup ## several machines on loopback: PostgreSQL (Debian's package), S3, MLflow, Prefect, two workers
	python -m pytest tests/services

test-web: setup ## run the tests of the page alone: Node.js, and Chromium (Debian: apt install npm chromium)
	python -m pytest tests/vectors tests/web

lint: setup ## check format, style and types
	ruff format --check .
	ruff check .
	mypy

format: setup ## mend format and style
	ruff format .
	ruff check --fix .

lock: setup ## choose versions anew: requirements.lock and bootstrap.lock from pyproject.toml
	uv pip compile --quiet --upgrade --python-version 3.11.0 --generate-hashes --extra dev pyproject.toml --output-file requirements.lock
	echo uv | uv pip compile --quiet --upgrade --generate-hashes - --output-file bootstrap.lock

clean: ## remove what the pipeline made (not .venv, data/incoming or MLflow's runs)
	git clean -dfXq --exclude='!/reports/decisions.jsonl' data/raw data/annotations data/crops models reports
