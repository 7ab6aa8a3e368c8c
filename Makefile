# What a person types here: demo, test, bench. Everything else serves these.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
LDFLAGS := -s -w
FUZZTIME ?= 10s

.PHONY: help
help: ## say what can be asked
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build both programs into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

.PHONY: demo
demo: build ## a server with a sample organization and a simulated model
	bin/gatehoused demo

.PHONY: test
test: ## every test, with real databases, a real browser and the real clients
	scripts/test-deps
	scripts/test

.PHONY: lint
lint: ## formatting and vet alone
	scripts/lint

.PHONY: bench
bench: ## the cost of a request beside a bare proxy, of the console's pages for a large organization, and of the member's command
	scripts/bench

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	FUZZTIME=$(FUZZTIME) scripts/fuzz

.PHONY: clone-check
clone-check: ## build a fresh clone, as a newcomer would
	scripts/clone-check

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .cache
