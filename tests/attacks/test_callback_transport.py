"""What is posted to an ACS before it is looked at as SAML: XP-24, XP-40 to XP-44."""

import asyncio
import zlib
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.asgi import Answer, call
from tests.support.refusals import Left, assert_page, assert_refused, left, traces
from tests.support.scenario import Scenario
from vestibule import errors
from vestibule.errors import ErrorType

FORM = "application/x-www-form-urlencoded"
MIB = 1024 * 1024
ONE = "Post exactly one SAMLResponse."

Connection = dict[str, Any]


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


def path(connection: Connection) -> str:
    return urlsplit(connection["acs_url"]).path


async def post(
    scenario: Scenario, target: str, body: bytes, *, content_type: str = FORM, **headers: str
) -> Answer:
    sent = {"content-type": content_type, **headers}
    return await call(scenario.app, "POST", target, headers=sent, body=body)


async def refused_and_then_accepted(
    scenario: Scenario,
    connection: Connection,
    bodies: list[str],
    *,
    error: ErrorType,
    reason: str,
    messages: list[str] | None = None,
) -> None:
    """Every body is refused for this reason, and the answer it was made of still works after."""
    for number, body in enumerate(bodies):
        answer = await post(scenario, path(connection), body.encode())
        message = messages[number] if messages else ""
        await assert_refused(
            scenario, answer, error=error, reason=reason, message=message, traces_before=number
        )
    await scenario.saml_token(connection)


@pytest.mark.case("XP-24")
async def test_ten_mebibytes_without_a_length_are_cut_off_at_the_cap(
    scenario: Scenario, connection: Connection
) -> None:
    taken = 0

    async def receive() -> dict[str, object]:
        nonlocal taken
        taken += 65_536
        body = b"SAMLResponse=" if taken == 65_536 else b"A" * 65_536
        return {"type": "http.request", "body": body, "more_body": taken < 10 * MIB}

    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path(connection),
        "raw_path": path(connection).encode(),
        "query_string": b"",
        "headers": [(b"content-type", FORM.encode()), (b"host", b"sso.example.test")],
    }
    await scenario.app(scope, receive, send)
    assert sent[0]["status"] == 413
    assert taken < 2 * MIB
    (trace,) = await traces(scenario)
    assert (trace.reason, trace.error_type) == ("http.size", "bad_request")
    assert await left(scenario) == Left()


@pytest.mark.case("XP-24")
async def test_an_announced_length_above_the_cap_is_refused_unread(
    scenario: Scenario, connection: Connection
) -> None:
    answer = await post(scenario, path(connection), b"", **{"content-length": str(10 * MIB)})
    await assert_refused(scenario, answer, error=errors.request_too_large, reason="http.size")


@pytest.mark.case("XP-23")
async def test_a_response_over_the_cap_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    bodies = [urlencode({"SAMLResponse": b64encode(b"A" * size)}) for size in (262_145, 600_000)]
    await refused_and_then_accepted(
        scenario, connection, bodies, error=errors.saml_response_too_long, reason="xml.size"
    )


@pytest.mark.case("XP-40", "XP-39")
async def test_what_is_not_base64_is_refused(scenario: Scenario, connection: Connection) -> None:
    good = scenario.saml_response(connection, in_response_to=None)
    raw = b64decode(good).decode()
    bodies = [
        urlencode({"SAMLResponse": value})
        for value in (raw, good[:-2], good.replace("=", "") + "!", f"{good}=={good}", "%", "ä")
    ]
    await refused_and_then_accepted(
        scenario, connection, bodies, error=errors.invalid_xml_saml_response, reason="xml.base64"
    )


@pytest.mark.case("XP-40")
async def test_a_deflated_response_is_not_inflated(
    scenario: Scenario, connection: Connection
) -> None:
    good = b64decode(scenario.saml_response(connection, in_response_to=None))
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for packed in (packer.compress(good) + packer.flush(), zlib.compress(good)):
        answer = await post(
            scenario, path(connection), urlencode({"SAMLResponse": b64encode(packed)}).encode()
        )
        assert_page(answer, errors.invalid_xml_saml_response)
    assert {trace.reason for trace in await traces(scenario)} == {"xml.encoding"}
    assert await left(scenario) == Left()


@pytest.mark.case("XP-41", "XP-42", "XP-44")
async def test_a_response_in_the_query_of_a_get_is_refused_unread(
    scenario: Scenario, connection: Connection
) -> None:
    bomb = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = bomb.compress(bytes(5 * MIB)) + bomb.flush()
    good = scenario.saml_response(connection, in_response_to=None)
    for number, value in enumerate((good, b64encode(packed).decode(), "x")):
        query = urlencode({"SAMLResponse": value})
        answer = await call(scenario.app, "GET", f"{path(connection)}?{query}")
        assert answer.headers["allow"] == "POST"
        trace = await assert_refused(
            scenario,
            answer,
            error=errors.method_not_allowed,
            reason="http.method",
            traces_before=number,
        )
        assert trace.connection_id == connection["connection_id"]


