"""Logout messages on their way through the browser: read, expected, and sent signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from vestibule.clock import SECOND
from vestibule.domain import connections
from vestibule.domain.context import Context
from vestibule.domain.pinned_certificates import pinned
from vestibule.domain.private_keys import decryption_keys, unsealed
from vestibule.domain.sign_in.callback import Target
from vestibule.records import ConnectionKey, SamlConfiguration
from vestibule.saml.logout import LogoutExpectation
from vestibule.saml.redirect import RedirectMessage, read_redirect
from vestibule.saml.request import post_fields, redirect_url
from vestibule.saml.response import read_form_field

REQUEST: Final = "SAMLRequest"
RESPONSE: Final = "SAMLResponse"
Parameter = Literal["SAMLRequest", "SAMLResponse"]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a browser brought: the query of HTTP-Redirect, or the form of HTTP-POST."""

    query: bytes = b""
    form: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Message:
    """A message as it was delivered; `data` is its XML, and nothing of it is verified."""

    parameter: str
    signed: bytes | RedirectMessage
    data: bytes
    relay_state: str | None


@dataclass(frozen=True)
class Reply:
    """Where the browser goes: by redirect, or with `fields` by POST."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


def read(delivery: Delivery) -> Message:
    """Return the one message of a delivery. Raises SamlError."""
    if delivery.form is None:
        redirected = read_redirect(delivery.query)
        return Message(redirected.parameter, redirected, redirected.data, redirected.relay_state)
    parameter = RESPONSE if RESPONSE in delivery.form else REQUEST
    data = read_form_field(delivery.form[parameter])
    return Message(parameter, data, data, delivery.form.get("RelayState"))


def expectation(
    context: Context, found: Target, saml: SamlConfiguration, keys: Sequence[ConnectionKey]
) -> LogoutExpectation:
    """Return what a logout message to this connection has to fit."""
    connection_id = found.connection.connection_id
    url = connections.service_provider_url(context.settings, connection_id)
    return LogoutExpectation(
        idp_entity_id=saml.idp_entity_id,
        keys=pinned(keys),
        logout_urls=(connections.logout_url(context.settings, connection_id),),
        audiences=tuple(filter(None, (url, saml.alternative_audience_uri))),
        decryption_keys=decryption_keys(context.sealer, keys),
        allow_cbc=saml.policy.allow_cbc,
        clock_skew=context.settings.clock_skew_seconds * SECOND,
    )


def signing_key(keys: Sequence[ConnectionKey]) -> ConnectionKey | None:
    """Return the newest key that we sign with."""
    ours = [key for key in keys if key.purpose == "signing"]
    return max(ours, key=lambda key: key.created_at, default=None)


def send(
    context: Context,
    saml: SamlConfiguration,
    message: bytes,
    signing: ConnectionKey,
    *,
    parameter: Parameter,
    relay_state: str | None = None,
) -> Reply:
    """Sign a message by the binding of the identity provider, and return how it leaves."""
    key = unsealed(context.sealer, signing)
    url = saml.idp_slo_url if parameter == REQUEST else saml.idp_slo_response_url
    if saml.idp_slo_binding == "post":
        fields = post_fields(
            message,
            relay_state=relay_state,
            key=key,
            certificate_pem=signing.certificate,
            parameter=parameter,
        )
        return Reply(url, fields)
    return Reply(
        redirect_url(
            message, destination=url, relay_state=relay_state, key=key, parameter=parameter
        )
    )
