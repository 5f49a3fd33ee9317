"""SAML connections: created, configured, their certificates and keys kept (semantics 1.4)."""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import (
    audit,
    connection_fields,
    connection_lifecycle,
    connections,
    organizations,
    role_ledger,
    saml_keys,
    saml_metadata,
)
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.domain.policy import project_policy, roles_of
from vestibule.domain.upkeep import feeds
from vestibule.errors import Failure
from vestibule.fetch import acting_for
from vestibule.records import (
    Connection,
    Organization,
    Project,
    Published,
    SamlConfiguration,
)
from vestibule.saml.endpoints import endpoint_url
from vestibule.saml.errors import SamlError
from vestibule.saml.keys import read_certificate
from vestibule.settings import Settings
from vestibule.store.interface import Transaction

_NOT_FOUND: Final = errors.saml_connection_not_found
# What metadata says and a person may enter as well; it is checked alike.
_ENTERED: Final = ("idp_entity_id", "idp_sso_url")
# What is kept beside the record of a connection.
_KEYS: Final = {"x509_certificate", "signing_private_key", "saml_encryption_private_key"}
_NAMEID_FORMAT: Final = re.compile(
    r"urn:oasis:names:tc:SAML:[12]\.[01]:nameid-format:[A-Za-z0-9-]{1,100}", re.ASCII
)


async def create(
    context: Context, project: Project, locator: str, changes: Mapping[str, Any]
) -> ConnectionView:
    """Make a pending connection with a signing key of its own. Raises Failure."""
    values = _common(changes)
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
    now = context.clock.now()
    connection = Connection(
        connection_id=context.new_id("saml-connection", project),
        project_id=project.project_id,
        organization_id=organization.organization_id,
        protocol="saml",
        display_name=values.get("display_name", ""),
        identity_provider=values.get("identity_provider", "generic"),
        saml=SamlConfiguration(),
        created_at=now,
        updated_at=now,
    )
    signing = await saml_keys.new_signing_key(context, project, connection)
    async with context.store.write() as tx:
        # It may have been deleted while the key was made.
        organization = await organizations.load(
            tx, project, organization.organization_id, lock=True
        )
        await connection_lifecycle.require_room(tx, organization)
        await tx.connections.insert(connection)
        await tx.connection_keys.insert(signing)
        await audit.record(tx, context, "connection.create", connection, connection.connection_id)
    return ConnectionView(connection, (signing,))


async def update(
    context: Context,
    project: Project,
    locator: str,
    connection_id: str,
    changes: Mapping[str, Any],
) -> ConnectionView:
    """Change the fields that were sent and return the connection as it now is.

    A certificate or an encryption key is added; a signing key takes the place of the old one.
    Raises Failure naming the field.
    """
    added = await asyncio.to_thread(saml_keys.read_changes, changes)
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        connection = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
        known_roles = roles_of(project_policy(project), organization)
        changed = _apply(context.settings, known_roles, connection, changes)
        changed = role_ledger.of_connection(context, connection, changed)
        await _require_unique(tx, changed)
        if _saml(changed).idp_entity_id != _saml(connection).idp_entity_id:
            # What was read so far is of another identity provider.
            await feeds.stop(tx, connection)
        await saml_keys.add(tx, context, project, connection, added)
        view = await connection_lifecycle.settle(tx, context, organization, changed)
        names = audit.differing(connection, view.connection) | (changes.keys() & _KEYS)
        await audit.record(
            tx, context, "connection.update", connection, connection_id, changed=names
        )
        return view


