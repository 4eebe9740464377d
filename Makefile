# All verbs of the project; `make help` lists them.
SHELL := /bin/sh
PYTHON ?= $(shell tools/find-python)
VENV := .venv
BIN := $(VENV)/bin
N ?= 10
VMS ?= 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-vm molecule molecule-vm grade lint types contracts check setup setup-test lab-up lab-down lab-status bench \
	constraints catalogue clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Khiên needs Python 3.11 or newer."; exit 1; }
	@tools/make-venv "$(PYTHON)" $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.tests: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,postgresql]'
	@touch $@

setup: $(VENV)/.installed ## Install Khiên into .venv/

setup-test: $(VENV)/.tests ## Install what the tests need into .venv/

# The demo leaves nothing outside the checkout.
demo: export KHIEN_STATE_DIR = $(CURDIR)/.khien
demo: export KHIEN_RUNTIME_DIR = $(CURDIR)/.khien/run
demo: setup ## Verify this machine, read only; findings in the terminal and in khien-report.html
	@$(BIN)/khien verify --inventory inventory/local || test $$? -eq 1
	@$(BIN)/khien host show localhost
	@$(BIN)/khien report --html khien-report.html

test: setup-test ## Run all tests; those that boot real hosts are skipped without root
	$(BIN)/pytest -m 'not slow'

test-slow: setup-test ## Run the longer proofs as well: real security updates, many kills
	$(BIN)/pytest -m slow --deselect tests/lab/test_machines.py

test-vm: setup-test ## Prove the lab's hosts that have a kernel of their own; minutes, and needs qemu-system-x86
	$(BIN)/pytest tests/lab/test_machines.py

# One scenario a role; a container cannot prove what its kernel is not asked for.
VM_ROLES := sysctl filesystem mandatory_access audit
MOLECULE = PATH="$(CURDIR)/$(BIN):$$PATH" molecule test

molecule: setup-test ## Prove each role on fresh lab hosts, or one: make molecule ROLE=sshd; needs root
	$(MOLECULE) $(if $(ROLE),--scenario-name $(ROLE),--all)

molecule-vm: setup-test ## Prove the roles that need a kernel of their own on such hosts; an hour, ROLE= as above
	for role in $(or $(ROLE),$(VM_ROLES)); do KHIEN_MOLECULE_ON=vms $(MOLECULE) --scenario-name $$role || exit 1; done

grade: setup-test ## Let Lynis and OpenSCAP grade fresh hosts before and after hardening (VMS=1: with kernels of their own)
	$(BIN)/python -m tests.lab.grade $(if $(filter-out 0,$(VMS)),--vms)

lint: setup-test ## Style of Python, Ansible and YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline

types: setup-test ## Types, strictly
	$(BIN)/mypy

contracts: setup-test ## Which room may import which
	$(BIN)/lint-imports

check: lint types contracts test ## All that CI checks

lab-up: ## Boot N real hosts, and VMS with a kernel of their own; inventory in .lab/inventory; needs root
	$(PYTHON) -m tests.lab up --hosts $(N) --vms $(VMS)

lab-down: ## Shut the lab's hosts down and remove what they used
	$(PYTHON) -m tests.lab down

lab-status: ## Show the lab's hosts
	$(PYTHON) -m tests.lab status

bench: setup-test ## Measure against rivals in the same run; needs the lab up
	$(BIN)/python -m benchmarks

catalogue: setup-test ## Collect the texts for translators and compile the catalogues
	$(BIN)/pybabel -q extract -F babel.cfg -k _ -k N_ -k ngettext:1,2 -k pgettext:1c,2 --no-location --sort-output \
		--omit-header -o khien/locale/khien.pot .
	$(BIN)/pybabel -q update -i khien/locale/khien.pot -d khien/locale -D khien --no-fuzzy-matching \
		--ignore-obsolete --width 100
	$(BIN)/pybabel -q compile -d khien/locale -D khien

constraints: setup-test ## Pin what is installed now
	$(BIN)/python tools/write-constraints.py

clean: ## Remove what the targets made
	rm -rf .venv .venv-3.11 .khien .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
