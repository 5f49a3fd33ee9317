"""Reads the values of an assertion that has been verified: who signed in, how, and with what."""

from collections.abc import Collection, Mapping
from typing import Final, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml.etree import _Element

from vestibule.saml.conditions import Moment
from vestibule.saml.encryption import Plaintext, decrypt, decryption_failed, parse_in_context
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.times import read_instant
from vestibule.saml.xml import (
    SAML,
    XSI,
    Children,
    children,
    children_by_tag,
    identifiers,
    local_name,
    members,
    text,
)

MAX_VALUES: Final = 2_000

_SUBJECT: Final = f"{{{SAML}}}Subject"
_NAME_ID: Final = f"{{{SAML}}}NameID"
_ENCRYPTED_ID: Final = f"{{{SAML}}}EncryptedID"
_BASE_ID: Final = f"{{{SAML}}}BaseID"
_AUTHN_STATEMENT: Final = f"{{{SAML}}}AuthnStatement"
_AUTHN_CONTEXT: Final = f"{{{SAML}}}AuthnContext"
_CLASS: Final = f"{{{SAML}}}AuthnContextClassRef"
_ATTRIBUTE_STATEMENT: Final = f"{{{SAML}}}AttributeStatement"
_ATTRIBUTE: Final = f"{{{SAML}}}Attribute"
_VALUE: Final = f"{{{SAML}}}AttributeValue"
_NIL: Final = f"{{{XSI}}}nil".encode()  # which lxml finds sooner than a str
_TRUE: Final = ("true", "1")


class NameId(msgspec.Struct, frozen=True, kw_only=True):
    """The subject's identifier, uncut, and its format where one is given."""

    value: str
    format: str | None


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """What the AuthnStatement says; times in microseconds UTC."""

    session_index: str | None = None
    session_not_on_or_after: int | None = None
    context: str | None = None
    authenticated_at: int | None = None


class Recipient(Protocol):
    """Whom a NameID may be meant for, and how one that is encrypted is read."""

    @property
    def audiences(self) -> tuple[str, ...]:
        """The names we go by."""

    @property
    def decryption_keys(self) -> tuple[RSAPrivateKey, ...]:
        """Our keys."""

    @property
    def allow_cbc(self) -> bool:
        """Whether AES-CBC will do."""


def read_subject(assertion: Children) -> Children:
    """What the one Subject of an assertion holds.

    Raises:
        SamlError: `saml.subject`.
    """
    found = assertion.get(_SUBJECT, [])
    if len(found) != 1:
        raise _subject("one Subject", f"{len(found)}")
    return children_by_tag(found[0])


def read_identifier(
    subject: Children, recipient: Recipient, checks: Checks, *, required: bool
) -> NameId | None:
    """The NameID of a subject or a request that was signed, in clear or encrypted (Core 2.2.4).

    Raises:
        SamlError: as `read_name_id`; `enc.*`, or `xml.*` in a plaintext.
    """
    encrypted = subject.get(_ENCRYPTED_ID)
    audiences = recipient.audiences
    if not encrypted:
        return read_name_id(subject, audiences=audiences, required=required)
    _only_identifier(subject)
    plaintext = decrypt(encrypted[0], recipient.decryption_keys, allow_cbc=recipient.allow_cbc)
    try:
        name_id = _in_clear(plaintext, encrypted[0], audiences)
    except SamlError:
        if plaintext.authenticated:
            raise
        # Who signed it need not have made it: what is wrong would tell about another's message.
        raise decryption_failed() from None
    if not plaintext.authenticated:
        checks.warn("enc.cbc")
    checks.note(Reason.ENC, expected="a NameID for our key", received="decrypted")
    return name_id


def read_name_id(subject: Children, *, audiences: Collection[str], required: bool) -> NameId | None:
    """The NameID of a subject; None where it may be missing and is.

    Raises:
        SamlError: `saml.subject` for more than one, an empty one, one that another service
            provider qualifies, a BaseID or an EncryptedID; `xml.mixed` for elements inside it.
    """
    name_id = _only_identifier(subject)
    if name_id is None:
        if required:
            raise _subject("one NameID", "0")
        return None
    return _name_id(name_id, audiences)


