"""Start: from an application's link to the identity provider's login (semantics 2.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import connections, organizations, projects, redirect_urls
from vestibule.domain.context import Context
from vestibule.domain.private_keys import load
from vestibule.domain.sign_in import browser_binding
from vestibule.errors import Failure
from vestibule.ids import OpaqueToken, new_secret
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.request import authorization_url, code_challenge
from vestibule.records import (
    Connection,
    ConnectionKey,
    OidcConfiguration,
    Organization,
    Project,
    RedirectUrl,
    SamlConfiguration,
    SignIn,
)
from vestibule.saml.request import authn_request, post_fields, redirect_url
from vestibule.store.interface import ParentMissing, Transaction

LIFE: Final = 10 * MINUTE
VERIFIER_PURPOSE: Final = "oidc-code-verifier"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_\-]{43}", re.ASCII)
_DEFAULT_SCOPES: Final = "openid email profile"
_MAX_SCOPES: Final = 1024


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """What the link asks for, as it came. `cookie` is the browser's, '' when it has none."""

    public_token: str = ""
    connection_id: str = ""
    organization_id: str = ""
    login_redirect_url: str = ""
    signup_redirect_url: str = ""
    pkce_code_challenge: str = ""
    custom_scopes: str = ""
    cookie: str = ""


@dataclass(frozen=True)
class Started:
    """Where the browser goes: a URL, or with `fields` a form that is posted to it."""

    url: str
    fields: Mapping[str, str]
    cookie: str


@dataclass(frozen=True)
class _Found:
    """The connection that was asked for, the one whose identity provider is used, and its key."""

    asked: Connection
    connection: Connection
    signing_key: ConnectionKey | None
    login_redirect_url: str
    signup_redirect_url: str


async def begin(context: Context, request: StartRequest) -> Started:
    """Record a sign-in and return where its browser goes.

    Raises Failure, in the order of semantics 2.2: the token, the locator, the connection, the
    redirect URLs, the challenge.
    """
    project = await projects.of_public_token(context, request.public_token)
    async with context.store.read() as tx:
        found = await _find(tx, project, request)
    if request.pkce_code_challenge and not _CHALLENGE.fullmatch(request.pkce_code_challenge):
        raise Failure(errors.invalid_pkce_code_challenge)
    places = (found.login_redirect_url, found.signup_redirect_url)
    if not request.pkce_code_challenge and any(map(redirect_urls.is_native, places)):
        raise Failure(errors.pkce_required_for_native_callback)
    token = context.mint_token()
    cookie = browser_binding.cookie_value(request.cookie, entropy=context.entropy)
    verifier = new_secret(entropy=context.entropy)
    sign_in = _sign_in(context, found, request, token=token, cookie=cookie, verifier=verifier)
    connection = found.connection
    if connection.saml is not None:
        url, fields = _saml_message(
            context, found, connection.saml, sign_in, relay_state=token.text
        )
        started = Started(url, fields, cookie)
    elif connection.oidc is not None:
        url = _oidc_url(
            context,
            connection.oidc,
            sign_in,
            state=token.text,
            verifier=verifier,
        )
        started = Started(url, {}, cookie)
    else:
        raise Failure(errors.sso_connection_not_found)
    try:
        async with context.store.write() as tx:
            await tx.sign_ins.insert(sign_in)
    except ParentMissing:  # deleted since it was found
        raise Failure(errors.sso_connection_not_found) from None
    return started


def _sign_in(
    context: Context,
    found: _Found,
    request: StartRequest,
    *,
    token: OpaqueToken,
    cookie: str,
    verifier: str,
) -> SignIn:
    now = context.clock.now()
    connection = found.connection
    return SignIn(
        sign_in_id=token.token_id,
        secret_hash=token.secret_hash,
        browser_hash=browser_binding.cookie_hash(cookie),
        project_id=connection.project_id,
        organization_id=found.asked.organization_id,
        connection_id=connection.connection_id,
        start_connection_id=found.asked.connection_id,
        # An NCName with 128 random bits (SAML Core 1.3.4).
        request_id=f"_{context.entropy.token_bytes(16).hex()}",
        nonce=new_secret(entropy=context.entropy),
        code_verifier=context.sealer.seal(verifier.encode(), purpose=VERIFIER_PURPOSE),
        login_redirect_url=found.login_redirect_url,
        signup_redirect_url=found.signup_redirect_url,
        pkce_code_challenge=request.pkce_code_challenge,
        created_at=now,
        expires_at=now + LIFE,
        scopes=_scopes(connection.oidc, request) if connection.oidc else "",
    )


