"""The certificates that verify a connection's messages."""

from tests.support.saml_keys import signer
from vestibule.domain.pinned_certificates import pinned
from vestibule.records import ConnectionKey


def key(name: str, purpose: str = "verification") -> ConnectionKey:
    return ConnectionKey(
        key_id=f"{purpose}-{name}",
        project_id="project",
        organization_id="organization",
        connection_id="connection",
        purpose=purpose,  # type: ignore[arg-type]  # a purpose
        certificate=signer(name).pem,
        created_at=1,
        updated_at=1,
    )


def test_only_the_identity_providers_certificates_are_pinned() -> None:
    keys = [key("idp"), key("sp", "signing"), key("idp-next")]
    assert pinned(keys) == (signer("idp").certificate, signer("idp-next").certificate)


def test_a_certificate_is_read_once() -> None:
    assert pinned([key("idp")])[0] is pinned([key("idp")])[0]
