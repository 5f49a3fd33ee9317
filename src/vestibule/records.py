"""The nouns as they are stored: frozen structs, times in microseconds UTC.

Wire objects are separate (`api/objects.py`): the wire is fixed by its SDKs, the tables are ours.
Every record of an organization carries `project_id` and `organization_id`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from vestibule.ids import Environment

Json = Mapping[str, Any]
Protocol = Literal["saml", "oidc", "external"]
MemberStatus = Literal["pending", "invited", "active", "deleted"]
ActorType = Literal["project_secret", "member_session", "operator", "visitor", "system"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is common to all: immutable, keyword-only; change one with `msgspec.structs.replace`."""


# Projects ------------------------------------------------------------------------------------


class Permissions(Record, frozen=True, kw_only=True):
    """Actions a role may perform on one resource; `*` alone means all."""

    resource_id: str
    actions: tuple[str, ...]


class Role(Record, frozen=True, kw_only=True):
    """A named set of permissions."""

    role_id: str
    description: str = ""
    permissions: tuple[Permissions, ...] = ()


class Resource(Record, frozen=True, kw_only=True):
    """Something that permissions are about, and what can be done with it."""

    resource_id: str
    description: str = ""
    actions: tuple[str, ...]


class ProjectPolicy(Record, frozen=True, kw_only=True):
    """Roles and resources that a project has beside the default ones.

    A role with the id of a default one has its permissions instead.
    """

    roles: tuple[Role, ...] = ()
    resources: tuple[Resource, ...] = ()


class Project(Record, frozen=True, kw_only=True):
    """One environment of one application; everything else belongs to exactly one.

    `session_migration_url` is the userinfo endpoint of the system that the application comes from,
    '' where sessions of no other system are taken over. Members may be impersonated where that is
    allowed, and members who are locked out may end that by a letter's link where
    `user_lock_self_serve`.
    """

    project_id: str
    environment: Environment
    name: str
    created_at: int
    session_migration_url: str = ""
    impersonation_allowed: bool = False
    rbac_policy: ProjectPolicy = ProjectPolicy()
    user_lock_self_serve: bool = False


class ProjectSecret(Record, frozen=True, kw_only=True):
    """An API secret: several may be active, so that they can be rotated."""

    secret_id: str
    project_id: str
    secret_hash: bytes
    last_four: str
    created_at: int


class PublicToken(Record, frozen=True, kw_only=True):
    """Names a project in a browser's request; not a secret."""

    public_token: str
    project_id: str
    created_at: int


class RedirectUrl(Record, frozen=True, kw_only=True):
    """A place that browsers may be sent to: with a token, or after a logout (semantics 1.1)."""

    project_id: str
    url: str
    login: bool = False
    signup: bool = False
    default_login: bool = False
    default_signup: bool = False
    created_at: int
    logout: bool = False
    default_logout: bool = False


class SigningKey(Record, frozen=True, kw_only=True):
    """An RS256 key of session JWTs. `private_key` is sealed; `certificate` is DER for x5c.

    Published from `created_at`, signs from `active_from`, published until `retires_at` (0: open).
    """

    key_id: str
    project_id: str
    private_key: bytes
    certificate: bytes
    created_at: int
    active_from: int
    retires_at: int = 0


class TrustedTokenProfile(Record, frozen=True, kw_only=True):
    """An issuer whose tokens begin sessions in the project (semantics 6.4).

    Its keys are those at `jwks_url`, or `public_keys` (PEM) where that is empty.
    `attribute_mapping` leads from our names to those of its claims.
    """

    profile_id: str
    project_id: str
    name: str
    issuer: str
    audience: str
    jwks_url: str = ""
    public_keys: tuple[str, ...] = ()
    attribute_mapping: Mapping[str, str]
    can_jit_provision: bool = False
    created_at: int


class TrustedToken(Record, frozen=True, kw_only=True):
    """A trusted token that has begun a session; unique on (profile_id, token_id)."""

    project_id: str
    profile_id: str
    token_id: str
    expires_at: int


class DataKey(Record, frozen=True, kw_only=True):
    """A 256-bit key that seals secrets, wrapped by the master key."""

    data_key_id: str
    wrapped: bytes
    created_at: int


# Organizations and members -------------------------------------------------------------------


