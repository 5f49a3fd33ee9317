"""The signature of a token; the hostile ones are in tests/attacks/test_oidc_id_token.py."""

import pytest

from tests.support import oidc_documents as good
from vestibule.oidc.checks import Checks
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.jwks import Algorithm
from vestibule.oidc.signed import Signed, verify_signature


def verify(text: str, types: tuple[str, ...] = ("jwt",)) -> Signed:
    return verify_signature(
        text, good.keys(), algorithms=(Algorithm.RS256,), types=types, checks=Checks()
    )


def test_signed_claims_are_returned_with_their_key() -> None:
    signed = verify(good.token({"a": 1}))
    assert (signed.claims, signed.algorithm) == ({"a": 1}, "RS256")
    assert signed.signer.kid == "rsa-1"


def test_the_type_is_one_of_those_wanted_or_left_out() -> None:
    for typ in ("JWT", "jwt", "application/jwt", good.ABSENT):
        assert verify(good.token({"a": 1}, header={"typ": typ})).claims == {"a": 1}
    logout = good.token({"a": 1}, header={"typ": "Logout+JWT"})
    assert verify(logout, ("logout+jwt", "jwt")).claims == {"a": 1}
    with pytest.raises(OidcError) as refused:
        verify(logout)
    assert refused.value.reason is Reason.ID_TOKEN
    assert (refused.value.expected, refused.value.received) == ("typ jwt, or absent", "Logout+JWT")
