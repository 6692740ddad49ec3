# Bền Vững. A bare machine needs Python 3.11 or newer and make; everything else is set up here.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help setup setup-all demo up test check bench contracts faults planted compose-test test-browser test-node env

UV := $(shell command -v uv 2>/dev/null || echo .benvung/uv/bin/uv)
RUN := $(UV) run --no-sync
PY := shared services deploy tests
SERVICES := households funding training reporting
# Modules are compiled once, not at each of the many starts.
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

setup: ## install what running needs
	@deploy/setup.sh --no-dev --inexact

setup-all: ## install what developing needs too
	@deploy/setup.sh

demo: setup ## the main job on a district's real figures, from beginning to end; stops everything
	@$(RUN) benvung demo

up: setup ## keep the whole system running on this machine until Ctrl-C
	@$(RUN) benvung up

test: check ## all tests that need neither browser nor Node
	$(RUN) pytest -n 2 -m "not browser and not node"

check: setup-all ## style, types, contracts, house rules; seconds
	$(RUN) ruff check $(PY) && $(RUN) ruff format --check $(PY)
	$(RUN) mypy $(PY) && $(RUN) lint-imports
	for s in $(SERVICES); do DATABASE_URL=postgresql:// $(RUN) $$s contracts --check || exit 1; done
	$(RUN) pytest -q tests/architecture

SEEDS ?= 1..20
REQUESTS ?= 10000
faults: setup-all ## long campaigns of faults; SEEDS=1..20 REQUESTS=10000, one seed repeats one run
	FAULT_STEPS=10000 $(RUN) pytest -q -s -n 0 tests/faults/model
	$(RUN) python -m tests.faults --seeds $(SEEDS) --requests $(REQUESTS)

planted: setup-all ## plant known bugs one by one and see the tests that catch them
	$(RUN) python -m tests.planted

bench: setup-all ## how fast, on this machine
	$(RUN) python -m tests.load.bench

contracts: setup-all ## write what each service promises; refuses to break a promise
	for s in $(SERVICES); do DATABASE_URL=postgresql:// $(RUN) $$s contracts || exit 1; done

test-browser: setup-all ## the pages in a real browser; needs chromium
	$(RUN) pytest -m browser

test-node: setup-all ## referees and subscribers that need Node 20
	cd tests/contracts/node && npm ci --ignore-scripts --no-audit --no-fund
	cd deploy/agencies && npm ci --ignore-scripts --no-audit --no-fund
	$(RUN) pytest -m node

env: ## write random passwords for docker compose to .env, once
	@python3 deploy/make_env.py

compose-test: setup ## build the images, bring compose up, run the main job against it, take it down
	@$(RUN) python -m benvung_local.compose
