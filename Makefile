# The verbs. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
comma := ,

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what building and testing need (servers, cargo tools)
	@scripts/setup lint test

.PHONY: run
run: ## Build and start the demo: embedded stores, two tenants, no configuration
	@cargo run --locked -p gateway --bin muster -- demo

.PHONY: test
test: ## Run everything, on SQLite and on PostgreSQL
	@scripts/setup test
	@scripts/services scripts/test

.PHONY: test-pg
test-pg: ## Run only the crates with stores, on PostgreSQL
	@scripts/setup test
	@scripts/services scripts/test postgres

.PHONY: fmt
fmt: ## Format the code
	@cargo fmt --all

.PHONY: lint
lint: ## Check formatting, lints, documentation, layering, licences, spelling
	@scripts/setup lint
	@scripts/lint

.PHONY: check
check: lint test ## All that CI runs

.PHONY: migrate
migrate: ## Bring the configured databases to this version's schema
	@cargo run --locked -p gateway --bin muster -- migrate

.PHONY: doc
doc: ## Build the code's documentation
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

.PHONY: docs
docs: ## Write the pages that are made from the code
	@MUSTER_WRITE_DOCS=1 cargo nextest run --locked --workspace -E 'test(/the_page_of_.*_is_what_the_code_says/)'

.PHONY: bench
bench: ## Measure: criterion, and an HTTP load run beside its yardstick
	@scripts/setup bench
	@scripts/bench

.PHONY: big
big: ## Ask for lists of a tenant with 1 000 000 people, on both databases
	@scripts/setup bench
	@scripts/big

.PHONY: crash
crash: ## Kill the server in the middle of creates, again and again
	@scripts/setup test
	@scripts/crash

.PHONY: drill-move
drill-move: ## Move tenants between shards and regions while they are written, and kill movers and servers
	@scripts/setup test
	@scripts/move

.PHONY: fleet
fleet: ## Start two regions of two nodes with links that can be broken, and say how
	@scripts/setup chaos
	@scripts/fleet

.PHONY: chaos
chaos: ## Break a fleet under load, row by row of docs/reliability.md: ROWS=F1,F3 for some
	@scripts/setup chaos
	@scripts/chaos --page docs/reliability.md $(subst $(comma), ,$(ROWS))

.PHONY: drill-ha
drill-ha: ## Kill the leader of a PostgreSQL cluster under load, and count what was lost
	@scripts/setup ha
	@scripts/drill-ha

.PHONY: simulate
simulate: ## Work out who is hit when a part fails, and what growth moves (docs/scaling.md)
	@scripts/simulate --write
	@scripts/simulate

.PHONY: conformance
conformance: ## Check the gateway against the SCIM RFCs, with a public tester and our own client, on both databases
	@scripts/setup test
	@scripts/conformance

.PHONY: api-fuzz
api-fuzz: ## Attack the admin API with what its OpenAPI document says, on both databases
	@scripts/setup test
	@scripts/api-fuzz

.PHONY: fuzz
fuzz: ## Fuzz the parsers, 10 minutes each
	@scripts/fuzz

.PHONY: nightly
nightly: ## What takes an hour: fuzzing, 100 000 filters, conformance, the admin API, crashes, measurements
	@scripts/nightly

.PHONY: db-up
db-up: ## Start the databases, Redis, a collector and a trace viewer in containers
	@docker compose up --detach --wait postgres-registry postgres-us postgres-eu redis otel-collector jaeger

.PHONY: db-down
db-down: ## Stop them and throw their data away
	@docker compose down --volumes
