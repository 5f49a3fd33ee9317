"""All declared endpoints, with paths and bodies that reach what they do."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final

from tests.support.asgi import basic
from tests.support.saml_keys import signer
from tests.support.scenario import Scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.permissions import PublicToken

READS: Final = frozenset({"GET", "DELETE"})


def path_of(endpoint: Endpoint, values: Mapping[str, str]) -> str:
    """Return path and query with `values` (percent-encoded already) in the place of names."""
    return _NAME.sub(lambda found: values.get(found[1], "x"), _target(endpoint))


def fields_of(endpoint: Endpoint) -> list[str]:
    """Return the names of the fields that do not stand in the path."""
    names = endpoint.request.__struct_fields__
    return [name for name in names if name not in endpoint.path_names]


def with_id(name: str) -> list[Endpoint]:
    """Return the endpoints that are told `name` in their path, or that read it in their query."""
    return [item for item in endpoints() if name in _NAME.findall(_target(item))]


def needs_the_secret_alone(endpoint: Endpoint) -> bool:
    """Tell whether every member session is refused before it is asked which organization is meant.

    `Call.require_secret` does that.
    """
    return "require_secret(" in inspect.getsource(endpoint.handler)


def _target(endpoint: Endpoint) -> str:
    return endpoint.path + _QUERIES.get(endpoint.operation_id, "")


def authorization_of(endpoint: Endpoint, scenario: Scenario) -> dict[str, str]:
    """Return the header with which `endpoint` knows the scenario's project."""
    if isinstance(endpoint.access, PublicToken):
        return {"authorization": basic(scenario.public_token, scenario.public_token)}
    return {"authorization": scenario.api.authorization}


def full_body(endpoint: Endpoint) -> dict[str, Any]:
    """Return a body with which `endpoint` would succeed, were its path right."""
    return dict(_BODIES.get(endpoint.operation_id, {}))


_NAME: Final = re.compile(r"{(\w+)}")
_QUERIES: Final = {
    "organizations.members.get": "?member_id={member_id}",
    "sessions.get": "?organization_id={organization_id}&member_id={member_id}",
}
_NOBODY: Final = {"organization_id": "none", "member_id": "none"}
_BODIES: Final[dict[str, dict[str, Any]]] = {
    "organizations.create": {"organization_name": "New"},
    "organizations.update": {"organization_name": "New"},
    "organizations.members.create": {"email_address": "new@acme.test"},
    "organizations.members.update": {"name": "New"},
    "organizations.members.unlink_retired_email": {"email_address": "old@acme.test"},
    "organizations.members.start_email_update": {"email_address": "new@acme.test"},
    "organizations.members.confirm_email_update": {"code": "123456"},
    "organizations.members.search": {"organization_ids": ["acme"]},
    "sessions.attest": {"profile_id": "none", "token": "none"},
    "sessions.exchange_access_token": {"access_token": "none"},
    "sessions.migrate": {"session_token": "none", "organization_id": "acme"},
    "discovery.organizations.list": {"intermediate_session_token": "none"},
    "discovery.organizations.create": {"intermediate_session_token": "none"},
    "discovery.intermediate_sessions.exchange": {
        "intermediate_session_token": "none",
        "organization_id": "acme",
    },
    "impersonation.authenticate": {"impersonation_token": "none"},
    "sso.authenticate": {"sso_token": "none"},
    "sso.saml.update_connection": {
        "x509_certificate": signer("other").pem,
        "display_name": "New",
    },
    "sso.saml.update_by_url": {"metadata_url": "https://idp.example.com/metadata.xml"},
    "sso.oidc.update_connection": {"client_id": "new"},
    "sso.external.create_connection": {
        "external_organization_id": "none",
        "external_connection_id": "none",
    },
    "sso.external.update_connection": {"display_name": "New"},
    "sso.settings.metadata.accept": {"digest": "none"},
    "sso.settings.metadata.refuse": {"digest": "none"},
    "otps.sms.send": {**_NOBODY, "mfa_phone_number": "+12025550162"},
    "otps.sms.authenticate": {**_NOBODY, "code": "123456", "session_token": "none"},
    "totps.create": _NOBODY,
    "totps.authenticate": {**_NOBODY, "code": "123456", "session_token": "none"},
    "totps.migrate": {**_NOBODY, "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
    "recovery_codes.recover": {
        **_NOBODY,
        "recovery_code": "abcd-efgh-ijkl",
        "session_token": "none",
    },
    "recovery_codes.rotate": _NOBODY,
    "rbac.organizations.set_org_policy": {"org_policy": {"roles": []}},
}
