"""Times, conditions and confirmations; the cases stand in tests/attacks/test_saml_protocol.py."""

import pytest

from tests.support.saml_documents import ACS, AUD, NOW, REQ, find, fragment, response_element
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.saml.conditions import (
    Moment,
    check_conditions,
    check_in_response_to,
    confirm_subject,
)
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.xml import Children, children_by_tag

MOMENT = Moment(now=NOW, skew=MINUTE)
LIMIT = rfc3339(NOW + MINUTE)


def test_moment_grants_the_skew_to_both_sides() -> None:
    checks = Checks()
    assert MOMENT.require_begun(LIMIT, "It", checks) == NOW + MINUTE
    assert MOMENT.require_lasting(rfc3339(NOW - 59 * SECOND), "It", checks) == NOW - 59 * SECOND
    assert [step.expected for step in checks.steps] == ["It in the past", "It to come"]


def test_moment_says_the_time_when_it_refuses() -> None:
    with pytest.raises(SamlError) as early:
        MOMENT.require_begun(rfc3339(NOW + 61 * SECOND), "It", Checks())
    assert early.value.reason is Reason.SAML_NOT_YET
    assert early.value.expected == f"It at or before {rfc3339(NOW)}"
    with pytest.raises(SamlError) as late:
        MOMENT.require_lasting(rfc3339(NOW - MINUTE), "It", Checks())
    assert late.value.reason is Reason.SAML_EXPIRED
    assert (late.value.expected, late.value.received) == (
        f"It after {rfc3339(NOW)}",
        rfc3339(NOW - MINUTE),
    )


def parts(conditions: str | None) -> Children:
    found = find(response_element(), "saml:Assertion")
    old = find(found, "saml:Conditions")
    if conditions is not None:
        found.replace(old, fragment(conditions))
    return children_by_tag(found)


def check(conditions: str | None) -> list[str]:
    checks = Checks()
    check_conditions(parts(conditions), audiences=(AUD,), moment=MOMENT, checks=checks)
    return [step.name for step in checks.steps]


def test_conditions_are_checked_as_far_as_there_are_any() -> None:
    audience = (
        f"<saml:AudienceRestriction><saml:Audience>{AUD}</saml:Audience></saml:AudienceRestriction>"
    )
    before, after = rfc3339(NOW - 2), rfc3339(NOW + 2 * MINUTE)
    assert check(None) == ["saml.notyet", "saml.expired", "saml.aud"]
    assert check(f"<saml:Conditions>{audience}</saml:Conditions>") == ["saml.aud"]
    end = f'<saml:Conditions NotOnOrAfter="{after}">{audience}</saml:Conditions>'
    assert check(end) == ["saml.expired", "saml.aud"]
    begin = f'<saml:Conditions NotBefore="{before}">{audience}</saml:Conditions>'
    assert check(begin) == ["saml.notyet", "saml.aud"]


def test_confirmation_reports_its_request() -> None:
    subject = find(response_element(), "saml:Subject")
    checks = Checks()
    answered = confirm_subject(
        children_by_tag(subject), acs_urls=(ACS,), request_id=REQ, moment=MOMENT, checks=checks
    )
    assert answered == REQ
    assert [step.name for step in checks.steps] == ["saml.recipient", "saml.irt", "saml.expired"]


def test_confirmation_that_fails_leaves_no_steps_and_the_last_reason_counts() -> None:
    subject = find(response_element(), "saml:Subject")
    first = find(subject, "saml:SubjectConfirmation")
    find(first, "saml:SubjectConfirmationData").set("Recipient", "urn:other")
    first.addnext(
        fragment(
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData Recipient="{ACS}" NotOnOrAfter="{rfc3339(NOW)}"'
            ' InResponseTo="_other"/></saml:SubjectConfirmation>'
        )
    )
    checks = Checks()
    with pytest.raises(SamlError) as caught:
        confirm_subject(
            children_by_tag(subject),
            acs_urls=(ACS,),
            request_id=REQ,
            moment=MOMENT,
            checks=checks,
        )
    assert caught.value.reason is Reason.SAML_IN_RESPONSE_TO
    assert checks.steps == ()


@pytest.mark.parametrize(
    ("received", "request_id", "expected"), [("_1", "_2", "_2"), ("_1", None, "no InResponseTo")]
)
def test_in_response_to(received: str, request_id: str | None, expected: str) -> None:
    with pytest.raises(SamlError) as caught:
        check_in_response_to(received, request_id, Checks())
    assert (caught.value.reason, caught.value.expected) == (Reason.SAML_IN_RESPONSE_TO, expected)
    checks = Checks()
    check_in_response_to("_1", "_1", checks)
    assert len(checks.steps) == 1
