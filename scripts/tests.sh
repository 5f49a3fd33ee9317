#!/bin/sh
# Installs what `make test` needs beside the Python packages: Chromium for the pages, and the
# official Node SDK for the wire tests. Looks first; quick when everything is there.
set -eu
cd "$(dirname "$0")/.."

command -v chromium >/dev/null 2>&1 || scripts/debian.sh chromium
scripts/node.sh tests/wire/node