class Given(Record, frozen=True, kw_only=True, omit_defaults=True):
    """When a role was given, and by whom, as in `Origin`; 0 is before that was kept."""

    given_at: int = 0
    actor_type: ActorType = "system"
    actor_id: str = ""
    request_id: str = ""


class EmailRole(Record, frozen=True, kw_only=True):
    """Members whose address is in `domain` hold `role_id`."""

    domain: str
    role_id: str


class EmailRoleAssignment(EmailRole, frozen=True, kw_only=True):
    """The same, and when it was given."""

    given: Given = Given()


class Organization(Record, frozen=True, kw_only=True):
    """A tenant: the product's customer, with its settings (semantics 1.2).

    Since `suspended_at` nobody signs in and no session counts; 0 when it is not suspended.
    """

    organization_id: str
    project_id: str
    organization_name: str
    organization_slug: str
    organization_external_id: str | None = None
    organization_logo_url: str = ""
    trusted_metadata: Json = {}
    sso_default_connection_id: str | None = None
    sso_jit_provisioning: str = "ALL_ALLOWED"
    sso_jit_provisioning_allowed_connections: tuple[str, ...] = ()
    email_allowed_domains: tuple[str, ...] = ()
    email_jit_provisioning: str = "NOT_ALLOWED"
    email_invites: str = "ALL_ALLOWED"
    oauth_tenant_jit_provisioning: str = "NOT_ALLOWED"
    allowed_oauth_tenants: Json | None = None
    claimed_email_domains: tuple[str, ...] = ()
    auth_methods: str = "ALL_ALLOWED"
    allowed_auth_methods: tuple[str, ...] = ()
    mfa_policy: str = "OPTIONAL"
    mfa_methods: str = "ALL_ALLOWED"
    allowed_mfa_methods: tuple[str, ...] = ()
    rbac_email_implicit_role_assignments: tuple[EmailRoleAssignment, ...] = ()
    first_party_connected_apps_allowed_type: str = "ALL_ALLOWED"
    allowed_first_party_connected_apps: tuple[str, ...] = ()
    third_party_connected_apps_allowed_type: str = "ALL_ALLOWED"
    allowed_third_party_connected_apps: tuple[str, ...] = ()
    custom_roles: tuple[Role, ...] = ()
    created_at: int
    updated_at: int
    suspended_at: int = 0


class OrganizationDomain(Record, frozen=True, kw_only=True):
    """One e-mail domain of an organization's settings, kept apart so that it can be searched.

    A domain is claimed by at most one organization of a project.
    """

    project_id: str
    organization_id: str
    kind: Literal["allowed", "claimed"]
    domain: str


class Member(Record, frozen=True, kw_only=True):
    """A person inside one organization (semantics 1.3).

    `email_address` is as given; `email_key` is its canonical form, unique among the live and
    retired addresses of the organization (`MemberEmail`). Until `lock_expires_at` the member may
    not sign in; 0 when it was never locked. `failed_attempts` are the wrong codes since the last
    right one or the last lock. `totp_registration_id` is that of the active authenticator, or '';
    `mfa_phone_id` names the phone from its first proof on.
    """

    member_id: str
    project_id: str
    organization_id: str
    email_address: str
    status: MemberStatus
    email_address_verified: bool = False
    name: str = ""
    external_id: str | None = None
    is_breakglass: bool = False
    mfa_enrolled: bool = False
    mfa_phone_number: str = ""
    mfa_phone_number_verified: bool = False
    default_mfa_method: str = ""
    trusted_metadata: Json = {}
    untrusted_metadata: Json = {}
    created_at: int
    updated_at: int
    lock_created_at: int = 0
    lock_expires_at: int = 0
    failed_attempts: int = 0
    totp_registration_id: str = ""
    mfa_phone_id: str = ""


class MemberRole(Record, frozen=True, kw_only=True):
    """A role given to a member directly; all others are derived (`domain/roles.py`)."""

    project_id: str
    organization_id: str
    member_id: str
    role_id: str
    given: Given = Given()


class MemberEmail(Record, frozen=True, kw_only=True):
    """An address that belongs to a live member: the primary one or a retired one.

    Unique on (project, organization, email_key), which is what keeps one address with one member.
    It is, or was at last, the primary one since `primary_since`.
    """

    email_id: str
    project_id: str
    organization_id: str
    member_id: str
    email_key: str
    email_address: str
    retired: bool = False
    created_at: int
    primary_since: int = 0


