from typing import Any

import pytest
from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import connections, organizations
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import (
    Connection,
    ExternalConfiguration,
    OidcConfiguration,
    Project,
    SamlConfiguration,
)
from vestibule.settings import Settings

SAML = SamlConfiguration(
    idp_sso_url="https://idp.test/", idp_entity_id="idp", attribute_mapping={"email": "e"}
)
OIDC = OidcConfiguration(
    issuer="https://op.test",
    client_id="c",
    client_secret=b"s",
    authorization_url="https://op.test/a",
    token_url="https://op.test/t",
    userinfo_url="https://op.test/u",
    jwks_url="https://op.test/j",
)


def connection(organization_id: str = "organization-test-1", **fields: Any) -> Connection:
    return Connection(
        connection_id="connection-test-1",
        project_id=fields.pop("project_id", "project-test-1"),
        organization_id=organization_id,
        display_name="",
        created_at=1,
        updated_at=1,
        **fields,
    )


def test_service_provider_url_stands_below_the_base_url() -> None:
    settings = Settings(base_url="https://sso.example.test")
    url = connections.service_provider_url(settings, "saml-connection-test-1")
    assert url == "https://sso.example.test/v1/b2b/sso/callback/saml-connection-test-1"


@pytest.mark.parametrize("name", ["idp_sso_url", "idp_entity_id", "attribute_mapping"])
def test_saml_connection_misses_what_is_empty(name: str) -> None:
    assert connections.missing(connection(protocol="saml", saml=SAML)) == ()
    empty = replace(SAML, **{name: getattr(SamlConfiguration(), name)})
    assert connections.missing(connection(protocol="saml", saml=empty)) == (name,)


def test_saml_connection_misses_a_certificate() -> None:
    saml = connection(protocol="saml", saml=SAML)
    assert connections.missing(saml, has_certificate=False) == ("x509_certificate",)


@pytest.mark.parametrize(
    "name",
    [
        "issuer",
        "client_id",
        "client_secret",
        "authorization_url",
        "token_url",
        "userinfo_url",
        "jwks_url",
    ],
)
def test_oidc_connection_misses_what_is_empty(name: str) -> None:
    assert connections.missing(connection(protocol="oidc", oidc=OIDC)) == ()
    empty = replace(OIDC, **{name: getattr(OidcConfiguration(), name)})
    assert connections.missing(connection(protocol="oidc", oidc=empty)) == (name,)


def test_external_connection_misses_nothing() -> None:
    external = ExternalConfiguration(external_organization_id="o", external_connection_id="c")
    assert connections.missing(connection(protocol="external", external=external)) == ()


async def test_connection_is_found_in_its_own_organization_alone(
    context: Context, project: Project
) -> None:
    mine = await organizations.create(context, project, {"organization_name": "Mine"})
    other = await organizations.create(context, project, {"organization_name": "Other"})
    ids = [view.organization for view in (mine, other)]
    stored = connection(
        ids[0].organization_id, project_id=project.project_id, protocol="saml", saml=SAML
    )
    async with context.store.write() as tx:
        await tx.connections.insert(stored)
        assert await connections.load(tx, ids[0], stored.connection_id) == stored
        for organization, connection_id in ((ids[1], stored.connection_id), (ids[0], "x")):
            with pytest.raises(Failure) as caught:
                await connections.load(tx, organization, connection_id)
            assert caught.value.error is errors.sso_connection_not_found
        with pytest.raises(Failure) as caught:
            await connections.load(tx, ids[0], "x", error=errors.oidc_connection_not_found)
        assert caught.value.error is errors.oidc_connection_not_found


async def test_external_connection_uses_the_active_one_it_refers_to(
    context: Context, project: Project
) -> None:
    owner = await organizations.create(context, project, {"organization_name": "Owner"})
    owner_id = owner.organization.organization_id
    owned = replace(
        connection(owner_id, project_id=project.project_id, protocol="saml", saml=SAML),
        status="active",
    )
    external = replace(
        connection(
            project_id=project.project_id,
            protocol="external",
            external=ExternalConfiguration(
                external_organization_id=owner_id, external_connection_id=owned.connection_id
            ),
        ),
        connection_id="connection-test-2",
    )
    async with context.store.write() as tx:
        assert await connections.underlying(tx, external) is None
        await tx.connections.insert(owned)
        assert await connections.underlying(tx, external) == owned
        assert await connections.underlying(tx, owned) is owned
        await tx.connections.update(replace(owned, status="pending"))
        assert await connections.underlying(tx, external) is None
