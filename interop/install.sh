#!/bin/sh
# Installs the identity providers that `make interop` logs in through: SimpleSAMLphp and
# LemonLDAP::NG from the distribution, oidc-provider and samlp from npm by their lock files. Looks
# first and installs only what is missing.
#
# The packages stand here one by one because nothing recommended is taken along, and LemonLDAP::NG
# answers 500 to everything when one of these Perl modules is absent. mini-httpd (which Debian
# leaves disabled) and php-cgi are there in the place of Apache, which simplesamlphp would
# otherwise bring along and start.
set -eu
cd "$(dirname "$0")/.."

scripts/debian.sh openssl mini-httpd php-cgi \
    simplesamlphp php-cli php-xml php-mbstring php-curl php-sqlite3 \
    liblemonldap-ng-portal-perl lemonldap-ng-fastcgi-server liblasso-perl starman \
    libgd-securityimage-perl libimage-magick-perl libxml-simple-perl libio-string-perl \
    libconvert-base32-perl libtext-unidecode-perl libhttp-browserdetect-perl \
    libcrypt-openssl-bignum-perl libcrypt-openssl-rsa-perl libcrypt-openssl-x509-perl \
    libcrypt-urandom-perl libmime-tools-perl libunicode-string-perl libipc-run-perl \
    libglib-perl libstring-random-perl libsoap-lite-perl
scripts/node.sh interop/oidc_provider
scripts/node.sh interop/samlp
