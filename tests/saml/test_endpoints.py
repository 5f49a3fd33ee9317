"""The rule for a URL that another party gave."""

import pytest

from vestibule.saml.endpoints import endpoint_url
from vestibule.saml.errors import Reason, SamlError


@pytest.mark.parametrize(
    "url",
    [
        "https://idp.example.com/sso",
        "https://idp.example.com",
        "https://idp.example.com:8443/sso?a=1&b=%20;c&d",
        "http://127.0.0.1:8080/simplesaml/module.php/saml/idp/singleSignOnService",
        "https://[2001:db8::1]/sso",
        "https://login.microsoftonline.com/0a1b/saml2",
        "https://accounts.google.com/o/saml2/idp?idpid=C0abc",
    ],
)
def test_endpoint_url_takes_what_a_browser_can_be_sent_to(url: str) -> None:
    assert endpoint_url(url) == url


@pytest.mark.case("SP-58")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://idp.example.com/sso",
        "HTTPS://idp.example.com/sso",
        "//idp.example.com/sso",
        "/sso",
        "https:/idp.example.com",
        "https://",
        "https:///sso",
        "https://:443/sso",
        "https://idp.example.com/sso#fragment",
        "https://user@idp.example.com/sso",
        "https://user:password@idp.example.com/sso",
        "https://idp.example.com\\@evil.test/sso",
        "https://idp.example.com/s so",
        " https://idp.example.com/sso",
        "https://idp.example.com/sso\n",
        "https://idp.example.com/sso\r\nSet-Cookie: a=b",
        "https://idp.example.com/<script>",
        'https://idp.example.com/"onload="',
        "https://idp.exämple.com/sso",
        "https://idp.example.com:0/sso",
        "https://idp.example.com:99999/sso",
        "https://idp.example.com:a/sso",
        "https://[2001:db8::1/sso",
        "https://idp.example.com/" + "a" * 2040,
    ],
)
def test_endpoint_url_refuses_everything_else(url: str) -> None:
    with pytest.raises(SamlError) as refused:
        endpoint_url(url)
    assert refused.value.reason is Reason.SAML_DESTINATION
    assert refused.value.expected == "an absolute http or https URL without fragment or credentials"


@pytest.mark.parametrize(
    "name", ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "Sig%41lg"]
)
def test_endpoint_url_refuses_a_query_that_holds_a_parameter_of_the_binding(name: str) -> None:
    with pytest.raises(SamlError) as refused:
        endpoint_url(f"https://idp.example.com/sso?a=1&{name}=")
    assert refused.value.reason is Reason.SAML_DESTINATION
    assert refused.value.received == name.replace("%41", "A")
