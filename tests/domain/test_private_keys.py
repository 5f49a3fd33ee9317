import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.saml_keys import signer
from vestibule.domain.private_keys import load
from vestibule.saml.keys import private_key_pem


def test_a_key_comes_back_as_it_was() -> None:
    key = signer("idp").key
    loaded = load(private_key_pem(key).encode())
    assert loaded.private_numbers() == key.private_numbers()
    assert load(private_key_pem(key).encode()) is loaded


def test_a_key_of_another_kind_is_a_mistake() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TypeError):
        load(pem)
