# `make demo` and `make test` work on a fresh machine with Python 3.11+ and make.
SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
CORES ?= 2
STUDY ?= demo
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONPATH := scripts
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo run test check lock bench bench-schemes prove clean help

help:
	@echo "make demo            the synthetic four-site study, from nothing to a report"
	@echo "make run STUDY=name  a study under config/studies, or a folder with a study.yaml"
	@echo "make test            the whole test suite"
	@echo "make check           format, lint, types, workflow lint, schemas and shipped studies"
	@echo "make bench           EMBER beside plain scripts at 10,000 to 1,000,000 participants"
	@echo "make prove           the long proofs; results go to docs/evidence"
	@echo "make lock            regenerate requirements.lock and environment.yml"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "EMBER needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: STUDY := demo
demo: run

run: $(READY)
	@$(BIN)/ember run $(STUDY) --cores $(CORES)

test: $(READY)
	$(BIN)/python -m pytest -n $(CORES) --dist loadgroup
	@$(BIN)/python -m tests.evidence

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint --config study=demo
	$(BIN)/python -m pytest tests/config

lock: $(READY)
	$(BIN)/python -m ember.cli.lock

bench: $(READY)
	$(BIN)/python -m tests.bench

bench-schemes: $(READY)
	$(BIN)/python -m tests.bench.schemes

prove: $(READY)
	POLARS_MAX_THREADS=1 $(BIN)/python -m tests.prove

clean:
	rm -rf results reports/*/ build .snakemake
