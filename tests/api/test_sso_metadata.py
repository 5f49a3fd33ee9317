"""People decide over what metadata offers: exactly what they were shown, or nothing."""

import hashlib
from typing import Any

import pytest

from tests.support.metadata_host import FedConnection, MetadataHost, fed_connection
from tests.support.saml_keys import NOT_BEFORE, certificate, signer
from tests.support.saml_metadata import REDIRECT_SSO
from tests.support.scenario import Scenario
from vestibule.clock import DAY, SECOND

OLD, NEW = (signer(name).pem for name in ("idp", "idp2"))
MOVED = "https://idp.example.com/sso/new"


@pytest.fixture
async def fed(scenario: Scenario) -> FedConnection:
    return await fed_connection(scenario, MetadataHost(scenario.fetch))


async def offered(fed: FedConnection, *idps: str, **more: str) -> dict[str, Any]:
    """Publish something new and return what is offered of it."""
    fed.host.publish(*idps, **more)
    return dict((await fed.refresh())["offer"])


async def refused(fed: FedConnection, what: str, digest: str) -> str:
    """Decide what must be refused; see that nothing changed and return the message."""
    before = await fed.connection()
    answer = await fed.scenario.api.call("POST", f"{fed.path}/metadata/{what}", {"digest": digest})
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert await fed.connection() == before
    return str(answer.json["error_message"])


async def test_accepted_offer_is_taken_over(fed: FedConnection) -> None:
    offer = await offered(fed, "idp", "idp2", sso_url=MOVED)
    assert (await fed.decide("accept", offer["digest"]))["offer"] is None
    connection = await fed.connection()
    assert connection["idp_sso_url"] == MOVED
    assert await fed.certificates() == [OLD, NEW]
    assert (await fed.refresh())["offer"] is None


async def test_what_a_person_enters_after_an_acceptance_stays(fed: FedConnection) -> None:
    offer = await offered(fed, "idp", sso_url=MOVED)
    await fed.decide("accept", offer["digest"])
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}"
    await fed.scenario.api.good("PUT", path, {"idp_sso_url": "https://proxy.example.com/sso"})
    assert (await fed.shown())["offer"] is None


async def test_accepted_rollover_removes_the_old_certificate(fed: FedConnection) -> None:
    offer = await offered(fed, "idp2")
    await fed.decide("accept", offer["digest"])
    assert await fed.certificates() == [NEW]


async def test_accepted_entity_comes_with_its_logout_address(fed: FedConnection) -> None:
    offer = await offered(fed, "idp", entity_id="https://new.example.com")
    assert [each["field"] for each in offer["changes"]] == ["idp_entity_id"]
    await fed.decide("accept", offer["digest"])
    assert (await fed.connection())["idp_entity_id"] == "https://new.example.com"
    assert (await fed.connection())["idp_sso_url"] == REDIRECT_SSO


@pytest.mark.case("SP-68", verdict="refused", reason="digest")
async def test_nothing_else_is_accepted_than_what_was_shown(fed: FedConnection) -> None:
    shown = await offered(fed, "idp", "idp2")
    await offered(fed, "idp", "attacker")
    for what in ("accept", "refuse"):
        said = await refused(fed, what, shown["digest"])
        assert said == "digest: this is not what the metadata offers now; look again."
    fed.host.publish("idp")
    await fed.refresh()
    said = await refused(fed, "accept", shown["digest"])
    assert said == "digest: the metadata offers nothing any more."


async def test_refused_offer_is_shown_as_such_and_may_still_be_accepted(
    fed: FedConnection,
) -> None:
    offer = await offered(fed, "idp", "idp2")
    assert not offer["refused"]
    assert (await fed.decide("refuse", offer["digest"]))["offer"] == {**offer, "refused": True}
    assert (await fed.refresh())["offer"]["refused"]
    assert len(await fed.announced()) == 1
    another = await offered(fed, "idp", "idp3")
    assert not another["refused"]
    assert len(await fed.announced()) == 2
    again = await offered(fed, "idp", "idp2")
    assert again["refused"]
    await fed.decide("accept", again["digest"])
    assert await fed.certificates() == [OLD, NEW]


