"""Values with which each endpoint succeeds, by field name, and what has to be there for that."""

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import pyotp

from tests.support import oidc_documents
from tests.support.application_logout import GOODBYE
from tests.support.application_logout import register as register_goodbye
from tests.support.metadata_host import URL as METADATA_URL
from tests.support.metadata_host import MetadataHost, fed_connection
from tests.support.phones import SEND, newest_code
from tests.support.proofs import prove
from tests.support.saml_keys import signer
from tests.support.scenario import IDP_ENTITY, IDP_SSO, MAPPING, Scenario
from tests.support.single_logout import provider
from vestibule.api.endpoint import Endpoint
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import impersonation, letters, session_migration, trusted_tokens
from vestibule.errors import Failure
from vestibule.fetch import FetchResponse
from vestibule.mail import MemoryMail
from vestibule.saml.keys import private_key_pem

Values = dict[str, Any]

NEVER_GOOD: Final = {
    **{
        f"organizations.members.oauth_providers.{name}": "nobody signs in by OAuth here"
        for name in ("google", "microsoft", "slack", "hubspot", "github")
    },
    "organizations.get_connected_app": "there are no connected apps here",
    "organizations.members.connected_apps.revoke": "the same",
    "sessions.exchange_access_token": "the same",
    "organizations.members.delete_password": "there are no passwords here",
}
"""The endpoints that cannot succeed, and why."""
USING_UP: Final = frozenset(
    {
        "organizations.create",
        "organizations.delete",
        "organizations.members.create",
        "organizations.members.delete",
        "organizations.members.reactivate",
        "organizations.members.unlink_retired_email",
        "organizations.members.confirm_email_update",
        "organizations.members.delete_totp",
        "sessions.revoke",
        "sessions.attest",
        "discovery.organizations.create",
        "discovery.intermediate_sessions.exchange",
        "organizations.members.delete_mfa_phone_number",
        "otps.sms.authenticate",
        "totps.authenticate",
        "totps.migrate",
        "recovery_codes.recover",
        "impersonation.authenticate",
        "sso.authenticate",
        "sso.delete_connection",
        "sso.saml.delete_verification_certificate",
        "sso.saml.delete_encryption_private_key",
        "sso.external.create_connection",
        "sso.settings.signing_key.start",
        "sso.settings.signing_key.complete",
        "sso.settings.signing_key.cancel",
        "sso.settings.metadata.accept",
        "sso.settings.metadata.refuse",
        "sso.settings.metadata.stop",
    }
)
"""The endpoints that need new values after they have succeeded."""
ALWAYS_SENT: Final = {
    "organizations.create": "organization_name",
    "organizations.members.search": "organization_ids",
    "organizations.members.unlink_retired_email": "email_address",
    "sessions.authenticate": "session_token",
    "sessions.exchange": "session_token",
    "sessions.attest": "organization_id",
    "discovery.organizations.list": "session_token",
    "otps.sms.authenticate": "session_token",
    "totps.authenticate": "session_token",
    "recovery_codes.recover": "session_token",
    "sso.logout.start": "session_token",
}
"""An optional field without which an endpoint does not look at the others."""
INSTEAD: Final = frozenset({"session_jwt", "intermediate_session_token"})
"""What cannot be sent along with a session's token."""
_SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
_STEP: Final = 30 * SECOND
_BETWEEN_TEXTS: Final = 3 * MINUTE
"""So a phone gets less than it may."""
_USERINFO: Final = "https://legacy.example.com/userinfo"
_ISSUER: Final = "https://tokens.example.com"


async def good_values(scenario: Scenario, endpoint: Endpoint) -> Values:
    """Make what an endpoint can be asked about, each time anew, and return good values."""
    values = await _usual(scenario)
    if endpoint.group == "sso.oidc":
        values["connection_id"] = values["oidc_connection_id"]
    prepare = _PREPARATIONS.get(endpoint.operation_id)
    return values if prepare is None else {**values, **await prepare(scenario, values)}


async def renewed(scenario: Scenario, endpoint: Endpoint, values: Values) -> Values:
    """Return good values in the place of those that an endpoint has used up."""
    renew = _RENEWALS.get(endpoint.operation_id)
    if renew is None:
        return await good_values(scenario, endpoint)
    return {**values, **await renew(scenario, values)}


