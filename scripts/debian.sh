#!/bin/sh
# Installs the Debian or Ubuntu packages named as arguments, when they are not there yet.
# As root it just does it; otherwise through sudo; when neither works it says what to run by hand.
set -eu

missing=""
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

stop() {
    echo "scripts/debian.sh: $1" >&2
    echo "These packages are needed; install them as root and try again:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
}

if [ "$(id -u)" -eq 0 ]; then
    root=""
elif ! command -v sudo >/dev/null 2>&1; then
    stop "not root, and no sudo here"
elif [ -t 0 ]; then
    root="sudo"
else
    root="sudo -n"
    $root true 2>/dev/null || stop "not root, and sudo wants a password"
fi

command -v apt-get >/dev/null 2>&1 || stop "this is not a Debian or Ubuntu machine (no apt-get)"
echo "scripts/debian.sh: installing$missing"
$root apt-get update -qq || stop "apt-get update failed"
# shellcheck disable=SC2086 # the list is split into words on purpose
$root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    stop "apt-get install failed"
