"""This service provider as an identity provider must know it: SAML metadata per connection."""

from vestibule import errors
from vestibule.domain import connections
from vestibule.domain.context import Context
from vestibule.domain.sign_in import callback
from vestibule.errors import Failure
from vestibule.saml.metadata import service_provider_metadata


async def metadata(context: Context, connection_id: str) -> bytes:
    """Return the SP metadata of a SAML connection. Raises Failure saml_connection_not_found."""
    found = await callback.target(context, connection_id)
    saml = found.connection.saml
    if saml is None:
        raise Failure(errors.saml_connection_not_found)
    async with context.store.read() as tx:
        keys = await tx.connection_keys.all(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=connection_id,
        )
    url = connections.service_provider_url(context.settings, connection_id)
    certificates = {
        purpose: [key.certificate for key in keys if key.purpose == purpose and key.certificate]
        for purpose in ("signing", "next_signing", "encryption")
    }
    return service_provider_metadata(
        entity_id=url,
        acs_url=saml.alternative_acs_url or url,
        nameid_format=saml.nameid_format,
        signing_certificates=[*certificates["signing"], *certificates["next_signing"]],
        encryption_certificates=certificates["encryption"],
        allow_cbc=saml.policy.allow_cbc,
        logout_url=connections.logout_url(context.settings, connection_id),
    )
