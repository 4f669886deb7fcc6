#!/usr/bin/env bash
# Builds the value encoder's fuzz target with clang and runs libFuzzer on it:
#
#   scripts/fuzz.sh [SECONDS [FILE...]]   600 seconds; with files, only those inputs
#
# The corpus grows in build-fuzz/corpus; an input that fails is kept as build-fuzz/finding-*. Needs
# clang++ and libclang-rt, which it does not install. LITEFERRY_FUZZ_BUILD names another folder.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
[[ $# -gt 0 ]] && shift
build=${LITEFERRY_FUZZ_BUILD:-build-fuzz}

if ! command -v clang++ >/dev/null; then
  echo "fuzz: clang++ is not here; on Debian: apt-get install clang libclang-rt-dev" >&2
  exit 69
fi
cmake --preset fuzz -B "$build"
ninja -C "$build" encoder_fuzz encoder_seeds

program=$build/tests/fuzz/encoder_fuzz
export UBSAN_OPTIONS=print_stacktrace=1
if [[ $# -gt 0 ]]; then
  exec "$program" "$@"
fi
if [[ ! -d $build/corpus ]]; then
  mkdir "$build/corpus"
  "$build/tests/fuzz/encoder_seeds" "$build/corpus"
fi
exec nice "$program" -max_total_time="$seconds" -max_len=1024 -timeout=10 -rss_limit_mb=2048 \
  -print_final_stats=1 -artifact_prefix="$build/finding-" "$build/corpus"
