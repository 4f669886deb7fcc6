# Every target does its own set-up; scripts/setup.sh installs what is missing of Debian's packages.
#
#   make build   the program, at build/liteferry
#   make demo    watch it carry a live database over (under three minutes)
#   make test    build, sanitizer runs of the unit tests, then the whole test suite
#   make bench   what it costs and how fast it is, as ratios (a quarter of an hour; SCALE=1 for full sizes)
#   make package  a Debian package, at build/liteferry_*.deb
#   make lint    format, layout and length of files; `make tidy` adds clang-tidy (slow)
#   make deps    only the set-up, for all of these
.DEFAULT_GOAL := build
.PHONY: deps build package test demo bench lint tidy clean

JOBS ?= $(shell nproc)
# Sanitizer builds of the unit tests that `make test` runs first; empty for none.
SANITIZERS ?= asan tsan
# Of `make bench`: the share of the full sizes, and how often each ratio is taken.
SCALE ?= 0.2
ROUNDS ?= 3
# Real databases that some tests run against; they lie beside a checkout of ours, not in it.
export CORPORA ?= $(wildcard $(CURDIR)/../shared/corpora)
UNIT_TESTS := config_tests metrics_tests replication_tests daemon_tests

deps:
	scripts/setup.sh build test demo lint

build:
	scripts/setup.sh build
	@test -f build/build.ninja || cmake --preset release -DLITEFERRY_TESTS=OFF
	ninja -C build -j $(JOBS) liteferry

package: build
	cd build && cpack -G DEB

demo:
	scripts/setup.sh build demo
	@$(MAKE) --no-print-directory build
	/usr/bin/python3 tests/e2e/demo.py --program build/liteferry

test:
	scripts/setup.sh build test
	cmake --preset release -DLITEFERRY_TESTS=ON
	ninja -C build -j $(JOBS)
	@for preset in $(SANITIZERS); do scripts/sanitize.sh $$preset $(JOBS) $(UNIT_TESTS) || exit 1; done
	ctest --test-dir build --output-on-failure -j $(JOBS)

bench:
	scripts/setup.sh build bench
	cmake --preset release -DLITEFERRY_TESTS=ON
	ninja -C build -j $(JOBS) liteferry capture_cost
	/usr/bin/python3 tests/bench/run.py --scale $(SCALE) --rounds $(ROUNDS) --json build/bench.json

lint:
	scripts/setup.sh lint
	scripts/lint

tidy:
	scripts/setup.sh build test lint
	cmake --preset release -DLITEFERRY_TESTS=ON
	ninja -C build -j $(JOBS)
	run-clang-tidy -quiet -p build -j $(JOBS) '/(config|metrics|replication|daemon|tests)/.*\.cc$$'

clean:
	rm -rf build build-debug build-asan build-tsan
