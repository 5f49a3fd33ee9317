# The commands of this project. Each installs what it needs first; the second run is quick.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
export PYTHON

.PHONY: help demo dev test check fmt docs lock interop bench-saml bench-limits bench-requests bench-credentials fuzz install
.DEFAULT_GOAL := help

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 16

demo: install ## start the server, sign in once by SAML and once by OIDC, keep serving
	$(BIN)/vestibule demo

dev: install ## start the server with a test identity provider and a demo application
	$(BIN)/vestibule dev

test: install ## run every test, in parallel and in random order
	scripts/tests.sh
	$(BIN)/pytest -n 2 --dist worksteal --ignore tests/interop

check: install ## format, lint, types, layers, sizes, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/meta

fmt: install ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs: install ## write docs/reference anew from the code
	$(BIN)/python -m docs.generate

lock: install ## resolve the dependencies anew, with hashes, into requirements/
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --output-file requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --output-file requirements/development.txt \
		--group dev --constraint requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --output-file requirements/bench.txt \
		--group bench --constraint requirements/development.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --output-file requirements/fuzz.txt \
		--group pyproject.toml:fuzz

interop: install ## sign in through identity providers that others wrote
	interop/install.sh
	$(BIN)/pytest -p no:randomly tests/interop

bench-saml: install ## what verifying a SAML response costs, beside other verifiers
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	$(BIN)/python -m bench.saml

bench-limits: install ## what counting requests adds to a login
	scripts/tests.sh
	$(BIN)/python -m bench.limits

bench-requests: install ## what a login and a session check cost
	$(BIN)/python -m bench.requests

bench-credentials: install ## whether time tells anything about a wrong API secret
	$(BIN)/python -m bench.credentials

fuzz: install ## change SAML messages and API requests at random for five minutes (FUZZ="--seconds 60 --seed 1")
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	$(BIN)/python -m fuzz $(FUZZ)

install: $(INSTALLED) ## make .venv with the locked packages

$(INSTALLED): requirements/development.txt pyproject.toml scripts/python.sh
	scripts/python.sh
	@touch $@
