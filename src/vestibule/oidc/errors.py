"""The one error of this package, its reasons, and the record of the checks before it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_LONGEST_VALUE: Final = 200


class Reason(StrEnum):
    """Why something was refused; finer than what a caller outside may see.

    Everything that starts with `oidc.code` belongs to the code exchange, from the callback's
    parameters to the token endpoint's answer. `oidc.idtoken` is the shape of a token.
    """

    URL = "oidc.url"
    SCOPE = "oidc.scope"
    DISCOVERY = "oidc.discovery"
    JWKS = "oidc.jwks"

    STATE = "oidc.state"
    CALLBACK = "oidc.callback"
    CODE = "oidc.code"
    CODE_GRANT = "oidc.code.grant"
    CODE_CLIENT = "oidc.code.client"
    CODE_REFUSED = "oidc.code.refused"
    CODE_REDIRECT = "oidc.code.redirect"
    CODE_UNAVAILABLE = "oidc.code.unavailable"
    CODE_ANSWER = "oidc.code.answer"
    CODE_ID_TOKEN = "oidc.code.id_token"  # noqa: S105 - the name of a reason
    CODE_TOKEN_TYPE = "oidc.code.token_type"  # noqa: S105 - the name of a reason

    ID_TOKEN = "oidc.idtoken"  # noqa: S105 - the name of a reason
    ALGORITHM = "oidc.alg"
    KEY = "oidc.key"
    SIGNATURE = "oidc.sig"
    ISSUER = "oidc.iss"
    AUDIENCE = "oidc.aud"
    EXPIRED = "oidc.exp"
    ISSUED_AT = "oidc.iat"
    NOT_BEFORE = "oidc.nbf"
    AUTH_TIME = "oidc.auth_time"
    NONCE = "oidc.nonce"
    ACCESS_TOKEN_HASH = "oidc.at_hash"  # noqa: S105 - the name of a reason
    CODE_HASH = "oidc.c_hash"
    SUBJECT = "oidc.sub"

    LOGOUT = "oidc.logout"
    LOGOUT_REPLAY = "oidc.logout.replay"

    TRUSTED = "oidc.trusted"

    USERINFO = "oidc.userinfo"
    EMAIL = "oidc.email"


@dataclass(frozen=True)
class Step:
    """One check: what was wanted and what came, cut to 200 characters. Never a secret."""

    name: str
    expected: str
    received: str
    passed: bool


class OidcError(Exception):
    """Something that the provider, the browser or the configuration gave cannot be accepted.

    `expected` and `received` are for the trace an admin reads and hold no secret. `steps` are the
    checks that passed before, then the one that failed.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        expected: str | None = None,
        received: str | None = None,
        steps: tuple[Step, ...] = (),
    ) -> None:
        self.reason = reason
        self.expected = None if expected is None else shown(expected)
        self.received = None if received is None else shown(received)
        failed = Step(reason.value, self.expected or "", self.received or "", passed=False)
        self.steps = (*steps, failed)
        super().__init__(f"{reason}: expected {self.expected}, received {self.received}")


def shown(value: object) -> str:
    """Write a value that came from outside so that it fits a trace: printable, 200 characters."""
    text = value if isinstance(value, str) else _described(value)
    cut = text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
    return "".join(character if character.isprintable() else "�" for character in cut)


def _described(value: object) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool | int | float):
        return repr(value)
    return f"a {type(value).__name__}"