@pytest.mark.case("XP-44")
@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_refused_and_use_nothing_up(
    scenario: Scenario, connection: Connection, method: str
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    target = f"{path(connection)}?{urlencode(fields)}"
    answer = await call(scenario.app, method, target, body=urlencode(fields).encode())
    assert_page(answer, errors.method_not_allowed)
    assert answer.headers["allow"] == "GET, POST"
    assert await traces(scenario) == []
    assert await left(scenario) == Left()
    assert (await scenario.post_callback(browser, connection, fields)).status == 303


@pytest.mark.case("XP-43", "SP-60")
async def test_anything_but_one_response_in_the_form_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    good = scenario.saml_response(connection, in_response_to=None)
    evil = scenario.saml_response(connection, in_response_to=None, email="evil@acme.test")
    one = urlencode({"SAMLResponse": good})
    await refused_and_then_accepted(
        scenario,
        connection,
        [
            "",
            "RelayState=x",
            "SAMLResponse=",
            urlencode({"samlresponse": good}),
            urlencode({"SAMLResponse[]": good}),
            f"{one}&{urlencode({'SAMLResponse[]': evil})}",
            f"{one}&{urlencode({'SAMLResponse[0]': evil})}",
            f"{one}&{urlencode({'samlresponse': evil})}",
            f"{one}&SAMLRequest=x",
            f"{one}&SAMLart=x",
            "SAMLart=x",
        ],
        error=errors.missing_saml_response,
        reason="http.params",
        messages=[ONE, ONE, "", *[ONE] * 8],
    )


@pytest.mark.case("XP-43")
async def test_a_field_that_is_given_twice_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    good = urlencode({"SAMLResponse": scenario.saml_response(connection, in_response_to=None)})
    many = "&".join(f"field{number}=x" for number in range(60))
    await refused_and_then_accepted(
        scenario,
        connection,
        [
            f"{good}&{good}",
            f"{good}&RelayState=a&RelayState=b",
            f"{good}&%53AMLResponse=x",
            f"{good}&{many}",
            f"{good}&RelayState=%00",
            f"{good}&RelayState=%ff",
            f"{good}&RelayState=\u00e9",
        ],
        error=errors.bad_request,
        reason="http.params",
        messages=[
            "SAMLResponse: given more than once.",
            "RelayState: given more than once.",
            "SAMLResponse: given more than once.",
            "The fields cannot be read.",
            "A field has a NUL character.",
            "The fields cannot be read.",
            "The form is not URL-encoded.",
        ],
    )


@pytest.mark.case("XP-43")
async def test_a_response_in_the_query_beside_the_form_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    good = urlencode({"SAMLResponse": scenario.saml_response(connection, in_response_to=None)})
    for number, query in enumerate((good, "SAMLResponse=", "%53AMLResponse=x", "SAMLRequest=x")):
        answer = await post(scenario, f"{path(connection)}?{query}", good.encode())
        await assert_refused(
            scenario,
            answer,
            error=errors.missing_saml_response,
            reason="http.params",
            message="SAMLResponse belongs into the form alone.",
            traces_before=number,
        )
    assert (await post(scenario, f"{path(connection)}?lang=en", good.encode())).status == 303


@pytest.mark.case("XP-44")
async def test_other_content_types_are_refused(scenario: Scenario, connection: Connection) -> None:
    good = urlencode({"SAMLResponse": scenario.saml_response(connection, in_response_to=None)})
    types = ("multipart/form-data; boundary=x", "application/json", "text/plain", "", "text/xml")
    for number, content_type in enumerate(types):
        answer = await post(scenario, path(connection), good.encode(), content_type=content_type)
        await assert_refused(
            scenario,
            answer,
            error=errors.unsupported_media_type,
            reason="http.type",
            message=f"Post a form ({FORM}).",
            traces_before=number,
        )
    answer = await post(
        scenario, path(connection), good.encode(), content_type=f"{FORM.title()}; charset=UTF-8"
    )
    assert answer.status == 303


async def test_an_unknown_connection_is_not_found_before_its_body_is_read(
    scenario: Scenario,
) -> None:
    unknown = "saml-connection-test-01960000-0000-7000-8000-000000000000"
    for name in (unknown, "x", "%00", "%ff", "..", "a" * 5000):
        answer = await post(
            scenario, f"/v1/b2b/sso/callback/{name}", b"", **{"content-length": str(10 * MIB)}
        )
        assert_page(answer, errors.sso_connection_not_found)
    assert await traces(scenario) == []


async def test_a_browser_that_goes_away_leaves_nothing(
    scenario: Scenario, connection: Connection
) -> None:
    async def receive() -> dict[str, object]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path(connection),
        "raw_path": path(connection).encode(),
        "query_string": b"",
        "headers": [(b"content-type", FORM.encode())],
    }
    await scenario.app(scope, receive, send)
    assert await traces(scenario) == []
    assert await left(scenario) == Left()


async def test_json_is_answered_to_those_who_accept_it(
    scenario: Scenario, connection: Connection
) -> None:
    answer = await post(scenario, path(connection), b"SAMLResponse=x", accept="application/json")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json
    assert body.keys() == {
        "status_code",
        "request_id",
        "error_type",
        "error_message",
        "error_url",
    }
    assert body["error_type"] == "invalid_xml_saml_response"
    assert body["status_code"] == 400
    (trace,) = await traces(scenario)
    assert trace.reason == "xml.base64"