async def _find(tx: Transaction, project: Project, request: StartRequest) -> _Found:
    asked = await _connection(tx, project, request)
    connection = await connections.usable(tx, asked)
    registered = await tx.redirect_urls.all(project_id=project.project_id)
    login = redirect_urls.choose(registered, "login", request.login_redirect_url)
    signup = _signup_url(registered, request, login)
    keys = await tx.connection_keys.all(
        project_id=project.project_id,
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        purpose="signing",
        order="created_at",
        descending=True,
        limit=1,
    )
    return _Found(asked, connection, keys[0] if keys else None, login, signup)


def _signup_url(registered: list[RedirectUrl], request: StartRequest, login: str) -> str:
    """Return where a new member is sent: the sign-up URL, or the login URL when there is none."""
    try:
        return redirect_urls.choose(registered, "signup", request.signup_redirect_url)
    except Failure as failure:
        unset = (errors.no_signup_redirect_urls_set, errors.no_default_signup_redirect_url_set)
        if failure.error in unset:
            return login
        raise


async def _connection(tx: Transaction, project: Project, request: StartRequest) -> Connection:
    if request.connection_id and request.organization_id:
        raise Failure(errors.too_many_sso_connection_locators)
    if request.connection_id:
        found = await tx.connections.find(
            project_id=project.project_id, connection_id=request.connection_id
        )
        if found is None:
            raise Failure(errors.sso_connection_not_found)
        return found
    if not request.organization_id:
        raise Failure(errors.missing_sso_connection_locator)
    organization = await organizations.load(tx, project, request.organization_id)
    active = await tx.connections.all(
        project_id=project.project_id,
        organization_id=organization.organization_id,
        status="active",
    )
    return _default(organization, active)


def _default(organization: Organization, active: list[Connection]) -> Connection:
    if not active:
        raise Failure(errors.no_sso_connection_exists_for_organization)
    for connection in active:
        if connection.connection_id == organization.sso_default_connection_id:
            return connection
    if len(active) > 1:
        raise Failure(errors.indeterminate_sso_connection_for_organization)
    return active[0]


def _saml_message(
    context: Context,
    found: _Found,
    saml: SamlConfiguration,
    sign_in: SignIn,
    *,
    relay_state: str,
) -> tuple[str, Mapping[str, str]]:
    """Return where the AuthnRequest goes, and its form fields when it goes by POST."""
    if found.signing_key is None:
        raise RuntimeError(f"{sign_in.connection_id} has no signing key")
    pem = context.sealer.unseal(
        found.signing_key.private_key, purpose=connections.PRIVATE_KEY_PURPOSE
    )
    entity_id = connections.service_provider_url(context.settings, sign_in.connection_id)
    message = authn_request(
        request_id=sign_in.request_id,
        issued_at=sign_in.created_at,
        destination=saml.idp_sso_url,
        acs_url=saml.alternative_acs_url or entity_id,
        issuer=entity_id,
        nameid_format=saml.nameid_format,
        force_authn=saml.policy.force_authn,
        authn_contexts=saml.policy.requested_authn_contexts,
    )
    if saml.idp_sso_binding == "post":
        return saml.idp_sso_url, post_fields(
            message,
            relay_state=relay_state,
            key=load(pem),
            certificate_pem=found.signing_key.certificate,
        )
    url = redirect_url(
        message, destination=saml.idp_sso_url, relay_state=relay_state, key=load(pem)
    )
    return url, {}


def _scopes(oidc: OidcConfiguration, request: StartRequest) -> str:
    """Return what to ask for: the connection's scopes instead of the usual, the link's added."""
    scopes = f"{oidc.custom_scopes or _DEFAULT_SCOPES} {request.custom_scopes}"
    if len(scopes) > _MAX_SCOPES:
        raise Failure(errors.bad_request, f"custom_scopes: at most {_MAX_SCOPES} characters.")
    return " ".join(dict.fromkeys(("openid", *scopes.split())))


def _oidc_url(
    context: Context,
    oidc: OidcConfiguration,
    sign_in: SignIn,
    *,
    state: str,
    verifier: str,
) -> str:
    try:
        return authorization_url(
            endpoint=oidc.authorization_url,
            client_id=oidc.client_id,
            redirect_url=connections.service_provider_url(context.settings, sign_in.connection_id),
            scopes=sign_in.scopes.split(),
            state=state,
            nonce=sign_in.nonce,
            code_challenge=code_challenge(verifier),
        )
    except OidcError as error:
        raise _not_askable(error) from error


def _not_askable(error: OidcError) -> Failure:
    if error.reason is Reason.SCOPE:
        return Failure(
            errors.bad_request, "custom_scopes: expected scopes of printable ASCII, without quotes."
        )
    return Failure(
        errors.oidc_connection_authorization_url_invalid_format,
        f"authorization_url: expected {error.expected}; received {error.received}.",
    )
