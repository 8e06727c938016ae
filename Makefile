# Entente: the two commands are `make up` and `make test`; `make help` lists the rest.
SWIFT ?= swift
SCRATCH ?= .build-release
BUILD = $(SWIFT) build -c release --scratch-path $(SCRATCH)
BIN = $(SCRATCH)/release

.PHONY: help up deps build test soak chaos spec fuzz test-asan test-tsan reproduce lint clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: build ## install what is missing, build, start three nodes and a gateway on loopback
	$(BIN)/entente up $(ARGS)

deps: ## install missing Debian packages (as root or through sudo)
	@scripts/deps.sh

build: deps ## release build of all executables
	$(BUILD) --product entente
	$(BUILD) --product entente-manager
	$(BUILD) --product entente-node
	$(BUILD) --product entente-worker

lint: ## format and tidiness rules
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks Fuzz
	scripts/tidy.sh

test: deps lint ## everything that CI checks
	scripts/test.sh

soak: build ## simulations of consensus and of whole nodes; SOAK_MINUTES=60, FROM=seed
	scripts/soak.sh $(if $(SOAK_MINUTES),--minutes $(SOAK_MINUTES)) $(if $(FROM),--from $(FROM))

chaos: build ## real nodes under real faults; MINUTES=5 SEED=1 ARGS=..., see Tests/Chaos/README.md
	scripts/python.sh
	scripts/chaos.sh $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

spec: ## model check the specification and validate traces of the simulator against it (needs Java)
	$(BUILD) --build-tests
	nice scripts/spec.sh

reproduce: deps ## build the enclave programs twice from the commit, in two folders, and compare; ARGS=--keep FOLDER
	scripts/reproduce.sh $(ARGS)

fuzz: deps ## each decoder under libFuzzer; FUZZ_SECONDS=20 a target, TARGETS="json rlp"
	scripts/fuzz.sh $(TARGETS)

test-asan: deps ## the Swift tests with the address sanitizer; ARGS="--filter LedgerTests"
	scripts/sanitize.sh address $(ARGS)

test-tsan: deps ## the Swift tests with the thread sanitizer
	scripts/sanitize.sh thread $(ARGS)

clean: ## remove build products
	rm -rf $(SCRATCH)
