"""Reads what the other side said: Status and Issuer, the same in every protocol message."""

from typing import Final

from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.xml import SAML, SAMLP, Children, children, text

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
ISSUER: Final = f"{{{SAML}}}Issuer"
STATUS: Final = f"{{{SAMLP}}}Status"
_STATUS_CODE: Final = f"{{{SAMLP}}}StatusCode"
_STATUS_MESSAGE: Final = f"{{{SAMLP}}}StatusMessage"
_ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"


def check_status(message: Children, checks: Checks) -> None:
    """Ask for exactly one Status whose top-level code is Success (SAML Core 3.2.2).

    Raises:
        SamlError: `saml.status`; `received` holds the codes and the identity provider's own text.
    """
    codes = status_codes(message)
    if codes[:1] != [SUCCESS]:
        raise SamlError(Reason.SAML_STATUS, expected=SUCCESS, received=_describe(message, codes))
    checks.note(Reason.SAML_STATUS, expected=SUCCESS, received=codes[0])


def status_codes(message: Children) -> list[str]:
    """The codes of a message's Status, top level first; none when they are not exactly one tree."""
    levels = message.get(STATUS, [])
    codes: list[str] = []
    while len(levels) == 1:
        levels = children(levels[0], _STATUS_CODE)
        codes += [level.get("Value", "") for level in levels]
    return codes if not levels else []


def check_issuer(message: Children, entity_id: str, checks: Checks, *, required: bool) -> None:
    """Ask for the issuer: byte for byte the entity ID of the connection (Profiles 4.1.4.2).

    Raises:
        SamlError: `saml.issuer`.
    """
    issuers = message.get(ISSUER, ())
    if not issuers and not required:
        return
    if len(issuers) != 1:
        raise SamlError(
            Reason.SAML_ISSUER, expected=entity_id, received=f"{len(issuers)} Issuer elements"
        )
    kind = issuers[0].get("Format", _ENTITY)
    received = text(issuers[0])
    checks.require(
        passed=received == entity_id and kind == _ENTITY,
        reason=Reason.SAML_ISSUER,
        expected=entity_id,
        received=received if kind == _ENTITY else f"{received} of format {kind}",
    )


def _describe(message: Children, codes: list[str]) -> str:
    short = " ".join(code.rpartition(":")[2] for code in codes) or "no status"
    texts = [
        text(found)
        for status in message.get(STATUS, ())
        for found in children(status, _STATUS_MESSAGE)
    ]
    return ": ".join([short, *texts[:1]])
