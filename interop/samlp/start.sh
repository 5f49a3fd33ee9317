#!/bin/sh
# Auth0's samlp as a SAML identity provider on loopback:
#     start.sh PORT HOME
# HOME/sp.json has to be there (see provider.mjs); the provider's own key is made there. It runs on
# the Node of its own lock file where npm has one for this machine, else on the installed one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=samlp-interop \
    -keyout "$2/idp.key" -out "$2/idp.crt" 2>/dev/null
node=$here/node_modules/.bin/node
[ -x "$node" ] || node=node
exec "$node" "$here/provider.mjs" "$1" "$2"