async def _usual(scenario: Scenario) -> Values:
    organization = await scenario.organization()
    organization_id = organization["organization_id"]
    saml = await scenario.saml_connection(organization_id)
    token = await scenario.saml_token(saml)
    login = await scenario.authenticate(await scenario.saml_token(saml))
    there = await scenario.organization("Globex")
    lent = await scenario.oidc_connection(there["organization_id"])
    oidc = await scenario.oidc_connection(organization_id)
    return {
        "organization_id": organization_id,
        "organization_ids": [organization_id],
        "member_id": login["member_id"],
        "project_id": scenario.project.project_id,
        "connection_id": saml["connection_id"],
        "oidc_connection_id": oidc["connection_id"],
        "certificate_id": saml["verification_certificates"][0]["certificate_id"],
        "external_organization_id": there["organization_id"],
        "external_connection_id": lent["connection_id"],
        "sso_token": token,
        "session_token": login["session_token"],
        "session_jwt": login["session_jwt"],
        "email_address": "new@acme.test",
        "organization_name": "New",
        "organization_slug": f"new-{organization_id[-12:]}",
        "x509_certificate": signer("other").pem,
        "mfa_policy": "OPTIONAL",
        "mfa_phone_number": "+14155552671",
        "default_mfa_method": "sms_otp",
        "identity_provider": "okta",
        "idp_entity_id": IDP_ENTITY,
        "idp_sso_url": IDP_SSO,
        "attribute_mapping": MAPPING,
        "role_id": "stytch_admin",
        "locale": "en",
        "session_duration_minutes": 60,
    }


def _new(scenario: Scenario) -> str:
    return scenario.context.entropy.token_bytes(8).hex()


async def _new_slug(scenario: Scenario, _values: Values) -> Values:
    return {"organization_slug": f"new-{_new(scenario)}"}


async def _new_slug_and_proof(scenario: Scenario, values: Values) -> Values:
    return {**await _new_slug(scenario, values), **await _proof(scenario, values)}


async def _new_address(scenario: Scenario, _values: Values) -> Values:
    return {"email_address": f"new-{_new(scenario)}@acme.test"}


async def _new_sso_token(scenario: Scenario, values: Values) -> Values:
    found = await scenario.api.good("GET", f"/v1/b2b/sso/{values['organization_id']}")
    (connection,) = found["saml_connections"]
    return {"sso_token": await scenario.saml_token(connection)}


async def _next_code(scenario: Scenario, _values: Values) -> Values:
    scenario.clock.advance(_STEP)
    return {"code": _code(scenario)}


async def _new_recovery_codes(scenario: Scenario, values: Values) -> Values:
    who = {name: values[name] for name in ("organization_id", "member_id")}
    made = await scenario.api.good("POST", "/v1/b2b/recovery_codes/rotate", who)
    return {"recovery_code": made["recovery_codes"][0]}


