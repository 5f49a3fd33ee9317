"""Well-signed ID tokens that must not log anybody in: security cases OI-05, OI-34 to OI-40."""

import json
from typing import Any

import pytest

from tests.support import oidc_documents as good
from tests.support.oidc_documents import ABSENT, CLIENT_ID, ISSUER, NOW, SECOND
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.jwks import parse_jwks

_SECONDS = NOW // SECOND
_TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"
_CONCRETE = "https://login.microsoftonline.com/tenant-1/v2.0"


def refused(claims: good.Json | bytes, **changes: Any) -> Reason:
    with pytest.raises(OidcError) as failure:
        good.verify(good.token(claims), **changes)
    return failure.value.reason


def accepted(claims: good.Json, **changes: Any) -> bool:
    return good.verify(good.token(claims), **changes).subject == good.SUBJECT


@pytest.mark.case("OI-05")
@pytest.mark.parametrize("nonce", [ABSENT, None, "", "other", good.NONCE + " ", [good.NONCE], 1])
def test_another_nonce_is_refused(nonce: object) -> None:
    assert refused(good.claims(nonce=nonce)) is Reason.NONCE


@pytest.mark.case("OI-05")
@pytest.mark.case("OI-08")
def test_the_nonce_of_another_sign_in_is_refused() -> None:
    assert refused(good.claims(), nonce="m" * 43) is Reason.NONCE


@pytest.mark.case("OI-34")
@pytest.mark.parametrize(
    "issuer",
    [
        "https://evil.example",
        ISSUER + "/",
        ISSUER.replace("https", "http"),
        ISSUER.upper(),
        [ISSUER],
        {"iss": ISSUER},
        None,
        1,
        "",
        ABSENT,
    ],
)
def test_another_issuer_is_refused(issuer: object) -> None:
    assert refused(good.claims(iss=issuer)) is Reason.ISSUER


@pytest.mark.case("OI-35")
def test_an_issuer_template_accepts_a_listed_tenant() -> None:
    claims = good.claims(iss=_CONCRETE, tid="tenant-1")
    assert accepted(claims, issuer=_TEMPLATE, tenants=("tenant-1", "tenant-2"))


@pytest.mark.case("OI-35")
@pytest.mark.parametrize(
    ("issuer", "tenant"),
    [
        (_CONCRETE.replace("tenant-1", "tenant-9"), "tenant-9"),
        (_CONCRETE, "tenant-2"),
        (_CONCRETE.replace("tenant-1", "tenant-9"), "tenant-1"),
        (_CONCRETE, ABSENT),
        (_CONCRETE, ["tenant-1"]),
        (_TEMPLATE, "{tenantid}"),
        (_TEMPLATE, "tenant-1"),
    ],
)
def test_an_issuer_template_refuses_all_others(issuer: str, tenant: object) -> None:
    claims = good.claims(iss=issuer, tid=tenant)
    assert refused(claims, issuer=_TEMPLATE, tenants=("tenant-1", "tenant-2")) is Reason.ISSUER


@pytest.mark.case("OI-35")
def test_an_issuer_template_without_tenants_cannot_be_expected() -> None:
    with pytest.raises(ValueError, match="tenants"):
        good.expectation(issuer=_TEMPLATE)


@pytest.mark.case("OI-35")
@pytest.mark.parametrize(
    ("key_issuer", "good_key"),
    [(_TEMPLATE, True), (_CONCRETE, True), (_CONCRETE.replace("tenant-1", "tenant-2"), False)],
)
def test_a_key_of_another_tenant_is_refused(key_issuer: str, *, good_key: bool) -> None:
    published = parse_jwks(good.jwks(good.rsa_signer().jwk(issuer=key_issuer)))
    claims = good.claims(iss=_CONCRETE, tid="tenant-1")
    known: Any = {"published": published, "issuer": _TEMPLATE, "tenants": ("tenant-1",)}
    if good_key:
        assert accepted(claims, **known)
    else:
        assert refused(claims, **known) is Reason.ISSUER


@pytest.mark.case("OI-36")
@pytest.mark.parametrize(
    ("audience", "party"),
    [
        (CLIENT_ID, ABSENT),
        (CLIENT_ID, CLIENT_ID),
        ([CLIENT_ID], ABSENT),
        ([CLIENT_ID], CLIENT_ID),
        ([CLIENT_ID, "other"], CLIENT_ID),
    ],
)
def test_our_audience_is_accepted(audience: object, party: object) -> None:
    assert accepted(good.claims(aud=audience, azp=party))


@pytest.mark.case("OI-36")
@pytest.mark.parametrize(
    ("audience", "party"),
    [
        ("other", ABSENT),
        (ABSENT, ABSENT),
        (None, ABSENT),
        ("", ABSENT),
        ([], ABSENT),
        (["other"], CLIENT_ID),
        ([CLIENT_ID, "other"], "other"),
        ([CLIENT_ID, "other"], ABSENT),
        ([CLIENT_ID, "other"], None),
        (CLIENT_ID, "other"),
        (CLIENT_ID, None),
        (CLIENT_ID, [CLIENT_ID]),
        ([CLIENT_ID, 1], CLIENT_ID),
        ([[CLIENT_ID]], ABSENT),
        ({CLIENT_ID: 1}, ABSENT),
        (CLIENT_ID + " ", ABSENT),
        (CLIENT_ID.upper(), ABSENT),
    ],
)
def test_another_audience_is_refused(audience: object, party: object) -> None:
    assert refused(good.claims(aud=audience, azp=party)) is Reason.AUDIENCE


