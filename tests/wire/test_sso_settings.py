"""The `sso.settings` group, which no SDK has, over plain https."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.plain_http import PlainHttp

SAML: dict[str, Any] = {
    "force_authn": True,
    "requested_authn_contexts": ["urn:oasis:names:tc:SAML:2.0:ac:classes:X509"],
    "require_signed_response": True,
    "require_signed_assertion": True,
    "require_encryption": True,
    "refuse_expired_certificates": True,
    "allow_cbc": True,
    "allow_inclusive_c14n": True,
    "allow_missing_authn_statement": True,
    "idp_initiated_roundtrip": True,
    "trust_metadata_certificates": True,
}


@pytest.mark.drives("sso.settings.get", "sso.settings.update")
def test_settings_of_a_saml_connection_are_what_was_sent(
    plain: PlainHttp, active_connection: dict[str, Any]
) -> None:
    where = {name: active_connection[name] for name in ("organization_id", "connection_id")}
    at_first: dict[str, Any] = dict.fromkeys(SAML, False) | {"requested_authn_contexts": []}
    whole = {**expected.ENVELOPE, "connection_id": where["connection_id"]}
    assert plain.call("sso.settings.get", **where) == {
        **whole,
        "settings": {"protocol": "saml", **at_first},
    }
    changed = {**whole, "settings": {"protocol": "saml", **SAML}}
    assert plain.call("sso.settings.update", **where, **SAML) == changed
    assert plain.call("sso.settings.get", **where) == changed
