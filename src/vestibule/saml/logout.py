"""Single Logout: LogoutRequest and LogoutResponse, written and verified, by both bindings."""

from collections.abc import Collection, Sequence
from dataclasses import InitVar, dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree
from lxml.etree import _Element

from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.saml.assertion import NameId, read_identifier
from vestibule.saml.conditions import Moment, check_in_response_to
from vestibule.saml.endpoints import endpoint_url
from vestibule.saml.errors import Checks, Reason, SamlError, Step
from vestibule.saml.keys import Certificate
from vestibule.saml.redirect import RedirectMessage, verify_redirect
from vestibule.saml.signature import find_signatures, verify_enveloped
from vestibule.saml.status import SUCCESS, check_issuer, check_status, status_codes
from vestibule.saml.writing import append, start
from vestibule.saml.xml import SAML, SAMLP, children, children_by_tag, local_name, parse, text

LOGOUT_REQUEST: Final = f"{{{SAMLP}}}LogoutRequest"
LOGOUT_RESPONSE: Final = f"{{{SAMLP}}}LogoutResponse"
MAX_SESSION_INDEXES: Final = 100

_PREFIXES: Final = {"samlp": SAMLP, "saml": SAML}
_SESSION_INDEX: Final = f"{{{SAMLP}}}SessionIndex"
_STATUS_CODE: Final = f"{{{SAMLP}}}StatusCode"
_CODES: Final = "urn:oasis:names:tc:SAML:2.0:status:"
_PARTIAL: Final = f"{_CODES}PartialLogout"
_PROOF: Final = object()


