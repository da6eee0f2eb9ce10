# Every target sets up what it needs; a set-up that finds nothing missing takes a moment.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := bash

export CARGO_TARGET_DIR ?= $(CURDIR)/target

step := scripts/step

# In this order: what is quick and tells most comes first.
every_test := steps-begin setup check test-engine test-purity test-server build size test-lib test-oracle test-page test-types \
	test-packaging test-wasm-pack test-frameworks test-e2e test-conformance
test: export STEPS_LOG := $(CARGO_TARGET_DIR)/steps.log

## Use

.PHONY: help demo test bench
help: ## this list
	@awk -F ':.*## ' '/^## / { printf "\n%s\n", substr($$0, 4) } /^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
	@printf '\nSet up and kept in: $${STEADYSTREAM_CACHE:-~/.cache/steadystream}\n'

demo: build server ## build everything, serve the demo, print its address (PORT=8080 to choose the port)
	@scripts/demo

test: $(every_test) ## set up everything and run every test
	@$(step) --summary

bench: setup-rust setup-node setup-browser build server ## measure beside the peers, in Chromium
	@$(step) 'benchmarks' node tests/bench/run.mjs $(ARGS)

## Single steps

.PHONY: setup check build build-dev server size size-write clean
setup: setup-rust setup-tools setup-node setup-packaging setup-browser ## everything that building and testing need
build: setup-rust setup-tools-build setup-node ## pkg/wasm from the Rust sources (build-dev: quicker, bigger)
	@$(step) 'wasm build' scripts/build-wasm
build-dev: setup-rust setup-tools-build setup-node
	@$(step) 'wasm build (dev)' scripts/build-wasm --dev
server: setup-rust
	@$(step) 'run-server build' cargo build -p run-server
check: setup-rust setup-node ## format, lints, documentation, lock files
	@$(step) 'checks' scripts/check
size: build ## what a page downloads, against the budgets (size-write: into README)
	@$(step) 'size' node scripts/size.mjs
size-write: build
	@$(step) 'size' node scripts/size.mjs --write
clean: ## remove everything built here (not the set-up that is kept outside)
	cargo clean
	rm -rf node_modules pkg/wasm pkg/*.tgz tests/e2e/.out tests/bench/.out tests/apps/*/node_modules

## Tests

.PHONY: test-engine test-server test-purity test-lib test-oracle test-page test-types test-packaging test-browser test-wasm-pack \
	test-frameworks test-e2e test-conformance
test-engine: setup-rust ## the engine, natively, in virtual time
	@$(step) 'engine' cargo test -p steadystream $(ARGS)
test-server: setup-rust ## run-server, the server that breaks on request
	@$(step) 'run-server' cargo test -p run-server --profile dev $(ARGS)
test-purity: setup-rust ## no wasm crate, clock or socket in the engine
	@$(step) 'purity' cargo test -p steadystream --test purity
test-lib: setup-node build ## the package's JavaScript, in Node
	@$(step) 'package, in Node' scripts/node-tests tests/lib
test-oracle: setup-node build ## UI message streams, beside the reducer of the AI SDK
	@$(step) 'oracle' scripts/node-tests tests/oracle
test-page: setup-node setup-browser build ## the package's side of the page, with the real engine, in Chromium
	@$(step) 'page, in Chromium' scripts/node-tests tests/browser
test-types: setup-node build ## the package's types: what must compile and what must not
	@$(step) 'types' node_modules/.bin/tsc -p tests/types
	@$(step) 'types, beside the AI SDK' node_modules/.bin/tsc -p tests/types/ai-sdk
	@$(step) 'types, of the adapters' node_modules/.bin/tsc -p tests/types/frameworks
	@$(step) 'types, of the React example' node_modules/.bin/tsc -p tests/types/react-app
test-packaging: setup-node setup-packaging setup-browser build ## the packed package in every bundler and framework (ARGS=--all, --only=TEXT)
	@$(step) 'packaging' tests/packaging/run $(ARGS)
test-browser: setup-rust setup-tools-build setup-browser ## Rust in headless Chromium, without wasm-pack
	@$(step) 'browser' scripts/test-browser
test-wasm-pack: setup-rust setup-tools setup-browser ## Rust in headless Chromium, by wasm-pack test --headless --chrome
	@$(step) 'browser, by wasm-pack' scripts/test-browser --wasm-pack
test-frameworks: setup-node setup-browser build server ## the adapters in React, Svelte, Vue and Solid, in Chromium
	@$(step) 'frameworks' scripts/node-tests tests/frameworks
test-e2e: setup-node setup-browser build server ## the package and the demo in Chromium, against run-server and its faults
	@$(step) 'end to end' scripts/node-tests tests/e2e
test-conformance: setup-node setup-browser build ## the drop-in classes against the browser's own, case by case
	@$(step) 'conformance' scripts/node-tests tests/conformance

# The rest is called by the targets above.

.PHONY: setup-rust setup-tools setup-tools-build setup-node setup-packaging setup-browser steps-begin
setup-rust:
	@scripts/setup-rust
setup-tools-build:
	@scripts/setup-tools wasm-bindgen
setup-tools:
	@scripts/setup-tools
setup-node:
	@scripts/setup-node
setup-packaging: setup-node
	@scripts/setup-packaging
setup-browser:
	@scripts/setup-browser
steps-begin:
	@$(step) --begin
