"""Reading an assertion; the cases stand in tests/attacks/test_saml_protocol.py."""

import pytest

from tests.support.saml_documents import (
    ATTRIBUTES,
    AUD,
    EMAIL,
    NOW,
    VICTIM,
    find,
    fragment,
    response_element,
)
from vestibule.clock import MINUTE
from vestibule.saml.assertion import (
    Authentication,
    NameId,
    read_attributes,
    read_authentication,
    read_name_id,
    read_subject,
    single_value,
)
from vestibule.saml.conditions import Moment
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.xml import children_by_tag


def test_values_of_a_usual_assertion() -> None:
    assertion = children_by_tag(find(response_element(), "saml:Assertion"))
    subject = read_subject(assertion)
    name_id = read_name_id(subject, audiences=(AUD,), required=True)
    assert name_id == NameId(value=VICTIM, format=EMAIL)
    authentication = read_authentication(
        assertion, moment=Moment(now=NOW, skew=MINUTE), checks=Checks(), required=True
    )
    assert authentication == Authentication(
        session_index="_session-1",
        session_not_on_or_after=None,
        context="urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        authenticated_at=NOW,
    )
    checks = Checks()
    values = {name: tuple(values) for name, values in ATTRIBUTES.items()}
    assert read_attributes(assertion, checks) == values
    assert checks.warnings == ()


@pytest.mark.parametrize(
    ("values", "value"), [((), None), (("a",), "a"), (("a", "a"), "a"), (("",), "")]
)
def test_single_value(values: tuple[str, ...], value: str | None) -> None:
    assert single_value({"name": values}, "name") == value
    assert single_value({}, "name") is None


def test_single_value_of_several() -> None:
    with pytest.raises(SamlError) as caught:
        single_value({"name": ("a", "b")}, "name")
    error = caught.value
    assert (error.reason, error.expected, error.received) == (
        Reason.SAML_ATTRIBUTE,
        "one value of name",
        "2",
    )


def test_what_is_no_value_of_an_attribute_is_passed_over() -> None:
    assertion = find(response_element(attributes={"email": [VICTIM]}), "saml:Assertion")
    find(assertion, "saml:Attribute").insert(0, fragment("<saml:Audience>other</saml:Audience>"))
    assert read_attributes(children_by_tag(assertion), Checks()) == {"email": (VICTIM,)}
