# What people do here. `make` alone prints this list.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PACKAGES := shared ingress brain outbound channels_api dashboard humane_ai devstack metasim
UNITS := shared services/ingress services/brain services/outbound services/channels-api services/dashboard sdk/python tools/devstack tools/metasim
# In `make test` a broker or database that is missing fails; nothing is skipped.
PYTEST := REQUIRE_PARTS=1 $(BIN)/python -m pytest -q
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help up test lint format types unit contract integration e2e sdk-pythons screenshots contracts analyse recall model evaluate lock clean install

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## start everything in one process; PORT=8090 chooses another port
	@tools/install.sh run
	@exec $(BIN)/python -m devstack

test: install ## everything: lint, types, import rules, unit, contract, integration, end to end
	@$(MAKE) --no-print-directory lint types
	$(PYTEST) tests

install:
	@tools/install.sh test

lint: install ## style, import rules, declared dependencies, YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	@$(BIN)/lint-imports --no-cache > .lint-imports.log || { cat .lint-imports.log; exit 1; }
	@for unit in $(UNITS); do \
	  found=$$(cd $$unit && $(CURDIR)/$(BIN)/deptry . 2>&1) || { echo "$$unit: $$found"; exit 1; }; \
	done
	$(BIN)/yamllint -s docs services .yamllint.yaml

types: install ## strict types
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES))
	$(BIN)/mypy --python-version 3.10 -p humane_ai
	$(BIN)/mypy --python-version 3.10 sdk/python/examples
	$(BIN)/mypy -p tests

format: install ## rewrite to the project's style
	$(BIN)/ruff check --fix -q .
	$(BIN)/ruff format -q .

unit: install ## unit tests, seconds
	$(PYTEST) tests/unit

contract: install ## wire contracts, and the bus contract on both buses
	$(PYTEST) tests/contract

integration: install ## each service against a real broker and database
	$(PYTEST) tests/integration

e2e: install ## every service as its own process
	$(PYTEST) tests/e2e

sdk-pythons: install ## the client library's tests on its oldest and newest Python, against the running product
	@tools/pythons.sh

screenshots: install ## take the pictures of docs/dashboard.md anew
	$(BIN)/python -m tests.e2e.screenshots

contracts: install ## write docs/schemas, docs/asyncapi.yaml and openapi.json from the code
	$(BIN)/python -m shared.contracts export
	$(BIN)/python -m devstack.openapi export

analyse: ## read {"text": ...} lines: TIER=fast|accurate make analyse < messages.jsonl
	@tools/install.sh run
	@$(BIN)/python -m brain.lab.analyse --tier $(or $(TIER),accurate)

recall: ## recall@3, @5, @10 on conversations: make recall FILE=locomo.json
	@tools/install.sh run
	@$(BIN)/python -m brain.lab.recall "$(or $(FILE),$(error say FILE=...))"

model: ## train all weights anew from DATA=../shared/data (hours on two cores)
	@training/make.sh "$(or $(DATA),../shared/data)"

evaluate: ## every figure of docs/model-card.md from DATA=../shared/data
	@training/make.sh --evaluate "$(or $(DATA),../shared/data)"

lock: install ## resolve anew and pin; releases younger than a week are left out
	$(BIN)/uv lock -q
	$(BIN)/uv export -q --all-packages --all-extras --no-header --no-emit-workspace -o constraints.txt

clean: ## remove the environment and what tools left; keeps .devstack
	rm -rf .venv .pythons .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .lint-imports.log
	find . -name __pycache__ -prune -exec rm -rf {} +
