#!/usr/bin/env bash
# Fetches Litestream for the tests, as the npm package that its makers publish. Prints the program's path; what is
# there is not fetched again. When it cannot be fetched or does not run: said on stderr, exit status 69.
set -uo pipefail
source "$(dirname "$0")/npm_package.sh"

prepare() {
  chmod 755 litestream && ./litestream version >&2
}

fetch_package @flydotio/litestream-linux-x64 1.0.1 \
  sha512-zmcAR8q2TNiAsWRSWscrN+r4NNQ+FwfatKhcE3G/YticNSkNyIhtCTlvXxIyOG+E+UWa+j441cjbmb7p83JPEw== litestream prepare || {
  echo "fetch_litestream: it could not be fetched from npm" >&2
  exit 69
}
echo "$cache/litestream/litestream"