class Totp(Record, frozen=True, kw_only=True):
    """A member's authenticator app; a member has one at most.

    It counts from `activated_at` on (0: not yet), which has to be before `expires_at`. `last_step`
    is the newest 30-second step whose code was accepted. `secret` (base32) is sealed, and so is
    `recovery_key`, the key of the hashes of its recovery codes.
    """

    totp_registration_id: str
    project_id: str
    organization_id: str
    member_id: str
    secret: bytes
    recovery_key: bytes
    last_step: int = 0
    activated_at: int = 0
    created_at: int
    expires_at: int


class RecoveryCode(Record, frozen=True, kw_only=True):
    """A code that counts once in the place of the authenticator's. `sealed` is the code itself.

    `position` is its place among those that were made with it.
    """

    recovery_code_id: str
    project_id: str
    organization_id: str
    totp_registration_id: str
    position: int
    code_hash: bytes
    sealed: bytes
    created_at: int
    consumed_at: int = 0


class SmsCode(Record, frozen=True, kw_only=True):
    """The newest code that was sent to a member's phone; `code` is sealed.

    It counts once, for this number alone, until `expires_at` or too many wrong `attempts`.
    """

    project_id: str
    organization_id: str
    member_id: str
    phone_number: str
    code: bytes
    attempts: int = 0
    created_at: int
    expires_at: int


class SmsCount(Record, frozen=True, kw_only=True):
    """How many texts `subject` (a phone number, a member, an organization) was `sent`.

    `limit_name` is the limit that is counted against, in its window that ends at `ends_at`.
    """

    project_id: str
    limit_name: str
    subject: str
    ends_at: int
    sent: int


class Registration(Record, frozen=True, kw_only=True):
    """The tie between a member and an identity at one connection (`sso_registrations`).

    `groups` is None when the identity provider sent none; that is not the same as no groups. When
    each of them was first sent is in `groups_since`.
    """

    registration_id: str
    project_id: str
    organization_id: str
    member_id: str
    connection_id: str
    external_id: str
    sso_attributes: Json = {}
    groups: tuple[str, ...] | None = None
    created_at: int
    updated_at: int
    groups_since: Mapping[str, int] = {}


class OidcToken(Record, frozen=True, kw_only=True):
    """What an OpenID provider gave out at the newest login of a registration, sealed.

    Until `refreshing_until` one reader refreshes it alone.
    """

    registration_id: str
    project_id: str
    organization_id: str
    sealed: bytes
    refreshing_until: int = 0


# Connections ---------------------------------------------------------------------------------


class GroupRoleAssignment(Record, frozen=True, kw_only=True):
    """Members in `group` (at the identity provider) hold `role_id`.

    `group` is compared as it is: a name, a path ("/staff") or an object id. `display_name` is what
    people call it, and is never compared.
    """

    role_id: str
    group: str
    display_name: str = ""
    given: Given = Given()


class SamlPolicy(Record, frozen=True, kw_only=True):
    """What a SAML connection asks for and puts up with; the defaults are the safe ones.

    `force_authn` and `requested_authn_contexts` (context class references; none: any will do) go
    into our requests. `require_…` and `refuse_…` are stricter than the default, `allow_…` laxer.
    `idp_initiated_roundtrip` turns a sign-in that the identity provider begins into one of ours.
    `trust_metadata_certificates` takes new certificates from its metadata without a person's yes.
    `metadata_certificate` (PEM) is the one that its metadata has to be signed with, '' for any.
    `cap_sessions` lets no session outlast the one at the identity provider (SessionNotOnOrAfter).
    `absent_groups_mean_none` takes an answer without groups for one with none; otherwise those of
    the login before are kept.
    """

    force_authn: bool = False
    requested_authn_contexts: tuple[str, ...] = ()
    require_signed_response: bool = False
    require_signed_assertion: bool = False
    require_encryption: bool = False
    refuse_expired_certificates: bool = False
    allow_cbc: bool = False
    allow_inclusive_c14n: bool = False
    allow_missing_authn_statement: bool = False
    idp_initiated_roundtrip: bool = False
    trust_metadata_certificates: bool = False
    metadata_certificate: str = ""
    cap_sessions: bool = False
    absent_groups_mean_none: bool = False


