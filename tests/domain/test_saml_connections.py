import asyncio
from typing import Any

import pytest

from tests.support import saml_metadata
from tests.support.context import RoutedFetch
from tests.support.saml_keys import certificate, signer
from vestibule import errors
from vestibule.clock import DAY
from vestibule.domain import connection_lifecycle, organizations, saml_connections
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.fetch import FetchResponse
from vestibule.records import Connection, Organization, Project

URL = "https://idp.example.com/metadata.xml"


@pytest.fixture
async def organization(context: Context, project: Project) -> Organization:
    made = await organizations.create(context, project, {"organization_name": "Acme"})
    return made.organization


@pytest.fixture
async def connection(context: Context, project: Project, organization: Organization) -> Connection:
    return (await saml_connections.create(context, project, "acme", {})).connection


async def update(
    context: Context, project: Project, connection: Connection, **changes: Any
) -> connection_lifecycle.ConnectionView:
    return await saml_connections.update(
        context, project, "acme", connection.connection_id, changes
    )


def pems(count: int) -> list[str]:
    key = signer("idp").key
    return [certificate(f"c{n}", not_before=0, not_after=DAY, key=key) for n in range(count)]


@pytest.mark.case("SP-72")
async def test_of_simultaneous_claims_to_one_entity_id_one_is_granted(
    context: Context, project: Project, connection: Connection
) -> None:
    others = [await saml_connections.create(context, project, "acme", {}) for _ in range(3)]
    all_four = [connection, *(view.connection for view in others)]
    results = await asyncio.gather(
        *(update(context, project, each, idp_entity_id="urn:idp") for each in all_four),
        return_exceptions=True,
    )
    refusals = [each for each in results if isinstance(each, Failure)]
    assert [each.error for each in refusals] == [errors.duplicate_saml_connection] * 3
    views = await connection_lifecycle.all_of(context, project, "acme")
    named = [v for v in views if v.connection.saml and v.connection.saml.idp_entity_id]
    assert len(named) == 1


async def test_simultaneous_uploads_stay_within_five(
    context: Context, project: Project, connection: Connection
) -> None:
    results = await asyncio.gather(
        *(update(context, project, connection, x509_certificate=pem) for pem in pems(8)),
        return_exceptions=True,
    )
    refusals = [each for each in results if isinstance(each, Failure)]
    assert [each.error for each in refusals] == [errors.too_many_sso_verification_certificates] * 3


@pytest.mark.case("AD-34")
async def test_simultaneous_changes_of_two_fields_are_both_kept(
    context: Context, project: Project, connection: Connection
) -> None:
    await asyncio.gather(
        update(context, project, connection, idp_entity_id="urn:idp"),
        update(context, project, connection, idp_sso_url="https://idp.example.com/sso"),
        update(context, project, connection, display_name="Name"),
    )
    (view,) = await connection_lifecycle.all_of(context, project, "acme")
    saml = view.connection.saml
    assert saml is not None
    assert (saml.idp_entity_id, saml.idp_sso_url) == ("urn:idp", "https://idp.example.com/sso")
    assert view.connection.display_name == "Name"


@pytest.mark.case("AD-32")
async def test_last_two_certificates_cannot_both_be_deleted_at_once(
    context: Context, project: Project, connection: Connection
) -> None:
    changes: dict[str, Any] = {
        "idp_entity_id": "urn:idp",
        "idp_sso_url": "https://idp.example.com/sso",
        "attribute_mapping": {"email": "e", "full_name": "n"},
    }
    first, second = pems(2)
    await update(context, project, connection, x509_certificate=first, **changes)
    view = await update(context, project, connection, x509_certificate=second)
    assert view.connection.status == "active"
    delete = saml_connections.delete_verification_certificate
    results = await asyncio.gather(
        *(
            delete(context, project, "acme", connection.connection_id, key.key_id)
            for key in view.of_purpose("verification")
        ),
        return_exceptions=True,
    )
    (refusal,) = [each for each in results if isinstance(each, Failure)]
    assert refusal.error is errors.cannot_delete_last_sso_verification_key


async def test_connection_deleted_while_its_metadata_is_fetched_is_not_found(
    context: Context, project: Project, connection: Connection, fetch: RoutedFetch
) -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        await connection_lifecycle.delete(context, project, "acme", connection.connection_id)
        keys = [saml_metadata.key(signer("idp").pem)]
        body = saml_metadata.entity(saml_metadata.role(keys=keys)).encode()
        return FetchResponse(status=200, headers={}, body=body, url=url)

    fetch.answers[URL] = answer
    with pytest.raises(Failure) as caught:
        await saml_connections.update_by_url(
            context, project, "acme", connection.connection_id, URL
        )
    assert caught.value.error is errors.saml_connection_not_found
    async with context.store.read() as tx:
        assert await tx.connection_keys.count() == 0


async def test_metadata_that_names_more_certificates_than_fit_changes_nothing(
    context: Context, project: Project, connection: Connection, fetch: RoutedFetch
) -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        keys = [saml_metadata.key(pem) for pem in pems(6)]
        body = saml_metadata.entity(saml_metadata.role(keys=keys)).encode()
        return FetchResponse(status=200, headers={}, body=body, url=url)

    before = await connection_lifecycle.all_of(context, project, "acme")
    fetch.answers[URL] = answer
    with pytest.raises(Failure) as caught:
        await saml_connections.update_by_url(
            context, project, "acme", connection.connection_id, URL
        )
    assert caught.value.error is errors.too_many_sso_verification_certificates
    assert await connection_lifecycle.all_of(context, project, "acme") == before
