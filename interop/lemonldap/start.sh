#!/bin/sh
# LemonLDAP::NG's portal (Debian's package) as a SAML identity provider and an OpenID provider on
# loopback, served by Starman:
#     start.sh HOME PORT
# HOME/conf/lmConf-1.json is its whole configuration and has to be there already: it is read at
# start only. HOME/groups.json says who is in which groups and is read at every request. Nothing
# outside HOME is written.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=$1
umask 077
for name in sessions/lock psessions/lock cache captcha; do mkdir -p "$home/$name"; done
rm -rf "$home/cache/llng-config"
sed "s|@HOME@|$home|g" "$here/lemonldap-ng.ini" >"$home/lemonldap-ng.ini"
export LLNG_HOME="$home" LLNG_DEFAULTCONFFILE="$home/lemonldap-ng.ini"
[ -e "$home/groups.json" ] || echo '{}' >"$home/groups.json"
exec starman --listen "127.0.0.1:$2" --workers 2 --preload-app -E deployment "$here/portal.psgi"
