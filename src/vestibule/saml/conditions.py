"""Decides whether an assertion is meant for us, for this request and for now."""

from collections.abc import Collection
from typing import Final

import msgspec
from lxml.etree import _Element

from vestibule.clock import rfc3339
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.times import read_instant
from vestibule.saml.xml import SAML, Children, children, local_name, members, text

_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_CONDITIONS: Final = f"{{{SAML}}}Conditions"
_AUDIENCE_RESTRICTION: Final = f"{{{SAML}}}AudienceRestriction"
_AUDIENCE: Final = f"{{{SAML}}}Audience"
_CONFIRMATION: Final = f"{{{SAML}}}SubjectConfirmation"
_CONFIRMATION_DATA: Final = f"{{{SAML}}}SubjectConfirmationData"
# OneTimeUse is what we do anyway, ProxyRestriction limits a further identity provider.
_UNDERSTOOD: Final = frozenset(
    {_AUDIENCE_RESTRICTION, f"{{{SAML}}}OneTimeUse", f"{{{SAML}}}ProxyRestriction"}
)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """The time of a verification and how far two clocks may differ, both in microseconds."""

    now: int
    skew: int

    def require_begun(self, not_before: str, what: str, checks: Checks) -> int:
        """Return the instant, or raise `saml.notyet` when it lies ahead, the skew granted."""
        instant = read_instant(not_before)
        if instant > self.now + self.skew:
            raise SamlError(
                Reason.SAML_NOT_YET,
                expected=f"{what} at or before {rfc3339(self.now)}",
                received=not_before,
            )
        checks.note(Reason.SAML_NOT_YET, expected=f"{what} in the past", received=not_before)
        return instant

    def require_lasting(self, not_on_or_after: str, what: str, checks: Checks) -> int:
        """Return the instant, or raise `saml.expired` when it is reached, the skew granted."""
        instant = read_instant(not_on_or_after)
        if self.now >= instant + self.skew:
            raise SamlError(
                Reason.SAML_EXPIRED,
                expected=f"{what} after {rfc3339(self.now)}",
                received=not_on_or_after,
            )
        checks.note(Reason.SAML_EXPIRED, expected=f"{what} to come", received=not_on_or_after)
        return instant


def check_conditions(
    assertion: Children, *, audiences: Collection[str], moment: Moment, checks: Checks
) -> None:
    """Check the Conditions of an assertion (SAML Core 2.5.1, Profiles 4.1.4.2).

    Every condition has to be understood, the time has to be within them, and each
    AudienceRestriction has to name us: byte for byte, in at least one Audience.

    Raises:
        SamlError: `saml.condition`, `saml.notyet`, `saml.expired`, `saml.aud` or `saml.time`.
    """
    found = assertion.get(_CONDITIONS, [])
    if len(found) > 1:
        raise SamlError(Reason.SAML_CONDITION, expected="one Conditions", received=f"{len(found)}")
    restrictions: list[_Element] = []
    for conditions in found:
        _check_window(conditions, moment, checks)
        for condition in members(conditions):
            if condition.tag not in _UNDERSTOOD:
                raise SamlError(
                    Reason.SAML_CONDITION,
                    expected="a condition of SAML 2.0",
                    received=local_name(condition),
                )
            if condition.tag == _AUDIENCE_RESTRICTION:
                restrictions.append(condition)
    _check_audiences(restrictions, audiences, checks)


def confirm_subject(
    subject: Children,
    *,
    acs_urls: Collection[str],
    request_id: str | None,
    moment: Moment,
    checks: Checks,
) -> str | None:
    """Find the bearer SubjectConfirmation that holds (SAML Profiles 4.1.4.2 and 4.1.4.3).

    One that holds is enough; confirmations by another method are not looked at, and the Address is
    not compared, because proxies change it. Returns the request it says it answers.

    Raises:
        SamlError: `saml.conf` without a bearer confirmation, else what the last one failed with:
            `saml.conf`, `saml.recipient`, `saml.irt`, `saml.expired` or `saml.time`.
    """
    confirmations = subject.get(_CONFIRMATION, ())
    error: SamlError | None = None
    noted = len(checks.steps)
    for confirmation in confirmations:
        if confirmation.get("Method") != _BEARER:
            continue
        try:
            return _confirm(confirmation, acs_urls, request_id, moment, checks)
        except SamlError as refused:
            error = refused
            checks.forget(since=noted)
    methods = " ".join(found.get("Method", "none") for found in confirmations) or "none"
    raise error or SamlError(
        Reason.SAML_CONFIRMATION, expected="the method bearer", received=methods
    )


def check_in_response_to(received: str, request_id: str | None, checks: Checks) -> None:
    """Compare an InResponseTo with our request; None is an unsolicited sign-in (Profiles 4.1.5).

    Raises:
        SamlError: `saml.irt`.
    """
    checks.require(
        passed=received == request_id,
        reason=Reason.SAML_IN_RESPONSE_TO,
        expected=request_id if request_id is not None else "no InResponseTo",
        received=received,
    )


def _check_window(conditions: _Element, moment: Moment, checks: Checks) -> None:
    not_before, not_on_or_after = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
    begin = end = None
    if not_before is not None:
        begin = moment.require_begun(not_before, "NotBefore of Conditions", checks)
    if not_on_or_after is not None:
        end = moment.require_lasting(not_on_or_after, "NotOnOrAfter of Conditions", checks)
    if begin is not None and end is not None and begin >= end:
        raise SamlError(
            Reason.SAML_CONDITION,
            expected="NotBefore before NotOnOrAfter",
            received=f"{not_before} and {not_on_or_after}",
        )


def _check_audiences(
    restrictions: list[_Element], audiences: Collection[str], checks: Checks
) -> None:
    wanted = " or ".join(audiences)
    if not restrictions:
        raise SamlError(Reason.SAML_AUDIENCE, expected=wanted, received="no AudienceRestriction")
    for restriction in restrictions:
        named = [text(audience) for audience in children(restriction, _AUDIENCE)]
        checks.require(
            passed=not set(named).isdisjoint(audiences),
            reason=Reason.SAML_AUDIENCE,
            expected=wanted,
            received=" ".join(named),
        )


def _confirm(
    confirmation: _Element,
    acs_urls: Collection[str],
    request_id: str | None,
    moment: Moment,
    checks: Checks,
) -> str | None:
    found = children(confirmation, _CONFIRMATION_DATA)
    if len(found) != 1:
        raise _no_bearer(f"{len(found)} SubjectConfirmationData")
    data = found[0]
    if data.get("NotBefore") is not None:
        raise _no_bearer("NotBefore")
    if (end := data.get("NotOnOrAfter")) is None:
        raise _no_bearer("no NotOnOrAfter")
    recipient = data.get("Recipient", "")
    checks.require(
        passed=recipient in acs_urls,
        reason=Reason.SAML_RECIPIENT,
        expected=" or ".join(acs_urls),
        received=recipient,
    )
    in_response_to = data.get("InResponseTo")
    if in_response_to is not None:
        check_in_response_to(in_response_to, request_id, checks)
    moment.require_lasting(end, "NotOnOrAfter of SubjectConfirmationData", checks)
    return in_response_to


def _no_bearer(received: str) -> SamlError:
    return SamlError(
        Reason.SAML_CONFIRMATION,
        expected="one SubjectConfirmationData with NotOnOrAfter, without NotBefore",
        received=received,
    )
