"""The policies of a connection."""

from tests.support.saml_documents import expectation


def test_defaults_are_the_safe_ones() -> None:
    expected = expectation()
    minute = 60_000_000
    assert (expected.clock_skew, expected.max_age) == (minute, 10 * minute)
    assert expected.require_name_id is True
    assert not expected.allow_cbc
    assert not expected.allow_inclusive_c14n
    assert not expected.allow_missing_authn_statement
    assert not expected.refuse_unsolicited
    assert not expected.refuse_expired_certificates
    assert not expected.require_signed_response
    assert not expected.require_signed_assertion
    assert not expected.require_encryption
    assert (expected.authn_contexts, expected.decryption_keys) == ((), ())
