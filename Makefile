# Headwater. Two commands on a new machine: `make demo` and `make test`. `make help` lists the rest.
# Each step runs only when something it depends on has changed.

SHELL       := /bin/sh
VENV        ?= .venv
NEWEST      := .venv-newest
OLDEST      := .venv-oldest
BIN         := $(VENV)/bin
INSTALLED   := $(VENV)/.installed
# A file's tests stay in one worker, so that they share the server they started.
PYTEST_ARGS ?= --numprocesses auto --maxprocesses 4 --dist loadfile
# The oldest tools to test with leave event loops of their own open.
UNRAISABLE  := -W default::pytest.PytestUnraisableExceptionWarning
.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

$(INSTALLED): requirements-dev.lock pyproject.toml scripts/venv.sh
	@scripts/venv.sh $(VENV) locked
	@touch $@

.PHONY: install
install: $(INSTALLED) ## .venv with headwater and everything to work on it, in the locked versions

.PHONY: demo
demo: $(INSTALLED) ## the demo shop, served: prints its address and one query with its answer (DEMO_ONCE=1: then stops)
	@$(BIN)/python scripts/serve_demo.py

.PHONY: browser
browser: ## Chromium and its driver, for the browser tests
	@scripts/browser.sh

.PHONY: test
test: $(INSTALLED) browser ## every test
	@$(BIN)/pytest $(PYTEST_ARGS)

.PHONY: test-clients
test-clients: $(INSTALLED) ## real GraphQL clients against a live server (needs Node.js 20 or newer)
	@cd tests/clients && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@cd tests/clients && PYTHON="$(abspath $(BIN)/python)" npm test --silent

.PHONY: test-newest
test-newest: browser ## every test, with the newest allowed dependencies instead of the locked ones
	@scripts/venv.sh $(NEWEST) newest
	@HEADWATER_FUZZ=0.25 $(NEWEST)/bin/python -m pytest -p tests.fuzz $(PYTEST_ARGS)

.PHONY: test-oldest
test-oldest: browser ## every test, with the oldest allowed dependencies (TESTS="tests/engine": only those)
	@scripts/venv.sh $(OLDEST) oldest
	@HEADWATER_FUZZ=0.25 $(OLDEST)/bin/python -m pytest -p tests.fuzz $(PYTEST_ARGS) $(UNRAISABLE) $(TESTS)

.PHONY: test-witness
test-witness: ## funnels and retention against ClickHouse's own functions (170 MB)
	@scripts/venv.sh .venv-witness witness
	@.venv-witness/bin/pytest tests/witness

.PHONY: test-sail
test-sail: ## Spark's dialect, run on Sail
	@scripts/venv.sh .venv-sail sail
	@.venv-sail/bin/pytest tests/spark

.PHONY: test-spark
test-spark: ## Spark's dialect, run on a local Spark (needs Java 17 or newer; 400 MB)
	@scripts/venv.sh .venv-spark spark
	@.venv-spark/bin/pytest tests/spark

.PHONY: fuzz
fuzz: $(INSTALLED) ## the property tests with HEADWATER_FUZZ (20) times as many examples
	@$(BIN)/python -m pytest -p tests.fuzz -m hypothesis $(PYTEST_ARGS)

.PHONY: lint
lint: $(INSTALLED) ## ruff (rules and format) and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.PHONY: format
format: $(INSTALLED) ## put the code in form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: bench
bench: $(INSTALLED) ## the benchmarks: ratios to hand-written SQL in one run
	@$(BIN)/python -m bench

.PHONY: soak
soak: $(INSTALLED) ## thousands of subscribers, then distinct questions: is memory bounded? (MINUTES=2)
	@$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),2)

.PHONY: lock
lock: ## the lock files anew, from the newest allowed versions
	@scripts/lock.sh

.PHONY: web
web: ## GraphiQL anew, from web/graphiql (needs Node.js 20.19 or newer)
	@echo "Building GraphiQL …"
	@cd web/graphiql && npm ci --no-audit --no-fund --loglevel=error >/dev/null && npm run --silent build -- --logLevel warn

.PHONY: image-try
image-try: $(INSTALLED) ## the steps of the Dockerfile, outside of a container
	@DEMO_ONCE=1 $(BIN)/python scripts/serve_demo.py >/dev/null
	@scripts/image-try.sh .demo

.PHONY: ci
ci: ## what continuous integration runs
	@.ci/run

.PHONY: clean
clean: ## remove what was made, but for .venv
	@rm -rf .demo .bench build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis $(NEWEST) $(OLDEST) .venv-witness .venv-sail .venv-spark .venv-lock
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
