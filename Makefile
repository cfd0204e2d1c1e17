# Every target sets up what it needs; a second run finds it in place.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup engine gvisor images node-tools demo test hostile check lint format types imports lengths lock bench clean

BIN := .venv/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with Soundstage and its test dependencies
	@scripts/setup.sh

engine: ## make sure a Docker engine answers (SOUNDSTAGE_NO_SYSTEM=1: only say how)
	@scripts/engine.sh

gvisor: setup engine ## give the engine gVisor's runtime, the stronger isolation (SOUNDSTAGE_NO_SYSTEM=1: only say how)
	@scripts/gvisor.sh

images: setup engine ## build the sandbox images that are missing or changed
	@$(BIN)/soundstage images build

node-tools: setup ## install the programs of the MCP project that tests run, in build/node
	@scripts/node_tools.sh

demo: setup engine ## watch a task planned, coded, tested, corrected and verified
	@$(BIN)/soundstage images build python
	$(BIN)/soundstage run "Create a fibonacci function with tests"

test: setup engine images node-tools ## run the whole test suite with coverage
	scripts/test.sh

hostile: images gvisor ## run the hostile corpus and write its table into docs/security.md
	@scripts/hostile.sh

check: lint types imports lengths test ## everything a change must pass

lint: setup ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## check types
	$(BIN)/mypy

imports: setup ## check that imports point downward only
	$(BIN)/lint-imports

lengths: setup ## check the length of files and functions
	$(BIN)/python scripts/check_lengths.py

lock: setup ## write the lock files anew (UPGRADE=1: with the newest versions)
	@scripts/lock.sh

bench: setup engine images ## measure, and print a table
	$(BIN)/python bench/run.py

clean: ## remove caches and build output (not .venv)
	rm -rf build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
