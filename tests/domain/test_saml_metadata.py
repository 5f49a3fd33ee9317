"""Metadata becomes what a connection calls its fields; what cannot be used is said in words."""

import pytest

from tests.support import saml_metadata as documents
from tests.support.context import RoutedFetch
from tests.support.saml_keys import signer
from tests.support.saml_metadata import ENTITY_ID, POST, POST_SSO, REDIRECT, REDIRECT_SSO
from vestibule.clock import DAY
from vestibule.domain.context import Context
from vestibule.domain.saml_metadata import read, read_newer
from vestibule.domain.upkeep.readings import Validators
from vestibule.errors import Failure
from vestibule.fetch import FetchResponse

URL = "https://idp.example.com/metadata.xml"
SLO, RESPONSE = "https://idp.example.com/slo", "https://idp.example.com/slo/answers"


def publish(fetch: RoutedFetch, document: str, *, status: int = 200, etag: str = "") -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        return FetchResponse(status=status, headers={"etag": etag}, body=document.encode(), url=url)

    fetch.answers[URL] = answer


def metadata(*, attributes: str = "", keys: tuple[str, ...] = ("idp",), **role: object) -> str:
    described = [documents.key(signer(name).pem) for name in keys]
    return documents.entity(documents.role(keys=described, **role), attributes=attributes)  # type: ignore[arg-type]  # parts of a role, named by the test


async def test_fields_are_named_as_the_connection_names_them(
    context: Context, fetch: RoutedFetch
) -> None:
    logout = documents.service(
        REDIRECT, SLO, name="SingleLogoutService", more=f' ResponseLocation="{RESPONSE}"'
    )
    publish(fetch, metadata(logout=[logout], attributes=' cacheDuration="P1D"'), etag='"1"')
    reading = await read(context, URL)
    assert reading.published.fields == {
        "idp_entity_id": ENTITY_ID,
        "idp_sso_url": REDIRECT_SSO,
        "idp_sso_binding": "redirect",
        "idp_slo_url": SLO,
        "idp_slo_response_url": RESPONSE,
        "idp_slo_binding": "redirect",
    }
    assert reading.published.certificates == (signer("idp").pem,)
    assert reading.validators == Validators(etag='"1"')
    assert (reading.cache_duration, reading.valid_until) == (DAY, None)


async def test_post_is_taken_where_there_is_no_redirect(
    context: Context, fetch: RoutedFetch
) -> None:
    logout = documents.service(POST, "http://idp.example.com/slo", name="SingleLogoutService")
    services = [documents.service(POST, POST_SSO)]
    publish(fetch, metadata(services=services, logout=[logout]))
    fields = (await read(context, URL)).published.fields
    assert (fields["idp_sso_url"], fields["idp_sso_binding"]) == (POST_SSO, "post")
    # A logout address without TLS is none.
    assert (fields["idp_slo_url"], fields["idp_slo_binding"]) == ("", "post")


async def test_unchanged_version_is_no_reading(context: Context, fetch: RoutedFetch) -> None:
    publish(fetch, "", status=304)
    assert await read_newer(context, URL, Validators(etag='"1"')) is None
    with pytest.raises(Failure) as caught:
        await read_newer(context, URL, Validators())
    assert "it answered with status 304 instead of 200" in caught.value.message


@pytest.mark.case("OP-14", verdict="refused", reason="metadata")
async def test_keys_may_be_missing_at_first_but_not_go(
    context: Context, fetch: RoutedFetch
) -> None:
    publish(fetch, metadata(keys=()))
    assert (await read(context, URL)).published.certificates == ()
    with pytest.raises(Failure) as caught:
        await read_newer(context, URL, Validators())
    assert caught.value.message == "The metadata has no signing certificate any more."


@pytest.mark.parametrize(
    ("document", "error", "said"),
    [
        ("<html>", "invalid_xml_from_saml_metadata_url", "is not acceptable XML"),
        ("<html/>", "saml_connection_metadata_invalid_format", "expected exactly one SAML"),
    ],
)
async def test_what_is_no_metadata_is_said_in_words(
    context: Context, fetch: RoutedFetch, document: str, error: str, said: str
) -> None:
    publish(fetch, document)
    with pytest.raises(Failure) as caught:
        await read(context, URL)
    assert caught.value.error.name == error
    assert said in caught.value.message


async def test_unreachable_address_tells_nothing_of_our_network(context: Context) -> None:
    with pytest.raises(Failure) as caught:
        await read(context, URL)
    assert caught.value.error.name == "invalid_saml_metadata_url"
    assert caught.value.detail == "The address could not be fetched."