def _code(scenario: Scenario) -> str:
    return pyotp.HOTP(_SECRET).at(scenario.clock.now() // _STEP)


def _member(values: Values) -> str:
    return f"/v1/b2b/organizations/{values['organization_id']}/members/{values['member_id']}"


def _settings(values: Values) -> str:
    where, which = values["organization_id"], values["connection_id"]
    return f"/v1/b2b/sso/{where}/connections/{which}/settings"


async def _deleted(scenario: Scenario, values: Values) -> Values:
    await scenario.api.good("DELETE", _member(values))
    return {}


async def _retired(scenario: Scenario, values: Values) -> Values:
    changed = await scenario.api.good("PUT", _member(values), {"email_address": "new@acme.test"})
    (retired,) = changed["member"]["retired_email_addresses"]
    return dict(retired)


async def _email_update(scenario: Scenario, values: Values) -> Values:
    address = f"new-{values['member_id'][-12:]}@acme.test"
    body = {"email_address": address, "delivery_method": "EMAIL_OTP"}
    await scenario.api.good("POST", f"{_member(values)}/start_email_update", body)
    assert isinstance(scenario.context.mail, MemoryMail)
    await letters.deliver(scenario.context)
    (letter,) = (each for each in scenario.context.mail.messages if each.to == address)
    (code,) = re.findall(r"^\d{6}$", letter.text, re.MULTILINE)
    return {"code": code}


async def _authenticator(scenario: Scenario, values: Values) -> Values:
    who = {name: values[name] for name in ("organization_id", "member_id")}
    made = await scenario.api.good("POST", "/v1/b2b/totp/migrate", {**who, "secret": _SECRET})
    return {
        "code": _code(scenario),
        "recovery_code": made["recovery_codes"][0],
        "set_mfa_enrollment": "enroll",
        "default_mfa_method": "totp",
    }


async def _text_message(scenario: Scenario, values: Values) -> Values:
    scenario.clock.advance(_BETWEEN_TEXTS)
    who = {name: values[name] for name in ("organization_id", "member_id")}
    body = {**who, "mfa_phone_number": values["mfa_phone_number"]}
    await scenario.api.good("POST", SEND, body)
    return {"code": await newest_code(scenario.context, values["mfa_phone_number"])}


async def _impersonation(scenario: Scenario, values: Values) -> Values:
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    token = await impersonation.make_token(
        scenario.context,
        scenario.project,
        organization_id=values["organization_id"],
        member_id=values["member_id"],
        impersonator="support@vestibule.test",
        reason="Ticket 7",
    )
    return {"impersonation_token": token}


async def _proof(scenario: Scenario, _values: Values) -> Values:
    return {"intermediate_session_token": await prove(scenario)}


async def _legacy(scenario: Scenario, _values: Values) -> Values:
    async def userinfo(_method: str, url: str, _body: bytes) -> FetchResponse:
        return _json(url, {"email": "ada@acme.test"})

    scenario.fetch.answers[_USERINFO] = userinfo
    await session_migration.set_source(scenario.context, scenario.project, _USERINFO)
    return {"session_token": "legacy-1"}


async def _trusted_token(scenario: Scenario, _values: Values) -> Values:
    async def jwks(_method: str, url: str, _body: bytes) -> FetchResponse:
        return _json(url, {"keys": [oidc_documents.rsa_signer().jwk()]})

    scenario.fetch.answers[f"{_ISSUER}/jwks"] = jwks
    context, project = scenario.context, scenario.project
    profiles = await trusted_tokens.get_all(context, project)
    if not profiles:
        given = {
            "name": "Ours",
            "issuer": _ISSUER,
            "audience": "vestibule",
            "jwks_url": f"{_ISSUER}/jwks",
            "attribute_mapping": {"email": "email", "token_id": "jti"},
        }
        read = trusted_tokens.read(json.dumps(given).encode())
        profiles = [await trusted_tokens.add(context, project, read)]
    issued = scenario.clock.now() // SECOND
    claims = {
        "iss": _ISSUER,
        "aud": "vestibule",
        "iat": issued,
        "exp": issued + 60,
        "jti": _new(scenario),
        "email": "ada@acme.test",
    }
    return {"profile_id": profiles[0].profile_id, "token": oidc_documents.token(claims)}


async def _second_connection(_scenario: Scenario, values: Values) -> Values:
    """The first one is the default, and stays as long as there is another."""
    return {"connection_id": values["oidc_connection_id"]}


async def _saml(scenario: Scenario, values: Values, **changes: str) -> Any:
    where, which = values["organization_id"], values["connection_id"]
    path = f"/v1/b2b/sso/saml/{where}/connections/{which}"
    return (await scenario.api.good("PUT", path, changes))["connection"]


async def _second_certificate(scenario: Scenario, values: Values) -> Values:
    await _saml(scenario, values, x509_certificate=signer("other").pem)
    return {}


async def _encryption_key(scenario: Scenario, values: Values) -> Values:
    pem = private_key_pem(signer("mine").key)
    connection = await _saml(scenario, values, saml_encryption_private_key=pem)
    return {"private_key_id": connection["encryption_private_keys"][0]["private_key_id"]}


async def _external(scenario: Scenario, values: Values) -> Values:
    names = "external_organization_id", "external_connection_id"
    path = f"/v1/b2b/sso/external/{values['organization_id']}"
    made = await scenario.api.good("POST", path, {name: values[name] for name in names})
    return {"connection_id": made["connection"]["connection_id"]}


async def _metadata_url(scenario: Scenario, _values: Values) -> Values:
    MetadataHost(scenario.fetch)
    return {"metadata_url": METADATA_URL}


async def _new_signing_key(scenario: Scenario, values: Values) -> Values:
    await scenario.api.good("POST", f"{_settings(values)}/signing_key/start", {})
    return {}


async def _metadata(scenario: Scenario, _values: Values) -> Values:
    fed = await fed_connection(scenario, MetadataHost(scenario.fetch))
    return {"organization_id": fed.organization_id, "connection_id": fed.connection_id}


async def _offer(scenario: Scenario, _values: Values) -> Values:
    fed = await fed_connection(scenario, MetadataHost(scenario.fetch))
    fed.host.publish("idp2")
    return {
        "organization_id": fed.organization_id,
        "connection_id": fed.connection_id,
        "digest": (await fed.refresh())["offer"]["digest"],
    }


async def _logout(scenario: Scenario, _values: Values) -> Values:
    with suppress(Failure):  # it is registered already
        await register_goodbye(scenario)
    login = await (await provider(scenario)).sign_in()
    return {"session_token": login["session_token"], "logout_redirect_url": GOODBYE}


async def _sign_in(scenario: Scenario, values: Values) -> Values:
    found = await scenario.api.good("GET", f"/v1/b2b/sso/{values['organization_id']}/traces")
    return {"trace_id": found["traces"][0]["trace_id"]}


async def _own_role(_scenario: Scenario, _values: Values) -> Values:
    return {"role_id": "editor", "resource_id": "stytch.member", "actions": ["create"]}


async def _oidc_login(scenario: Scenario, values: Values) -> Values:
    where = values["organization_id"]
    connections = await scenario.api.good("GET", f"/v1/b2b/sso/{where}")
    (oidc,) = connections["oidc_connections"]
    login = await scenario.authenticate(await scenario.oidc_token(oidc))
    return {"member_id": login["member_id"]}


def _json(url: str, document: Any) -> FetchResponse:
    headers = {"content-type": "application/json"}
    return FetchResponse(status=200, headers=headers, body=json.dumps(document).encode(), url=url)


async def _takes_over(_scenario: Scenario, _values: Values) -> Values:
    return {"secret": _SECRET, "recovery_codes": ["first-code-1", "other-code-2"]}


_PREPARATIONS: Final[dict[str, Callable[[Scenario, Values], Awaitable[Values]]]] = {
    "organizations.members.update": _authenticator,
    "organizations.members.reactivate": _deleted,
    "organizations.members.unlink_retired_email": _retired,
    "organizations.members.confirm_email_update": _email_update,
    "organizations.members.delete_totp": _authenticator,
    "organizations.members.oidc_providers": _oidc_login,
    "sessions.migrate": _legacy,
    "sessions.attest": _trusted_token,
    "discovery.organizations.create": _proof,
    "discovery.intermediate_sessions.exchange": _proof,
    "organizations.members.delete_mfa_phone_number": _text_message,
    "otps.sms.authenticate": _text_message,
    "totps.authenticate": _authenticator,
    "totps.migrate": _takes_over,
    "recovery_codes.recover": _authenticator,
    "recovery_codes.get": _authenticator,
    "recovery_codes.rotate": _authenticator,
    "impersonation.authenticate": _impersonation,
    "sso.delete_connection": _second_connection,
    "sso.saml.update_by_url": _metadata_url,
    "sso.saml.delete_verification_certificate": _second_certificate,
    "sso.saml.delete_encryption_private_key": _encryption_key,
    "sso.external.update_connection": _external,
    "sso.settings.signing_key.complete": _new_signing_key,
    "sso.settings.signing_key.cancel": _new_signing_key,
    "sso.settings.metadata.accept": _offer,
    "sso.settings.metadata.refuse": _offer,
    "sso.settings.metadata.refresh": _metadata,
    "sso.settings.metadata.stop": _metadata,
    "sso.logout.start": _logout,
    "sso.traces.get": _sign_in,
    "rbac.organizations.set_org_policy": _own_role,
}
_RENEWALS: Final[dict[str, Callable[[Scenario, Values], Awaitable[Values]]]] = {
    "organizations.create": _new_slug,
    "organizations.members.create": _new_address,
    "sessions.attest": _trusted_token,
    "discovery.organizations.create": _new_slug_and_proof,
    "discovery.intermediate_sessions.exchange": _proof,
    "otps.sms.authenticate": _text_message,
    "totps.authenticate": _next_code,
    "recovery_codes.recover": _new_recovery_codes,
    "sso.authenticate": _new_sso_token,
}
"""How to renew what takes long to make anew, and not only what is used up."""
