# Two commands: `make run` and `make test`. The others are for people who change things.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := run
.PHONY: run test lint check check-all cluster access-tools add-tools batch-tools train bench soak mutants requirements licences docs files weigh sbom browser clean

# A system that lacks ensurepip makes environments without pip; its own pip then installs into them.
PIP = $$(test -x $(BIN)/pip && echo $(BIN)/python -m pip || echo $(PYTHON) -m pip --python $(BIN)/python)

# Byte-compiled packages import in a third of the time, so pip is left to compile them.
$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Formcast needs Python 3.11 or newer; this is `$(PYTHON) --version`. Say which one to use: make run PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m pip --version >/dev/null 2>&1 && $(PYTHON) -m venv --without-pip $(VENV); } || { rm -rf $(VENV); echo "Python's venv module is missing. Install it: apt install python3-venv"; exit 1; }
	@echo "Installing what Formcast needs into $(VENV) (once, about a minute) …"
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/requirements.txt
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

$(VENV)/add.stamp: $(VENV)/run.stamp model/requirements.txt
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

$(VENV)/batch.stamp: $(VENV)/run.stamp model/serving/batch/requirements.txt
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

$(VENV)/access.stamp: $(VENV)/run.stamp app/limits/requirements.txt
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

run: $(VENV)/run.stamp  ## start the app on $PORT or 8000
	@echo "Starting on http://localhost:$${PORT:-8000} (stop with Ctrl+C)"
	@PATH="$$PWD/$(BIN):$$PATH" sh -c "exec $$(sed -n 's/^web: //p' Procfile)"

browser: $(VENV)/test.stamp
	@$(BIN)/python -m tests.install

# Three processes take a file each, in the order of collection: many tests wait for servers and
# browsers, and two processes took 350 s of CPU in 365 s on two cores. One thread for each: with
# teams of threads that wait for each other, a training takes three times the CPU. Some machines
# forbid to keep bytecode: each process, and each server that a test starts, would compile anew.
# A process that dies ends the run: with another in its place, pytest-xdist waited for ever.
FIRST_TIER := -m "not second_tier"
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart=0

test: $(VENV)/test.stamp browser  ## everything that must hold, in one command
	$(PYTEST) $(FIRST_TIER)

lint: $(VENV)/test.stamp  ## style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint browser  ## the gate: style, types, imports, tests
	$(PYTEST) $(FIRST_TIER)

# One run of all tests: each process collects them once. `make -j2` checks types while it installs.
check-all: lint cluster  ## the gate, and what needs a server of another kind (nginx under load) or is long
	$(PYTEST) -m "not sample"

cluster: browser
	@$(BIN)/python -m tests.install --cluster --image

add-tools: $(VENV)/add.stamp  ## what `flask --app wsgi model add` needs beyond serving: pandas, onnx, skl2onnx

access-tools: $(VENV)/access.stamp  ## what FORMCAST_ACCESS_CERTS needs: PyJWT

batch-tools: $(VENV)/batch.stamp  ## what `flask --app wsgi model predict` needs for Parquet and workbooks: pyarrow, python-calamine

train: $(VENV)/test.stamp  ## retrain every bundled model; REPORTS=FILE are sales that visitors reported, CHEST_XRAY=DIR names its pictures
	$(BIN)/python -m model.house_price.train $(if $(REPORTS),--reports $(REPORTS))
ifdef CHEST_XRAY
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r model/chest_xray/requirements.txt
	$(BIN)/python -m model.chest_xray.train $(CHEST_XRAY) --work .cache/chest_xray
else
	@echo "The chest X-ray model stays as it is: its pictures are not in the repo. make train CHEST_XRAY=DIR"
endif

bench: $(VENV)/test.stamp  ## CPU per request against a bare Flask route; three minutes
	@$(BIN)/python -m tests.benchmarks

soak: $(VENV)/test.stamp  ## slow clients, kills, stops and reloads under load, and the API under many requests; about ten minutes
	@$(BIN)/python -m tests.install --soak
	@$(BIN)/python -m tests.soak

mutants: $(VENV)/test.stamp  ## small faults in the code, and which no test notices; some hours (COUNT=60 SEED=0: fewer)
	@$(BIN)/python tests/studies/mutants.py $(COUNT) $(SEED)
COUNT := 300
SEED := 0

PIN := $(BIN)/uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate
UPGRADE := --upgrade
requirements: $(VENV)/test.stamp  ## pin anew what pyproject.toml asks for; UPGRADE= keeps every version that can stay
	$(PIN) $(UPGRADE) -o requirements.txt
	$(PIN) --group train -c requirements.txt -o model/requirements.txt
	$(PIN) --group cluster -c requirements.txt -o tests/docs/cluster-requirements.txt
	$(PIN) --group batch -c requirements.txt -o model/serving/batch/requirements.txt
	$(PIN) --group access -c requirements.txt -o app/limits/requirements.txt
	$(PIN) --group postgres -c requirements.txt -o app/feedback/requirements.txt
	$(PIN) --group train --group access --group postgres --group test -c requirements.txt -o tests/requirements.txt
	@$(MAKE) --no-print-directory licences

licences: $(VENV)/run.stamp  ## list anew the licences of what is installed to serve
	$(BIN)/python deploy/licences.py > deploy/licences.md

docs: $(VENV)/test.stamp  ## write anew what the documentation takes from the code
	$(BIN)/python -m docs.generate

files: $(VENV)/run.stamp  ## print every room of the code with its files, and what each is for
	@$(BIN)/python -m docs.files

weigh: $(VENV)/test.stamp  ## what a release weighs: its packages in a fresh environment, and its code
	@d=$$(mktemp -d) && $(BIN)/uv venv --quiet --python $(BIN)/python $$d/venv && $(BIN)/uv pip install --quiet --python $$d/venv/bin/python --compile-bytecode --require-hashes -r requirements.txt && \
	echo "packages: $$(du -sm $$d/venv | cut -f1) MB, compressed $$(( $$(tar -cz -C $$d/venv . | wc -c) / 1000000 )) MB"; rm -rf $$d; \
	echo "code: compressed $$(( $$(git archive HEAD | gzip | wc -c) / 1000000 )) MB"

sbom: $(VENV)/test.stamp  ## a software bill of materials (CycloneDX) of what is installed to serve, on standard output
	@$(BIN)/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible

clean:
	rm -rf $(VENV) .cache/release .pytest_cache .mypy_cache .ruff_cache .hypothesis