async def update_by_url(
    context: Context, project: Project, locator: str, connection_id: str, metadata_url: str
) -> ConnectionView:
    """Take address, entity id and certificates from the metadata at a URL; return the connection.

    The attribute mapping has to come separately. The metadata is read again from then on. Raises
    Failure: the URL cannot be fetched, or what is there is not usable metadata.
    """
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        before = _saml(await connections.load(tx, organization, connection_id, error=_NOT_FOUND))
    signer = before.policy.metadata_certificate
    with acting_for(organization.organization_id):
        reading = await saml_metadata.read(context, metadata_url, signer=signer)
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        connection = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
        view = await take_over(
            tx, context, project, organization, connection, found=reading.published
        )
        await feeds.start(tx, context, connection, metadata_url, reading)
        names = audit.differing(connection, view.connection) | {"metadata_url", "x509_certificate"}
        await audit.record(
            tx, context, "connection.update", connection, connection_id, changed=names
        )
        return view


async def take_over(
    tx: Transaction,
    context: Context,
    project: Project,
    organization: Organization,
    connection: Connection,
    *,
    found: Published,
) -> ConnectionView:
    """Write fields of metadata into a connection and add its certificates; return it.

    Raises Failure as if a person had entered them.
    """
    entered = {name: found.fields[name] for name in _ENTERED if name in found.fields}
    changed = _apply(context.settings, (), connection, entered)
    others = {name: value for name, value in found.fields.items() if name not in _ENTERED}
    changed = replace(changed, saml=replace(_saml(changed), **others))
    await _require_unique(tx, changed)
    certificates = [read_certificate(pem) for pem in found.certificates]
    added = saml_keys.Added(certificates=certificates)
    await saml_keys.add(tx, context, project, connection, added)
    return await connection_lifecycle.settle(tx, context, organization, changed)


async def delete_verification_certificate(
    context: Context, project: Project, locator: str, connection_id: str, certificate_id: str
) -> str:
    """Remove a certificate and return its id.

    Raises Failure sso_verification_key_not_found, or cannot_delete_last_sso_verification_key.
    """
    async with context.store.write() as tx:
        connection = await _locked(tx, project, locator, connection_id)
        keys = await saml_keys.of_purpose(tx, connection, "verification")
        if certificate_id not in {key.key_id for key in keys}:
            raise Failure(errors.sso_verification_key_not_found)
        if connection.status == "active" and len(keys) == 1:
            raise Failure(errors.cannot_delete_last_sso_verification_key)
        await saml_keys.remove(tx, connection, certificate_id)
        await audit.record(tx, context, "connection.delete_certificate", connection, certificate_id)
    return certificate_id


async def delete_encryption_private_key(
    context: Context, project: Project, locator: str, connection_id: str, private_key_id: str
) -> str:
    """Remove a decryption key and return its id. Raises Failure …_private_key_not_found."""
    async with context.store.write() as tx:
        connection = await _locked(tx, project, locator, connection_id)
        keys = await saml_keys.of_purpose(tx, connection, "encryption")
        if private_key_id not in {key.key_id for key in keys}:
            raise Failure(errors.sso_encryption_private_key_not_found)
        await saml_keys.remove(tx, connection, private_key_id)
        await audit.record(
            tx, context, "connection.delete_encryption_key", connection, private_key_id
        )
    return private_key_id


async def _locked(
    tx: Transaction, project: Project, locator: str, connection_id: str
) -> Connection:
    organization = await organizations.load(tx, project, locator, lock=True)
    connection = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
    _saml(connection)
    return connection


def _common(changes: Mapping[str, Any]) -> dict[str, str]:
    readers: dict[str, Callable[[str], str]] = {
        "display_name": connection_fields.display_name,
        "identity_provider": connection_fields.identity_provider,
    }
    return {name: read(changes[name]) for name, read in readers.items() if name in changes}


