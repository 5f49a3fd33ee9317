"""The OIDC callback: from a code to an sso_token (OIDC Core 3.1, RFC 9700)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import connections, oidc_provider, oidc_tokens
from vestibule.domain.context import Context
from vestibule.domain.oidc_tokens import ProviderTokens
from vestibule.domain.sign_in import browser_binding, callback, refusals
from vestibule.domain.sign_in.browser_binding import Binding
from vestibule.domain.sign_in.callback import Done, Target
from vestibule.domain.sign_in.groups import or_none_at_all
from vestibule.domain.sign_in.mapping import oidc_identity
from vestibule.domain.sign_in.start import VERIFIER_PURPOSE
from vestibule.errors import Failure
from vestibule.fetch import FetchError, acting_for
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.id_token import Expectation, VerifiedIdToken, verify_id_token
from vestibule.oidc.request import parse_callback, peek_state
from vestibule.oidc.token import TokenResponse, parse_token_response, token_request
from vestibule.oidc.userinfo import parse_userinfo, read_email
from vestibule.records import Identity, OidcConfiguration, SignIn

_ACCEPT_JSON: Final = {"Accept": "application/json"}


@dataclass(frozen=True, kw_only=True)
class OidcAnswer:
    """What the browser brought: the raw query of the callback URL, and its cookie."""

    query: str
    cookie: str


async def complete(context: Context, found: Target, answer: OidcAnswer) -> Done:
    """Redeem the code, verify the ID token, and mint the sso_token.

    Raises Refused (with its trace) for everything that is wrong with the answer. The sign-in is
    used up before its code is sent anywhere, so that two callbacks never send one code twice
    (OI-03).
    """
    trace_id = callback.new_trace_id(context, found)
    state = peek_state(answer.query)
    work = _complete(context, found, answer, state, trace_id)
    with acting_for(found.connection.organization_id):
        return await callback.recorded(context, found, work, trace_id=trace_id, token=state or "")


async def _complete(
    context: Context, found: Target, answer: OidcAnswer, state: str | None, trace_id: str
) -> Done:
    oidc = found.connection.oidc
    if oidc is None or found.connection.status != "active":
        raise Failure(errors.requires_active_sso_connection)
    sign_in = await _sign_in(context, found, answer, state)
    code = parse_callback(
        answer.query,
        issuer=oidc.issuer,
        iss_parameter_supported=oidc.iss_parameter_supported,
    ).code
    async with context.store.write() as tx:
        if not await callback.consume(tx, sign_in, now=context.clock.now()):
            raise Failure(errors.unsolicited_oidc_response)
    token, identity, tokens = await _redeem(context, oidc, sign_in, code=code)
    async with context.store.write() as tx:
        return await callback.accept(
            tx,
            context,
            found,
            sign_in,
            identity,
            trace_id=trace_id,
            steps=refusals.steps(token.steps),
            provider_tokens=tokens,
        )


async def _sign_in(
    context: Context, found: Target, answer: OidcAnswer, state: str | None
) -> SignIn:
    """Return the sign-in that `state` names, begun at this connection in this browser."""
    if state is None:
        raise OidcError(Reason.STATE, expected="one state", received="none")
    async with context.store.read() as tx:
        sign_in = await callback.find_sign_in(tx, found, state)
    if sign_in is None:
        raise Failure(errors.unsolicited_oidc_response)
    if sign_in.expires_at <= context.clock.now():
        raise Failure(errors.expired_oidc_response)
    binding = browser_binding.compare(sign_in, answer.cookie)
    if binding is Binding.MISSING:
        raise Failure(errors.missing_oidc_csrf_cookie)
    if binding is Binding.OTHER:
        raise Failure(errors.oidc_csrf_cookie_mismatch)
    return sign_in


async def _redeem(
    context: Context, oidc: OidcConfiguration, sign_in: SignIn, *, code: str
) -> tuple[VerifiedIdToken, Identity, ProviderTokens]:
    tokens = await _tokens(context, oidc, sign_in, code=code)
    received_at = context.clock.now()
    keys = await oidc_provider.keys_for(context, oidc, tokens.id_token)
    expectation = Expectation(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        nonce=sign_in.nonce,
        clock_skew=oidc_provider.clock_skew(context),
    )
    verified = verify_id_token(
        tokens.id_token,
        keys,
        expectation,
        access_token=tokens.access_token,
        code=code,
        now=context.clock.now(),
    )
    userinfo = await _userinfo(context, oidc, tokens, subject=verified.subject)
    email = read_email(id_token=verified.claims, userinfo=userinfo)
    identity = oidc_identity(
        verified.subject,
        {**verified.claims, **userinfo},
        email.address if email else None,
        oidc,
    )
    # By this the provider names the session at logout, if it names it at all.
    session_id = verified.claims.get("sid")
    identity = replace(identity, session_index=session_id if isinstance(session_id, str) else "")
    if oidc.absent_groups_mean_none:
        identity = or_none_at_all(identity)
    return verified, identity, _provider_tokens(oidc, sign_in, tokens, verified, now=received_at)


def _provider_tokens(
    oidc: OidcConfiguration,
    sign_in: SignIn,
    tokens: TokenResponse,
    verified: VerifiedIdToken,
    *,
    now: int,
) -> ProviderTokens:
    """Return what is kept of the answer; scopes that it does not name are those asked for."""
    scopes = sign_in.scopes if tokens.scope is None else tokens.scope
    return ProviderTokens(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        subject=verified.subject,
        scopes=tuple(scopes.split()),
        expires_at=oidc_tokens.expiry(
            tokens.expires_in, renewable=bool(tokens.refresh_token), now=now
        ),
        access_token=tokens.access_token,
        id_token=tokens.id_token,
        refresh_token=tokens.refresh_token or "",
    )


async def _tokens(
    context: Context, oidc: OidcConfiguration, sign_in: SignIn, *, code: str
) -> TokenResponse:
    verifier = context.sealer.unseal(sign_in.code_verifier, purpose=VERIFIER_PURPOSE)
    client = oidc_provider.client(context, oidc)
    request = token_request(
        code=code,
        redirect_url=connections.service_provider_url(context.settings, sign_in.connection_id),
        client_id=client.client_id,
        client_secret=client.client_secret,
        code_verifier=verifier.decode(),
        method=client.method,
    )
    answer = await oidc_provider.ask_for_tokens(context, oidc, request)
    return parse_token_response(answer.status, answer.headers.get("content-type"), answer.body)


async def _userinfo(
    context: Context, oidc: OidcConfiguration, tokens: TokenResponse, *, subject: str
) -> Mapping[str, Any]:
    headers = {**_ACCEPT_JSON, "Authorization": f"Bearer {tokens.access_token}"}
    try:
        answer = await context.fetch.request("GET", oidc.userinfo_url, headers=headers)
    except FetchError as error:
        raise oidc_provider.unreachable(Reason.USERINFO, "userinfo endpoint", error) from error
    return parse_userinfo(
        answer.status, answer.headers.get("content-type"), answer.body, subject=subject
    )
