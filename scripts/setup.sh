#!/usr/bin/env bash
# Installs what is missing of the Debian packages that the named groups need, and nothing else:
#
#   scripts/setup.sh GROUP...      GROUP: build, test, demo, bench, lint (none: all)
#   scripts/setup.sh --list GROUP...   only prints the packages
#
# Root is asked for (sudo) only when something is missing. No service is started by installing.
set -euo pipefail

# An entry is PACKAGE, or PACKAGE=COMMAND where any other source of COMMAND serves as well.
build=(g++ cmake ninja-build ccache lld=ld.lld pkg-config git=git libpq-dev libsqlite3-dev
       libcurl4-openssl-dev libboost1.81-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libspdlog-dev
       prometheus-cpp-dev dpkg-dev file python3)
demo=(postgresql-15 postgresql-client-15 python3 python3-psycopg2 sqlite3)
bench=("${demo[@]}" libgtest-dev libgmock-dev pgloader)
test=("${demo[@]}" libgtest-dev libgmock-dev libfaketime openssl pgbouncer npm=npm chromium=chromium
      prometheus=promtool python3-fastapi python3-sqlalchemy
      python3-alembic python3-uvicorn python3-pydantic python3-yaml kubernetes-client=kubectl debootstrap)
lint=(clang-format clang-tidy python3)

list_only=false
if [[ ${1:-} == --list ]]; then
  list_only=true
  shift
fi
[[ $# -gt 0 ]] || set -- build test demo bench lint

declare -A wanted=()
for group in "$@"; do
  case $group in
    build | test | demo | bench | lint) ;;
    *)
      echo "setup: no group named '$group' (build, test, demo, bench, lint)" >&2
      exit 64
      ;;
  esac
  declare -n entries=$group
  for entry in "${entries[@]}"; do wanted[$entry]=1; done
done

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for entry in $(printf '%s\n' "${!wanted[@]}" | sort); do
  package=${entry%%=*}
  if $list_only; then
    echo "$package"
  elif [[ $entry == *=* ]] && command -v "${entry#*=}" >/dev/null; then
    continue
  elif ! installed "$package"; then
    missing+=("$package")
  fi
done
if $list_only || [[ ${#missing[@]} -eq 0 ]]; then
  $list_only || echo "setup: nothing to install for: $*"
  exit 0
fi

echo "setup: missing Debian packages: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "setup: apt-get is not here; install the equivalents of the packages above by hand" >&2
  exit 69
fi
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: run as root: apt-get install ${missing[*]}" >&2
    exit 77
  fi
  echo "setup: using sudo for apt-get"
  as_root=(sudo)
fi

# The packages of servers (postgresql, pgbouncer) start them unless policy-rc.d says no.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --yes --no-install-recommends "${missing[@]}"
