# What to do here. GNU make and Python 3.11 or newer are all it needs.
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
CUSTOMERS ?= 1000
MONTHS ?= 24

.PHONY: run test check seed bench reset

run: $(VENV)/.run ## Serve the demo on http://127.0.0.1:8501 (PORT=… moves it)
	@$(BIN)/python -m seed.accounts
	$(BIN)/streamlit run app.py --server.port $(PORT) --server.address 127.0.0.1

test: $(VENV)/.dev ## Run every test: units, pages, PostgreSQL, browser
	.ci/test

check: $(VENV)/.dev ## Style, types, layers, schema, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m migrations.check
	$(BIN)/python -m pytest -p no:cacheprovider tests/rules

seed: $(VENV)/.run ## Fill the configured database with CUSTOMERS generated customers of MONTHS months
	$(BIN)/python -m seed --customers $(CUSTOMERS) --months $(MONTHS)

bench: $(VENV)/.dev ## Time what matters, side by side
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.bulk
	$(BIN)/python -m benchmarks.search

reset: $(VENV)/.run ## Put the demo back to its first day
	$(BIN)/python -m seed --reset

$(VENV)/bin/pip:
	.ci/venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
