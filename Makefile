# What there is to do; everything else is in tests/playground and tests/bench (python3) and cargo.
.PHONY: help demo up down test bench lint generate control-plane
.DEFAULT_GOAL := help

PYTHON := $(shell command -v python3)
PYTHON3 = $(or $(PYTHON),$(error missing: python3 (3.9 or newer; drives the playground)))
PLAYGROUND = $(PYTHON3) tests/playground

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## The tour: a real API server, an awkward cloud, from nothing to an empty cloud again
	@$(PLAYGROUND) demo

up: ## The same playground, left running
	@$(PLAYGROUND) up

down: ## Its end
	@$(PLAYGROUND) down

test: ## Every test there is
	@$(PLAYGROUND) test

bench: ## The numbers of docs/benchmarks.md anew, in an hour or two; ROW=create takes one of them
	@$(PYTHON3) tests/bench $(ROW)

lint: ## rustfmt, clippy, helm lint
	@$(PLAYGROUND) lint

generate: ## crds/, policies/ and the chart's copies of both, from src/api
	UPDATE_GENERATED=1 cargo test --locked --lib generated

control-plane: ## Builds etcd, kube-apiserver, kube-controller-manager, kubectl and helm once
	@$(PLAYGROUND) control-plane
