"""SAML metadata: an identity provider's document read, and this service provider's written."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree
from lxml.etree import _Element

from vestibule.clock import DAY, HOUR, MINUTE, SECOND, rfc3339
from vestibule.saml.endpoints import POST, REDIRECT, endpoint_url
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import Certificate, read_certificate
from vestibule.saml.metadata_signature import SignatureState, check_metadata_signature
from vestibule.saml.signing import append_key_info
from vestibule.saml.times import read_instant
from vestibule.saml.writing import append, start
from vestibule.saml.xml import DS, MD, SAMLP, XENC, XENC11, parse, text

MAX_CERTIFICATES: Final = 10
MAX_ENTITY_ID: Final = 1024
# AD FS declares two prefixes per claim it knows: more than any message needs.
MAX_NAMESPACES: Final = 400
MAX_CACHE_DURATION: Final = 3650 * DAY

_ENTITY: Final = f"{{{MD}}}EntityDescriptor"
_ENTITIES: Final = f"{{{MD}}}EntitiesDescriptor"
_IDP: Final = f"{{{MD}}}IDPSSODescriptor"
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_DURATION: Final = re.compile(
    r"P(?=.)(?:([0-9]{1,5})Y)?(?:([0-9]{1,5})M)?(?:([0-9]{1,5})D)?"
    r"(?:T(?=.)(?:([0-9]{1,6})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})(?:\.[0-9]{1,9})?S)?)?",
    re.ASCII,
)
# A year and a month as the shortest they can be: metadata is then read again too early, never late.
_DURATION_UNITS: Final = (365 * DAY, 28 * DAY, DAY, HOUR, MINUTE, SECOND)
# What we decrypt, best first: an identity provider takes the first it knows.
_ENCRYPTION_METHODS: Final = (
    f"{XENC11}aes256-gcm",
    f"{XENC11}aes128-gcm",
    f"{XENC11}rsa-oaep",
    f"{XENC}rsa-oaep-mgf1p",
)
_TOLERATED: Final = (f"{XENC}aes256-cbc", f"{XENC}aes128-cbc")


@dataclass(frozen=True, kw_only=True)
class IdentityProviderMetadata:
    """What a connection needs to know of its identity provider.

    At least one of the two SSO URLs is there. `certificates` are those of its signing keys, at
    most ten and perhaps none: without one the connection stays pending. `valid_until` is in
    microseconds UTC, `cache_duration` in microseconds.
    """

    entity_id: str
    redirect_sso_url: str | None
    post_sso_url: str | None
    redirect_slo_url: str | None
    redirect_slo_response_url: str | None
    post_slo_url: str | None
    post_slo_response_url: str | None
    certificates: tuple[Certificate, ...]
    valid_until: int | None
    cache_duration: int | None
    want_authn_requests_signed: bool
    nameid_formats: tuple[str, ...]
    signature: SignatureState

    @property
    def sso_url(self) -> str:
        """Where a login starts: by HTTP-Redirect where the identity provider has that binding."""
        return self.redirect_sso_url or self.post_sso_url or ""


def parse_identity_provider(
    data: bytes,
    *,
    now: int,
    entity_id: str | None = None,
    signers: Sequence[Certificate] = (),
) -> IdentityProviderMetadata:
    """Read the metadata of one identity provider (SAML Metadata 2.3, 2.4).

    An aggregate (`EntitiesDescriptor`) needs `entity_id`, or exactly one identity provider in it:
    never the first of several. A key without `use` counts as a signing key; only certificates are
    read. With `signers` the entity, or an aggregate around it, has to be signed by one of them.
    `now` is in microseconds UTC.

    Raises:
        SamlError: `xml.*` for a document `parse` refuses, `metadata` for one that does not describe
            a usable identity provider or whose `validUntil` is not after `now`, `certificate` and
            `key.weak` for a signing certificate that cannot be trusted, `sig.*` for a signature
            that is broken or not by one of `signers`.
    """
    root = parse(data, max_namespaces=MAX_NAMESPACES)
    path = _chosen(list(_entities(root)), entity_id)
    signature = check_metadata_signature(root, path, signers=signers)
    role = _role(path[-1])
    nested = (*path, role)
    metadata = IdentityProviderMetadata(
        entity_id=_entity_id(path[-1]),
        redirect_sso_url=_url(role, "SingleSignOnService", REDIRECT),
        post_sso_url=_url(role, "SingleSignOnService", POST),
        redirect_slo_url=_url(role, "SingleLogoutService", REDIRECT),
        redirect_slo_response_url=_response_url(role, REDIRECT),
        post_slo_url=_url(role, "SingleLogoutService", POST),
        post_slo_response_url=_response_url(role, POST),
        certificates=_signing_certificates(role),
        valid_until=min(map(read_instant, _values(nested, "validUntil")), default=None),
        cache_duration=min(map(_duration, _values(nested, "cacheDuration")), default=None),
        want_authn_requests_signed=_boolean(role, "WantAuthnRequestsSigned"),
        nameid_formats=tuple(text(e).strip() for e in role.iterchildren(f"{{{MD}}}NameIDFormat")),
        signature=signature,
    )
    if not metadata.sso_url:
        raise _refused("a SingleSignOnService by HTTP-Redirect or HTTP-POST", "none")
    if metadata.valid_until is not None and metadata.valid_until <= now:
        raise _refused("a validUntil in the future", rfc3339(metadata.valid_until))
    return metadata


def service_provider_metadata(
    *,
    entity_id: str,
    acs_url: str,
    nameid_format: str,
    signing_certificates: Sequence[str],
    encryption_certificates: Sequence[str] = (),
    allow_cbc: bool = False,
    logout_url: str | None = None,
) -> bytes:
    """Return the metadata of one connection's service provider (SAML Metadata 2.4.4).

    Certificates are PEM. Several of a kind are a rotation: the identity provider may use any. With
    an encryption certificate the algorithms we decrypt are named, AES-GCM first, and AES-CBC last
    where `allow_cbc` tolerates it. `logout_url` is where both bindings of Single Logout are
    answered; without it none is offered.

    Raises:
        SamlError: `xml` when a value holds a control character.
    """
    root = start(_ENTITY, {"entityID": entity_id}, prefixes={"md": MD, "ds": DS})
    role = append(
        root,
        f"{{{MD}}}SPSSODescriptor",
        {
            "protocolSupportEnumeration": SAMLP,
            "AuthnRequestsSigned": "true",
            "WantAssertionsSigned": "true",
        },
    )
    for pem in signing_certificates:
        append_key_info(append(role, f"{{{MD}}}KeyDescriptor", {"use": "signing"}), pem)
    for pem in encryption_certificates:
        descriptor = append(role, f"{{{MD}}}KeyDescriptor", {"use": "encryption"})
        append_key_info(descriptor, pem)
        for algorithm in (*_ENCRYPTION_METHODS, *(_TOLERATED if allow_cbc else ())):
            append(descriptor, f"{{{MD}}}EncryptionMethod", {"Algorithm": algorithm})
    if logout_url is not None:
        for binding in (REDIRECT, POST):
            place = {"Binding": binding, "Location": logout_url}
            append(role, f"{{{MD}}}SingleLogoutService", place)
    append(role, f"{{{MD}}}NameIDFormat", text=nameid_format)
    consumer = {"Binding": POST, "Location": acs_url, "index": "0", "isDefault": "true"}
    append(role, f"{{{MD}}}AssertionConsumerService", consumer)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _refused(expected: str, received: str) -> SamlError:
    return SamlError(Reason.METADATA, expected=expected, received=received)


def _entities(element: _Element) -> Iterator[tuple[_Element, ...]]:
    """Every entity, with the aggregates around it: their validUntil binds it too."""
    if element.tag == _ENTITY:
        yield (element,)
    elif element.tag == _ENTITIES:
        for child in element:
            for path in _entities(child):
                yield (element, *path)


def _chosen(paths: Sequence[tuple[_Element, ...]], entity_id: str | None) -> tuple[_Element, ...]:
    if entity_id is None:
        wanted = "exactly one SAML 2.0 identity provider"
        found = [path for path in paths if _roles(path[-1])]
    else:
        wanted = f"exactly one entity {entity_id}"
        found = [path for path in paths if path[-1].get("entityID") == entity_id]
    if len(found) != 1:
        names = ", ".join(path[-1].get("entityID", "") for path in found)
        raise _refused(wanted, f"{len(found)}: {names}" if found else "none")
    return found[0]


def _roles(entity: _Element) -> list[_Element]:
    return [
        role
        for role in entity.iterchildren(_IDP)
        if SAMLP in role.get("protocolSupportEnumeration", "").split()
    ]


def _role(entity: _Element) -> _Element:
    roles = _roles(entity)
    if len(roles) != 1:
        raise _refused("exactly one IDPSSODescriptor for SAML 2.0", str(len(roles)))
    return roles[0]


def _entity_id(entity: _Element) -> str:
    value = entity.get("entityID", "")
    if not 0 < len(value) <= MAX_ENTITY_ID or value != value.strip():
        raise _refused(f"an entityID of 1 to {MAX_ENTITY_ID} characters", value)
    return value


def _url(role: _Element, service: str, binding: str, attribute: str = "Location") -> str | None:
    """The URL of the first endpoint with this binding."""
    for endpoint in role.iterchildren(f"{{{MD}}}{service}"):
        if endpoint.get("Binding") == binding:
            url = endpoint.get(attribute)
            return None if url is None else _checked(url)
    return None


def _response_url(role: _Element, binding: str) -> str | None:
    """Where a LogoutResponse goes: to a place of its own only where one is named (2.2.2)."""
    own = _url(role, "SingleLogoutService", binding, "ResponseLocation")
    return own or _url(role, "SingleLogoutService", binding)


def _checked(url: str) -> str:
    try:
        return endpoint_url(url)
    except SamlError as error:
        raise _refused(error.expected or "", error.received or "") from None


def _signing_certificates(role: _Element) -> tuple[Certificate, ...]:
    path = f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"
    texts = {
        "".join(text(element).split()): text(element)
        for descriptor in role.iterchildren(f"{{{MD}}}KeyDescriptor")
        if descriptor.get("use", "signing") == "signing"
        for element in descriptor.iterfind(path)
    }
    if len(texts) > MAX_CERTIFICATES:
        raise _refused(f"at most {MAX_CERTIFICATES} signing certificates", str(len(texts)))
    return tuple(read_certificate(pem) for pem in texts.values())


def _values(elements: Iterable[_Element], attribute: str) -> list[str]:
    return [value for element in elements if (value := element.get(attribute)) is not None]


def _boolean(element: _Element, attribute: str) -> bool:
    value = element.get(attribute, "false").strip()
    if value not in _BOOLEANS:
        raise _refused(f"{attribute} true or false", value)
    return _BOOLEANS[value]


def _duration(value: str) -> int:
    match = _DURATION.fullmatch(value.strip())
    length = 0
    if match:
        length = sum(
            int(amount or 0) * unit
            for amount, unit in zip(match.groups(), _DURATION_UNITS, strict=True)
        )
    if not 0 < length <= MAX_CACHE_DURATION:
        raise _refused("a cacheDuration above zero, at most ten years", value)
    return length