@pytest.mark.case("OI-37")
@pytest.mark.parametrize(
    "expires",
    [
        _SECONDS - 61,
        _SECONDS - 60,
        0,
        -1,
        ABSENT,
        None,
        str(_SECONDS + 300),
        True,
        1e300,
        2**62,
        [_SECONDS + 300],
    ],
)
def test_an_expiry_that_is_past_or_no_time_is_refused(expires: object) -> None:
    assert refused(good.claims(exp=expires)) is Reason.EXPIRED


@pytest.mark.case("OI-37")
@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5_000])
def test_an_expiry_that_is_no_number_is_refused(written: str) -> None:
    payload = json.dumps(good.claims(exp=12345)).replace("12345", written).encode()
    assert refused(payload) is Reason.ID_TOKEN


@pytest.mark.case("OI-37")
def test_a_life_of_more_than_a_day_is_refused() -> None:
    issued = _SECONDS - 5
    assert refused(good.claims(exp=issued + 86_401)) is Reason.EXPIRED
    assert accepted(good.claims(exp=issued + 86_400))


@pytest.mark.case("OI-37")
def test_the_expiry_is_judged_with_the_skew_and_not_beyond() -> None:
    claims = good.claims(exp=_SECONDS)
    assert accepted(claims, now=NOW + 60 * SECOND - 1)
    assert refused(claims, now=NOW + 60 * SECOND) is Reason.EXPIRED
    assert refused(claims, clock_skew=0) is Reason.EXPIRED


@pytest.mark.case("OI-37")
def test_times_with_fractions_are_accepted() -> None:
    assert accepted(good.claims(exp=_SECONDS + 1.5, iat=_SECONDS - 1.5))


@pytest.mark.case("OI-38")
@pytest.mark.parametrize(
    "issued", [ABSENT, None, _SECONDS + 3_600, _SECONDS - 2 * 86_400, "1", True, -1, 1e300]
)
def test_an_issue_time_that_cannot_be_is_refused(issued: object) -> None:
    assert refused(good.claims(iat=issued)) is Reason.ISSUED_AT


@pytest.mark.case("OI-38")
def test_a_token_that_is_not_valid_yet_is_refused() -> None:
    assert refused(good.claims(nbf=_SECONDS + 3_600)) is Reason.NOT_BEFORE
    assert refused(good.claims(nbf="soon")) is Reason.NOT_BEFORE
    assert refused(good.claims(nbf=True)) is Reason.NOT_BEFORE
    assert accepted(good.claims(nbf=_SECONDS + 60))


@pytest.mark.case("OI-38")
@pytest.mark.parametrize("authenticated", [_SECONDS - 361, _SECONDS + 61, ABSENT, "1", True])
def test_an_authentication_older_than_asked_for_is_refused(authenticated: object) -> None:
    claims = good.claims(auth_time=authenticated)
    assert refused(claims, max_age=300 * SECOND) is Reason.AUTH_TIME


@pytest.mark.case("OI-38")
def test_an_authentication_time_counts_only_when_it_was_asked_for() -> None:
    assert accepted(good.claims(auth_time=_SECONDS - 360), max_age=300 * SECOND)
    assert accepted(good.claims(auth_time=1))


@pytest.mark.case("OI-39")
@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_right_access_token_hash_is_accepted(algorithm: str) -> None:
    claims = good.claims(at_hash=good.half_hash(good.ACCESS_TOKEN, algorithm))
    text = good.token(claims, algorithm=algorithm)
    assert good.verify(text).subject == good.SUBJECT


@pytest.mark.case("OI-39")
@pytest.mark.parametrize("value", [good.half_hash("other"), "", None, 1, [], "é"])
def test_a_wrong_access_token_hash_is_refused(value: object) -> None:
    assert refused(good.claims(at_hash=value)) is Reason.ACCESS_TOKEN_HASH


@pytest.mark.case("OI-39")
def test_a_code_hash_is_checked_where_it_is_present() -> None:
    assert accepted(good.claims(c_hash=good.half_hash(good.CODE)), code=good.CODE)
    assert refused(good.claims(c_hash=good.half_hash("other")), code=good.CODE) is Reason.CODE_HASH


@pytest.mark.case("OI-40")
@pytest.mark.parametrize("subject", [ABSENT, None, "", 1, "x" * 300, ["user-1"], "é", "a\nb"])
def test_a_subject_that_is_none_is_refused(subject: object) -> None:
    assert refused(good.claims(sub=subject)) is Reason.SUBJECT


@pytest.mark.case("OI-40")
@pytest.mark.parametrize("subject", ["user\x00admin", "user\ud800"])
@pytest.mark.parametrize("claim", ["sub", "name", "email"])
def test_text_that_the_database_cannot_hold_is_refused(subject: str, claim: str) -> None:
    assert refused(good.claims(**{claim: subject})) is Reason.ID_TOKEN


@pytest.mark.case("OI-40")
def test_the_longest_subject_is_accepted() -> None:
    assert good.verify(good.token(good.claims(sub="x" * 255))).subject == "x" * 255


@pytest.mark.case("OI-55")
def test_a_token_of_another_client_is_refused() -> None:
    assert refused(good.claims(), client_id="client-2") is Reason.AUDIENCE