class SamlConfiguration(Record, frozen=True, kw_only=True):
    """What a SAML connection knows of its identity provider.

    `connection_roles_given` has the giving of each of the `connection_roles`, by role.

    The `idp_slo_*` fields are those of Single Logout; a response goes to `idp_slo_response_url`.
    They are empty where its metadata names none.
    """

    idp_entity_id: str = ""
    idp_sso_url: str = ""
    idp_sso_binding: Literal["redirect", "post"] = "redirect"
    idp_slo_url: str = ""
    idp_slo_response_url: str = ""
    idp_slo_binding: Literal["redirect", "post"] = "redirect"
    attribute_mapping: Json | None = None
    nameid_format: str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    alternative_audience_uri: str = ""
    alternative_acs_url: str = ""
    idp_initiated_auth_disabled: bool = False
    allow_gateway_callback: bool = False
    connection_roles: tuple[str, ...] = ()
    group_roles: tuple[GroupRoleAssignment, ...] = ()
    connection_roles_given: Mapping[str, Given] = {}
    policy: SamlPolicy = SamlPolicy()


class OidcConfiguration(Record, frozen=True, kw_only=True):
    """What an OIDC connection knows of its identity provider; `client_secret` is sealed.

    `end_session_url` is where logouts go, '' where the provider has no such place.

    `token_auth_method` (client_secret_basic or client_secret_post) and `iss_parameter_supported`
    (RFC 9207) are what its discovery document said, where it was read; `client_authentication` is
    what a person said instead. `absent_groups_mean_none` is as in SamlPolicy.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret: bytes = b""
    authorization_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    jwks_url: str = ""
    custom_scopes: str = ""
    attribute_mapping: Json | None = None
    token_auth_method: str = ""
    iss_parameter_supported: bool = False
    end_session_url: str = ""
    client_authentication: Literal["", "client_secret_basic", "client_secret_post"] = ""
    absent_groups_mean_none: bool = False
    connection_roles: tuple[str, ...] = ()
    group_roles: tuple[GroupRoleAssignment, ...] = ()
    connection_roles_given: Mapping[str, Given] = {}


class ExternalConfiguration(Record, frozen=True, kw_only=True):
    """The connection of another organization that this one refers to (semantics 3).

    `protocol` is that connection's: what members see here is of its shape.
    """

    external_organization_id: str
    external_connection_id: str
    protocol: Protocol = "saml"
    connection_roles: tuple[str, ...] = ()
    group_roles: tuple[GroupRoleAssignment, ...] = ()
    connection_roles_given: Mapping[str, Given] = {}


Configuration = SamlConfiguration | OidcConfiguration | ExternalConfiguration


class Connection(Record, frozen=True, kw_only=True):
    """An organization's SSO connection; exactly one of `saml`, `oidc`, `external` is set.

    `external_connection_id` is that of `external`, kept apart so that it can be searched. An
    external connection is pending from the moment that the one it refers to is deleted.
    """

    connection_id: str
    project_id: str
    organization_id: str
    protocol: Protocol
    display_name: str
    identity_provider: str = "generic"
    status: Literal["pending", "active"] = "pending"
    saml: SamlConfiguration | None = None
    oidc: OidcConfiguration | None = None
    external: ExternalConfiguration | None = None
    created_at: int
    updated_at: int
    external_connection_id: str | None = None


class ConnectionKey(Record, frozen=True, kw_only=True):
    """A certificate or key of a SAML connection.

    `verification`: the identity provider's certificate, no private key. `signing`: ours, with its
    certificate. `next_signing`: the one that follows it, published already. `encryption`: ours,
    private key only. Private keys (PKCS#1 PEM) are sealed.
    """

    key_id: str
    project_id: str
    organization_id: str
    connection_id: str
    purpose: Literal["verification", "signing", "next_signing", "encryption"]
    certificate: str = ""
    private_key: bytes = b""
    issuer: str = ""
    expires_at: int = 0
    created_at: int
    updated_at: int
    warnings_sent: int = 0


class Published(Record, frozen=True, kw_only=True):
    """What an identity provider published of itself: fields of a configuration, certificates."""

    fields: Json = {}
    certificates: tuple[str, ...] = ()


class MetadataFeed(Record, frozen=True, kw_only=True):
    """Metadata that is read again in the background, and what came of it.

    `taken` is what the connection took over last, `seen` what was there at the last good reading;
    what differs is offered. `refused` and `announced` are digests of offers: the one a person
    turned down, the one that has been told of. Zero is a time that has not been.
    """

    project_id: str
    organization_id: str
    connection_id: str
    url: str
    etag: str = ""
    last_modified: str = ""
    valid_until: int = 0
    taken: Published
    seen: Published
    refused: str = ""
    announced: str = ""
    fetched_at: int = 0
    tried_at: int = 0
    failures: int = 0
    error: str = ""
    due_at: int


# Sign-in -------------------------------------------------------------------------------------


class SignIn(Record, frozen=True, kw_only=True):
    """One SP-initiated sign-in between start and callback.

    `sign_in_id` and `secret_hash` are the RelayState or `state`; `browser_hash` is the hash of
    the cookie set at start. `code_verifier` (ours towards the identity provider) is sealed, and
    `scopes` is what an OpenID provider is asked for.
    `start_connection_id` is the connection asked for: an external one, or the same.
    """

    sign_in_id: str
    secret_hash: bytes
    browser_hash: bytes
    project_id: str
    organization_id: str
    connection_id: str
    start_connection_id: str
    request_id: str = ""
    nonce: str = ""
    code_verifier: bytes = b""
    login_redirect_url: str
    signup_redirect_url: str
    pkce_code_challenge: str = ""
    created_at: int
    expires_at: int
    consumed_at: int = 0
    scopes: str = ""


class Identity(Record, frozen=True, kw_only=True):
    """Who the identity provider says it is: the one neutral result of both protocols.

    `attributes` are as received; `metadata` are the mapped extra keys for trusted metadata.
    `session_ends_at` is when our session has to end, 0 where it does not.
    """

    external_id: str
    email_address: str
    name: str = ""
    groups: tuple[str, ...] | None = None
    attributes: Json = {}
    metadata: Json = {}
    session_index: str = ""
    session_ends_at: int = 0
    name_id: str = ""
    name_id_format: str = ""


class SsoToken(Record, frozen=True, kw_only=True):
    """A verified identity waiting to be redeemed once by the application.

    `provider_tokens` are those of an OpenID provider, sealed.
    """

    token_id: str
    secret_hash: bytes
    project_id: str
    organization_id: str
    connection_id: str
    protocol: Protocol
    identity: Identity
    pkce_code_challenge: str = ""
    trace_id: str
    created_at: int
    expires_at: int
    attempts: int = 0
    consumed_at: int = 0
    provider_tokens: bytes | None = None


class Replay(Record, frozen=True, kw_only=True):
    """An assertion that has been used; unique on (connection_id, assertion_id)."""

    project_id: str
    organization_id: str
    connection_id: str
    assertion_id: str
    expires_at: int


class TraceStep(Record, frozen=True, kw_only=True):
    """One check of a sign-in: what was wanted, what came, what ends it. Never a secret.

    `fix` is one sentence for the side that has to act, where the check failed and that is known.
    `pitfall` names the usual mistake that this looks like (identity_providers/pitfalls.py).
    """

    name: str
    expected: str
    received: str
    passed: bool
    fix: str = ""
    pitfall: str = ""


class Trace(Record, frozen=True, kw_only=True):
    """The record of one sign-in, good or bad, for the admin who has to fix it.

    `side` says who must act: identity_provider, application, vestibule, user, or "" when good.
    """

    trace_id: str
    project_id: str
    organization_id: str
    connection_id: str
    sign_in_id: str = ""
    outcome: Literal["succeeded", "failed"]
    error_type: str = ""
    reason: str = ""
    side: Literal["", "identity_provider", "vestibule", "application", "user"] = ""
    steps: tuple[TraceStep, ...] = ()
    created_at: int


# Sessions ------------------------------------------------------------------------------------


class Factor(Record, frozen=True, kw_only=True):
    """How a member proved an identity.

    `details` is the wire's detail object and `details_name` its key there. `name_id` and
    `session_index` are what a SAML identity provider calls person and session at logout.
    `email_address` is the one that an identity provider asserted. A session ends at `ends_at` at
    the latest, where that is not 0.
    """

    type: str
    delivery_method: str
    details_name: str
    details: Json
    name_id: str = ""
    name_id_format: str = ""
    session_index: str = ""
    email_address: str = ""
    ends_at: int = 0
    sequence_order: Literal["PRIMARY", "SECONDARY", "UNKNOWN"] = "PRIMARY"
    last_authenticated_at: int
    created_at: int
    updated_at: int


class Session(Record, frozen=True, kw_only=True):
    """A member's session. The opaque token is stored as its id and the hash of its secret.

    `sealed_token` is the token itself, sealed: a call that proves the session by its JWT is
    answered with the same token (semantics 6.3), so it has to be read back.
    """

    session_id: str
    token_id: str
    secret_hash: bytes
    sealed_token: bytes
    project_id: str
    organization_id: str
    member_id: str
    factors: tuple[Factor, ...]
    custom_claims: Json = {}
    started_at: int
    last_accessed_at: int
    expires_at: int


class IntermediateSession(Record, frozen=True, kw_only=True):
    """Factors that are not yet enough for a session; bound to its organization."""

    token_id: str
    secret_hash: bytes
    project_id: str
    organization_id: str
    member_id: str
    factors: tuple[Factor, ...]
    created_at: int
    expires_at: int


class Logout(Record, frozen=True, kw_only=True):
    """A logout that an application began, on its way through the identity provider.

    The session has ended already; `factor` is the one of it that is logged out. `logout_id` and
    `secret_hash` are the token in the browser's URL (towards OpenID providers also `state`),
    `request_id` is the ID of the SAML LogoutRequest.
    """

    logout_id: str
    secret_hash: bytes
    project_id: str
    organization_id: str
    connection_id: str
    request_id: str
    factor: Factor
    redirect_url: str
    created_at: int
    expires_at: int
    consumed_at: int = 0


class EmailUpdate(Record, frozen=True, kw_only=True):
    """An address that a member is changing to and has not proven yet.

    It is proven by the link, whose token is `update_id` and `secret_hash`, or by the `code`
    (sealed; empty where a link was sent).
    """

    update_id: str
    project_id: str
    organization_id: str
    member_id: str
    email_key: str
    email_address: str
    secret_hash: bytes
    code: bytes = b""
    redirect_url: str = ""
    attempts: int = 0
    created_at: int
    expires_at: int
    consumed_at: int = 0


class ImpersonationToken(Record, frozen=True, kw_only=True):
    """Somebody of the operator's wants to see what a member sees: to be redeemed once.

    `impersonator` is that person's e-mail address, `reason` what was said of it.
    """

    token_id: str
    secret_hash: bytes
    project_id: str
    organization_id: str
    member_id: str
    impersonator: str
    reason: str
    created_at: int
    expires_at: int
    consumed_at: int = 0


class OutboxMessage(Record, frozen=True, kw_only=True):
    """Something to leave the system after the transaction that wrote it has committed."""

    message_id: str
    project_id: str
    organization_id: str
    kind: str
    payload: Json
    created_at: int
    deliver_at: int
    attempts: int = 0
    delivered_at: int = 0


# The audit log -------------------------------------------------------------------------------


class Origin(Record, frozen=True, kw_only=True):
    """Who has something done, and from where; the server itself when nothing is said.

    `actor_id` is of the API secret, of the member, or the operator's user name. A visitor is a
    browser, or an identity provider, that proved what it brought.
    """

    actor_type: ActorType = "system"
    actor_id: str = ""
    actor_session_id: str = ""
    address: str = ""
    user_agent: str = ""
    request_id: str = ""


SYSTEM: Final = Origin()


class AuditEvent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One change in an organization, or in the project itself where `organization_id` is ''.

    `member_id` is whom it concerns, `changed` are names of fields, never values. `hash` is over
    all else (`domain/audit.py`); a field that is added later needs a default, so that older hashes
    stay right.
    """

    project_id: str
    organization_id: str
    sequence: int
    occurred_at: int
    action: str
    object_id: str
    member_id: str = ""
    changed: tuple[str, ...] = ()
    reason: str = ""
    actor_type: ActorType
    actor_id: str
    actor_session_id: str = ""
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    previous_hash: bytes
    hash: bytes = b""


class AuditHead(Record, frozen=True, kw_only=True):
    """Where the chain of an organization ends: number and hash of its last event."""

    project_id: str
    organization_id: str
    sequence: int = 0
    hash: bytes = bytes(32)
