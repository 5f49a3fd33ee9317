#!/bin/sh
# Installs the identity providers that `make interop` logs in through: SimpleSAMLphp and
# LemonLDAP::NG from the distribution, oidc-provider from npm by the committed lock file.
# Safe to run again: it looks first and installs only what is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# Named one by one because nothing recommended is taken: LemonLDAP::NG answers 500 to everything
# when one of these Perl modules is absent. mini-httpd and php-cgi stand in for Apache, which
# simplesamlphp would otherwise bring along and start; neither is used or started.
packages="openssl mini-httpd php-cgi
    simplesamlphp php-cli php-xml php-mbstring php-curl php-sqlite3
    liblemonldap-ng-portal-perl lemonldap-ng-fastcgi-server liblasso-perl starman
    libgd-securityimage-perl libimage-magick-perl libxml-simple-perl libio-string-perl libconvert-base32-perl
    libtext-unidecode-perl libhttp-browserdetect-perl libcrypt-openssl-bignum-perl
    libcrypt-openssl-rsa-perl libcrypt-openssl-x509-perl libcrypt-urandom-perl
    libmime-tools-perl libunicode-string-perl libipc-run-perl libglib-perl
    libstring-random-perl libsoap-lite-perl"
command -v npm >/dev/null 2>&1 || packages="$packages nodejs npm"

stop() {
    echo "interop/install.sh: $1" >&2
    exit 1
}

missing_packages() {
    command -v dpkg-query >/dev/null 2>&1 || stop "this needs a Debian or Ubuntu machine (no dpkg-query here)"
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n env "$@"
    else
        stop "missing packages:$(printf ' %s' $missing)
run as root, or let sudo work without a password, or install them by hand:
    apt-get install --no-install-recommends$(printf ' %s' $missing)"
    fi
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
    echo "interop/install.sh: installing" $missing
    as_root apt-get update -qq || stop "apt-get update failed; is the network there?"
    as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
        >/dev/null || stop "apt-get could not install:$(printf ' %s' $missing)"
fi

lock=$here/oidc_provider/package-lock.json
installed=$here/oidc_provider/node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ "$lock" -nt "$installed" ]; then
    echo "interop/install.sh: npm ci in interop/oidc_provider"
    (cd "$here/oidc_provider" && npm ci --no-audit --no-fund --loglevel=error) ||
        stop "npm ci failed in interop/oidc_provider"
    touch "$installed"
fi
