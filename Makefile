# make demo: sample and score molecules with the bundled model.  make test: run the tests; make quick: those of a minute.
# make lint: formatter and linter.  make types: pyright.  make docs: the documentation, into site/.  Both install into $(VENV) first.
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip
TEST ?= -q -n logical --maxprocesses 4 --dist worksteal

.PHONY: demo test quick lint types docs install clean

demo: $(VENV)/installed
	$(VENV)/bin/symdiff demo

test: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m pytest $(TEST)

quick: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m pytest $(TEST) -m 'not slow'

lint: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m ruff check .

types: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m pyright --pythonpath $(VENV)/bin/python

docs: $(VENV)/installed-for-docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict --quiet

install: $(VENV)/installed

$(VENV)/bin/python:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
	  if $$python -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "error: no Python 3.11, 3.12 or 3.13 was found; name one with make PYTHON=..." >&2; exit 2

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-for-tests: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-for-docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) build dist demo site .pytest_cache .ruff_cache
