# `make help` lists the targets: a name and the comment behind it.

.DEFAULT_GOAL := help
.PHONY: help run test proof ui simulate chaos lint audit bench fuzz

CARGO ?= cargo
# `make run WORKSPACE=/somewhere/else` keeps the result.
WORKSPACE ?= target/quickstart
# The Python environment of the proofs. `make proof PROOF="-k rows"` runs some of them.
export RECFLOW_VENV ?= .venv
PROOF ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build, then parse, train and test on generated ratings
	$(CARGO) run --locked -- run pipelines/quickstart.yaml --workspace $(WORKSPACE)

test: ## run every test (with cargo-nextest where it is installed)
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -x; $(CARGO) nextest run --workspace --locked; \
	else \
		set -x; $(CARGO) test --workspace --locked --lib --bins --tests; \
	fi
	$(CARGO) test --workspace --locked --doc

proof: ## compare with Spark, DuckDB, implicit, croniter and others (needs Python 3.11 and Java 17)
	$(CARGO) build --locked
	$(CARGO) test --locked --lib -- --ignored --nocapture every_change_of_every_zone
	tests/proof/setup
	$(RECFLOW_VENV)/bin/python -m pytest tests/proof $(PROOF)
	ui/check

ui: ## build the web pages into ui/dist, which is committed (needs Node.js 20)
	cd ui && npm ci --ignore-scripts && npm run build

# The engine, scheduler and store, optimised and with their own assertions; the rest is as `make test` built it.
simulate: ## play RUNS simulated runs (10,000) with faults, from SEED on; SEED alone plays one history and prints it
	CARGO_PROFILE_DEV_OPT_LEVEL=2 RUNS=$(RUNS) SEED=$(SEED) $(CARGO) test --locked --test simulator -- --ignored --nocapture

chaos: ## kill the daemon ROUNDS times (100) at random moments
	ROUNDS=$(or $(ROUNDS),100) SEED=$(SEED) $(CARGO) test --locked --test chaos -- --nocapture

lint: ## check format, lints, the bans of clippy.toml, layers and documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --workspace --lib --bins --locked -- -D warnings -D clippy::disallowed_methods
	$(CARGO) test --locked --quiet --test layering
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --workspace --no-deps --document-private-items --locked --quiet

audit: ## check licences, advisories and sources of dependencies (needs cargo-deny)
	$(CARGO) deny --locked check

bench: ## measure (release profile; each benchmark prints its figures)
	$(CARGO) bench --workspace --locked --bench overhead --bench daemon --bench store --bench train --bench stages --bench serving

# Seconds for each target. Corpus entries that a run adds are not kept: see fuzz/src/lib.rs.
SECONDS ?= 60
FUZZ_TARGETS ?= netflix_text parquet_dataset import model pipeline_yaml

fuzz: ## look for inputs that panic or take memory, SECONDS each target (needs cargo-fuzz and a nightly compiler)
	@for target in $(FUZZ_TARGETS); do \
		work=fuzz/target/corpus/$$target; mkdir -p $$work; \
		(set -x; $(CARGO) +nightly fuzz run $$target $$work fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS) -max_len=16384 -rss_limit_mb=2048 -malloc_limit_mb=1024 -timeout=10 -print_final_stats=1) || exit 1; \
	done
