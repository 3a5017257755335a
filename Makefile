# The commands that people use. Everything else is CMake: see CMakePresets.json.
SHELL := /bin/bash
JOBS ?= $(shell nproc)

.PHONY: help packages configured release demo test bench image e2e cluster lint fuzz format chart clean
help:
	@echo "make demo     build, start the server, send it real reviews, show the verdicts"
	@echo "make test     build and run every test"
	@echo "make bench    measure speed and memory; rewrites the figures of docs/benchmarks.md"
	@echo "make image    the release image as an OCI archive, without a daemon, and the tests of it"
	@echo "make e2e      a real Kubernetes, plimsoll in it by Helm, and a table of what was seen; as root; ONLY=\"1 5\" for some groups"
	@echo "make cluster  the same Kubernetes with a shell in it, to try things; as root"
	@echo "make lint     format, architecture, clang-tidy over everything (slow)"
	@echo "make fuzz     every fuzz target for 20 s each; SECONDS_EACH=60 for longer"
	@echo "make format   format the sources"
	@echo "make chart    make what is made from the Helm chart anew: schema, README, manifests"
	@echo "Packages that are missing are installed by apt (Debian 12), as root or with sudo."

packages:
	@scripts/install-packages.sh build

configured: packages
	@echo "== building (build/release)"
	@cmake --preset release > build-release.log 2>&1 || { cat build-release.log; exit 1; }; rm -f build-release.log

release: configured
	@cmake --build --preset release -j $(JOBS)

demo: configured
	@cmake --build --preset release -j $(JOBS) --target plimsoll
	@scripts/install-packages.sh demo
	@scripts/demo/run.sh build/release/plimsoll

test: release
	@scripts/install-packages.sh test
	@PYTHONDONTWRITEBYTECODE=1 python3 tests/support/control_plane/programs.py || [ $$? = 77 ]
	@PYTHONDONTWRITEBYTECODE=1 python3 tests/support/helm/helm.py || [ $$? = 77 ]
	@echo "== testing"
	@scripts/test.sh release -j $$(($(JOBS) + 1)) # they wait, too
	@echo "make test: all tests passed, but for those that are listed above as skipped"

bench: release
	@scripts/install-packages.sh bench
	@python3 tests/bench/run.py build/release
	@echo "make bench: done; the figures are in docs/benchmarks.md"

image: packages
	@scripts/install-packages.sh image
	@echo "== building (build/image)"
	@scripts/image/make.sh $(JOBS)
	@echo "== testing the image"
	@PYTHONDONTWRITEBYTECODE=1 python3 tests/image/image_test.py $$(ls build/image/plimsoll-*.oci.tar)
	@echo "make image: done; push it with scripts/image/push.sh REGISTRY/REPOSITORY:TAG"

e2e: packages
	@scripts/install-packages.sh e2e
	@echo "== building (build/image)"
	@scripts/image/make.sh $(JOBS)
	@echo "== testing in a cluster"
	@tests/e2e/run.sh e2e $$(ls build/image/plimsoll-*.oci.tar) $(ONLY)

cluster: packages
	@scripts/install-packages.sh e2e
	@echo "== building (build/image)"
	@scripts/image/make.sh $(JOBS)
	@tests/e2e/run.sh cluster $$(ls build/image/plimsoll-*.oci.tar)

lint: packages
	@cmake --preset tidy > /dev/null
	@scripts/tidy.sh all
	@ctest --test-dir build/tidy -L architecture --output-on-failure
	@echo "make lint: clean"

fuzz:
	@scripts/install-packages.sh build
	@scripts/fuzz.sh $(or $(SECONDS_EACH),20)

format:
	@git ls-files -co --exclude-standard '*.h' '*.cc' | xargs clang-format-19 -i

chart:
	@scripts/chart/generate.py

clean:
	rm -rf build