def read_authentication(
    assertion: Children, *, moment: Moment, checks: Checks, required: bool
) -> Authentication:
    """The first AuthnStatement, with the earliest end of a session that any of them names.

    Raises:
        SamlError: `saml.authn` when there is none and one is required, `saml.expired` when the
            session at the identity provider is over, `saml.time`.
    """
    statements = assertion.get(_AUTHN_STATEMENT, [])
    if not statements:
        if required:
            raise SamlError(Reason.SAML_AUTHN, expected="an AuthnStatement", received="none")
        checks.warn("authn.missing")
        return Authentication()
    ends = [
        moment.require_lasting(end, "SessionNotOnOrAfter", checks)
        for statement in statements
        if (end := statement.get("SessionNotOnOrAfter")) is not None
    ]
    first = statements[0]
    classes: list[str] = []
    for context in children(first, _AUTHN_CONTEXT):
        classes += map(text, children(context, _CLASS))
    return Authentication(
        session_index=first.get("SessionIndex"),
        session_not_on_or_after=min(ends) if ends else None,
        context=classes[0] if classes else None,
        authenticated_at=read_instant(first.get("AuthnInstant", "")),
    )


def read_attributes(assertion: Children, checks: Checks) -> dict[str, tuple[str, ...]]:
    """The attributes by Name, values in document order, those of one Name together.

    FriendlyName, NameFormat and the type of a value are not looked at. Values that are null or
    hold elements are left out, and so is an attribute that had no others; one that was sent without
    any value is there, empty. Elements in a value give a warning.

    Raises:
        SamlError: `saml.attr` for an Attribute without Name, an EncryptedAttribute or more than
            2000 values.
    """
    values: dict[str, list[str]] = {}
    count = 0
    for attribute in _attributes(assertion):
        name = attribute.get("Name")
        if not name:
            raise SamlError(Reason.SAML_ATTRIBUTE, expected="a Name", received="none")
        sent = 0
        kept: list[str] = []
        for value in members(attribute):
            if value.tag != _VALUE:
                continue
            sent += 1
            if value.get(_NIL) in _TRUE:
                continue
            if len(value):
                checks.warn(f"attribute.nested: {name}")
                continue
            kept.append(value.text or "")
        count += sent
        if count > MAX_VALUES:
            expected = f"at most {MAX_VALUES} values"
            raise SamlError(Reason.SAML_ATTRIBUTE, expected=expected, received=f"{count} or more")
        if name in values:
            values[name] += kept
        elif kept or not sent:
            values[name] = kept
    return {name: tuple(mine) for name, mine in values.items()}


def single_value(attributes: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    """The value of an attribute that identifies a person; None when it has none.

    Raises:
        SamlError: `saml.attr` when there are several different ones: picking one would be a guess.
    """
    values = dict.fromkeys(attributes.get(name, ()))
    if len(values) > 1:
        raise SamlError(
            Reason.SAML_ATTRIBUTE, expected=f"one value of {name}", received=f"{len(values)}"
        )
    return next(iter(values), None)


def _attributes(assertion: Children) -> list[_Element]:
    found: list[_Element] = []
    for statement in assertion.get(_ATTRIBUTE_STATEMENT, ()):
        attributes = children(statement, _ATTRIBUTE)
        if len(attributes) < len(statement):
            names = {local_name(other) for other in members(statement)} - {"Attribute"}
            received = min(names, default="one of another namespace")
            raise SamlError(Reason.SAML_ATTRIBUTE, expected="Attribute", received=received)
        found += attributes
    return found


def _only_identifier(subject: Children) -> _Element | None:
    found = [
        *subject.get(_NAME_ID, ()),
        *subject.get(_ENCRYPTED_ID, ()),
        *subject.get(_BASE_ID, ()),
    ]
    if len(found) > 1:
        raise _subject("one NameID", " ".join(local_name(each) for each in found[:4]))
    return found[0] if found else None


def _in_clear(plaintext: Plaintext, encrypted: _Element, audiences: Collection[str]) -> NameId:
    elements = parse_in_context(plaintext, encrypted)
    if found := identifiers(elements):
        raise SamlError(Reason.XML_ID, expected="no ID in an encrypted NameID", received=found[0])
    return _name_id(elements[0], audiences)


def _name_id(element: _Element, audiences: Collection[str]) -> NameId:
    if element.tag != _NAME_ID:
        raise _subject("a NameID", local_name(element))
    qualifier = element.get("SPNameQualifier")
    if qualifier is not None and qualifier not in audiences:
        raise _subject(f"a NameID for {' or '.join(audiences)}", f"one for {qualifier}")
    value = text(element)
    if not value.strip():
        raise _subject("a NameID", "an empty one")
    return NameId(value=value, format=element.get("Format"))


def _subject(expected: str, received: str) -> SamlError:
    return SamlError(Reason.SAML_SUBJECT, expected=expected, received=received)