def _apply(
    settings: Settings,
    known_roles: Collection[str],
    connection: Connection,
    changes: Mapping[str, Any],
) -> Connection:
    """Return the connection with the fields that were sent, checked one by one and together."""
    values: dict[str, Any] = {}
    for name in ("idp_initiated_auth_disabled", "allow_gateway_callback"):
        if name in changes:
            values[name] = changes[name]
    if "idp_entity_id" in changes:
        values["idp_entity_id"] = _entity_id(changes["idp_entity_id"])
    if "idp_sso_url" in changes:
        values["idp_sso_url"] = _sso_url(settings, changes["idp_sso_url"])
        values["idp_sso_binding"] = "redirect"
    if "attribute_mapping" in changes:
        values["attribute_mapping"] = _mapping(changes["attribute_mapping"])
    if "nameid_format" in changes:
        values["nameid_format"] = _nameid_format(changes["nameid_format"])
    for name in ("alternative_audience_uri", "alternative_acs_url"):
        if name in changes:
            values[name] = _alternative(settings, name, changes[name])
    before = _saml(connection)
    values |= connection_fields.role_assignments(known_roles, before, changes)
    saml = replace(before, **values)
    if saml.group_roles:
        connection_fields.require_groups_mapped(saml)
    saml = _without_old_logout(before, saml)
    return replace(connection, saml=saml, **_common(changes))


def _without_old_logout(before: SamlConfiguration, after: SamlConfiguration) -> SamlConfiguration:
    """Return `after`; answers to another identity provider must not go to the old one's address."""
    if after.idp_entity_id == before.idp_entity_id:
        return after
    return replace(after, idp_slo_url="", idp_slo_response_url="")


def _saml(connection: Connection) -> SamlConfiguration:
    if connection.saml is None:
        raise Failure(_NOT_FOUND)
    return connection.saml


def _entity_id(value: str) -> str:
    # An entity id is a URI of at most 1024 characters (SAML Core 8.3.6).
    if not value or " " in value:
        raise Failure(errors.invalid_idp_entity_id)
    return connection_fields.text(value, errors.invalid_idp_entity_id)


def _sso_url(settings: Settings, value: str) -> str:
    if not value:
        raise Failure(errors.saml_connection_idp_sso_url_required)
    try:
        url = endpoint_url(value)
    except SamlError as error:
        raise Failure(
            errors.saml_connection_idp_sso_url_invalid_format,
            f"idp_sso_url: expected {error.expected}.",
        ) from error
    if not connection_fields.is_https_or_listed(settings, url):
        raise Failure(errors.saml_connection_idp_sso_url_not_https)
    return url


def _mapping(value: Mapping[str, Any]) -> dict[str, str]:
    mapping = connection_fields.attribute_mapping(value)
    if not mapping:
        raise Failure(errors.saml_connection_attribute_mapping_required)
    if "email" not in mapping:
        raise Failure(errors.saml_connection_email_mapping_required)
    if "full_name" not in mapping and not {"first_name", "last_name"} <= mapping.keys():
        raise Failure(errors.saml_connection_name_mapping_required)
    return mapping


def _nameid_format(value: str) -> str:
    if not value:
        return SamlConfiguration().nameid_format
    if not _NAMEID_FORMAT.fullmatch(value):
        raise Failure(
            errors.bad_request,
            "nameid_format: expected one of SAML's, urn:oasis:names:tc:SAML:…:nameid-format:….",
        )
    return value


def _alternative(settings: Settings, name: str, value: str) -> str:
    if len(value) > 1024 or not value.isprintable() or " " in value:
        raise Failure(errors.bad_request, f"{name}: expected a URI of at most 1024 characters.")
    if name == "alternative_acs_url" and value:
        try:
            endpoint_url(value)
        except SamlError as error:
            raise Failure(errors.bad_request, f"{name}: expected {error.expected}.") from error
        # Assertions are sent there.
        if not connection_fields.is_https_or_listed(settings, value):
            raise Failure(errors.bad_request, f"{name}: expected an https URL.")
    return value


async def _require_unique(tx: Transaction, connection: Connection) -> None:
    """One IdP entity id stands for one connection of an organization (SP-72)."""
    entity_id = _saml(connection).idp_entity_id
    if not entity_id:
        return
    for other in await tx.connections.all(
        project_id=connection.project_id,
        organization_id=connection.organization_id,
        protocol="saml",
    ):
        same = other.saml is not None and other.saml.idp_entity_id == entity_id
        if same and other.connection_id != connection.connection_id:
            raise Failure(errors.duplicate_saml_connection)
