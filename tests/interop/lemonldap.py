"""LemonLDAP::NG, the identity provider for both protocols written in Perl (SAML by Lasso)."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop.parties import INTEROP, Person, RelyingParty
from tests.interop.processes import running
from tests.support.server_process import free_port

DOCTOR = Person(login="dwho", password="dwho", email="dwho@badwolf.org", name="Doctor Who")
ZOE = Person(login="zoe", password="zoe", email="zoe@badwolf.org", name="Zoë O'Neil & <Söhne>")


@dataclass(frozen=True)
class ServiceProvider:
    """A connection as LemonLDAP::NG has to know it: our metadata, and what is encrypted for it.

    The latter is "none", "assertion" or "nameid".
    """

    metadata: str
    encryption: str = "none"


@dataclass(frozen=True)
class LemonLdap:
    """A running LemonLDAP::NG; it read its configuration at start."""

    home: Path
    issuer: str

    @property
    def logout_url(self) -> str:
        """Where somebody logs out of everything at the provider."""
        return f"{self.issuer}/?logout=1"

    @property
    def metadata_url(self) -> str:
        return f"{self.issuer}/saml/metadata"


@contextmanager
def lemonldap(
    home: Path,
    *,
    service_providers: Sequence[ServiceProvider] = (),
    relying_parties: Sequence[RelyingParty] = (),
) -> Iterator[LemonLdap]:
    """It requires the service providers to sign their requests."""
    port = free_port()
    provider = LemonLdap(home, f"http://localhost:{port}")
    configuration = _configuration(home, provider.issuer)
    for number, service_provider in enumerate(service_providers):
        _add_service_provider(configuration, f"sp{number}", service_provider)
    for number, party in enumerate(relying_parties):
        _add_relying_party(configuration, f"rp{number}", party)
    (home / "conf").mkdir()
    (home / "conf/lmConf-1.json").write_text(json.dumps(configuration, indent=1))
    command = [str(INTEROP / "lemonldap/start.sh"), str(home), str(port)]
    with running(command, log=home / "start.log", ready_url=provider.metadata_url):
        yield provider


def _configuration(home: Path, issuer: str) -> dict[str, Any]:
    """The configuration as a whole, yet without anybody to send people to."""
    configuration: dict[str, Any] = json.loads((INTEROP / "lemonldap/portal.json").read_text())
    private_key, certificate, public_key = _keys(home)
    return configuration | {
        "domain": "localhost",
        "portal": f"{issuer}/",
        "locationRules": {"localhost": {"default": "accept"}},
        "globalStorage": "Apache::Session::File",
        "globalStorageOptions": _files(home / "sessions"),
        "persistentStorage": "Apache::Session::File",
        "persistentStorageOptions": _files(home / "psessions"),
        "localSessionStorage": "Cache::FileCache",
        "localSessionStorageOptions": {
            "namespace": "llng-sessions",
            "cache_root": str(home / "cache"),
            "cache_depth": 3,
            "default_expires_in": 600,
        },
        "samlServicePrivateKeySig": private_key,
        "samlServicePublicKeySig": certificate,
        "oidcServiceMetaDataIssuer": issuer,
        "oidcServicePrivateKeySig": private_key,
        "oidcServicePublicKeySig": public_key,
        "samlSPMetaDataXML": {},
        "samlSPMetaDataOptions": {},
        "samlSPMetaDataExportedAttributes": {},
        "oidcRPMetaDataOptions": {},
        "oidcRPMetaDataExportedVars": {},
        "oidcRPMetaDataOptionsExtraClaims": {},
    }


def _files(directory: Path) -> dict[str, str]:
    return {
        "Directory": str(directory),
        "LockDirectory": str(directory / "lock"),
        "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
    }


def _keys(home: Path) -> tuple[str, str, str]:
    """A new RSA key, a certificate for it and its public key, all as PEM."""
    key, certificate = home / "key.pem", home / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    files = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=lemonldap-interop"]
    subprocess.run([*request, *files], check=True, capture_output=True)
    public_key = subprocess.run(
        ["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True
    ).stdout
    return key.read_text(), certificate.read_text(), public_key


def _add_service_provider(
    configuration: dict[str, Any], name: str, service_provider: ServiceProvider
) -> None:
    configuration["samlSPMetaDataXML"][name] = {"samlSPMetaDataXML": service_provider.metadata}
    configuration["samlSPMetaDataOptions"][name] = {
        "samlSPMetaDataOptionsNameIDFormat": "email",
        "samlSPMetaDataOptionsSignSSOMessage": 1,
        "samlSPMetaDataOptionsCheckSSOMessageSignature": 1,
        "samlSPMetaDataOptionsSignSLOMessage": 1,
        "samlSPMetaDataOptionsCheckSLOMessageSignature": 1,
        "samlSPMetaDataOptionsEncryptionMode": service_provider.encryption,
    }
    # session key: "mandatory;SAML name;format;friendly name"
    configuration["samlSPMetaDataExportedAttributes"][name] = {
        "mail": "1;email;;email",
        "uid": "1;uid;;",
        "cn": "0;displayName;;",
        "groups": "0;groups;;",
    }


def _add_relying_party(configuration: dict[str, Any], name: str, party: RelyingParty) -> None:
    configuration["oidcRPMetaDataOptions"][name] = {
        "oidcRPMetaDataOptionsClientID": party.client_id,
        "oidcRPMetaDataOptionsClientSecret": party.client_secret,
        "oidcRPMetaDataOptionsRedirectUris": party.redirect_url,
        "oidcRPMetaDataOptionsPostLogoutRedirectUris": party.logout_url,
        "oidcRPMetaDataOptionsIDTokenSignAlg": party.algorithm,
        "oidcRPMetaDataOptionsBypassConsent": 1,
        "oidcRPMetaDataOptionsUserIDAttr": "uid",
    }
    exported = {"email": "mail", "name": "cn", "preferred_username": "uid", "groups": "groups"}
    configuration["oidcRPMetaDataExportedVars"][name] = exported
    configuration["oidcRPMetaDataOptionsExtraClaims"][name] = {"groups": "groups"}
