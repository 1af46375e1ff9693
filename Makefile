# Everything a newcomer needs: `make demo` and `make test` set up what they lack.
MAKEFLAGS += --no-print-directory
# Kept byte code, whatever the environment says: demo and tests start hundreds of processes, and each run of a workflow
# imports its code anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo dev test check bench soak lock

help:
	@echo "make demo     one base through its whole path on a real Temporal server"
	@echo "make test     all tests        make check   format, lint, types, import contracts"
	@echo "make dev      server, Temporal Web and worker on this machine"
	@echo "make bench    the measured claims        make setup   only the environment"

setup: $(READY)

# The stamp comes last, so an interrupted set-up is done again.
$(READY): requirements.lock pyproject.toml
	@bash setup.sh $(VENV)
	@touch $(READY)

demo: setup
	@$(BIN)/livebase demo $(ARGS)

dev: setup
	@$(BIN)/livebase dev $(ARGS)

test: setup
	@bash tests/system-packages.sh
	@$(BIN)/python -m connection.binaries
	@$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@bash tests/system-packages.sh
	@$(BIN)/python -m bench $(ARGS)

# A hundred lifecycles with their money while worker and server are killed: some minutes.
soak:
	@$(MAKE) bench ARGS=soak

# Renews the lock. Needs uv. Universal, every hash pinned, no index or host named.
lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev --no-header --no-emit-index-url \
		pyproject.toml -o requirements.lock
