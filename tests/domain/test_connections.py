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
    assert connections.missing(connection(protocol="saml", saml=SAML), has_certificate=True) == ()
    empty = replace(SAML, **{name: getattr(SamlConfiguration(), name)})
    assert connections.missing(connection(protocol="saml", saml=empty), has_certificate=True) == (
        name,
    )


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
    assert connections.missing(connection(protocol="oidc", oidc=OIDC), has_certificate=True) == ()
    empty = replace(OIDC, **{name: getattr(OidcConfiguration(), name)})
    assert connections.missing(connection(protocol="oidc", oidc=empty), has_certificate=True) == (
        name,
    )


def test_external_connection_misses_nothing() -> None:
    external = ExternalConfiguration(external_organization_id="o", external_connection_id="c")
    assert (
        connections.missing(
            connection(protocol="external", external=external), has_certificate=True
        )
        == ()
    )


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


@pytest.fixture
async def owned(context: Context, project: Project) -> Connection:
    """Return an active connection of an organization."""
    owner = await organizations.create(context, project, {"organization_name": "Owner"})
    made = replace(
        connection(
            owner.organization.organization_id,
            project_id=project.project_id,
            protocol="oidc",
            oidc=OIDC,
        ),
        status="active",
    )
    async with context.store.write() as tx:
        await tx.connections.insert(made)
    return made


def external_to(owned: Connection) -> Connection:
    configuration = ExternalConfiguration(
        external_organization_id=owned.organization_id,
        external_connection_id=owned.connection_id,
        protocol=owned.protocol,
    )
    made = connection(project_id=owned.project_id, protocol="external", external=configuration)
    return replace(made, connection_id="connection-test-2", status="active")


async def test_connection_in_use_is_itself_or_the_one_it_refers_to(
    context: Context, owned: Connection
) -> None:
    async with context.store.read() as tx:
        assert await connections.usable(tx, owned) is owned
        assert await connections.usable(tx, external_to(owned)) == owned
    assert connections.protocol_of(owned) == "oidc"
    assert connections.protocol_of(external_to(owned)) == "oidc"


async def test_pending_connection_is_not_usable_and_says_what_it_misses(
    context: Context, owned: Connection
) -> None:
    pending = replace(owned, status="pending", oidc=replace(OIDC, client_id=""))
    async with context.store.read() as tx:
        with pytest.raises(Failure, match="client_id missing") as caught:
            await connections.usable(tx, pending)
    assert caught.value.error is errors.requires_active_sso_connection


@pytest.mark.case("MT-08")
@pytest.mark.parametrize("how", ["severed", "deleted", "suspended"])
async def test_external_connection_is_not_usable_without_the_other(
    context: Context, owned: Connection, how: str
) -> None:
    external = external_to(owned)
    async with context.store.write() as tx:
        if how == "severed":
            external = replace(external, status="pending")
        elif how == "deleted":
            await tx.connections.delete(connection_id=owned.connection_id)
        else:
            await tx.organizations.change(
                {"suspended_at": 1}, organization_id=owned.organization_id
            )
    async with context.store.read() as tx:
        with pytest.raises(Failure) as caught:
            await connections.usable(tx, external)
    assert caught.value.error is errors.external_connection_not_active
