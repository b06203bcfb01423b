# Everything runs in .venv, which is made from the lock files when it is needed.
#   make PYTHON=python3.12 ...   choose the Python;   make ARGS="-k split" test   pass arguments on

VENV ?= .venv
BIN := $(VENV)/bin
RUNTIME = @VENV='$(VENV)' PYTHON='$(PYTHON)' .ci/environment runtime
DEVELOP = @VENV='$(VENV)' PYTHON='$(PYTHON)' .ci/environment develop
OTHERS_VENV := .venv-others
OTHERS = @VENV='$(OTHERS_VENV)' PYTHON='$(PYTHON)' .ci/others
CHECKED := knary gateway simulator sample_apps tests benchmarks hatch_build.py

.DEFAULT_GOAL := help

# What runs the gateway's own modules, in the test's process or in a worker's.
GATEWAY_TESTS := tests/gateway tests/conformance tests/journeys tests/test_compiled.py \
	tests/simulator/cli/test_commands.py tests/simulator/cli/test_following.py \
	tests/simulator/test_client.py

.PHONY: help demo test test-all test-pythons test-compiled compile compile-clean lint format types contracts \
	check scenarios conformance conformance-api conformance-websocket durability bench soak bench-api bench-gateway bench-gateway-all \
	bench-emulator bench-lag bench-memory bench-peers bench-results bench-profile bench-split \
	bench-startup bench-sticky bench-tables bench-turns bench-updates lock clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "make %-22s %s\n", $$1, $$2}'

demo: ## Play the canary story with real requests
	$(RUNTIME)
	@$(BIN)/knary demo $(ARGS)

test: ## Run the tests
	$(DEVELOP)
	@$(BIN)/python -m pytest $(ARGS)

test-pythons: ## Run the tests with each Python found of 3.11 to 3.13
	@for version in 3.11 3.12 3.13; do \
		if python$$version -c '' 2>/dev/null; then \
			$(MAKE) --no-print-directory VENV=.venv-$$version PYTHON=python$$version test || exit 1; \
		else echo "knary: python$$version is not found, skipped" >&2; fi; \
	done

test-all: test-pythons test-compiled scenarios conformance conformance-websocket durability ## Run all tests, in their long forms

compile: ## Compile the gateway (docs/compiled.md)
	$(DEVELOP)
	@$(BIN)/python hatch_build.py $(ARGS)

compile-clean: ## Remove the compiled gateway
	@rm -rf gateway/compiled

test-compiled: ## Compile the gateway, and run its tests on that
	$(DEVELOP)
	@$(BIN)/python hatch_build.py
	@KNARY_COMPILED=1 $(BIN)/python -m pytest $(if $(ARGS),$(ARGS),$(GATEWAY_TESTS))

lint: ## Check style, and that the code is formatted
	$(DEVELOP)
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)

format: ## Format the code and mend what can be mended
	$(DEVELOP)
	@$(BIN)/ruff format $(CHECKED)
	@$(BIN)/ruff check --fix $(CHECKED)

types: ## Check types (mypy, strict)
	$(DEVELOP)
	@$(BIN)/mypy

contracts: ## Check who may import whom
	$(DEVELOP)
	@$(BIN)/lint-imports

check: lint types contracts ## Run lint, types and contracts

durability: ## Kill the API 1,000 times; fail each disk call
	$(DEVELOP)
	@KNARY_DURABILITY_ROUNDS=1000 KNARY_DISK_FAULTS=full $(BIN)/python -m pytest \
		tests/simulator/api/test_surviving.py tests/simulator/api/test_disk_faults.py $(ARGS)

soak: ## Ten minutes of load and faults; nothing may be lost
	$(RUNTIME)
	@$(BIN)/python benchmarks/soak.py $(ARGS)

scenarios: ## Play every scenario that knary brings, each on a knary of its own
	$(DEVELOP)
	@KNARY_SCENARIOS=all $(BIN)/python -m pytest tests/journeys/test_scenarios.py $(ARGS)

