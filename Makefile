# The two commands of a newcomer are `make demo` and `make test`; both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test lint matrix law mutants bench lock clean help

demo: $(VENV)/run.stamp  ## run the production gate against the built-in simulator
	$(BIN)/diga-verify demo --explain-exit

test: $(VENV)/dev.stamp  ## run all tests
	$(BIN)/pytest -n auto

lint: $(VENV)/dev.stamp  ## linters, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

matrix: $(VENV)/dev.stamp  ## print failures x types -> exit code
	$(BIN)/pytest -n auto tests/test_fault_matrix.py --matrix

RUNS ?= 10000
SEED ?= 0
law: $(VENV)/dev.stamp  ## RUNS random runs with faults: none may pass that should not
	$(BIN)/pytest -n auto tests/test_law.py --law-runs $(RUNS) --law-seed $(SEED)

mutants: $(VENV)/dev.stamp  ## do the tests notice small mistakes in the code that decides verdicts?
	$(BIN)/python -m tools.mutants

bench: PARTS   = help script chain scale
bench: SIZES   = 10 1000 10000 100000
bench: RUNS    = 5
bench: LATENCY = 0.1
bench: $(VENV)/dev.stamp  ## what does the gate cost, here? PARTS, SIZES, RUNS, LATENCY; WRITE=1 renews docs/performance.md
	$(BIN)/python -m tools.bench --parts $(PARTS) --sizes $(SIZES) --runs $(RUNS) --latency $(LATENCY) $(if $(WRITE),--write)

lock: $(VENV)/dev.stamp  ## renew requirements/*.txt from pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
	    --python-version 3.11 pyproject.toml --group build -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
	    --python-version 3.11 pyproject.toml --group build --group dev -c requirements/run.txt -o requirements/dev.txt

clean:  ## remove the virtual environment and what was built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

help:  ## this text
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# The package itself is installed without asking any index: its dependencies are the locked ones, or it fails.
$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --no-index --editable .
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	$(PIP) --require-hashes -r requirements/dev.txt
	touch $@
