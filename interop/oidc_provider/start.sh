#!/bin/sh
# The certified oidc-provider as an OpenID provider on loopback:
#     start.sh PORT HOME
# HOME/clients.json and HOME/groups.json have to be there (see provider.mjs). It runs on the Node of
# its own lock file where npm has one for this machine, else on the installed one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Not by node_modules/.bin: npm 9 takes the link away with the package for the other processor.
node=$(ls "$here"/node_modules/node-linux-*/bin/node 2>/dev/null || echo node)
exec "$node" "$here/provider.mjs" "$1" "$2"
