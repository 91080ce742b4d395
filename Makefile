# make demo   sets up .venv and runs fetch-data, train-predictor and profile on the built-in reference tables
# make test   sets up .venv and runs the tests
# make ui     opens MLflow on the runs of this folder
# make lint   ruff, mypy and the direction of imports
# make release-check   builds and checks the archives, and runs the demo from the wheel in a bare environment
# make bench  the benchmarks;  make clean  removes the environment and built files
# make fuzz   reads 100,000 damaged files with every parser: 5 minutes
# make mutants   changes one thing at a time in the numerical core, and sees whether a test fails
# make test-signals   200 signals at random moments of the commands: 15 minutes
# make test-timing   the tests that compare latencies, and so need a quiet machine
# make test-runtimes   installs LiteRT and ExecuTorch, and converts many networks with each run-time: hours

PYTHON ?= python3
VENV ?= .venv
MUTANTS ?= 200
MUTANTS_SEED ?= 0
MUTANTS_OF ?=
BIN := $(VENV)/bin
RUNTIMES_OF ?=
TYPED := build/typed

.PHONY: setup demo release-check test test-timing test-runtimes test-signals fuzz mutants ui lint format bench clean
.DEFAULT_GOAL := setup

setup: $(VENV)/.ready

# Without torch: what fetching, training, profiling, reducing and searching need.
$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.ready: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/.base
	$(BIN)/blockprof fetch-data --space pn --source reference
	$(BIN)/blockprof train-predictor --space pn --metric npu
	$(BIN)/blockprof profile --space pn --metrics npu,accuracy
	@echo "See the runs with: make ui"

# One thread a process: the tests run in as many processes as there are cores.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

# Compares latencies, one test at a time, with nothing else going on.
test-timing: setup
	$(BIN)/python -m pytest -m timing

# RUNTIMES_OF='litert and pn' takes some of the tests.
test-runtimes: setup
	$(BIN)/blockprof doctor --install litert --install executorch
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m runtimes -k '$(RUNTIMES_OF)'

# 100,000 changed files for each parser, or a share of that; BLOCKPROF_FUZZ_SEED=N gives others.
fuzz: setup
	BLOCKPROF_FUZZ=100000 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal tests/fuzz

# A random sample, of the whole core or of the files and folders MUTANTS_OF.
mutants: setup
	OMP_NUM_THREADS=1 nice -n 10 $(BIN)/python tests/mutants --mutants $(MUTANTS) --seed $(MUTANTS_SEED) $(MUTANTS_OF)

test-signals: setup
	BLOCKPROF_SIGNALS=200 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -s tests/cli/test_signals.py

ui: $(VENV)/.base
	$(BIN)/mlflow ui

# cli/ and predictors/ are sub-packages of blockprof: the type checker and import-linter see them so in a copy.
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf $(TYPED)
	mkdir -p $(TYPED)/blockprof
	cp -r blockprof/* cli predictors $(TYPED)/blockprof/
	MYPYPATH=$(TYPED) $(BIN)/mypy --package blockprof
	cd $(TYPED) && $(abspath $(BIN))/lint-imports $(CURDIR)/pyproject.toml --no-cache

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python tests/benchmarks/bench_profile.py
	$(BIN)/python tests/benchmarks/bench_training.py
	$(BIN)/python tests/benchmarks/bench_onnx.py
	$(BIN)/python tests/benchmarks/bench_design.py
	$(BIN)/python tests/benchmarks/bench_search.py
	$(BIN)/python tests/benchmarks/bench_reduction.py
	$(BIN)/python tests/benchmarks/bench_images.py

release-check: setup
	bash .ci/release-check $(abspath $(BIN))

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
