#!/bin/sh
# SimpleSAMLphp (Debian's package) as a SAML identity provider on loopback:
#     start.sh HOME PORT ENTITY_ID
# HOME receives its key, sessions and log. HOME/sps.json names the service providers, HOME/idp.json
# further options of the identity provider, HOME/groups.json who is in which groups; these three are
# read again at every request. Nothing under /etc or /usr/share is written, no web server is needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export SSP_HOME="$1" SSP_BASE="http://localhost:$2/" SSP_ENTITY_ID="$3"
export SIMPLESAMLPHP_CONFIG_DIR="$here/config"
umask 077
mkdir -p "$SSP_HOME/cert" "$SSP_HOME/log" "$SSP_HOME/data" "$SSP_HOME/temp" "$SSP_HOME/sessions"
for name in sps idp groups; do
    [ -e "$SSP_HOME/$name.json" ] || echo '{}' >"$SSP_HOME/$name.json"
done
[ -e "$SSP_HOME/cert/idp.key" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 30 \
    -subj /CN=simplesamlphp-interop -keyout "$SSP_HOME/cert/idp.key" -out "$SSP_HOME/cert/idp.crt" \
    2>/dev/null
# One process: with PHP_CLI_SERVER_WORKERS the workers outlive a killed parent.
exec php -d opcache.enable_cli=1 -d date.timezone=UTC \
    -S "127.0.0.1:$2" -t /usr/share/simplesamlphp/www
