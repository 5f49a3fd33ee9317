"""Logout tokens of the back channel: security case OI-52."""

import json
from typing import Any

import pytest

from tests.support import oidc_documents as good
from tests.support.oidc_documents import ABSENT, CLIENT_ID, ISSUER, NOW, SECOND, SUBJECT
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.expectation import LogoutExpectation
from vestibule.oidc.logout_token import VerifiedLogoutToken, verify_logout_token

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def verify(text: str) -> VerifiedLogoutToken:
    expectation = LogoutExpectation(issuer=ISSUER, client_id=CLIENT_ID)
    return verify_logout_token(text, good.keys(), expectation, now=NOW)


def logout(header: dict[str, Any] | None = None, **changes: Any) -> str:
    return good.token(good.logout_claims(**changes), header=header or {"typ": "logout+jwt"})


def refused(text: str) -> Reason:
    with pytest.raises(OidcError) as failure:
        verify(text)
    return failure.value.reason


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", ABSENT])
def test_a_good_token_names_person_or_session(typ: object) -> None:
    found = verify(logout({"typ": typ}, sid="session-1"))
    assert (found.subject, found.session_id, found.token_id) == (SUBJECT, "session-1", "logout-1")
    assert found.replay_until == NOW + (115 + 60) * SECOND
    assert verify(logout()).session_id is None
    assert verify(logout(sub=ABSENT, sid="session-1")).subject is None
    assert verify(logout(aud=[CLIENT_ID])).subject == SUBJECT


def test_a_verified_token_is_made_here_only() -> None:
    with pytest.raises(TypeError, match="verify_logout_token only"):
        VerifiedLogoutToken("a", None, "b", 0, ())


@pytest.mark.case("OI-52")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "n"}, Reason.NONCE),
        ({"nonce": None}, Reason.NONCE),
        ({"events": ABSENT}, Reason.LOGOUT),
        ({"events": {}}, Reason.LOGOUT),
        ({"events": [EVENT]}, Reason.LOGOUT),
        ({"events": {EVENT: None}}, Reason.LOGOUT),
        ({"events": {"https://example.com/other": {}}}, Reason.LOGOUT),
        ({"sub": ABSENT}, Reason.LOGOUT),
        ({"sub": None}, Reason.SUBJECT),
        ({"sub": ""}, Reason.SUBJECT),
        ({"sub": 7, "sid": "session-1"}, Reason.SUBJECT),
        ({"sid": ""}, Reason.LOGOUT),
        ({"sid": ["session-1"]}, Reason.LOGOUT),
        ({"sid": "x" * 256}, Reason.LOGOUT),
        ({"jti": ABSENT}, Reason.LOGOUT),
        ({"jti": ""}, Reason.LOGOUT),
        ({"jti": 1}, Reason.LOGOUT),
        ({"iss": "https://other.example.com"}, Reason.ISSUER),
        ({"iss": ABSENT}, Reason.ISSUER),
        ({"aud": "client-2"}, Reason.AUDIENCE),
        ({"aud": [CLIENT_ID, "client-2"]}, Reason.AUDIENCE),
        ({"exp": ABSENT}, Reason.EXPIRED),
        ({"exp": NOW // SECOND - 3600}, Reason.EXPIRED),
        ({"iat": ABSENT}, Reason.ISSUED_AT),
        ({"iat": NOW // SECOND + 3600, "exp": NOW // SECOND + 3660}, Reason.ISSUED_AT),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    changes: dict[str, Any], reason: Reason
) -> None:
    assert refused(logout(**changes)) is reason


@pytest.mark.case("OI-52")
def test_a_token_that_is_not_the_providers_is_refused() -> None:
    claims = good.logout_claims()
    header = good.encode(json.dumps({"alg": "none"}).encode())
    unsigned = f"{header}.{good.encode(json.dumps(claims).encode())}."
    assert refused(unsigned) is Reason.ALGORITHM
    assert refused(good.hmac_token(b"client-secret")) is Reason.ALGORITHM
    assert refused(good.token(claims, signer=good.rsa_signer("evil"))) is Reason.KEY
    forged = good.token(claims, signer=good.rsa_signer("evil"), header={"kid": "rsa-1"})
    assert refused(forged) is Reason.SIGNATURE
    assert refused("x") is Reason.ID_TOKEN


@pytest.mark.case("OI-52")
@pytest.mark.parametrize("typ", ["at+jwt", "secevent+jwt", "logout", 7])
def test_a_token_of_another_type_is_refused(typ: object) -> None:
    assert refused(logout({"typ": typ})) is Reason.ID_TOKEN


@pytest.mark.case("OI-52")
def test_an_id_token_is_no_logout_token_nor_the_reverse() -> None:
    assert refused(good.token()) is Reason.LOGOUT
    with pytest.raises(OidcError) as failure:
        good.verify(logout())
    assert failure.value.reason is Reason.ID_TOKEN
    with pytest.raises(OidcError) as failure:
        good.verify(logout({"typ": "JWT"}))
    assert failure.value.reason is Reason.NONCE
