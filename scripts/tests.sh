#!/bin/sh
# Installs what `make test` needs beside the Python packages: Chromium for the pages, a Redis server
# (where Valkey is not there) for the limits, openssl, which judges the certificates of
# `vestibule dev --tls`, and the official Node SDK for the wire tests. Looks first; quick when
# everything is there.
set -eu
cd "$(dirname "$0")/.."

command -v chromium >/dev/null 2>&1 || scripts/debian.sh chromium
command -v valkey-server >/dev/null 2>&1 || command -v redis-server >/dev/null 2>&1 ||
    scripts/debian.sh redis-server
command -v openssl >/dev/null 2>&1 || scripts/debian.sh openssl
scripts/node.sh tests/wire/node
