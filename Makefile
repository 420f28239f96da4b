# make run: install what is missing and serve. make test: install what tests need and run them all.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r
# Of what opens a database, these are the same on any: the fault and SDK tests start sites of their
# own (some on Postgres), pages are the same in a browser whatever is below, and so are headers,
# doors and bytes of files.
POSTGRES_SKIPS := $(addprefix --ignore=tests/,browser faults sdk test_security.py test_streaming.py)

.PHONY: run test test-servers lint lock bench screenshots clean

run: $(VENV)/.installed
	@exec $(PY) manage.py serve

# Those that start sites of their own wait for them most of the time: one more at once.
SITES := tests/faults tests/sdk

test: $(VENV)/.installed-dev test-servers
	$(PY) -m pytest -n 2 --dist loadgroup $(addprefix --ignore=,$(SITES))
	$(PY) -m pytest -n 3 --dist loadgroup $(SITES)
	$(PY) -m pytest -n 2 --database=postgres $(POSTGRES_SKIPS)

test-servers:
	@sh tools/install_test_servers.sh

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	@if git grep -n '://' -- 'requirements*.txt' '*package-lock.json' 'tests/sdk/*.txt'; then \
		echo "Lock files may name no host."; exit 1; fi

lock: $(VENV)/.installed-dev
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--custom-compile-command "make lock" -o requirements.txt pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--extra dev -c requirements.txt \
		--custom-compile-command "make lock" -o requirements-dev.txt pyproject.toml

bench: $(VENV)/.installed-dev
	$(PY) -m benchmarks.engines
	$(PY) -m benchmarks.serving
	$(PY) -m benchmarks.api
	$(PY) -m benchmarks.derived
	$(PY) -m benchmarks.viewer
	$(PY) -m benchmarks.search

screenshots: $(VENV)/.installed-dev test-servers
	$(PY) -m tools.screenshots

clean:
	rm -rf $(VENV) .venv-sdk .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The venv is made whole or not at all: an interrupted install is started again.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 run")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); sh tools/install_venv_module.sh && $(PYTHON) -m venv $(VENV); }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/pip
	@echo "Installing (once, about half a minute) ..."
	@$(PIP) requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/pip
	@echo "Installing what tests need (once) ..."
	@$(PIP) requirements-dev.txt
	@touch $@ $(VENV)/.installed
