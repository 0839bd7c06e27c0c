# `make demo` and `make test` each work as the first command on a machine with Python >= 3.11 and make.
PYTHON ?= python3
UV_VERSION := 0.13.9
CDK_VERSION := 2.1148.1
VENV := .venv
BIN := $(VENV)/bin
LEAN := $(VENV)/.lean
READY := $(VENV)/.ready
WORKERS ?= auto
# Where bytecode is not kept, each of the hundreds of processes that the tests start compiles the SDK again.
export PYTHONDONTWRITEBYTECODE :=
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)
# As tests/scheduling.py says.
BY_MODULE := --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo playground demo-pythons unit test test-long test-model test-browser lint types check mutants bench bench-listing bench-review bench-frames \
	bench-simulation screenshots docs setup ministack format lock package package-sdk bootstrap deploy destroy clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 18

setup: $(READY) ## the virtual environment, exactly as locked

INSTALL_UV := install --quiet --disable-pip-version-check uv==$(UV_VERSION)
.uv/$(UV_VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv --clear --without-pip .uv
	@# A Python without pip, as Debian's, can put one there, which takes seconds.
	$(PYTHON) -m pip --python .uv/bin/python $(INSTALL_UV) || { .uv/bin/python -m ensurepip && .uv/bin/python -m pip $(INSTALL_UV); }
	@touch $@

# What the tools and the offline world need. --constraints: its versions and hashes are those of the one lock.
$(LEAN): .uv/$(UV_VERSION) requirements.lock pyproject.toml
	.uv/bin/uv venv --quiet --clear --python $(PYTHON) $(VENV)
	.uv/bin/uv pip install --quiet --require-hashes --python $(BIN)/python --constraints requirements.lock \
		--requirements pyproject.toml --group emulator
	@touch $@

# And everything else. Without the mark of the lean one meanwhile: an interrupted installation starts anew.
$(READY): $(LEAN)
	@rm $(LEAN)
	.uv/bin/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	.uv/bin/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(LEAN) $(READY)

.ministack/.ready: .uv/$(UV_VERSION) tests/cross_check/requirements.lock
	.uv/bin/uv venv --quiet --clear --python $(PYTHON) .ministack
	.uv/bin/uv pip sync --quiet --require-hashes --python .ministack/bin/python tests/cross_check/requirements.lock
	@touch $@

ministack: .ministack/.ready ## the emulator of AWS by which ours is judged, in an environment of its own

demo: $(LEAN) ## rehearse a whole scan offline, on real videos
	$(BIN)/python tools/rehearse.py

playground: $(LEAN) ## the deployed offline world, for commands of your own until Ctrl-C (PLAYGROUND="--keep ~/Videos")
	$(BIN)/python tools/rehearse.py --serve $(PLAYGROUND)

demo-pythons: .uv/$(UV_VERSION) ## the demo on every Python >= 3.11 of this machine, each with an environment of its own
	$(PYTHON) -m tests.pythons

unit: $(READY) ## the rules, the tools and the handlers, without a server and what takes longer than half a second
	$(PYTEST) --dist worksteal --hypothesis-profile quick -m "not slow and not long and not server" tests/handlers tests/tools

test: $(READY) ## all tests but those that take minutes or need a browser (WORKERS=2: in two processes)
	$(PYTEST) $(BY_MODULE) -m "not long" --ignore=tests/browser --ignore=tests/cross_check --ignore=tests/kill

test-long: $(READY) ministack ## the tests that take minutes: a kill at any call, the model, ministack, many films
	@# Last what is given out in the smallest pieces.
	$(PYTEST) $(BY_MODULE) -m long tests/end_to_end tests/handlers/adapters/media tests/cross_check tests/model tests/kill

test-browser: $(READY) ## the tests of the HTML page, in headless Chromium (Debian: apt-get install chromium)
	$(PYTEST) $(BY_MODULE) --ignore=tests/browser/test_speed.py tests/browser
	$(BIN)/python -m pytest tests/browser/test_speed.py

test-model: $(READY) ## the model test for longer, with other examples each time (EXAMPLES=2000)
	MODEL_EXAMPLES=$(or $(EXAMPLES),2000) $(BIN)/python -m pytest -n $(WORKERS) --dist load --maxschedchunk 1 -m long -rP tests/model

lint: $(READY) ## format, lint (Python, and the page's modules by TypeScript), synth
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m tests.browser.typescript
	$(BIN)/python app.py

types: $(READY) ## mypy, strict
	$(BIN)/mypy

check: $(READY) ## format, lint, types, tests, synth: what CI runs
	@# Each of these uses one core only.
	$(MAKE) --jobs 2 --output-sync lint types demo-pythons
	$(MAKE) test test-long test-browser

mutants: $(READY) ## put faults into the sources one at a time: how many do the tests see? (MUTANTS="--seed 1 --processes 2")
	$(BIN)/python -m tests.mutants $(MUTANTS)

format: $(READY) ## format the source, and repair what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## all benchmarks, into build/bench
	$(BIN)/python -m tests.bench

bench-listing: $(READY) ## benchmarks: listing a bucket, against boto3, the AWS CLI and s5cmd
	$(BIN)/python -m tests.bench --file listing.json

bench-review: $(READY) ## benchmarks: the review (the join of a million rows, the page)
	$(BIN)/python -m tests.bench --file review.json

bench-frames: $(READY) ## benchmarks: sampling frames, beside decoding whole films (bytes, CPU, memory, dollars); the workers in virtual time
	$(BIN)/python -m tests.bench --file frames.json

bench-simulation: $(READY) ## benchmarks: ours and three other designs in virtual time (lost, paid twice, slot use)
	$(BIN)/python -m tests.bench --file simulation.json

screenshots: $(READY) ## the README's pictures of the page, taken anew in headless Chromium
	$(BIN)/python -m tests.browser.screenshots

docs: $(READY) ## the help texts in docs/, written anew
	$(BIN)/python -m tests.docs

COMPILE := .uv/bin/uv pip compile --quiet --universal $(LOCK) --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links
lock: .uv/$(UV_VERSION) ## resolve the dependencies anew (LOCK=--upgrade: to the newest)
	$(COMPILE) --group test pyproject.toml --output-file requirements.lock
	$(COMPILE) --group ministack --output-file tests/cross_check/requirements.lock
	$(COMPILE) --group media --output-file stacks/media-layer.lock
	$(COMPILE) --group sdk --constraints requirements.lock --output-file stacks/sdk-layer.lock

# For the runtime that stacks/function.py names. The layer is of one function; the others have boto3 alone.
MEDIA_PLATFORM := --python-version 3.14 --python-platform aarch64-manylinux_2_28
build/.media-layer: .uv/$(UV_VERSION) stacks/media-layer.lock
	rm -rf build/media-layer
	.uv/bin/uv pip install --quiet --require-hashes --no-deps --only-binary :all: --python $(PYTHON) $(MEDIA_PLATFORM) \
		--target build/media-layer/python --requirements stacks/media-layer.lock
	@touch $@

package: build/.media-layer ## the layer of the function that decodes frames: PyAV for arm64, as locked (99 MB, 34 MB zipped)

build/.sdk-layer: .uv/$(UV_VERSION) stacks/sdk-layer.lock
	rm -rf build/sdk-layer
	.uv/bin/uv pip install --quiet --require-hashes --no-deps --only-binary :all: --python $(PYTHON) $(MEDIA_PLATFORM) \
		--target build/sdk-layer/python --requirements stacks/sdk-layer.lock
	@touch $@

package-sdk: build/.sdk-layer ## the layer of the function that writes annotations: boto3, as locked

# CDK_OPTIONS: for the CDK CLI, such as "--require-approval never" or "-c alert_email=reviewer@example.com".
bootstrap: $(READY) ## prepare the AWS account and Region of your credentials for the CDK
	@$(BIN)/python tools/preflight.py bootstrap $(CDK_OPTIONS)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npx --yes aws-cdk@$(CDK_VERSION) bootstrap --app "$(BIN)/python app.py" $(CDK_OPTIONS)

deploy: $(READY) ## deploy to the AWS account of your credentials
	@! $(BIN)/python tools/preflight.py frames $(CDK_OPTIONS) || $(MAKE) package
	@! $(BIN)/python tools/preflight.py annotations $(CDK_OPTIONS) || $(MAKE) package-sdk
	found=$$($(BIN)/python tools/preflight.py deploy $(CDK_OPTIONS)) && PATH="$(CURDIR)/$(BIN):$$PATH" \
		$(BIN)/npx --yes aws-cdk@$(CDK_VERSION) deploy --app "$(BIN)/python app.py" $$found $(CDK_OPTIONS)

destroy: $(READY) ## delete the deployment
	@$(BIN)/python tools/preflight.py destroy $(CDK_OPTIONS)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npx --yes aws-cdk@$(CDK_VERSION) destroy --app "$(BIN)/python app.py" $(CDK_OPTIONS)

clean: ## remove everything that was built
	rm -rf .venv .uv .ministack build cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis
