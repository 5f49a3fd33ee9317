#!/bin/sh
# Auth0's samlp as a SAML identity provider on loopback:
#     start.sh PORT HOME
# HOME/sp.json has to be there (see provider.mjs); the provider's own key is made there. It runs on
# the Node of its own lock file where npm has one for this machine, else on the installed one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=samlp-interop \
    -keyout "$2/idp.key" -out "$2/idp.crt" 2>/dev/null
# Not by node_modules/.bin: npm 9 takes the link away with the package for the other processor.
node=$(ls "$here"/node_modules/node-linux-*/bin/node 2>/dev/null || echo node)
exec "$node" "$here/provider.mjs" "$1" "$2"
