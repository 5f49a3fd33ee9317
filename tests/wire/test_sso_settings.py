"""The `sso.settings` group, which no SDK has, over plain https."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.saml_keys import signer
from tests.wire import connections, expected
from tests.wire.plain_http import PlainHttp
from tests.wire.sdk import Sdk

ROLES: dict[str, Any] = {
    "implicit_role_assignments": [{"role_id": "stytch_admin"}],
    "group_implicit_role_assignments": [
        {
            "role_id": "stytch_admin",
            "group": "07dd8a60-bf6d-4e17-8844-230b77145381",
            "display_name": "Engineering",
        }
    ],
}
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
    "metadata_certificate": signer("metadata").pem,
    "cap_sessions": True,
    "absent_groups_mean_none": True,
    "idp_slo_url": "https://idp.example.com/slo",
    "idp_slo_response_url": "https://idp.example.com/slo/answer",
    "idp_slo_binding": "post",
    **ROLES,
}
AT_FIRST: dict[str, Any] = {
    **{name: False for name, value in SAML.items() if value is True},
    "requested_authn_contexts": [],
    "metadata_certificate": "",
    "idp_slo_url": "",
    "idp_slo_response_url": "",
    "idp_slo_binding": "redirect",
    "implicit_role_assignments": [],
    "group_implicit_role_assignments": [],
}


@pytest.mark.drives("sso.settings.get", "sso.settings.update")
def test_settings_of_a_saml_connection_are_what_was_sent(
    plain: PlainHttp, sdk: Sdk, active_connection: dict[str, Any], places: dict[str, Any]
) -> None:
    where = {name: active_connection[name] for name in ("organization_id", "connection_id")}
    whole = {
        **expected.ENVELOPE,
        "connection_id": where["connection_id"],
        "metadata": metadata_at(places["base_url"]),
        "warnings": [],
    }
    assert plain.call("sso.settings.get", **where) == {
        **whole,
        "settings": {"protocol": "saml", **AT_FIRST},
    }
    changed = {**whole, "settings": {"protocol": "saml", **SAML}}
    assert plain.call("sso.settings.update", **where, **SAML) == changed
    assert plain.call("sso.settings.get", **where) == changed
    oidc = connections.oidc(sdk, where["organization_id"], places["base_url"])
    where["connection_id"] = oidc["connection_id"]
    sent = {
        "end_session_url": "https://op.example.com/logout",
        "client_authentication": "client_secret_post",
        "absent_groups_mean_none": True,
        **ROLES,
    }
    answer = plain.call("sso.settings.update", **where, **sent)
    assert answer == {
        **expected.ENVELOPE,
        "connection_id": where["connection_id"],
        "metadata": answer["metadata"],
        "warnings": [],
        "settings": {"protocol": "oidc", **sent},
    }


def metadata_at(base_url: str) -> dict[str, Any]:
    """What is shown of metadata that has just been read and says nothing new."""
    return {
        "url": connections.metadata_url(base_url),
        "last_fetched_at": expected.NOW,
        "last_tried_at": expected.NOW,
        "next_try_at": expected.In(5 * 60 + 24, within=timedelta(minutes=40)),
        "valid_until": None,
        "last_error": "",
        "offer": None,
    }


@pytest.mark.drives(
    "sso.settings.metadata.refresh",
    "sso.settings.metadata.accept",
    "sso.settings.metadata.refuse",
    "sso.settings.metadata.stop",
)
def test_metadata_is_read_now_decided_on_and_read_no_more(
    plain: PlainHttp, active_connection: dict[str, Any], places: dict[str, Any]
) -> None:
    where = {name: active_connection[name] for name in ("organization_id", "connection_id")}
    whole = {**expected.ENVELOPE, "connection_id": where["connection_id"], "warnings": []}
    known = {**whole, "metadata": metadata_at(places["base_url"])}
    assert plain.call("sso.settings.metadata.refresh", **where) == known
    for method in ("sso.settings.metadata.accept", "sso.settings.metadata.refuse"):
        assert plain.refused(method, **where, digest="0" * 64) == (400, "bad_request")
    gone = {**whole, "metadata": None}
    assert plain.call("sso.settings.metadata.stop", **where) == gone


@pytest.mark.drives(
    "sso.settings.signing_key.get",
    "sso.settings.signing_key.start",
    "sso.settings.signing_key.complete",
    "sso.settings.signing_key.cancel",
)
def test_signing_key_is_renewed(plain: PlainHttp, active_connection: dict[str, Any]) -> None:
    where = {name: active_connection[name] for name in ("organization_id", "connection_id")}
    (present,) = active_connection["signing_certificates"]
    whole = {**expected.ENVELOPE, "connection_id": where["connection_id"]}
    at_first = {**whole, "signing_certificate": present, "next_signing_certificate": None}
    assert plain.call("sso.settings.signing_key.get", **where) == at_first
    started = plain.call("sso.settings.signing_key.start", **where)
    following = {**started["next_signing_certificate"], "certificate": expected.CERTIFICATE}
    assert started == {**at_first, "next_signing_certificate": following}
    assert plain.call("sso.settings.signing_key.cancel", **where) == at_first
    plain.call("sso.settings.signing_key.start", **where)
    done = plain.call("sso.settings.signing_key.complete", **where)
    assert done["next_signing_certificate"] is None
    assert done["signing_certificate"]["certificate_id"] != present["certificate_id"]
