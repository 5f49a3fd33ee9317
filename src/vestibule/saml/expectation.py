"""What a Response has to fit: the connection, the request it answers, and the policies."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from vestibule.saml.keys import Certificate

_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one connection accepts in answer to one request.

    The defaults of the policies are the safe ones. Times are microseconds.
    """

    idp_entity_id: str
    keys: tuple[Certificate, ...]
    acs_urls: tuple[str, ...]
    audiences: tuple[str, ...]
    request_id: str | None
    """The ID of our AuthnRequest; None: only an unsolicited Response is acceptable."""

    decryption_keys: tuple[RSAPrivateKey, ...] = ()
    clock_skew: int = _MINUTE
    max_age: int = 10 * _MINUTE
    """How old the IssueInstant of an assertion may be; it also bounds the replay record."""

    authn_contexts: tuple[str, ...] = ()
    """The AuthnContextClassRefs that will do; empty: any."""

    refuse_unsolicited: bool = False
    require_signed_response: bool = False
    require_signed_assertion: bool = False
    require_encryption: bool = False
    require_name_id: bool = True
    refuse_expired_certificates: bool = False
    allow_cbc: bool = False
    """A risk: CBC ciphertexts can be changed, so answers tell an attacker about the plaintext."""

    allow_inclusive_c14n: bool = False
    allow_missing_authn_statement: bool = False
