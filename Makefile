# Every target makes the environment it needs; a second call finds it in place.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
READY := $(VENV)/.ready
TORCH := $(VENV)/.torch
BROWSER := .browser
KERNEL := $(wildcard segeval/counting/scanlines/* segeval/boundaries/*.c)
BENCH := .venv-bench
RIVALS := hotcoco==1.3.0 cityscapesScripts==2.3.0 scikit-learn torch==2.13.0 torchmetrics==1.9.0 monai==1.6.1

.PHONY: demo test test-slow test-torch test-browser run-browser test-wheel test-lowest test-newest lint format bench bench-large bench-scale mutants torture fuzz fuzz-native golden docs docs-site figures samples clean

$(READY): pyproject.toml constraints.txt setup.py $(KERNEL)
	$(PYTHON) -m venv $(VENV)
	$(PIP) "pip>=25.1"  # the first that knows dependency groups
	$(PIP) -c constraints.txt -e ".[report]" --group dev
	@touch $@

$(TORCH): $(READY)
	$(PIP) torch==2.13.0
	@touch $@

$(BENCH)/.ready: pyproject.toml constraints.txt setup.py $(KERNEL)
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e .
	@for rival in $(RIVALS); do \
		$(BENCH)/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt $$rival \
			|| echo "bench: $$rival cannot be installed, so it is left out"; \
	done
	@touch $@

$(VENV)/.docs: $(READY)
	$(PIP) -c constraints.txt --group docs
	@touch $@

$(VENV)/.playwright: $(READY)
	$(PIP) playwright==1.65.2
	@touch $@

$(BROWSER)/node_modules/axe-core/axe.min.js:
	npm install --silent --no-audit --no-fund --no-save --prefix $(BROWSER) axe-core@4.14.1

demo: $(READY)  ## score the sample masks
	$(BIN)/segeval score sample_masks/pred sample_masks/truth --labels sample_masks/labels.toml

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -n auto -q

test-slow: $(READY)  ## run the few tests that take seconds each
	$(BIN)/python -m pytest -n auto -q -m slow

test-torch: $(TORCH)  ## run the tests of the losses on tensors as well
	$(BIN)/python -m pytest -n auto -q tests/losses

test-browser: $(READY)  ## open pages in a browser, which is installed where that is possible
	@if command -v chromium >/dev/null || sh tests/browser/install.sh; then \
		$(MAKE) --no-print-directory run-browser; \
	else \
		echo "test-browser: skipped, there is no chromium and apt-get cannot install it"; \
	fi

run-browser: $(VENV)/.playwright $(BROWSER)/node_modules/axe-core/axe.min.js
	$(BIN)/python -m pytest -n 2 -q tests/browser

test-wheel: $(READY)  ## build the package, install it where nothing else is, and use it
	$(BIN)/python tests/wheel.py

test-lowest: RESOLUTION = lowest-direct
test-newest: RESOLUTION = highest

test-lowest:  ## run the tests with the lowest version of every dependency that is allowed
test-newest:  ## run the tests with the newest version of every dependency
test-lowest test-newest: test-%:
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install -qq --disable-pip-version-check uv
	.venv-$*/bin/uv pip install -q --upgrade --python .venv-$*/bin/python --resolution $(RESOLUTION) -e ".[report]" --group dev
	.venv-$*/bin/python -m pytest -n auto -q --ignore tests/browser

lint: $(READY)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BENCH)/.ready  ## measure against decoding and against other tools, in three minutes
	$(BENCH)/bin/python benchmarks/bench.py
	$(BENCH)/bin/python benchmarks/loss_times.py

bench-large: $(BENCH)/.ready $(READY)  ## measure a run of 100 000 images, intervals, and the memory of losses
	$(BENCH)/bin/python benchmarks/large_run.py
	$(BENCH)/bin/python benchmarks/interval_times.py
	$(BENCH)/bin/python benchmarks/loss_times.py memory
	$(BIN)/python benchmarks/annotation_times.py
	$(BIN)/python benchmarks/boundary_times.py

bench-scale: $(READY)  ## measure how time and memory grow to 100 000 pairs, by engine and storage (S3 with moto)
	$(BIN)/python benchmarks/scale.py

mutants: $(READY)  ## change the code in one place after the other, and see whether a test notices: ROOM=gates MUTANTS=60
	$(BIN)/python tests/mutants/mutants.py $(ROOM) --sample $(or $(MUTANTS),60)

torture: $(READY)  ## kill and interrupt counting programs at random; see how often intervals cover; try pairs of options
	$(BIN)/python tests/runs/torture.py
	$(BIN)/python tests/runs/signals.py
	$(BIN)/python tests/runs/chances.py
	$(BIN)/python tests/properties/options.py

fuzz: $(READY)  ## damage valid files at random, and see them read exactly or refused
	$(BIN)/python tests/fuzz/fuzz.py all --executions 50000

fuzz-native: $(READY)  ## feed damaged masks to the kernel, built with sanitizers
	$(BIN)/python tests/runs/fuzz_native.py
	$(BIN)/python tests/runs/fuzz_bands.py

golden: $(READY)  ## write the expected reports anew; read the difference before committing it
	$(BIN)/python -m pytest -q tests/golden tests/docs/test_docs.py tests/docs/test_howto.py tests/docs/test_tutorial.py --refresh-golden

docs: $(READY)  ## write the pages that are made from data anew
	$(BIN)/python docs/make_conventions.py
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_schema.py
	$(BIN)/python docs/make_home.py

docs-site: $(VENV)/.docs  ## build the pages as a site, in build/docs; what is wrong with them is an error
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

figures: $(READY)  ## draw the figures of the docs anew
	$(BIN)/python docs/figures/losses.py
	$(BIN)/python docs/figures/readme.py
	sed -n 's|^segeval overlay |$(BIN)/segeval overlay |p' docs/pictures.md | sh -e

samples: $(READY)  ## make the sample masks anew
	$(BIN)/python sample_masks/make.py
	$(BIN)/python sample_masks/cells/make.py
	$(BIN)/python sample_masks/lesions/make.py

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest $(BENCH) $(BROWSER) .pytest_cache .mypy_cache .ruff_cache .hypothesis