class LogoutStatus(StrEnum):
    """What a LogoutResponse of ours can say: the codes, top level first."""

    SUCCESS = SUCCESS
    PARTIAL = f"{SUCCESS} {_PARTIAL}"
    UNKNOWN_PRINCIPAL = f"{_CODES}Requester {_CODES}UnknownPrincipal"
    DENIED = f"{_CODES}Requester {_CODES}RequestDenied"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutExpectation:
    """What a logout message has to fit. Times are microseconds.

    `logout_urls` are ours, one of which the message has to name; `audiences` are the names we go
    by, for a NameID that is qualified with one.
    """

    idp_entity_id: str
    keys: tuple[Certificate, ...]
    logout_urls: tuple[str, ...]
    audiences: tuple[str, ...]
    decryption_keys: tuple[RSAPrivateKey, ...] = ()
    allow_cbc: bool = False
    """A risk, as in an Expectation."""

    clock_skew: int = MINUTE
    max_age: int = 10 * MINUTE
    """How old the IssueInstant of a message may be; it also bounds the replay record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLogoutRequest:
    """Whom the identity provider logs out. Only `verify_logout_request` can make one.

    No `session_indexes` means every session of that NameID on this connection, and of no other.
    Until `replay_until` (microseconds UTC) the same `request_id` must not be accepted again.
    """

    request_id: str
    name_id: str
    name_id_format: str | None
    session_indexes: tuple[str, ...]
    replay_until: int
    steps: tuple[Step, ...]
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("only verify_logout_request makes a VerifiedLogoutRequest")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLogoutResponse:
    """The identity provider's yes to a logout of ours. Only `verify_logout_response` makes one.

    `partial` says that it could not reach every other application.
    """

    in_response_to: str
    partial: bool
    steps: tuple[Step, ...]
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("only verify_logout_response makes a VerifiedLogoutResponse")


def logout_request(
    *,
    request_id: str,
    issued_at: int,
    not_on_or_after: int,
    destination: str,
    issuer: str,
    name_id: str,
    name_id_format: str | None = None,
    session_indexes: Sequence[str] = (),
) -> bytes:
    """Return an unsigned LogoutRequest (SAML Core 3.7.1); a binding signs it.

    `name_id`, its format and the session indexes are those of the assertion that began the
    sessions. Times are microseconds UTC.

    Raises:
        SamlError: `saml.dest` or `xml`, as `authn_request`.
    """
    root = _start(LOGOUT_REQUEST, request_id, issued_at, destination, issuer)
    root.set("NotOnOrAfter", rfc3339(not_on_or_after))
    form = {} if name_id_format is None else {"Format": name_id_format}
    append(root, f"{{{SAML}}}NameID", form, text=name_id)
    for index in session_indexes:
        append(root, _SESSION_INDEX, text=index)
    return etree.tostring(root)


def logout_response(
    *,
    response_id: str,
    issued_at: int,
    destination: str,
    issuer: str,
    in_response_to: str,
    status: LogoutStatus,
) -> bytes:
    """Return an unsigned LogoutResponse (SAML Core 3.7.2); a binding signs it.

    Raises:
        SamlError: `saml.dest` or `xml`, as `authn_request`.
    """
    root = _start(LOGOUT_RESPONSE, response_id, issued_at, destination, issuer)
    root.set("InResponseTo", in_response_to)
    parent = append(root, f"{{{SAMLP}}}Status")
    for code in status.value.split():
        parent = append(parent, _STATUS_CODE, {"Value": code})
    return etree.tostring(root)


def verify_logout_request(
    message: bytes | RedirectMessage, expectation: LogoutExpectation, *, now: int
) -> VerifiedLogoutRequest:
    """Verify a LogoutRequest (SAML Profiles 4.4.4.1) and return whom it logs out.

    `message` is the decoded form field of HTTP-POST, signed within, or what `read_redirect` gave,
    signed in the query. `now` is in microseconds UTC. Replay is for the caller to exclude.

    Raises:
        SamlError: with the checks that passed before the failed one as `steps`.
    """
    checks = Checks()
    try:
        root = _open(message, LOGOUT_REQUEST, expectation, checks)
        end = _check_message(root, expectation, now, checks)
        name_id = _read_name_id(root, expectation, checks)
        session_indexes = _read_session_indexes(root)
    except SamlError as error:
        raise error.after(checks.steps)  # noqa: B904 - the same error, only completed
    return VerifiedLogoutRequest(
        request_id=root.get("ID", ""),
        name_id=name_id.value,
        name_id_format=name_id.format,
        session_indexes=session_indexes,
        replay_until=end,
        steps=checks.steps,
        proof=_PROOF,
    )


def verify_logout_response(
    message: bytes | RedirectMessage,
    expectation: LogoutExpectation,
    *,
    request_id: str,
    now: int,
) -> VerifiedLogoutResponse:
    """Verify a LogoutResponse (SAML Profiles 4.4.4.2) to our LogoutRequest `request_id`.

    Takes and raises what `verify_logout_request` does. A status other than Success is an error
    (`saml.status`): whoever asked is to be told that only our own session has ended.
    """
    checks = Checks()
    try:
        root = _open(message, LOGOUT_RESPONSE, expectation, checks)
        _check_message(root, expectation, now, checks)
        check_in_response_to(root.get("InResponseTo", "none"), request_id, checks)
        parts = children_by_tag(root)
        check_status(parts, checks)
    except SamlError as error:
        raise error.after(checks.steps)  # noqa: B904 - the same error, only completed
    return VerifiedLogoutResponse(
        in_response_to=request_id,
        partial=_PARTIAL in status_codes(parts),
        steps=checks.steps,
        proof=_PROOF,
    )


def _start(tag: str, message_id: str, issued_at: int, destination: str, issuer: str) -> _Element:
    attributes = {
        "ID": message_id,
        "Version": "2.0",
        "IssueInstant": rfc3339(issued_at),
        "Destination": endpoint_url(destination),
    }
    root = start(tag, attributes, prefixes=_PREFIXES)
    append(root, f"{{{SAML}}}Issuer", text=issuer)
    return root


def _open(
    message: bytes | RedirectMessage, tag: str, expectation: LogoutExpectation, checks: Checks
) -> _Element:
    """The root of a message of this kind, once its one signature has been verified."""
    if isinstance(message, RedirectMessage):
        certificate = verify_redirect(message, expectation.keys)
        root = _parse(message.data, tag)
        _require_parameter(message, tag)
        if find_signatures(root, owners=(tag,)):
            # This binding takes them out (Bindings 3.4.4.1), and what is there has to count.
            raise _refused(Reason.SIG_PLACE, "a signature in the query", "one in the message")
    else:
        root = _parse(message, tag)
        # Only the root can own one: no other element of this name is left to.
        signature = find_signatures(root, owners=(tag,)).get(root)
        if signature is None:
            raise _refused(Reason.SIG_MISSING, f"a signed {local_name(root)}", "no Signature")
        certificate = verify_enveloped(root, signature, keys=expectation.keys)
    checks.note(
        Reason.SIG_VALUE, expected="a signature by a pinned key", received=certificate.issuer
    )
    return root


def _parse(data: bytes, tag: str) -> _Element:
    root = parse(data)
    if root.tag != tag:
        raise _refused(Reason.SAML_ROOT, tag, str(root.tag))
    if root.get("Version") != "2.0":
        raise _refused(Reason.SAML_VERSION, "2.0", root.get("Version", "none"))
    if not root.get("ID"):
        raise _refused(Reason.SAML_ID, "an ID", "none")
    inner = sum(1 for _ in root.iter(LOGOUT_REQUEST, LOGOUT_RESPONSE)) - 1
    if inner:
        raise _refused(Reason.SAML_COUNT, "one message", f"{inner} more in it")
    return root


def _require_parameter(message: RedirectMessage, tag: str) -> None:
    wanted = "SAMLRequest" if tag == LOGOUT_REQUEST else "SAMLResponse"
    if message.parameter != wanted:
        raise _refused(Reason.HTTP_PARAMS, wanted, message.parameter)


def _check_message(root: _Element, expectation: LogoutExpectation, now: int, checks: Checks) -> int:
    """Check sender, addressee and age; return until when the message could be sent again."""
    check_issuer(children_by_tag(root), expectation.idp_entity_id, checks, required=True)
    _check_destination(root, expectation.logout_urls, checks)
    moment = Moment(now=now, skew=expectation.clock_skew)
    issued_at = root.get("IssueInstant", "")
    end = moment.require_begun(issued_at, "IssueInstant", checks) + expectation.max_age
    if now >= end + expectation.clock_skew:
        seconds = expectation.max_age // SECOND
        raise _refused(Reason.SAML_EXPIRED, f"issued within {seconds} s", issued_at)
    not_on_or_after = root.get("NotOnOrAfter")
    if not_on_or_after is not None:
        end = min(end, moment.require_lasting(not_on_or_after, "NotOnOrAfter", checks))
    return end + expectation.clock_skew


def _check_destination(root: _Element, logout_urls: Collection[str], checks: Checks) -> None:
    # A message by these bindings is signed, so it has to name its addressee (Bindings 3.4.5.2).
    destination = root.get("Destination", "none")
    checks.require(
        passed=destination in logout_urls,
        reason=Reason.SAML_DESTINATION,
        expected=" or ".join(logout_urls),
        received=destination,
    )


def _read_name_id(root: _Element, expectation: LogoutExpectation, checks: Checks) -> NameId:
    name_id = read_identifier(children_by_tag(root), expectation, checks, required=False)
    if name_id is None:
        raise _refused(Reason.SAML_SUBJECT, "one NameID", "none")
    return name_id


def _read_session_indexes(root: _Element) -> tuple[str, ...]:
    indexes = tuple(text(index) for index in children(root, _SESSION_INDEX))
    if len(indexes) > MAX_SESSION_INDEXES or not all(indexes):
        expected = f"at most {MAX_SESSION_INDEXES} session indexes, none empty"
        raise _refused(Reason.SAML_SUBJECT, expected, str(len(indexes)))
    return indexes


def _refused(reason: Reason, expected: str, received: str) -> SamlError:
    return SamlError(reason, expected=expected, received=received)
