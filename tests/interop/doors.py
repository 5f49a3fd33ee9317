"""A connection of an organization to a running provider, whichever it is, and who signs in by it.

Each door belongs to an organization of its own. A provider that learns of its service providers at
start only is given a number of connections then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stytch.b2b.models.sso import AuthenticateResponse, OIDCConnection, SAMLConnection

from tests.interop import lemonldap as ll
from tests.interop import oidc_provider as op
from tests.interop import simplesamlphp as ssp
from tests.interop.browser import Browser
from tests.interop.connections import (
    configure_oidc,
    configure_saml,
    configure_saml_by_url,
    new_oidc_connection,
    new_saml_connection,
    settings_path,
)
from tests.interop.parties import Person, put_into_groups, relying_party
from tests.interop.server import Server, new_organization
from tests.interop.sign_in import assert_signed_in, sign_in

# One for each test of a provider by a protocol, and some more.
ROOM = 20
SCOPES = "openid email profile groups"
SSP_MAPPING = {
    "email": "email",
    "first_name": "givenName",
    "last_name": "sn",
    "idp_user_id": "uid",
    "groups": "groups",
}
LL_MAPPING = {
    "email": "NameID",
    "full_name": "displayName",
    "idp_user_id": "uid",
    "groups": "groups",
}
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

Provider = ssp.SimpleSamlPhp | ll.LemonLdap | op.OidcProvider


@dataclass(frozen=True, kw_only=True)
class Door:
    """An active connection, and the person who signs in by it."""

    server: Server
    provider: Provider
    organization_id: str
    connection_id: str
    person: Person

    @property
    def protocol(self) -> str:
        return self.connection_id.partition("-")[0]

    @property
    def url(self) -> str:
        """Where the person begins in the application."""
        return self.server.start_url(self.connection_id)

    async def sign_in(self, browser: Browser | None = None) -> AuthenticateResponse:
        """Signs in with a browser, or with a new one; what `sso.authenticate` answers."""
        if browser is not None:
            return await sign_in(self.server, browser, url=self.url)
        async with Browser(self.person) as fresh:
            return await sign_in(self.server, fresh, url=self.url)

    def put_into(self, *groups: str) -> None:
        """Puts the person into these groups at the provider and into no others."""
        put_into_groups(self.provider.home, {self.person.login: groups})

    def change_settings(self, **changes: Any) -> None:
        path = settings_path(self.organization_id, self.connection_id)
        self.server.call("PUT", path, changes)

    def change_organization(self, **changes: Any) -> None:
        self.server.sdk.organizations.update(self.organization_id, **changes)


def made(
    server: Server, provider: Provider, connection: SAMLConnection | OIDCConnection, person: Person
) -> Door:
    """The door of a connection that is active."""
    return Door(
        server=server,
        provider=provider,
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        person=person,
    )


def assert_came_in(door: Door, answer: AuthenticateResponse) -> None:
    """The member, its registration, the session and the JWT are those of the door's person."""
    assert_signed_in(
        door.server,
        answer,
        person=door.person,
        connection_id=door.connection_id,
        external_id=door.person.login,
    )


@contextmanager
def simplesamlphp_doors(server: Server, home: Path) -> Iterator[Callable[[], Door]]:
    with ssp.simplesamlphp(home) as provider:

        def door() -> Door:
            connection = new_saml_connection(server, new_organization(server))
            configure_saml(server, connection, attribute_mapping=SSP_MAPPING)
            configure_saml_by_url(server, connection, metadata_url=provider.metadata_url)
            provider.trust(
                entity_id=connection.audience_uri,
                acs_url=connection.acs_url,
                **signed_logout(server, connection),
            )
            return made(server, provider, connection, ssp.BOB)

        yield door


def signed_logout(server: Server, connection: SAMLConnection) -> dict[str, Any]:
    """The options of saml20-sp-remote for Single Logout with every message signed."""
    url = f"{server.base_url}/v1/public/sso/logout/{connection.connection_id}"
    return {
        "SingleLogoutService": [{"Binding": REDIRECT, "Location": url}],
        "sign.logout": True,
        "validate.logout": True,
        "keys": [ssp.key_entry(connection.signing_certificates[0].certificate)],
    }


@contextmanager
def lemonldap_doors(server: Server, home: Path) -> Iterator[dict[str, Callable[[], Door]]]:
    """The doors by SAML and those by OpenID Connect, of one provider."""
    saml = [new_saml_connection(server, new_organization(server)) for _ in range(ROOM)]
    oidc = [new_oidc_connection(server, new_organization(server)) for _ in range(ROOM)]
    parties = [relying_party(each, client_id=each.connection_id) for each in oidc]
    providers = [ll.ServiceProvider(server.service_provider_metadata(each)) for each in saml]
    with ll.lemonldap(home, service_providers=providers, relying_parties=parties) as provider:

        def saml_door() -> Door:
            connection = saml.pop()
            configure_saml(server, connection, attribute_mapping=LL_MAPPING)
            configure_saml_by_url(server, connection, metadata_url=provider.metadata_url)
            return made(server, provider, connection, ll.ZOE)

        def oidc_door() -> Door:
            connection, party = oidc.pop(), parties.pop()
            configure_oidc(
                server, connection, issuer=provider.issuer, party=party, custom_scopes=SCOPES
            )
            return made(server, provider, connection, ll.ZOE)

        yield {"saml": saml_door, "oidc": oidc_door}


@contextmanager
def oidc_provider_doors(server: Server, home: Path) -> Iterator[Callable[[], Door]]:
    connections = [new_oidc_connection(server, new_organization(server)) for _ in range(ROOM)]
    parties = [relying_party(each, client_id=each.connection_id) for each in connections]
    with op.oidc_provider(home, relying_parties=parties) as provider:

        def door() -> Door:
            connection, party = connections.pop(), parties.pop()
            configure_oidc(
                server, connection, issuer=provider.issuer, party=party, custom_scopes=SCOPES
            )
            return made(server, provider, connection, op.BOB)

        yield door
