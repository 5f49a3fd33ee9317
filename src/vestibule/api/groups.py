"""The endpoint groups, in the order of the reference, and the application made of them."""

from collections import defaultdict
from typing import Final

from starlette.routing import Route

from vestibule.api import (
    audit_events,
    connected_apps,
    discovery,
    impersonation,
    members,
    members_housekeeping,
    oauth_providers,
    oidc_providers,
    organizations,
    organizations_housekeeping,
    otps_sms,
    project,
    rbac,
    rbac_organizations,
    recovery_codes,
    sdk_sso,
    sessions,
    sessions_from_elsewhere,
    sso,
    sso_external,
    sso_logout,
    sso_metadata,
    sso_oidc,
    sso_saml,
    sso_settings,
    sso_signing_key,
    sso_traces,
    totps,
)
from vestibule.api.cross_origin import CrossOrigin
from vestibule.api.endpoint import Endpoint, Group
from vestibule.api.operation import Operation
from vestibule.domain.context import Context
from vestibule.permissions import PublicToken

GROUPS: Final[tuple[Group, ...]] = (
    organizations.group,
    organizations_housekeeping.group,
    audit_events.group,
    connected_apps.of_organizations,
    members.group,
    members_housekeeping.group,
    members_housekeeping.own,
    totps.of_members,
    otps_sms.of_members,
    connected_apps.of_members,
    connected_apps.revocation,
    oauth_providers.group,
    oidc_providers.group,
    sessions.group,
    sessions_from_elsewhere.group,
    discovery.of_organizations,
    discovery.of_intermediate_sessions,
    totps.group,
    otps_sms.group,
    recovery_codes.group,
    impersonation.group,
    sso.group,
    sso_saml.group,
    sso_oidc.group,
    sso_external.group,
    sso_settings.group,
    sso_signing_key.group,
    sso_traces.group,
    sso_logout.group,
    sso_metadata.group,
    sdk_sso.group,
    rbac.group,
    rbac_organizations.group,
    project.of_project,
    project.of_debug,
)


def endpoints() -> list[Endpoint]:
    """Return every endpoint."""
    return [endpoint for group in GROUPS for endpoint in group.endpoints]


def routes(context: Context) -> list[Route]:
    """Return one route per path, literal segments before placeholders."""
    by_path: defaultdict[str, dict[str, Endpoint]] = defaultdict(dict)
    for endpoint in endpoints():
        by_path[endpoint.path][endpoint.method] = endpoint
    ordered = sorted(by_path, key=lambda path: [part.startswith("{") for part in path.split("/")])
    return [Route(path, _answering(context, by_path[path])) for path in ordered]


def _answering(context: Context, methods: dict[str, Endpoint]) -> Operation | CrossOrigin:
    """Return what answers at one path; pages of other origins may ask what is for browsers."""
    operation = Operation(context, methods)
    for_browsers = all(isinstance(each.access, PublicToken) for each in methods.values())
    return CrossOrigin(context, operation, methods) if for_browsers else operation
