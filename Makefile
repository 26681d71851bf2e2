# Each target sets up the environment that it needs: `make ablations`, `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

STUDY ?= mlp
RUN ?= runs
NAME ?= search_dropout
OPTIONS = $(if $(DATASET),--dataset "$(DATASET)") $(if $(SEEDS),--seeds "$(SEEDS)") \
          $(if $(EPOCHS),--set epochs=$(EPOCHS)) $(if $(VARIANTS),--variants "$(VARIANTS)") $(ARGS)

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables of make ablations: STUDY=mlp DATASET=cifar10|folder:PATH|... SEEDS=5|0,3,7|5..27 EPOCHS=30 VARIANTS=a,b ARGS=\"...\""

ablations: $(VENV)/ready  ## train a study and write its report (STUDY, DATASET, SEEDS, EPOCHS, VARIANTS, ARGS)
	@$(PY) -m runner run "$(STUDY)" $(OPTIONS)

search: $(VENV)/ready  ## search for good settings (NAME=search_dropout, DATASET, EPOCHS, ARGS)
	@$(if $(SEEDS)$(VARIANTS),echo "make search takes no SEEDS or VARIANTS: a search has one seed and chooses its runs itself" >&2; exit 2)
	@$(PY) -m runner search "$(NAME)" $(if $(DATASET),--dataset "$(DATASET)") $(if $(EPOCHS),--set epochs=$(EPOCHS)) $(ARGS)

report: $(VENV)/ready  ## rewrite the reports from the run directories (ARGS=mlp-mnist5k for one)
	@$(PY) -m runner report $(ARGS)

evaluate: $(VENV)/ready  ## evaluate a finished run in detail (RUN=runs/NAME/VARIANT-HASH/seed0, ARGS="--image FILE ...")
	@$(PY) -m runner evaluate "$(RUN)" $(ARGS)

prune: $(VENV)/ready  ## list runs that nothing needs any more, and remove them after you confirm (ARGS=mlp-mnist5k, or ARGS=--checkpoints for weights only)
	@$(PY) -m runner prune $(ARGS)

tensorboard: $(VENV)/ready  ## open TensorBoard for all runs, on this machine only
	@$(PY) -m runner board $(ARGS)

bench: $(VENV)/ready-bench  ## compare with other tools and the machine's limit (ARGS="--data cifar10.zip --epochs 5 --peers plain,ray")
	@$(PY) -m benchmarks.bench $(ARGS)

calibrate: $(VENV)/ready  ## measure how often the statistics err: in simulations, and in a study without differences
	@$(PY) -m benchmarks.calibrate $(ARGS)

soak: $(VENV)/ready  ## kill a study at 100 random moments and compare every number (ARGS="--kills 6 --epochs 60": a short form)
	@$(PY) -m benchmarks.soak $(ARGS)

test: $(VENV)/ready-dev  ## run the tests
	@$(PY) -m pytest $(ARGS)

lint: $(VENV)/ready-dev  ## check the code with ruff, mypy and oxlint
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy
	@$(VENV)/bin/oxlint --quiet -D correctness -D suspicious --ignore-pattern "*.min.js" runner/board/static

clean:  ## remove the environment and caches; runs, reports and data stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Stamps are newer than the requirements, so nothing is installed again while these do not change.
$(VENV)/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), f"Python 3.11 to 3.13 is needed, this is {sys.version.split()[0]}; name one with PYTHON=..."'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/ready-bench: $(VENV)/ready requirements-bench.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

.PHONY: help ablations search report evaluate prune tensorboard bench calibrate soak test lint clean