async def test_login_with_the_new_key_works_from_the_acceptance_on(fed: FedConnection) -> None:
    offer = await offered(fed, "idp", "idp2")
    connection = await fed.connection()
    for idp, status in (("idp", 303), ("idp2", 400)):
        assert (await post_login(fed, connection, idp)).status == status
    await fed.decide("accept", offer["digest"])
    assert (await post_login(fed, connection, "idp2")).status == 303


async def post_login(fed: FedConnection, connection: dict[str, Any], idp: str) -> Any:
    browser = fed.scenario.browser()
    fields = await fed.scenario.saml_fields(browser, connection, idp=idp)
    return await fed.scenario.post_callback(browser, connection, fields)


async def test_refresh_reads_now_at_most_twice_a_minute(fed: FedConnection) -> None:
    path = f"{fed.path}/metadata/refresh"
    fed.host.publish("idp", "idp2")
    for wait, asked in ((0, 1), (29 * SECOND, 1), (SECOND, 2), (10 * SECOND, 2)):
        fed.scenario.clock.advance(wait)
        answer = await fed.scenario.api.good("POST", path)
        assert fed.host.asked == asked
    assert len(answer["metadata"]["offer"]["certificates_added"]) == 1
    fed.host.gone = True
    fed.scenario.clock.advance(DAY)
    answer = await fed.scenario.api.good("POST", path)
    assert answer["metadata"]["last_error"].startswith("metadata_url: the metadata could not be")


async def test_metadata_is_read_no_more_when_that_is_asked(fed: FedConnection) -> None:
    answer = await fed.scenario.api.good("DELETE", f"{fed.path}/metadata")
    assert answer["metadata"] is None
    for method, path in (
        ("POST", "/metadata/refresh"),
        ("POST", "/metadata/accept"),
        ("POST", "/metadata/refuse"),
        ("DELETE", "/metadata"),
    ):
        body = {"digest": "x"} if method == "POST" else None
        answer = await fed.scenario.api.call(method, fed.path + path, body)
        assert answer.json["error_message"] == (
            "This connection was not set up from metadata at a URL."
        )
    assert await fed.certificates() == [OLD]


async def test_certificates_that_expire_soon_are_shown(fed: FedConnection) -> None:
    now = fed.scenario.clock.now()
    pem = certificate(
        "idp3", not_before=NOT_BEFORE, not_after=now + 12 * DAY + SECOND, key=signer("idp3").key
    )
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}"
    answer = await fed.scenario.api.good("PUT", path, {"x509_certificate": pem})
    added = answer["connection"]["verification_certificates"][1]
    (warning,) = (await fed.scenario.api.good("GET", fed.path))["warnings"]
    assert warning == {
        "certificate_id": added["certificate_id"],
        "purpose": "verification",
        "expires_at": added["expires_at"],
        "days": 12,
        "message": "This certificate expires in 12 days: add the identity provider's next one "
        "beside it.",
    }
    fed.scenario.clock.advance(13 * DAY)
    (warning,) = (await fed.scenario.api.good("GET", fed.path))["warnings"]
    assert (warning["days"], warning["message"][:28]) == (0, "This certificate has expired")


@pytest.mark.parametrize("what", ["accept", "refuse", "refresh"])
async def test_connection_of_another_organization_is_not_found(
    fed: FedConnection, what: str
) -> None:
    other = await fed.scenario.organization("Other")
    path = fed.path.replace(fed.organization_id, other["organization_id"])
    body = {"digest": "x"}
    found = await fed.scenario.api.bad("POST", f"{path}/metadata/{what}", body)
    assert found == (404, "sso_connection_not_found")
    found = await fed.scenario.api.bad("DELETE", f"{path}/metadata")
    assert found == (404, "sso_connection_not_found")


async def test_digest_of_a_wrong_type_is_refused_by_name(fed: FedConnection) -> None:
    for body in ({}, {"digest": 1}, {"digest": None}):
        answer = await fed.scenario.api.call("POST", f"{fed.path}/metadata/accept", body)
        assert answer.status == 400
        assert "digest" in answer.json["error_message"]


async def test_offered_certificates_can_be_told_by_their_fingerprints(fed: FedConnection) -> None:
    offer = await offered(fed, "idp", "idp2", "idp3")
    wanted = [hashlib.sha256(signer(name).certificate.der).hexdigest() for name in ("idp2", "idp3")]
    assert [each["fingerprint_sha256"] for each in offer["certificates_added"]] == wanted
