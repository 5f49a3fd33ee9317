"""The `sso.saml` group through both SDKs."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.support.browsing import Door
from tests.support.saml_keys import signer
from tests.wire import connections, expected
from tests.wire.sdk import Sdk
from vestibule.saml.keys import private_key_pem, read_certificate

# When the certificates of tests.support.saml_keys end.
END = "2100-01-01T00:00:00Z"


@pytest.fixture
def where(sdk: Sdk, organization_id: str) -> dict[str, Any]:
    """Return the locators of a SAML connection that was just made."""
    made = sdk.call("sso.saml.create_connection", organization_id=organization_id)
    return {
        "organization_id": organization_id,
        "connection_id": made["connection"]["connection_id"],
    }


def verification(name: str) -> dict[str, Any]:
    """Return the certificate of an identity provider as the wire shows it."""
    return expected.certificate(
        "saml-verification-key",
        certificate=signer(name).pem,
        issuer=f"CN={name}",
        expires_at=END,
    )


def certifies(certificate: dict[str, Any], key: RSAPrivateKey) -> bool:
    return read_certificate(certificate["certificate"]).public_key == key.public_key()


@pytest.mark.drives("sso.saml.create_connection")
def test_created_connection_is_pending(sdk: Sdk, organization_id: str, door: Door) -> None:
    sent = {
        "organization_id": organization_id,
        "display_name": "Größe & Söhne",
        "identity_provider": "okta",
    }
    made = sdk.call("sso.saml.create_connection", **sent)
    whole = expected.saml_connection(door.base_url, **sent)
    assert made == {**expected.ENVELOPE, "connection": whole}
    connection = made["connection"]
    assert connection["acs_url"] == connection["audience_uri"]
    assert connection["acs_url"].endswith(f"/{connection['connection_id']}")


@pytest.mark.drives("sso.saml.update_connection")
def test_updated_connection_has_what_was_sent(sdk: Sdk, where: dict[str, Any], door: Door) -> None:
    shown = {
        "idp_entity_id": "https://idp.example.com/metadata?tenant=1",
        "display_name": "Größe & Söhne",
        "attribute_mapping": {"email": "NameID", "full_name": "cn", "groups": "memberOf"},
        "idp_sso_url": "https://idp.example.com/sso?tenant=1",
        "saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}],
        "saml_group_implicit_role_assignments": [{"role_id": "stytch_admin", "group": "IT & Co"}],
        "alternative_audience_uri": "urn:example:old",
        "identity_provider": "microsoft-entra",
        "nameid_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        "alternative_acs_url": "https://old.example.com/acs",
        "idp_initiated_auth_disabled": True,
        "allow_gateway_callback": True,
    }
    signing, encryption = signer("wire-signing").key, signer("wire-encryption").key
    changed = sdk.call(
        "sso.saml.update_connection",
        **where,
        **shown,
        x509_certificate=signer("idp").pem,
        signing_private_key=private_key_pem(signing),
        saml_encryption_private_key=private_key_pem(encryption),
    )
    decryption_key = {
        "private_key_id": expected.new_id("saml-encryption-key"),
        "private_key": "",
        "created_at": expected.NOW,
    }
    whole = expected.saml_connection(
        door.base_url,
        **where,
        **shown,
        status="active",
        verification_certificates=[verification("idp")],
        encryption_private_keys=[decryption_key],
    )
    assert changed == {**expected.ENVELOPE, "connection": whole}
    (certificate,) = changed["connection"]["signing_certificates"]
    assert certifies(certificate, signing)

    # What is left out stays; a certificate is added to those there are.
    again = sdk.call(
        "sso.saml.update_connection",
        **where,
        x509_certificate=signer("idp-next").pem,
        idp_initiated_auth_disabled=False,
    )
    whole |= {
        "idp_initiated_auth_disabled": False,
        "verification_certificates": [verification("idp"), verification("idp-next")],
        "signing_certificates": [certificate],
    }
    assert again == {**expected.ENVELOPE, "connection": whole}


@pytest.mark.drives("sso.saml.update_by_url")
def test_update_by_url_takes_over_what_the_metadata_says(
    sdk: Sdk, where: dict[str, Any], door: Door
) -> None:
    url = connections.metadata_url(door.base_url)
    changed = sdk.call("sso.saml.update_by_url", **where, metadata_url=url)
    whole = expected.saml_connection(
        door.base_url,
        **where,
        idp_entity_id=url,
        idp_sso_url=f"{door.base_url}/dev/idp/saml/sso",
        verification_certificates=[
            expected.certificate(
                "saml-verification-key", issuer="CN=Vestibule test identity provider"
            )
        ],
    )
    assert changed == {**expected.ENVELOPE, "connection": whole}
    assert changed["connection"]["status"] == "pending"

    # The mapping is not in metadata: with it the connection is complete.
    mapping = connections.SAML_MAPPING
    active = sdk.call("sso.saml.update_connection", **where, attribute_mapping=mapping)
    mapped = {**changed["connection"], "status": "active", "attribute_mapping": mapping}
    assert active == {**expected.ENVELOPE, "connection": mapped}


@pytest.mark.drives("sso.saml.delete_verification_certificate")
def test_deleted_certificate_is_gone_but_the_last_one_stays(
    sdk: Sdk, active_connection: dict[str, Any]
) -> None:
    where = {name: active_connection[name] for name in ("organization_id", "connection_id")}
    both = sdk.call("sso.saml.update_connection", **where, x509_certificate=signer("idp").pem)
    old, new = both["connection"]["verification_certificates"]
    gone = sdk.call(
        "sso.saml.delete_verification_certificate", **where, certificate_id=old["certificate_id"]
    )
    assert gone == {**expected.ENVELOPE, "certificate_id": old["certificate_id"]}
    (shown,) = sdk.call("sso.get_connections", organization_id=where["organization_id"])[
        "saml_connections"
    ]
    assert shown["verification_certificates"] == [new]
    refusals = {
        certificate["certificate_id"]: sdk.refused(
            "sso.saml.delete_verification_certificate",
            **where,
            certificate_id=certificate["certificate_id"],
        )
        for certificate in (old, new)
    }
    assert refusals == {
        old["certificate_id"]: (404, "sso_verification_key_not_found"),
        new["certificate_id"]: (400, "cannot_delete_last_sso_verification_key"),
    }


@pytest.mark.drives("sso.saml.delete_encryption_private_key")
def test_deleted_decryption_key_is_gone(sdk: Sdk, where: dict[str, Any]) -> None:
    pem = private_key_pem(signer("wire-encryption").key)
    made = sdk.call("sso.saml.update_connection", **where, saml_encryption_private_key=pem)
    (key,) = made["connection"]["encryption_private_keys"]
    key_id = {"private_key_id": key["private_key_id"]}
    gone = sdk.call("sso.saml.delete_encryption_private_key", **where, **key_id)
    assert gone == {**expected.ENVELOPE, **key_id}
    again = sdk.refused("sso.saml.delete_encryption_private_key", **where, **key_id)
    assert again == (404, "sso_encryption_private_key_not_found")
