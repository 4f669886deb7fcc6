#!/usr/bin/env bash
# Builds the named test programs under a sanitizer preset and runs their unit tests:
#
#   scripts/sanitize.sh asan|tsan JOBS TARGET...
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1 jobs=$2
shift 2
dir=build-$preset
cmake --preset "$preset" -DLITEFERRY_TESTS=ON
# A folder without tests yet has no target of that name.
known=$(ninja -C "$dir" -t targets all | sed -n 's/: phony$//p')
targets=()
for target in "$@"; do
  if grep -qxF "$target" <<<"$known"; then targets+=("$target"); fi
done
ninja -C "$dir" -j "$jobs" "${targets[@]}"
# Thread leaks: a second signal ends the process with its threads, on purpose.
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS="halt_on_error=1 report_thread_leaks=0"
ctest --test-dir "$dir" -L unit --output-on-failure -j "$jobs"