conformance: ## Test with all that others wrote: clients, suites, Envoy
	$(OTHERS)
	@KNARY_CONFORMANCE=full KNARY_NODE_MODULES="$${KNARY_NODE_MODULES:-$(CURDIR)/$(OTHERS_VENV)/node/node_modules}" \
		$(OTHERS_VENV)/bin/python -m pytest tests/conformance tests/clients \
		--ignore tests/conformance/test_websocket_cases.py \
		tests/gateway/test_h2_tools.py tests/gateway/test_grpc.py $(ARGS)

conformance-api: ## Hold the API against its own OpenAPI documents, for minutes
	$(DEVELOP)
	@KNARY_CONTRACT_EXAMPLES=2000 $(BIN)/python -m pytest tests/simulator/api/openapi/test_contract.py \
		$(ARGS)

conformance-websocket: ## Run all WebSocket cases of kosoku (20 minutes)
	$(OTHERS)
	@KNARY_CONFORMANCE=full $(OTHERS_VENV)/bin/python -m pytest \
		tests/conformance/test_websocket_cases.py $(ARGS)

bench: bench-gateway bench-split bench-startup bench-updates ## Run all benchmarks (reports in benchmarks/out)

bench-gateway: ## Measure CPU per proxied request beside nginx
	$(RUNTIME)
	@$(BIN)/python benchmarks/gateway_cpu.py $(ARGS)

bench-profile: ## Say where a request's CPU time goes, by layer
	$(RUNTIME)
	@$(BIN)/python benchmarks/gateway_profile.py $(ARGS)

bench-gateway-all: ## The same beside four proxies, over many loads
	$(RUNTIME)
	@$(BIN)/python benchmarks/gateway_matrix.py $(ARGS)

bench-api: ## Measure the API with 1,000 watches and 5,000 Services
	$(RUNTIME)
	@$(BIN)/python benchmarks/api_scale.py $(ARGS)

bench-tables: ## Measure what the route table's size and changes cost
	$(RUNTIME)
	@$(BIN)/python benchmarks/table_size.py $(ARGS)

bench-memory: ## Measure a worker's memory: huge bodies, idle clients
	$(RUNTIME)
	@$(BIN)/python benchmarks/memory.py $(ARGS)

bench-peers: ## Install nginx, HAProxy, Envoy, wrk, h2load; say the versions
	$(RUNTIME)
	@VENV='$(VENV)' .ci/peers

bench-results: ## Measure the short set; write benchmarks/RESULTS.md
	$(RUNTIME)
	@$(BIN)/python benchmarks/results.py $(ARGS)

bench-split: ## Measure how exact the splits are, and their latency
	$(RUNTIME)
	@$(BIN)/python benchmarks/split_accuracy.py $(ARGS)

bench-lag: ## Compare how far each splitter strays, without a network
	$(RUNTIME)
	@$(BIN)/knary bench splitters --families $(ARGS)

bench-sticky: ## Measure how far sticky sessions stray, and what one costs
	$(RUNTIME)
	@$(BIN)/python benchmarks/sticky_sessions.py $(ARGS)

bench-emulator: ## Measure what a test waits for: start, reset, close
	$(RUNTIME)
	@$(BIN)/python benchmarks/emulator.py $(ARGS)

bench-startup: ## Measure start, update and `knary get`
	$(RUNTIME)
	@$(BIN)/python benchmarks/startup.py $(ARGS)

bench-turns: ## Measure turns that several workers take together
	$(RUNTIME)
	@$(BIN)/python benchmarks/shared_turns.py $(ARGS)

bench-updates: ## Change a split 20 times under load, losing none
	$(RUNTIME)
	@$(BIN)/python benchmarks/updates_under_load.py $(ARGS)

lock: ## Pin the newest versions in locks/ (from the network)
	@VENV='$(VENV)' PYTHON='$(PYTHON)' .ci/lock

clean: ## Remove what was made: environments, caches, reports
	@rm -rf .venv .venv-* dist build *.egg-info benchmarks/out gateway/compiled .mypy_cache .pytest_cache \
		.ruff_cache .hypothesis .import_linter_cache
	@find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +
