"""Status and Issuer."""

import pytest

from tests.support.saml_documents import ISS, find, fragment, response_element
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.status import SUCCESS, check_issuer, check_status, status_codes
from vestibule.saml.xml import children_by_tag

PREFIX = "urn:oasis:names:tc:SAML:2.0:status:"

MESSAGE = "</samlp:StatusCode><samlp:StatusMessage>not assigned</samlp:StatusMessage>"


def with_status(inner: str) -> SamlError:
    root = response_element()
    root.replace(find(root, "samlp:Status"), fragment(f"<samlp:Status>{inner}</samlp:Status>"))
    with pytest.raises(SamlError) as caught:
        check_status(children_by_tag(root), Checks())
    return caught.value


def test_success_is_noted() -> None:
    checks = Checks()
    check_status(children_by_tag(response_element()), checks)
    assert [(step.name, step.received) for step in checks.steps] == [("saml.status", SUCCESS)]


@pytest.mark.parametrize(
    ("inner", "received"),
    [
        ("", "no status"),
        ("<samlp:StatusMessage>m</samlp:StatusMessage>", "no status: m"),
        (f'<samlp:StatusCode Value="{PREFIX}Requester"/>', "Requester"),
        (
            f'<samlp:StatusCode Value="{PREFIX}Responder"><samlp:StatusCode Value="a:b"/>{MESSAGE}',
            "Responder b: not assigned",
        ),
    ],
)
def test_other_statuses_say_what_the_identity_provider_said(inner: str, received: str) -> None:
    error = with_status(inner)
    assert (error.reason, error.expected) == (Reason.SAML_STATUS, SUCCESS)
    assert error.received == received


def test_status_codes_from_the_top() -> None:
    root = response_element()
    assert status_codes(children_by_tag(root)) == [SUCCESS]
    find(root, "samlp:StatusCode").append(fragment('<samlp:StatusCode Value="second"/>'))
    assert status_codes(children_by_tag(root)) == [SUCCESS, "second"]
    root.append(fragment("<samlp:Status/>"))
    assert status_codes(children_by_tag(root)) == []


def test_issuer_may_be_absent_only_where_it_may() -> None:
    root, checks = response_element(), Checks()
    check_issuer(children_by_tag(root), ISS, checks, required=True)
    assert [step.name for step in checks.steps] == ["saml.issuer"]
    root.remove(find(root, "saml:Issuer"))
    check_issuer(children_by_tag(root), ISS, checks, required=False)
    with pytest.raises(SamlError) as caught:
        check_issuer(children_by_tag(root), ISS, checks, required=True)
    assert (caught.value.reason, caught.value.received) == (
        Reason.SAML_ISSUER,
        "0 Issuer elements",
    )


def test_issuer_of_another_format_says_so() -> None:
    root = response_element()
    find(root, "saml:Issuer").set("Format", "urn:other")
    with pytest.raises(SamlError) as caught:
        check_issuer(children_by_tag(root), ISS, Checks(), required=True)
    assert caught.value.received == f"{ISS} of format urn:other"
