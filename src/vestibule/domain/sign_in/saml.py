"""The SAML callback: from a posted Response to an sso_token (security.md 3.2)."""

from dataclasses import dataclass

from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import connections
from vestibule.domain.context import Context
from vestibule.domain.pinned_certificates import pinned
from vestibule.domain.private_keys import load
from vestibule.domain.sign_in import browser_binding, callback, logged_out, refusals
from vestibule.domain.sign_in.browser_binding import Binding
from vestibule.domain.sign_in.callback import Done, Target
from vestibule.domain.sign_in.mapping import saml_identity
from vestibule.errors import Failure
from vestibule.records import ConnectionKey, SamlConfiguration, SignIn
from vestibule.saml.response import (
    Expectation,
    peek_in_response_to,
    read_form_field,
    verify_response,
)


@dataclass(frozen=True, kw_only=True)
class SamlAnswer:
    """What the browser posted. `reposted` is True after the one hop from our own origin."""

    saml_response: str
    relay_state: str
    cookie: str
    reposted: bool


class CookieWanted(Exception):
    """The sign-in is known but its cookie did not come: let the browser post again from our page.

    A cross-site POST carries no SameSite=Lax cookie; the same form posted from our own origin does.
    """


async def complete(context: Context, found: Target, answer: SamlAnswer) -> Done:
    """Verify a posted Response and mint the sso_token.

    Raises CookieWanted once, and Refused (with its trace) for everything that is wrong with the
    answer. Nothing is changed unless all is well.
    """
    trace_id = callback.new_trace_id(context, found)
    work = _complete(context, found, answer, trace_id)
    return await callback.recorded(
        context, found, work, trace_id=trace_id, token=answer.relay_state
    )


async def _complete(context: Context, found: Target, answer: SamlAnswer, trace_id: str) -> Done:
    saml = found.connection.saml
    if saml is None or found.connection.status != "active":
        raise Failure(errors.requires_active_sso_connection)
    data = read_form_field(answer.saml_response)
    async with context.store.read() as tx:
        sign_in = await callback.find_sign_in(tx, found, answer.relay_state)
        keys = await tx.connection_keys.all(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=found.connection.connection_id,
        )
    now = context.clock.now()
    _check_binding(sign_in, saml, data, answer, now=now)
    expectation = _expectation(context, found, sign_in, saml, keys)
    assertion = verify_response(data, expectation, now=now)
    identity = saml_identity(assertion, saml.attribute_mapping or {})
    async with context.store.write() as tx:
        # Before the sign-in: the same answer for the second time is to be called just that.
        await callback.claim_assertion(
            tx, found, assertion.assertion_id, until=assertion.replay_until, now=now
        )
        await logged_out.refuse(
            tx,
            found,
            assertion,
            begun=sign_in.created_at if sign_in else assertion.authenticated_at or 0,
        )
        if sign_in is not None and not await callback.consume(tx, sign_in, now=now):
            raise Failure(errors.unsolicited_saml_response)
        return await callback.accept(
            tx,
            context,
            found,
            sign_in,
            identity,
            trace_id=trace_id,
            steps=refusals.steps(assertion.steps),
        )


def _check_binding(
    sign_in: SignIn | None, saml: SamlConfiguration, data: bytes, answer: SamlAnswer, *, now: int
) -> None:
    """Pass when this browser may bring this answer, before any work is done on it.

    An answer that names a request but comes without its RelayState is not taken for an
    IdP-initiated one (SP-21): the request's browser binding would be lost.
    """
    if sign_in is None:
        if peek_in_response_to(data) is not None:
            raise Failure(errors.missing_saml_relay_state)
        if saml.idp_initiated_auth_disabled:
            raise Failure(errors.saml_idp_initiated_auth_disabled)
        return
    if sign_in.expires_at <= now:
        raise Failure(errors.expired_saml_response, "The login took too long; sign in again.")
    binding = browser_binding.compare(sign_in, answer.cookie)
    if binding is Binding.MISSING:
        if not answer.reposted:
            raise CookieWanted
        raise Failure(errors.missing_saml_csrf_cookie)
    if binding is Binding.OTHER:
        raise Failure(errors.saml_csrf_cookie_mismatch)


def _expectation(
    context: Context,
    found: Target,
    sign_in: SignIn | None,
    saml: SamlConfiguration,
    keys: list[ConnectionKey],
) -> Expectation:
    url = connections.service_provider_url(context.settings, found.connection.connection_id)
    return Expectation(
        idp_entity_id=saml.idp_entity_id,
        keys=pinned(keys),
        acs_urls=tuple(filter(None, (url, saml.alternative_acs_url))),
        audiences=tuple(filter(None, (url, saml.alternative_audience_uri))),
        request_id=sign_in.request_id if sign_in else None,
        clock_skew=context.settings.clock_skew_seconds * SECOND,
        decryption_keys=tuple(
            load(context.sealer.unseal(key.private_key, purpose=connections.PRIVATE_KEY_PURPOSE))
            for key in keys
            if key.purpose == "encryption"
        ),
    )
