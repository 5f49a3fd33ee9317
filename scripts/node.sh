#!/bin/sh
# Installs, by its lock file, the Node packages of the folder named as argument.
set -eu
folder=$1
here=$(dirname "$0")

command -v npm >/dev/null 2>&1 || "$here/debian.sh" nodejs npm
if [ "$(node -p 'parseInt(process.versions.node) >= 18')" != true ]; then
    echo "scripts/node.sh: Node 18 or newer is needed; this is $(node --version)." >&2
    exit 1
fi

lock=$folder/package-lock.json
done=$folder/node_modules/.package-lock.json
# shellcheck disable=SC3013 # -nt is not in POSIX, but in every sh that Debian and Ubuntu have
if [ ! -e "$done" ] || [ "$lock" -nt "$done" ]; then
    echo "scripts/node.sh: npm ci in $folder"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
    touch "$done"
fi
