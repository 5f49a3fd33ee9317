"""The userinfo answer and the e-mail address: security cases OI-41 to OI-43."""

import json

import pytest

from tests.support import oidc_documents as good
from tests.support.oidc_documents import SUBJECT
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.userinfo import Email, parse_address, parse_userinfo, read_email

JSON = "application/json"


def refused(status: int, content_type: str | None, body: bytes) -> Reason:
    with pytest.raises(OidcError) as failure:
        parse_userinfo(status, content_type, body, subject=SUBJECT)
    return failure.value.reason


def test_claims_about_the_subject_are_read() -> None:
    body = json.dumps({"sub": SUBJECT, "name": "Ann", "groups": ["a"]}).encode()
    claims = parse_userinfo(200, "application/json;charset=UTF-8", body, subject=SUBJECT)
    assert dict(claims) == {"sub": SUBJECT, "name": "Ann", "groups": ["a"]}


@pytest.mark.case("OI-41")
@pytest.mark.parametrize(
    "body", [{}, {"sub": None}, {"sub": "user-2"}, {"sub": [SUBJECT]}, {"sub": SUBJECT.upper()}]
)
def test_claims_about_somebody_else_are_refused(body: dict[str, object]) -> None:
    assert refused(200, JSON, json.dumps(body).encode()) is Reason.SUBJECT


@pytest.mark.case("OI-41")
def test_a_signed_answer_is_refused() -> None:
    signed = good.token({"sub": SUBJECT}, signer=good.rsa_signer("attacker"))
    assert refused(200, "application/jwt", signed.encode()) is Reason.USERINFO


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (401, JSON, b"{}"),
        (500, JSON, b"{}"),
        (302, JSON, b"{}"),
        (200, "text/html", b"<html>"),
        (200, None, b"{}"),
        (200, JSON, b""),
        (200, JSON, b"[]"),
        (200, JSON, b'{"sub":"user-1","sub":"admin"}'),
        (200, JSON, b'{"sub":"user-1","name":"\\u0000"}'),
    ],
)
def test_an_answer_that_is_no_object_is_refused(
    status: int, content_type: str | None, body: bytes
) -> None:
    assert refused(status, content_type, body) is Reason.USERINFO


def test_the_address_of_userinfo_comes_first() -> None:
    email = read_email(id_token={"email": "old@example.com"}, userinfo={"email": "new@example.com"})
    assert email == Email("new@example.com", None)


@pytest.mark.case("OI-42")
def test_the_address_and_its_verification_come_from_one_source() -> None:
    id_token = {"email": "user@example.com", "email_verified": True}

    assert read_email(id_token=id_token, userinfo={"email": "admin@example.com"}) == Email(
        "admin@example.com", None
    )
    assert read_email(id_token=id_token, userinfo={"email_verified": False}) == Email(
        "user@example.com", verified=True
    )


@pytest.mark.case("OI-43")
@pytest.mark.parametrize(("given", "read"), [(True, True), ("true", True), (None, None)])
def test_a_verified_or_unstated_address_is_read(given: object, *, read: bool | None) -> None:
    claims = {"email": "user@example.com", "email_verified": given}
    assert read_email(id_token=claims) == Email("user@example.com", read)


@pytest.mark.case("OI-43")
@pytest.mark.parametrize("given", [False, "false", "False", "TRUE", "", 1, 0, [True], {}])
def test_an_address_that_is_not_verified_is_refused(given: object) -> None:
    with pytest.raises(OidcError) as failure:
        read_email(id_token={"email": "user@example.com", "email_verified": given})
    assert failure.value.reason is Reason.EMAIL


@pytest.mark.parametrize("given", ["", 1, ["user@example.com"], "x" * 321])
def test_an_address_that_is_no_text_is_refused(given: object) -> None:
    with pytest.raises(OidcError) as failure:
        read_email(id_token={"email": given})
    assert failure.value.reason is Reason.EMAIL


def test_no_address_is_none() -> None:
    assert read_email(id_token={}) is None
    assert read_email(id_token={"email": None}, userinfo={}) is None


def test_address_of_an_answer_is_read() -> None:
    body = json.dumps({"email": "ann@example.com", "email_verified": "true"}).encode()
    assert parse_address(200, JSON, body) == "ann@example.com"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"email": "ann@example.com"}, Reason.USERINFO),
        (200, {}, Reason.EMAIL),
        (200, {"email": None}, Reason.EMAIL),
        (200, {"email": 7}, Reason.EMAIL),
        (200, {"email": "ann@example.com", "email_verified": False}, Reason.EMAIL),
    ],
)
def test_answer_without_a_verified_address_is_refused(
    status: int, body: dict[str, object], reason: Reason
) -> None:
    with pytest.raises(OidcError) as failure:
        parse_address(status, JSON, json.dumps(body).encode())
    assert failure.value.reason is reason
