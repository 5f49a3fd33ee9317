"""Verifies a SAML Response: the bytes of a form field become a `VerifiedAssertion`, or an error."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import msgspec
from lxml.etree import _Element
from msgspec.structs import force_setattr

from vestibule.saml.assertion import (
    Authentication,
    read_attributes,
    read_authentication,
    read_identifier,
    read_subject,
)
from vestibule.saml.conditions import (
    Moment,
    check_conditions,
    check_in_response_to,
    confirm_subject,
)
from vestibule.saml.envelope import Opened, open_response
from vestibule.saml.errors import Checks, Reason, SamlError, Step
from vestibule.saml.expectation import Expectation
from vestibule.saml.keys import Certificate
from vestibule.saml.status import check_issuer, check_status
from vestibule.saml.xml import (
    MAX_BYTES,
    SAML,
    Children,
    children_by_tag,
    decode_base64,
    parse,
    parse_document,
)

__all__ = [
    "Expectation",
    "VerifiedAssertion",
    "peek_in_response_to",
    "read_form_field",
    "verify_response",
]

_CONFIRMATION_DATA: Final = f"{{{SAML}}}SubjectConfirmationData"
_PROOF: Final = object()


class VerifiedAssertion(msgspec.Struct, frozen=True, kw_only=True):
    """The values of an assertion that passed every check. Only `verify_response` can make one.

    Times are microseconds UTC. `attributes` are by Attribute Name. Until `replay_until` the same
    `assertion_id` must not be accepted again. `warnings` names what a policy or the time tolerated.
    """

    assertion_id: str
    response_id: str
    issuer: str
    issued_at: int
    name_id: str | None
    name_id_format: str | None
    session_index: str | None
    session_not_on_or_after: int | None
    authn_context: str | None
    authenticated_at: int | None
    attributes: Mapping[str, tuple[str, ...]]
    in_response_to: str | None
    replay_until: int
    warnings: tuple[str, ...]
    steps: tuple[Step, ...]
    proof: object

    def __post_init__(self) -> None:
        if self.proof is not _PROOF:
            raise TypeError("only verify_response makes a VerifiedAssertion")
        # So that a changed copy of it has none.
        force_setattr(self, "proof", None)


def read_form_field(value: str) -> bytes:
    """Decode a SAMLResponse form field: base64, line breaks and spaces allowed.

    Raises:
        SamlError: `xml.size` above 256 KiB, `xml.base64` for anything else than base64.
    """
    if len(value) > 2 * MAX_BYTES:
        raise SamlError(Reason.XML_SIZE, expected=f"at most {MAX_BYTES} bytes", received="more")
    try:
        data = decode_base64(value)
    except ValueError:
        raise SamlError(Reason.XML_BASE64, expected="base64", received=value) from None
    if len(data) > MAX_BYTES:
        raise SamlError(
            Reason.XML_SIZE, expected=f"at most {MAX_BYTES} bytes", received=f"{len(data)} bytes"
        )
    return data


def peek_in_response_to(data: bytes) -> str | None:
    """Say which request a Response claims to answer. Nothing is verified: a hint only.

    It serves to choose between a request of ours and an unsolicited sign-in; `verify_response`
    then compares. An encrypted assertion cannot be looked into.

    Raises:
        SamlError: one of the `xml.*` reasons.
    """
    root = parse(data)
    candidates = [root, *root.iter(_CONFIRMATION_DATA)]
    return next((found for e in candidates if (found := e.get("InResponseTo")) is not None), None)


def verify_response(data: bytes, expectation: Expectation, *, now: int) -> VerifiedAssertion:
    """Verify a SAML Response (SAML Profiles 4.1.4.3) and return the values of its assertion.

    Every Signature in it has to verify with a pinned key, at least one over the Response or the
    Assertion; every value comes from inside what was signed, except Status, Issuer, Destination
    and InResponseTo of an unsigned Response, which can only make it fail.
    `now` is in microseconds UTC. Replay is for the caller to exclude, see `replay_until`.

    Raises:
        SamlError: with the checks that passed before the failed one as `steps`.
    """
    checks = Checks()
    try:
        return _verify(data, expectation, Moment(now=now, skew=expectation.clock_skew), checks)
    except SamlError as error:
        raise error.after(checks.steps) from None


def _verify(
    data: bytes, expectation: Expectation, moment: Moment, checks: Checks
) -> VerifiedAssertion:
    document = parse_document(data)
    checks.note(Reason.XML, expected="well-formed XML", received=f"{len(data)} bytes")
    opened = open_response(document, _usable_keys(expectation, moment), checks)
    for certificate in opened.certificates:
        if (outside := _outside_validity(certificate, moment)) is not None:
            checks.warn(outside)
    check_status(opened.message, checks)
    check_issuer(opened.message, expectation.idp_entity_id, checks, required=False)
    _check_destination(opened, expectation.acs_urls, checks)
    assertion = children_by_tag(opened.assertion)
    check_issuer(assertion, expectation.idp_entity_id, checks, required=True)
    return _read(opened, assertion, expectation, moment, checks)


def _usable_keys(expectation: Expectation, moment: Moment) -> Expectation:
    """The expectation without the certificates a strict connection does not take any more."""
    if not expectation.refuse_expired_certificates:
        return expectation
    keys = tuple(key for key in expectation.keys if _outside_validity(key, moment) is None)
    if expectation.keys and not keys:
        raise SamlError(Reason.SIG_KEY, expected="a certificate valid now", received="none that is")
    return replace(expectation, keys=keys)


def _outside_validity(certificate: Certificate, moment: Moment) -> str | None:
    if moment.now < certificate.not_before:
        return "certificate.not_yet_valid"
    return "certificate.expired" if moment.now > certificate.not_after else None


def _check_destination(opened: Opened, acs_urls: Collection[str], checks: Checks) -> None:
    # SAML Bindings 3.5.5.2 demands it of signed messages; where it is there, it has to be right.
    destination = opened.response.get("Destination")
    if destination is None and not opened.response_signed:
        return
    checks.require(
        passed=destination in acs_urls,
        reason=Reason.SAML_DESTINATION,
        expected=" or ".join(acs_urls),
        received=destination if destination is not None else "none",
    )


def _check_solicited(
    opened: Opened, expectation: Expectation, answered: str | None, checks: Checks
) -> None:
    claimed = opened.response.get("InResponseTo")
    if claimed is not None:
        check_in_response_to(claimed, expectation.request_id, checks)
    wanted = expectation.request_id
    if wanted is None and expectation.refuse_unsolicited:
        raise SamlError(
            Reason.SAML_UNSOLICITED, expected="an answer to a request of ours", received="none"
        )
    if wanted is None or answered is not None or (claimed is not None and opened.response_signed):
        return
    # Nothing that was signed names our request: anybody can write it on an unsigned Response.
    raise SamlError(
        Reason.SAML_UNSOLICITED if claimed is None else Reason.SAML_IN_RESPONSE_TO,
        expected=wanted,
        received="no signed InResponseTo",
    )


def _check_age(
    assertion: _Element, expectation: Expectation, moment: Moment, checks: Checks
) -> int:
    issued_at = assertion.get("IssueInstant", "")
    issued = moment.require_begun(issued_at, "IssueInstant", checks)
    if moment.now >= issued + expectation.max_age + moment.skew:
        raise SamlError(
            Reason.SAML_EXPIRED,
            expected=f"issued within {expectation.max_age // 1_000_000} s",
            received=issued_at,
        )
    return issued


def _read(
    opened: Opened, assertion: Children, expectation: Expectation, moment: Moment, checks: Checks
) -> VerifiedAssertion:
    issued = _check_age(opened.assertion, expectation, moment, checks)
    subject = read_subject(assertion)
    required = expectation.require_name_id
    name_id = read_identifier(subject, expectation, checks, required=required)
    answered = confirm_subject(
        subject,
        acs_urls=expectation.acs_urls,
        request_id=expectation.request_id,
        moment=moment,
        checks=checks,
    )
    _check_solicited(opened, expectation, answered, checks)
    check_conditions(assertion, audiences=expectation.audiences, moment=moment, checks=checks)
    authentication = _read_authentication(assertion, expectation, moment, checks)
    attributes = read_attributes(assertion, checks)
    return VerifiedAssertion(
        assertion_id=opened.assertion.get("ID", ""),
        response_id=opened.response.get("ID", ""),
        issuer=expectation.idp_entity_id,
        issued_at=issued,
        name_id=name_id.value if name_id is not None else None,
        name_id_format=name_id.format if name_id is not None else None,
        session_index=authentication.session_index,
        session_not_on_or_after=authentication.session_not_on_or_after,
        authn_context=authentication.context,
        authenticated_at=authentication.authenticated_at,
        attributes=MappingProxyType(attributes),
        in_response_to=expectation.request_id,
        # From then on it is refused for its age, whatever its own conditions say.
        replay_until=issued + expectation.max_age + moment.skew,
        warnings=checks.warnings,
        steps=checks.steps,
        proof=_PROOF,
    )


def _read_authentication(
    assertion: Children, expectation: Expectation, moment: Moment, checks: Checks
) -> Authentication:
    authentication = read_authentication(
        assertion,
        moment=moment,
        checks=checks,
        required=not expectation.allow_missing_authn_statement,
    )
    if expectation.authn_contexts:
        checks.require(
            passed=authentication.context in expectation.authn_contexts,
            reason=Reason.SAML_CONTEXT,
            expected=" or ".join(expectation.authn_contexts),
            received=authentication.context or "none",
        )
    return authentication
