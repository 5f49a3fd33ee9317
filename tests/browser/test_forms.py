"""Forms and queries, read strictly."""

from collections.abc import Mapping

import pytest
from starlette.requests import Request

from vestibule import errors
from vestibule.browser import forms
from vestibule.errors import ErrorType, Failure

FORM = "application/x-www-form-urlencoded"


def request(
    body: bytes = b"", *, query: bytes = b"", method: str = "POST", content_type: str = FORM
) -> Request:
    async def receive() -> Mapping[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": query,
        "headers": [(b"content-type", content_type.encode())],
    }
    return Request(scope, receive)  # type: ignore[arg-type]  # a plain dict is a message


async def test_one_message_is_read_with_the_fields_beside_it() -> None:
    read = await forms.saml_form(request(b"SAMLResponse=a%2Bb&RelayState=+x&empty="))
    assert read == {"SAMLResponse": "a+b", "RelayState": " x", "empty": ""}


async def test_which_messages_are_wanted_is_for_the_page_to_say() -> None:
    both = ("SAMLRequest", "SAMLResponse")
    assert await forms.saml_form(request(b"SAMLRequest=a"), both) == {"SAMLRequest": "a"}
    with pytest.raises(Failure, match="exactly one SAMLRequest or SAMLResponse"):
        await forms.saml_form(request(b"SAMLRequest=a&SAMLResponse=b"), both)


@pytest.mark.case("AD-25")
@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (request(b"SAMLResponse=a", method="GET"), errors.method_not_allowed),
        (request(b"SAMLResponse=a", content_type="text/plain"), errors.unsupported_media_type),
        (request(b"SAMLResponse=a", query=b"samlrequest=b"), errors.missing_saml_response),
        (request(b"SAMLResponse="), errors.missing_saml_response),
        (request(b"SAMLRequest=a"), errors.missing_saml_response),
        (request(b"SAMLResponse=a&SAMLResponse=b"), errors.bad_request),
        (request(b"SAMLResponse=\xff"), errors.bad_request),
        (request(b"SAMLResponse=%ff"), errors.bad_request),
        (request(b"SAMLResponse=a&x=%00"), errors.bad_request),
        (request(b"&".join(b"a%d=x" % n for n in range(51))), errors.bad_request),
        (request(b"a" * 1_100_001), errors.request_too_large),
    ],
)
async def test_everything_else_is_refused(sent: Request, error: ErrorType) -> None:
    with pytest.raises(Failure) as caught:
        await forms.saml_form(sent)
    assert caught.value.error is error


def test_a_query_is_read_once_each() -> None:
    assert forms.query_fields(request(query=b"a=1&b=%C3%BC")) == {"a": "1", "b": "ü"}
    with pytest.raises(Failure, match="a: given more than once"):
        forms.query_fields(request(query=b"a=1&a=2"))
